//! What the disk store keeps across restarts, and what it refuses to open.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{TENANTS, hotline, leg, outbound, parse, queued, record, sid};
use call::CallStatus;
use jackfield_store::{
    AccountStore, CallEventKind, CallFilter, DiskStore, OpenError, Places, Store, StoreError,
    TrunkId,
};

fn open(folder: &Path) -> DiskStore {
    DiskStore::open(&Places::in_folder(folder), 0).unwrap().0
}

/// A folder with the tenants of [`TENANTS`], and what else `fill` does to the store.
fn folder_with(fill: impl FnOnce(&DiskStore)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(parse(TENANTS)).wait().unwrap();
    fill(&store);
    folder
}

#[test]
fn everything_is_there_after_a_restart() {
    let mut before = None;
    let folder = folder_with(|store| {
        let scope = hotline(store);
        for number in 1..=3 {
            store
                .accept_call(scope, outbound(number, number))
                .wait()
                .unwrap();
        }
        store
            .begin_attempt(sid(1), leg(1).into(), 10)
            .wait()
            .unwrap();
        store
            .finish_call(
                sid(1),
                record(CallStatus::Busy),
                20,
                Some(b"journal".to_vec()),
            )
            .wait()
            .unwrap();
        let page = store
            .calls(scope, &CallFilter::default(), None, 50)
            .unwrap();
        before = Some((page, store.events(scope, sid(1)).unwrap(), queued(store)));
    });
    let store = open(folder.path());
    let scope = hotline(&store);
    let page = store
        .calls(scope, &CallFilter::default(), None, 50)
        .unwrap();
    assert_eq!(
        before,
        Some((page, store.events(scope, sid(1)).unwrap(), queued(&store)))
    );
    assert_eq!(
        store.journal(scope, sid(1)).unwrap().as_deref(),
        Some(&b"journal"[..])
    );
    assert_eq!(store.apply(parse(TENANTS)).wait().unwrap().unchanged, 8);
}

/// One trunk with every key, the account that has it, and an operator.
const RICH: &str = r#"
[[carrier]]
id = "north"
domain = "voice.north.example"
[[account]]
carrier = "north"
name = "desk"
[[trunk]]
id = "rich"
carrier = "north"
account = "desk"
prefixes = ["+25261"]
rank = 3
sources = ["198.51.100.0/24", "2001:db8::/32"]
targets = ["sip:sbc.example.org;transport=tcp", "registered"]
max_channels = 32
calls_per_second = 2
channels_by_prefix = { "+25261" = 8, "+2526" = 16 }
reserved_for_inbound = 4
reserved_by_prefix = { "+25261" = 2 }
login = { username = "gw1", password = "canary-of-the-login", registers = true }
credentials = { username = "jack", password = "canary-of-the-credentials", realm = "example.org" }
registration = { registrar = "sip:provider.example", expires_s = 900 }
health = { every_s = 60 }
numbers = { country = "SO", dial_as = "national", prefix = "9#" }
caller_id = { dial_as = "e164", headers = ["from", "remote-party-id"], user_phone = true, trusted = true }
nat = { force_rport = true, to_source = true, symmetric_rtp = true, advertised_sip = "203.0.113.1:5060", advertised_media = "203.0.113.1" }
outcomes = { 603 = "failed", 480 = "busy" }
codecs = ["opus", "G722", "PCMA"]
dtmf = "in-band"
encryption = "optional"
[[operator]]
country = "SO"
name = "Telesom"
prefixes = ["+25263"]
"#;

#[test]
fn a_trunk_with_every_key_is_the_same_after_a_restart_and_its_passwords_are_sealed() {
    let id = TrunkId("rich".to_owned());
    let mut before = None;
    let folder = folder_with(|store| {
        store.apply(parse(RICH)).wait().unwrap();
        before = store.directory().trunk(&id).cloned();
    });
    let store = open(folder.path());
    let directory = store.directory();
    let trunk = directory.trunk(&id);
    assert_eq!(before.as_ref(), trunk);
    let trunk = trunk.unwrap();
    assert_eq!(
        trunk.login.as_ref().unwrap().password.expose(),
        "canary-of-the-login"
    );
    assert_eq!(
        trunk.credentials.as_ref().unwrap().password.expose(),
        "canary-of-the-credentials"
    );
    assert_eq!(
        directory.trunk_by_login("voice.north.example", "gw1"),
        Some(trunk)
    );
    let telesom = directory
        .operator(&"+252631234567".parse().unwrap())
        .unwrap();
    assert_eq!(telesom.id.to_string(), "Telesom (SO)");
    assert!(trunk.account.is_some(), "it is one account's");
    assert_eq!(store.apply(parse(RICH)).wait().unwrap().unchanged, 4);
    drop(store);
    let written = fs::read(folder.path().join("jackfield.redb")).unwrap();
    assert!(!written.windows(6).any(|window| window == b"canary"));
    assert!(
        written.windows(4).any(|window| window == b"jack"),
        "it does lie there"
    );
}

#[test]
fn verbs_that_were_queued_are_written_before_the_store_closes() {
    let folder = folder_with(|store| {
        for number in 0..500 {
            drop(store.accept_call(hotline(store), outbound(number, number)));
        }
    });
    assert_eq!(queued(&open(folder.path())).len(), 500);
}

#[test]
fn calls_that_were_under_way_are_ended_at_the_next_start() {
    let folder = folder_with(|store| {
        for number in 1..=5 {
            store
                .accept_call(hotline(store), outbound(number, 1_000))
                .wait()
                .unwrap();
        }
        for number in 2..=5 {
            store
                .begin_attempt(sid(number), leg(number).into(), 2_000)
                .wait()
                .unwrap();
        }
        store
            .set_status(sid(3), CallStatus::Ringing, 3_000)
            .wait()
            .unwrap();
        store
            .set_status(sid(4), CallStatus::InProgress, 4_000)
            .wait()
            .unwrap();
        store
            .finish_call(sid(5), record(CallStatus::Completed), 5_000, None)
            .wait()
            .unwrap();
    });
    let (store, recovered) = DiskStore::open(&Places::in_folder(folder.path()), 60_000).unwrap();
    let mut lost: Vec<_> = recovered
        .lost
        .iter()
        .map(|row| {
            let record = row.record.as_ref().unwrap();
            (
                row.sid,
                row.status,
                record.end_reason.as_str(),
                row.ended_unix_ms,
            )
        })
        .collect();
    lost.sort_by_key(|row| row.0);
    let expected = [
        (sid(2), CallStatus::Failed, "node_lost", Some(2_000)),
        (sid(3), CallStatus::Failed, "node_lost", Some(3_000)),
        (sid(4), CallStatus::Completed, "node_lost", Some(4_000)),
    ];
    assert_eq!(lost, expected);
    assert_eq!(
        recovered.lost,
        expected.map(|row| store.call(hotline(&store), row.0).unwrap().unwrap())
    );

    let last = store
        .events(hotline(&store), sid(4))
        .unwrap()
        .unwrap()
        .pop()
        .unwrap();
    assert!(matches!(&last.kind, CallEventKind::Ended(record) if record.end_reason == "node_lost"));
    assert_eq!(last.at_unix_ms, 60_000);
    assert_eq!(
        queued(&store).iter().map(|row| row.sid).collect::<Vec<_>>(),
        [sid(1)]
    );
    assert_eq!(
        store.call(hotline(&store), sid(5)).unwrap().unwrap().record,
        Some(record(CallStatus::Completed))
    );

    drop(store);
    let (_, again) = DiskStore::open(&Places::in_folder(folder.path()), 70_000).unwrap();
    assert_eq!(again.lost, []);
}

#[test]
fn a_database_in_use_says_that_a_server_runs() {
    let folder = folder_with(|_| {});
    let _server = open(folder.path());
    let error = DiskStore::open(&Places::in_folder(folder.path()), 0).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("a server is running"), "{error}");
}

#[test]
fn tokens_and_journals_are_not_readable_on_the_disk() {
    let folder = folder_with(|store| {
        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        let journal = b"canary-in-the-journal".to_vec();
        store
            .finish_call(sid(1), record(CallStatus::Failed), 1, Some(journal))
            .wait()
            .unwrap();
    });
    let database = fs::read(Places::in_folder(folder.path()).database).unwrap();
    let holds = |needle: &[u8]| {
        database
            .windows(needle.len())
            .any(|window| window == needle)
    };
    assert!(
        holds(b"+85598765432"),
        "the search finds what is not sealed"
    );
    assert!(!holds(b"hotline-token-0001"));
    assert!(!holds(b"canary-in-the-journal"));
}

#[test]
fn the_key_file_is_made_once_and_never_replaced() {
    let folder = folder_with(|_| {});
    let places = Places::in_folder(folder.path());
    assert_eq!(
        fs::metadata(&places.key_file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let key = fs::read(&places.key_file).unwrap();
    drop(open(folder.path()));
    assert_eq!(fs::read(&places.key_file).unwrap(), key);

    fs::remove_file(&places.key_file).unwrap();
    let error = DiskStore::open(&places, 0).unwrap_err();
    assert!(matches!(error, OpenError::KeyMissing { .. }), "{error}");
    assert!(!places.key_file.exists());

    let other = folder_with(|_| {});
    fs::copy(Places::in_folder(other.path()).key_file, &places.key_file).unwrap();
    let error = DiskStore::open(&places, 0).unwrap_err();
    assert!(
        matches!(&error, OpenError::Rows(StoreError::Corrupt(why)) if why.contains("key file")),
        "{error}"
    );

    fs::write(&places.key_file, &key).unwrap();
    open(folder.path());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    fs::write(
        &places.database,
        b"not a database, and longer than its header",
    )
    .unwrap();
    let error = DiskStore::open(&places, 0).unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
    assert_eq!(
        fs::read(&places.database).unwrap(),
        b"not a database, and longer than its header"
    );
}

#[test]
fn a_component_whose_file_was_changed_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("survey.wasm"), b"\0asm").unwrap();
    let text = format!(
        "{TENANTS}\n[[component]]\naccount = \"hotline\"\nname = \"survey\"\nfile = \"survey.wasm\"\n"
    );
    let surroundings = jackfield_store::tenants::Surroundings {
        folder: folder.path(),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = open(folder.path());
    store
        .apply(jackfield_store::Tenants::parse(&text, &surroundings).unwrap())
        .wait()
        .unwrap();
    let component = store
        .directory()
        .plugin(&hotline(&store).into(), "survey")
        .unwrap()
        .active()
        .unwrap()
        .sha256;
    assert_eq!(store.component_bytes(component).unwrap(), b"\0asm");

    let kept = Places::in_folder(folder.path())
        .components
        .join(format!("{component}.wasm"));
    fs::write(&kept, b"\0asn").unwrap();
    assert!(matches!(
        store.component_bytes(component),
        Err(StoreError::Corrupt(_))
    ));
}

#[test]
fn secrets_are_sealed_on_the_disk_and_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let store = open(folder.path());
    let named = "name = \"hotline\"\nsecrets = { crm-token = \"canary-secret\" }\ngrants.secrets = [\"crm-token\"]";
    store
        .apply(parse(&TENANTS.replacen("name = \"hotline\"", named, 1)))
        .wait()
        .unwrap();
    drop(store);
    let bytes = fs::read(&places.database).unwrap();
    let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(has(b"crm-token") && !has(b"canary-secret"));

    let store = open(folder.path());
    let directory = store.directory();
    let account = directory.account(hotline(&store).account()).unwrap();
    assert_eq!(account.secrets["crm-token"].expose(), "canary-secret");
    assert!(account.grants.has_secret("crm-token"));
    assert!(!format!("{account:?}").contains("canary-secret"));
}
