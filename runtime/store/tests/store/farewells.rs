//! What ends the dialogs of calls whose process is gone.

use std::path::Path;

use call::CallStatus;
use jackfield_store::{
    AccountStore as _, DiskStore, Farewell, Places, Recovered, Store, StoreError,
};
use sip::{Hop, Remains, Transport};

use crate::support::{TENANTS, hotline, leg, outbound, parse, record, sid};
use crate::verbs::on_each;

fn remains(number: u64) -> Remains {
    let hop = |transport, address: &str| Hop::new(transport, address.parse().unwrap());
    Remains {
        call_id: format!("{number}@198.51.100.1"),
        from: "<sip:+85512345678@198.51.100.1>;tag=a1".to_owned(),
        to: "<sip:+85598765432@203.0.113.1>;tag=b1".to_owned(),
        target: "sip:+85598765432@203.0.113.1:5070;transport=tls".to_owned(),
        routes: vec!["<sip:203.0.113.2;lr>".to_owned()],
        cseq: 3,
        proved_to: vec!["203.0.113.1".parse().unwrap()],
        hops: vec![
            hop(Transport::Tls, "203.0.113.1:40000"),
            hop(Transport::Tls, "[2001:db8::1]:5061"),
        ],
    }
}

fn up(store: &dyn Store, number: u64) {
    let call = outbound(number, 1_000);
    store.accept_call(hotline(store), call).wait().unwrap();
    let attempt = leg(number).into();
    store
        .begin_attempt(sid(number), attempt, 2_000)
        .wait()
        .unwrap();
    let up = CallStatus::InProgress;
    store.set_status(sid(number), up, 3_000).wait().unwrap();
}

fn keep(store: &dyn Store, number: u64) {
    let farewell = Farewell::from(remains(number));
    store.note_farewell(sid(number), farewell).wait().unwrap();
}

fn open(folder: &Path) -> (DiskStore, Recovered) {
    DiskStore::open(&Places::in_folder(folder), 60_000).unwrap()
}

/// Of which calls, and what.
fn left(recovered: Recovered) -> Vec<(u64, Remains)> {
    let farewells = recovered.farewells.into_iter();
    let left = farewells.map(|(row, farewell)| {
        let number = row.sid.as_bytes()[15];
        (number.into(), farewell.into())
    });
    left.collect()
}

#[test]
fn they_outlive_processes_until_the_call_is_over_or_its_far_end_knows() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    store.apply(parse(TENANTS)).wait().unwrap();
    for number in 1..=4 {
        up(&store, number);
    }
    for number in [1, 2, 3] {
        keep(&store, number);
    }
    let ended = record(CallStatus::Completed);
    store
        .finish_call(sid(1), ended, 5_000, None)
        .wait()
        .unwrap();
    drop(store);

    let (store, recovered) = open(folder.path());
    assert_eq!(recovered.lost.len(), 3);
    assert_eq!(left(recovered), [(2, remains(2)), (3, remains(3))]);
    up(&store, 5);
    keep(&store, 5);
    store.forget_farewell(sid(2)).wait().unwrap();
    drop(store);

    // A second kill forgets none of the first.
    let (store, recovered) = open(folder.path());
    assert_eq!(recovered.lost.len(), 1);
    assert_eq!(left(recovered), [(3, remains(3)), (5, remains(5))]);
    assert!(store.delete_call(hotline(&store), sid(3)).wait().unwrap());
    store.forget_farewell(sid(5)).wait().unwrap();
    drop(store);
    assert_eq!(left(open(folder.path()).1), []);
}

#[test]
fn one_that_comes_after_the_end_of_its_call_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    store.apply(parse(TENANTS)).wait().unwrap();
    up(&store, 1);
    let ended = record(CallStatus::Completed);
    store
        .finish_call(sid(1), ended, 5_000, None)
        .wait()
        .unwrap();
    keep(&store, 1);
    drop(store);
    assert_eq!(left(open(folder.path()).1), []);
}

#[test]
fn there_is_none_of_a_call_that_is_not_there() {
    on_each(|store| {
        up(store, 1);
        keep(store, 1);
        let unknown = store.note_farewell(sid(2), Farewell::from(remains(2)));
        assert_eq!(unknown.wait(), Err(StoreError::UnknownCall(sid(2))));
        // Who forgets twice does no harm.
        store.forget_farewell(sid(1)).wait().unwrap();
        store.forget_farewell(sid(1)).wait().unwrap();
    });
}

#[test]
fn one_takes_a_few_hundred_bytes() {
    let stored = postcard::to_stdvec(&Farewell::from(remains(1))).unwrap();
    assert!((100..600).contains(&stored.len()), "{}", stored.len());
}
