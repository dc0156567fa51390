//! From a datagram to a message that keeps RFC 3261's rules, or to the fault it has.

use bytes::Bytes;

use crate::field::Name;
use crate::head::Head;
use crate::lex;
use crate::message::Fields;
use crate::{CSeq, Message, Method, NameAddr, Request, Response, SipError, Transport, Uri, Via};

/// A datagram that is not a valid message. Where it is a request that can be answered, the endpoint does so from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Malformed {
    /// The first fault found.
    #[source]
    pub error: SipError,
    /// The lines, where the datagram could be cut into such.
    pub(crate) head: Option<Head>,
}

impl Malformed {
    /// Whether the one who sent it can be told: a request whose first line and topmost `Via` can be made out.
    #[must_use]
    pub fn is_answerable(&self) -> bool {
        let is_request = |head: &&Head| !is_status_line(head.first_line());
        let head = self.head.as_ref().filter(is_request);
        head.is_some_and(|head| top_via(head).is_ok())
    }
}

/// Reads one datagram. Bytes behind the body are ignored (RFC 3261 §18.3).
///
/// Lenient where RFC 4475 is: white space, folding, compact and unknown names, any method, Latin-1. Strict where two
/// readers could disagree: line endings, duplicates, lengths, the first line.
///
/// # Errors
///
/// [`Malformed`] with the first fault.
pub fn parse(datagram: &Bytes) -> Result<Message, Malformed> {
    let head = Head::read(datagram).map_err(|error| Malformed { error, head: None })?;
    let first_line = head.share(head.first_line());
    let message = if is_status_line(&first_line) {
        response(&first_line, head)
    } else {
        request(&first_line, head)
    };
    message.map_err(|(error, head)| Malformed {
        error,
        head: Some(head),
    })
}

/// Reads a message of a transport. On a stream `Content-Length` is mandatory (RFC 3261 §20.14): a message without one is the
/// head that [`crate::BrokenStream`] keeps, to be answered and not to be acted on.
pub(crate) fn parse_over(transport: Transport, bytes: &Bytes) -> Result<Message, Malformed> {
    let message = parse(bytes)?;
    let is_stream = matches!(transport, Transport::Tcp | Transport::Tls);
    let head = match &message {
        Message::Request(request) => &request.head,
        Message::Response(response) => &response.head,
    };
    if is_stream && head.values(Name::ContentLength).next().is_none() {
        return Err(Malformed {
            error: SipError::Missing("Content-Length"),
            head: Some(head.clone()),
        });
    }
    Ok(message)
}

/// Whether a first line belongs to a response: only those start with the protocol's name.
pub(crate) fn is_status_line(line: &[u8]) -> bool {
    line.get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"))
}

fn request(line: &Bytes, head: Head) -> Result<Message, (SipError, Head)> {
    let read = || -> Result<_, SipError> {
        let (method, uri) = request_line(line)?;
        let cseq = cseq(&head)?;
        if cseq.method != method {
            return Err(SipError::MethodMismatch);
        }
        if let Some(hops) = head.single(Name::MaxForwards)? {
            let hops = lex::number(hops).filter(|&hops| hops <= 255);
            hops.ok_or(SipError::Malformed("Max-Forwards"))?;
        }
        check_contacts(&method, &head)?;
        Ok((method, uri, cseq))
    };
    match read() {
        Ok((method, uri, cseq)) => {
            let fields = fields(head, cseq)?;
            Ok(Message::Request(Request {
                fields,
                method,
                uri,
            }))
        }
        Err(error) => Err((error, head)),
    }
}

fn response(line: &Bytes, head: Head) -> Result<Message, (SipError, Head)> {
    let read = || Ok((status_line(line)?, cseq(&head)?));
    match read() {
        Ok(((status, reason), cseq)) => {
            let fields = fields(head, cseq)?;
            Ok(Message::Response(Response {
                fields,
                status,
                reason,
            }))
        }
        Err(error) => Err((error, head)),
    }
}

/// `METHOD URI SIP/2.0`, with one space each (RFC 3261 §7.1).
fn request_line(line: &Bytes) -> Result<(Method, Uri), SipError> {
    let (method, rest) = lex::cut(line, b' ').ok_or(SipError::StartLine)?;
    let (uri, version) = lex::cut(rest, b' ').ok_or(SipError::StartLine)?;
    if !lex::is_token(method) {
        return Err(SipError::StartLine);
    }
    check_version(version)?;
    let uri = Uri::parse(&line.slice_ref(uri))?;
    if uri.has_headers() {
        return Err(SipError::Malformed("Request-URI"));
    }
    Ok((Method::from_token(&line.slice_ref(method)), uri))
}

/// `SIP/2.0 STATUS REASON`; the reason may be empty, and its space with it (RFC 3261 §7.2).
fn status_line(line: &Bytes) -> Result<(u16, Bytes), SipError> {
    let (version, rest) = lex::cut(line, b' ').unwrap_or((line, b""));
    check_version(version)?;
    let (digits, reason) = lex::cut(rest, b' ').unwrap_or((rest, b""));
    let status = lex::number(digits).and_then(|status| u16::try_from(status).ok());
    let status = status
        .filter(|status| digits.len() == 3 && (100..700).contains(status))
        .ok_or(SipError::StartLine)?;
    Ok((status, line.slice_ref(reason)))
}

fn check_version(version: &[u8]) -> Result<(), SipError> {
    let number = version.get(4..).unwrap_or_default();
    let is_sip = version.len() > 4 && version[..4].eq_ignore_ascii_case(b"SIP/");
    let is_number = lex::cut(number, b'.').is_some()
        && lex::find(number, |b| !b.is_ascii_digit() && b != b'.').is_none();
    match number {
        b"2.0" if is_sip => Ok(()),
        _ if is_sip && is_number => Err(SipError::Version),
        _ => Err(SipError::StartLine),
    }
}

fn cseq(head: &Head) -> Result<CSeq, SipError> {
    let value = head.single(Name::CSeq)?.ok_or(SipError::Missing("CSeq"))?;
    CSeq::parse(&head.share(value))
}

/// Contacts of requests that make dialogs or bindings are where later requests go: they must be readable.
fn check_contacts(method: &Method, head: &Head) -> Result<(), SipError> {
    if !matches!(
        method,
        Method::Invite | Method::Register | Method::Subscribe
    ) {
        return Ok(());
    }
    for contact in head.items(Name::Contact).filter(|contact| contact != b"*") {
        NameAddr::parse(&head.share(contact))?;
    }
    Ok(())
}

/// Reads what every message has. Gives the head back with a fault, so that it can be answered.
fn fields(head: Head, cseq: CSeq) -> Result<Box<Fields>, (SipError, Head)> {
    let read = || -> Result<_, SipError> {
        Ok((
            top_via(&head)?,
            address(&head, Name::From)?,
            address(&head, Name::To)?,
            call_id(&head)?,
            body(&head)?,
        ))
    };
    match read() {
        Ok((via, from, to, call_id, body)) => Ok(Box::new(Fields {
            head,
            via,
            from,
            to,
            call_id,
            cseq,
            body,
        })),
        Err(error) => Err((error, head)),
    }
}

/// The topmost `Via`.
pub(crate) fn top_via(head: &Head) -> Result<Via, SipError> {
    let value = head
        .items(Name::Via)
        .next()
        .ok_or(SipError::Missing("Via"))?;
    Via::parse(&head.share(value))
}

fn address(head: &Head, name: Name) -> Result<NameAddr, SipError> {
    let value = head.single(name)?.ok_or(SipError::Missing(name.as_str()))?;
    NameAddr::parse(&head.share(value))
}

fn call_id(head: &Head) -> Result<Bytes, SipError> {
    let value = head
        .single(Name::CallId)?
        .ok_or(SipError::Missing("Call-ID"))?;
    let is_one_word = !value.is_empty() && lex::find(value, lex::is_blank).is_none();
    is_one_word
        .then(|| head.share(value))
        .ok_or(SipError::Malformed("Call-ID"))
}

fn body(head: &Head) -> Result<Bytes, SipError> {
    // Two readers may not take one body for two things.
    head.single(Name::ContentType)?;
    head.single(Name::ContentDisposition)?;
    let rest = head.rest();
    let length = match head.single(Name::ContentLength)? {
        None => rest.len(),
        Some(digits) => lex::number(digits).ok_or(SipError::Malformed("Content-Length"))? as usize,
    };
    (length <= rest.len())
        .then(|| rest.slice(..length))
        .ok_or(SipError::ContentLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n";

    fn check(text: &str, expected: Result<(), SipError>) {
        let parsed = parse(&Bytes::copy_from_slice(text.as_bytes()));
        assert_eq!(
            parsed.map(|_| ()).map_err(|m| m.error),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn first_lines() {
        for (line, expected) in [
            ("INVITE sip:c@d SIP/2.0", Ok(())),
            ("INVITE sip:c@d sip/2.0", Ok(())),
            ("INVITE tel:112 SIP/2.0", Ok(())),
            ("SIP/2.0 180 Ringing", Ok(())),
            ("SIP/2.0 180 ", Ok(())),
            ("SIP/2.0 180", Ok(())),
            ("SIP/2.0 099 Low", Err(SipError::StartLine)),
            ("SIP/2.0 700 High", Err(SipError::StartLine)),
            ("SIP/2.0 4294967301 Wraps", Err(SipError::StartLine)),
            ("SIP/3.0 200 OK", Err(SipError::Version)),
            ("INVITE sip:c@d SIP/7.0", Err(SipError::Version)),
            ("INVITE sip:c@d HTTP/1.1", Err(SipError::StartLine)),
            ("INVITE sip:c@d", Err(SipError::StartLine)),
            ("INVITE  sip:c@d SIP/2.0", Err(SipError::StartLine)),
            ("INVITE sip:c@d SIP/2.0 ", Err(SipError::StartLine)),
            ("INVITE <sip:c@d> SIP/2.0", Err(SipError::Malformed("URI"))),
            (
                "INVITE sip:c@d?Route=%3Csip:e%3E SIP/2.0",
                Err(SipError::Malformed("Request-URI")),
            ),
            ("INV(TE sip:c@d SIP/2.0", Err(SipError::StartLine)),
            ("invite sip:c@d SIP/2.0", Err(SipError::MethodMismatch)),
        ] {
            check(&format!("{line}\r\n{FIELDS}\r\n"), expected);
        }
    }

    #[test]
    fn header_fields() {
        for (extra, expected) in [
            ("", Ok(())),
            ("Max-Forwards: 0070\r\n", Ok(())),
            (
                "Max-Forwards: 300\r\n",
                Err(SipError::Malformed("Max-Forwards")),
            ),
            ("To: <sip:e@f>\r\n", Err(SipError::Duplicate("To"))),
            ("t: <sip:e@f>\r\n", Err(SipError::Duplicate("To"))),
            ("CSeq: 1 INVITE\r\n", Err(SipError::Duplicate("CSeq"))),
            ("Contact: ;;;;\r\n", Err(SipError::Malformed("parameter"))),
            (
                "Contact: <sip:a@b>, sip:c@d?x=y\r\n",
                Err(SipError::Malformed("address")),
            ),
            ("Content-Length: 1\r\n", Err(SipError::ContentLength)),
            (
                "Content-Length: -1\r\n",
                Err(SipError::Malformed("Content-Length")),
            ),
            (
                "c: application/sdp\r\nContent-Type: text/plain\r\n",
                Err(SipError::Duplicate("Content-Type")),
            ),
            (
                "Content-Length: 0\r\nl: 0\r\n",
                Err(SipError::Duplicate("Content-Length")),
            ),
        ] {
            check(
                &format!("INVITE sip:c@d SIP/2.0\r\n{FIELDS}{extra}\r\n"),
                expected,
            );
        }
    }

    #[test]
    fn mandatory_fields() {
        for line in FIELDS.lines() {
            let without = FIELDS.replace(&format!("{line}\r\n"), "");
            let name = line.split(':').next().unwrap();
            let parsed = parse(&Bytes::from(format!(
                "INVITE sip:c@d SIP/2.0\r\n{without}\r\n"
            )));
            assert!(
                matches!(parsed.unwrap_err().error, SipError::Missing(n) if n == name),
                "{name}"
            );
        }
    }

    #[test]
    fn streams_need_a_length() {
        for (transport, length, expected) in [
            (Transport::Udp, "", Ok(())),
            (Transport::Wss, "", Ok(())),
            (Transport::Tcp, "", Err(SipError::Missing("Content-Length"))),
            (Transport::Tls, "", Err(SipError::Missing("Content-Length"))),
            (Transport::Tcp, "l: 0\r\n", Ok(())),
        ] {
            let text = format!("INVITE sip:c@d SIP/2.0\r\n{FIELDS}{length}\r\n");
            let parsed = parse_over(transport, &Bytes::from(text));
            assert_eq!(
                parsed.map(|_| ()).map_err(|malformed| malformed.error),
                expected,
                "{transport} {length:?}"
            );
        }
    }

    #[test]
    fn bodies() {
        for (length, body) in [
            ("", "v=0 and more"),
            ("l: 3\r\n", "v=0"),
            ("Content-Length : 0\r\n", ""),
        ] {
            let text = format!("INVITE sip:c@d SIP/2.0\r\n{FIELDS}{length}\r\nv=0 and more");
            let Ok(Message::Request(request)) = parse(&Bytes::from(text)) else {
                panic!("{length}")
            };
            assert_eq!(request.body(), body);
        }
    }
}
