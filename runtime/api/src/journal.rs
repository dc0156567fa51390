//! The journal of a call: not Twilio's, but beside its call.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use store::Scope;

use crate::ApiState;
use crate::problem::Problem;

/// `GET /Calls/{Sid}/Journal`: all that the call's stories were told and all that they asked for, digits, texts and web servers' answers
/// included, once the call is over. `jackfield plugin journal` shows it, `jackfield plugin replay` runs it again.
///
/// 404 for a call that is not the account's, that is not over, or that had no story.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<impl IntoResponse, Problem> {
    let sid = call.parse().ok();
    let journal = sid
        .map(|sid| state.store.journal(scope, sid))
        .transpose()?
        .flatten();
    let journal = journal.ok_or_else(|| Problem::not_found(&uri))?;
    let file = format!("attachment; filename=\"{call}.journal\"");
    Ok((
        [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, file),
        ],
        journal,
    ))
}
