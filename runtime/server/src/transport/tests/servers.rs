//! Connections of our own making: each is for the server that is met at its end, and for no other.

use sip::ServerId;
use store::TrunkId;
use tokio::sync::mpsc::Receiver;

use super::super::Server;
use super::super::servers::MAX_OURS_OF_TRUNK;
use super::*;

fn server(name: &str, owner: Option<&str>) -> Server {
    Server {
        name: name.into(),
        owner: owner.map(|owner| TrunkId(owner.to_owned())),
    }
}

/// Makes a server known that all trunks share.
fn expect(connections: &mut Connections, hop: Hop, name: &str) -> Hop {
    let server = server(name, None);
    let id = server.id();
    connections.expect(server, vec![hop]);
    hop.of(Some(id))
}

/// A server over TLS that has a certificate of these names.
struct Peer {
    hop: Hop,
    /// The connections that were made to it.
    taken: Receiver<tokio_rustls::server::TlsStream<TcpStream>>,
    connections: Connections,
    events: Receiver<ConnectionEvent>,
    _folder: tempfile::TempDir,
}

impl Peer {
    async fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("ours");
        let settings = tls_settings(folder.path(), &authority, names);
        let (tls, _keeper) = Tls::load(&settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hop = Hop::new(Transport::Tls, listener.local_addr().unwrap());
        let acceptor = tls.clone();
        let (takes, taken) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(Transport::Tls, stream).await {
                    takes.send(stream).await.unwrap();
                }
            }
        });
        let runtime = tokio::runtime::Handle::current();
        let (connections, events) =
            Connections::start(Vec::new(), Bound::default(), 16, tls, runtime);
        Self {
            hop,
            taken,
            connections,
            events,
            _folder: folder,
        }
    }

    fn expect(&mut self, name: &str) -> Hop {
        expect(&mut self.connections, self.hop, name)
    }

    fn send(&mut self, to: Hop, text: &'static str) {
        self.connections.send(to, None, text.into()).unwrap();
    }

    async fn next(&mut self) -> tokio_rustls::server::TlsStream<TcpStream> {
        let next = timeout(LIMIT, self.taken.recv()).await;
        next.expect("a connection").unwrap()
    }

    /// The hops that are told to be out of reach.
    async fn unreachable(&mut self) -> Vec<Hop> {
        next_closed(&mut self.connections, &mut self.events).await
    }
}

async fn heard(stream: &mut (impl tokio::io::AsyncRead + Unpin), text: &str) {
    let mut bytes = vec![0; text.len()];
    let read = timeout(LIMIT, stream.read_exact(&mut bytes)).await;
    read.expect("a message").unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

#[tokio::test]
async fn a_server_is_spoken_to_under_the_name_that_led_there() {
    let mut peer = Peer::of(&["sbc.example"]).await;
    let plain = peer.hop;
    // Without a name it must be the address, which this certificate is not for.
    peer.send(plain, "secret");
    assert_eq!(peer.unreachable().await, [plain]);
    let other = peer.expect("other.example");
    peer.send(other, "secret");
    assert_eq!(peer.unreachable().await, [other]);
    let right = peer.expect("sbc.example");
    peer.send(right, "hello");
    let mut stream = peer.next().await;
    heard(&mut stream, "hello").await;
    // Under another name it is another server, which has not proved itself; the right one is none the worse for it.
    peer.send(other, "secret");
    assert_eq!(peer.unreachable().await, [other]);
    peer.send(right, "and more");
    heard(&mut stream, "and more").await;
    assert!(peer.taken.try_recv().is_err(), "nobody else heard anything");
}

#[tokio::test]
async fn two_names_at_one_address_have_a_connection_each() {
    let mut peer = Peer::of(&["a.example", "b.example"]).await;
    let [a, b] = ["a.example", "b.example"].map(|name| peer.expect(name));
    assert_ne!(a, b);
    peer.send(a, "a1 ");
    let mut over_a = peer.next().await;
    peer.send(b, "b1 ");
    let mut over_b = peer.next().await;
    for (to, text) in [(a, "a2 "), (b, "b2 "), (a, "a3")] {
        // A call begins, and says anew whom it expects.
        peer.expect(if to == a { "a.example" } else { "b.example" });
        peer.send(to, text);
    }
    heard(&mut over_a, "a1 a2 a3").await;
    heard(&mut over_b, "b1 b2 ").await;
    assert!(peer.taken.try_recv().is_err(), "two are enough");
    assert!(peer.events.try_recv().is_err(), "neither was closed");
}

/// Whoever connected to us has proved nothing. Where it is gone, the one that is known at its address has to.
#[tokio::test]
async fn one_that_connected_to_us_is_met_under_its_name() {
    let mut peer = Peer::of(&["sbc.example"]).await;
    peer.expect("sbc.example");
    peer.send(peer.hop, "late answer");
    heard(&mut peer.next().await, "late answer").await;
}

#[tokio::test]
async fn nobody_is_met_under_a_name_that_is_not_known() {
    let (mut connections, _events) = connections();
    let (_listener, hop) = listener().await;
    let unknown = hop.of(Some(ServerId::new([7; 16])));
    assert_eq!(connections.send(unknown, None, "a".into()), Err(unknown));
    assert!(!connections.has(unknown));
}

#[tokio::test]
async fn a_trunk_with_many_connections_has_its_own_closed() {
    let (mut connections, _events) = connections();
    let (listener, hop) = listener().await;
    let mut open = |name: String, owner: &str| {
        let server = server(&name, Some(owner));
        let to = hop.of(Some(server.id()));
        connections.expect(server, Vec::new());
        connections.send(to, None, "x".into()).unwrap();
        to
    };
    let other = open("pbx.example".to_owned(), "west");
    let first = open("host0.example".to_owned(), "east");
    let second = open("host1.example".to_owned(), "east");
    for number in 2..MAX_OURS_OF_TRUNK {
        open(format!("host{number}.example"), "east");
    }
    // It was used again: the second is the one used longest ago.
    assert_eq!(open("host0.example".to_owned(), "east"), first);
    let last = open("one.more.example".to_owned(), "east");
    for (kept, is_kept) in [(other, true), (first, true), (second, false), (last, true)] {
        assert_eq!(connections.has(kept), is_kept, "{kept:?}");
    }
    drop(listener);
}
