//! Every route that names a thing, asked for somebody else's and for one that is nowhere: the answers are the same, byte for byte.
//!
//! The routes are the router's own: one that is new is asked too, and a kind of thing that is not known here fails.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::Ordering;

use http_body_util::BodyExt as _;
use store::{RecordingEnding, RecordingStatus, Store as _};
use support::routes::{filled, form, is_operators, kinds, methods, of, paths, request};
use support::things::{Owner, Things, operators, stranger, subaccount, things};
use support::{Api, NOBODY_SID, OTHER_SID, OTHER_TOKEN, RE, SID, START_UNIX_MS};
use tower::ServiceExt as _;

/// What makes a thing of the name that the path says: what is no SID is the name of a new one there.
const MAKES: &[(&str, &str)] = &[
    ("POST", "/Plugins/{name}/Versions"),
    ("POST", "/Conferences/{conference}/Participants.json"),
    ("PUT", "/People/{number}"),
    ("PUT", "/Media/{file}"),
    ("PUT", "/media/{file}"),
];

/// An id of the right form that nobody has.
fn nobodys(kind: &str) -> &'static str {
    match kind {
        "account" | "accounts" => NOBODY_SID,
        "call" | "participant" | "member" => "CA00000000000000000000000000000000",
        "stream" => "MZ00000000000000000000000000000000",
        "country" => "ZZ",
        "person" => "+8562055500002",
        "file" => "nobodys.wav",
        "broadcast" => "BC00000000000000000000000000000000",
        "recipient" => "+8562055500004",
        "recording" | "conference_recording" => "RE00000000000000000000000000000000",
        "callback" => "999999",
        "conference" => "CF00000000000000000000000000000000",
        "queue" => "QU00000000000000000000000000000000",
        "key" => "SK00000000000000000000000000000000",
        "application" => "AP00000000000000000000000000000000",
        "number" | "caller_id" | "numbers" | "caller-ids" => "PN00000000000000000000000000000000",
        "notification" => "NO00000000000000000000000000000000",
        "carrier" | "carriers" | "trunks" | "name" => "nobody",
        other => panic!("no id of a {other}: add the kind here and to `support::things`"),
    }
}

/// What somebody asks who has `own` and should have nothing of `foreign`: combinations of ids of which at least one is not to be had.
fn questions(method: &str, path: &str, own: &Things, foreign: &Things) -> Vec<String> {
    let makes = |(by, end): &(&str, &str)| *by == method && path.ends_with(end);
    let makes = MAKES.iter().any(makes);
    let (own, theirs) = (of(own, path), of(foreign, path));
    let nobody: Vec<String> = kinds(path)
        .iter()
        .map(|kind| nobodys(if kind == "over" { "call" } else { kind }).to_owned())
        .collect();
    let mut combinations = Vec::new();
    // Each of the three in each place; what is all one's own is no question.
    for number in 1..3_usize.pow(u32::try_from(own.len()).unwrap()) {
        let pick = |place: usize| match number / 3_usize.pow(u32::try_from(place).unwrap()) % 3 {
            0 => own[place].clone(),
            1 => theirs[place].clone(),
            _ => nobody[place].clone(),
        };
        combinations.push((0..own.len()).map(pick).collect::<Vec<_>>());
    }
    // What is no id of its kind, behind what is one's own.
    let zero = "AC00000000000000000000000000000000";
    for wrong in ["x", "AC1", zero, "..%2F..", "%00", "%F0%9F%93%9E"] {
        let mut ids = own.clone();
        ids.pop();
        ids.push(wrong.to_owned());
        combinations.push(ids);
    }
    let is_new = |ids: &[String]| makes && ids[0] == own[0] && !ids[1].starts_with("CF");
    let is_question = |ids: &Vec<String>| ids != &own && !is_new(ids);
    let asked = combinations.into_iter().filter(is_question);
    asked.flat_map(|ids| filled(path, &ids)).collect()
}

/// Everything of an answer but the path that it names.
async fn answer(api: &Api, method: &str, path: &str, form: &str, user: &Owner) -> String {
    let request = request(method, path, form, user.user());
    let response = api.router.clone().oneshot(request).await.unwrap();
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove("content-length");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).replace(path, "PATH");
    format!("{status} {headers:?} {body}")
}

/// Asks every route for what is not `asker`'s: how many questions there were. `is_asked` says which routes.
async fn ask_all(
    api: &Api,
    asker: &Owner,
    own: &Things,
    foreign: &Things,
    nothing: &str,
    is_asked: impl Fn(&str) -> bool,
) -> usize {
    let expected = answer(api, "GET", nothing, "", asker).await;
    assert!(expected.starts_with("404"), "{expected}");
    let mut asked = 0;
    for path in paths(&api.router).into_iter().filter(|path| is_asked(path)) {
        if kinds(&path).is_empty() {
            continue;
        }
        let known = &filled(&path, &of(own, &path))[0];
        for method in methods(&api.router, known, asker.user()).await {
            for question in questions(&method, &path, own, foreign) {
                let form = form(&method, &path);
                let answer = answer(api, &method, &question, form, asker).await;
                assert_eq!(answer, expected, "{} {method} {question}", asker.sid);
                asked += 1;
            }
        }
    }
    asked
}

fn is_tenants(path: &str) -> bool {
    !is_operators(path)
}

fn nothing_of(account: &Owner) -> String {
    format!("/2010-04-01/Accounts/{}/nothing", account.sid)
}

/// Lets a subaccount call from a number of its own.
async fn with_number(api: &Api, account: &Owner, number: &str) {
    let path = format!(
        "/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json",
        account.sid
    );
    let form = format!("PhoneNumber={}", number.replace('+', "%2B"));
    let taken = support::request("POST", &path, &form, account.user());
    let taken = api.send(taken).await;
    assert_eq!(taken.status, 201, "{taken:?}");
}

#[tokio::test]
async fn what_another_account_has_is_answered_like_what_nobody_has() {
    let api = Api::new();
    let hotline = Owner::hotline();
    let other = Owner::new(OTHER_SID, OTHER_TOKEN);
    let theirs = things(&api, &hotline, "345").await;
    let own = things(&api, &other, "+85522222222").await;
    let asked = ask_all(&api, &other, &own, &theirs, &nothing_of(&other), is_tenants).await;
    assert!(asked > 500, "{asked}");
    let left = api.get("Calls.json").await;
    let calls = left.json["calls"].as_array().unwrap().iter();
    let up = calls.filter(|call| call["status"] == "in-progress");
    assert_eq!(up.count(), 1, "nothing was done");
}

#[tokio::test]
async fn what_another_carriers_account_has_is_answered_like_what_nobody_has() {
    let api = Api::new();
    let theirs = things(&api, &Owner::hotline(), "345").await;
    let stranger = stranger(&api, "elsewhere").await;
    with_number(&api, &stranger, "+85544444444").await;
    let own = things(&api, &stranger, "+85544444444").await;
    let nothing = nothing_of(&stranger);
    ask_all(&api, &stranger, &own, &theirs, &nothing, is_tenants).await;
}

#[tokio::test]
async fn what_a_parent_or_its_other_subaccount_has_is_answered_like_what_nobody_has() {
    let api = Api::new();
    let hotline = Owner::hotline();
    let (child, sibling) = (
        subaccount(&api, "child").await,
        subaccount(&api, "sibling").await,
    );
    with_number(&api, &child, "+85533333333").await;
    let parents = things(&api, &hotline, "345").await;
    let own = things(&api, &child, "+85533333333").await;
    ask_all(
        &api,
        &child,
        &own,
        &parents,
        &nothing_of(&child),
        is_tenants,
    )
    .await;
    let changes = api.live.directory_changes.load(Ordering::SeqCst);
    let bare = [("account", sibling.sid.clone())];
    let siblings = Things::from_iter(own.clone().into_iter().chain(bare.clone()));
    let nothing = nothing_of(&sibling);
    // It has nothing of its own: what is in the child's place is the child's under the sibling's path.
    ask_all(&api, &sibling, &siblings, &own, &nothing, is_tenants).await;
    assert_eq!(api.live.directory_changes.load(Ordering::SeqCst), changes);
}

#[tokio::test]
async fn under_its_own_path_a_parent_has_nothing_of_its_subaccounts() {
    let api = Api::new();
    let hotline = Owner::hotline();
    let child = subaccount(&api, "child").await;
    with_number(&api, &child, "+85533333333").await;
    let own = things(&api, &hotline, "345").await;
    let mut childs = things(&api, &child, "+85533333333").await;
    // Under the child's path it has them all.
    childs.insert("account", NOBODY_SID.to_owned());
    ask_all(
        &api,
        &hotline,
        &own,
        &childs,
        &nothing_of(&hotline),
        is_tenants,
    )
    .await;
}

#[tokio::test]
async fn the_operator_is_told_the_same_of_what_is_not_there() {
    let api = Api::new();
    stranger(&api, "elsewhere").await;
    let own = operators(&api).await;
    let foreign = Things::from([
        ("carrier", "gateway".to_owned()),
        ("carriers", "gateway".to_owned()),
        ("accounts", "demo".to_owned()),
        ("file", "other.wav".to_owned()),
        ("trunks", "demo".to_owned()),
        ("numbers", own["caller-ids"].clone()),
        ("caller-ids", own["numbers"].clone()),
        ("name", "menu".to_owned()),
    ]);
    let operator = Owner::hotline();
    let nothing = "/operator/v1/trunks/nothing";
    let is_asked = |path: &str| path.starts_with("/operator/");
    ask_all(&api, &operator, &own, &foreign, nothing, is_asked).await;
    let nothing = "/v1/Carriers/nothing/Plugins";
    let is_asked = |path: &str| path.starts_with("/v1/Carriers/");
    ask_all(&api, &operator, &own, &foreign, nothing, is_asked).await;
    // A carrier that is there, and has no such plugin.
    let elsewhere = Things::from_iter(
        foreign
            .into_iter()
            .chain([("carrier", "elsewhere".to_owned())]),
    );
    let is_asked = |path: &str| {
        let makes = MAKES.iter().any(|(_, end)| path.ends_with(end));
        path.starts_with("/v1/Carriers/{carrier}/Plugins/{name}") && !makes
    };
    ask_all(&api, &operator, &own, &elsewhere, nothing, is_asked).await;
}

/// Without this the rest would say nothing: whoever has the things is answered something else, by every route and method.
#[tokio::test]
async fn whoever_has_the_things_is_not_told_that_they_are_not_there() {
    let mut asked = 0;
    let first = Api::new();
    for path in paths(&first.router) {
        if kinds(&path).is_empty() {
            continue;
        }
        let mut api = Api::new();
        let hotline = Owner::hotline();
        let mut own = own_things(&api, &hotline, &path).await;
        let known = filled(&path, &of(&own, &path))[0].clone();
        for method in methods(&api.router, &known, hotline.user()).await {
            // What a recording is asked for as goes with GET alone.
            let endings = if method == "GET" { usize::MAX } else { 1 };
            for question in filled(&path, &of(&own, &path)).into_iter().take(endings) {
                let form = form(&method, &path);
                let answer = answer(&api, &method, &question, form, &hotline).await;
                assert!(!answer.starts_with("404"), "{method} {question}: {answer}");
                assert!(!answer.starts_with('5'), "{method} {question}: {answer}");
                asked += 1;
            }
            // What was done must not stand in the next one's way.
            api = Api::new();
            own = own_things(&api, &hotline, &path).await;
        }
    }
    assert!(asked > 80, "{asked}");
}

async fn own_things(api: &Api, owner: &Owner, path: &str) -> Things {
    let own = match is_operators(path) {
        true => operators(api).await,
        false => things(api, owner, "345").await,
    };
    if path.ends_with("{account}/Recordings/{recording}") {
        // Its file is there when it is whole.
        let ending = RecordingEnding {
            status: RecordingStatus::Completed,
            duration_ms: 4_400,
            file_bytes: 70_444,
        };
        let finished = api.store.finish_recording(RE, ending, START_UNIX_MS);
        finished.wait().unwrap();
    }
    own
}

#[tokio::test]
async fn an_id_in_a_parameter_is_no_different() {
    let api = Api::new();
    let other = Owner::new(OTHER_SID, OTHER_TOKEN);
    let theirs = things(&api, &Owner::hotline(), "345").await;
    let own = things(&api, &other, "+85522222222").await;
    let number = format!("IncomingPhoneNumbers/{}.json", own["number"]);
    let call = "To=%2B85512345678&From=%2B85522222222&ApplicationSid=";
    for (method, path, form, kind) in [
        ("GET", "Calls.json?ParentCallSid=", "", "call"),
        ("GET", "Recordings.json?CallSid=", "", "call"),
        ("POST", "Calls.json", call, "application"),
        ("POST", &number, "VoiceApplicationSid=", "application"),
    ] {
        let mut told = Vec::new();
        for id in [&*theirs[kind], nobodys(kind)] {
            let (mut path, mut form) = (path.to_owned(), form.to_owned());
            if method == "GET" {
                &mut path
            } else {
                &mut form
            }
            .push_str(id);
            let path = format!("/2010-04-01/Accounts/{OTHER_SID}/{path}");
            let answer = answer(&api, method, &path, &form, &other).await;
            told.push(answer.replace(id, "ID"));
        }
        assert_eq!(told[0], told[1], "{method} {path} {kind}");
        assert!(!told[0].contains(SID), "{told:?}");
    }
}
