//! Whom a call is for.

use std::net::{IpAddr, SocketAddr};

use numbers::{Country, PhoneNumber, normalise};

/// The port of a SIP URI that names none (RFC 3261 section 19.1.2).
const SIP_PORT: u16 = 5060;

/// Bytes of a URI with its header fields, as Twilio has it: 255 and 1,024.
const LONGEST_REFERRAL: usize = 255 + 1_024;

/// The called party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A telephone number.
    Number(PhoneNumber),
    /// A SIP URI.
    Sip {
        /// Its user part; empty where there is none.
        user: String,
        /// Where it leads.
        address: SocketAddr,
    },
    /// A SIP URI that others call.
    Elsewhere {
        /// Its user part; empty where there is none.
        user: String,
    },
}

impl Destination {
    /// Reads a telephone number, or a URI such as `sip:1000@192.0.2.1:5060`: a plain user part, an IP address, no parameters
    /// and no headers, since all of it goes into a request.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("sip:") {
            Some(rest) if text.len() <= 255 => sip_uri(rest),
            Some(_) => None,
            None => text.parse().ok().map(Self::Number),
        }
    }

    /// Reads whom the other side of a call may be asked to call: a telephone number, or a `sip:` or `sips:` URI with any host and
    /// parameters. No other method than INVITE may be asked for (RFC 3515 section 2.4.2), and the header fields behind a `?` are those
    /// that carry no meaning of SIP itself: with `Replaces` among them it would take over somebody's call.
    pub(crate) fn parse_referral(text: &str) -> Option<Self> {
        let rest = match text.split_once(':') {
            None => return text.parse().ok().map(Self::Number),
            Some(("sip" | "sips", rest)) if text.len() <= LONGEST_REFERRAL => rest,
            Some(_) => return None,
        };
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
        let (uri, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, host) = uri.split_once('@').unwrap_or(("", uri));
        let mut parameters = host.split(';').skip(1);
        let is_call = parameters.all(|parameter| {
            let name = parameter.split('=').next().unwrap_or_default();
            !name.eq_ignore_ascii_case("method")
        });
        let is_good = rest.bytes().all(is_plain) && is_call && has_plain_headers(headers);
        let user = user.split(':').next().unwrap_or_default().to_owned();
        is_good.then_some(Self::Elsewhere { user })
    }

    /// The number that is called, as it reads in `country`; none if the user part of a SIP URI is no number.
    pub(crate) fn number(&self, country: Option<Country>) -> Option<PhoneNumber> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Sip { user, .. } | Self::Elsewhere { user } => {
                normalise(user, country).number().cloned()
            }
        }
    }
}

/// `X-` fields, and what one application tells another (RFC 7433).
fn has_plain_headers(headers: &str) -> bool {
    let fields = headers.split('&').filter(|_| !headers.is_empty());
    fields.map(|field| field.split('=').next()).all(|name| {
        name.is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name == "user-to-user" || name.strip_prefix("x-").is_some_and(is_token)
        })
    })
}

fn is_token(name: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token_byte)
}

fn sip_uri(rest: &str) -> Option<Destination> {
    let (user, host) = match rest.split_once('@') {
        Some((user, host)) if is_plain_user(user) => (user, host),
        Some(_) => return None,
        None => ("", rest),
    };
    let address = sip_address(host)?;
    let user = user.to_owned();
    Some(Destination::Sip { user, address })
}

fn sip_address(host: &str) -> Option<SocketAddr> {
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
        let read = match Destination::parse(text) {
            Some(Destination::Sip { address, .. }) => Some(address),
            Some(other) => panic!("{other:?}"),
            None => None,
        };
        let expected = address.map(|address| address.parse().unwrap());
        assert_eq!(read, expected, "{text:?}");
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
    fn the_number_in_a_sip_uri() {
        for (uri, number) in [
            ("sip:117@192.0.2.1", Some("117")),
            ("sip:1-1.7@192.0.2.1", Some("117")),
            ("sip:+855117@192.0.2.1", Some("+855117")),
            ("sip:012345678@192.0.2.1", Some("+85512345678")),
            ("sip:alice@192.0.2.1", None),
            ("sip:192.0.2.1", None),
        ] {
            let read = Destination::parse(uri).unwrap().number("KH".parse().ok());
            assert_eq!(read.as_ref().map(PhoneNumber::as_str), number, "{uri}");
        }
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
