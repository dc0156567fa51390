//! The routes of the operator's API, each with what is said of it: the router and the `OpenAPI` document are made of one list.

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use axum::{Extension, Json, Router};
use serde_json::{Map, Value, json};
use store::tenants::Kind;

use super::{audit, caller_ids, media, queue, things};
use crate::media::MAX_MEDIA_BYTES;
use crate::openapi::{self, Operation};
use crate::{ApiState, operator};

/// Where all of it lies.
const ROOT: &str = "/operator/v1";
/// Where the plugins of carriers lie: their routes are those of accounts too.
const PLUGINS: &str = "/v1/Carriers/{carrier}/Plugins";

/// One thing that can be asked.
struct Route {
    method: &'static str,
    /// Below [`ROOT`], or as it is where it is routed elsewhere.
    path: String,
    summary: String,
    /// Names of what the query may have.
    query: &'static [&'static str],
    /// What the body is; none where there is none.
    body: Option<String>,
    /// Of that body.
    media_type: &'static str,
    /// The status of the answer where all is well.
    status: u16,
    /// None: it is routed elsewhere.
    handler: Option<MethodRouter<ApiState>>,
}

impl Route {
    fn new(
        method: &'static str,
        path: &str,
        summary: impl Into<String>,
        handler: MethodRouter<ApiState>,
    ) -> Self {
        Self {
            method,
            path: path.to_owned(),
            summary: summary.into(),
            query: &[],
            body: None,
            media_type: "application/json",
            status: 200,
            handler: Some(handler),
        }
    }

    /// What is routed elsewhere, of the plugins of a carrier.
    fn of_plugins(method: &'static str, below: &str, summary: &str) -> Self {
        let path = format!("{PLUGINS}{below}");
        Self {
            handler: None,
            ..Self::new(method, &path, summary, MethodRouter::new())
        }
    }

    fn with(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    fn of(self, body: impl Into<String>) -> Self {
        let body = Some(body.into());
        Self { body, ..self }
    }

    fn sent_as(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }

    fn giving(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

fn all() -> Vec<Route> {
    let mut routes = vec![
        Route::new(
            "post",
            "/apply",
            "Loads the tenants file in the body.",
            post(operator::apply),
        )
        .with(&["folder", "overwrite"])
        .of("A tenants file (TOML).")
        .sent_as("application/toml"),
        Route::new(
            "get",
            "/metrics",
            "The process's numbers, in Prometheus' text format.",
            get(operator::metrics),
        ),
        Route::new(
            "get",
            "/trunk-status",
            "How each trunk stands now.",
            get(operator::trunks),
        ),
        Route::new(
            "get",
            "/audit",
            "Who changed what, the newest first.",
            get(audit::list),
        )
        .with(&["before", "limit"]),
        Route::new(
            "get",
            "/caller-ids",
            "Numbers that accounts may show as the caller.",
            get(caller_ids::list),
        ),
        Route::new(
            "post",
            "/caller-ids",
            "A number that an account may show as the caller.",
            post(caller_ids::create),
        )
        .of("`account`, `number`, `name`.")
        .giving(201),
        Route::new(
            "delete",
            "/caller-ids/{id}",
            "The account may show the number no more.",
            delete(caller_ids::delete),
        )
        .giving(204),
        Route::new(
            "post",
            "/accounts/{id}/token",
            "A new token in place of the one there is.",
            post(things::new_token),
        ),
        Route::new(
            "get",
            "/accounts/{id}/media",
            "Audio that the account has uploaded, by its names.",
            get(media::list),
        ),
        Route::new(
            "put",
            "/accounts/{id}/media/{file}",
            "Audio for the account, in place of the file of that name.",
            put(media::keep).layer(DefaultBodyLimit::max(MAX_MEDIA_BYTES)),
        )
        .of("WAV, MP3, Ogg or FLAC, 10 MiB at most.")
        .sent_as("application/octet-stream")
        .giving(201),
        Route::new(
            "delete",
            "/accounts/{id}/media/{file}",
            "The account has the file no more.",
            delete(media::remove),
        )
        .giving(204),
        Route::new(
            "get",
            "/accounts/{id}/queue",
            "How many outbound calls of the account wait, by class, and whether its queue is stopped.",
            get(queue::fetch),
        ),
        Route::new(
            "post",
            "/accounts/{id}/queue/stop",
            "The account's calls that wait, and those that come, wait until its queue is resumed.",
            post(queue::stop),
        ),
        Route::new(
            "post",
            "/accounts/{id}/queue/resume",
            "They are dialled again.",
            post(queue::resume),
        ),
        Route::new(
            "post",
            "/accounts/{id}/queue/cancel",
            "The account's calls that wait end as canceled: those of one class (`priority`: `emergency`, `normal` or `bulk`), or all.",
            post(queue::cancel),
        )
        .with(&["priority"]),
        Route::new(
            "get",
            "/openapi.json",
            "This document.",
            get(async || Json(document())),
        ),
    ];
    for kind in [Kind::Carrier, Kind::Account, Kind::Trunk, Kind::Number] {
        routes.extend(of_things(kind));
    }
    routes
}

fn of_things(kind: Kind) -> [Route; 5] {
    let (many, one) = (things::plural(kind), kind.table());
    let (list, item) = (format!("/{many}"), format!("/{many}/{{id}}"));
    let body = format!("The keys of [[{one}]] in a tenants file.");
    [
        Route::new(
            "get",
            &list,
            format!("The {many}, by their ids."),
            get(things::list),
        )
        .with(&["after", "limit"]),
        Route::new("post", &list, format!("A new {one}."), post(things::create))
            .of(body.clone())
            .giving(201),
        Route::new("get", &item, format!("One {one}."), get(things::fetch)),
        Route::new(
            "patch",
            &item,
            format!("Changes of a {one} what the body names; a null takes away."),
            patch(things::update),
        )
        .of(body),
        Route::new(
            "delete",
            &item,
            format!("The {one} is no more."),
            delete(things::delete),
        )
        .giving(204),
    ]
    .map(|route| Route {
        handler: route.handler.map(|handler| handler.layer(Extension(kind))),
        ..route
    })
}

/// The plugins of carriers.
fn plugins() -> Vec<Route> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let get = |below, summary| Route::of_plugins("get", below, summary);
    let post = |below, summary| Route::of_plugins("post", below, summary);
    vec![
        get("", "The carrier's plugins, each with its versions."),
        get("/{name}", "One plugin, with its versions."),
        get("/{name}/Versions", "The same."),
        post(
            "/{name}/Versions",
            "A new version, which becomes active if its tests go well; `Activate=false` keeps it alone.",
        )
        .with(&["Activate"])
        .of("The component, 32 MiB at most.")
        .sent_as("application/wasm")
        .giving(201),
        post("/{name}/Activate", "New calls begin with this version.")
            .of("`Version`.")
            .sent_as(FORM),
        post("/{name}/Canary", "So many in a hundred new calls begin with this version; 0 ends that.")
            .of("`Version`, `Percent`.")
            .sent_as(FORM),
        post(
            "/{name}/Rollback",
            "Ends the canary, or else makes the last good version active again.",
        ),
        get("/{name}/History", "What was done, the newest first."),
        get("/{name}/Log", "The last lines of its log, the oldest first."),
    ]
}

/// All of them. Whoever asks has shown the operator's key already.
pub(crate) fn router() -> Router<ApiState> {
    all().into_iter().fold(Router::new(), |router, route| {
        let Route { path, handler, .. } = route;
        let handler = handler.expect("these are routed here");
        router.route(&format!("{ROOT}{path}"), handler)
    })
}

/// What is there, by `OpenAPI` 3.1.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in all().into_iter().chain(plugins()) {
        let path = match route.handler {
            Some(_) => format!("{ROOT}{}", route.path),
            None => route.path.clone(),
        };
        let operation = Operation {
            method: route.method,
            path: &path,
            summary: &route.summary,
            query: route.query,
            body: route.body.as_deref(),
            is_body_optional: false,
            media_type: route.media_type,
            status: route.status,
        };
        let unknown = "The operator's key is missing or wrong.";
        openapi::put(&mut paths, operation, unknown);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jackfield's operator API",
            "version": "1",
            "description": "Errors are `{\"error\": \"…\"}`; those of plugins have `code`, `message`, `more_info` and `status`. Bodies are JSON unless it says otherwise.",
        },
        "components": {
            "securitySchemes": { "operator": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "operator": [] }],
        "paths": paths,
    })
}
