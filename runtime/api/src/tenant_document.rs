//! What an account may ask below `/v1`, where the resources are that Twilio does not have, by `OpenAPI` 3.1.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::openapi::{self, Operation};
use crate::{
    ApiState, broadcast_recipients, broadcast_statistics, broadcasts, people, route, routed_calls,
};

const ACCOUNT: &str = "/v1/Accounts/{account}";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const CSV: &str = "text/csv";

pub(crate) fn routes() -> Router<ApiState> {
    let document = get(async || Json(document()));
    Router::new().route(&format!("{ACCOUNT}/openapi.json"), document)
}

/// Method, path below the account, and what it does.
type Simple = (&'static str, &'static str, &'static str);

/// What has neither query nor body, and answers 200.
const SIMPLE: &[Simple] = &[
    ("get", "/openapi.json", "This document."),
    ("get", "/People/{number}", "One person."),
    ("get", "/People.csv", "All people as CSV."),
    ("get", "/Media", "Audio that was uploaded, by its names."),
    (
        "get",
        "/Broadcasts/{broadcast}",
        "One broadcast, and what came of it so far.",
    ),
    (
        "post",
        "/Broadcasts/{broadcast}/Start",
        "Has people called. 409 where its state does not allow it, as below.",
    ),
    (
        "post",
        "/Broadcasts/{broadcast}/Pause",
        "Has nobody called for now; calls that are up go on.",
    ),
    (
        "post",
        "/Broadcasts/{broadcast}/Resume",
        "Goes on where it was.",
    ),
    (
        "post",
        "/Broadcasts/{broadcast}/Stop",
        "Has nobody called any more, for good.",
    ),
    (
        "get",
        "/Broadcasts/{broadcast}/Recipients/{number}",
        "One recipient, with all of their calls.",
    ),
    (
        "get",
        "/Broadcasts/{broadcast}/Results.csv",
        "A line for each recipient, with how their last call ended.",
    ),
    (
        "get",
        "/Broadcasts/{broadcast}/Statistics",
        "Who stands where, by language, area and network operator.",
    ),
    (
        "get",
        "/Calls/{call}/Attempts",
        "Each attempt at a call: over which trunk, and how it ended.",
    ),
    (
        "get",
        "/OutboundQueue",
        "How many calls wait, by class, and whether the queue is stopped.",
    ),
    (
        "post",
        "/OutboundQueue/Stop",
        "Calls that wait, and those that come, wait until the queue is resumed.",
    ),
    ("post", "/OutboundQueue/Resume", "They are dialled again."),
    ("get", "/Plugins", "The plugins, each with its versions."),
    ("get", "/Plugins/{name}", "One plugin, with its versions."),
    ("get", "/Plugins/{name}/Versions", "The same."),
    (
        "post",
        "/Plugins/{name}/Rollback",
        "Ends the canary, or else makes the last good version active again.",
    ),
    (
        "get",
        "/Plugins/{name}/History",
        "What was done, the newest first.",
    ),
    (
        "get",
        "/Plugins/{name}/Log",
        "The last lines of its log, the oldest first.",
    ),
];

/// What is not that simple.
fn others() -> Vec<Operation<'static>> {
    let plain = |method, path, summary| Operation {
        method,
        path,
        summary,
        query: &[],
        body: None,
        is_body_optional: false,
        media_type: JSON,
        status: 200,
    };
    let listed = |path, summary, query| Operation {
        query,
        ..plain("get", path, summary)
    };
    let taking = |method, path, summary, body| Operation {
        body: Some(body),
        ..plain(method, path, summary)
    };
    let maybe_taking = |method, path, summary, body| Operation {
        is_body_optional: true,
        ..taking(method, path, summary, body)
    };
    let gone = |path, summary| Operation {
        status: 204,
        ..plain("delete", path, summary)
    };
    let created = |operation| Operation {
        status: 201,
        ..operation
    };
    let sent_as = |media_type, operation| Operation {
        media_type,
        ..operation
    };
    vec![
        listed(
            "/People",
            "People by their numbers; with a filter those whom it fits.",
            people::LIST.supported,
        ),
        maybe_taking(
            "put",
            "/People/{number}",
            "Saves a person. 201 of one who was not known.",
            "`language`, `areas`, `fields`.",
        ),
        gone("/People/{number}", "Forgets a person."),
        sent_as(
            CSV,
            taking(
                "post",
                "/People.csv",
                "Saves everybody in a table, or nobody where a row of it is wrong.",
                "A heading with `number`, and as you like `language`, `areas` and fields of your own.",
            ),
        ),
        created(sent_as(
            "application/octet-stream",
            taking(
                "put",
                "/Media/{file}",
                "Audio that can be played by this name.",
                "WAV, MP3, Ogg or FLAC, 10 MiB at most.",
            ),
        )),
        gone("/Media/{file}", "Removes it."),
        listed(
            "/Broadcasts",
            "Broadcasts, the newest first.",
            broadcasts::LIST.supported,
        ),
        created(taking(
            "post",
            "/Broadcasts",
            "A draft; nobody is called before `Start`.",
            DRAFT,
        )),
        maybe_taking(
            "patch",
            "/Broadcasts/{broadcast}",
            "Changes of a draft what the body names; a null takes the webhook or RapidPro away, and recipients are added.",
            DRAFT,
        ),
        gone(
            "/Broadcasts/{broadcast}",
            "Forgets a draft, or one that is over, with its recipients.",
        ),
        listed(
            "/Broadcasts/{broadcast}/Recipients",
            "Recipients by their numbers.",
            broadcast_recipients::LIST.supported,
        ),
        sent_as(
            CSV,
            taking(
                "post",
                "/Broadcasts/{broadcast}/Recipients.csv",
                "Adds recipients to a draft, or none where a row is wrong.",
                "A table as that of people.",
            ),
        ),
        listed(
            "/Broadcasts/{broadcast}/DryRun",
            "Who would be called, who could not be, and how long it would take. Nobody is called.",
            broadcast_statistics::DRY_RUN.supported,
        ),
        sent_as(
            FORM,
            maybe_taking(
                "post",
                "/OutboundQueue/Cancel",
                "Cancels calls that wait: all, or those of a class.",
                "`Priority`.",
            ),
        ),
        listed(
            "/Route",
            "What the routing policy would decide about a call now.",
            route::EXPLAIN.supported,
        ),
        listed(
            "/RoutedCalls",
            "What a routing policy was asked about calls that were made, or would have been.",
            routed_calls::LIST.supported,
        ),
        created(sent_as(
            "application/wasm",
            Operation {
                query: &["Activate"],
                ..taking(
                    "post",
                    "/Plugins/{name}/Versions",
                    "A new version, which becomes active if its tests go well; `Activate=false` keeps it alone. 200 where the same bytes are a version already.",
                    "The component, 32 MiB at most.",
                )
            },
        )),
        sent_as(
            FORM,
            taking(
                "post",
                "/Plugins/{name}/Activate",
                "New calls begin with this version.",
                "`Version`.",
            ),
        ),
        sent_as(
            FORM,
            taking(
                "post",
                "/Plugins/{name}/Canary",
                "So many in a hundred new calls begin with this version; 0 ends that.",
                "`Version`, `Percent`.",
            ),
        ),
    ]
}

const DRAFT: &str = "`name`, `from`, `message`, `recipients`, `people`, `priority`, `not_before`, `expires`, `window`, `max_attempts`, `gap_s`, `reached_after_s`, `ring_timeout_s`, `webhook`, `rapidpro`.";

/// Those of the asking account itself, whose path names none.
const TOKENS: &[(&str, &str, &str, u16)] = &[
    (
        "post",
        "/v1/AuthTokens/Secondary",
        "A second token, as good as the first.",
        201,
    ),
    (
        "delete",
        "/v1/AuthTokens/Secondary",
        "There is no second token any more.",
        204,
    ),
    (
        "post",
        "/v1/AuthTokens/Promote",
        "The second token takes the place of the first, which is no more.",
        200,
    ),
];

/// What is there.
fn document() -> Value {
    const UNKNOWN: &str = "The credentials are missing or wrong.";
    let mut paths = Map::new();
    let simple = SIMPLE.iter().map(|(method, path, summary)| Operation {
        method,
        path,
        summary,
        query: &[],
        body: None,
        is_body_optional: false,
        media_type: JSON,
        status: 200,
    });
    for operation in simple.chain(others()) {
        let path = &format!("{ACCOUNT}{}", operation.path);
        openapi::put(&mut paths, Operation { path, ..operation }, UNKNOWN);
    }
    for &(method, path, summary, status) in TOKENS {
        let operation = Operation {
            method,
            path,
            summary,
            query: &[],
            body: None,
            is_body_optional: false,
            media_type: JSON,
            status,
        };
        openapi::put(&mut paths, operation, UNKNOWN);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jackfield's API of an account",
            "version": "1",
            "description": "What Twilio does not have; the rest is Twilio's API under /2010-04-01. Errors have `code`, `message`, `more_info` and `status`; the user name is the account's SID or a key's, the password its token or secret.",
        },
        "components": {
            "securitySchemes": { "account": { "type": "http", "scheme": "basic" } },
        },
        "security": [{ "account": [] }],
        "paths": paths,
    })
}
