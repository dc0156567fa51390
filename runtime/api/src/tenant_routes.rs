//! The routes of what an account has and may change: accounts, credentials, applications, numbers.

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::{ApiState, accounts, applications, caller_ids, incoming_numbers, keys, told, usage};

pub(crate) fn routes() -> Router<ApiState> {
    let account = "/2010-04-01/Accounts/{account}";
    Router::new()
        .route(
            "/2010-04-01/Accounts.json",
            post(accounts::create).get(accounts::list),
        )
        .route(account, post(accounts::update).get(accounts::fetch))
        .route(
            "/v1/AuthTokens/Secondary",
            post(keys::create_secondary).delete(keys::delete_secondary),
        )
        .route("/v1/AuthTokens/Promote", post(keys::promote))
        .route(
            &format!("{account}/Calls/{{call}}/Events.json"),
            get(told::events),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Notifications.json"),
            get(told::notifications_of_call),
        )
        .merge(resource(
            "Notifications",
            "notification",
            get(told::list),
            get(told::fetch),
        ))
        .merge(usage::routes())
        .merge(resource(
            "Keys",
            "key",
            post(keys::create).get(keys::list),
            get(keys::fetch).post(keys::update).delete(keys::delete),
        ))
        .merge(resource(
            "Applications",
            "application",
            post(applications::create).get(applications::list),
            get(applications::fetch)
                .post(applications::update)
                .delete(applications::delete),
        ))
        .merge(resource(
            "IncomingPhoneNumbers",
            "number",
            post(incoming_numbers::create).get(incoming_numbers::list),
            get(incoming_numbers::fetch)
                .post(incoming_numbers::update)
                .delete(incoming_numbers::delete),
        ))
        .merge(resource(
            "OutgoingCallerIds",
            "caller_id",
            post(caller_ids::create).get(caller_ids::list),
            get(caller_ids::fetch)
                .post(caller_ids::update)
                .delete(caller_ids::delete),
        ))
}

/// A list of an account, and one of its things.
fn resource(
    name: &str,
    one: &str,
    list: MethodRouter<ApiState>,
    item: MethodRouter<ApiState>,
) -> Router<ApiState> {
    let root = format!("/2010-04-01/Accounts/{{account}}/{name}");
    Router::new()
        .route(&format!("{root}.json"), list)
        .route(&format!("{root}/{{{one}}}"), item)
}
