//! Who calls, by what an INVITE says and how far its sender is believed.

use bytes::Bytes;
use sip::{Fields, NameAddr, Scheme, Uri};

use crate::{CallerIdRules, Country, Party, normalise};

/// Who the account that is called may take the caller to be.
///
/// A trusted peer's `P-Asserted-Identity` (RFC 3325) goes before its `Remote-Party-ID`, and that before `From`, which anybody may
/// write as he likes; of a peer that is not trusted only `From` counts. A caller who asked for privacy (RFC 3323 section 4.2, or
/// the `privacy` of a `Remote-Party-ID`) is anonymous, whoever says so. What has no number is [`Party::Other`] with the whole URI.
#[must_use]
pub fn identity(invite: &Fields, rules: &CallerIdRules, country: Option<Country>) -> Party {
    if wants_privacy(invite) {
        return Party::Anonymous;
    }
    let asserted = rules.trusted.then(|| asserted(invite, country)).flatten();
    asserted.unwrap_or_else(|| party(invite.from().uri(), country))
}

/// The name that goes with [`identity`]: what stands before the address of whom the peer is believed to name. None where there is none, and where the
/// caller is not to be known.
#[must_use]
pub fn caller_name(invite: &Fields, rules: &CallerIdRules) -> Option<String> {
    if wants_privacy(invite) {
        return None;
    }
    let asserted = rules.trusted.then(|| {
        addresses(invite, "P-Asserted-Identity")
            .chain(addresses(invite, "Remote-Party-ID").filter(is_calling))
            .find_map(|address| address.display_name())
    });
    let name = asserted
        .flatten()
        .or_else(|| invite.from().display_name())?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Whom a URI names: the number in its user part, or the URI as it is written.
#[must_use]
pub fn party(uri: &Uri, country: Option<Country>) -> Party {
    let read = match uri.scheme() {
        Scheme::Tel => normalise(&uri.to_string(), country),
        Scheme::Sip | Scheme::Sips => normalise(&uri.user().unwrap_or_default(), country),
        _ => Party::Other(String::new()),
    };
    match read {
        Party::Other(_) => Party::Other(uri.to_string()),
        read => read,
    }
}

/// What a trusted network says. Of two values, one of which may be a `tel` URI, the one with a number.
fn asserted(invite: &Fields, country: Option<Country>) -> Option<Party> {
    let mut identities: Vec<Party> = addresses(invite, "P-Asserted-Identity")
        .chain(addresses(invite, "Remote-Party-ID").filter(is_calling))
        .map(|address| party(address.uri(), country))
        .collect();
    let with_number = identities.iter().position(|party| party.number().is_some());
    (!identities.is_empty()).then(|| identities.swap_remove(with_number.unwrap_or(0)))
}

/// A `Remote-Party-ID` is the caller's unless it says otherwise.
fn is_calling(address: &NameAddr) -> bool {
    address
        .param("party")
        .is_none_or(|party| party.eq_ignore_ascii_case("calling"))
}

/// Whether the caller is not to be known. `none` asks for the opposite, and the rest is about headers and media.
fn wants_privacy(invite: &Fields) -> bool {
    let wishes: Vec<String> = invite
        .items("Privacy")
        .flat_map(|value| {
            let tokens = value
                .split(';')
                .map(|token| token.trim().to_ascii_lowercase());
            tokens.collect::<Vec<_>>()
        })
        .collect();
    let wishes = |wanted: &str| wishes.iter().any(|wish| wish == wanted);
    let by_header = (wishes("id") || wishes("user")) && !wishes("none");
    by_header
        || addresses(invite, "Remote-Party-ID")
            .filter(is_calling)
            .any(|address| hides(&address))
}

fn hides(address: &NameAddr) -> bool {
    address.param("privacy").is_some_and(|privacy| {
        ["full", "uri"]
            .iter()
            .any(|hidden| privacy.eq_ignore_ascii_case(hidden))
    })
}

/// The addresses of a header field; one that cannot be read is none.
pub(crate) fn addresses<'a>(
    invite: &'a Fields,
    name: &'a str,
) -> impl Iterator<Item = NameAddr> + 'a {
    invite
        .items(name)
        .filter_map(|item| NameAddr::parse(&Bytes::copy_from_slice(item.as_bytes())).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAI: &str = "P-Asserted-Identity: <sip:+85512345678@carrier.example>\r\n";
    const RPID: &str = "Remote-Party-ID: <sip:+85512345678@carrier.example>";

    #[track_caller]
    fn invite(from: &str, fields: &str) -> sip::Request {
        let text = format!(
            "INVITE sip:1294@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: {from};tag=1\r\nTo: <sip:1294@h>\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{fields}Content-Length: 0\r\n\r\n"
        );
        match sip::parse(&Bytes::from(text)) {
            Ok(sip::Message::Request(invite)) => invite,
            other => panic!("{fields}: {other:?}"),
        }
    }

    /// Who the caller is to a tenant, by an untrusted and by a trusted peer in Cambodia that wrote this `From` and these
    /// header fields.
    #[track_caller]
    fn check(from: &str, fields: &str, untrusted: &str, trusted: &str) {
        let invite = invite(from, fields);
        for (is_trusted, expected) in [(false, untrusted), (true, trusted)] {
            let rules = CallerIdRules {
                trusted: is_trusted,
                ..CallerIdRules::default()
            };
            let read = identity(&invite, &rules, "KH".parse().ok());
            assert_eq!(
                read.to_string(),
                expected,
                "{from} {fields} trusted: {is_trusted}"
            );
        }
    }

    #[test]
    fn from_alone() {
        for (from, caller) in [
            ("<sip:+85512345678@10.0.0.1>", "+85512345678"),
            ("<sip:012345678@10.0.0.1;user=phone>", "+85512345678"),
            ("\"Sok\" <sip:0085512345678@10.0.0.1>", "+85512345678"),
            ("<sip:+85512345678;npdi@10.0.0.1>", "+85512345678"),
            ("<tel:012345678;phone-context=+855>", "+85512345678"),
            ("<tel:+855-12-345-678>", "+85512345678"),
            ("<sip:345@10.0.0.1>", "345"),
            (
                "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
                "anonymous",
            ),
            ("<sip:10.0.0.1>", "anonymous"),
            ("<sip:Restricted@10.0.0.1>", "anonymous"),
            ("<sip:alice@example.org>", "sip:alice@example.org"),
            ("<https://example.org/>", "https://example.org/"),
        ] {
            check(from, "", caller, caller);
        }
    }

    #[test]
    fn only_a_trusted_peer_may_say_who_calls() {
        let from = "<sip:+252611234567@h>";
        let spoofed = "+252611234567";
        let asserted = "+85512345678";
        check(from, PAI, spoofed, asserted);
        check(from, &PAI.to_lowercase(), spoofed, asserted);
        check(
            from,
            "P-Asserted-Identity: <sip:012345678@h>\r\n",
            spoofed,
            asserted,
        );
        check(
            from,
            "P-Asserted-Identity: <sip:alice@h>, <tel:+85512345678>\r\n",
            spoofed,
            asserted,
        );
        check(
            from,
            "P-Asserted-Identity: <sip:alice@h>\r\n",
            spoofed,
            "sip:alice@h",
        );
        check(from, "P-Asserted-Identity: <>\r\n", spoofed, spoofed);
        check(
            from,
            "P-Preferred-Identity: <sip:+85512345678@h>\r\n",
            spoofed,
            spoofed,
        );
        check(from, &format!("{RPID}\r\n"), spoofed, asserted);
        check(
            from,
            &format!("{RPID};party=calling;privacy=off\r\n"),
            spoofed,
            asserted,
        );
        check(from, &format!("{RPID};party=called\r\n"), spoofed, spoofed);
        check(
            from,
            &format!("{PAI}Remote-Party-ID: <sip:+85599999999@h>\r\n"),
            spoofed,
            asserted,
        );
        check(
            "<sip:anonymous@anonymous.invalid>",
            PAI,
            "anonymous",
            asserted,
        );
    }

    #[test]
    fn a_name_is_believed_as_its_number_is() {
        let named = "P-Asserted-Identity: \"Ministry\" <sip:1294@h>\r\n";
        let tel = "P-Asserted-Identity: <tel:1294>, \"Ministry\" <sip:1294@h>\r\n";
        for (from, fields, untrusted, trusted) in [
            ("<sip:1@h>", "", None, None),
            (
                "\"Sok \\\"C\\\"\" <sip:1@h>",
                "",
                Some("Sok \"C\""),
                Some("Sok \"C\""),
            ),
            ("\" \" <sip:1@h>", "", None, None),
            ("Sok <sip:1@h>", named, Some("Sok"), Some("Ministry")),
            ("Sok <sip:1@h>", tel, Some("Sok"), Some("Ministry")),
            ("Sok <sip:1@h>", PAI, Some("Sok"), Some("Sok")),
            ("Sok <sip:1@h>", "Privacy: id\r\n", None, None),
        ] {
            let invite = invite(from, fields);
            for (is_trusted, expected) in [(false, untrusted), (true, trusted)] {
                let rules = CallerIdRules {
                    trusted: is_trusted,
                    ..CallerIdRules::default()
                };
                assert_eq!(
                    caller_name(&invite, &rules).as_deref(),
                    expected,
                    "{from} {fields}"
                );
            }
        }
    }

    #[test]
    fn whoever_wants_privacy_is_anonymous() {
        let from = "<sip:+252611234567@h>";
        for privacy in [
            "Privacy: id",
            "privacy: ID",
            "Privacy : id",
            "Privacy: header; id ;critical",
            "Privacy: user",
            "Privacy: session\r\nPrivacy: id",
        ] {
            check(
                from,
                &format!("{PAI}{privacy}\r\n"),
                "anonymous",
                "anonymous",
            );
        }
        check(
            from,
            &format!("{RPID};privacy=full\r\n"),
            "anonymous",
            "anonymous",
        );
        check(
            from,
            &format!("{RPID};party=calling;privacy=URI\r\n"),
            "anonymous",
            "anonymous",
        );
        for open in ["none", "header", "session", "critical", "idx", "id;none"] {
            check(
                from,
                &format!("{PAI}Privacy: {open}\r\n"),
                "+252611234567",
                "+85512345678",
            );
        }
    }
}
