//! `Via`: where a response goes (RFC 3261 §18.2, §20.42; RFC 3581).

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::SipError;
use crate::lex::{self, Params};
use crate::uri::{DEFAULT_PORT, Host, host_and_port};

/// The branch of RFC 3261 transactions starts with this; older or empty branches are matched the RFC 2543 way.
pub(crate) const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

const INFALLIBLE: &str = "writing to a string cannot fail";

/// One `Via` value over the bytes of its message. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    bytes: Bytes,
    /// Protocol, version, transport and sent-by, as written.
    start: Bytes,
    host: Host,
    port: Option<u16>,
    sent_by: Bytes,
    params: Bytes,
}

impl Via {
    /// Reads one value, all of `bytes`. White space may stand around slashes and the colon (RFC 4475 §3.1.1.1).
    ///
    /// # Errors
    ///
    /// [`SipError::Malformed`] where the grammar is broken. The version is the first line's to check: who speaks another
    /// one writes it here too, and should still hear 505.
    pub fn parse(bytes: &Bytes) -> Result<Self, SipError> {
        const FAULT: SipError = SipError::Malformed("Via");
        let bytes = &bytes.slice_ref(lex::trim(bytes));
        let (name, rest) = lex::cut(bytes, b'/').ok_or(FAULT)?;
        let (version, rest) = lex::cut(rest, b'/').ok_or(FAULT)?;
        if !lex::trim(name).eq_ignore_ascii_case(b"SIP") || !lex::is_token(lex::trim(version)) {
            return Err(FAULT);
        }
        let rest = lex::trim_start(rest);
        let (transport, rest) = rest.split_at(lex::length_while(rest, lex::is_token_byte));
        if transport.is_empty() || !rest.first().copied().is_some_and(lex::is_blank) {
            return Err(FAULT);
        }
        let rest = lex::trim_start(rest);
        let (sent_by, params) = rest.split_at(lex::length_while(rest, |b| b != b';'));
        let sent_by = lex::trim_end(sent_by);
        let (host, port) = host_and_port(bytes, sent_by)?;
        Params::new(params).check()?;
        Ok(Self {
            bytes: bytes.clone(),
            start: bytes.slice(..bytes.len() - params.len()),
            host,
            port,
            sent_by: bytes.slice_ref(sent_by),
            params: bytes.slice_ref(params),
        })
    }

    /// The value as it was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The `branch` parameter where it has RFC 3261's form: the magic cookie and something behind it.
    #[must_use]
    pub fn branch(&self) -> Option<&[u8]> {
        let branch = Params::new(&self.params).get("branch")?;
        let unique = branch.get(MAGIC_COOKIE.len()..)?;
        let has_cookie = branch[..MAGIC_COOKIE.len()].eq_ignore_ascii_case(MAGIC_COOKIE);
        (has_cookie && !unique.is_empty()).then_some(branch)
    }

    /// The host and port the sender gave, as written.
    pub(crate) fn sent_by(&self) -> &[u8] {
        &self.sent_by
    }

    /// The address the sender gave; none when it is a name.
    pub(crate) fn sent_by_address(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port.unwrap_or(DEFAULT_PORT))),
            Host::Name(_) => None,
        }
    }

    /// The port the sender gave.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether the sender wants its answers at the port it sends from (RFC 3581 §3).
    pub(crate) fn asks_rport(&self) -> bool {
        Params::new(&self.params).get("rport").is_some()
    }

    /// The value as it goes into the response, with `received` and `rport` told by `source` (RFC 3261 §18.2.1, RFC 3581 §4).
    ///
    /// `received` is there when sent-by is another address or a name, or when `rport` is asked or `tells_port` wants it told
    /// unasked: `rport` where the sender put it, else at the end. What the sender itself wrote into either is replaced.
    pub(crate) fn stamped(&self, source: SocketAddr, tells_port: bool) -> Bytes {
        let tells_port = tells_port || self.asks_rport();
        let tells_received = tells_port || self.host != Host::Ip(source.ip().to_canonical());
        if !tells_received {
            return self.bytes.clone();
        }
        let mut stamp = String::new();
        // The grammar has no brackets around an IPv6 address here (RFC 5118 §4.5).
        write!(stamp, ";received={}", source.ip().to_canonical()).expect(INFALLIBLE);
        if tells_port {
            write!(stamp, ";rport={}", source.port()).expect(INFALLIBLE);
        }
        let mut value = Vec::with_capacity(self.bytes.len() + stamp.len());
        value.extend_from_slice(lex::trim_end(&self.start));
        for (name, argument) in Params::new(&self.params).filter_map(Result::ok) {
            if name.eq_ignore_ascii_case(b"rport") {
                value.extend_from_slice(std::mem::take(&mut stamp).as_bytes());
            } else if !name.eq_ignore_ascii_case(b"received") {
                value.push(b';');
                value.extend_from_slice(name);
                if let Some(argument) = argument {
                    value.push(b'=');
                    value.extend_from_slice(argument);
                }
            }
        }
        value.extend_from_slice(stamp.as_bytes());
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Result<Via, SipError> {
        Via::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn branches() {
        for (text, branch) in [
            ("SIP/2.0/UDP h;branch=z9hG4bKx", Some("z9hG4bKx")),
            (
                "SIP  / 2.0\t/ TCP   spindle.example.com  ;  branch  =  z9hG4bK9",
                Some("z9hG4bK9"),
            ),
            (
                "SIP/2.0/UNKNOWN h : 5062 ;branch=Z9HG4BKx",
                Some("Z9HG4BKx"),
            ),
            ("SIP/2.0/UDP h;branch=z9hG4bK", None),
            ("SIP/2.0/UDP h;branch=390skdjuw", None),
            (
                "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3",
                Some("z9hG4bKas3"),
            ),
            ("SIP/2.0/UDP h", None),
        ] {
            assert_eq!(
                via(text).unwrap().branch(),
                branch.map(str::as_bytes),
                "{text}"
            );
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 h",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/UDP h:x",
            "HTTP/2.0/UDP h",
        ] {
            assert!(via(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn stamps() {
        for (text, source, stamped) in [
            // The sender is who it says: nothing to add.
            (
                "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1",
                "10.0.0.1:9",
                "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1",
            ),
            // Behind a NAT, without and with rport.
            (
                "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
                "192.0.2.7:9",
                "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.7",
            ),
            (
                "SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1",
                "192.0.2.7:9",
                "SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.7;rport=9;branch=z9hG4bK1",
            ),
            (
                "SIP/2.0/UDP 10.0.0.1:5070;rport",
                "10.0.0.1:9",
                "SIP/2.0/UDP 10.0.0.1:5070;received=10.0.0.1;rport=9",
            ),
            (
                "SIP/2.0/UDP gw.example",
                "192.0.2.7:9",
                "SIP/2.0/UDP gw.example;received=192.0.2.7",
            ),
            // What the sender claims about itself is replaced, and maddr is not obeyed.
            (
                "SIP/2.0/UDP gw.example;received=9.9.9.9;maddr=8.8.8.8;rport=1",
                "[2001:db8::7]:9",
                "SIP/2.0/UDP gw.example;maddr=8.8.8.8;received=2001:db8::7;rport=9",
            ),
        ] {
            let via = via(text).unwrap();
            let source = source.parse().unwrap();
            assert_eq!(lex::text(&via.stamped(source, false)), stamped);
        }
        let via = via("SIP/2.0/UDP 10.0.0.1").unwrap();
        let stamped = via.stamped("10.0.0.1:9".parse().unwrap(), true);
        assert_eq!(stamped, "SIP/2.0/UDP 10.0.0.1;received=10.0.0.1;rport=9");
    }
}
