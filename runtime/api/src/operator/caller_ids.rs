//! Numbers that an account may show as the caller although its calls do not come in here.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use call::AccountSid;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Author, CallerId, OperatorEdit, PhoneNumber, random_caller_id_sid};

use super::Refused;
use super::things::administer;
use crate::ApiState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    account: AccountSid,
    number: String,
    name: Option<String>,
}

/// `GET /operator/v1/caller-ids`: those of all accounts.
pub(crate) async fn list(State(state): State<ApiState>) -> Json<Value> {
    let directory = state.store.directory();
    let accounts = directory.accounts();
    let all = accounts.flat_map(|account| directory.caller_ids(account.sid));
    let shown: Vec<_> = all.map(|one| show(one)).collect();
    Json(json!({ "caller_ids": shown }))
}

/// `POST /operator/v1/caller-ids` with `account`, `number` and `name`. The operator has made sure that the number is the account's.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let body = body.map_err(|rejection| Refused(rejection.status(), rejection.body_text()))?;
    let new: New = serde_json::from_slice(&body)
        .map_err(|error| Refused::bad(format!("the body is no caller ID: {error}")))?;
    let number: PhoneNumber = new
        .number
        .parse()
        .map_err(|error| Refused::bad(format!("`number`: {error}")))?;
    let sid = random_caller_id_sid();
    let caller_id = CallerId {
        sid,
        account: new.account,
        name: new.name.unwrap_or_else(|| number.to_string()),
        number,
        created_unix_ms: author.at_unix_ms,
        updated_unix_ms: author.at_unix_ms,
    };
    let edit = OperatorEdit::MakeCallerId(caller_id);
    let directory = administer(&state, edit, author).await?;
    let made = directory.caller_id_of_any(sid);
    let made = made.ok_or_else(Refused::not_found)?;
    Ok((StatusCode::CREATED, Json(show(made))))
}

/// `DELETE /operator/v1/caller-ids/{sid}`.
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Extension(author): Extension<Author>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let sid = id.parse().map_err(|_| Refused::not_found())?;
    administer(&state, OperatorEdit::DeleteCallerId(sid), author).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn show(caller_id: &CallerId) -> Value {
    json!({
        "id": caller_id.sid,
        "account": caller_id.account,
        "number": caller_id.number.as_str(),
        "name": caller_id.name,
    })
}
