//! A request as it came, with what its answers need.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Config;
use crate::field::Name;
use crate::head::Head;
use crate::lex;
use crate::write::{Writer, reason_phrase};
use crate::{Request, Via};

/// What an endpoint of this kind understands; goes into `Allow`.
pub(super) const ALLOW: (&str, &[u8]) = ("Allow", b"INVITE, ACK, CANCEL, BYE, OPTIONS");

/// What bodies it takes; goes into `Accept`.
pub(super) const ACCEPT: (&str, &[u8]) = ("Accept", b"application/sdp");

/// A valid request and where it came from.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) request: Request,
    pub(super) source: SocketAddr,
    /// Where its responses go.
    pub(super) destination: SocketAddr,
    /// Its topmost `Via` as responses carry it.
    via: Bytes,
}

impl Received {
    pub(super) fn new(request: Request, source: SocketAddr) -> Self {
        let destination = request.via().response_destination(source);
        let via = request.via().stamped(source);
        Self {
            request,
            source,
            destination,
            via,
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
        let contact = config.contact.to_string();
        writer.header_of("Contact", &[b"<sip:", contact.as_bytes(), b">"]);
        writer.header(ALLOW.0, ALLOW.1);
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
/// response repeats.
pub(super) fn respond_to_malformed(
    head: &Head,
    via: &Via,
    source: SocketAddr,
    config: &Config,
    status: u16,
) -> Bytes {
    respond(head, &via.stamped(source), config, Answer::new(status, b"")).finish()
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
    writer.copy(head, Name::From);
    for to in head.values(Name::To) {
        match answer.to_tag {
            b"" => writer.header("To", to),
            tag => writer.header_of("To", &[to, b";tag=", tag]),
        }
    }
    writer.copy(head, Name::CallId);
    writer.copy(head, Name::CSeq);
    if let Some(user_agent) = &config.user_agent {
        writer.header("Server", user_agent.as_bytes());
    }
    writer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_request;

    #[test]
    fn a_response_repeats_what_it_must() {
        let request = parse_request(
            "INVITE sip:c@d SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1;rport, SIP/2.0/TCP g\r\nVia: SIP/2.0/UDP f\r\n\
             From: a <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\nCSeq: 1 INVITE\r\nRecord-Route: <sip:p;lr>\r\n\r\n",
        );
        let received = Received::new(request, "192.0.2.7:9".parse().unwrap());
        let mut config = Config::new("10.0.0.1:5060".parse().unwrap());
        config.user_agent = Some("Test".to_owned());
        let bytes = received
            .dialog_response(&config, Answer::new(180, b"us"))
            .finish();
        assert_eq!(
            bytes,
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.7;rport=9, SIP/2.0/TCP g\r\n\
             Via: SIP/2.0/UDP f\r\nFrom: a <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=us\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
             Server: Test\r\nRecord-Route: <sip:p;lr>\r\nContact: <sip:10.0.0.1:5060>\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_tag_that_is_there_stays() {
        let request = parse_request(
            "BYE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n",
        );
        let received = Received::new(request, "192.0.2.7:9".parse().unwrap());
        let config = Config::new("10.0.0.1:5060".parse().unwrap());
        let bytes = received.response(&config, Answer::new(481, b"us")).finish();
        assert!(String::from_utf8_lossy(&bytes).contains("To: <sip:c@d>;tag=2\r\n"));
    }
}
