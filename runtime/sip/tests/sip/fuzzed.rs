//! What holds for any bytes at all. The fuzz targets include this file, and the tests replay their corpora through it.

use std::time::Instant;

use bytes::Bytes;
use jackfield_sip::{
    BrokenStream, CSeq, Config, Endpoint, Fields, Frame, Framer, Hop, Input, IpNet, Message,
    NameAddr, Output, Transport, Uri, Via, parse,
};

/// A check of some bytes, which panics where they do harm.
pub(crate) type Check = fn(&[u8]);

/// Each fuzz target with its check.
pub(crate) const TARGETS: [(&str, Check); 4] = [
    ("sip_datagram", datagram),
    ("sip_stream", stream),
    ("sip_uri", uri),
    ("sip_values", values),
];

const PEER: &str = "10.0.0.2:5060";
const STRANGER: &str = "203.0.113.5:5060";

/// One datagram, from a peer and from a stranger: what is read reads the same again, state stays bounded, what we send are
/// answers that can be read, and the stranger gets no more bytes than it sent.
pub(crate) fn datagram(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(message) = parse(&bytes) {
        let again = parse(&fields(&message).to_bytes().into());
        assert_eq!(again.as_ref(), Ok(&message));
    }
    let mut endpoint = endpoint();
    let now = origin();
    for source in [PEER, STRANGER] {
        let from = Hop::udp(source.parse().expect("an address"));
        let bytes = bytes.clone();
        let size = bytes.len();
        endpoint.handle(now, Input::Received { from, bytes });
        let to_stranger = expect_answers(&mut endpoint);
        assert!(to_stranger <= size, "{to_stranger} bytes for {size}");
    }
    assert!(endpoint.dialogs() <= 1 && endpoint.transactions() <= 1);
    for _ in 0..300 {
        let Some(deadline) = endpoint.deadline() else {
            break;
        };
        endpoint.handle(deadline, Input::Timeout);
        expect_answers(&mut endpoint);
    }
}

/// A stream: the first byte says how long the pieces are that it comes in. It reads the same in one piece, and each message
/// and refused head goes to an endpoint.
pub(crate) fn stream(bytes: &[u8]) {
    let Some((length, stream)) = bytes.split_first() else {
        return;
    };
    let whole = read_stream([stream]);
    let in_pieces = read_stream(stream.chunks(usize::from(*length) + 1));
    assert_eq!(whole, in_pieces);
    let (frames, end) = whole;
    let head = end.err().and_then(|broken| broken.head);
    let messages = frames.into_iter().filter_map(|frame| match frame {
        Frame::Message(bytes) => Some(bytes),
        Frame::Ping => None,
    });
    let from = Hop::new(
        Transport::Tcp,
        "10.0.0.2:40000".parse().expect("an address"),
    );
    let (mut endpoint, now) = (endpoint(), origin());
    for bytes in messages.chain(head) {
        endpoint.handle(now, Input::Received { from, bytes });
        expect_answers(&mut endpoint);
    }
}

/// A URI: what its parts say is in it, and it is what it is written as.
pub(crate) fn uri(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let Ok(uri) = Uri::parse(&bytes) else { return };
    assert_eq!(uri.as_bytes(), bytes);
    assert_eq!(Uri::parse(&bytes).as_ref(), Ok(&uri));
    assert!(!bytes.iter().any(|b| *b <= b' ' || b"<>\"\x7f".contains(b)));
    assert!(uri.user().is_none_or(|user| user.len() <= 2 * bytes.len()));
    if let Some(address) = uri.socket_address() {
        assert_eq!(uri.port().unwrap_or(address.port()), address.port());
    }
    // In a message it is the same URI.
    if let Ok(text) = std::str::from_utf8(&bytes) {
        let address = NameAddr::parse(&format!("\"a\\\"\" <{text}>;tag=x").into());
        let address = address.expect("a URI can stand in brackets");
        assert_eq!((address.uri(), address.tag()), (&uri, &b"x"[..]));
    }
}

/// A value of a header field, read as each kind there is: what is read reads the same again.
pub(crate) fn values(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(address) = NameAddr::parse(&bytes) {
        let (_, _) = (address.display_name(), address.param("q"));
        let again = [b"<", address.uri().as_bytes(), b">"].concat();
        let again = NameAddr::parse(&again.into()).map(|again| again.uri().clone());
        assert_eq!(again.as_ref(), Ok(address.uri()));
    }
    if let Ok(via) = Via::parse(&bytes) {
        let again = Via::parse(&Bytes::copy_from_slice(via.as_bytes()));
        assert_eq!(again.as_ref(), Ok(&via));
        assert!(via.branch().is_none_or(|branch| branch.len() > 7));
    }
    if let Ok(cseq) = CSeq::parse(&bytes) {
        let again = format!("{} {}", cseq.number, cseq.method);
        assert_eq!(CSeq::parse(&again.into()), Ok(cseq));
    }
}

fn read_stream<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Result<bool, BrokenStream>) {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.buffer().extend_from_slice(piece);
        loop {
            match framer.poll() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(broken) => return (frames, Err(broken)),
            }
        }
    }
    (frames, Ok(framer.is_within_message()))
}

/// An endpoint whose peers are 10.0.0.0/8.
fn endpoint() -> Endpoint {
    let config = Config::new("10.0.0.1:5060".parse().expect("an address"));
    let mut endpoint = Endpoint::new(config, [1; 32]);
    let peers = "10.0.0.0/8".parse::<IpNet>().expect("a prefix");
    endpoint.set_peers([peers].into_iter().collect());
    endpoint
}

/// Takes what an endpoint sends, which must be answers, and gives the length of those to the stranger.
fn expect_answers(endpoint: &mut Endpoint) -> usize {
    let stranger = STRANGER.parse().map(Hop::udp).expect("an address");
    let mut to_stranger = 0;
    while let Some(output) = endpoint.poll() {
        let Output::Transmit { to, bytes, .. } = output else {
            continue;
        };
        if to.address.ip() == stranger.address.ip() {
            to_stranger += bytes.len();
        }
        // A refusal repeats the fields of a request that could not be read.
        let is_refusal = bytes.starts_with(b"SIP/2.0 400 ") || bytes.starts_with(b"SIP/2.0 505 ");
        let read = parse(&bytes);
        assert!(
            is_refusal || matches!(read, Ok(Message::Response(_))),
            "{:?}: {}",
            read.err(),
            String::from_utf8_lossy(&bytes)
        );
    }
    to_stranger
}

fn fields(message: &Message) -> &Fields {
    match message {
        Message::Request(request) => request,
        Message::Response(response) => response,
    }
}

/// Where simulated time starts.
#[allow(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other origin; only distances from it matter"
)]
fn origin() -> Instant {
    Instant::now()
}
