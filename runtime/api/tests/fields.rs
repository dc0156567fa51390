//! Everything that Twilio's resources answer has the properties that Twilio's has, of the same types; and what it refers to is there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::fields::{fits, resources};
use support::routes::{filled, form, is_operators, methods, of, paths, request};
use support::things::{Owner, things};
use support::{Answer, Api, SID};

/// What a path answers, by its end; the first that fits.
const RESOURCES: &[(&str, &str)] = &[
    ("/Accounts.json", "account"),
    ("/Accounts/{account}", "account"),
    ("/Calls/{call}/Events.json", "event"),
    ("/Calls/{call}/Recordings.json", "recording of a call"),
    (
        "/Calls/{call}/Recordings/{recording}",
        "recording of a call",
    ),
    ("/Messages.json", "message"),
    ("/Streams.json", "stream"),
    ("/Streams/{stream}", "stream"),
    ("/Calls.json", "call"),
    ("/Calls/{call}", "call"),
    ("/Notifications.json", "notification of a list"),
    ("/Notifications/{notification}", "notification"),
    (
        "/Conferences/{conference}/Recordings.json",
        "recording of a conference",
    ),
    (
        "/Conferences/{conference}/Recordings/{recording}",
        "recording of a conference",
    ),
    ("/Conferences.json", "conference"),
    ("/Conferences/{conference}", "conference"),
    ("/Participants.json", "participant"),
    ("/Participants/{participant}", "participant"),
    ("/Recordings.json", "recording"),
    ("/Recordings/{recording}", "recording"),
    ("/Queues.json", "queue"),
    ("/Queues/{queue}", "queue"),
    ("/Members.json", "member"),
    ("/Members/{member}", "member"),
    ("/Keys.json", "key"),
    ("/Keys/{key}", "key"),
    ("/Applications.json", "application"),
    ("/Applications/{application}", "application"),
    ("/IncomingPhoneNumbers.json", "incoming phone number"),
    ("/IncomingPhoneNumbers/{number}", "incoming phone number"),
    ("/IncomingPhoneNumbers/Local.json", "incoming phone number"),
    ("/IncomingPhoneNumbers/Mobile.json", "incoming phone number"),
    (
        "/IncomingPhoneNumbers/TollFree.json",
        "incoming phone number",
    ),
    ("/AvailablePhoneNumbers.json", "country"),
    ("/AvailablePhoneNumbers/{country}", "country"),
    ("/Local.json", "available phone number"),
    ("/Mobile.json", "available phone number"),
    ("/TollFree.json", "available phone number"),
    ("/OutgoingCallerIds.json", "outgoing caller id"),
    ("/OutgoingCallerIds/{caller_id}", "outgoing caller id"),
    ("/Usage/Records.json", "usage record"),
    ("/Usage/Records/Monthly.json", "usage record"),
    ("/Usage/Records/Yearly.json", "usage record"),
    ("/Usage/Records/Today.json", "usage record"),
    ("/Usage/Records/Yesterday.json", "usage record"),
    ("/Usage/Records/ThisMonth.json", "usage record"),
    ("/Usage/Records/LastMonth.json", "usage record"),
    ("/Usage/Records/AllTime.json", "usage record"),
    ("/Usage/Records/Daily.json", "usage record"),
];

/// What lies among Twilio's resources and is not Twilio's.
const OURS: &[&str] = &[
    "/Journal",
    "/UndeliveredCallbacks.json",
    "/UndeliveredCallbacks/{callback}",
];

/// Properties that Twilio's resource does not have.
const OWN_FIELDS: &[(&str, &[&str])] = &[
    ("incoming phone number", &["flow"]),
    (
        "recording of a conference",
        &["media_url", "subresource_uris", "track"],
    ),
    (
        "notification of a list",
        &["request_variables", "response_body", "response_headers"],
    ),
    ("participant", &["api_version"]),
    ("queue", &["subresource_uris"]),
    ("recording", &["track"]),
    ("recording of a call", &["media_url", "subresource_uris"]),
];

fn resource_of(method: &str, path: &str) -> &'static str {
    if (method, path.ends_with("/Keys.json")) == ("POST", true) {
        return "new key";
    }
    let found = RESOURCES.iter().find(|(end, _)| path.ends_with(end));
    match found {
        Some((_, resource)) => resource,
        None => panic!("which of Twilio's resources does {path} answer? Add it to the tables"),
    }
}

fn own_fields(resource: &str) -> &'static [&'static str] {
    let found = OWN_FIELDS.iter().find(|(name, _)| *name == resource);
    found.map_or(&[], |(_, fields)| fields)
}

/// The rows of a list, after a look at its envelope.
fn rows(list: &str, answer: &Answer) -> Vec<Value> {
    for (name, kind) in [
        ("page", "integer"),
        ("page_size", "integer"),
        ("start", "integer"),
        ("end", "integer"),
        ("uri", "uri"),
        ("first_page_uri", "uri"),
        ("next_page_uri", "uri?"),
        ("previous_page_uri", "uri?"),
    ] {
        let value = answer.json.get(name);
        let value = value.unwrap_or_else(|| panic!("{name} is missing: {answer:?}"));
        assert!(fits(kind, value), "{name}: {value}");
    }
    assert_eq!(answer.json.as_object().unwrap().len(), 9, "{answer:?}");
    answer.json[list].as_array().unwrap().clone()
}

/// What a resource refers to is there, and is the same by its own path.
async fn follow(api: &Api, what: &str, one: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let below = one["subresource_uris"].as_object();
    let below = below.into_iter().flat_map(|uris| uris.values());
    for uri in below.chain(one.get("uri")) {
        let answer = api.get(uri.as_str().unwrap()).await;
        if what.ends_with(": stream") {
            assert_eq!(answer.status, 405, "streams are only ended by their path");
            continue;
        }
        if what.ends_with(": message") {
            assert_eq!(answer.status, 404, "texts are not kept");
            continue;
        }
        if answer.status != 200 {
            complaints.push(format!("{what}: {uri} answers {}", answer.status));
        }
        if Some(uri) == one.get("uri") && one.get("sid").is_some() {
            assert_eq!(answer.json["sid"], one["sid"], "{what}: {uri}");
        }
    }
    complaints
}

#[tokio::test]
async fn every_answer_has_what_twilios_has() {
    let resources = resources();
    let (mut complaints, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for path in paths(&Api::new().router) {
        let is_ours = OURS.iter().any(|end| path.ends_with(end));
        if is_operators(&path) || path.starts_with("/v1/") || is_ours {
            continue;
        }
        for method in ["GET", "POST"] {
            let api = Api::new();
            let own = things(&api, &Owner::hotline(), "345").await;
            let asked = &filled(&path, &of(&own, &path))[0];
            let user = (SID, support::TOKEN);
            let methods = methods(&api.router, asked, user).await;
            if !methods.iter().any(|one| one == method) {
                continue;
            }
            let answer = api
                .send(request(method, asked, form(method, &path), user))
                .await;
            let name = resource_of(method, &path);
            let what = format!("{method} {path}: {name}");
            if !answer.status.is_success() {
                // The pool's one free number is of one kind.
                let is_of_another_kind = answer.problem() == (400, 21458);
                let is_new_caller_id = (name, method) == ("outgoing caller id", "POST");
                assert!(is_of_another_kind || is_new_caller_id, "{path}: {answer:?}");
                continue;
            }
            let resource = &resources[name];
            let is_list = method == "GET" && path.ends_with(".json");
            let all = match is_list {
                true => rows(resource.list, &answer),
                false => vec![answer.json],
            };
            // The pool has one free number, and so have accounts of a kind.
            let may_be_empty = [
                "/Mobile.json",
                "/TollFree.json",
                "/IncomingPhoneNumbers/Local.json",
            ];
            let may_be_empty = may_be_empty.iter().any(|end| path.ends_with(end));
            assert!(may_be_empty || !all.is_empty(), "{what}");
            for one in &all {
                let wrong = resource.complaints(one, own_fields(name)).into_iter();
                complaints.extend(wrong.map(|wrong| format!("{what}: {wrong}")));
                complaints.extend(follow(&api, &what, one).await);
            }
            seen.insert(name);
        }
    }
    assert_eq!(complaints, BTreeSet::new());
    let known: BTreeSet<_> = resources.keys().copied().collect();
    assert_eq!(seen, known, "each resource of the vector is answered");
}

/// `Calls/{}/Recordings/{}`: the path below the account, with nothing where it names something.
fn below_account(path: &str) -> String {
    let path = path.trim_start_matches("/2010-04-01/");
    let path = path.trim_end_matches(".json");
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "{}",
        false => part,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let below = path.strip_prefix("Accounts/{}/");
    below.map_or_else(|| path.clone(), str::to_owned)
}

#[tokio::test]
async fn the_page_about_the_libraries_has_every_path_with_its_methods() {
    let page = include_str!("../../../docs/book/helper-libraries.md");
    let (page, _) = page.split_once("## What is not there").unwrap();
    let rows = page.lines().filter_map(|line| {
        let (path, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (methods, _) = rest.split_once(" |")?;
        Some((path.to_owned(), methods.to_owned()))
    });
    let rows: BTreeSet<_> = rows.collect();

    let api = Api::new();
    let own = things(&api, &Owner::hotline(), "345").await;
    let mut served = BTreeSet::new();
    for path in paths(&api.router) {
        let is_ours = OURS.iter().any(|end| path.ends_with(end));
        if !path.starts_with("/2010-04-01/") || is_ours {
            continue;
        }
        let asked = &filled(&path, &of(&own, &path))[0];
        let mut methods = methods(&api.router, asked, (SID, support::TOKEN)).await;
        methods.sort();
        served.insert((below_account(&path), methods.join(" ")));
    }
    assert_eq!(rows, served);
}

#[test]
fn what_is_not_as_the_vector_says_is_found() {
    for (kind, good, bad) in [
        (
            "CA",
            json!("CA00000000000000000000000000000001"),
            json!("CA1"),
        ),
        (
            "CA",
            json!("CA00000000000000000000000000000001"),
            json!("RE00000000000000000000000000000001"),
        ),
        ("text", json!(""), json!(1)),
        ("text?", json!(null), json!(false)),
        ("text", json!("x"), json!(null)),
        (
            "date",
            json!("Tue, 31 Aug 2010 20:36:28 +0000"),
            json!("2010-08-31T20:36:28Z"),
        ),
        (
            "date",
            json!("Tue, 31 Aug 2010 20:36:28 +0000"),
            json!("Tue, 31 Aug 2010 20:36:28 GMT"),
        ),
        (
            "date",
            json!("Wed, 01 Sep 2010 00:00:00 +0000"),
            json!("Wed, 1 Sep 2010 00:00:00 +0000"),
        ),
        ("day", json!("2010-08-31"), json!("31.8.2010")),
        ("digits", json!("7"), json!(7)),
        ("seconds", json!("-1"), json!("-2")),
        ("one-of:a|b", json!("b"), json!("c")),
        ("one-of:a|b?", json!(null), json!("")),
        ("integer", json!(1), json!("1")),
        ("number", json!(1.5), json!("1.5")),
        ("boolean", json!(false), json!("false")),
        ("object", json!({}), json!([])),
        ("uri", json!("/2010-04-01/Accounts"), json!("https://a/")),
        ("uris", json!({"a": "/2010-04-01/x"}), json!({"a": null})),
        ("url", json!("https://a/"), json!("/a")),
        ("method", json!("GET"), json!("get")),
        ("currency", json!("USD"), json!("usd")),
        ("phone", json!("+123"), json!("sip:a@b")),
    ] {
        assert!(fits(kind, &good), "{kind} {good}");
        assert!(!fits(kind, &bad), "{kind} {bad}");
    }
    let resources = resources();
    let complaints = resources["key"].complaints(&json!({"sid": 1, "more": 2}), &[]);
    let first = "`date_created` is missing";
    assert!(complaints.iter().any(|one| one == first), "{complaints:?}");
    assert_eq!(complaints.len(), 5, "{complaints:?}");
}
