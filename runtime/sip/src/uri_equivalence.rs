//! Whether two URIs name the same thing (RFC 3261 §19.1.4).

use crate::lex::Params;
use crate::{Host, Scheme, Uri};

/// Parameters that set two URIs apart where only one of them has it.
const DECIDING: [&[u8]; 4] = [b"user", b"ttl", b"method", b"maddr"];

/// Whether two URIs are equivalent. Of other schemes than `sip` and `sips` only the same bytes are.
pub(crate) fn equivalent(one: &Uri, other: &Uri) -> bool {
    if !matches!(one.scheme(), Scheme::Sip | Scheme::Sips) {
        return one == other;
    }
    let (parts, others) = (Parts::of(one), Parts::of(other));
    one.scheme() == other.scheme()
        && one.user() == other.user()
        && parts.password == others.password
        && same_host(one.host(), other.host())
        && one.port() == other.port()
        && agree(parts.params, others.params)
        && agree(others.params, parts.params)
        && parts.headers == others.headers
}

/// What [`Uri`] does not give by itself.
struct Parts<'a> {
    password: Option<&'a [u8]>,
    params: &'a [u8],
    headers: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(uri: &'a Uri) -> Self {
        let bytes = uri.as_bytes();
        let scheme = position(bytes, b':').map_or(0, |colon| colon + 1);
        let rest = &bytes[scheme..];
        let (userinfo, rest) = match position(rest, b'@') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (&[][..], rest),
        };
        let (rest, headers) = rest.split_at(position(rest, b'?').unwrap_or(rest.len()));
        Self {
            password: position(userinfo, b':').map(|colon| &userinfo[colon + 1..]),
            params: &rest[position(rest, b';').unwrap_or(rest.len())..],
            headers,
        }
    }
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|&byte| byte == wanted)
}

fn same_host(one: Option<&Host>, other: Option<&Host>) -> bool {
    match (one, other) {
        (Some(Host::Name(one)), Some(Host::Name(other))) => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}

/// Whether no parameter of the first contradicts the second.
fn agree(params: &[u8], others: &[u8]) -> bool {
    let find = |wanted: &[u8]| {
        let mut found = Params::new(others).filter_map(Result::ok);
        found.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    Params::new(params)
        .filter_map(Result::ok)
        .all(|(name, value)| match find(name) {
            Some((_, other)) => value
                .unwrap_or_default()
                .eq_ignore_ascii_case(other.unwrap_or_default()),
            None => !DECIDING
                .iter()
                .any(|deciding| deciding.eq_ignore_ascii_case(name)),
        })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn pairs() {
        let uri = |text: &'static str| Uri::parse(&Bytes::from_static(text.as_bytes())).unwrap();
        for (one, other, expected) in [
            // The RFC's own examples.
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtlanTa.CoM;Transport=tcp",
                true,
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com;newparam=5",
                true,
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com;security=on",
                true,
            ),
            (
                "sip:carol@chicago.com;newparam=5",
                "sip:carol@chicago.com;security=on",
                true,
            ),
            (
                "sip:carol@chicago.com;security=off",
                "sip:carol@chicago.com;security=on",
                false,
            ),
            ("SIP:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM", false),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
            ("sip:bob@biloxi.com", "sip:bob@192.0.2.4", false),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
                false,
            ),
            // And ours.
            ("sip:a@10.0.0.1:5060", "sip:a@10.0.0.1:5060;ob", true),
            ("sip:a@h;user=phone", "sip:a@h", false),
            ("sip:a@h", "sip:a@h;MADDR=10.0.0.1", false),
            ("sip:a:x@h", "sip:a:y@h", false),
            ("sip:a@h", "sips:a@h", false),
            ("sip:h", "sip:a@h", false),
            ("sip:a@[::1]", "sip:a@[0:0::1]", true),
            ("tel:+1-2", "tel:+12", false),
            ("tel:+12", "tel:+12", true),
        ] {
            assert_eq!(
                equivalent(&uri(one), &uri(other)),
                expected,
                "{one} {other}"
            );
            assert_eq!(
                equivalent(&uri(other), &uri(one)),
                expected,
                "{other} {one}"
            );
        }
    }
}
