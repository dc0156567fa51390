use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::recognition::Phrase;

type Seen = Arc<Mutex<Vec<String>>>;

fn service(text: &str) -> Result<Service, String> {
    let settings: ServiceSettings = toml::from_str(text).unwrap();
    Service::new("ears", &settings).map_err(|error| error.to_string())
}

fn task() -> Arc<Task> {
    Arc::new(Task {
        language: Language::parse("km").unwrap(),
        hints: vec!["yes".to_owned(), "a \"b\"".to_owned()],
        model: None,
        profanity_filter: true,
    })
}

/// What becomes of an utterance of so many frames.
async fn understand(service: &Service, frames: usize) -> (Result<(), String>, Vec<Phrase>) {
    let (audio_in, audio) = mpsc::channel(frames);
    for _ in 0..frames {
        audio_in.send([1_000; media::SAMPLES_8K]).await.unwrap();
    }
    drop(audio_in);
    let (phrases, mut understood) = mpsc::channel(32);
    let outcome = service
        .understand(task(), Channels { audio, phrases })
        .await;
    let mut heard = Vec::new();
    while let Some(phrase) = understood.recv().await {
        heard.push(phrase);
    }
    (outcome.map_err(|failure| failure.0), heard)
}

fn phrase(text: &str, confidence_permille: Option<u16>, is_stable: bool) -> Phrase {
    Phrase {
        text: text.to_owned(),
        confidence_permille,
        is_stable,
    }
}

/// A server that speaks as Vosk's does: after each 5 pieces of audio it says what it has, at the end what it was.
async fn listener() -> (String, Seen) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        let (tcp, _) = socket.accept().await.unwrap();
        let path = Arc::clone(&kept);
        #[allow(clippy::result_large_err, reason = "the library's type")]
        let look = move |request: &tokio_tungstenite::tungstenite::handshake::server::Request,
                         response| {
            let key = request.headers().get("authorization");
            let key = key.map_or("", |key| key.to_str().unwrap());
            path.lock()
                .unwrap()
                .push(format!("{} {key}", request.uri()));
            Ok(response)
        };
        let mut far_end = tokio_tungstenite::accept_hdr_async(tcp, look)
            .await
            .unwrap();
        let mut bytes = 0;
        let mut pieces = 0;
        while let Some(Ok(message)) = far_end.next().await {
            match message {
                Message::Binary(audio) => {
                    bytes += audio.len();
                    pieces += 1;
                    if pieces % 5 == 0 {
                        let partial = format!(r#"{{"partial": " w{} "}}"#, pieces / 5);
                        far_end.send(Message::text(partial)).await.unwrap();
                    }
                }
                Message::Text(text) => {
                    kept.lock().unwrap().push(text.to_string());
                    if text.contains("eof") {
                        let last = format!(r#"{{"text": "{bytes} bytes", "sure": 0.75}}"#);
                        far_end.send(Message::text(last)).await.unwrap();
                    }
                }
                _ => {}
            }
        }
    });
    (format!("ws://{address}"), seen)
}

#[tokio::test]
async fn a_websocket_hears_who_speaks_and_tells_the_words_so_far() {
    let (address, seen) = listener().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let service = service(&format!(
        r#"
url = "{address}/asr?lang={{language}}"
headers.authorization = "Bearer {{secret}}"
secret_file = "{}"
languages = ["km-KH"]
rate_hz = 16000
begin = '{{"config": {{"rate": {{rate_hz}}, "phrases": {{hints}}, "model": "{{model}}", "clean": {{profanity_filter}}}}}}'
end = '{{"eof": 1}}'
text = "/text"
partial = "/partial"
confidence = "/sure"
"#,
        secret.display()
    ))
    .unwrap();
    let (outcome, heard) = understand(&service, 10).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        heard,
        [
            phrase("w1", None, false),
            phrase("w2", None, false),
            phrase("6400 bytes", Some(750), true),
        ]
    );
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "/asr?lang=km-KH Bearer s3cret",
            r#"{"config": {"rate": 16000, "phrases": ["yes","a \"b\""], "model": "default", "clean": true}}"#,
            r#"{"eof": 1}"#,
        ]
    );
}

/// A server that answers a whole utterance; its path says how.
async fn answerer() -> (String, Seen) {
    let seen = Seen::default();
    let app = Router::new()
        .fallback(any(answer))
        .with_state(Arc::clone(&seen));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
    (format!("http://{address}"), seen)
}

async fn answer(State(seen): State<Seen>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers["content-type"].to_str().unwrap();
    let begin = String::from_utf8_lossy(&body[..4]).into_owned();
    let line = format!("{uri} {kind} {begin} {}", body.len());
    seen.lock().unwrap().push(line);
    match uri.path() {
        "/words" => r#"{"results": [{"text": "two  blankets", "sure": 2}]}"#.into_response(),
        "/silence" => r#"{"results": [{"text": ""}]}"#.into_response(),
        "/other" => r#"{"error": 1}"#.into_response(),
        "/html" => "<p>Sorry".into_response(),
        "/moved" => (StatusCode::FOUND, [("location", "/words")]).into_response(),
        _ => (StatusCode::UNAUTHORIZED, "no such\nkey").into_response(),
    }
}

#[tokio::test]
async fn a_service_over_http_gets_the_utterance_as_a_file() {
    let (address, seen) = answerer().await;
    let service = |path: &str| {
        service(&format!(
            "url = \"{address}{path}\"\nlanguages = [\"km\"]\ntext = \"/results/0/text\"\nconfidence = \"/results/0/sure\"\n"
        ))
        .unwrap()
    };
    let (outcome, heard) = understand(&service("/words?hints={hints}"), 50).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(heard, [phrase("two blankets", Some(1_000), true)]);
    assert_eq!(
        *seen.lock().unwrap(),
        ["/words?hints=yes%2Ca%20%22b%22 audio/wav RIFF 16044"]
    );
    let (_, heard) = understand(&service("/silence"), 1).await;
    assert_eq!(heard, [phrase("", None, true)]);
    for (path, failure) in [
        ("/other", "its answer has no text in it"),
        ("/html", "its answer is no JSON: "),
        ("/denied", "status 401: no such key"),
    ] {
        let (outcome, heard) = understand(&service(path), 1).await;
        let error = outcome.unwrap_err();
        assert!(error.starts_with(failure), "{path}: {error}");
        assert_eq!(heard, []);
    }
    let (outcome, _) = understand(&service("/moved"), 1).await;
    assert!(outcome.is_err(), "redirects are not followed");
}

#[tokio::test]
async fn nobody_there_is_told() {
    for scheme in ["ws", "http"] {
        let url = format!("url = \"{scheme}://127.0.0.1:9\"\nlanguages = [\"km\"]\ntext = \"/t\"");
        let (outcome, _) = understand(&service(&url).unwrap(), 1).await;
        let error = outcome.unwrap_err();
        assert!(error.starts_with("unreachable"), "{error}");
    }
}

#[test]
fn settings_that_do_not_fit_are_named() {
    const GOOD: &str = "languages = [\"km\"]\ntext = \"/text\"\n";
    for (settings, error) in [
        (
            format!("{GOOD}url = \"ftp://a/\""),
            "url: \"ftp://a/\" is no http or https or ws or wss URL",
        ),
        (
            format!("{GOOD}url = \"wss://{{model}}.example/\""),
            "url: nothing can be filled in in the host",
        ),
        (
            format!("{GOOD}url = \"http://a/?t={{text}}\""),
            "url: {text} cannot be filled in; there are {language}, {hints}",
        ),
        (
            format!("{GOOD}url = \"http://a/\"\npartial = \"/p\""),
            "partial is for a service behind ws:// or wss://",
        ),
        (
            format!("{GOOD}url = \"ws://a/\"\naudio = \"x\""),
            "audio: put {audio} into it",
        ),
        (
            format!("{GOOD}url = \"ws://a/?k={{secret}}\""),
            "secret_file is absent, but {secret} is used",
        ),
        (
            format!("{GOOD}url = \"ws://a/\"\nrate_hz = 44100"),
            "rate_hz is 44100: give 8000 or 16000",
        ),
        (
            format!("{GOOD}url = \"ws://a/\"\nconfidence = \"sure\""),
            "confidence is \"sure\": give a JSON pointer",
        ),
        (
            "languages = []\ntext = \"/text\"\nurl = \"ws://a/\"".to_owned(),
            "languages is empty",
        ),
    ] {
        let told = service(&settings).err().unwrap();
        let expected = format!("speech.input.service.ears.{error}");
        assert!(told.starts_with(&expected), "{told}");
    }
}
