//! The operator's own API: tenants' data and the state of the process.

mod audit;
mod caller_ids;
mod media;
mod queue;
pub(crate) mod routes;
mod things;

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use call::{AccountSid, Grants};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::tenants::Surroundings;
use store::{Applied, Author, Directory, OPERATOR, OperatorEdit, Secret, StoreError, Tenants};
use subtle::ConstantTimeEq as _;

use crate::auth;
use crate::throttle::Throttle;
use crate::{ApiState, Done};

/// What the operator may do.
pub trait Operator: Send + Sync {
    /// The names of the flows that every account has.
    fn bundled(&self) -> Vec<String>;

    /// Whether these bytes are a component that can run; if not, says what is wrong with them. May take seconds.
    fn check_component(&self, bytes: &[u8], grants: &Grants) -> Result<(), String>;

    /// What the process counted so far, and what it holds now.
    fn metrics(&self) -> Done<Vec<Metric>>;

    /// How each trunk stands, in the order of their ids.
    fn trunks(&self) -> Done<Vec<TrunkStatus>>;

    /// Does what the operator asks for beside tenants files, and puts it in force. The directory as it then is.
    fn administer(
        &self,
        edit: OperatorEdit,
        author: Author,
    ) -> Done<Result<Arc<Directory>, StoreError>>;

    /// Loads a tenants file and makes it known to the calls. Resolves once it is on disk and in force.
    fn apply(&self, tenants: Tenants) -> Done<Result<Applied, StoreError>>;
}

/// One number of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// In Prometheus' spelling, with its unit, without the prefix `jackfield_`; one that ends in `_total` only grows. Those of one name stand together.
    pub name: &'static str,
    /// What it counts, in a few words.
    pub help: &'static str,
    /// Names and values of what tells those of one name apart.
    pub labels: Vec<(&'static str, String)>,
    /// Its value now.
    pub value: u64,
}

/// How one trunk stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrunkStatus {
    /// The trunk.
    pub id: String,
    /// Whose it is.
    pub carrier: String,
    /// Calls that are up or being set up on it, both directions together.
    pub channels_in_use: u32,
    /// How many there may be.
    pub max_channels: u32,
    /// Where the far end carries fewer, as its refusals taught.
    pub learned: Vec<LearnedChannels>,
    /// Our registration at its provider, in words; none where we do not register.
    pub registration: Option<String>,
    /// Servers that do not answer our OPTIONS, as `udp:192.0.2.1:5060`.
    pub down: Vec<String>,
    /// Where its gateway is registered.
    pub gateways: Vec<GatewayStatus>,
}

/// How many outbound calls at once a far end takes before it answers 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LearnedChannels {
    /// Of the called numbers that begin so; none: of the whole trunk.
    pub prefix: Option<String>,
    /// Calls at once.
    pub channels: u32,
}

/// One contact of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayStatus {
    /// As it registered itself.
    pub contact: String,
    /// Where it really speaks from.
    pub hop: String,
    /// How long that holds, in seconds.
    pub expires_in_s: u64,
}

/// An error of the operator API: `{"error": "…"}`.
#[derive(Debug)]
pub(crate) struct Refused(StatusCode, String);

impl Refused {
    fn bad(message: String) -> Self {
        Self(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found() -> Self {
        Self(StatusCode::NOT_FOUND, "there is no such thing".to_owned())
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "this is not asked with that method: see /operator/v1/openapi.json";
        Self(StatusCode::METHOD_NOT_ALLOWED, message.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let response = (self.0, Json(json!({ "error": self.1 }))).into_response();
        if self.0 == StatusCode::UNAUTHORIZED {
            return ([(WWW_AUTHENTICATE, "Bearer")], response).into_response();
        }
        response
    }
}

/// The account that a path names.
fn account(state: &ApiState, id: &str) -> Result<AccountSid, Refused> {
    let sid = id.parse().map_err(|_| Refused::not_found())?;
    let directory = state.store.directory();
    let account = directory.account(sid).ok_or_else(Refused::not_found)?;
    Ok(account.sid)
}

/// Lets a request through that has the operator's key as its bearer token.
pub(crate) async fn authenticate(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let (source, now) = (auth::source(&request), (state.clock)());
    let throttle = request.extensions().get::<Arc<Throttle>>().cloned();
    let guard = throttle.zip(source);
    if let Some((throttle, source)) = &guard {
        throttle.admit(now, *source, OPERATOR).map_err(|seconds| {
            let message = format!("too many wrong keys: try again in {seconds} s");
            Refused(StatusCode::TOO_MANY_REQUESTS, message)
        })?;
    }
    if !has_key(request.headers(), &state.operator_key) {
        if let Some((throttle, source)) = &guard
            && throttle.failed(now, *source, OPERATOR)
        {
            tracing::warn!(%source, "too many wrong operator keys: turned away for a while");
        }
        let message = "send the operator key: `Authorization: Bearer …`".to_owned();
        return Err(Refused(StatusCode::UNAUTHORIZED, message));
    }
    if let Some((throttle, source)) = &guard {
        throttle.proved(now, *source, OPERATOR);
    }
    let author = Author {
        source,
        ..Author::operator(now)
    };
    request.extensions_mut().insert(author);
    Ok(next.run(request).await)
}

fn has_key(headers: &HeaderMap, key: &Secret) -> bool {
    let value = headers
        .get(AUTHORIZATION)
        .map_or(&b""[..], |value| value.as_bytes());
    let given = value.strip_prefix(b"Bearer ").unwrap_or_default();
    !given.is_empty() && bool::from(given.ct_eq(key.expose().as_bytes()))
}

/// `GET /operator/v1/health`: that requests are answered. Needs no key, for load balancers.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /operator/v1/metrics`: the process's numbers, in Prometheus' text format 0.0.4.
pub(crate) async fn metrics(State(state): State<ApiState>) -> impl IntoResponse {
    let metrics = state.operator.metrics().await;
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4")],
        exposition(&metrics),
    )
}

fn exposition(metrics: &[Metric]) -> String {
    let mut text = String::new();
    let mut before = "";
    for Metric {
        name,
        help,
        labels,
        value,
    } in metrics
    {
        if *name != before {
            let kind = match name.ends_with("_total") {
                true => "counter",
                false => "gauge",
            };
            text.push_str(&format!(
                "# HELP jackfield_{name} {help}\n# TYPE jackfield_{name} {kind}\n"
            ));
            before = name;
        }
        let labels = labels.iter().map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{name}=\"{}\"", value.replace('\n', "\\n"))
        });
        let labels = match labels.collect::<Vec<_>>().join(",") {
            none if none.is_empty() => none,
            some => format!("{{{some}}}"),
        };
        text.push_str(&format!("jackfield_{name}{labels} {value}\n"));
    }
    text
}

/// `GET /operator/v1/trunk-status`: how each trunk stands.
pub(crate) async fn trunks(State(state): State<ApiState>) -> Json<Value> {
    Json(json!({ "trunks": state.operator.trunks().await }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyQuery {
    folder: String,
    #[serde(default)]
    overwrite: bool,
}

/// `POST /operator/v1/apply?folder=…`: loads the tenants file in the body. `folder`, on this machine, is what paths in the
/// file are relative to. With `overwrite=true` the file goes before what was changed over the API since.
pub(crate) async fn apply(
    State(state): State<ApiState>,
    query: Result<Query<ApplyQuery>, QueryRejection>,
    Extension(author): Extension<Author>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refused> {
    let bad = |message: String| Refused(StatusCode::BAD_REQUEST, message);
    let body = body.map_err(|rejection| Refused(rejection.status(), rejection.body_text()))?;
    let text =
        String::from_utf8(body.into()).map_err(|_| bad("the body is not UTF-8".to_owned()))?;
    let query = query.map(|Query(query)| query).ok();
    let overwrite = query.as_ref().is_some_and(|query| query.overwrite);
    let folder = query
        .map(|query| query.folder)
        .filter(|folder| Path::new(folder).is_absolute())
        .ok_or_else(|| {
            bad(
                "say what paths in the file are relative to: `?folder=/an/absolute/path`"
                    .to_owned(),
            )
        })?;
    let operator = state.operator.clone();
    let directory = state.store.directory();
    // Reads component files and compiles them.
    let parsing = tokio::task::spawn_blocking(move || {
        let bundled = operator.bundled();
        let surroundings = Surroundings {
            folder: Path::new(&folder),
            bundled: &bundled.iter().map(String::as_str).collect::<Vec<_>>(),
            uploaded: &|carrier, account, name| directory.has_plugin(carrier, account, name),
            check_component: &|bytes, grants| operator.check_component(bytes, grants),
        };
        Tenants::parse(&text, &surroundings)
    });
    let tenants = parsing
        .await
        .expect("reading a tenants file does not panic");
    let tenants = tenants.map_err(|error| bad(error.to_string()))?;
    let tenants = tenants.applied_by(author).overwriting(overwrite);
    let applied = state.operator.apply(tenants).await;
    applied
        .map(|applied| summary(&applied))
        .map_err(|error| refused(&error))
}

fn summary(applied: &Applied) -> Json<Value> {
    let names = |items: &[store::Item]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let token = |made: &store::GeneratedToken| json!({ "account": made.account, "name": made.name, "auth_token": made.token.expose() });
    Json(json!({
        "created": names(&applied.created),
        "changed": names(&applied.changed),
        "kept": names(&applied.kept),
        "overwritten": names(&applied.overwritten),
        "unchanged": applied.unchanged,
        "tokens": applied.tokens.iter().map(token).collect::<Vec<_>>(),
    }))
}

fn refused(error: &StoreError) -> Refused {
    let status = match error {
        StoreError::Contradiction(_) => StatusCode::CONFLICT,
        StoreError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => {
            tracing::error!(%error, "the store failed to apply a tenants file");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    Refused(status, error.to_string())
}
