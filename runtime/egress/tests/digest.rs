//! User names and passwords of URLs, where the server asks for digest authentication.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use jackfield_egress::{CookieJar, Egress, Limits, SigningKey};
use sip::digest::{Authorization, Hash};
use support::{fetch, get, loopback, post, serve};

/// Asks for the proof of `user` and `p@ss`, notes what came of each request, and sends who has proved it to `to`, or answers 200.
#[derive(Clone)]
struct Door {
    seen: Arc<Mutex<Vec<String>>>,
    to: Option<String>,
}

impl Door {
    async fn open(to: Option<String>) -> (Self, String) {
        let seen = Arc::default();
        let door = Self { seen, to };
        let app = Router::new().fallback(any(answer)).with_state(door.clone());
        let address = serve(app).await;
        (door, address.to_string())
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// RFC 7616 section 3.4.1, with `qop=auth`.
fn is_proved(authorization: &Authorization, method: &Method, uri: &Uri) -> bool {
    let hash = Hash::Md5;
    let path = uri.path_and_query().unwrap().as_str();
    let (_, count) = authorization.qop.as_ref().unwrap();
    let user = hash.hex(&[b"user", b"app", b"p@ss"]);
    let asked = hash.hex(&[method.as_str().as_bytes(), path.as_bytes()]);
    let (nonce, cnonce) = (&*authorization.nonce, &*authorization.cnonce);
    let parts = [user.as_bytes(), nonce, &count.digits, cnonce, b"auth"];
    let response = hash.hex(&[&parts[..], &[asked.as_bytes()]].concat());
    authorization.uri == path && authorization.response == response.as_bytes()
}

async fn answer(
    State(door): State<Door>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let proof = headers.get("authorization").map(|value| value.as_bytes());
    let proof = proof.and_then(Authorization::read);
    let cookie = headers.get("cookie").is_some();
    let word = match &proof {
        None if headers.contains_key("authorization") => "basic",
        None => "nothing",
        Some(proof) if is_proved(proof, &method, &uri) => "proved",
        Some(_) => "wrong",
    };
    let body = String::from_utf8_lossy(&body);
    let path = uri.path();
    let count = proof.map_or(0, |proof| proof.qop.unwrap().1.number);
    let line = format!(
        "{method} {path} {word} {count} {body}{}",
        if cookie { " +cookie" } else { "" }
    );
    door.seen.lock().unwrap().push(line);
    match (word, &door.to) {
        ("proved", None) if path == "/busy" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        ("proved", None) => StatusCode::OK.into_response(),
        ("proved", Some(to)) => {
            let location = [("location", to.clone())];
            (StatusCode::TEMPORARY_REDIRECT, location).into_response()
        }
        _ => {
            let challenge = r#"Digest realm="app", nonce="n1", qop="auth", algorithm=MD5"#;
            let fields = [("www-authenticate", challenge), ("set-cookie", "s=1")];
            (StatusCode::UNAUTHORIZED, fields).into_response()
        }
    }
}

fn door() -> Egress {
    Egress::new(Limits::default())
}

#[tokio::test]
async fn a_challenge_is_answered_once_for_the_same_request() {
    let (server, at) = Door::open(None).await;
    let mut webhook = post(format!("http://user:p%40ss@{at}/a?b=c%20d"), "To=1");
    webhook.sign = Some(SigningKey::new("12345"));
    assert_eq!(fetch(&door(), webhook).await.unwrap().status, 200);
    let expected = ["POST /a basic 0 To=1", "POST /a proved 1 To=1 +cookie"];
    assert_eq!(server.seen(), expected);

    let (server, at) = Door::open(None).await;
    let wrong = fetch(&door(), get(format!("http://user:wrong@{at}/a"))).await;
    assert_eq!(wrong.unwrap().status, 401);
    let expected = ["GET /a basic 0 ", "GET /a wrong 1  +cookie"];
    assert_eq!(server.seen(), expected);
}

#[tokio::test]
async fn whoever_has_no_user_name_or_an_authorization_of_his_own_is_told_the_401() {
    let (server, at) = Door::open(None).await;
    let plain = fetch(&door(), get(format!("http://{at}/a"))).await;
    assert_eq!(plain.unwrap().status, 401);
    let mut own = get(format!("http://user:p%40ss@{at}/a"));
    own.headers = vec![("Authorization".into(), "Bearer x".into())];
    assert_eq!(fetch(&door(), own).await.unwrap().status, 401);
    assert_eq!(server.seen(), ["GET /a nothing 0 ", "GET /a basic 0 "]);
}

/// A 401 that asks for a proof takes no try; what comes of the proof may, and then the nonce is counted on.
#[tokio::test]
async fn what_is_tried_again_is_proved_with_a_higher_count() {
    let (server, at) = Door::open(None).await;
    let mut webhook = post(format!("http://user:p%40ss@{at}/busy#rc=1&rp=4xx,5xx"), "");
    webhook.sign = Some(SigningKey::new("12345"));
    assert_eq!(fetch(&door(), webhook).await.unwrap().status, 503);
    let expected = [
        "POST /busy basic 0 ",
        "POST /busy proved 1  +cookie",
        "POST /busy proved 2  +cookie",
    ];
    assert_eq!(server.seen(), expected);
}

#[tokio::test]
async fn another_server_is_proved_nothing() {
    let (other, elsewhere) = Door::open(None).await;
    let (_, at) = Door::open(Some(format!("http://{elsewhere}/there"))).await;
    let (egress, jar) = (door(), CookieJar::default());
    let away = get(format!("http://user:p%40ss@{at}/a"));
    let answer = egress.fetch("AC1", &loopback(), away, &jar).await.unwrap();
    assert_eq!(
        (answer.status, &*answer.url),
        (401, &*format!("http://{elsewhere}/there"))
    );
    let seen = other.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("GET /there nothing 0"), "{seen:?}");

    // The same server is proved the next path, too.
    let (server, at) = Door::open(None).await;
    let (first, first_at) = Door::open(Some(format!("http://user:p%40ss@{at}/b"))).await;
    let named = get(format!("http://user:p%40ss@{first_at}/a"));
    assert_eq!(fetch(&door(), named).await.unwrap().status, 200);
    assert_eq!((first.seen().len(), server.seen().len()), (2, 2));
    assert!(server.seen()[1].starts_with("GET /b proved 1"));
}
