//! What the router has: its paths, and the methods of each.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower::ServiceExt as _;

use super::OPERATOR_KEY;
use super::things::Things;

/// Bodies that would be taken, by how the path ends.
const FORMS: &[(&str, &str)] = &[
    ("/Accounts/{account}", "FriendlyName=x"),
    ("/Calls.json", "To=%2B85512345678&From=345&Twiml=x"),
    ("/Calls/{call}", "Status=completed"),
    ("/Recordings/{recording}", "Status=stopped"),
    ("/Streams.json", "Url=wss://a/"),
    ("/Messages.json", "To=%2B85512345678&From=345&Body=x"),
    ("/Streams/{stream}", "Status=stopped"),
    ("/Conferences/{conference}", "Status=completed"),
    ("/Participants.json", "From=345&To=%2B85512345678"),
    ("/Participants/{participant}", "Muted=true"),
    ("/Queues.json", "FriendlyName=x"),
    ("/Queues/{queue}", "MaxSize=1"),
    ("/Members/{member}", "Url=https://a/"),
    ("/Keys/{key}", "FriendlyName=x"),
    ("/Applications/{application}", "FriendlyName=x"),
    ("/IncomingPhoneNumbers.json", "PhoneNumber=%2B85533333333"),
    ("/IncomingPhoneNumbers/{number}", "FriendlyName=x"),
    (
        "/IncomingPhoneNumbers/Local.json",
        "PhoneNumber=%2B85533333333",
    ),
    (
        "/IncomingPhoneNumbers/Mobile.json",
        "PhoneNumber=%2B85533333333",
    ),
    (
        "/IncomingPhoneNumbers/TollFree.json",
        "PhoneNumber=%2B85533333333",
    ),
    ("/OutgoingCallerIds/{caller_id}", "FriendlyName=x"),
    ("/Activate", "Version=1"),
    ("/Canary", "Version=1&Percent=1"),
    ("/carriers/{id}", r#"{"name":"x"}"#),
    ("/accounts/{id}", r#"{"name":"x"}"#),
    ("/trunks/{id}", r#"{"max_channels":1}"#),
    ("/numbers/{id}", r#"{"flow":"menu"}"#),
];

/// Every path of a router, with `{name}` where it takes what a request says.
///
/// Out of its debug text: axum has no list of what was put into a router. Should that text change, the tests below fail, since they know some paths.
pub(crate) fn paths(router: &Router) -> Vec<String> {
    let text = format!("{router:?}");
    let own = text.split("fallback_router").next().unwrap();
    let listed = own.split("RouteId(").filter_map(|piece| {
        let (_, path) = piece.split_once("): \"/")?;
        Some(format!("/{}", path.split('"').next()?))
    });
    let mut paths: Vec<String> = listed.collect();
    paths.sort();
    paths.dedup();
    for known in [
        "/2010-04-01/Accounts.json",
        "/2010-04-01/Accounts/{account}/Calls/{call}",
        "/v1/Accounts/{account}/Plugins/{name}/Versions",
        "/v1/Carriers/{carrier}/Plugins",
        "/operator/v1/accounts/{id}",
    ] {
        assert!(
            paths.iter().any(|path| path == known),
            "{known}: {paths:#?}"
        );
    }
    paths
}

/// Whether it is the operator's to ask.
pub(crate) fn is_operators(path: &str) -> bool {
    path.starts_with("/operator/") || path.starts_with("/v1/Carriers/")
}

/// The methods that a path is asked with, but HEAD, which is GET's.
pub(crate) async fn methods(router: &Router, path: &str, user: (&str, &str)) -> Vec<String> {
    let request = Request::builder()
        .method("TRACE")
        .uri(path)
        .header("authorization", authorization(path, user))
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 405, "{path}");
    let allowed = response.headers()["allow"].to_str().unwrap().to_owned();
    let methods = allowed.split(',').map(|method| method.trim().to_owned());
    methods.filter(|method| method != "HEAD").collect()
}

/// What proves who asks for such a path.
pub(crate) fn authorization(path: &str, (user, password): (&str, &str)) -> String {
    match is_operators(path) {
        true => format!("Bearer {OPERATOR_KEY}"),
        false => format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
    }
}

/// The kinds of what a path names, in order. `{id}` is of the kind that the part before it says, a person is no number of the account, a
/// conference has recordings of its own, and what a call tells is told of one that is over.
pub(crate) fn kinds(path: &str) -> Vec<String> {
    let parts: Vec<_> = path.split('/').collect();
    let told = ["/Journal", "/Events.json", "/Notifications"];
    let is_told = told.iter().any(|part| path.contains(part));
    let named = parts.windows(2).filter_map(|pair| {
        let name = pair[1].strip_prefix('{')?.strip_suffix('}')?;
        Some(match (name, is_told) {
            ("id", _) => pair[0],
            ("recording", _) if path.contains("{conference}") => "conference_recording",
            ("number", _) if pair[0] == "People" => "person",
            ("number", _) if pair[0] == "Recipients" => "recipient",
            ("call", true) => "over",
            _ => name,
        })
    });
    named.map(str::to_owned).collect()
}

/// The path with these in place of what it names; with each ending that it is asked with.
pub(crate) fn filled(path: &str, ids: &[String]) -> Vec<String> {
    let mut ids = ids.iter();
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => ids.next().unwrap().as_str(),
        false => part,
    });
    let whole = parts.collect::<Vec<_>>().join("/");
    let endings: &[&str] = match path.starts_with("/2010-04-01/") && path.ends_with('}') {
        false => &[""],
        true if path.ends_with("{account}/Recordings/{recording}") => {
            &[".json", ".wav", ".mp3", ""]
        }
        true => &[".json"],
    };
    let endings = endings.iter();
    endings.map(|ending| format!("{whole}{ending}")).collect()
}

/// Every id of what a path names, out of these things.
pub(crate) fn of(things: &Things, path: &str) -> Vec<String> {
    let kinds = kinds(path).into_iter();
    kinds
        .map(|kind| match things.get(&*kind) {
            Some(id) => id.clone(),
            None => panic!("no {kind} for {path}: add one to `support::things`"),
        })
        .collect()
}

/// A body with which a path may be asked.
pub(crate) fn form(method: &str, path: &str) -> &'static str {
    let found = FORMS.iter().find(|(end, _)| path.ends_with(end));
    match method {
        "POST" | "PATCH" => found.map_or("", |(_, form)| form),
        _ => "",
    }
}

/// A request of whoever has the path.
pub(crate) fn request(method: &str, path: &str, form: &str, user: (&str, &str)) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", authorization(path, user))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap()
}
