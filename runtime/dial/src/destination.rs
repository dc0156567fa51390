//! Whom a call is for.

use numbers::{Country, PhoneNumber, normalise};

use crate::sip_uri::{SipUri, is_plain_user};

/// Bytes of a URI, as Twilio has it.
const LONGEST_URI: usize = 255;
/// Bytes of the header fields behind its `?`.
const LONGEST_HEADERS: usize = 1_024;
const LONGEST_REFERRAL: usize = LONGEST_URI + LONGEST_HEADERS;

/// The called party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A telephone number.
    Number(PhoneNumber),
    /// A SIP URI.
    Sip(SipUri),
    /// A device that registers with us.
    Client {
        /// The user name that it proves.
        name: String,
    },
    /// A SIP URI that others call.
    Elsewhere {
        /// Its user part; empty where there is none.
        user: String,
    },
}

impl Destination {
    /// Reads a telephone number, a URI such as `sip:1000@192.0.2.1:5060` or `sip:desk@pbx.example.net;transport=tls` ([`SipUri`]), or a
    /// device such as `client:alice`. Behind the `?` of the latter two there may be header fields of the
    /// INVITE, none of which carries a meaning of SIP itself.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((scheme @ ("sip" | "sips" | "client"), rest)) = text.split_once(':') else {
            return text.parse().ok().map(Self::Number);
        };
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let is_short = rest.len() + scheme.len() < LONGEST_URI && headers.len() <= LONGEST_HEADERS;
        let is_good = is_short && has_plain_headers(headers) && has_plain_values(headers);
        match scheme {
            _ if !is_good => None,
            "sip" | "sips" => SipUri::read(scheme == "sips", rest).map(Self::Sip),
            _ => is_plain_user(rest).then(|| Self::Client {
                name: rest.to_owned(),
            }),
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

    /// The number that is called, as it reads in `country`; none of a device, and if the user part of a SIP URI is no number.
    pub(crate) fn number(&self, country: Option<Country>) -> Option<PhoneNumber> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Client { .. } => None,
            Self::Sip(SipUri { user, .. }) | Self::Elsewhere { user } => {
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

/// No line ends in a value, nor anything else that cannot be seen.
fn has_plain_values(headers: &str) -> bool {
    fields(headers)
        .all(|(_, value)| value.is_some_and(|value| !value.chars().any(char::is_control)))
}

/// Whom a called party's text names, without the header fields of its INVITE; and these, escapes undone.
pub fn header_fields(to: &str) -> (&str, Vec<(String, String)>) {
    let (party, headers) = to.split_once('?').unwrap_or((to, ""));
    let fields = fields(headers)
        .map(|(name, value)| (name.to_owned(), value.unwrap_or_default()))
        .collect();
    (party, fields)
}

/// Names and values; a value is none where its escapes make no text.
fn fields(headers: &str) -> impl Iterator<Item = (&str, Option<String>)> {
    let fields = headers.split('&').filter(|_| !headers.is_empty());
    fields.map(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (name, unescaped(value))
    })
}

fn unescaped(value: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.push(is_hex.then(|| u8::from_str_radix(digits, 16).ok())??);
        rest = &tail[2..];
    }
    String::from_utf8(plain).ok()
}

fn is_token(name: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_and_header_fields() {
        let alice = Some(Destination::Client {
            name: "alice".to_owned(),
        });
        assert_eq!(Destination::parse("client:alice"), alice);
        let to = "client:alice?X-Who=J%C3%BCrgen%20%26%20co&User-to-User=ab";
        assert_eq!(Destination::parse(to), alice);
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            header_fields(to),
            (
                "client:alice",
                vec![field("X-Who", "Jürgen & co"), field("User-to-User", "ab")]
            )
        );
        assert_eq!(header_fields("+85512345678"), ("+85512345678", Vec::new()));
        for bad in [
            "client:",
            "client:a b",
            "client:a@b",
            "client:alice?Route=x",
            "client:alice?X-A=1&Replaces=x",
            "client:alice?X-=1",
            "client:alice?X-A=%0d%0aRoute:x",
            "client:alice?X-A=%",
            "client:alice?X-A=%+1",
            "client:alice?X-A=%ff",
            "Client:alice",
            "+85512345678?X-A=1",
            "sip:a@192.0.2.1?",
        ] {
            let expected = (bad == "sip:a@192.0.2.1?").then_some(());
            assert_eq!(Destination::parse(bad).map(drop), expected, "{bad:?}");
        }
        let long = format!("client:alice?X-A={}", "1".repeat(1_024));
        assert_eq!(Destination::parse(&long), None);
    }

    #[test]
    fn the_number_in_a_sip_uri() {
        for (uri, number) in [
            ("sip:117@192.0.2.1", Some("117")),
            ("sip:1-1.7@192.0.2.1", Some("117")),
            ("sip:+855117@192.0.2.1", Some("+855117")),
            ("sip:012345678@192.0.2.1", Some("+85512345678")),
            ("sip:alice@192.0.2.1", None),
            ("sips:117@pbx.example.net;transport=tls", Some("117")),
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
        for bad in ["", "+", "0085512345678", "+855 12 345 678", "app:AP1"] {
            assert_eq!(Destination::parse(bad), None, "{bad}");
        }
    }
}
