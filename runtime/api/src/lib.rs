//! The REST API: Twilio's resources for tenants under `/2010-04-01`, plugins under `/v1`, and the operator's own under `/operator/v1`.
//!
//! [`router`] answers requests and opens no socket. A tenant's request is authenticated before it is routed (or asks for a file of a recording that is open to all), and from
//! then on carries a [`store::Scope`]: nothing here can name another account's data, and a foreign SID is answered like one
//! that does not exist.

mod absent;
mod accounts;
mod applications;
mod attempts;
mod auth;
mod available_numbers;
mod brand;
mod broadcast_order;
mod broadcast_recipients;
mod broadcast_resource;
mod broadcast_statistics;
mod broadcasts;
mod call_flow;
mod call_list;
mod call_order;
mod call_resource;
mod caller_ids;
mod calls;
mod client_notification;
mod conference_recordings;
mod conference_resource;
mod conferences;
mod date;
mod deletion;
mod destination;
mod edit;
mod events;
mod host_faults;
mod incoming_numbers;
mod journal;
mod kept;
mod keys;
mod live_calls;
mod live_messages;
mod live_recordings;
mod live_rooms;
mod live_streams;
mod long_reads;
mod machine_detection;
mod media;
mod messages;
mod new_participant;
mod notifications;
mod number_pattern;
mod number_purchase;
mod one_channel;
mod openapi;
mod operator;
mod outbound_queue;
mod page;
mod parameters;
mod participants;
mod people;
mod people_csv;
mod plugin_resource;
mod plugins;
mod problem;
mod queue_members;
mod queue_terms;
mod queues;
mod recording_order;
mod recording_resource;
mod recordings;
mod route;
mod routed_calls;
mod shape;
mod sip_login;
mod state;
mod status_callback;
mod streams;
mod tenant_document;
mod tenant_routes;
mod throttle;
mod time_span;
mod told;
mod undelivered;
mod usage;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Extension, Router};
use long_reads::{LongReads, Mp3Reads};
use store::tenants::MAX_COMPONENT_BYTES;
use throttle::Throttle;

pub use brand::recording_url;
pub use broadcasts::LiveBroadcasts;
pub use live_calls::{
    End, EndError, LiveCalls, Place, PolicyAnswer, PolicyAttempt, PolicyDecision,
};
pub use live_messages::{LiveMessages, Message, MessageOutcome};
pub use live_recordings::{
    LiveRecordings, RecordingChange, RecordingError, RecordingFile, RecordingFormat,
};
pub use live_rooms::{LiveRooms, NotExpected, QueueMember, QueueView};
pub use live_streams::{LiveStream, LiveStreams, StreamName, StreamRefusal};
pub use media::{MAX_MEDIA_BYTES, MAX_MEDIA_FILES, Media, MediaError, MediaFile};
pub use operator::{GatewayStatus, LearnedChannels, Metric, Operator, TrunkStatus};
pub use plugins::{Plugins, PushError, Upload};
pub use state::{ApiState, Done};
pub use told::{Fault, Told};

/// Bytes of a tenant's request body.
const MAX_FORM_BYTES: usize = 64 << 10;
/// Bytes of a tenants file.
const MAX_TENANTS_BYTES: usize = 4 << 20;

/// All routes. Whatever is not the operator's needs an account's credentials, routes that do not exist included.
pub fn router(state: ApiState) -> Router {
    let account = "/2010-04-01/Accounts/{account}";
    let tenants = Router::new()
        .merge(tenant_routes::routes())
        .route(
            &format!("{account}/Calls.json"),
            post(calls::create).get(call_list::list),
        )
        .route(
            &format!("{account}/Calls/{{call}}"),
            post(calls::update)
                .get(calls::fetch)
                .delete(deletion::delete_call),
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
        .route(
            &format!("{account}/Calls/{{call}}/Streams.json"),
            post(streams::start),
        )
        .route(
            &format!("{account}/Calls/{{call}}/Streams/{{stream}}"),
            post(streams::stop),
        )
        .route(&format!("{account}/Messages.json"), post(messages::create))
        .route(&format!("{account}/Recordings.json"), get(recordings::list))
        .route(
            &format!("{account}/Recordings/{{recording}}"),
            get(recordings::fetch).delete(recordings::delete),
        )
        .merge(conference_routes(account))
        .merge(queue_routes(account))
        .route(
            &format!("{account}/UndeliveredCallbacks.json"),
            get(undelivered::list),
        )
        .route(
            &format!("{account}/UndeliveredCallbacks/{{callback}}"),
            post(undelivered::redeliver),
        )
        .merge(people::routes())
        .merge(broadcasts::routes())
        .merge(media::routes())
        .merge(outbound_queue::routes())
        .merge(available_numbers::routes())
        .merge(route::routes())
        .merge(attempts::routes())
        .merge(routed_calls::routes())
        .merge(tenant_document::routes())
        .merge(plugin_routes("/v1/Accounts/{account}/Plugins"))
        .fallback(async |uri: axum::http::Uri| absent::answer(&uri))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            auth::authenticate,
        ));
    let operator = operator::routes::router()
        .layer(DefaultBodyLimit::max(MAX_TENANTS_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            operator::authenticate,
        ))
        .route("/operator/v1/health", get(operator::health));
    let carriers = plugin_routes("/v1/Carriers/{carrier}/Plugins")
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            plugins::of_carrier,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            operator::authenticate,
        ));
    tenants
        .merge(operator)
        .merge(carriers)
        .layer(middleware::from_fn(shape::shape))
        .layer(middleware::from_fn_with_state(state.clone(), brand::show))
        .layer(Extension(Arc::new(Throttle::default())))
        .layer(Extension(Arc::new(LongReads::default())))
        .layer(Extension(Mp3Reads::default()))
        .with_state(state)
}

/// Queues and who waits at them, below an account.
fn queue_routes(account: &str) -> Router<ApiState> {
    let one = format!("{account}/Queues/{{queue}}");
    Router::new()
        .route(
            &format!("{account}/Queues.json"),
            post(queues::create).get(queues::list),
        )
        .route(
            &one,
            get(queues::fetch)
                .post(queues::update)
                .delete(queues::delete),
        )
        .route(&format!("{one}/Members.json"), get(queue_members::list))
        .route(
            &format!("{one}/Members/{{member}}"),
            get(queue_members::fetch).post(queue_members::dequeue),
        )
}

/// Conferences and who is in them, below an account.
fn conference_routes(account: &str) -> Router<ApiState> {
    let one = format!("{account}/Conferences/{{conference}}");
    Router::new()
        .route(
            &format!("{account}/Conferences.json"),
            get(conferences::list),
        )
        .route(&one, get(conferences::fetch).post(conferences::update))
        .route(
            &format!("{one}/Recordings.json"),
            get(conference_recordings::list),
        )
        .route(
            &format!("{one}/Recordings/{{recording}}"),
            get(conference_recordings::fetch)
                .post(conference_recordings::update)
                .delete(conference_recordings::delete),
        )
        .route(
            &format!("{one}/Participants.json"),
            get(participants::list).post(new_participant::create),
        )
        .route(
            &format!("{one}/Participants/{{participant}}"),
            get(participants::fetch)
                .post(participants::update)
                .delete(participants::kick),
        )
}

/// The plugins below a path; the same for accounts and carriers.
fn plugin_routes(root: &str) -> Router<ApiState> {
    let one = format!("{root}/{{name}}");
    let upload = usize::try_from(MAX_COMPONENT_BYTES).unwrap_or(usize::MAX);
    Router::new()
        .route(root, get(plugins::list))
        .route(&one, get(plugins::fetch))
        .route(
            &format!("{one}/Versions"),
            post(plugins::push)
                .layer(DefaultBodyLimit::max(upload))
                .get(plugins::fetch),
        )
        .route(&format!("{one}/Activate"), post(plugins::activate))
        .route(&format!("{one}/Canary"), post(plugins::canary))
        .route(&format!("{one}/Rollback"), post(plugins::rollback))
        .route(&format!("{one}/History"), get(plugins::history))
        .route(&format!("{one}/Log"), get(plugins::log))
}
