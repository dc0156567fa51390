//! The `OpenAPI` document of what an account may ask has what the router has.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use support::routes::{filled, methods, of, paths};
use support::things::{Owner, things};
use support::{Api, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};

#[tokio::test]
async fn everything_below_v1_that_is_an_accounts_is_in_the_document_and_nothing_else() {
    let api = Api::new();
    let at = format!("/v1/Accounts/{SID}/openapi.json");
    let document = api.get(&at).await.json;
    assert_eq!(document["openapi"], "3.1.0");
    let mut named = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            named.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let own = things(&api, &Owner::hotline(), "345").await;
    let mut served = BTreeSet::new();
    for path in paths(&api.router) {
        if !path.starts_with("/v1/Accounts/") && !path.starts_with("/v1/AuthTokens/") {
            continue;
        }
        let asked = &filled(&path, &of(&own, &path))[0];
        for method in methods(&api.router, asked, (SID, TOKEN)).await {
            served.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(named, served);
    assert!(named.len() > 40, "{}", named.len());
}

/// What is said to need a body is refused without one, and nothing else is.
#[tokio::test]
async fn a_body_is_required_where_the_document_says_so() {
    let api = Api::new();
    let document = api.get(&format!("/v1/Accounts/{SID}/openapi.json")).await;
    let own = things(&api, &Owner::hotline(), "345").await;
    let (mut said, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (path, operations) in document.json["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let Some(is_required) = operation["requestBody"]["required"].as_bool() else {
                continue;
            };
            let asked = format!("{method} {path}");
            if !is_required {
                said.insert(asked.clone());
            }
            let at = &filled(path, &of(&own, path))[0];
            let status = api.status(&method.to_uppercase(), at, (SID, TOKEN)).await;
            if status < 300 {
                found.insert(asked);
            }
        }
    }
    assert!(!found.is_empty());
    assert_eq!(said, found);
}

#[tokio::test]
async fn the_document_is_an_accounts_own() {
    let api = Api::new();
    let at = format!("/v1/Accounts/{SID}/openapi.json");
    assert_eq!(api.status("GET", &at, (SID, "wrong")).await, 401);
    let foreign = api.send(request("GET", &at, "", (OTHER_SID, OTHER_TOKEN)));
    assert_eq!(foreign.await.problem(), (404, 20404));
}
