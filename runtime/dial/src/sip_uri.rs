//! SIP URIs that calls are for.

use std::net::{IpAddr, SocketAddr};

use store::{SipHost, Trunk};

use crate::destination::Destination;

/// The port of a SIP URI that names none (RFC 3261 section 19.1.2).
const SIP_PORT: u16 = 5060;

/// A `sip:` or `sips:` URI with a plain user part: all of it goes into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    /// Empty where there is none.
    pub(crate) user: String,
    host: Host,
    port: Option<u16>,
    is_sips: bool,
    transport: Option<&'static str>,
    is_secure: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case.
    Name(String),
}

impl SipUri {
    /// Reads what stands behind `sip:` or `sips:`, without header fields: `1000@192.0.2.1:5060`, `desk@pbx.example.net;transport=tcp`. Of
    /// parameters there may be `transport` (`udp`, `tcp`, `tls`) and Twilio's `secure=true`, each once, and not against each other.
    pub(crate) fn read(is_sips: bool, rest: &str) -> Option<Self> {
        let mut parts = rest.split(';');
        let place = parts.next()?;
        let (user, host) = match place.split_once('@') {
            Some((user, host)) if is_plain_user(user) => (user, host),
            Some(_) => return None,
            None => ("", place),
        };
        let (host, port) = host_and_port(host)?;
        let mut uri = Self {
            user: user.to_owned(),
            host,
            port,
            is_sips,
            transport: None,
            is_secure: false,
        };
        for parameter in parts {
            match parameter.split_once('=')? {
                ("transport", name) if uri.transport.is_none() => {
                    let mut known = ["udp", "tcp", "tls"].into_iter();
                    uri.transport = Some(known.find(|known| *known == name)?);
                }
                ("secure", "true") if !uri.is_secure => uri.is_secure = true,
                _ => return None,
            }
        }
        let is_clear = match uri.transport {
            Some("udp") => uri.is_sips || uri.is_secure,
            Some("tcp") => uri.is_secure && !uri.is_sips,
            _ => false,
        };
        (!is_clear).then_some(uri)
    }

    /// The URI of a called party that calls over this trunk go to as its `sip_hosts` allow; none of a number or device, and of its own targets.
    #[must_use]
    pub fn over(trunk: &Trunk, to: &str) -> Option<Self> {
        match Destination::parse(to)? {
            Destination::Sip(uri) if !uri.is_target_of(trunk) => {
                trunk.has_sip_host(&uri.host()).then_some(uri)
            }
            _ => None,
        }
    }

    /// Whether it is the address of one of the trunk's targets, and says nothing else.
    pub(crate) fn is_target_of(&self, trunk: &Trunk) -> bool {
        let address = self.address();
        let mut targets = trunk.targets.iter();
        address.is_some() && targets.any(|target| target.address() == address)
    }

    /// The address of a URI that says nothing else.
    fn address(&self) -> Option<SocketAddr> {
        let says_more = self.is_sips || self.is_secure || self.transport.is_some();
        match self.host {
            Host::Address(ip) if !says_more => {
                Some(SocketAddr::new(ip, self.port.unwrap_or(SIP_PORT)))
            }
            _ => None,
        }
    }

    /// The host: a name in lower case, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Address(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// Whether this pattern has its host.
    pub(crate) fn is_at(&self, pattern: &SipHost) -> bool {
        match &self.host {
            Host::Address(ip) => pattern.has_address(*ip),
            Host::Name(name) => pattern.has_name(name),
        }
    }

    /// The audio has to be encrypted, and the way to its keys.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The URI of the server, without the user: whom RFC 3263 looks for.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}:{}", self.scheme(), self.place())
    }

    /// The Request-URI. `secure` means nothing to others, and becomes `transport=tls`.
    #[must_use]
    pub fn request_uri(&self) -> String {
        let at = if self.user.is_empty() { "" } else { "@" };
        format!("{}:{}{at}{}", self.scheme(), self.user, self.place())
    }

    const fn scheme(&self) -> &'static str {
        if self.is_sips { "sips" } else { "sip" }
    }

    fn place(&self) -> String {
        let mut place = match &self.host {
            Host::Address(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Address(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        };
        if let Some(port) = self.port {
            place += &format!(":{port}");
        }
        let by_secure = (self.is_secure && !self.is_sips).then_some("tls");
        if let Some(transport) = self.transport.or(by_secure) {
            place += &format!(";transport={transport}");
        }
        place
    }
}

fn host_and_port(text: &str) -> Option<(Host, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let address: IpAddr = address.parse().ok()?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':')?),
            };
            (Host::Address(address).only_v6()?, port)
        }
        None => {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            let host = match host.parse() {
                Ok(SipHost::Name(name)) => Host::Name(name),
                _ => Host::Address(host.parse().ok()?),
            };
            (host, port)
        }
    };
    let is_number = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    match port {
        None => Some((host, None)),
        Some(port) => {
            let port = Some(port).filter(is_number)?.parse().ok()?;
            (port > 0).then_some((host, Some(port)))
        }
    }
}

impl Host {
    /// Only an IPv6 address stands in brackets.
    fn only_v6(self) -> Option<Self> {
        matches!(self, Self::Address(IpAddr::V6(_))).then_some(self)
    }
}

/// The unreserved characters of RFC 3261 section 25.1 and the plus of numbers.
pub(crate) fn is_plain_user(user: &str) -> bool {
    !user.is_empty()
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<SipUri> {
        match Destination::parse(text)? {
            Destination::Sip(uri) => Some(uri),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_alone_may_be_a_targets() {
        for (text, address) in [
            ("sip:1000@192.0.2.1", Some("192.0.2.1:5060")),
            ("sip:1000@192.0.2.1:5080", Some("192.0.2.1:5080")),
            ("sip:+85512345678@192.0.2.1", Some("192.0.2.1:5060")),
            ("sip:192.0.2.1", Some("192.0.2.1:5060")),
            ("sip:a@192.0.2.1?X-A=1", Some("192.0.2.1:5060")),
            ("sip:a@[2001:db8::1]", Some("[2001:db8::1]:5060")),
            ("sip:a@[2001:db8::1]:5080", Some("[2001:db8::1]:5080")),
            ("sip:a@192.0.2.1;transport=tcp", None),
            ("sips:a@192.0.2.1", None),
            ("sip:a@example.org", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(read(text).unwrap().address(), expected, "{text:?}");
        }
    }

    /// Whom it asks for, and what is sent there.
    #[test]
    fn where_a_uri_leads() {
        for (text, server, request_uri) in [
            (
                "sip:a@PBX.example.net",
                "sip:pbx.example.net",
                "sip:a@pbx.example.net",
            ),
            (
                "sip:pbx.example.net:5070",
                "sip:pbx.example.net:5070",
                "sip:pbx.example.net:5070",
            ),
            (
                "sip:a@pbx.example.net:5070;transport=tcp?X-A=1",
                "sip:pbx.example.net:5070;transport=tcp",
                "sip:a@pbx.example.net:5070;transport=tcp",
            ),
            (
                "sips:a@pbx.example.net",
                "sips:pbx.example.net",
                "sips:a@pbx.example.net",
            ),
            (
                "sip:a@pbx.example.net;secure=true",
                "sip:pbx.example.net;transport=tls",
                "sip:a@pbx.example.net;transport=tls",
            ),
            (
                "sip:a@pbx.example.net;transport=tls;secure=true",
                "sip:pbx.example.net;transport=tls",
                "sip:a@pbx.example.net;transport=tls",
            ),
            ("sips:a@h.net;secure=true", "sips:h.net", "sips:a@h.net"),
            (
                "sip:a@[2001:DB8::1]:5061;transport=tls",
                "sip:[2001:db8::1]:5061;transport=tls",
                "sip:a@[2001:db8::1]:5061;transport=tls",
            ),
        ] {
            let uri = read(text).unwrap();
            assert_eq!(uri.server(), server, "{text}");
            assert_eq!(uri.request_uri(), request_uri, "{text}");
            assert_eq!(uri.is_secure(), text.contains("secure"), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_sip_uri() {
        for bad in [
            "sip:",
            "sip:@192.0.2.1",
            "sip:a@",
            "sip:a@2001:db8::1",
            "sip:a@[192.0.2.1]",
            "sip:a@[2001:db8::1]x",
            "sip:a@192.0.2.1:",
            "sip:a@192.0.2.1:0",
            "sip:a@192.0.2.1:+80",
            "sip:a@192.0.2.1:99999",
            "sip:a@192.0.2",
            "sip:a@*.example.net",
            "sip:a@pbx.example.net.",
            "sip:a@10.0.0.0/8",
            "sip:a@h.net;transport=sctp",
            "sip:a@h.net;transport=TCP",
            "sip:a@h.net;transport=tcp;transport=tcp",
            "sip:a@h.net;secure=false",
            "sip:a@h.net;secure=true;transport=udp",
            "sip:a@h.net;secure=true;transport=tcp",
            "sips:a@h.net;transport=udp",
            "sip:a@h.net;edge=dublin",
            "sip:a@h.net;lr",
            "sip:a@h.net;maddr=192.0.2.1",
            "sip:a@192.0.2.1?Route=x",
            "sip:a@b@192.0.2.1",
            "sip:a b@192.0.2.1",
            "sip:a\r\nTo: x@192.0.2.1",
            "sip:é@192.0.2.1",
            "sip:a@é.net",
            "SIP:a@192.0.2.1",
            "tel:+85512345678",
        ] {
            assert_eq!(Destination::parse(bad), None, "{bad:?}");
        }
        let long = format!("sip:{}@192.0.2.1", "a".repeat(255));
        assert_eq!(Destination::parse(&long), None);
    }
}
