//! Who may call whom, and over which trunks.

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
    store
        .apply(Tenants::parse(tenants, &surroundings).unwrap())
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

/// Five trunks that serve all numbers, and one that serves some.
const MANY: &str = r#"
    [[carrier]]
    id = "east"
    [[account]]
    carrier = "east"
    name = "hotline"
    outbound.allow = ["+855", "sip:", "client:"]
    [[account]]
    carrier = "east"
    name = "clinic"
    outbound.allow = ["+855", "sip:", "client:"]
    [[trunk]]
    id = "a-fallback"
    carrier = "east"
    rank = 2
    target = "203.0.113.1:5060"
    max_channels = 1
    calls_per_second = 1
    [[trunk]]
    id = "b"
    carrier = "east"
    target = "203.0.113.2:5060"
    max_channels = 1
    calls_per_second = 1
    [[trunk]]
    id = "c"
    carrier = "east"
    target = "203.0.113.3:5060"
    max_channels = 1
    calls_per_second = 1
    [[trunk]]
    id = "d-of-hotline"
    carrier = "east"
    account = "hotline"
    target = "203.0.113.4:5060"
    max_channels = 1
    calls_per_second = 1
    [[trunk]]
    id = "e-of-hotline"
    carrier = "east"
    account = "hotline"
    rank = 1
    targets = ["registered"]
    login = { username = "alice", password = "a-long-password", registers = true }
    max_channels = 1
    calls_per_second = 1
    [[trunk]]
    id = "f-narrow"
    carrier = "east"
    prefixes = ["+85512"]
    rank = 9
    target = "203.0.113.6:5060"
    max_channels = 1
    calls_per_second = 1
    [[number]]
    number = "+85510000001"
    account = "hotline"
    flow = "menu"
    [[number]]
    number = "+85510000002"
    account = "clinic"
    flow = "menu"
"#;

#[test]
fn the_order_is_by_prefix_then_rank_then_whose_it_is() {
    let directory = directory_of(MANY);
    let order = |account: &str, from: &str, to: &str| -> Vec<String> {
        let carrier = CarrierId("east".to_owned());
        let account = directory.account_by_name(&carrier, account).unwrap().sid;
        let serving = serving(&directory, account, from, to).unwrap_or_default();
        serving.into_iter().map(|trunk| trunk.0).collect()
    };
    let hotline = |to| order("hotline", "+85510000001", to);
    let clinic = |to| order("clinic", "+85510000002", to);
    let wide = ["d-of-hotline", "b", "c", "e-of-hotline", "a-fallback"];
    assert_eq!(hotline("+85569000000"), wide);
    assert_eq!(hotline("+85512000000")[..2], ["f-narrow", "d-of-hotline"]);
    // For others those are not there, whatever they dial.
    assert_eq!(clinic("+85569000000"), ["b", "c", "a-fallback"]);
    assert_eq!(clinic("+85512000000"), ["f-narrow", "b", "c", "a-fallback"]);
    assert_eq!(hotline("sip:1000@203.0.113.4"), ["d-of-hotline"]);
    assert_eq!(clinic("sip:1000@203.0.113.4"), [""; 0]);
    assert_eq!(hotline("client:alice"), ["e-of-hotline"]);
    assert_eq!(clinic("client:alice"), [""; 0]);
}

#[test]
fn another_accounts_trunk_is_as_one_that_does_not_exist() {
    let directory = directory_of(MANY);
    let carrier = CarrierId("east".to_owned());
    let clinic = directory.account_by_name(&carrier, "clinic").unwrap().sid;
    let refusal = |to| permit(&directory, clinic, "+85510000002", to).unwrap_err();
    for [foreign, nowhere] in [
        ["sip:1000@203.0.113.4", "sip:1000@203.0.113.99"],
        ["client:alice", "client:nobody"],
    ] {
        let [there, not_there] = [foreign, nowhere].map(|to| (refusal(to).to_string(), to));
        assert_eq!(
            there.0.replace(there.1, "…"),
            not_there.0.replace(not_there.1, "…")
        );
    }
}
