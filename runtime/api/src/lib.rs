//! The REST API: Twilio's resources for tenants under `/2010-04-01`, and the operator's own under `/operator/v1`.
//!
//! [`router`] answers requests and opens no socket. A tenant's request is authenticated before it is routed, and from
//! then on carries a [`store::Scope`]: nothing here can name another account's data, and a foreign SID is answered like one
//! that does not exist.

mod account_resource;
mod auth;
mod call_resource;
mod calls;
mod date;
mod destination;
mod journal;
mod live_calls;
mod live_recordings;
mod machine_detection;
mod operator;
mod page;
mod parameters;
mod problem;
mod recording_resource;
mod recordings;
mod state;
mod status_callback;
mod undelivered;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

pub use date::rfc2822;
pub use live_calls::{End, EndError, LiveCalls};
pub use live_recordings::{
    LiveRecordings, RecordingChange, RecordingError, RecordingFile, RecordingFormat,
};
pub use operator::{GatewayStatus, Metric, Operator, TrunkStatus};
pub use state::{ApiState, Done};

use crate::problem::Problem;

/// Bytes of a tenant's request body.
const MAX_FORM_BYTES: usize = 64 << 10;
/// Bytes of a tenants file.
const MAX_TENANTS_BYTES: usize = 4 << 20;

/// All routes. Whatever is not the operator's needs an account's credentials, routes that do not exist included.
pub fn router(state: ApiState) -> Router {
    let account = "/2010-04-01/Accounts/{account}";
    let tenants = Router::new()
        .route(account, get(account_resource::fetch))
        .route(
            &format!("{account}/Calls.json"),
            post(calls::create).get(calls::list),
        )
        .route(
            &format!("{account}/Calls/{{call}}"),
            post(calls::update).get(calls::fetch),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Journal"),
            get(journal::fetch),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Recordings.json"),
            post(recordings::start).get(recordings::list_of_call),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Recordings/{{recording}}"),
            post(recordings::update)
                .get(recordings::fetch_of_call)
                .delete(recordings::delete_of_call),
        )
        .route(&format!("{account}/Recordings.json"), get(recordings::list))
        .route(
            &format!("{account}/Recordings/{{recording}}"),
            get(recordings::fetch).delete(recordings::delete),
        )
        .route(
            &format!("{account}/UndeliveredCallbacks.json"),
            get(undelivered::list),
        )
        .route(
            &format!("{account}/UndeliveredCallbacks/{{callback}}"),
            post(undelivered::redeliver),
        )
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async |uri: axum::http::Uri| Problem::not_found(&uri))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            auth::authenticate,
        ));
    let operator = Router::new()
        .route("/operator/v1/apply", post(operator::apply))
        .route("/operator/v1/metrics", get(operator::metrics))
        .route("/operator/v1/trunks", get(operator::trunks))
        .layer(DefaultBodyLimit::max(MAX_TENANTS_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            operator::authenticate,
        ))
        .route("/operator/v1/health", get(operator::health));
    tenants.merge(operator).with_state(state)
}
