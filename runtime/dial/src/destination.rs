//! Whom a call is for.

use std::net::{IpAddr, SocketAddr};

use store::PhoneNumber;

/// The port of a SIP URI that names none (RFC 3261 section 19.1.2).
const SIP_PORT: u16 = 5060;

/// The called party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A telephone number.
    Number(PhoneNumber),
    /// A SIP URI at this address.
    Sip(SocketAddr),
}

impl Destination {
    /// Reads a telephone number, or a URI such as `sip:1000@192.0.2.1:5060`: a plain user part, an IP address, no parameters
    /// and no headers, since all of it goes into a request.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("sip:") {
            Some(rest) if text.len() <= 255 => sip_address(rest).map(Self::Sip),
            Some(_) => None,
            None => text.parse().ok().map(Self::Number),
        }
    }
}

fn sip_address(rest: &str) -> Option<SocketAddr> {
    let host = match rest.split_once('@') {
        Some((user, host)) if is_plain_user(user) => host,
        Some(_) => return None,
        None => rest,
    };
    let without_port = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let bracketed = without_port.len() != host.len();
    match without_port.parse::<IpAddr>() {
        Ok(address) if address.is_ipv6() == bracketed => Some(SocketAddr::new(address, SIP_PORT)),
        Ok(_) => None,
        Err(_) => host.parse().ok(),
    }
}

/// The unreserved characters of RFC 3261 section 25.1 and the plus of numbers.
fn is_plain_user(user: &str) -> bool {
    !user.is_empty()
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, address: Option<&str>) {
        let expected = address.map(|address| Destination::Sip(address.parse().unwrap()));
        assert_eq!(Destination::parse(text), expected, "{text:?}");
    }

    #[test]
    fn sip_uris() {
        check("sip:1000@192.0.2.1", Some("192.0.2.1:5060"));
        check("sip:1000@192.0.2.1:5080", Some("192.0.2.1:5080"));
        check("sip:+85512345678@192.0.2.1", Some("192.0.2.1:5060"));
        check("sip:192.0.2.1", Some("192.0.2.1:5060"));
        check("sip:a@[2001:db8::1]", Some("[2001:db8::1]:5060"));
        check("sip:a@[2001:db8::1]:5080", Some("[2001:db8::1]:5080"));
    }

    #[test]
    fn what_is_no_plain_sip_uri() {
        for bad in [
            "sip:",
            "sip:@192.0.2.1",
            "sip:a@",
            "sip:a@example.org",
            "sip:a@2001:db8::1",
            "sip:a@[192.0.2.1]",
            "sip:a@192.0.2.1:",
            "sip:a@192.0.2.1:99999",
            "sip:a@192.0.2.1;transport=tcp",
            "sip:a@192.0.2.1?Route=x",
            "sip:a@b@192.0.2.1",
            "sip:a b@192.0.2.1",
            "sip:a\r\nTo: x@192.0.2.1",
            "sip:é@192.0.2.1",
            "sips:a@192.0.2.1",
            "SIP:a@192.0.2.1",
            "tel:+85512345678",
        ] {
            check(bad, None);
        }
        check(&format!("sip:{}@192.0.2.1", "a".repeat(255)), None);
    }

    #[test]
    fn numbers() {
        for good in ["+85512345678", "1294"] {
            assert_eq!(
                Destination::parse(good),
                Some(Destination::Number(good.parse().unwrap()))
            );
        }
        for bad in ["", "+", "0085512345678", "+855 12 345 678", "client:alice"] {
            assert_eq!(Destination::parse(bad), None, "{bad}");
        }
    }
}
