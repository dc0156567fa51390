//! Both stores answer the same to any order of verbs.

use crate::support::{TENANTS, clinic, hotline, leg, outbound, parse, queued, record, sid};
use call::CallStatus;
use jackfield_store::{CallFilter, DiskStore, MemoryStore, Places, Store};

const SEEDS: u64 = 8;
const STEPS: u64 = 250;
const CALLS: u64 = 12;

/// `SplitMix64`: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// One random verb; what it answered.
fn step(store: &dyn Store, random: &mut Random, at: u64) -> String {
    use CallStatus::{Busy, Completed, InProgress, Ringing};
    let number = random.below(CALLS);
    let scope = if random.below(4) == 0 {
        clinic(store)
    } else {
        hotline(store)
    };
    match random.below(7) {
        0 => format!(
            "{:?}",
            store.accept_call(scope, outbound(number, at)).wait()
        ),
        1 => format!(
            "{:?}",
            store
                .begin_inbound(scope, outbound(number, at), leg(at))
                .wait()
        ),
        5 => format!(
            "{:?}",
            store
                .begin_dialled(scope, outbound(number, at), leg(at).into())
                .wait()
        ),
        2 => format!(
            "{:?}",
            store.begin_attempt(sid(number), leg(at).into(), at).wait()
        ),
        3 => format!("{:?}", store.set_status(sid(number), Ringing, at).wait()),
        4 => format!("{:?}", store.set_status(sid(number), InProgress, at).wait()),
        _ => {
            let status = if random.below(2) == 0 {
                Busy
            } else {
                Completed
            };
            let journal = (random.below(2) == 0).then(|| at.to_be_bytes().to_vec());
            format!(
                "{:?}",
                store
                    .finish_call(sid(number), record(status), at, journal)
                    .wait()
            )
        }
    }
}

/// Everything that can be read.
fn everything(store: &dyn Store) -> String {
    let of = |scope| {
        let page = store
            .calls(scope, &CallFilter::default(), None, 100)
            .unwrap();
        let more: Vec<_> = (0..CALLS)
            .map(|number| {
                (
                    store.events(scope, sid(number)).unwrap(),
                    store.journal(scope, sid(number)).unwrap(),
                )
            })
            .collect();
        (page, more)
    };
    format!(
        "{:?} {:?} {:?}",
        of(hotline(store)),
        of(clinic(store)),
        queued(store)
    )
}

#[test]
fn both_stores_agree() {
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskStore::open(&Places::in_folder(folder.path()), 0)
            .unwrap()
            .0;
        let memory = MemoryStore::new();
        let stores: [&dyn Store; 2] = [&memory, &disk];
        for store in stores {
            store.apply(parse(TENANTS)).wait().unwrap();
        }
        let mut randoms = [Random(seed), Random(seed)];
        for at in 0..STEPS {
            let [memory, disk] = [0, 1].map(|which| step(stores[which], &mut randoms[which], at));
            assert_eq!(memory, disk, "seed {seed}, step {at}");
        }
        assert_eq!(everything(&memory), everything(&disk), "seed {seed}");
    }
}
