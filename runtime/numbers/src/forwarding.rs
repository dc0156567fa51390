//! Who sent a call on to the number that it came to, by what an INVITE says.

use sip::{Fields, NameAddr};

use crate::identity::{addresses, party};
use crate::{Country, Party};

/// The number or URI from which a call was last sent on: of the first `Diversion` (RFC 5806), or where there is none the one of
/// `History-Info` (RFC 7044, and RFC 4244 before it) that the call left on its last way. None where it was not sent on, and where who did is not to be known.
///
/// It is what the peer says: nobody vouches for it.
#[must_use]
pub fn forwarded_from(invite: &Fields, country: Option<Country>) -> Option<Party> {
    let diversion = addresses(invite, "Diversion").next();
    let by = diversion
        .or_else(|| left_behind(&addresses(invite, "History-Info").collect::<Vec<_>>()))?;
    match party(by.uri(), country) {
        _ if is_hidden(&by) => None,
        Party::Anonymous => None,
        found => Some(found),
    }
}

/// The entry that the call left last. RFC 7044 marks the one that it came to, by `mp` with the index of the one before, or RFC 4458's `cause`;
/// RFC 4244 gives the reason in the one that was left.
fn left_behind(history: &[NameAddr]) -> Option<NameAddr> {
    let (last, before) = history.split_last()?;
    if let Some(index) = last.param("mp") {
        let named = |entry: &&NameAddr| entry.param("index") == Some(index.clone());
        return before.iter().find(named).cloned();
    }
    if last.uri().param("cause").is_some() {
        return before.last().cloned();
    }
    let reason = |entry: &&NameAddr| behind_uri(entry).contains("reason=");
    before.iter().rev().find(reason).cloned()
}

fn is_hidden(address: &NameAddr) -> bool {
    let by_parameter = address.param("privacy").is_some_and(|privacy| {
        ["full", "uri"]
            .iter()
            .any(|hidden| privacy.trim_matches('"').eq_ignore_ascii_case(hidden))
    });
    by_parameter || behind_uri(address).contains("privacy=history")
}

/// The header fields behind a URI, in lower case.
fn behind_uri(address: &NameAddr) -> String {
    let uri = address.uri().to_string();
    let (_, fields) = uri.split_once('?').unwrap_or_default();
    fields.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[track_caller]
    fn check(fields: &str, expected: Option<&str>) {
        let text = format!(
            "INVITE sip:1294@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:1@h>;tag=1\r\nTo: <sip:1294@h>\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{fields}\r\nContent-Length: 0\r\n\r\n"
        );
        let Ok(sip::Message::Request(invite)) = sip::parse(&Bytes::from(text)) else {
            panic!("{fields}");
        };
        let found = forwarded_from(&invite, "KH".parse().ok());
        let found = found.map(|party| party.to_string());
        assert_eq!(found.as_deref(), expected, "{fields}");
    }

    #[test]
    fn the_last_diversion_stands_first() {
        for (fields, expected) in [
            ("X-None: 1", None),
            (
                "Diversion: <sip:+85523111111@h>;reason=unconditional",
                Some("+85523111111"),
            ),
            (
                "Diversion: \"Desk\" <sip:023111111@h>;reason=no-answer, <sip:+85523222222@h>",
                Some("+85523111111"),
            ),
            (
                "Diversion: <sip:+85523111111@h>\r\nDiversion: <sip:+85523222222@h>",
                Some("+85523111111"),
            ),
            ("Diversion: <tel:+855-23-111-111>", Some("+85523111111")),
            (
                "Diversion: <sip:desk@example.org>",
                Some("sip:desk@example.org"),
            ),
            ("Diversion: <sip:+85523111111@h>;privacy=full", None),
            ("Diversion: <sip:+85523111111@h>;privacy=\"full\"", None),
            (
                "Diversion: <sip:+85523111111@h>;privacy=off",
                Some("+85523111111"),
            ),
            ("Diversion: <sip:anonymous@anonymous.invalid>", None),
            ("Diversion: <<", None),
        ] {
            check(fields, expected);
        }
    }

    #[test]
    fn history_tells_what_the_call_left() {
        let first = "<sip:+85523111111@h>;index=1";
        let second = "<sip:+85523222222@h;cause=302>;index=1.1;mp=1";
        for (fields, expected) in [
            (format!("History-Info: {first}"), None),
            (format!("History-Info: {first}, {second}"), Some("+85523111111")),
            (
                format!("History-Info: {first}\r\nHistory-Info: {second}"),
                Some("+85523111111"),
            ),
            (
                format!("History-Info: {first}, {second}, <sip:1294@h;cause=486>;index=1.2;mp=1"),
                Some("+85523111111"),
            ),
            (
                format!("History-Info: {first}, {second}, <sip:1294@h;cause=486>;index=1.1.1"),
                Some("+85523222222"),
            ),
            (
                "History-Info: <sip:+85523111111@h?Reason=SIP%3Bcause%3D302>;index=1, <sip:1294@h>;index=1.1".to_owned(),
                Some("+85523111111"),
            ),
            (
                "History-Info: <sip:+85523111111@h?Privacy=history>;index=1, <sip:1294@h>;index=2;mp=1".to_owned(),
                None,
            ),
            // A proxy on the way, which sent it nowhere else.
            (format!("History-Info: {first}, <sip:1294@h>;index=1.1"), None),
            (
                format!("Diversion: <sip:012345678@h>\r\nHistory-Info: {first}, {second}"),
                Some("+85512345678"),
            ),
        ] {
            check(&fields, expected);
        }
    }
}
