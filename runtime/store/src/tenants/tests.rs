//! What a tenants file may say, and what the errors for everything else say.

use std::fs;

use super::*;
use crate::{AccountStore, MemoryStore, Store, WebhookMethod};

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
    let check_component = |bytes: &[u8]| match bytes.starts_with(b"\0asm") {
        true => Ok(()),
        false => Err("it is not WebAssembly".to_owned()),
    };
    Tenants::parse(
        text,
        &Surroundings {
            folder,
            bundled: &["menu", "echo"],
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
    spoilt(
        "calls_per_second = 10\n",
        "",
        6,
        "missing field `calls_per_second`",
    );
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
    spoilt(
        "203.0.113.1:5060",
        "203.0.113.1",
        10,
        "an IP address and a port, such as \"203.0.113.7:5060\"",
    );
    spoilt(
        "203.0.113.1:5060",
        "gateway.example.org:5060",
        10,
        "an IP address and a port",
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
        "a trunk needs `sources`",
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
        "no flow `menus`: add a [[component]] of that name, or use a bundled one (menu, echo)",
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
    check(&component("survey", "large.wasm"), 4, "more than 8 MiB");
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
    assert_eq!(applied.created.len(), 6);
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
