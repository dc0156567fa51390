//! One thing of a tenants file by itself, as the operator's API shows and changes it.

use std::path::Path;

use jackfield_store::tenants::{Kind, Surroundings};
use jackfield_store::{AccountStore as _, MemoryStore, Store as _, Tenants, TrunkId};
use toml::Table;

const FULL: &str = r#"
[[carrier]]
id = "demo"
name = "Demo Telecom"
domain = "voice.example.org"
number_pool = ["+85512000001"]

[[account]]
carrier = "demo"
name = "hotline"
sid = "AC11111111111111111111111111111111"
auth_token = "0123456789abcdef"
media_dir = "/srv/media"
voice = "kal"
open_recordings = true
settings = { greeting = "hello" }
fallback = { twiml = "<Response/>" }
egress.allow = ["127.0.0.0/8"]
outbound = { allow = ["+855", "sip:"], max_channels = 7, calls_per_second = 0.3 }
secrets = { crm-token = "8-or-more" }
grants = { hosts = ["*"], key-value = true }

[[trunk]]
id = "gateway"
carrier = "demo"
account = "hotline"
rank = 4
sources = ["127.0.0.1", "203.0.113.0/24"]
targets = ["sip:sbc.example.org", "registered"]
max_channels = 32
calls_per_second = 2.5
channels_by_prefix = { "+85510" = 8 }
codecs = ["opus", "PCMA"]
dtmf = "info"
encryption = "optional"
login = { username = "gw1", password = "8-or-more", registers = true }
credentials = { username = "jackfield", password = "secret", realm = "example.org" }
registration = { registrar = "sip:example.org", contact_user = "1294", expires_s = 700 }
health = { every_s = 40, down_after = 4 }
numbers = { country = "KH", dial_as = "national", prefix = "9" }
caller_id = { dial_as = "plus", headers = ["from", "remote-party-id"], trusted = true }
nat = { force_rport = true, advertised_sip = "203.0.113.1:5060" }
outcomes = { 603 = "failed" }

[[number]]
number = "1294"
account = "hotline"
voice_url = "http://127.0.0.1:8000/voice"
voice_method = "GET"
status_callback = "http://127.0.0.1:8000/status"
settings = { a = "b" }
"#;

fn surroundings() -> Surroundings<'static> {
    Surroundings {
        folder: Path::new("/"),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    }
}

fn loaded() -> MemoryStore {
    let store = MemoryStore::new();
    let tenants = Tenants::parse(FULL, &surroundings()).unwrap();
    store.apply(tenants).wait().unwrap();
    store
}

#[test]
fn what_is_shown_is_read_back_as_it_was() {
    let store = loaded();
    let directory = store.directory();
    let mut seen = 0;
    for kind in [Kind::Carrier, Kind::Account, Kind::Trunk, Kind::Number] {
        for id in directory.ids(kind) {
            let same = Tenants::of_thing(
                &directory,
                kind,
                Some(&id),
                &Table::new(),
                &[],
                &surroundings(),
            );
            let applied = store.apply(same.unwrap()).wait().unwrap();
            assert_eq!((applied.unchanged, applied.changed), (1, vec![]), "{id}");
            let shown = directory.table(kind, &id).unwrap().to_string();
            for secret in ["8-or-more", "0123456789abcdef", "\"secret\""] {
                assert!(!shown.contains(secret), "{shown}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn what_a_change_names_changes_and_the_rest_stays() {
    let store = loaded();
    let directory = store.directory();
    let set: Table = toml::from_str("max_channels = 8\nnat = { to_source = true }").unwrap();
    let unset = [
        vec!["health".to_owned()],
        vec!["nat".to_owned(), "force_rport".to_owned()],
    ];
    let changed = Tenants::of_thing(
        &directory,
        Kind::Trunk,
        Some("gateway"),
        &set,
        &unset,
        &surroundings(),
    );
    store.apply(changed.unwrap()).wait().unwrap();
    let directory = store.directory();
    let trunk = directory.trunk(&TrunkId("gateway".to_owned())).unwrap();
    assert_eq!((trunk.max_channels, trunk.health), (8, None));
    assert_eq!((trunk.nat.to_source, trunk.nat.force_rport), (true, false));
    assert_eq!(trunk.login.as_ref().unwrap().password.expose(), "8-or-more");
    // The next file that says nothing new of it leaves it alone.
    let again = store.apply(Tenants::parse(FULL, &surroundings()).unwrap());
    let again = again.wait().unwrap();
    assert_eq!((again.kept.len(), again.changed.len()), (1, 0));
}

#[test]
fn a_trunk_is_given_to_an_account_by_its_sid_and_taken_away() {
    let store = loaded();
    let gateway = TrunkId("gateway".to_owned());
    let change = |set: &str, unset: &[Vec<String>]| {
        let set: Table = toml::from_str(set).unwrap();
        let (kind, id) = (Kind::Trunk, Some("gateway"));
        Tenants::of_thing(&store.directory(), kind, id, &set, unset, &surroundings())
    };
    let taken = change("", &[vec!["account".to_owned()]]).unwrap();
    store.apply(taken).wait().unwrap();
    assert_eq!(store.directory().trunk(&gateway).unwrap().account, None);
    let sid = "AC11111111111111111111111111111111";
    let given = change(&format!("account = \"{sid}\""), &[]).unwrap();
    store.apply(given).wait().unwrap();
    let directory = store.directory();
    let trunk = directory.trunk(&gateway).unwrap();
    assert_eq!(
        trunk.account.map(|sid| sid.to_string()).as_deref(),
        Some(sid)
    );
    let shown = directory.table(Kind::Trunk, "gateway").unwrap();
    assert_eq!(shown["account"].as_str(), Some("demo/hotline"));
    let nobody = change("account = \"ACffffffffffffffffffffffffffffffff\"", &[]);
    assert!(nobody.unwrap_err().contains("give its SID"));
}

#[test]
fn what_is_wrong_with_a_change_is_told_in_words() {
    let store = loaded();
    let directory = store.directory();
    for (kind, set, told) in [
        (Kind::Trunk, "max_channels = 0", "at least 1"),
        (Kind::Trunk, "nonsense = 1", "unknown field `nonsense`"),
        (
            Kind::Trunk,
            "id = \"x\"\ncarrier = \"no\"\nmax_channels = 1",
            "no carrier `no`",
        ),
        (
            Kind::Number,
            "number = \"1\"\naccount = \"no\"",
            "no account `no`",
        ),
    ] {
        let set: Table = toml::from_str(set).unwrap();
        let id = (!set.contains_key("number") && !set.contains_key("id")).then_some("gateway");
        let refused = Tenants::of_thing(&directory, kind, id, &set, &[], &surroundings());
        let refused = refused.unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
}
