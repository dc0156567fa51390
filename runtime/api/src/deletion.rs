//! `DELETE Calls/{Sid}.json`: what is known of a call goes, its recordings first.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use store::{RecordingFilter, Scope, StoreError};

use crate::ApiState;
use crate::calls::existing;
use crate::problem::Problem;
use crate::recordings;

/// Recordings that are removed at a time.
const PAGE: usize = 50;

/// 204; 21220 for a call that goes on, or of which a recording does.
pub(crate) async fn delete_call(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let row = existing(&state, scope, &uri)?;
    if !row.status.is_final() {
        return Err(goes_on());
    }
    let filter = RecordingFilter {
        of: Some(row.sid.into()),
        ..RecordingFilter::default()
    };
    loop {
        let page = state.store.recordings(scope, &filter, None, PAGE)?;
        for recording in &page.rows {
            recordings::remove(&state, scope, recording, &uri).await?;
        }
        if page.rows.is_empty() {
            break;
        }
    }
    match state.store.delete_call(scope, row.sid).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(&uri)),
        Err(StoreError::CallGoesOn(_)) => Err(goes_on()),
        Err(error) => Err(error.into()),
    }
}

fn goes_on() -> Problem {
    Problem::call_state("The call is not over: end it before it is deleted")
}
