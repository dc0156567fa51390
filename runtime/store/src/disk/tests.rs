//! The disk store when the disk fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use call::Direction;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::tenants::Surroundings;
use crate::{
    AccountStore as _, CallFilter, CarrierId, Flow, Leg, NewCall, Store as _, Tenants,
    random_call_sid,
};

/// A disk that can be made to fail, and counts its syncs.
#[derive(Debug, Default)]
struct Faults {
    sync_fails: AtomicBool,
    growth_fails: AtomicBool,
    syncs: AtomicU32,
}

#[derive(Debug)]
struct FaultyDisk {
    disk: InMemoryBackend,
    faults: Arc<Faults>,
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.faults.growth_fails.load(Ordering::SeqCst) && len > self.disk.len()? {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.faults.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("injected EIO"));
        }
        self.faults.syncs.fetch_add(1, Ordering::SeqCst);
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

struct Setup {
    store: DiskStore,
    scope: Scope,
    faults: Arc<Faults>,
    _folder: tempfile::TempDir,
}

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let disk = FaultyDisk {
        disk: InMemoryBackend::new(),
        faults: Arc::clone(&faults),
    };
    let database = redb::Builder::new().create_with_backend(disk).unwrap();
    let (store, _) = DiskStore::start(database, &Places::in_folder(folder.path()), 0).unwrap();
    let text = "[[carrier]]\nid = \"east\"\n[[account]]\ncarrier = \"east\"\nname = \"hotline\"";
    let surroundings = Surroundings {
        folder: folder.path(),
        bundled: &[],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    store
        .apply(Tenants::parse(text, &surroundings).unwrap())
        .wait()
        .unwrap();
    let carrier = CarrierId("east".to_owned());
    let scope = Scope::of_host(
        store
            .directory()
            .account_by_name(&carrier, "hotline")
            .unwrap()
            .sid,
    );
    Setup {
        store,
        scope,
        faults,
        _folder: folder,
    }
}

fn new_call() -> NewCall {
    NewCall {
        sid: random_call_sid(),
        from: "+85512345678".to_owned(),
        to: "+85598765432".to_owned(),
        direction: Direction::OutboundApi,
        parent: None,
        flow: Flow::Twiml("<Response/>".to_owned()),
        ring_timeout_s: None,
        settings: Default::default(),
        orders: Default::default(),
        callback: None,
        notification: None,
        created_unix_ms: 0,
    }
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_reads_go_on() {
    let Setup {
        store,
        scope,
        faults,
        ..
    } = setup();
    let kept = store.accept_call(scope, new_call()).wait().unwrap();

    faults.sync_fails.store(true, Ordering::SeqCst);
    let failing: Vec<_> = (0..10)
        .map(|_| store.accept_call(scope, new_call()))
        .collect();
    for commit in failing {
        let error = commit.wait().unwrap_err();
        assert!(matches!(error, StoreError::Failed(_)), "{error}");
    }

    // A disk that seems well again is not to be believed: what it dropped is not known.
    faults.sync_fails.store(false, Ordering::SeqCst);
    let call = new_call();
    let refused = call.sid;
    assert!(matches!(
        store.accept_call(scope, call).wait(),
        Err(StoreError::Failed(_))
    ));
    assert!(matches!(
        store.begin_attempt(kept.sid, leg().into(), 1).wait(),
        Err(StoreError::Failed(_))
    ));

    assert_eq!(store.call(scope, kept.sid).unwrap(), Some(kept.clone()));
    assert_eq!(store.call(scope, refused).unwrap(), None);
    let page = store
        .calls(scope, &CallFilter::default(), None, 50)
        .unwrap();
    assert_eq!(page.rows, [kept]);
    assert!(store.directory().account(scope.account()).is_some());
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_and_keeps_what_was_acknowledged() {
    let Setup {
        store,
        scope,
        faults,
        ..
    } = setup();
    faults.growth_fails.store(true, Ordering::SeqCst);
    let mut kept = Vec::new();
    let error = loop {
        match store
            .accept_call(
                scope,
                NewCall {
                    flow: Flow::Twiml("x".repeat(4_000)),
                    ..new_call()
                },
            )
            .wait()
        {
            Ok(row) => kept.push(row.sid),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
    assert!(!kept.is_empty());
    for sid in kept {
        assert!(store.call(scope, sid).unwrap().is_some(), "{sid}");
    }
}

#[test]
fn verbs_that_wait_together_share_a_sync() {
    let Setup {
        store,
        scope,
        faults,
        ..
    } = setup();
    let before = faults.syncs.load(Ordering::SeqCst);
    let commits: Vec<_> = (0..1_000)
        .map(|_| store.accept_call(scope, new_call()))
        .collect();
    for commit in commits {
        commit.wait().unwrap();
    }
    let syncs = faults.syncs.load(Ordering::SeqCst) - before;
    assert!(syncs < 500, "{syncs} syncs for 1,000 verbs");
}

#[test]
fn a_database_of_another_layout_is_refused_with_what_to_do() {
    let meta = redb::TableDefinition::<&str, u32>::new("meta");
    for (layout, advice) in [
        (tables::LAYOUT - 1, "apply the tenants file anew"),
        (tables::LAYOUT + 1, "or a later one"),
    ] {
        let builder = redb::Builder::new();
        let database = builder.create_with_backend(InMemoryBackend::new()).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(meta).unwrap();
        table.insert("layout", layout).unwrap();
        drop(table);
        transaction.commit().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let places = Places::in_folder(folder.path());
        let error = DiskStore::start(database, &places, 0)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("has layout {layout}")), "{error}");
        assert!(error.contains(advice), "{error}");
        assert!(!places.key_file.exists(), "no key is made for it");
    }
}

fn leg() -> Leg {
    Leg {
        trunk: crate::TrunkId("gateway".to_owned()),
        sip_call_id: "1@198.51.100.1".to_owned(),
    }
}
