//! What an INVITE of ours says: whom it calls, and who calls.

use crate::form::write;
use crate::{CallerIdRules, IdentityHeader, NumberRules, PhoneNumber};

/// Who shows nobody (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

/// A trunk, as far as an INVITE over it names people.
#[derive(Debug, Clone, Copy)]
pub struct Presenter<'a> {
    /// How it writes numbers.
    pub numbers: &'a NumberRules,
    /// How it shows callers.
    pub caller_id: &'a CallerIdRules,
    /// The host, perhaps with a port, that called numbers are at: the peer's.
    pub peer: &'a str,
    /// The host, perhaps with a port, that callers are at: ours, or the domain that we are registered in.
    pub own: &'a str,
    /// The user name that the peer knows us by, if any.
    pub account: Option<&'a str>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The number the call is placed from.
    pub number: &'a PhoneNumber,
    /// The called party is not to learn it; the network may (RFC 3325 section 9.3).
    pub is_hidden: bool,
}

/// Whom the call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee<'a> {
    /// A telephone number, which the trunk writes in its own way.
    Number(&'a PhoneNumber),
    /// A SIP URI, which is left as it is.
    Uri(&'a str),
}

/// The words of one INVITE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// The Request-URI.
    pub request_uri: String,
    /// The URI in `From`.
    pub from: String,
    /// The display name in `From`.
    pub from_name: Option<&'static str>,
    /// The URI in `To`.
    pub to: String,
    /// More header fields, name and value, in order.
    pub headers: Vec<(&'static str, String)>,
}

impl Presenter<'_> {
    /// What an INVITE says.
    ///
    /// Where `From` is not among the trunk's identity headers it names [`Self::account`], or nobody. A hidden caller's `From`
    /// names nobody on any trunk, for `Privacy` alone does not hide it from a peer that passes it over; the other headers
    /// carry the number to the network together with `Privacy: id`.
    #[must_use]
    pub fn present(&self, caller: Caller<'_>, callee: Callee<'_>) -> Presentation {
        let to = match callee {
            Callee::Number(number) => self.called(number),
            Callee::Uri(uri) => uri.to_owned(),
        };
        let shown = write(caller.number, self.caller_id.dial_as, self.numbers.country);
        let identity = self.number_uri(&shown, self.own);
        let (from, from_name) = self.from(caller, &identity);
        let listed = self.caller_id.headers.iter();
        let mut headers: Vec<_> = listed
            .filter_map(|header| Some((header_name(*header)?, &identity, *header)))
            .map(|(name, identity, header)| (name, identity_value(header, identity, caller)))
            .collect();
        if caller.is_hidden {
            headers.push(("Privacy", "id".to_owned()));
        }
        Presentation {
            request_uri: to.clone(),
            from,
            from_name,
            to,
            headers,
        }
    }

    /// The URI of a called number, as the peer is to read it.
    #[must_use]
    pub fn called(&self, number: &PhoneNumber) -> String {
        self.number_uri(&self.numbers.dialled(number), self.peer)
    }

    fn from(&self, caller: Caller<'_>, identity: &str) -> (String, Option<&'static str>) {
        let shows_caller = self.caller_id.headers.contains(&IdentityHeader::From);
        match self.account {
            _ if caller.is_hidden => (ANONYMOUS.to_owned(), Some("Anonymous")),
            _ if shows_caller => (identity.to_owned(), None),
            Some(account) => (format!("sip:{}@{}", escaped(account), self.own), None),
            None => (ANONYMOUS.to_owned(), Some("Anonymous")),
        }
    }

    /// The URI of a number, as it is written, at a host.
    fn number_uri(&self, written: &str, host: &str) -> String {
        let kind = if self.caller_id.user_phone {
            ";user=phone"
        } else {
            ""
        };
        format!("sip:{}@{host}{kind}", escaped(written))
    }
}

/// The name of a header field besides `From`.
fn header_name(header: IdentityHeader) -> Option<&'static str> {
    match header {
        IdentityHeader::From => None,
        IdentityHeader::PAssertedIdentity => Some("P-Asserted-Identity"),
        IdentityHeader::PPreferredIdentity => Some("P-Preferred-Identity"),
        IdentityHeader::RemotePartyId => Some("Remote-Party-ID"),
    }
}

fn identity_value(header: IdentityHeader, identity: &str, caller: Caller<'_>) -> String {
    match header {
        IdentityHeader::RemotePartyId => {
            let privacy = if caller.is_hidden { "full" } else { "off" };
            format!("<{identity}>;party=calling;screen=yes;privacy={privacy}")
        }
        _ => format!("<{identity}>"),
    }
}

/// A text as the user part of a SIP URI: `#` becomes `%23` (RFC 3261 section 25.1).
fn escaped(user: &str) -> String {
    user.bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-_.!~*'()+&=$,/".contains(&b) => {
                char::from(b).to_string()
            }
            b => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Form;

    const ALL: [IdentityHeader; 4] = [
        IdentityHeader::From,
        IdentityHeader::PAssertedIdentity,
        IdentityHeader::PPreferredIdentity,
        IdentityHeader::RemotePartyId,
    ];

    /// One trunk and one call over it; every row of the golden table changes something of it.
    struct Row {
        numbers: NumberRules,
        caller_id: CallerIdRules,
        account: Option<&'static str>,
        caller: &'static str,
        is_hidden: bool,
        callee: &'static str,
    }

    fn row() -> Row {
        Row {
            numbers: NumberRules {
                country: Some("SO".parse().unwrap()),
                ..NumberRules::default()
            },
            caller_id: CallerIdRules::default(),
            account: None,
            caller: "+252611234567",
            is_hidden: false,
            callee: "+252634123456",
        }
    }

    /// The INVITE's first line and header fields of `row` are these.
    #[track_caller]
    fn check(row: &Row, golden: &[&str]) {
        let presenter = Presenter {
            numbers: &row.numbers,
            caller_id: &row.caller_id,
            peer: "sbc.example.org",
            own: "203.0.113.1:5060",
            account: row.account,
        };
        let number = row.caller.parse().unwrap();
        let caller = Caller {
            number: &number,
            is_hidden: row.is_hidden,
        };
        let called = row.callee.parse();
        let callee = called
            .as_ref()
            .map_or(Callee::Uri(row.callee), Callee::Number);
        let said = presenter.present(caller, callee);
        let name = said.from_name.map(|name| format!("\"{name}\" "));
        let mut lines = vec![
            format!("INVITE {}", said.request_uri),
            format!("From: {}<{}>", name.unwrap_or_default(), said.from),
            format!("To: <{}>", said.to),
        ];
        lines.extend(
            said.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        assert_eq!(lines, golden);
    }

    #[test]
    fn by_default_numbers_have_a_plus_and_from_shows_the_caller() {
        check(
            &row(),
            &[
                "INVITE sip:+252634123456@sbc.example.org",
                "From: <sip:+252611234567@203.0.113.1:5060>",
                "To: <sip:+252634123456@sbc.example.org>",
            ],
        );
    }

    #[test]
    fn each_side_in_its_form() {
        for (dial_as, caller_as, callee, caller) in [
            (Form::National, Form::National, "0634123456", "0611234567"),
            (Form::E164, Form::National, "252634123456", "0611234567"),
            (
                Form::International,
                Form::E164,
                "00252634123456",
                "252611234567",
            ),
            (
                Form::Plus,
                Form::International,
                "+252634123456",
                "00252611234567",
            ),
        ] {
            let mut row = row();
            row.numbers.dial_as = dial_as;
            row.caller_id.dial_as = caller_as;
            check(
                &row,
                &[
                    &format!("INVITE sip:{callee}@sbc.example.org"),
                    &format!("From: <sip:{caller}@203.0.113.1:5060>"),
                    &format!("To: <sip:{callee}@sbc.example.org>"),
                ],
            );
        }
    }

    #[test]
    fn short_codes_stay_as_they_are_in_every_form() {
        for dial_as in [Form::National, Form::E164, Form::International, Form::Plus] {
            let mut row = row();
            row.numbers.dial_as = dial_as;
            row.caller_id.dial_as = dial_as;
            row.caller_id.user_phone = true;
            (row.caller, row.callee) = ("345", "1294");
            check(
                &row,
                &[
                    "INVITE sip:1294@sbc.example.org;user=phone",
                    "From: <sip:345@203.0.113.1:5060;user=phone>",
                    "To: <sip:1294@sbc.example.org;user=phone>",
                ],
            );
        }
    }

    #[test]
    fn a_prefix_stands_before_what_is_dialled_only_and_a_hash_is_escaped() {
        let mut row = row();
        row.numbers.dial_as = Form::E164;
        row.numbers.prefix = "*9#".to_owned();
        check(
            &row,
            &[
                "INVITE sip:*9%23252634123456@sbc.example.org",
                "From: <sip:+252611234567@203.0.113.1:5060>",
                "To: <sip:*9%23252634123456@sbc.example.org>",
            ],
        );
    }

    #[test]
    fn every_header_that_the_trunk_wants() {
        let mut row = row();
        row.caller_id.headers = ALL.to_vec();
        row.caller_id.user_phone = true;
        let identity = "<sip:+252611234567@203.0.113.1:5060;user=phone>";
        check(
            &row,
            &[
                "INVITE sip:+252634123456@sbc.example.org;user=phone",
                &format!("From: {identity}"),
                "To: <sip:+252634123456@sbc.example.org;user=phone>",
                &format!("P-Asserted-Identity: {identity}"),
                &format!("P-Preferred-Identity: {identity}"),
                &format!("Remote-Party-ID: {identity};party=calling;screen=yes;privacy=off"),
            ],
        );
    }

    #[test]
    fn a_hidden_caller_is_named_to_the_network_alone() {
        let mut row = row();
        row.is_hidden = true;
        row.caller_id.headers = ALL.to_vec();
        let identity = "<sip:+252611234567@203.0.113.1:5060>";
        check(
            &row,
            &[
                "INVITE sip:+252634123456@sbc.example.org",
                "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>",
                "To: <sip:+252634123456@sbc.example.org>",
                &format!("P-Asserted-Identity: {identity}"),
                &format!("P-Preferred-Identity: {identity}"),
                &format!("Remote-Party-ID: {identity};party=calling;screen=yes;privacy=full"),
                "Privacy: id",
            ],
        );
        // To a trunk that is told callers in From alone, the number goes nowhere.
        row.caller_id.headers = vec![IdentityHeader::From];
        row.account = Some("gw1");
        check(
            &row,
            &[
                "INVITE sip:+252634123456@sbc.example.org",
                "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>",
                "To: <sip:+252634123456@sbc.example.org>",
                "Privacy: id",
            ],
        );
    }

    #[test]
    fn a_from_that_does_not_show_the_caller_names_our_account() {
        let mut row = row();
        row.caller_id.headers = vec![IdentityHeader::PAssertedIdentity];
        let rest = [
            "To: <sip:+252634123456@sbc.example.org>",
            "P-Asserted-Identity: <sip:+252611234567@203.0.113.1:5060>",
        ];
        for (account, from) in [
            (Some("gw1"), "From: <sip:gw1@203.0.113.1:5060>"),
            (Some("a b@c"), "From: <sip:a%20b%40c@203.0.113.1:5060>"),
            (
                None,
                "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>",
            ),
        ] {
            row.account = account;
            let first = ["INVITE sip:+252634123456@sbc.example.org", from];
            check(&row, &[&first[..], &rest[..]].concat());
        }
    }

    #[test]
    fn a_sip_uri_is_called_as_it_is() {
        let mut row = row();
        row.numbers.prefix = "9".to_owned();
        row.caller_id.user_phone = true;
        row.callee = "sip:1000@192.0.2.1:5080";
        check(
            &row,
            &[
                "INVITE sip:1000@192.0.2.1:5080",
                "From: <sip:+252611234567@203.0.113.1:5060;user=phone>",
                "To: <sip:1000@192.0.2.1:5080>",
            ],
        );
    }
}
