//! Queues: of one name once, changed, deleted, and seen by nobody else.

use call::QueueSid;
use jackfield_store::{
    AccountStore as _, DiskStore, MAX_QUEUES, MemoryStore, NewQueue, Places, QueueChange, QueueRow,
    Store, StoreError,
};

use crate::support::{TENANTS, clinic, hotline, parse};
use crate::verbs::on_each;

fn new(number: u16, name: &str) -> NewQueue {
    let mut sid = [0; 16];
    sid[14..].copy_from_slice(&number.to_be_bytes());
    NewQueue {
        sid: QueueSid::from_bytes(sid),
        name: name.to_owned(),
        max_size: 100,
        created_unix_ms: u64::from(number),
    }
}

fn begin(store: &dyn Store, new: NewQueue) -> QueueRow {
    store.begin_queue(hotline(store), new).wait().unwrap()
}

#[test]
fn a_name_is_one_queues_and_stays_so() {
    on_each(|store| {
        let first = begin(store, new(1, "support"));
        assert_eq!(begin(store, new(2, "support")), first);
        let sales = begin(store, new(3, "sales"));
        let scope = hotline(store);
        assert_eq!(
            store.queue_named(scope, "sales").unwrap(),
            Some(sales.clone())
        );
        assert_eq!(store.queue(scope, first.sid).unwrap(), Some(first.clone()));
        let page = store.queues(scope, None, 1).unwrap();
        assert_eq!(page.rows, std::slice::from_ref(&sales));
        let page = store.queues(scope, page.next, 1).unwrap();
        assert_eq!((page.rows, page.next), (vec![first.clone()], None));
        let rename = |name: &str| QueueChange {
            name: Some(name.to_owned()),
            max_size: Some(9),
        };
        let change = |sid, name| store.change_queue(scope, sid, rename(name), 7).wait();
        assert!(matches!(
            change(sales.sid, "support"),
            Err(StoreError::NotPossible(_))
        ));
        let changed = change(sales.sid, "orders").unwrap().unwrap();
        assert_eq!((changed.max_size, changed.updated_unix_ms), (9, 7));
        assert_eq!(store.queue_named(scope, "sales").unwrap(), None);
        let delete = |scope, sid| store.delete_queue(scope, sid).wait();
        assert_eq!(delete(clinic(store), first.sid), Ok(false));
        assert_eq!(delete(scope, first.sid), Ok(true));
        assert_eq!(delete(scope, first.sid), Ok(false));
    });
}

#[test]
fn another_account_has_queues_of_its_own() {
    on_each(|store| {
        let own = begin(store, new(1, "support"));
        let theirs = store.begin_queue(clinic(store), new(2, "support"));
        assert_ne!(theirs.wait().unwrap().sid, own.sid);
        assert_eq!(store.queue(clinic(store), own.sid).unwrap(), None);
        assert_eq!(store.queues(clinic(store), None, 9).unwrap().rows.len(), 1);
    });
}

#[test]
fn an_account_has_so_many_and_not_one_more() {
    let store = MemoryStore::new();
    store.apply(parse(TENANTS)).wait().unwrap();
    let most = u16::try_from(MAX_QUEUES).unwrap();
    for number in 0..most {
        begin(&store, new(number, &number.to_string()));
    }
    let one_more = store.begin_queue(hotline(&store), new(most, "one more"));
    let Err(StoreError::NotPossible(why)) = one_more.wait() else {
        panic!("it has a thousand");
    };
    assert!(why.contains("1000"), "{why}");
}

#[test]
fn a_queue_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    let row = begin(&store, new(1, "support"));
    drop(store);
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    let found = store.queue_named(hotline(&store), "support").unwrap();
    assert_eq!(found, Some(row));
}
