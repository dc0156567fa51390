//! URIs of requests and addresses (RFC 3261 §19.1, RFC 3966).

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

use crate::lex::{self, Params};
use crate::{SipError, Transport};

/// The port of SIP over UDP and TCP where a URI or `Via` names none.
pub const DEFAULT_PORT: u16 = 5060;

/// What kind of URI this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`, a telephone number (RFC 3966).
    Tel,
    /// A scheme that this crate does not read; a request for it is answered 416.
    Other,
}

/// A host name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A literal address, IPv6 without its brackets.
    Ip(IpAddr),
    /// A name, or a bracketed text that is no valid IPv6 address but is tolerated (RFC 5118 §4.10).
    Name(Bytes),
}

/// A URI over the bytes of its message. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    bytes: Bytes,
    scheme: Scheme,
    user: Option<Bytes>,
    host: Option<Host>,
    port: Option<u16>,
    params: Bytes,
    has_headers: bool,
}

impl Uri {
    /// Reads a whole URI, without `<` and `>`.
    ///
    /// # Errors
    ///
    /// [`SipError::Malformed`] for bytes that no URI holds, and for `sip:`, `sips:` or `tel:` URIs that break their grammar.
    pub fn parse(bytes: &Bytes) -> Result<Self, SipError> {
        const FAULT: SipError = SipError::Malformed("URI");
        let forbidden = |b: u8| b <= b' ' || b == 0x7f || b"<>\"".contains(&b);
        let (scheme, rest) = lex::cut(bytes, b':').ok_or(FAULT)?;
        let outside_scheme = |b: u8| !b.is_ascii_alphanumeric() && !b"+-.".contains(&b);
        let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && lex::find(scheme, outside_scheme).is_none();
        if !is_scheme || rest.is_empty() || lex::find(bytes, forbidden).is_some() {
            return Err(FAULT);
        }
        match () {
            () if scheme.eq_ignore_ascii_case(b"sip") => Self::sip(bytes, Scheme::Sip, rest),
            () if scheme.eq_ignore_ascii_case(b"sips") => Self::sip(bytes, Scheme::Sips, rest),
            () if scheme.eq_ignore_ascii_case(b"tel") => Self::tel(bytes, rest),
            () => Ok(Self {
                bytes: bytes.clone(),
                scheme: Scheme::Other,
                user: None,
                host: None,
                port: None,
                params: Bytes::new(),
                has_headers: false,
            }),
        }
    }

    fn sip(bytes: &Bytes, scheme: Scheme, rest: &[u8]) -> Result<Self, SipError> {
        let (user, rest) = match lex::cut(rest, b'@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        // The password, if any, is not part of the user.
        let user = user.map(|user| &user[..lex::length_while(user, |b| b != b':')]);
        let (hostport, rest) = rest.split_at(lex::length_while(rest, |b| b != b';' && b != b'?'));
        let (params, headers) = rest.split_at(lex::length_while(rest, |b| b != b'?'));
        let (host, port) = host_and_port(bytes, hostport)?;
        Params::new(params).check()?;
        Ok(Self {
            bytes: bytes.clone(),
            scheme,
            user: user.map(|user| bytes.slice_ref(user)),
            host: Some(host),
            port,
            params: bytes.slice_ref(params),
            has_headers: !headers.is_empty(),
        })
    }

    fn tel(bytes: &Bytes, rest: &[u8]) -> Result<Self, SipError> {
        let (number, params) = rest.split_at(lex::length_while(rest, |b| b != b';'));
        let legal = |b: u8| b.is_ascii_hexdigit() || b"+-.()*#".contains(&b);
        if number.is_empty() || lex::length_while(number, legal) < number.len() {
            return Err(SipError::Malformed("tel URI"));
        }
        Params::new(params).check()?;
        Ok(Self {
            bytes: bytes.clone(),
            scheme: Scheme::Tel,
            user: Some(bytes.slice_ref(number)),
            host: None,
            port: None,
            params: bytes.slice_ref(params),
            has_headers: false,
        })
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user with `%` escapes undone once, or the number of a `tel:` URI; without a password.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.user
            .as_ref()
            .map(|user| lex::text(&unescape(user)).into_owned())
    }

    /// The host of a `sip:` or `sips:` URI.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, where one is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A URI parameter's value as written (empty for a flag), found by its name in any case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        Params::new(&self.params).get(name).map(lex::text)
    }

    /// Whether header fields stand behind a `?`. They are not read, and a Request-URI may have none (RFC 3261 §19.1.1).
    #[must_use]
    pub fn has_headers(&self) -> bool {
        self.has_headers
    }

    /// The socket address that a literal host names, with the default port where none is written; none for names.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match self.host {
            Some(Host::Ip(ip)) => Some(SocketAddr::new(ip, self.port.unwrap_or(DEFAULT_PORT))),
            _ => None,
        }
    }

    /// The same with the transport's own port where none is named.
    pub(crate) fn socket_address_over(&self, transport: Transport) -> Option<SocketAddr> {
        let port = self.port.unwrap_or(transport.default_port());
        self.socket_address()
            .map(|address| SocketAddr::new(address.ip(), port))
    }

    /// The transport the URI asks for: TLS where it is `sips:`, otherwise its `transport` parameter; none when it names
    /// none that this crate knows.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        let named = self.param("transport").and_then(|value| value.parse().ok());
        match self.scheme {
            Scheme::Sips if named == Some(Transport::Ws) => Some(Transport::Wss),
            Scheme::Sips if named != Some(Transport::Wss) => Some(Transport::Tls),
            _ => named,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&lex::text(&self.bytes))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(&lex::text(name)),
        }
    }
}

/// Reads `host[:port]`; `bytes` holds `hostport`, so that a name can share its memory.
pub(crate) fn host_and_port(
    bytes: &Bytes,
    hostport: &[u8],
) -> Result<(Host, Option<u16>), SipError> {
    const FAULT: SipError = SipError::Malformed("host");
    let host_length = if hostport.first() == Some(&b'[') {
        lex::find(hostport, |b| b == b']').ok_or(FAULT)? + 1
    } else {
        lex::length_while(hostport, |b| b != b':' && !lex::is_blank(b))
    };
    let (host, rest) = hostport.split_at(host_length);
    // `Via` allows white space around the colon.
    let port = match lex::trim(rest).strip_prefix(b":").map(lex::trim) {
        None if lex::trim(rest).is_empty() => None,
        None => return Err(FAULT),
        Some(digits) => {
            let port = lex::number(digits).and_then(|port| u16::try_from(port).ok());
            Some(
                port.filter(|&port| port != 0)
                    .ok_or(SipError::Malformed("port"))?,
            )
        }
    };
    Ok((parse_host(bytes, host).ok_or(FAULT)?, port))
}

fn parse_host(bytes: &Bytes, host: &[u8]) -> Option<Host> {
    lex::looked_at(2 * host.len());
    let text = std::str::from_utf8(host).ok()?;
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        if let Ok(ip) = inner.parse::<Ipv6Addr>() {
            return Some(Host::Ip(IpAddr::V6(ip)));
        }
        let tolerated = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
        let plausible = inner.contains(':') && inner.bytes().all(tolerated);
        return plausible.then(|| Host::Name(bytes.slice_ref(host)));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return ip.is_ipv4().then_some(Host::Ip(ip));
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (!host.is_empty() && text.bytes().all(legal)).then(|| Host::Name(bytes.slice_ref(host)))
}

/// A text as the user of a URI: what may not stand there is written as `%HH` (RFC 3261 §25.1).
pub(crate) fn escape_user(text: &str) -> String {
    let mut user = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;/".contains(&byte) {
            user.push(char::from(byte));
        } else {
            user.push_str(&format!("%{byte:02X}"));
        }
    }
    user
}

/// Undoes `%HH` once; a `%` that opens no escape stays.
fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| tail.get(..2).and_then(hex_byte))
            .flatten();
        plain.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    Cow::Owned(plain)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(digits[0])? * 16 + digit(digits[1])?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Uri, SipError> {
        Uri::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn parts() {
        for (text, scheme, user, host, port) in [
            (
                "sip:1294@127.0.0.1",
                Scheme::Sip,
                Some("1294"),
                Some("127.0.0.1"),
                None,
            ),
            (
                "SIP:a@b.example:5062;lr",
                Scheme::Sip,
                Some("a"),
                Some("b.example"),
                Some(5062),
            ),
            (
                "sips:gw.example",
                Scheme::Sips,
                None,
                Some("gw.example"),
                None,
            ),
            ("sip:a:secret@h", Scheme::Sip, Some("a"), Some("h"), None),
            (
                "sip:%2B855%23@h",
                Scheme::Sip,
                Some("+855#"),
                Some("h"),
                None,
            ),
            (
                "sip:100%25%zz@h",
                Scheme::Sip,
                Some("100%%zz"),
                Some("h"),
                None,
            ),
            (
                "sip:user;par=u%40example.net@h",
                Scheme::Sip,
                Some("user;par=u@example.net"),
                Some("h"),
                None,
            ),
            (
                "sip:[2001:db8::10]:5070",
                Scheme::Sip,
                None,
                Some("[2001:db8::10]"),
                Some(5070),
            ),
            (
                "sip:[2001:db8:::192.0.2.1]",
                Scheme::Sip,
                None,
                Some("[2001:db8:::192.0.2.1]"),
                None,
            ),
            (
                "tel:+1-201-555-0123;ext=7",
                Scheme::Tel,
                Some("+1-201-555-0123"),
                None,
                None,
            ),
            ("urn:service:sos", Scheme::Other, None, None, None),
        ] {
            let uri = parse(text).unwrap();
            assert_eq!(uri.scheme(), scheme, "{text}");
            assert_eq!(uri.user().as_deref(), user, "{text}");
            assert_eq!(
                uri.host().map(ToString::to_string).as_deref(),
                host,
                "{text}"
            );
            assert_eq!(uri.port(), port, "{text}");
            assert_eq!(uri.to_string(), text);
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "sip:",
            "sip",
            "1294",
            "sip:a b@c",
            "<sip:a@b>",
            "sip:a@",
            "sip:a@b@c",
            "sip:2001:db8::10",
            "sip:a@h:0",
            "sip:a@h:65536",
            "sip:a@h:x",
            "sip:a@h;;x",
            "sip:[::1",
            "sip:[zz]",
            "tel:",
            "tel:abc xyz",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn users_are_escaped() {
        for (text, expected) in [
            ("+855(0)12", "+855(0)12"),
            ("*99#", "*99%23"),
            ("us@office 1", "us%40office%201"),
            ("50%", "50%25"),
            ("\u{e9}", "%C3%A9"),
        ] {
            assert_eq!(escape_user(text), expected);
            let uri = parse(&format!("sip:{expected}@h")).unwrap();
            assert_eq!(uri.user().as_deref(), Some(text));
        }
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("sip:10.0.0.1", Some("10.0.0.1:5060")),
            ("sip:a@10.0.0.1:5080;transport=udp", Some("10.0.0.1:5080")),
            ("sip:a@[::1]:1", Some("[::1]:1")),
            ("sip:a@gw.example", None),
            ("tel:112", None),
        ] {
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(parse(text).unwrap().socket_address(), expected, "{text}");
        }
    }
}
