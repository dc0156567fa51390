//! A request as it came, with what its answers need.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Config;
use crate::dialog::Peer;
use crate::field::Name;
use crate::head::Head;
use crate::hop::Way;
use crate::lex;
use crate::write::{Writer, reason_phrase};
use crate::{Hop, NameAddr, PeerRules, Request, Via};

/// What an endpoint of this kind understands; goes into `Allow`.
pub(super) const ALLOW: (&str, &[u8]) = (
    "Allow",
    b"INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY",
);

/// What extensions it takes part in unasked; goes into `Supported`.
pub(super) const SUPPORTED: (&str, &[u8]) = ("Supported", b"timer");

/// What bodies it takes; goes into `Accept`.
pub(super) const ACCEPT: (&str, &[u8]) = ("Accept", b"application/sdp");

/// A valid request and where it came from.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) request: Request,
    pub(super) source: Hop,
    /// Where its responses go.
    pub(super) way_back: Way,
    /// Where the peer reaches us.
    pub(super) us: Hop,
    /// The user name in our `Contact`.
    pub(super) contact_user: Option<String>,
    /// Requests in a dialog it makes go to where it came from.
    pub(super) to_source: bool,
    /// Its topmost `Via` as responses carry it.
    via: Bytes,
}

impl Received {
    pub(super) fn new(request: Request, source: Hop, config: &Config, rules: PeerRules) -> Self {
        let way_back = way_back(request.via(), source, rules);
        let via = stamped(request.via(), source, rules);
        let contact = config.contacts.towards(source);
        Self {
            request,
            source,
            way_back,
            us: Hop::new(source.transport, rules.advertised.unwrap_or(contact)),
            contact_user: None,
            to_source: rules.to_source,
            via,
        }
    }

    /// The same request, of somebody who is spoken to by these rules.
    pub(super) fn under(self, config: &Config, rules: PeerRules) -> Self {
        Self::new(self.request, self.source, config, rules)
    }

    /// The other side of a dialog that this request makes.
    pub(super) fn peer(&self) -> Peer {
        Peer {
            source: self.source,
            to_source: self.to_source,
            us: self.us,
        }
    }

    /// Starts a response. `to_tag` is added unless the request's `To` has a tag already.
    pub(super) fn response(&self, config: &Config, answer: Answer<'_>) -> Writer {
        let has_tag = !self.request.to().tag().is_empty();
        let answer = Answer {
            to_tag: if has_tag { b"" } else { answer.to_tag },
            ..answer
        };
        respond(&self.request.head, &self.via, config, answer)
    }

    /// Starts a response that makes or keeps a dialog: with the routes the request recorded and our contact.
    pub(super) fn dialog_response(&self, config: &Config, answer: Answer<'_>) -> Writer {
        let mut writer = self.response(config, answer);
        writer.copy(&self.request.head, Name::RecordRoute);
        let contact = self.us.contact(self.contact_user.as_deref());
        writer.header_of("Contact", &[b"<", contact.as_bytes(), b">"]);
        writer.header(ALLOW.0, ALLOW.1);
        writer.header(SUPPORTED.0, SUPPORTED.1);
        writer
    }
}

/// A response's first line and tag.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    /// None: the usual phrase.
    pub(super) reason: Option<&'a str>,
    /// Empty: none.
    pub(super) to_tag: &'a [u8],
}

impl<'a> Answer<'a> {
    pub(super) fn new(status: u16, to_tag: &'a [u8]) -> Self {
        Self {
            status,
            reason: None,
            to_tag,
        }
    }
}

/// The answer to a request whose fault was found after its `Via` could be read: with what it has of the fields a
/// response repeats, each once. A `To` that can be read and has no tag gets one (RFC 3261 §8.2.6.2).
pub(super) fn respond_to_malformed(
    head: &Head,
    via: &Via,
    source: Hop,
    config: &Config,
    rules: PeerRules,
    answer: Answer<'_>,
) -> Bytes {
    let to = head.values(Name::To).next().unwrap_or_default();
    let takes_tag = NameAddr::parse(&head.share(to)).is_ok_and(|to| to.tag().is_empty());
    let answer = Answer {
        to_tag: if takes_tag { answer.to_tag } else { b"" },
        ..answer
    };
    respond(head, &stamped(via, source, rules), config, answer).finish()
}

/// Where a response to a request with this topmost `Via` goes, that came from `source` (RFC 3261 §18.2.2, RFC 3581 §4).
///
/// Always back to the address the request came from: `maddr` and the sent-by host name would let a request point our
/// answers at others. Over a stream that is the connection, and a new one to the sent-by port when it is gone; over UDP
/// the source's port when `rport` is asked or forced, otherwise the sent-by port.
pub(super) fn way_back(via: &Via, source: Hop, rules: PeerRules) -> Way {
    let port = via.port().unwrap_or(source.transport.default_port());
    let sent_by = Hop::new(source.transport, SocketAddr::new(source.address.ip(), port));
    if source.transport.is_reliable() {
        Way {
            to: source,
            otherwise: Some(sent_by.of(source.server)),
        }
    } else if rules.force_rport || via.asks_rport() {
        source.into()
    } else {
        sent_by.into()
    }
}

fn stamped(via: &Via, source: Hop, rules: PeerRules) -> Bytes {
    let tells_port = rules.force_rport && !source.transport.is_reliable();
    via.stamped(source.address, tells_port)
}

fn respond(head: &Head, stamped_via: &[u8], config: &Config, answer: Answer<'_>) -> Writer {
    let reason = answer
        .reason
        .unwrap_or_else(|| reason_phrase(answer.status));
    let mut writer = Writer::response(answer.status, reason);
    let mut vias = head.values(Name::Via);
    let others = lex::behind_first_item(vias.next().unwrap_or_default());
    writer.header_of("Via", &[stamped_via, others]);
    for via in vias {
        writer.header("Via", via);
    }
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
        match (head.values(name).next(), answer.to_tag) {
            (Some(to), tag @ [_, ..]) if name == Name::To => {
                writer.header_of("To", &[to, b";tag=", tag]);
            }
            (Some(value), _) => writer.header(name.as_str(), value),
            (None, _) => {}
        }
    }
    if let Some(user_agent) = &config.user_agent {
        writer.header("Server", user_agent.as_bytes());
    }
    writer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;
    use crate::testing::parse_request;

    fn source() -> Hop {
        Hop::udp("192.0.2.7:9".parse().unwrap())
    }

    #[test]
    fn the_way_back() {
        let forced = PeerRules {
            force_rport: true,
            ..PeerRules::default()
        };
        let plain = PeerRules::default();
        for (via, source, rules, to) in [
            ("UDP 10.0.0.1:5070", "10.0.0.1:9", plain, "10.0.0.1:5070"),
            ("UDP 10.0.0.1", "192.0.2.7:9", plain, "192.0.2.7:5060"),
            ("UDP 10.0.0.1", "192.0.2.7:9", forced, "192.0.2.7:9"),
            (
                "UDP 10.0.0.1:5070;rport",
                "192.0.2.7:9",
                plain,
                "192.0.2.7:9",
            ),
            ("UDP gw.example", "192.0.2.7:9", plain, "192.0.2.7:5060"),
            (
                "UDP gw.example;received=9.9.9.9;maddr=8.8.8.8;rport=1",
                "[2001:db8::7]:9",
                plain,
                "[2001:db8::7]:9",
            ),
        ] {
            let via = Via::parse(&format!("SIP/2.0/{via}").into()).unwrap();
            let way = way_back(&via, Hop::udp(source.parse().unwrap()), rules);
            assert_eq!(way, Hop::udp(to.parse().unwrap()).into(), "{via:?}");
        }
    }

    #[test]
    fn over_a_stream_the_connection_first() {
        for (via, otherwise) in [
            ("TLS 10.0.0.1:5070", "192.0.2.7:5070"),
            ("TLS 10.0.0.1;rport", "192.0.2.7:5061"),
        ] {
            let via = Via::parse(&format!("SIP/2.0/{via}").into()).unwrap();
            let source = Hop::new(Transport::Tls, "192.0.2.7:40000".parse().unwrap());
            let otherwise = Hop::new(Transport::Tls, otherwise.parse().unwrap());
            for server in [None, Some(crate::ServerId::new([1; 16]))] {
                let way = way_back(&via, source.of(server), PeerRules::default());
                let expected = (source.of(server), Some(otherwise.of(server)));
                assert_eq!((way.to, way.otherwise), expected);
            }
        }
    }

    #[test]
    fn a_response_repeats_what_it_must() {
        let request = parse_request(
            "INVITE sip:c@d SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1;rport, SIP/2.0/TCP g\r\nVia: SIP/2.0/UDP f\r\n\
             From: a <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\nCSeq: 1 INVITE\r\nRecord-Route: <sip:p;lr>\r\n\r\n",
        );
        let mut config = Config::new("10.0.0.1:5060".parse().unwrap());
        config.user_agent = Some("Test".to_owned());
        let received = Received::new(request, source(), &config, PeerRules::default());
        let bytes = received
            .dialog_response(&config, Answer::new(180, b"us"))
            .finish();
        assert_eq!(
            bytes,
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.7;rport=9, SIP/2.0/TCP g\r\n\
             Via: SIP/2.0/UDP f\r\nFrom: a <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=us\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
             Server: Test\r\nRecord-Route: <sip:p;lr>\r\nContact: <sip:10.0.0.1:5060>\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\nSupported: timer\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_tag_that_is_there_stays() {
        let request = parse_request(
            "BYE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n",
        );
        let config = Config::new("10.0.0.1:5060".parse().unwrap());
        let received = Received::new(request, source(), &config, PeerRules::default());
        let bytes = received.response(&config, Answer::new(481, b"us")).finish();
        assert!(String::from_utf8_lossy(&bytes).contains("To: <sip:c@d>;tag=2\r\n"));
    }
}
