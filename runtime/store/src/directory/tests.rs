//! Whose call it is, and whose number.

use std::path::Path;

use super::*;
use crate::tenants::Surroundings;
use crate::{AccountStore, MemoryStore, Store, Tenants};

const TENANTS: &str = r#"
[[operator]]
country = "KH"
name = "Smart"
prefixes = ["+85510", "+85515"]
[[operator]]
country = "KH"
name = "Cellcard"
prefixes = ["+85512", "+855", "+85510999"]

[[carrier]]
id = "east"
[[carrier]]
id = "west"
domain = "voice.west.example"

[[account]]
carrier = "east"
name = "hotline"
[[account]]
carrier = "west"
name = "clinic"

[[trunk]]
id = "east-kh"
carrier = "east"
sources = ["203.0.113.0/24", "2001:db8::/32"]
max_channels = 30
numbers.country = "KH"
login = { username = "gw1", password = "correct-horse" }
[[trunk]]
id = "east-edge"
carrier = "east"
sources = ["203.0.113.7"]
max_channels = 30
[[trunk]]
id = "west-kh"
carrier = "west"
sources = ["203.0.113.0/24"]
max_channels = 30
numbers.country = "KH"
login = { username = "gw1", password = "battery-staple" }

[[number]]
number = "+85512345678"
account = "hotline"
flow = "menu"
[[number]]
number = "1294"
account = "hotline"
flow = "menu"
[[number]]
number = "23456789"
account = "hotline"
flow = "menu"
[[number]]
number = "+85511222333"
account = "clinic"
flow = "menu"
"#;

fn directory() -> Arc<Directory> {
    directory_of(TENANTS)
}

fn directory_of(tenants: &str) -> Arc<Directory> {
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = MemoryStore::new();
    let tenants = Tenants::parse(tenants, &surroundings).unwrap();
    store.apply(tenants).wait().unwrap();
    store.directory()
}

#[track_caller]
fn check(source: &str, called: &str, expected: Result<(&str, &str), InboundRefusal>) {
    let directory = directory();
    let routed = directory.route_inbound(Sender::Address(source.parse().unwrap()), called);
    let routed = routed.map(|(trunk, number)| (trunk.id.0.as_str(), number.number.as_str()));
    assert_eq!(routed, expected, "{called} from {source}");
}

#[test]
fn which_addresses_a_source_holds() {
    for (source, address, holds) in [
        ("127.0.0.0/8", "127.1.2.3", true),
        ("127.0.0.0/8", "128.0.0.1", false),
        ("198.51.100.7", "198.51.100.7", true),
        ("198.51.100.7", "198.51.100.6", false),
        ("0.0.0.0/0", "198.51.100.7", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "198.51.100.7", false),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("::ffff:127.0.0.0/104", "127.0.0.1", true),
        ("::ffff:127.0.0.1", "127.0.0.1", true),
        ("2001:db9::/32", "2001:db9:1::1", true),
        ("2001:db9::/32", "2001:dba::1", false),
        ("::1", "::1", true),
    ] {
        let directory = directory_of(&TENANTS.replace("203.0.113.7", source));
        let trunks = directory.trunks_by_source(address.parse().unwrap());
        let held = trunks.iter().any(|trunk| trunk.id.0 == "east-edge");
        assert_eq!(held, holds, "{source} {address}");
    }
}

#[test]
fn a_number_is_found_however_the_peer_writes_it() {
    for called in [
        "+85512345678",
        "85512345678",
        "0085512345678",
        "012345678",
        "12345678",
        "+855 12 345-678",
        "%2B85512345678;npdi",
        "012345678;phone-context=+855",
        "tel:+855-12-345-678",
        "012345678%23",
    ] {
        check("203.0.113.9", called, Ok(("east-kh", "+85512345678")));
    }
    check("203.0.113.9", "1294", Ok(("east-kh", "1294")));
    check("203.0.113.9", "1294#", Ok(("east-kh", "1294")));
    check("2001:db8::9", "1294", Ok(("east-kh", "1294")));
    check("::ffff:203.0.113.9", "1294", Ok(("east-kh", "1294")));
}

#[test]
fn a_number_kept_as_a_short_code_matches_as_such() {
    // Read as a national number it would be +85523456789.
    check("203.0.113.9", "23456789", Ok(("east-kh", "23456789")));
    check(
        "203.0.113.9",
        "023456789",
        Err(InboundRefusal::UnknownNumber),
    );
}

#[test]
fn without_a_country_only_international_forms_are_understood() {
    for called in ["+85512345678", "85512345678", "0085512345678"] {
        check("203.0.113.7", called, Ok(("east-edge", "+85512345678")));
    }
    // The longest prefix comes first, and the shorter one after it.
    check("203.0.113.7", "012345678", Ok(("east-kh", "+85512345678")));
}

#[test]
fn carriers_behind_one_address_are_told_apart_by_the_called_number() {
    check("203.0.113.9", "011222333", Ok(("west-kh", "+85511222333")));
    check(
        "203.0.113.9",
        "0085511222333",
        Ok(("west-kh", "+85511222333")),
    );
    check("203.0.113.7", "011222333", Ok(("west-kh", "+85511222333")));
    for called in ["011222334", "", "anonymous", "+", "129", "12945"] {
        check("203.0.113.9", called, Err(InboundRefusal::UnknownNumber));
    }
}

#[test]
fn an_address_of_nobody_is_refused() {
    for source in ["203.0.114.1", "::1", "2001:db9::1", "0.0.0.0"] {
        check(source, "1294", Err(InboundRefusal::UnknownTrunk));
    }
}

#[test]
fn a_login_names_its_trunk_wherever_it_calls_from() {
    let directory = directory();
    let trunk = |realm, user| {
        directory
            .trunk_by_login(realm, user)
            .map(|trunk| trunk.id.0.as_str())
    };
    assert_eq!(trunk("jackfield", "gw1"), Some("east-kh"));
    assert_eq!(trunk("voice.west.example", "gw1"), Some("west-kh"));
    assert_eq!(trunk("voice.west.example", "gw2"), None);
    assert_eq!(trunk("example.org", "gw1"), None);
    assert_eq!(directory.logins().count(), 2);

    let id = TrunkId("west-kh".to_owned());
    let route = |called| {
        directory
            .route_inbound(Sender::Trunk(&id), called)
            .map(|(_, number)| number.number.as_str())
    };
    assert_eq!(route("011222333"), Ok("+85511222333"));
    assert_eq!(
        route("1294"),
        Err(InboundRefusal::UnknownNumber),
        "another carrier's"
    );
    let gone = TrunkId("gone".to_owned());
    let routed = directory.route_inbound(Sender::Trunk(&gone), "1294");
    assert_eq!(routed.unwrap_err(), InboundRefusal::UnknownTrunk);
}

#[test]
fn an_operator_is_known_by_the_longest_prefix() {
    let directory = directory();
    for (number, operator) in [
        ("+85510123456", Some("Smart")),
        ("+85515123456", Some("Smart")),
        ("+85510999123", Some("Cellcard")),
        ("+85512345678", Some("Cellcard")),
        ("+85577123456", Some("Cellcard")),
        ("+85612345678", None),
        ("85510", None),
        ("1294", None),
    ] {
        let found = directory.operator(&number.parse().unwrap());
        assert_eq!(
            found.map(|operator| operator.id.name.as_str()),
            operator,
            "{number}"
        );
    }
}

/// The names of the accounts whose calls may go other ways once this is applied over [`TENANTS`].
fn rerouted_by(change: impl Fn(&str) -> String) -> Vec<String> {
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = MemoryStore::new();
    let apply = |text: &str| {
        let tenants = Tenants::parse(text, &surroundings).unwrap();
        store.apply(tenants).wait().unwrap();
        store.directory()
    };
    let before = apply(TENANTS);
    let after = apply(&change(TENANTS));
    let rerouted = after.rerouted_since(&before).into_iter();
    let names = rerouted.map(|sid| after.account(sid).unwrap().name.clone());
    names.collect()
}

#[test]
fn an_edit_reroutes_the_calls_of_those_whom_it_concerns() {
    let hotline = ["hotline"];
    assert_eq!(rerouted_by(str::to_owned), [""; 0], "the same again");
    let allowed = "name = \"hotline\"\noutbound.allow = [\"+855\"]";
    assert_eq!(
        rerouted_by(|text| text.replace("name = \"hotline\"", allowed)),
        hotline
    );
    let number =
        "\n[[number]]\nnumber = \"+85512000000\"\naccount = \"hotline\"\nflow = \"menu\"\n";
    assert_eq!(rerouted_by(|text| text.to_owned() + number), hotline);
    let with_prefixes = |text: &str| {
        text.replace(
            "id = \"west-kh\"",
            "id = \"west-kh\"\nprefixes = [\"+855\"]",
        )
    };
    assert_eq!(rerouted_by(with_prefixes), ["clinic"], "its carrier's");
    let gone = rerouted_by(|text| text.replace("id = \"east-edge\"", "id = \"west-edge\""));
    assert_eq!(gone, hotline);
}

/// Over a trunk that one account has nobody calls another account's numbers; they look as if they did not exist.
#[test]
fn an_accounts_own_trunk_leads_to_its_own_numbers() {
    let tenants = TENANTS
        .replace(
            "id = \"east-edge\"",
            "id = \"east-edge\"\naccount = \"desk\"",
        )
        .replace("203.0.113.7", "198.51.100.7")
        + "[[account]]\ncarrier = \"east\"\nname = \"desk\"\n\
           [[number]]\nnumber = \"+85512999999\"\naccount = \"desk\"\nflow = \"menu\"\n";
    let directory = directory_of(&tenants);
    let route = |source: &str, called: &str| {
        let routed = directory.route_inbound(Sender::Address(source.parse().unwrap()), called);
        routed.map(|(trunk, _)| trunk.id.to_string())
    };
    let own = "198.51.100.7";
    assert_eq!(route(own, "+85512999999"), Ok("east-edge".to_owned()));
    for called in ["+85512345678", "1294", "+85512000000"] {
        assert_eq!(route(own, called), Err(InboundRefusal::UnknownNumber));
    }
    // Its own numbers are there over the carrier's other trunks too.
    let shared = route("203.0.113.9", "+85512999999");
    assert_eq!(shared, Ok("east-kh".to_owned()));
}
