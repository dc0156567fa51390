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
/// With `Redacted=true` there are placeholders in place of digits, numbers, texts, HTTP bodies and settings; such a journal does not
/// replay exactly.
///
/// 404 for a call that is not the account's, that is not over, or that had no story.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<impl IntoResponse, Problem> {
    let is_redacted = is_redacted(uri.query())?;
    let sid = call.parse().ok();
    let journal = sid
        .map(|sid| state.store.journal(scope, sid))
        .transpose()?
        .flatten();
    let journal = journal.ok_or_else(|| Problem::not_found(&uri))?;
    let (journal, ending) = match is_redacted {
        true => {
            let redacted = (state.redact_journal)(&journal);
            (redacted.ok_or_else(Problem::internal)?, "redacted.journal")
        }
        false => (journal, "journal"),
    };
    let file = format!("attachment; filename=\"{call}.{ending}\"");
    Ok((
        [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, file),
        ],
        journal,
    ))
}

fn is_redacted(query: Option<&str>) -> Result<bool, Problem> {
    let given = query.unwrap_or_default().split('&');
    let redacted = given
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| *name == "Redacted");
    match redacted {
        None => Ok(false),
        Some((_, "true")) => Ok(true),
        Some((_, "false")) => Ok(false),
        Some((_, other)) => Err(Problem::bad_parameter(format!(
            "Redacted={other} is neither true nor false"
        ))),
    }
}
