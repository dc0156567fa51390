//! What a tenants file may say, and what the errors for everything else say.

use std::fs;

use super::*;
use crate::{AccountStore, MemoryStore, Store, Target, WebhookMethod};

/// A file that is right; the rows below spoil or lengthen it.
const GOOD: &str = r#"[[carrier]]
id = "east"
[[account]]
carrier = "east"
name = "hotline"
[[trunk]]
id = "gateway"
carrier = "east"
sources = ["203.0.113.0/24"]
target = "203.0.113.1:5060"
max_channels = 30
calls_per_second = 10
[[number]]
number = "+85512345678"
account = "hotline"
flow = "menu"
"#;

fn parse_in(folder: &Path, text: &str) -> Result<Tenants, TenantsError> {
    let check_component = |bytes: &[u8], _: &Grants| match bytes.starts_with(b"\0asm") {
        true => Ok(()),
        false => Err("it is not WebAssembly".to_owned()),
    };
    Tenants::parse(
        text,
        &Surroundings {
            folder,
            bundled: &["menu", "echo"],
            uploaded: &|_, _, _| false,
            check_component: &check_component,
        },
    )
}

fn parse(text: &str) -> Result<Tenants, TenantsError> {
    parse_in(Path::new("/nowhere"), text)
}

/// `GOOD` with `old` replaced by `new` is wrong in `line`, and the error contains `expected`.
#[track_caller]
fn spoilt(old: &str, new: &str, line: usize, expected: &str) {
    assert!(GOOD.contains(old), "{old}");
    wrong(&GOOD.replacen(old, new, 1), line, expected);
}

/// `GOOD` with `more` behind it is wrong in that line of `more`, and the error contains `expected`.
#[track_caller]
fn lengthened(more: &str, line: usize, expected: &str) {
    wrong(
        &format!("{GOOD}{more}"),
        GOOD.lines().count() + line,
        expected,
    );
}

#[track_caller]
fn wrong(text: &str, line: usize, expected: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.message.contains(expected), "{error}");
    assert_eq!(error.line, line, "{error}");
    assert!(error.to_string().starts_with(&format!("line {line}: ")));
}

#[test]
fn unknown_keys_and_broken_syntax_name_the_line_and_the_known_keys() {
    spoilt(
        "id = \"east\"",
        "idd = \"east\"",
        2,
        "unknown field `idd`, expected one of `id`, `name`, `domain`",
    );
    spoilt(
        "flow = \"menu\"",
        "flows = \"menu\"",
        16,
        "unknown field `flows`, expected one of `number`, `account`, `flow`",
    );
    spoilt(
        "[[trunk]]",
        "[[trunks]]",
        6,
        "unknown field `trunks`, expected one of `carrier`, `account`, `trunk`",
    );
    spoilt(
        "name = \"hotline\"",
        "name = \"hotline\"\noutbound.allowed = []",
        6,
        "unknown field `allowed`, expected one of `allow`",
    );
    spoilt("id = \"gateway\"", "id = gateway", 7, "");
    spoilt(
        "max_channels = 30",
        "max_channels = \"30\"",
        11,
        "expected u32",
    );
    spoilt("max_channels = 30\n", "", 6, "missing field `max_channels`");
    wrong("[[carrier]\n", 1, "");
}

#[test]
fn carriers() {
    spoilt(
        "id = \"east\"",
        "id = \"East\"",
        2,
        "`East` is not an id: write 1 to 63 of a-z, 0-9 and -",
    );
    spoilt("id = \"east\"", "id = \"\"", 2, "is not an id");
    lengthened(
        "[[carrier]]\nid = \"east\"",
        2,
        "carrier `east` is named twice",
    );
}

#[test]
fn accounts() {
    spoilt(
        "carrier = \"east\"",
        "carrier = \"west\"",
        4,
        "no carrier `west` in this file: add a [[carrier]], or use one of: east",
    );
    spoilt("name = \"hotline\"", "name = \"\"", 5, "1 to 64 bytes");
    spoilt("name = \"hotline\"", "name = \"a/b\"", 5, "no `/`");
    lengthened(
        "[[account]]\ncarrier = \"east\"\nname = \"hotline\"",
        3,
        "carrier `east` has two accounts `hotline`",
    );
    let account = |line: &str| format!("[[account]]\ncarrier = \"east\"\nname = \"two\"\n{line}");
    let check = |line: &str, expected: &str| lengthened(&account(line), 4, expected);
    check("sid = \"AC123\"", "`AC123` is not a SID");
    check(
        "auth_token = \"short\"",
        "16 to 128 visible ASCII characters: leave it out",
    );
    check(
        "auth_token = \"with a space inside\"",
        "16 to 128 visible ASCII characters",
    );
    check("egress.allow = [\"10.0.0.1/8\"]", "write `10.0.0.0/8`");
    check(
        "egress.allow = [\"http://app.example.org\"]",
        "or a host name such as",
    );
    check("egress.allow = [\"\"]", "or a host name such as");
    for bad in ["+85x", "sip", "*", "", "sip:1000@192.0.2.1", "123456789"] {
        check(
            &format!("outbound.allow = [\"{bad}\"]"),
            "`outbound.allow` has beginnings of numbers",
        );
    }
    check("outbound.max_channels = 0", "at least 1");
    check("outbound.calls_per_second = 0", "from 0.001 to 10000");
    check("outbound.calls_per_second = nan", "from 0.001 to 10000");
    check(
        "outbound.priority = \"urgent\"",
        "`emergency`, `normal` or `bulk`",
    );
    check(
        "outbound.priority = \"emergency\"",
        "`highest_priority` is \"normal\"",
    );
    check("outbound.expires_after_s = 0", "1 to 31536000");
    check("outbound.max_waiting = 0", "from 1 to 1000000");
    check("outbound.max_waiting = 1000001", "from 1 to 1000000");
    check("outbound.window = \"by day\"", "\"by day\" is not hours");
    check(
        "outbound.window = \"08:00-20:00 Atlantis\"",
        "there is no time zone \"Atlantis\"",
    );
    check("fallback = { flow = \"sorry\" }", "no flow `sorry`");
    check(
        "fallback = { }",
        "give exactly one of `flow`, `voice_url` and `twiml`",
    );
    let sid = derived_sid(&CarrierId("east".to_owned()), "hotline");
    lengthened(
        &account(&format!("sid = \"{sid}\"")),
        3,
        "two accounts have the SID",
    );
}

#[test]
fn trunks() {
    spoilt(
        "\"203.0.113.0/24\"",
        "\"203.0.113.1/24\"",
        9,
        "write `203.0.113.0/24`",
    );
    spoilt(
        "\"203.0.113.0/24\"",
        "\"gateway.example.org\"",
        9,
        "is not an IP address or prefix",
    );
    for bad in [
        "203.0.113.1",
        "gateway.example.org:5060",
        "sip:a@203.0.113.1",
    ] {
        spoilt(
            "203.0.113.1:5060",
            bad,
            10,
            &format!("`{bad}` names no SIP server: write a URI such as \"sip:sbc.example.org\""),
        );
    }
    spoilt(
        "calls_per_second = 10\n",
        "",
        10,
        "a trunk with a target, or with `sip_hosts`, needs `calls_per_second`",
    );
    spoilt(
        "target =",
        "targets = [\"203.0.113.2:5060\"]\ntarget =",
        11,
        "give `target`, or several `targets` that are tried in turn, not both",
    );
    spoilt("max_channels = 30", "max_channels = 0", 11, "at least 1");
    spoilt(
        "calls_per_second = 10",
        "calls_per_second = -1",
        12,
        "from 0.001 to 10000",
    );
    spoilt(
        "sources = [\"203.0.113.0/24\"]\ntarget = \"203.0.113.1:5060\"\n",
        "",
        7,
        "a trunk needs `sources` or a `login` for inbound calls, `targets` for outbound ones, or `sip_hosts` for those to SIP URIs",
    );
    let trunk = |id: &str, source: &str| {
        format!(
            "[[trunk]]\nid = \"{id}\"\ncarrier = \"east\"\nmax_channels = 1\ncalls_per_second = 1\nsources = [\"{source}\"]"
        )
    };
    lengthened(
        &trunk("gateway", "198.51.100.1"),
        2,
        "trunk `gateway` is named twice",
    );
    lengthened(
        &trunk("other", "203.0.113.0/24"),
        6,
        "`203.0.113.0/24` is a source of trunk `gateway` too",
    );
}

/// `GOOD` with these lines in its trunk is wrong in the last of them, and the error contains `expected`.
#[track_caller]
fn trunk_with(lines: &str, expected: &str) {
    let last = "calls_per_second = 10\n";
    let line = 12 + lines.lines().count();
    spoilt(last, &format!("{last}{lines}\n"), line, expected);
}

#[test]
fn what_a_trunk_and_its_peer_prove() {
    let login = "login.username = \"gw1\"\n";
    trunk_with(
        &format!("{login}login.password = \"short\""),
        "8 to 128 visible ASCII characters: whoever guesses it",
    );
    trunk_with(
        "login.password = \"long-enough\"\nlogin.username = \"gw 1\"",
        "`username` has 1 to 64 letters, digits or - _ . ! ~ * ' ( ) +",
    );
    trunk_with("login = { username = \"gw1\" }", "missing field `password`");
    trunk_with(
        "login = { username = \"gw1\", password = \"long-enough\", register = true }",
        "unknown field `register`, expected one of `username`, `password`, `registers`",
    );
    trunk_with(
        "credentials.username = \"gw1\"\ncredentials.password = \"\"",
        "`password` has 1 to 128 bytes",
    );
    trunk_with(
        "credentials = { username = \"a@b\", password = \"x\" }",
        "`username` has 1 to 64 letters",
    );
    trunk_with(
        "credentials = { username = \"a\", password = \"x\", realm = \"\" }",
        "`realm` has 1 to 128 bytes",
    );
    let other = |carrier: &str, id: &str, user: &str| {
        format!(
            "[[trunk]]\nid = \"{id}\"\ncarrier = \"{carrier}\"\nmax_channels = 1\n[trunk.login]\nusername = \"{user}\"\npassword = \"long-enough\"\n"
        )
    };
    let first = other("east", "one", "gw1");
    lengthened(
        &format!("{first}{}", other("east", "two", "gw1")),
        13,
        "trunk `one` has the user name `gw1` too, in the same realm `jackfield`: choose another",
    );
    let west = "[[carrier]]\nid = \"west\"\n";
    lengthened(
        &format!("{west}{first}{}", other("west", "two", "gw1")),
        15,
        "or give the carrier a `domain` of its own",
    );
    let own_realm = "[[carrier]]\nid = \"west\"\ndomain = \"west.example\"\n";
    let apart = format!("{GOOD}{own_realm}{first}{}", other("west", "two", "gw1"));
    assert_eq!(parse(&apart).unwrap().trunks.len(), 3);
}

#[test]
fn where_calls_go() {
    let target = "target = \"203.0.113.1:5060\"";
    let registered = "targets = [\"sip:sbc.example.org\", \"registered\"]";
    let expected = "give the trunk a `login` with `registers = true`";
    spoilt(target, registered, 10, expected);
    let login = "login = { username = \"gw1\", password = \"long-enough\" }";
    spoilt(target, &format!("{login}\n{registered}"), 11, expected);
    let login = login.replace(" }", ", registers = true }");
    let text = GOOD.replace(target, &format!("{login}\n{registered}"));
    let trunk = parse(&text).unwrap().trunks.remove(0);
    let uri = Target::Uri("sip:sbc.example.org".parse().unwrap());
    assert_eq!(trunk.targets, [uri, Target::Registered]);

    spoilt(
        target,
        "targets = [\"sip:sbc.example.org\", \"sip:sbc.example.org;transport=sctp\"]",
        10,
        "`sip:sbc.example.org;transport=sctp` names no SIP server",
    );
    trunk_with(
        "sip_hosts = [\"*.example.net\", \"sip:pbx.example.net\"]",
        "`sip:pbx.example.net` names no hosts: write a name such as",
    );
    trunk_with(
        "sip_hosts = [\"pbx.example.net\", \"PBX.example.net\"]",
        "`pbx.example.net` is among `sip_hosts` twice: keep one",
    );
    trunk_with(
        "registration.registrar = \"sip:provider.example\"",
        "a registration needs `credentials`, or a `user`",
    );
    trunk_with(
        "registration = { registrar = \"provider.example\", user = \"a\" }",
        "`provider.example` names no SIP server",
    );
    trunk_with(
        "registration = { registrar = \"sip:provider.example\", user = \"a\", expires_s = 59 }",
        "`expires_s` is a number from 60 to 86400",
    );
    trunk_with("health.every_s = 4", "`every_s` is a number from 5 to 3600");
    trunk_with(
        "health.down_after = 0",
        "`down_after` is a number from 1 to 100",
    );
    trunk_with(
        "health.up_after = 101",
        "`up_after` is a number from 1 to 100",
    );
    let inbound_only = format!(
        "{GOOD}[[trunk]]\nid = \"in\"\ncarrier = \"east\"\nsources = [\"198.51.100.1\"]\nmax_channels = 1\n"
    );
    assert!(parse(&inbound_only).is_ok(), "no rate without a target");
    wrong(
        &format!("{inbound_only}health = {{ every_s = 60 }}"),
        GOOD.lines().count() + 6,
        "`health` probes targets, and the trunk has none",
    );
    trunk_with(
        "nat.advertised_sip = \"203.0.113.1\"",
        "`advertised_sip` is an IP address and a port",
    );
    trunk_with(
        "nat.advertised_media = \"203.0.113.1:5060\"",
        "`advertised_media` is an IP address, such as",
    );
    trunk_with(
        "nat.forced = true",
        "unknown field `forced`, expected one of `force_rport`",
    );
}

#[test]
fn keys_are_not_sent_in_the_clear() {
    let target = "target = \"203.0.113.1:5060\"";
    for (encryption, uri, is_taken) in [
        ("required", "203.0.113.1:5060", false),
        ("required", "sip:203.0.113.1:5061", false),
        ("required", "sip:sbc.example.org;transport=udp", false),
        ("required", "sip:sbc.example.org;transport=tcp", false),
        ("required", "sip:sbc.example.org:5061", false),
        ("required", "sip:203.0.113.1;transport=tls", true),
        ("required", "sips:203.0.113.1", true),
        ("required", "sip:sbc.example.org", true),
        ("optional", "203.0.113.1:5060", true),
        ("off", "203.0.113.1:5060", true),
    ] {
        let replaced = format!("encryption = \"{encryption}\"\ntargets = [\"{uri}\"]");
        if is_taken {
            let trunk = parse(&GOOD.replace(target, &replaced))
                .unwrap()
                .trunks
                .remove(0);
            assert_eq!(
                trunk.encryption.policy() == sdp::Security::Require,
                encryption == "required"
            );
        } else {
            spoilt(
                target,
                &replaced,
                11,
                "is not reached over TLS, and `encryption = \"required\"`",
            );
        }
    }
}

#[test]
fn how_numbers_are_written_and_answers_meant() {
    trunk_with(
        "numbers.country = \"Cambodia\"",
        "`Cambodia` is not a country: write its ISO 3166 code of two capital letters, such as \"KH\"",
    );
    for table in ["numbers", "caller_id"] {
        trunk_with(
            &format!("{table}.dial_as = \"national\""),
            "national numbers are those of a country: give `numbers.country`",
        );
        trunk_with(
            &format!("{table}.dial_as = \"local\""),
            "unknown variant `local`, expected one of `e164`, `plus`, `national`, `international`",
        );
    }
    trunk_with(
        "numbers.prefix = \"9,\"",
        "`prefix` has up to 16 digits, `*`, `#` or `+`",
    );
    trunk_with(
        "caller_id.headers = [\"diversion\"]",
        "unknown variant `diversion`, expected one of `from`, `p-asserted-identity`, `p-preferred-identity`, `remote-party-id`",
    );
    for bad in ["25261", "+", "+252x", "+0252", "1294"] {
        trunk_with(
            &format!("channels_by_prefix.\"{bad}\" = 1"),
            &format!("`{bad}` is no beginning of numbers"),
        );
    }
    for bad in [0, 31] {
        trunk_with(
            &format!("channels_by_prefix.\"+25261\" = {bad}"),
            "a limit of `+25261` is a number from 1 to the trunk's `max_channels`, 30",
        );
    }
    trunk_with(
        "reserved_for_inbound = 30",
        "`reserved_for_inbound` is less than the trunk's `max_channels`, 30",
    );
    trunk_with(
        "reserved_by_prefix.\"+25261\" = 1",
        "`+25261` has no limit in `channels_by_prefix`",
    );
    trunk_with(
        "channels_by_prefix.\"+25261\" = 4\nreserved_by_prefix.\"+25261\" = 4",
        "what is reserved of `+25261` is less than its `channels_by_prefix`, 4",
    );
    trunk_with(
        "outcomes.603 = \"banana\"",
        "`banana` is no outcome: write \"busy\", \"no-answer\", \"canceled\" or \"failed\"",
    );
    for (codecs, expected) in [
        ("[]", "`codecs` is empty"),
        ("[\"G729\"]", "`G729` is no codec of a trunk"),
        ("[\"PCMA\", \"pcma\"]", "`PCMA` is named twice"),
    ] {
        trunk_with(&format!("codecs = {codecs}"), expected);
    }
    trunk_with("dtmf = \"rfc2833\"", "`rfc2833` is no way to tell of keys");
    trunk_with(
        "encryption = \"yes\"",
        "unknown variant `yes`, expected one of `off`, `optional`, `required`",
    );
    trunk_with("outcomes.603 = \"completed\"", "`completed` is no outcome");
    for bad in ["200", "700", "6033", "busy"] {
        trunk_with(
            &format!("outcomes.{bad} = \"busy\""),
            &format!(
                "`{bad}` is no final SIP status of an unanswered call: write one from 300 to 699"
            ),
        );
    }
}

#[test]
fn operators() {
    let smart = "[[operator]]\ncountry = \"KH\"\nname = \"Smart\"\nprefixes = [\"+85510\"]\n";
    lengthened(
        &smart.replace("KH", "Cambodia"),
        2,
        "`Cambodia` is not a country",
    );
    lengthened(
        &smart.replace("Smart", ""),
        3,
        "an operator's name has 1 to 64 bytes",
    );
    lengthened(
        &smart.replace("+85510", "85510"),
        4,
        "`85510` is no beginning of numbers",
    );
    lengthened(
        &format!("{smart}{smart}"),
        7,
        "operator `Smart (KH)` is named twice",
    );
    lengthened(
        &format!("{smart}{}", smart.replace("Smart", "Cellcard")),
        8,
        "`+85510` is a prefix of Smart (KH) too: keep one",
    );
}

#[test]
fn numbers() {
    spoilt(
        "\"+85512345678\"",
        "\"0085512345678\"",
        14,
        "is not a telephone number",
    );
    spoilt(
        "account = \"hotline\"",
        "account = \"hotlin\"",
        15,
        "no account `hotlin` in this file: add an [[account]], or use one of: hotline",
    );
    spoilt(
        "flow = \"menu\"",
        "flow = \"menus\"",
        16,
        "no flow `menus`: add a [[component]] of that name, upload one, or use a bundled one (menu, echo)",
    );
    spoilt(
        "flow = \"menu\"\n",
        "",
        14,
        "give exactly one of `flow`, `voice_url` and `twiml`",
    );
    spoilt(
        "flow = \"menu\"",
        "flow = \"menu\"\ntwiml = \"<Response/>\"",
        14,
        "give exactly one",
    );
    spoilt(
        "flow = \"menu\"",
        "voice_url = \"ftp://example.org/\"",
        16,
        "an http:// or https:// URL",
    );
    spoilt(
        "flow = \"menu\"",
        "voice_url = \"http://\"",
        16,
        "an http:// or https:// URL",
    );
    spoilt(
        "flow = \"menu\"",
        "voice_url = \"http://a/ b\"",
        16,
        "an http:// or https:// URL",
    );
    spoilt(
        "flow = \"menu\"",
        "voice_url = \"http://a/\"\nvoice_method = \"PUT\"",
        17,
        "\"GET\" or \"POST\"",
    );
    spoilt(
        "flow = \"menu\"",
        "flow = \"menu\"\nvoice_method = \"GET\"",
        17,
        "belongs to a `voice_url`",
    );
    lengthened(
        "[[number]]\nnumber = \"+85512345678\"\naccount = \"hotline\"\nflow = \"echo\"",
        2,
        "number `+85512345678` is given out twice, first in line 14",
    );
}

#[test]
fn what_a_call_does() {
    let flow = |line: &str| {
        parse(&GOOD.replace("flow = \"menu\"", line))
            .unwrap()
            .numbers
            .remove(0)
            .flow
    };
    let url = |method| Flow::VoiceUrl {
        url: "https://example.org/voice".to_owned(),
        method,
    };
    assert_eq!(flow("flow = \"echo\""), Flow::Component("echo".to_owned()));
    assert_eq!(
        flow("twiml = \"<Response/>\""),
        Flow::Twiml("<Response/>".to_owned())
    );
    assert_eq!(
        flow("voice_url = \"https://example.org/voice\""),
        url(WebhookMethod::Post)
    );
    assert_eq!(
        flow("voice_url = \"https://example.org/voice\"\nvoice_method = \"GET\""),
        url(WebhookMethod::Get)
    );
}

#[test]
fn two_carriers_may_have_an_account_of_one_name() {
    let west = "[[carrier]]\nid = \"west\"\n[[account]]\ncarrier = \"west\"\nname = \"hotline\"\n";
    let number = |account: &str| {
        format!("{west}[[number]]\nnumber = \"1294\"\naccount = \"{account}\"\nflow = \"menu\"\n")
    };
    let text = GOOD.replace("account = \"hotline\"", "account = \"east/hotline\"");
    let tenants = parse(&format!("{text}{}", number("west/hotline"))).unwrap();
    let owners: Vec<_> = tenants
        .numbers
        .iter()
        .map(|number| number.carrier.0.as_str())
        .collect();
    assert_eq!(owners, ["east", "west"]);
    wrong(
        &format!("{text}{}", number("hotline")),
        GOOD.lines().count() + 8,
        "write `east/hotline` or the other",
    );
}

#[test]
fn the_same_number_may_belong_to_two_carriers() {
    let west = "[[carrier]]\nid = \"west\"\n[[account]]\ncarrier = \"west\"\nname = \"clinic\"\n";
    let number = "[[number]]\nnumber = \"+85512345678\"\naccount = \"clinic\"\nflow = \"echo\"\n";
    assert_eq!(
        parse(&format!("{GOOD}{west}{number}"))
            .unwrap()
            .numbers
            .len(),
        2
    );
}

#[test]
fn components() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.wasm"), b"\0asm good").unwrap();
    fs::write(folder.path().join("text.wasm"), b"(module)").unwrap();
    fs::write(
        folder.path().join("large.wasm"),
        vec![0; MAX_COMPONENT_BYTES as usize + 1],
    )
    .unwrap();
    let component = |name: &str, file: &str| {
        format!("[[component]]\naccount = \"hotline\"\nname = \"{name}\"\nfile = \"{file}\"\n")
    };
    let check = |more: &str, line: usize, expected: &str| {
        let error = parse_in(folder.path(), &format!("{GOOD}{more}")).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.line, GOOD.lines().count() + line, "{error}");
    };
    check(&component("survey", "missing.wasm"), 4, "cannot read");
    check(
        &component("survey", "text.wasm"),
        4,
        "cannot run here: it is not WebAssembly",
    );
    check(&component("survey", "large.wasm"), 4, "more than 32 MiB");
    check(&component("Survey", "good.wasm"), 3, "is not an id");
    check(
        &component("survey", "good.wasm").repeat(2),
        7,
        "the account has two components `survey`",
    );
    check(
        &component("survey", "good.wasm").replace("hotline", "clinic"),
        2,
        "no account `clinic`",
    );

    // A number may use a component of its account that comes later in the file.
    let text =
        GOOD.replace("flow = \"menu\"", "flow = \"survey\"") + &component("survey", "good.wasm");
    let tenants = parse_in(folder.path(), &text).unwrap();
    assert_eq!(tenants.components[0].bytes, b"\0asm good");
    assert_eq!(tenants.components[0].row.size_bytes, 9);
}

/// The example of the module's text.
fn example() -> String {
    include_str!("../tenants.rs")
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| {
            line.trim_start_matches("//!")
                .trim_start_matches(' ')
                .to_owned()
                + "\n"
        })
        .collect()
}

#[test]
fn the_example_in_the_documentation_applies() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("registration.wasm"), b"\0asm").unwrap();
    let store = MemoryStore::new();
    let applied = store
        .apply(parse_in(folder.path(), &example()).unwrap())
        .wait()
        .unwrap();
    assert_eq!(applied.created.len(), 7);
    let directory = store.directory();
    let account = directory.accounts().next().unwrap();
    assert_eq!(account.media_dir, Some(folder.path().join("media")));
    assert_eq!(account.outbound.allow, ["+855", "1294", "sip:"]);
    assert_eq!(directory.numbers(account.sid).count(), 2);
}

#[test]
fn no_cut_and_no_changed_byte_makes_the_reader_panic() {
    let text = example();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        for replacement in [b'"', b'[', b'\n', b'0', b'\\'] {
            bytes[at] = replacement;
            if let Ok(changed) = std::str::from_utf8(&bytes) {
                let _either = parse(changed);
            }
        }
        if let Some(cut) = text.get(..at) {
            let _either = parse(cut);
        }
    }
}

#[test]
fn grants_are_read_with_the_account_and_checked() {
    let grants =
        "grants = { hosts = [\"*.example.org\"], dial = [\"+855\", \"sip:\"], key-value = true }";
    let text = GOOD.replacen(
        "name = \"hotline\"",
        &format!("name = \"hotline\"\n{grants}"),
        1,
    );
    let tenants = parse(&text).unwrap();
    let read = &tenants.accounts[0].grants;
    assert!(read.has_host("api.example.org") && read.key_value && read.settings.is_empty());
    assert_eq!(grants_in(&text, "east/hotline"), Ok(Some(read.clone())));
    assert_eq!(grants_in(GOOD, "hotline"), Ok(Some(Grants::default())));
    assert_eq!(grants_in(GOOD, "clinic"), Ok(None));
    for (grants, told) in [
        ("grants = { host = [] }", "unknown field `host`"),
        (
            "grants = { hosts = [\"https://a.example/\"] }",
            "name one without scheme, port and path",
        ),
        (
            "grants = { dial = [\"012 345\"] }",
            "`012 345` among `dial`",
        ),
    ] {
        let named = format!("name = \"hotline\"\n{grants}");
        spoilt("name = \"hotline\"", &named, 6, told);
    }
}

#[test]
fn a_component_is_checked_with_its_accounts_grants() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wasm"), b"\0asm").unwrap();
    let component = "[[component]]\naccount = \"hotline\"\nname = \"a\"\nfile = \"a.wasm\"\n";
    let check_component = |_: &[u8], grants: &Grants| match grants.key_value {
        true => Ok(()),
        false => Err("add key-value = true".to_owned()),
    };
    let surroundings = Surroundings {
        folder: folder.path(),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &check_component,
    };
    let text = format!("{GOOD}{component}");
    let error = Tenants::parse(&text, &surroundings).unwrap_err();
    assert!(error.message.contains("add key-value = true"), "{error}");
    let granting = "name = \"hotline\"\ngrants.key-value = true";
    let text = text.replacen("name = \"hotline\"", granting, 1);
    assert!(Tenants::parse(&text, &surroundings).is_ok());
}

#[test]
fn secrets_are_named_and_do_not_show() {
    let with = |secrets: &str| format!("name = \"hotline\"\nsecrets = {{ {secrets} }}");
    let text = GOOD.replacen(
        "name = \"hotline\"",
        &with("crm-token = \"canary-secret\""),
        1,
    );
    let tenants = parse(&text).unwrap();
    assert_eq!(
        tenants.accounts[0].secrets["crm-token"].expose(),
        "canary-secret"
    );
    assert!(!format!("{tenants:?}").contains("canary-secret"));
    for (secrets, told) in [
        ("Token = \"long-enough\"", "Token"),
        (
            "token = \"short\"",
            "the secret `token` has to be 8 to 1,024",
        ),
        ("token = \"line\\nbreak\"", "visible ASCII"),
    ] {
        spoilt("name = \"hotline\"", &with(secrets), 6, told);
    }
}

#[test]
fn a_trunk_is_given_to_an_account_of_its_own_carrier() {
    let of = |account: &str| format!("id = \"gateway\"\naccount = \"{account}\"");
    spoilt(
        "id = \"gateway\"",
        &of("nobody"),
        8,
        "no account `nobody` in this file",
    );
    let other = "[[carrier]]\nid = \"west\"\n[[account]]\ncarrier = \"west\"\nname = \"clinic\"\n[[trunk]]\nid = \"w\"\n\
                 carrier = \"west\"\naccount = \"hotline\"\ntarget = \"203.0.113.2\"\nmax_channels = 1\ncalls_per_second = 1\n";
    lengthened(
        other,
        9,
        "a trunk is given to an account of its own carrier",
    );
    spoilt(
        "max_channels = 30",
        "max_channels = 30\nrank = 100",
        12,
        "`rank` is a number from 0 to 99",
    );
    let right = GOOD.replacen(
        "id = \"gateway\"",
        &format!("{}\nrank = 7", of("east/hotline")),
        1,
    );
    let tenants = parse(&right).unwrap();
    let [trunk] = &tenants.trunks[..] else {
        panic!("one trunk");
    };
    assert_eq!(
        (trunk.account, trunk.rank),
        (Some(tenants.accounts[0].sid), 7)
    );
}
