//! The endpoint over real sockets of loopback, as a peer meets it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use sip::{Hop, IpNet, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error as WebError, Message};

use super::{ConnectionEvent, Connections, Tls};
use crate::config::{Bound, Sip};
use crate::endpoint::{Admission, Endpoint, EndpointHandle, Refusal};

mod servers;

/// Far more than anything here takes.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// An authority that issues certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

/// A certificate and its key, in PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// A certificate of these names and IP addresses that ends in so many days.
    pub(super) fn issue(&self, names: &[&str], days: i64) -> Issued {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let end = std::time::SystemTime::now();
        let span = Duration::from_secs(days.unsigned_abs() * 24 * 3_600);
        let end = if days < 0 { end - span } else { end + span };
        params.not_after = end.into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let key = key.serialize_pem();
        Issued { certificate, key }
    }
}

impl Issued {
    /// Puts `certificate.pem` and `key.pem` into a folder.
    pub(super) fn write(&self, folder: &Path) {
        std::fs::write(folder.join("certificate.pem"), &self.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }
}

/// Nobody takes a call.
struct NobodyHome;

impl Admission for NobodyHome {
    fn admit(&mut self, _: Instant, _: sip::Incoming) -> Result<mpsc::Sender<sip::Event>, Refusal> {
        Err(Refusal {
            status: 480,
            retry_after: None,
        })
    }
}

fn free_port() -> Sip {
    Sip {
        bind: "127.0.0.1:0".parse::<SocketAddr>().unwrap().into(),
        ..Sip::default()
    }
}

/// An endpoint whose one peer is 127.0.0.1. It lives as long as the handle.
fn serve(settings: &Sip) -> (EndpointHandle, Bound) {
    let endpoint = Endpoint::bind(settings).unwrap();
    let bound = endpoint.bound().clone();
    let handle = endpoint.handle();
    let config = sip::Config::new(bound.plain[0]);
    let mut core = sip::Endpoint::new(config, [7; 32]);
    let peers: sip::PeerSet = ["127.0.0.1/32".parse::<IpNet>().unwrap()]
        .into_iter()
        .collect();
    core.set_peers(peers.clone());
    endpoint.start(core, NobodyHome).unwrap();
    handle.set_peers(peers);
    (handle, bound)
}

fn options(transport: &str, branch: usize, fields: &str) -> String {
    format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{branch};rport\r\n\
         From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\n{fields}\r\n"
    )
}

/// What comes until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 4_096];
        let read = timeout(LIMIT, stream.read(&mut buffer)).await;
        match read.expect("an answer in time") {
            Ok(0) => panic!("the connection was closed after {text:?}"),
            Ok(read) => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
            Err(error) => panic!("{error} after {text:?}"),
        }
    }
    text
}

/// Everything until the other side closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = timeout(LIMIT, stream.read_to_end(&mut bytes))
        .await
        .expect("the connection is closed");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_request_cut_anywhere_is_answered_over_its_connection() {
    let (_endpoint, bound) = serve(&free_port());
    let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for at in 1..options("TCP", 1_000, "l: 0\r\n").len() {
        let request = options("TCP", 1_000 + at, "l: 0\r\n");
        stream.write_all(&request.as_bytes()[..at]).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(&request.as_bytes()[at..]).await.unwrap();
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains(&format!("z9hG4bK{};", 1_000 + at)),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn two_requests_and_a_keepalive_in_one_segment() {
    let (_endpoint, bound) = serve(&free_port());
    let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
    let both = options("TCP", 1, "l: 2\r\n") + "ab" + &options("TCP", 2, "l: 0\r\n");
    stream.write_all(both.as_bytes()).await.unwrap();
    let answers = read_until(&mut stream, "\r\n\r\n").await;
    let answers = if answers.matches("SIP/2.0 200 OK").count() == 2 {
        answers
    } else {
        answers + &read_until(&mut stream, "\r\n\r\n").await
    };
    assert!(answers.contains("z9hG4bK1;") && answers.contains("z9hG4bK2;"));
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut stream, "\r\n").await, "\r\n");
}

#[tokio::test]
async fn a_broken_stream_is_answered_and_closed() {
    let (_endpoint, bound) = serve(&free_port());
    for (fields, expected) in [
        ("", "SIP/2.0 400 "),
        ("Content-Length: 1\r\nl: 2\r\n", "SIP/2.0 400 "),
        ("Content-Length: -1\r\n", "SIP/2.0 400 "),
        ("Content-Length: 65537\r\n", "SIP/2.0 400 "),
    ] {
        let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
        let request = options("TCP", 1, fields) + "more that nobody can cut";
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(expected), "{fields:?}: {answer:?}");
        assert_eq!(answer.matches("SIP/2.0 ").count(), 1);
    }
    let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 2]).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn connections_beyond_the_cap_are_closed_and_their_seats_come_back() {
    let settings = Sip {
        max_connections: 3,
        ..free_port()
    };
    let (_endpoint, bound) = serve(&settings);
    let mut seated = Vec::new();
    for branch in 0..3 {
        let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
        let request = options("TCP", branch, "l: 0\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        seated.push(stream);
    }
    let mut refused = TcpStream::connect(bound.plain[0]).await.unwrap();
    assert_eq!(read_to_end(&mut refused).await, "");
    seated.pop();
    // The seat is free as soon as the server has seen the end.
    let taken_on = async {
        loop {
            let mut stream = TcpStream::connect(bound.plain[0]).await.unwrap();
            let request = options("TCP", 9, "l: 0\r\n");
            if stream.write_all(request.as_bytes()).await.is_ok()
                && matches!(stream.read(&mut [0; 64]).await, Ok(1..))
            {
                return;
            }
        }
    };
    timeout(LIMIT, taken_on).await.expect("a seat");
}

#[tokio::test]
async fn ipv6_and_ipv4_over_one_socket_are_each_themselves() {
    let settings = Sip {
        bind: "[::]:0".parse::<SocketAddr>().unwrap().into(),
        ..Sip::default()
    };
    let (_endpoint, bound) = serve(&settings);
    let port = bound.plain[0].port();
    // The peer is listed by its IPv4 address: another spelling of it would be refused.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = options("UDP", 1, "");
    socket
        .send_to(request.as_bytes(), ("127.0.0.1", port))
        .await
        .unwrap();
    let mut buffer = [0; 2_048];
    let (length, from) = timeout(LIMIT, socket.recv_from(&mut buffer))
        .await
        .expect("an answer")
        .unwrap();
    let answer = std::str::from_utf8(&buffer[..length]).unwrap();
    assert!(answer.starts_with("SIP/2.0 200 OK"), "{answer}");
    assert!(answer.contains("received=127.0.0.1;"), "{answer}");
    assert_eq!(from.port(), port);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = options("TCP", 2, "l: 0\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.contains("received=127.0.0.1;"), "{answer}");
    let mut stream = TcpStream::connect(("::1", port)).await.unwrap();
    // To strangers no answer is longer than their request.
    let subject = format!("Subject: {}\r\nl: 0\r\n", "x".repeat(200));
    let request = options("TCP", 3, &subject);
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(
        answer.starts_with("SIP/2.0 403"),
        "::1 is no peer: {answer}"
    );
}

/// Connections without an endpoint behind them.
fn connections() -> (Connections, mpsc::Receiver<ConnectionEvent>) {
    let runtime = tokio::runtime::Handle::current();
    let (tls, _) = Tls::load(&Sip::default()).unwrap();
    Connections::start(Vec::new(), Bound::default(), 16, tls, runtime)
}

async fn listener() -> (TcpListener, Hop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hop = Hop::new(Transport::Tcp, listener.local_addr().unwrap());
    (listener, hop)
}

fn nobody() -> Hop {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Hop::new(Transport::Tcp, gone.local_addr().unwrap())
}

async fn next_closed(
    connections: &mut Connections,
    events: &mut mpsc::Receiver<ConnectionEvent>,
) -> Vec<Hop> {
    loop {
        let next = timeout(LIMIT, events.recv()).await.expect("events");
        match next.expect("connections are kept") {
            ConnectionEvent::Closed(closed) => return connections.closed(closed),
            ConnectionEvent::Opened(link) => connections.opened(link),
            ConnectionEvent::Message { .. } => {}
        }
    }
}

#[tokio::test]
async fn a_connection_is_opened_once_and_used_again() {
    let (mut connections, _news) = connections();
    let (listener, hop) = listener().await;
    connections.send(hop, None, "a".into()).unwrap();
    connections.send(hop, None, "b".into()).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(read_until(&mut stream, "ab").await, "ab");
    connections.send(hop, None, "c".into()).unwrap();
    assert_eq!(read_until(&mut stream, "c").await, "c");
    let second = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(second.is_err(), "one connection is enough");
}

#[tokio::test]
async fn what_has_no_connection_goes_the_other_way() {
    let (mut connections, _news) = connections();
    let (listener, otherwise) = listener().await;
    connections
        .send(nobody(), Some(otherwise), "late answer".into())
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(read_until(&mut stream, "answer").await, "late answer");
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_once() {
    let (mut connections, mut events) = connections();
    let hop = nobody();
    connections.send(hop, None, "a".into()).unwrap();
    connections.send(hop, None, "b".into()).unwrap();
    assert_eq!(next_closed(&mut connections, &mut events).await, [hop]);
    let ws = Hop::new(Transport::Ws, hop.address);
    assert_eq!(connections.send(ws, None, "a".into()), Err(ws));
}

#[tokio::test]
async fn a_connection_that_its_peer_gave_up_is_opened_anew() {
    let (mut connections, mut events) = connections();
    let (listener, hop) = listener().await;
    connections.send(hop, None, "a".into()).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    read_until(&mut stream, "a").await;
    drop(stream);
    assert_eq!(next_closed(&mut connections, &mut events).await, []);
    assert!(!connections.has(hop));
    connections.send(hop, None, "b".into()).unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(read_until(&mut stream, "b").await, "b");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up() {
    let (mut connections, mut events) = connections();
    let (listener, hop) = listener().await;
    let message = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    connections.send(hop, None, message.clone()).unwrap();
    let (first, _) = listener.accept().await.unwrap();
    // The first is being written, 64 wait, and the next gets a connection of its own.
    for _ in 0..66 {
        connections.send(hop, None, message.clone()).unwrap();
    }
    let second = timeout(LIMIT, listener.accept()).await;
    second.expect("a new connection").unwrap();
    assert_eq!(next_closed(&mut connections, &mut events).await, []);
    assert!(connections.has(hop), "the new one");
    drop(first);
}

/// TLS by files in `folder`, with a certificate of these names.
fn tls_settings(folder: &Path, authority: &Authority, names: &[&str]) -> Sip {
    authority.issue(names, 90).write(folder);
    std::fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    Sip {
        tls_certificate: Some(folder.join("certificate.pem")),
        tls_key: Some(folder.join("key.pem")),
        tls_roots: Some(folder.join("ca.pem")),
        ..free_port()
    }
}

#[tokio::test]
async fn a_request_over_tls_is_answered_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let settings = Sip {
        tls_bind: "127.0.0.1:0".parse::<SocketAddr>().unwrap().into(),
        ..tls_settings(folder.path(), &authority, &["us.example"])
    };
    let (_endpoint, bound) = serve(&settings);
    let (tls, _keeper) = Tls::load(&settings).unwrap();
    let stream = TcpStream::connect(bound.tls[0]).await.unwrap();
    let name = ServerName::try_from("us.example").unwrap();
    let mut stream = tls.connect(name, stream).await.unwrap();
    let request = options("TLS", 1, "l: 0\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 2_048];
    let length = timeout(LIMIT, stream.read(&mut answer))
        .await
        .expect("an answer")
        .unwrap();
    let answer = std::str::from_utf8(&answer[..length]).unwrap();
    assert!(answer.starts_with("SIP/2.0 200 OK"), "{answer}");
    assert!(answer.contains("SIP/2.0/TLS"), "{answer}");
    // Without TLS there is nothing to be had there.
    let mut stream = TcpStream::connect(bound.tls[0]).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(!read_to_end_of(&mut stream).await.starts_with(b"SIP"));
}

async fn read_to_end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(LIMIT, stream.read_to_end(&mut bytes))
        .await
        .expect("the connection is closed");
    bytes
}

fn handshake(subprotocol: Option<&'static str>) -> Request {
    let mut request = "ws://us.example/".into_client_request().unwrap();
    if let Some(subprotocol) = subprotocol {
        let value = http::HeaderValue::from_static(subprotocol);
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", value);
    }
    request
}

#[tokio::test]
async fn a_websocket_carries_a_message_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let settings = Sip {
        ws_bind: any.into(),
        wss_bind: any.into(),
        ..tls_settings(folder.path(), &authority, &["us.example"])
    };
    let (_endpoint, bound) = serve(&settings);
    let plain = TcpStream::connect(bound.ws[0]).await.unwrap();
    talk_over_websocket("WS", plain).await;
    let (tls, _keeper) = Tls::load(&settings).unwrap();
    let stream = TcpStream::connect(bound.wss[0]).await.unwrap();
    let name = ServerName::try_from("us.example").unwrap();
    let stream = tls.connect(name, stream).await.unwrap();
    talk_over_websocket("WSS", stream).await;
}

async fn talk_over_websocket<S>(transport: &str, stream: S)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut socket, response) = client_async(handshake(Some("chat, sip")), stream)
        .await
        .unwrap();
    let chosen = response.headers().get("Sec-WebSocket-Protocol").unwrap();
    assert_eq!(chosen, "sip");
    // No Content-Length is needed: the frame has one.
    for (branch, message) in [
        (1, Message::Text(options(transport, 1, "").into())),
        (2, Message::Binary(options(transport, 2, "").into())),
    ] {
        socket.send(message).await.unwrap();
        let answer = timeout(LIMIT, socket.next()).await.expect("an answer");
        let answer = answer.unwrap().unwrap().into_text().unwrap();
        assert!(answer.starts_with("SIP/2.0 200 OK"), "{answer}");
        let via = format!("SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{branch};");
        assert!(answer.contains(&via), "{answer}");
    }
    socket.send(Message::Text("\r\n\r\n".into())).await.unwrap();
    let pong = timeout(LIMIT, socket.next()).await.expect("a pong");
    assert_eq!(pong.unwrap().unwrap(), Message::Text("\r\n".into()));
    socket.send(Message::Ping("x".into())).await.unwrap();
    let pong = timeout(LIMIT, socket.next()).await.expect("a pong");
    assert_eq!(pong.unwrap().unwrap(), Message::Pong("x".into()));
    // Nobody needs messages of this size.
    let large = Message::Text("x".repeat(200_000).into());
    let _ = socket.send(large).await;
    let end = timeout(LIMIT, async {
        while let Some(Ok(_)) = socket.next().await {}
    });
    end.await.expect("the connection is closed");
}

#[tokio::test]
async fn a_websocket_that_is_not_for_sip_is_refused() {
    let settings = Sip {
        ws_bind: "127.0.0.1:0".parse::<SocketAddr>().unwrap().into(),
        ..free_port()
    };
    let (_endpoint, bound) = serve(&settings);
    for subprotocol in [None, Some("chat"), Some("sipx, xsip")] {
        let stream = TcpStream::connect(bound.ws[0]).await.unwrap();
        match client_async(handshake(subprotocol), stream).await {
            Err(WebError::Http(response)) => assert_eq!(response.status(), 400),
            other => panic!("{subprotocol:?}: {other:?}"),
        }
    }
    let mut stream = TcpStream::connect(bound.ws[0]).await.unwrap();
    stream
        .write_all(options("WS", 1, "").as_bytes())
        .await
        .unwrap();
    assert!(!read_to_end_of(&mut stream).await.starts_with(b"SIP"));
}
