//! Whom an account may call, and over which trunk. Default deny.

use std::cmp::Reverse;

use call::AccountSid;
use numbers::{PhoneNumber, is_emergency};
use store::{Account, Directory, SipHost, Trunk, TrunkId};

use crate::destination::Destination;

/// Why a call may not be dialled. The text says what would allow it, in the words of the tenants file.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account does not exist.
    #[error("no such account: {0}")]
    UnknownAccount(AccountSid),
    /// The account, or its parent, is suspended or closed.
    #[error("account {0} is not active")]
    NotActive(AccountSid),
    /// The caller ID is not a number of the account.
    #[error(
        "`From` {0} is not a number of this account: use one of its own numbers, or of its caller IDs"
    )]
    ForeignCaller(String),
    /// Neither a telephone number nor a SIP URI.
    #[error(
        "`To` {0:?} is neither E.164 with its plus, nor a short code, nor a SIP URI such as sip:1000@192.0.2.1 or \
         sip:desk@pbx.example.net;transport=tls (`transport` udp, tcp or tls, and `secure=true`, are all its parameters), nor a device \
         such as client:alice; behind a `?` may be X- fields and User-to-User"
    )]
    InvalidDestination(String),
    /// Nobody whom the other side of a call could be asked to call.
    #[error(
        "{0:?} is neither E.164 with its plus, nor a short code, nor a SIP URI such as sip:desk@pbx.example.net, with X- fields and \
         User-to-User behind its `?`"
    )]
    InvalidReferral(String),
    /// The account may not call there.
    #[error(
        "this account may not call {0}: the operator allows destinations in its `outbound.allow`"
    )]
    NotAllowed(String),
    /// The number calls the police, the fire brigade or an ambulance.
    #[error(
        "{0} is an emergency number: a machine calls it only for an account whose `outbound.allow` names exactly \"{0}\""
    )]
    Emergency(PhoneNumber),
    /// The account's carrier has no way there.
    #[error(
        "no trunk of the carrier leads to {0}: the operator gives a trunk its `targets`, to that of a device its `login`, and to one for \
         SIP URIs of others their hosts in `sip_hosts`"
    )]
    NoTrunk(String),
    /// It failed over every trunk that leads there.
    #[error("no trunk is left over which {0} was not tried in vain")]
    NoOtherTrunk(String),
    /// Too many calls wait already, of this account or in all.
    #[error("too many calls are waiting: try again later")]
    QueueFull,
}

impl Refusal {
    /// The code that Twilio's API gives in this case.
    #[must_use]
    pub const fn twilio_code(&self) -> u32 {
        match self {
            Self::UnknownAccount(_) => 20404,
            Self::NotActive(_) => 20005,
            Self::ForeignCaller(_) => 21210,
            Self::InvalidDestination(_) | Self::InvalidReferral(_) => 21211,
            Self::NotAllowed(_) => 21215,
            Self::Emergency(_) => 21216,
            Self::NoTrunk(_) | Self::NoOtherTrunk(_) => 21214,
            Self::QueueFull => 20429,
        }
    }
}

/// Whether an account may call `to` and show `from` as the caller, and the trunk that would carry the call.
///
/// An emergency number of any country that the carrier's trunks lead to is not called unless the account's `outbound.allow` names it.
pub fn permit(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<TrunkId, Refusal> {
    let route = route(directory, account, from, to)?;
    let first = route.into_iter().next();
    first
        .map(|candidate| candidate.trunk)
        .ok_or_else(|| Refusal::NoTrunk(to.to_owned()))
}

/// All trunks over which a call that [`permit`] allows may go, the first choice of the built-in order in front. Never empty.
///
/// # Errors
/// Why the call may not be made.
pub fn serving(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<Vec<TrunkId>, Refusal> {
    let route = route(directory, account, from, to)?;
    Ok(route.into_iter().map(|candidate| candidate.trunk).collect())
}

/// A trunk that may carry a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The trunk.
    pub(crate) trunk: TrunkId,
    /// Which of its prefixes the number begins with, the longest; none where it serves all numbers, or is named by a SIP URI.
    pub(crate) prefix: Option<String>,
}

/// The trunks that may carry a call, the first choice in front: those with the longest prefix of the number, then those that serve all
/// numbers, and by their ids among themselves. Never empty. What [`permit`] refuses has none.
///
/// # Errors
/// Why the call may not be made.
pub(crate) fn route(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<Vec<Candidate>, Refusal> {
    let account = directory
        .account(account)
        .ok_or(Refusal::UnknownAccount(account))?;
    if !directory.is_active(account.sid) {
        return Err(Refusal::NotActive(account.sid));
    }
    if !directory.may_show(account.sid, from) {
        return Err(Refusal::ForeignCaller(from.to_owned()));
    }
    let destination =
        Destination::parse(to).ok_or_else(|| Refusal::InvalidDestination(to.to_owned()))?;
    if let Some(number) = emergency_number(directory, account, &destination) {
        return Err(Refusal::Emergency(number));
    }
    if !is_allowed(account, &destination) {
        return Err(Refusal::NotAllowed(to.to_owned()));
    }
    let candidates = candidates(directory, account, &destination);
    match candidates.is_empty() {
        true => Err(Refusal::NoTrunk(to.to_owned())),
        false => Ok(candidates),
    }
}

/// Whether an account may have the other side of a call sent on to `to`: a number, or any SIP URI where it may call SIP URIs. Who is
/// sent on calls there himself, so that no trunk of ours has to lead there.
pub fn permit_referral(
    directory: &Directory,
    account: AccountSid,
    to: &str,
) -> Result<(), Refusal> {
    let account = directory
        .account(account)
        .ok_or(Refusal::UnknownAccount(account))?;
    if !directory.is_active(account.sid) {
        return Err(Refusal::NotActive(account.sid));
    }
    let destination =
        Destination::parse_referral(to).ok_or_else(|| Refusal::InvalidReferral(to.to_owned()))?;
    match emergency_number(directory, account, &destination) {
        Some(number) => Err(Refusal::Emergency(number)),
        None if is_allowed(account, &destination) => Ok(()),
        None => Err(Refusal::NotAllowed(to.to_owned())),
    }
}

/// E.164 numbers are allowed by their beginnings, short codes only whole: they mean something else in each network.
fn is_allowed(account: &Account, destination: &Destination) -> bool {
    account
        .outbound
        .allow
        .iter()
        .any(|allowed| match destination {
            Destination::Number(number) if number.is_short_code() => number.as_str() == allowed,
            Destination::Number(number) => {
                allowed.starts_with('+') && number.as_str().starts_with(allowed.as_str())
            }
            Destination::Sip(uri) => match allowed.strip_prefix("sip:") {
                Some("") => true,
                Some(host) => host.parse().is_ok_and(|host: SipHost| uri.is_at(&host)),
                None => false,
            },
            Destination::Elsewhere { .. } => allowed == "sip:",
            Destination::Client { name } => allowed
                .strip_prefix("client:")
                .is_some_and(|allowed| allowed.is_empty() || allowed == name),
        })
}

/// The emergency number that would be called, unless the account may call exactly that.
fn emergency_number(
    directory: &Directory,
    account: &Account,
    destination: &Destination,
) -> Option<PhoneNumber> {
    trunks_of(directory, account)
        .filter(|trunk| trunk.is_outbound() || !trunk.sip_hosts.is_empty())
        .filter_map(|trunk| {
            let country = trunk.numbers.country;
            let number = destination.number(country)?;
            is_emergency(&number, country).then_some(number)
        })
        .find(|number| {
            let mut allowed = account.outbound.allow.iter();
            !allowed.any(|allowed| allowed == number.as_str())
        })
}

/// The carrier's trunks that take outbound calls and serve the number; for a SIP URI those that have it as a target, or where none has those that
/// may call its host; for a device the one that it registers as.
fn candidates(
    directory: &Directory,
    account: &Account,
    destination: &Destination,
) -> Vec<Candidate> {
    let is_target = match destination {
        Destination::Sip(uri) => trunks_of(directory, account).any(|trunk| uri.is_target_of(trunk)),
        _ => false,
    };
    let mut candidates: Vec<Candidate> = trunks_of(directory, account)
        .filter_map(|trunk| {
            let prefix = match destination {
                Destination::Number(number) if trunk.is_outbound() => served(trunk, number)?,
                Destination::Sip(uri) if is_target => uri.is_target_of(trunk).then_some(None)?,
                Destination::Sip(uri) => trunk.has_sip_host(&uri.host()).then_some(None)?,
                Destination::Client { name } if trunk.is_outbound() => {
                    let login = trunk.login.as_ref();
                    let is_device =
                        login.is_some_and(|login| login.registers && login.username == *name);
                    is_device.then_some(None)?
                }
                _ => return None,
            };
            Some(Candidate {
                trunk: trunk.id.clone(),
                prefix,
            })
        })
        .collect();
    candidates.sort_by_key(|candidate| Reverse(candidate.prefix.as_ref().map(String::len)));
    candidates
}

/// The longest of a trunk's prefixes that the number begins with; none inside where it serves all numbers.
fn served(trunk: &Trunk, number: &PhoneNumber) -> Option<Option<String>> {
    if trunk.prefixes.is_empty() {
        return Some(None);
    }
    let prefixes = trunk.prefixes.iter();
    let fitting = prefixes.filter(|prefix| number.as_str().starts_with(prefix.as_str()));
    fitting
        .max_by_key(|prefix| prefix.len())
        .map(|prefix| Some(prefix.clone()))
}

/// The trunks of the account's carrier, by id.
fn trunks_of<'d>(directory: &'d Directory, account: &Account) -> impl Iterator<Item = &'d Trunk> {
    directory
        .trunks()
        .map(|trunk| &**trunk)
        .filter(|trunk| trunk.carrier == account.carrier)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use store::tenants::Surroundings;
    use store::{AccountStore, CarrierId, MemoryStore, Store, Tenants};

    use super::*;

    const TENANTS: &str = r#"
        [[carrier]]
        id = "east"
        [[carrier]]
        id = "west"
        [[carrier]]
        id = "south"

        [[account]]
        carrier = "east"
        name = "hotline"
        outbound.allow = ["+855", "+252611", "1294", "sip:", "client:alice", "client:carol"]
        [[account]]
        carrier = "east"
        name = "silent"
        [[account]]
        carrier = "east"
        name = "everywhere"
        outbound.allow = ["+"]
        [[account]]
        carrier = "east"
        name = "held"
        outbound.allow = ["sip:pbx.example.net", "sip:10.1.0.0/16"]
        [[account]]
        carrier = "west"
        name = "clinic"
        outbound.allow = ["+", "sip:", "client:"]
        [[account]]
        carrier = "south"
        name = "any"
        outbound.allow = ["+", "+85511", "1294", "sip:"]
        [[account]]
        carrier = "south"
        name = "rescue"
        outbound.allow = ["117", "+855118", "112", "sip:"]

        [[trunk]]
        id = "a-inbound-only"
        carrier = "east"
        sources = ["203.0.113.9"]
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "a-strangers"
        carrier = "east"
        sip_hosts = ["*.example.net", "203.0.113.2", "10.0.0.0/8"]
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "b"
        carrier = "east"
        target = "203.0.113.1:5060"
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "c"
        carrier = "east"
        target = "203.0.113.2:5080"
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "desk"
        carrier = "east"
        targets = ["registered"]
        login = { username = "alice", password = "a-long-password", registers = true }
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "desk-2"
        carrier = "east"
        targets = ["registered"]
        login = { username = "bob", password = "a-long-password", registers = true }
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "d"
        carrier = "south"
        target = "203.0.113.3:5060"
        numbers.country = "SO"
        max_channels = 1
        calls_per_second = 1
        [[trunk]]
        id = "e"
        carrier = "south"
        target = "203.0.113.4:5060"
        numbers.country = "KH"
        max_channels = 1
        calls_per_second = 1

        [[number]]
        number = "+85510000001"
        account = "hotline"
        flow = "menu"
        [[number]]
        number = "+85510000002"
        account = "silent"
        flow = "menu"
        [[number]]
        number = "+85510000003"
        account = "everywhere"
        flow = "menu"
        [[number]]
        number = "+85510000004"
        account = "clinic"
        flow = "menu"
        [[number]]
        number = "+85510000005"
        account = "any"
        flow = "menu"
        [[number]]
        number = "+85510000006"
        account = "rescue"
        flow = "menu"
        [[number]]
        number = "+85510000007"
        account = "held"
        flow = "menu"
    "#;

    fn directory() -> Arc<Directory> {
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &["menu"],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let store = MemoryStore::new();
        store
            .apply(Tenants::parse(TENANTS, &surroundings).unwrap())
            .wait()
            .unwrap();
        store.directory()
    }

    #[track_caller]
    fn check(account: &str, from: &str, to: &str, expected: Result<&str, &str>) {
        let directory = directory();
        let carrier = match account {
            "clinic" => "west",
            "any" | "rescue" => "south",
            _ => "east",
        };
        let carrier = CarrierId(carrier.to_owned());
        let account = directory.account_by_name(&carrier, account).unwrap().sid;
        match (permit(&directory, account, from, to), expected) {
            (Ok(trunk), Ok(expected)) => assert_eq!(trunk.0, expected),
            (Err(refusal), Err(expected)) => {
                assert!(
                    format!("{} {refusal}", refusal.twilio_code()).starts_with(expected),
                    "{refusal:?}"
                );
            }
            (outcome, expected) => panic!("{to}: {outcome:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn what_is_allowed_goes_over_the_first_trunk_with_a_target() {
        for to in ["+85512345678", "+252611234567", "1294"] {
            check("hotline", "+85510000001", to, Ok("b"));
        }
        check("hotline", "85510000001", "+85512345678", Ok("b"));
        check("everywhere", "+85510000003", "+12025550123", Ok("b"));
    }

    #[test]
    fn a_device_is_rung_where_it_registers_if_the_account_may() {
        let own = "+85510000001";
        check("hotline", own, "client:alice", Ok("desk"));
        check("hotline", own, "client:alice?X-Ward=7", Ok("desk"));
        check("hotline", own, "client:bob", Err("21215"));
        check("hotline", own, "client:carol", Err("21214"));
        check("everywhere", "+85510000003", "client:alice", Err("21215"));
        // Another carrier's.
        check("clinic", "+85510000004", "client:alice", Err("21214"));
    }

    #[test]
    fn a_sip_uri_goes_over_the_trunk_it_names() {
        check("hotline", "+85510000001", "sip:1000@203.0.113.1", Ok("b"));
        check(
            "hotline",
            "+85510000001",
            "sip:1000@203.0.113.2:5080",
            Ok("c"),
        );
        check(
            "hotline",
            "+85510000001",
            "sip:1000@203.0.113.3",
            Err("21214 no trunk"),
        );
        check(
            "hotline",
            "+85510000001",
            "sip:1000@198.51.100.1",
            Err("21214 no trunk"),
        );
        // Inbound only, and another carrier's: neither is a way out.
        check(
            "hotline",
            "+85510000001",
            "sip:1000@203.0.113.9",
            Err("21214 no trunk"),
        );
        check(
            "clinic",
            "+85510000004",
            "sip:1000@203.0.113.1",
            Err("21214 no trunk"),
        );
    }

    /// A target goes before a host; what the operator names nowhere is no way out, and an account may be held to some.
    #[test]
    fn a_sip_uri_of_others_goes_over_the_trunk_that_has_its_host() {
        let own = "+85510000001";
        for (to, expected) in [
            ("sip:a@pbx.example.net", Ok("a-strangers")),
            ("sips:a@PBX.example.net:5099", Ok("a-strangers")),
            ("sip:a@pbx.example.net;secure=true?X-A=1", Ok("a-strangers")),
            ("sip:a@10.1.2.3", Ok("a-strangers")),
            ("sip:a@203.0.113.2", Ok("a-strangers")),
            ("sip:a@203.0.113.2:5080;transport=tcp", Ok("a-strangers")),
            ("sip:a@203.0.113.2:5080", Ok("c")),
            ("sip:a@example.net", Err("21214 no trunk")),
            ("sip:a@pbx.example.org", Err("21214 no trunk")),
            ("sip:a@11.0.0.1", Err("21214 no trunk")),
            ("sip:a@pbx.example.net;edge=x", Err("21211")),
            ("sip:112@pbx.example.net", Err("21216")),
        ] {
            check("hotline", own, to, expected);
        }
        check(
            "clinic",
            "+85510000004",
            "sip:a@pbx.example.net",
            Err("21214"),
        );
        check(
            "held",
            "+85510000007",
            "sip:a@pbx.example.net",
            Ok("a-strangers"),
        );
        check("held", "+85510000007", "sip:a@10.1.2.3", Ok("a-strangers"));
        check(
            "held",
            "+85510000007",
            "sip:a@fax.example.net",
            Err("21215"),
        );
        check("held", "+85510000007", "sip:a@203.0.113.1", Err("21215"));
    }

    #[test]
    fn everything_else_is_denied() {
        for to in [
            "+85612345678",
            "+8",
            "+252621234567",
            "129",
            "12945",
            "+12945",
        ] {
            let expected = if to == "+8" {
                "21211"
            } else {
                "21215 this account may not call"
            };
            check("hotline", "+85510000001", to, Err(expected));
        }
        for to in ["+85512345678", "1294", "sip:1000@203.0.113.1"] {
            check(
                "silent",
                "+85510000002",
                to,
                Err("21215 this account may not call"),
            );
        }
        check("everywhere", "+85510000003", "1294", Err("21215"));
        check(
            "everywhere",
            "+85510000003",
            "sip:1000@203.0.113.1",
            Err("21215"),
        );
        check(
            "clinic",
            "+85510000004",
            "+85512345678",
            Err("21214 no trunk"),
        );
    }

    #[test]
    fn an_emergency_number_is_called_only_where_it_is_named() {
        for number in ["117", "666", "999", "112", "911", "+855117", "+252999"] {
            let refused = format!("21216 {number} is an emergency number: a machine calls it only");
            check("any", "+85510000005", number, Err(&refused));
            let uri = format!("sip:{number}@203.0.113.3");
            check("any", "+85510000005", &uri, Err(&refused));
        }
        check(
            "any",
            "+85510000005",
            "sip:1-1.7@203.0.113.4",
            Err("21216 117"),
        );
        for to in ["117", "112", "+855118", "sip:117@203.0.113.3"] {
            check("rescue", "+85510000006", to, Ok("d"));
        }
        for to in ["118", "911", "+855117", "+855119", "sip:118@203.0.113.3"] {
            check("rescue", "+85510000006", to, Err("21216"));
        }
        for to in [
            "1294",
            "+85511712345",
            "+855012",
            "sip:1000@203.0.113.3",
            "sip:alice@203.0.113.3",
        ] {
            check("any", "+85510000005", to, Ok("d"));
        }
        // The trunks of another carrier lead to no country that is known: what calls for help everywhere counts.
        check("everywhere", "+85510000003", "112", Err("21216"));
        check("everywhere", "+85510000003", "117", Err("21215"));
    }

    #[test]
    fn only_an_own_number_may_be_shown() {
        for from in [
            "+85510000002",
            "+85510000004",
            "+85510000009",
            "anonymous",
            "",
        ] {
            check("hotline", from, "+85512345678", Err("21210"));
        }
    }

    #[test]
    fn what_is_no_destination_is_refused() {
        for to in [
            "",
            "0085512345678",
            "client:alice@example.org",
            "sip:alice@example.org;lr",
            "+855123\r\nTo: x",
        ] {
            check("everywhere", "+85510000003", to, Err("21211"));
        }
    }

    #[test]
    fn the_other_side_is_sent_on_where_the_account_may_call() {
        let directory = directory();
        for (carrier, account, to, expected) in [
            ("east", "hotline", "+85512345678", None),
            ("east", "hotline", "1294", None),
            ("east", "hotline", "sip:desk@pbx.example.net", None),
            (
                "east",
                "hotline",
                "sips:a@198.51.100.1:5061;transport=tls",
                None,
            ),
            (
                "east",
                "hotline",
                "sip:a@b?X-Account=1&User-to-User=2%3Bencoding%3Dhex",
                None,
            ),
            ("east", "hotline", "+12025550123", Some("21215")),
            ("east", "everywhere", "sip:a@b", Some("21215")),
            ("east", "silent", "+85512345678", Some("21215")),
            ("south", "any", "117", Some("21216")),
            ("south", "any", "sip:117@elsewhere.example", Some("21216")),
            (
                "south",
                "any",
                "sip:%31%31%37:x@elsewhere.example;user=phone",
                Some("21216"),
            ),
            ("south", "rescue", "sip:117@elsewhere.example", None),
            ("east", "hotline", "sip:a@b;method=BYE", Some("21211")),
            (
                "east",
                "hotline",
                "sip:a@b?Replaces=1%3Bto-tag%3D2",
                Some("21211"),
            ),
            ("east", "hotline", "sip:a@b?X-=1", Some("21211")),
            ("east", "hotline", "sip:a@b>,<sip:c", Some("21211")),
            ("east", "hotline", "sip:a b@c", Some("21211")),
            ("east", "hotline", "tel:+85512345678", Some("21211")),
            ("east", "hotline", "", Some("21211")),
        ] {
            let carrier = CarrierId(carrier.to_owned());
            let account = directory.account_by_name(&carrier, account).unwrap().sid;
            let refused = permit_referral(&directory, account, to).err();
            let refused = refused.map(|refusal| refusal.twilio_code().to_string());
            assert_eq!(refused.as_deref(), expected, "{to}");
        }
    }

    #[test]
    fn an_unknown_account_may_nothing() {
        let nobody = AccountSid::from_bytes([0xff; 16]);
        let refusal = permit(&directory(), nobody, "+85510000001", "+85512345678").unwrap_err();
        assert_eq!(
            (refusal.twilio_code(), refusal),
            (20404, Refusal::UnknownAccount(nobody))
        );
    }
}
