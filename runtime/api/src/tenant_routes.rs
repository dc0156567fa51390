//! The routes of what an account has and may change: accounts, credentials, applications, numbers.

use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};

use crate::{
    ApiState, accounts, applications, available_numbers, caller_ids, events, incoming_numbers,
    keys, notifications, number_purchase, usage,
};

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
            get(events::list),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Notifications.json"),
            get(notifications::list_of_call),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Notifications/{{notification}}"),
            get(notifications::fetch_of_call),
        )
        .merge(resource(
            "Notifications",
            "notification",
            get(notifications::list),
            get(notifications::fetch),
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
            post(number_purchase::create).get(incoming_numbers::list),
            get(incoming_numbers::fetch)
                .post(incoming_numbers::update)
                .delete(incoming_numbers::delete),
        ))
        .merge(numbers_by_kind())
        .merge(resource(
            "OutgoingCallerIds",
            "caller_id",
            post(caller_ids::create).get(caller_ids::list),
            get(caller_ids::fetch)
                .post(caller_ids::update)
                .delete(caller_ids::delete),
        ))
}

/// `IncomingPhoneNumbers/Local.json` and its like.
fn numbers_by_kind() -> Router<ApiState> {
    let root = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers";
    let kinds = available_numbers::KINDS.into_iter();
    kinds.fold(Router::new(), |router, (kind, name, _)| {
        let of_kind = post(number_purchase::create).get(incoming_numbers::list);
        router.route(
            &format!("{root}/{name}.json"),
            of_kind.layer(Extension(kind)),
        )
    })
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
