//! An account as Twilio's API shows it.

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use serde_json::{Value, json};
use store::Scope;

use crate::ApiState;
use crate::problem::Problem;

/// `GET /Accounts/{AccountSid}.json`. The auth token is not shown: who asks has it.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let directory = state.store.directory();
    let account = directory
        .account(scope.account())
        .filter(|_| uri.path().ends_with(".json"));
    let account = account.ok_or_else(|| Problem::not_found(&uri))?;
    let sid = account.sid;
    Ok(Json(json!({
        "sid": sid,
        "friendly_name": account.name,
        "status": "active",
        "type": "Full",
        "owner_account_sid": sid,
        "auth_token": null,
        "date_created": null,
        "date_updated": null,
        "uri": format!("/2010-04-01/Accounts/{sid}.json"),
        "subresource_uris": { "calls": format!("/2010-04-01/Accounts/{sid}/Calls.json") },
    })))
}
