//! What goes over the wire, and what comes back: redirects, cookies, credentials, signatures, limits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::any;
use jackfield_egress::{
    Bounds, CookieJar, Egress, FetchError, Kind, Limits, OwnHeaders, Request, SigningKey,
    twilio_signature,
};
use support::{Raw, Script, brief, fetch, get, loopback, post, serve};
use url::Url;

/// One request as a server saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server that notes each request and answers by its query: `status`, `to` (a `Location`), `cookie`, `bytes` (a body of so many), `type`.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Vec<Seen>>>);

impl Notebook {
    async fn serve(&self) -> String {
        let app = Router::new().fallback(any(answer)).with_state(self.clone());
        format!("http://{}", serve(app).await)
    }

    fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }
}

async fn answer(
    State(notebook): State<Notebook>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = StatusCode::OK.into_response();
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "status" => *response.status_mut() = value.parse().unwrap(),
            "to" => drop(
                response
                    .headers_mut()
                    .insert("location", value.parse().unwrap()),
            ),
            "cookie" => drop(
                response
                    .headers_mut()
                    .append("set-cookie", value.parse().unwrap()),
            ),
            "type" => drop(
                response
                    .headers_mut()
                    .insert("content-type", value.parse().unwrap()),
            ),
            "bytes" => *response.body_mut() = vec![b'x'; value.parse().unwrap()].into(),
            _ => {}
        }
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    let path = uri.path().to_owned();
    notebook.0.lock().unwrap().push(Seen {
        method,
        path,
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    });
    response
}

fn door() -> Egress {
    Egress::new(Limits::default())
}

#[tokio::test]
async fn redirects_rewrite_the_method_as_rfc_9110_15_4_says() {
    const GET: Method = Method::GET;
    for (status, asked, then, keeps_body) in [
        (301, Method::POST, GET, false),
        (302, Method::POST, GET, false),
        (303, Method::POST, GET, false),
        (307, Method::POST, Method::POST, true),
        (308, Method::POST, Method::POST, true),
        (301, Method::PUT, Method::PUT, true),
        (302, Method::PUT, Method::PUT, true),
        (303, Method::PUT, GET, false),
        (307, Method::PUT, Method::PUT, true),
        (301, GET, GET, true),
        (303, GET, GET, false),
        (307, GET, GET, true),
    ] {
        let notebook = Notebook::default();
        let base = notebook.serve().await;
        let mut request = post(format!("{base}/a/b?status={status}&to=c%3Fx=1"), "To=1");
        request.method = asked.clone();
        let response = fetch(&door(), request).await.unwrap();
        assert_eq!(
            (response.status, &response.url),
            (200, &format!("{base}/a/c?x=1"))
        );
        let seen = notebook.seen();
        assert_eq!(seen.len(), 2);
        let second = &seen[1];
        assert_eq!(second.method, then, "{status} to {asked}");
        assert_eq!(
            second.body,
            if keeps_body { "To=1" } else { "" },
            "{status} to {asked}"
        );
        assert_eq!(
            second.header("content-type").is_some(),
            keeps_body,
            "{status} to {asked}"
        );
    }
}

#[tokio::test]
async fn a_redirect_status_without_location_is_a_response_like_any_other() {
    let base = Notebook::default().serve().await;
    for status in [300, 302, 304, 404, 500] {
        let response = fetch(&door(), get(format!("{base}/?status={status}")))
            .await
            .unwrap();
        assert_eq!(response.status, status);
    }
}

#[tokio::test]
async fn ten_redirects_are_followed_and_the_eleventh_is_not() {
    let notebook = Notebook::default();
    let base = notebook.serve().await;
    let chain = |length: u32| {
        (0..length).fold(format!("{base}/end"), |to, _| {
            let mut url = Url::parse(&base).unwrap();
            url.query_pairs_mut()
                .append_pair("status", "302")
                .append_pair("to", &to);
            url.into()
        })
    };
    let limits = Limits {
        redirects: 3,
        ..Limits::default()
    };
    let three = Egress::new(limits);
    assert_eq!(
        fetch(&three, get(chain(3))).await.unwrap().url,
        format!("{base}/end")
    );
    assert_eq!(notebook.seen().len(), 4);
    let refused = fetch(&three, get(chain(4))).await.unwrap_err();
    assert!(
        matches!(refused, FetchError::TooManyRedirects(_)),
        "{refused}"
    );
    assert_eq!(notebook.seen().len(), 8, "the last one is not followed");
    assert_eq!(Limits::default().redirects, 10);
}

#[tokio::test]
async fn cookies_are_kept_for_the_call_and_stay_with_their_host() {
    let (notebook, other) = (Notebook::default(), Notebook::default());
    let base = notebook.serve().await;
    let elsewhere = other.serve().await.replace("127.0.0.1", "other.example");
    let jar = CookieJar::default();
    let egress = Egress::with_resolver(Limits::default(), Script::new(&[&["127.0.0.1"]]));
    let first = get(format!("{base}/a?status=302&to=/b&cookie=s%3D1"));
    egress.fetch("AC1", &loopback(), first, &jar).await.unwrap();
    assert_eq!(
        notebook.seen()[1].header("cookie"),
        Some("s=1"),
        "on the redirect"
    );
    egress
        .fetch("AC1", &loopback(), get(format!("{base}/c")), &jar)
        .await
        .unwrap();
    assert_eq!(
        notebook.seen()[2].header("cookie"),
        Some("s=1"),
        "on the next request"
    );
    fetch(&egress, get(format!("{base}/d"))).await.unwrap();
    assert_eq!(
        notebook.seen()[3].header("cookie"),
        None,
        "not in another call"
    );
    let away = get(format!("{elsewhere}/e"));
    egress.fetch("AC1", &loopback(), away, &jar).await.unwrap();
    assert_eq!(
        other.seen()[0].header("cookie"),
        None,
        "not to another host"
    );
}

#[tokio::test]
async fn user_information_becomes_basic_authentication_and_stays_with_its_server() {
    let (notebook, other) = (Notebook::default(), Notebook::default());
    let (base, elsewhere) = (notebook.serve().await, other.serve().await);
    let with_user = base.replace("http://", "http://us%65r:p%40ss@");
    let basic = Some("Basic dXNlcjpwQHNz"); // user:p@ss
    let response = fetch(&door(), get(format!("{with_user}/a?status=302&to=/b")))
        .await
        .unwrap();
    assert_eq!(response.url, format!("{with_user}/b"));
    assert_eq!(notebook.seen()[0].header("authorization"), basic);
    assert_eq!(notebook.seen()[1].header("authorization"), basic);
    assert_eq!(notebook.seen()[1].path, "/b");
    let away = format!("{with_user}/a?status=307&to={elsewhere}/b");
    let response = fetch(&door(), get(away)).await.unwrap();
    assert_eq!(response.url, format!("{elsewhere}/b"));
    assert_eq!(other.seen()[0].header("authorization"), None);
    let mut own = get(format!("{base}/a?status=307&to={elsewhere}/b"));
    own.headers = vec![
        ("Authorization".into(), "Bearer x".into()),
        ("X-Mine".into(), "1".into()),
    ];
    fetch(&door(), own).await.unwrap();
    assert_eq!(notebook.seen()[3].header("authorization"), Some("Bearer x"));
    assert_eq!(other.seen()[1].header("authorization"), None);
    assert_eq!(other.seen()[1].header("x-mine"), Some("1"));
}

#[tokio::test]
async fn a_webhook_is_signed_for_the_url_and_form_that_are_sent() {
    let (notebook, other) = (Notebook::default(), Notebook::default());
    let (base, elsewhere) = (notebook.serve().await, other.serve().await);
    let sign = |url: &str, params: &[(&str, &str)]| {
        twilio_signature("12345", &Url::parse(url).unwrap(), params.iter().copied())
    };
    let form = [("To", "+1 2"), ("Body", "é")];
    let url = format!("{base}/a?status=302&to=/b");
    let mut webhook = post(format!("{url}#fragment"), "To=%2B1+2&Body=%C3%A9");
    webhook.sign = Some(SigningKey::new("12345"));
    fetch(&door(), webhook.clone()).await.unwrap();
    let seen = notebook.seen();
    assert_eq!(
        seen[0].header("x-twilio-signature"),
        Some(&*sign(&url, &form))
    );
    assert_eq!(
        seen[1].header("x-twilio-signature"),
        Some(&*sign(&format!("{base}/b"), &[]))
    );
    let token = seen[0].header("i-twilio-idempotency-token").unwrap();
    assert_eq!(token.len(), 32);
    assert_eq!(seen[1].header("i-twilio-idempotency-token"), Some(token));
    assert_eq!(seen[0].header("user-agent"), Some("TwilioProxy/1.1"));
    assert_eq!(seen[0].header("x-home-region"), Some("us1"));
    fetch(&door(), webhook.clone()).await.unwrap();
    assert_ne!(
        notebook.seen()[2].header("i-twilio-idempotency-token"),
        Some(token)
    );

    // What is no form is in the URL by its hash, whose value the library for Python computes.
    let json = r#"{"village":"Kampong"}"#;
    let mut hook = post(format!("{base}/c?of=1"), json);
    hook.headers[0].1 = "application/json".to_owned();
    hook.sign = Some(SigningKey::new("12345"));
    fetch(&door(), hook.clone()).await.unwrap();
    let hash = "39cbd321ba210c836d0d77fb2e9d15515b57ef9428b47a2d86ad5153edd5f86e";
    let query = format!("of=1&bodySHA256={hash}");
    let seen = notebook.seen().pop().unwrap();
    assert_eq!(seen.query, query);
    let signature = sign(&format!("{base}/c?{query}"), &[]);
    assert_eq!(seen.header("x-twilio-signature"), Some(&*signature));
    hook.sign = None;
    fetch(&door(), hook).await.unwrap();
    assert_eq!(notebook.seen().pop().unwrap().query, "of=1");

    webhook.url = format!("{base}/a?status=307&to={elsewhere}/b");
    fetch(&door(), webhook).await.unwrap();
    let away = &other.seen()[0];
    assert_eq!(
        away.header("x-twilio-signature"),
        None,
        "no signature for another server"
    );
    assert_eq!(away.body, "To=%2B1+2&Body=%C3%A9");

    fetch(&door(), get(format!("{base}/plain"))).await.unwrap();
    let plain = notebook.seen().pop().unwrap();
    assert_eq!(plain.header("x-twilio-signature"), None);
    assert_eq!(plain.header("i-twilio-idempotency-token"), None);
    assert_eq!(plain.header("x-home-region"), None);
    assert!(
        plain
            .header("user-agent")
            .unwrap()
            .starts_with("jackfield/")
    );
}

#[tokio::test]
async fn headers_that_belong_to_the_runtime_are_refused() {
    let notebook = Notebook::default();
    let base = notebook.serve().await;
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Cookie",
        "X-Twilio-Signature",
        "a b",
        "",
    ] {
        let mut request = get(&base);
        request.headers = vec![(name.into(), "1".into())];
        let refused = fetch(&door(), request).await.unwrap_err();
        assert!(
            matches!(refused, FetchError::Protocol(_)),
            "{name}: {refused}"
        );
    }
    let mut request = get(&base);
    request.headers = vec![("x-a".into(), "1\r\nx-b: 2".into())];
    assert!(matches!(
        fetch(&door(), request).await,
        Err(FetchError::Protocol(_))
    ));
    assert_eq!(notebook.seen().len(), 0);
}

#[tokio::test]
async fn bodies_are_bounded_whether_or_not_their_length_is_told() {
    let base = Notebook::default().serve().await;
    let usual = Limits::default();
    let small = |bounds: Bounds| Bounds {
        response_bytes: 1000,
        ..bounds
    };
    let egress = Egress::new(Limits {
        story: small(usual.story),
        media: Bounds {
            response_bytes: 2000,
            ..usual.media
        },
        request_bytes: 10,
        ..usual
    });
    for (bytes, kind, fits) in [
        (1000, Kind::Story, true),
        (1001, Kind::Story, false),
        (2000, Kind::Media, true),
        (2001, Kind::Media, false),
    ] {
        let mut request = get(format!("{base}/?bytes={bytes}"));
        request.kind = kind;
        match fetch(&egress, request).await {
            Ok(response) => assert!(fits && response.body.len() == bytes, "{bytes}"),
            Err(error) => assert!(!fits && matches!(error, FetchError::TooLarge(_)), "{error}"),
        }
    }
    let chunk = "x".repeat(0x200);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = format!("{head}200\r\n{chunk}\r\n200\r\n{chunk}\r\n");
    let chunked = Raw::bind("127.0.0.1:0", answer).await.unwrap();
    let error = fetch(&egress, get(format!("http://{}/", chunked.address)))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::TooLarge(_)), "{error}");
    let error = fetch(&egress, post(&base, "12345678901"))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::TooLarge(_)), "{error}");
}

/// A player asks for it by itself; whoever else wants audio is a story, and has it under a story's bounds.
#[tokio::test]
async fn a_webhook_that_is_answered_with_audio_has_no_body_of_any_size() {
    let base = Notebook::default().serve().await;
    let answered = async |query: &str, sign: bool| {
        let mut request = get(format!("{base}/?{query}"));
        request.sign = sign.then(|| SigningKey::new("12345"));
        fetch(&door(), request).await
    };
    let large = (256 << 10) + 1;
    for audio in ["audio/wav", "AUDIO/mpeg; a=b", "application/ogg"] {
        let query = format!("bytes={large}&type={audio}");
        let response = answered(&query, true).await.unwrap();
        assert_eq!((response.status, response.body.len()), (200, 0), "{audio}");
        assert!(response.url.starts_with(&base), "{}", response.url);
        let refused = answered(&query, false).await.unwrap_err();
        assert!(matches!(refused, FetchError::TooLarge(_)), "{refused}");
    }
    let small = answered("bytes=7&type=audio/wav", false).await.unwrap();
    assert_eq!(small.body.len(), 7);
    let query = format!("bytes={large}&type=text/xml");
    let refused = answered(&query, true).await.unwrap_err();
    assert!(matches!(refused, FetchError::TooLarge(_)), "{refused}");
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    for (answer, expected) in [
        (&b""[..], "no response within"),
        (b"HTTP/1.1 200 OK\r\nContent-", "no response within"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234",
            "not complete within",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n",
            "not complete within",
        ),
    ] {
        let tarpit = Raw::bind("127.0.0.1:0", answer).await.unwrap();
        let egress = Egress::new(brief());
        let error = fetch(&egress, get(format!("http://{}/", tarpit.address)))
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::TimedOut(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(tarpit.connections(), 1, "a stalled request is not repeated");
    }
}

#[tokio::test]
async fn a_tenant_whose_server_stalls_holds_up_no_other() {
    let tarpit = Raw::bind("127.0.0.1:0", b"").await.unwrap();
    let good = Notebook::default().serve().await;
    let usual = brief();
    let egress = Arc::new(Egress::new(Limits {
        story: Bounds {
            per_tenant: 2,
            at_once: 3,
            ..usual.story
        },
        ..usual
    }));
    let stalled: Vec<_> = (0..8)
        .map(|_| {
            let (egress, url) = (Arc::clone(&egress), format!("http://{}/", tarpit.address));
            tokio::spawn(async move {
                egress
                    .fetch("AC1", &loopback(), get(url), &CookieJar::default())
                    .await
            })
        })
        .collect();
    while tarpit.connections() < 2 {
        tokio::task::yield_now().await;
    }
    let jar = CookieJar::default();
    let answer = egress.fetch("AC2", &loopback(), get(good), &jar).await;
    assert_eq!(answer.unwrap().status, 200);
    let mut waited_in_vain = 0;
    for one in stalled {
        match one.await.unwrap() {
            Err(FetchError::TimedOut(text)) => {
                waited_in_vain += usize::from(text.contains("no place among 2 requests"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(waited_in_vain > 0);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = fetch(&Egress::new(brief()), get(format!("http://{closed}/")))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    let nowhere = Script::new(&[]);
    let egress = Egress::with_resolver(brief(), nowhere.clone());
    let error = fetch(&egress, get("http://nowhere.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    assert_eq!(nowhere.asked().len(), 2, "tried once more");
}

/// Twilio's connection overrides.
#[tokio::test]
async fn a_webhooks_fragment_says_what_is_tried_again() {
    let webhook = |url: String| {
        let mut webhook = post(url, "To=1");
        webhook.sign = Some(SigningKey::new("12345"));
        webhook
    };
    for (status, fragment, tries) in [
        (503, "", 1),
        (503, "#rc=2", 1),
        (503, "#rc=2&rp=5xx", 3),
        (503, "#rp=all", 2),
        (404, "#rc=2&rp=5xx", 1),
        (404, "#rc=2&rp=ct,4xx", 3),
        (200, "#rc=2&rp=all", 1),
    ] {
        let notebook = Notebook::default();
        let url = format!("{}/a?status={status}{fragment}", notebook.serve().await);
        let response = fetch(&door(), webhook(url)).await.unwrap();
        assert_eq!(response.status, status);
        let seen = notebook.seen();
        assert_eq!(seen.len(), tries, "{status} {fragment}");
        let token = |seen: &Seen| {
            seen.header("i-twilio-idempotency-token")
                .unwrap()
                .to_owned()
        };
        assert!(seen.iter().all(|one| token(one) == token(&seen[0])));
    }
    let notebook = Notebook::default();
    let base = notebook.serve().await;
    let unsigned = get(format!("{base}/a?status=503#rc=2&rp=5xx"));
    fetch(&door(), unsigned).await.unwrap();
    assert_eq!(notebook.seen().len(), 1, "no webhook");
    let refused = fetch(&door(), webhook(format!("{base}/#rc=9"))).await;
    assert!(matches!(refused, Err(FetchError::InvalidUrl(_))));
    assert_eq!(notebook.seen().len(), 1, "refused before it is sent");

    let nowhere = Script::new(&[]);
    let egress = Egress::with_resolver(brief(), nowhere.clone());
    let gone = webhook("http://nowhere.example/#rc=3".to_owned());
    fetch(&egress, gone).await.unwrap_err();
    assert_eq!(nowhere.asked().len(), 4);
}

#[tokio::test]
async fn a_webhooks_fragment_says_how_long_is_waited() {
    let tarpit = Raw::bind("127.0.0.1:0", &b""[..]).await.unwrap();
    for (fragment, connections, expected) in [
        ("rt=100", 1, "no response within 100ms"),
        ("rt=100&rp=rt", 3, "no response within 100ms"),
        ("tt=100&rp=all", 4, "100ms"),
        ("tt=15000&rt=15000", 5, "no response within 1s"),
    ] {
        let mut webhook = get(format!("http://{}/#{fragment}", tarpit.address));
        webhook.sign = Some(SigningKey::new("12345"));
        let error = fetch(&Egress::new(brief()), webhook).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{fragment}: {error}");
        assert_eq!(tarpit.connections(), connections, "{fragment}");
    }
}

#[tokio::test]
async fn what_is_not_http_or_not_tls_is_a_protocol_error() {
    let babble = Raw::bind("127.0.0.1:0", b"220 mail.example ESMTP\r\n")
        .await
        .unwrap();
    for (url, code) in [
        (
            format!("http://{}/TLS:", babble.address),
            fault_codes::PROTOCOL_VIOLATED,
        ),
        (
            format!("https://{}/", babble.address),
            fault_codes::TLS_FAILED,
        ),
    ] {
        let error = fetch(&Egress::new(brief()), get(&url)).await.unwrap_err();
        let FetchError::Protocol(why) = &error else {
            panic!("{url}: {error}");
        };
        assert_eq!(fault_codes::of_protocol(why), code, "{url}: {why}");
    }
}

#[tokio::test]
async fn errors_tell_neither_credentials_nor_query() {
    let babble = Raw::bind("127.0.0.1:0", b"nonsense\r\n\r\n").await.unwrap();
    let stalled = Raw::bind("127.0.0.1:0", b"").await.unwrap();
    for server in [&babble, &stalled] {
        let url = format!("http://user:hunter2@{}/p?pin=1234#frag", server.address);
        let error = fetch(&Egress::new(brief()), get(url))
            .await
            .unwrap_err()
            .to_string();
        for secret in ["user", "hunter2", "1234", "frag"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
    let debug = format!("{:?}", SigningKey::new("hunter2"));
    assert!(!debug.contains("hunter2"));
}

#[tokio::test]
async fn own_headers_go_to_their_server_and_to_no_other() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |who: &'static str| {
        let seen = Arc::clone(&seen);
        move |headers: HeaderMap| {
            let key = headers.get("x-api-key").cloned();
            seen.lock().unwrap().push((who, key));
            std::future::ready(())
        }
    };
    let other = serve(Router::new().route("/", any(note("other")))).await;
    let (first, elsewhere) = (note("first"), format!("http://{other}/"));
    let server = serve(
        Router::new()
            .route("/again", any(|| async { Redirect::temporary("/there") }))
            .route("/there", any(first))
            .route(
                "/away",
                any(move || async move { Redirect::temporary(&elsewhere) }),
            ),
    )
    .await;
    let with_key = |path: &str| Request {
        own_headers: OwnHeaders(vec![("X-Api-Key".to_owned(), "canary".to_owned())]),
        ..support::get(format!("http://{server}{path}"))
    };
    assert!(!format!("{:?}", with_key("/")).contains("canary"));
    let egress = Egress::new(brief());
    for path in ["/again", "/away"] {
        assert_eq!(fetch(&egress, with_key(path)).await.unwrap().status, 200);
    }
    let seen = seen.lock().unwrap();
    let keys: Vec<_> = seen
        .iter()
        .map(|(who, key)| (*who, key.is_some()))
        .collect();
    assert_eq!(keys, [("first", true), ("other", false)]);
}
