//! WebSocket connections through the guarded door, to servers on loopback.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs)]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use jackfield_egress::{
    Egress, Grants, Limits, SigningKey, WebSocketBounds, WebSocketError, twilio_signature,
};
use support::{EMPTY_200, Raw, Script, brief, loopback};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use url::Url;

/// Accepts one WebSocket, sends back the handshake's signature and then whatever comes.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut greeting = String::new();
        #[allow(clippy::result_large_err, reason = "the library's type")]
        let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let field = |name| {
                let value = request.headers().get(name);
                value.map_or("", |value| value.to_str().unwrap()).to_owned()
            };
            greeting = format!(
                "{} {} {}",
                field("x-twilio-signature"),
                field("user-agent"),
                field("authorization")
            );
            Ok(response)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(tcp, look)
            .await
            .unwrap();
        socket.send(Message::text(greeting)).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    address
}

fn door(limits: Limits) -> Egress {
    Egress::new(limits)
}

fn websocket_brief(per_tenant: usize) -> Limits {
    Limits {
        websocket: WebSocketBounds {
            handshake: Duration::from_millis(500),
            per_tenant,
            ..WebSocketBounds::default()
        },
        ..brief()
    }
}

async fn text(socket: &mut jackfield_egress::WebSocket) -> String {
    let message = socket.messages.next().await.unwrap().unwrap();
    message.into_text().unwrap().to_string()
}

#[tokio::test]
async fn the_handshake_is_signed_and_messages_go_both_ways() {
    let url = format!("ws://u:p@{}/audio?x=1#rest", echo().await);
    let key = SigningKey::new("12345");
    let egress = door(Limits::default());
    let opened = egress
        .open_websocket("AC1", &loopback(), &url, Some(key))
        .await;
    let mut socket = opened.unwrap();
    let signature = twilio_signature("12345", &Url::parse(&url).unwrap(), []);
    let greeting = text(&mut socket).await;
    assert_eq!(
        greeting,
        format!("{signature} TwilioProxy/1.1 Basic dTpw"),
        "signature, agent, credentials"
    );
    socket.messages.send(Message::text("hello")).await.unwrap();
    assert_eq!(text(&mut socket).await, "hello");
}

#[tokio::test]
async fn an_unsigned_handshake_has_our_own_name() {
    let url = format!("ws://{}/", echo().await);
    let egress = door(Limits::default());
    let opened = egress.open_websocket("AC1", &loopback(), &url, None).await;
    let greeting = text(&mut opened.unwrap()).await;
    assert!(greeting.starts_with(" jackfield/"), "{greeting}");
}

#[tokio::test]
async fn what_is_no_granted_websocket_is_refused_with_a_reason() {
    let ok = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let junk = Raw::bind("127.0.0.1:0", &b"SSH-2.0-x\r\n\r\n"[..])
        .await
        .unwrap();
    let silent = Raw::bind("127.0.0.1:0", &b""[..]).await.unwrap();
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let none = Grants::default();
    let open = loopback();
    let rows: [(&Grants, String, &str); 9] = [
        (
            &none,
            "https://a.example/".to_owned(),
            "invalid URL: the scheme is `https`",
        ),
        (&none, "nonsense".to_owned(), "invalid URL: "),
        (&none, "ws://127.0.0.1:0/".to_owned(), "invalid URL: port 0"),
        (
            &none,
            format!("wss://{}/", ok.address),
            "not granted: 127.0.0.1 is a loopback address",
        ),
        (
            &none,
            "ws://8.8.8.8/".to_owned(),
            "not granted: ws:// is not encrypted",
        ),
        (&open, format!("ws://{nobody}/"), "unreachable: 127.0.0.1: "),
        (
            &open,
            format!("ws://{}/x?secret=1", ok.address),
            "status 200 to the handshake",
        ),
        (&open, format!("ws://{}/", junk.address), "protocol error: "),
        (
            &open,
            format!("ws://{}/", silent.address),
            "no answer to the handshake within 500ms",
        ),
    ];
    let egress = door(websocket_brief(10));
    for (grants, url, expected) in rows {
        let error = egress
            .open_websocket("AC1", grants, &url, None)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    for (scheme, code) in [
        ("ws", fault_codes::STREAM_PROTOCOL),
        ("wss", fault_codes::STREAM_TLS),
    ] {
        let url = format!("{scheme}://{}/", junk.address);
        let error = egress.open_websocket("AC1", &open, &url, None).await;
        let Err(WebSocketError::Protocol(why)) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(fault_codes::of_stream_protocol(why), code, "{why}");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_reached() {
    let server = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let script = Script::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let egress = Egress::with_resolver(websocket_brief(1), script.clone());
    let grants = Grants::default();
    let url = format!("wss://rebind.example:{}/", server.address.port());
    let error = egress.open_websocket("AC1", &grants, &url, None).await;
    assert!(error.is_err());
    assert_eq!((server.connections(), script.asked().len()), (0, 1));
}

#[tokio::test]
async fn a_tenant_has_so_many_and_a_closed_one_makes_room() {
    let egress = door(websocket_brief(1));
    let grants = loopback();
    let open = |url: String| {
        let (egress, grants) = (&egress, &grants);
        async move { egress.open_websocket("AC1", grants, &url, None).await }
    };
    let first = open(format!("ws://{}/", echo().await)).await.unwrap();
    let second = open(format!("ws://{}/", echo().await)).await;
    assert!(
        matches!(second, Err(WebSocketError::TimedOut(_))),
        "{second:?}"
    );
    drop(first);
    open(format!("ws://{}/", echo().await)).await.unwrap();
}
