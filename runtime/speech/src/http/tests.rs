use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;

use super::*;
use crate::testing::wav;
use crate::{Prosody, Word};

/// What a service saw: the request in one line, and its body.
type Seen = Arc<Mutex<Vec<String>>>;

/// A service on loopback. Its path says how it answers.
async fn serve() -> (String, Seen) {
    let seen = Seen::default();
    let app = Router::new()
        .fallback(any(answer))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (format!("http://{address}"), seen)
}

async fn answer(
    State(seen): State<Seen>,
    method: http::Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    let secret = header("authorization").to_owned();
    seen.lock()
        .unwrap()
        .push(format!("{method} {uri} {secret} {body}"));
    let wav = || wav(&[8_000; 1_600]);
    match uri.path() {
        "/wav" => ([("content-type", "audio/wav")], wav()).into_response(),
        "/bytes" => ([("content-type", "application/octet-stream")], wav()).into_response(),
        "/html" => ([("content-type", "text/html; charset=utf-8")], "<p>Sorry").into_response(),
        "/noise" => ([("content-type", "audio/wav")], "no audio").into_response(),
        "/large" => ([("content-type", "audio/wav")], vec![0; 100_000]).into_response(),
        "/moved" => (StatusCode::FOUND, [("location", "/wav")]).into_response(),
        "/slow" => std::future::pending().await,
        "/denied" => (StatusCode::UNAUTHORIZED, format!("no such\nkey {secret}")).into_response(),
        other => (StatusCode::NOT_FOUND, other.to_owned()).into_response(),
    }
}

fn settings(text: &str) -> HttpSettings {
    toml::from_str(text).unwrap()
}

fn run(text: &str) -> Run {
    Run {
        words: vec![Word::Text(text.to_owned())],
        ..Run::default()
    }
}

async fn ask(settings: &HttpSettings, run: &Run) -> Result<Vec<i16>, String> {
    let service = HttpService::new("khmer", settings).unwrap();
    let khmer = Language::parse("km").unwrap();
    let voice = service.voice_for(&khmer, None).unwrap();
    let spoken = service.speak(run, &khmer, &voice).await;
    spoken.map_err(|failure| failure.0)
}

#[tokio::test]
async fn requests_are_as_described() {
    let (address, seen) = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let secret = secret.display();
    for (settings, expected) in [
        (
            format!("url = '{address}/wav?t={{text}}&l={{language}}'\nlanguages = ['km-KH']"),
            "GET /wav?t=%E1%9E%81%20%22%26%22&l=km-KH  ",
        ),
        (
            format!(
                "url = '{address}/bytes'\nlanguages = ['km']\nvoices = ['sok', 'sao']\nsecret_file = '{secret}'\n\
                 body = '{{\"input\": {{\"text\": \"{{text}}\"}}, \"voice\": \"{{voice}}\", \"speed\": {{rate}}}}'\n\
                 [headers]\ncontent-type = 'application/json'\nauthorization = 'Bearer {{secret}}'"
            ),
            "POST /bytes Bearer s3cret {\"input\": {\"text\": \"ខ \\\"&\\\"\"}, \"voice\": \"sok\", \"speed\": 1.5}",
        ),
        (
            format!(
                "url = '{address}/wav'\nmethod = 'POST'\nlanguages = ['km']\nbody = '{{ssml}}'\n\
                 headers.content-type = 'application/ssml+xml'"
            ),
            "POST /wav  <speak version=\"1.1\" xml:lang=\"km\"><prosody rate=\"150%\" pitch=\"+0%\">ខ &quot;&amp;&quot;</prosody></speak>",
        ),
    ] {
        let mut run = run("ខ \"&\"");
        run.prosody = Prosody {
            rate: 1.5,
            ..Prosody::default()
        };
        let samples = ask(&self::settings(&settings), &run).await.unwrap();
        assert_eq!(samples, [8_000; 1_600]);
        assert_eq!(seen.lock().unwrap().pop().unwrap(), expected);
    }
}

#[tokio::test]
async fn each_fault_of_a_service_has_a_text_of_its_own() {
    let (address, seen) = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    std::fs::write(&secret, "s3cret").unwrap();
    for (path, more, expected) in [
        (
            "html",
            "",
            "it answered with \"text/html\" instead of audio",
        ),
        (
            "wav",
            "content_type = ['audio/mpeg', 'audio/ogg']",
            "it answered with \"audio/wav\" instead of audio/mpeg or audio/ogg",
        ),
        ("noise", "", "what it gave is no audio"),
        ("large", "max_bytes = 1000", "too large: "),
        (
            "moved",
            "",
            "it redirects, which is not followed: write the address it leads to into `url`",
        ),
        ("slow", "timeout_s = 1", "timed out: "),
        ("denied", "", "status 401: no such key Bearer (secret)"),
        ("absent", "", "status 404: /absent"),
    ] {
        let text = format!(
            "url = '{address}/{path}?{{text}}'\nlanguages = ['km']\nsecret_file = '{}'\n{more}\n\
             [headers]\nauthorization = 'Bearer {{secret}}'",
            secret.display()
        );
        let error = ask(&settings(&text), &run("x")).await.unwrap_err();
        assert!(error.starts_with(expected), "{path}: {error}");
        assert!(!error.contains("s3cret"), "{path}: {error}");
    }
    assert_eq!(
        seen.lock().unwrap().len(),
        8,
        "asked once each, and no redirect followed"
    );
    let nobody = settings("url = 'http://127.0.0.1:1/{text}'\nlanguages = ['km']");
    let error = ask(&nobody, &run("x")).await.unwrap_err();
    assert!(error.starts_with("unreachable: "), "{error}");
}

#[test]
fn languages_and_voices_are_those_described() {
    let settings = settings(
        "url = 'https://tts.example/{text}/{voice}'\nlanguages = ['km-KH', 'lo']\nvoices = ['a', 'b']\nwoman = 'b'",
    );
    let service = HttpService::new("khmer", &settings).unwrap();
    for (language, gender, expected) in [
        ("km", None, Some("a")),
        ("KM-kh", Some(Gender::Woman), Some("b")),
        ("lo-LA", Some(Gender::Man), Some("a")),
        ("th", None, None),
    ] {
        let language = Language::parse(language).unwrap();
        assert_eq!(
            service.voice_for(&language, gender).as_deref(),
            expected,
            "{language}"
        );
    }
    assert_eq!(service.languages_of("b").unwrap().len(), 2);
    assert_eq!(service.languages_of("c"), None);
}

#[test]
fn settings_that_do_not_fit_are_named() {
    for (text, expected) in [
        (
            "url = 'https://a/{text}'\nlanguages = []",
            "http.khmer.languages is empty",
        ),
        (
            "url = 'https://a/{text}'\nlanguages = ['k m']",
            "http.khmer.languages: \"k m\" is no language",
        ),
        (
            "url = 'https://a/'\nlanguages = ['km']",
            "http.khmer.url: put {text} or {ssml}",
        ),
        (
            "url = 'ftp://a/{text}'\nlanguages = ['km']",
            "http.khmer.url: \"ftp://a/{text}\" is no http or https URL",
        ),
        (
            "url = 'https://{voice}.a/{text}'\nlanguages = ['km']",
            "http.khmer.url: nothing can be filled in in the host",
        ),
        (
            "url = 'https://a/{test}'\nlanguages = ['km']",
            "http.khmer.url: {test} cannot be filled in",
        ),
        (
            "url = 'https://a/{text}/{voice}'\nlanguages = ['km']",
            "http.khmer.voices is empty",
        ),
        (
            "url = 'https://a/{text}/{secret}'\nlanguages = ['km']",
            "http.khmer.secret_file is absent",
        ),
        (
            "url = 'https://a/{text}'\nlanguages = ['km']\nsecret_file = '/nowhere/x'",
            "http.khmer.secret_file: /nowhere/x: ",
        ),
        (
            "url = 'https://a/{text}'\nlanguages = ['km']\nsecret_file = '/dev/null'",
            "http.khmer.secret_file: /dev/null is not one line",
        ),
        (
            "url = 'https://a/{text}'\nlanguages = ['km']\nheaders.x = '{text}'",
            "http.khmer.headers: the text does not fit into x",
        ),
    ] {
        let error = HttpService::new("khmer", &settings(text)).err().unwrap();
        let wanted = format!("speech.{expected}");
        assert!(error.to_string().starts_with(&wanted), "{text}: {error}");
    }
}
