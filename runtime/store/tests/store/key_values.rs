//! Key-value pairs: kept, bounded, and nobody else's.

use call::{KeyValueError, KeyValueRead, KeyValueReply, KeyValueWrite};
use jackfield_store::{DiskStore, Places, Scope, Store, StoreError};

use crate::support::{TENANTS, clinic, hotline, parse};
use crate::verbs::on_each;

fn set(store: &dyn Store, scope: Scope, key: &str, value: &[u8]) -> Result<(), StoreError> {
    let (key, value) = (key.to_owned(), value.to_vec());
    let set = KeyValueWrite::Set { key, value };
    store.write_key_value(scope, set).wait().map(drop)
}

fn increment(store: &dyn Store, scope: Scope, key: &str, delta: u64) -> KeyValueReply {
    let key = key.to_owned();
    let increment = KeyValueWrite::Increment { key, delta };
    store.write_key_value(scope, increment).wait().unwrap()
}

fn get(store: &dyn Store, scope: Scope, key: &str) -> Option<Vec<u8>> {
    let read = KeyValueRead::Get(key.to_owned());
    match store.read_key_value(scope, read).unwrap() {
        KeyValueReply::Value(value) => value,
        other => panic!("{other:?}"),
    }
}

/// The keys of a page, and whether there are more.
fn keys(store: &dyn Store, scope: Scope, after: Option<&str>) -> (Vec<String>, bool) {
    let after = after.map(str::to_owned);
    match store
        .read_key_value(scope, KeyValueRead::List { after })
        .unwrap()
    {
        KeyValueReply::Keys { keys, more } => (keys, more),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pairs_are_kept_changed_and_forgotten() {
    on_each(|store| {
        let scope = hotline(store);
        set(store, scope, "b", b"one").unwrap();
        set(store, scope, "b", b"two").unwrap();
        set(store, scope, "a", b"").unwrap();
        assert_eq!(get(store, scope, "b").as_deref(), Some(&b"two"[..]));
        assert_eq!(get(store, scope, "a").as_deref(), Some(&b""[..]));
        assert_eq!(get(store, scope, "c"), None);
        assert_eq!(increment(store, scope, "n", 2), KeyValueReply::Number(2));
        assert_eq!(increment(store, scope, "n", 40), KeyValueReply::Number(42));
        assert_eq!(get(store, scope, "n").as_deref(), Some(&b"42"[..]));
        for _ in 0..2 {
            let forget = KeyValueWrite::Delete("b".to_owned());
            let told = store.write_key_value(scope, forget).wait();
            assert_eq!(told, Ok(KeyValueReply::Done));
        }
        let (found, more) = keys(store, scope, None);
        assert_eq!(
            (found.as_slice(), more),
            (&["a".to_owned(), "n".to_owned()][..], false)
        );
        for (key, there) in [("a", true), ("b", false)] {
            let exists = store.read_key_value(scope, KeyValueRead::Exists(key.to_owned()));
            assert_eq!(exists, Ok(KeyValueReply::Exists(there)));
        }
    });
}

#[test]
fn another_accounts_pairs_are_not_there() {
    on_each(|store| {
        set(store, hotline(store), "shared-name", b"ours").unwrap();
        assert_eq!(get(store, clinic(store), "shared-name"), None);
        assert_eq!(keys(store, clinic(store), None), (Vec::new(), false));
        set(store, clinic(store), "shared-name", b"theirs").unwrap();
        let forget = KeyValueWrite::Delete("shared-name".to_owned());
        store.write_key_value(clinic(store), forget).wait().unwrap();
        let ours = get(store, hotline(store), "shared-name");
        assert_eq!(ours.as_deref(), Some(&b"ours"[..]));
        let nobody = Scope::of_host(call::AccountSid::from_bytes([9; 16]));
        let told = set(store, nobody, "a", b"");
        assert!(
            matches!(told, Err(StoreError::UnknownAccount(_))),
            "{told:?}"
        );
    });
}

#[test]
fn keys_are_listed_in_pages_and_limits_hold() {
    on_each(|store| {
        let scope = hotline(store);
        // Unacknowledged one by one, so that they share their transactions.
        let mut last = None;
        for number in 0..10_000 {
            let (key, value) = (format!("{number:04}"), Vec::new());
            last = Some(store.write_key_value(scope, KeyValueWrite::Set { key, value }));
            if number % 1_000 == 0 {
                last.take().unwrap().wait().unwrap();
            }
        }
        last.unwrap().wait().unwrap();
        let (found, more) = keys(store, scope, Some("0499"));
        assert_eq!((found.len(), found[0].as_str(), more), (500, "0500", true));
        let (found, more) = keys(store, scope, Some("9500"));
        assert_eq!((found.len(), found[0].as_str(), more), (499, "9501", false));

        let refused = |told: Result<(), StoreError>| match told {
            Err(StoreError::KeyValue(error)) => error,
            other => panic!("{other:?}"),
        };
        let told = refused(set(store, scope, "more", b""));
        assert_eq!(told, KeyValueError::TooManyKeys);
        // Another account's room is its own.
        set(store, clinic(store), "more", b"").unwrap();
        let told = refused(set(store, clinic(store), "", b""));
        assert_eq!(told, KeyValueError::InvalidKey(0));
        let told = refused(set(store, clinic(store), "a", &[0; 65_537]));
        assert_eq!(told, KeyValueError::ValueTooLarge(65_537));
        for number in 0..255 {
            set(store, clinic(store), &format!("{number:03}"), &[0; 65_536]).unwrap();
        }
        let told = refused(set(store, clinic(store), "255", &[0; 65_536]));
        assert_eq!(told, KeyValueError::Full);
    });
}

#[test]
fn pairs_are_there_after_a_restart_and_sealed_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    set(&store, hotline(&store), "pin", b"canary-value").unwrap();
    assert_eq!(
        increment(&store, hotline(&store), "n", 7),
        KeyValueReply::Number(7)
    );
    drop(store);

    let bytes = std::fs::read(&places.database).unwrap();
    let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(has(b"pin") && !has(b"canary-value"));

    let (store, _) = DiskStore::open(&places, 0).unwrap();
    let value = get(&store, hotline(&store), "pin");
    assert_eq!(value.as_deref(), Some(&b"canary-value"[..]));
    assert_eq!(
        increment(&store, hotline(&store), "n", 1),
        KeyValueReply::Number(8)
    );
}
