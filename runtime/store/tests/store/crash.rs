//! Killed at any moment, the store has lost nothing that it acknowledged.
//!
//! The test starts itself again as a child that works on a store and says what was acknowledged, kills the child with
//! SIGKILL after some lines, opens the store, and looks for all that was said. Twenty times, on one and the same store.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{TENANTS, hotline, leg, outbound, parse, queued, record};
use call::{CallSid, CallStatus, KeyValueRead, KeyValueReply, KeyValueWrite};
use jackfield_store::{AccountStore, DiskStore, Places, Store, random_call_sid};

const KILLS: u32 = 20;
const FOLDER: &str = "JACKFIELD_CRASH_TEST_FOLDER";
const WORKERS: usize = 4;

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    match env::var_os(FOLDER) {
        Some(folder) => work_until_killed(Path::new(&folder)),
        None => kill_and_look(),
    }
}

#[derive(Default)]
struct Acknowledged {
    accepted: BTreeSet<CallSid>,
    attempted: BTreeSet<CallSid>,
    finished: BTreeSet<CallSid>,
    /// What a counter stood at.
    counted: u64,
}

fn kill_and_look() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    DiskStore::open(&places, 0)
        .unwrap()
        .0
        .apply(parse(TENANTS))
        .wait()
        .unwrap();

    let mut acknowledged = Acknowledged::default();
    let mut lost_to_kills = 0;
    for kill in 0..KILLS {
        let enough = 20 + 13 * kill;
        let lines = run_child(folder.path(), &mut acknowledged, enough);
        assert!(
            lines >= enough,
            "the child acknowledged only {lines} writes"
        );
        let (store, recovered) = DiskStore::open(&places, u64::MAX / 2).unwrap();
        lost_to_kills += recovered.lost.len();
        look(&store, &acknowledged);
    }
    println!(
        "{KILLS} kills: {} calls accepted, {} attempted, {} finished; {lost_to_kills} were under way when killed",
        acknowledged.accepted.len(),
        acknowledged.attempted.len(),
        acknowledged.finished.len(),
    );
    assert!(
        lost_to_kills > 0,
        "no kill hit a call under way, so recovery was not tested"
    );
}

/// Kills the child once it has acknowledged `enough` writes. Returns how many it did acknowledge before it died.
fn run_child(folder: &Path, acknowledged: &mut Acknowledged, enough: u32) -> u32 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::nothing_acknowledged_is_lost_by_kill_9",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(counted) = line.strip_prefix("counted ") {
            let counted = counted.parse().unwrap();
            acknowledged.counted = acknowledged.counted.max(counted);
            continue;
        }
        let Some((what, sid)) = line
            .split_once(' ')
            .and_then(|(what, sid)| Some((what, sid.parse().ok()?)))
        else {
            continue; // the test harness says that it runs a test
        };
        match what {
            "accepted" => acknowledged.accepted.insert(sid),
            "attempted" => acknowledged.attempted.insert(sid),
            "finished" => acknowledged.finished.insert(sid),
            _ => panic!("the child says {line}"),
        };
        count += 1;
        if count == enough {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    count
}

fn look(store: &DiskStore, acknowledged: &Acknowledged) {
    let waiting: BTreeSet<_> = queued(store).into_iter().map(|row| row.sid).collect();
    for sid in &acknowledged.accepted {
        let row = store
            .call(hotline(store), *sid)
            .unwrap()
            .unwrap_or_else(|| panic!("{sid} is lost"));
        assert!(!row.is_live(), "{sid} is neither waiting nor over");
        assert_eq!(
            waiting.contains(sid),
            row.due_unix_ms.is_some(),
            "{sid} and its place in the queue"
        );
        let events = store.events(hotline(store), *sid).unwrap().unwrap();
        assert_eq!(
            events.len(),
            row.events as usize,
            "{sid} has all its events"
        );
    }
    let read = KeyValueRead::Get("calls".to_owned());
    let counted = match store.read_key_value(hotline(store), read).unwrap() {
        KeyValueReply::Value(Some(digits)) => String::from_utf8(digits).unwrap().parse::<u64>(),
        other => panic!("{other:?}"),
    };
    assert!(counted.unwrap() >= acknowledged.counted, "a count is lost");
    for sid in &acknowledged.attempted {
        assert!(!waiting.contains(sid), "{sid} would be dialled twice");
    }
    for sid in &acknowledged.finished {
        let row = store.call(hotline(store), *sid).unwrap().unwrap();
        assert_eq!(row.record, Some(record(CallStatus::Completed)), "{sid}");
        assert_eq!(
            store.journal(hotline(store), *sid).unwrap().as_deref(),
            Some(&sid.as_bytes()[..])
        );
    }
}

/// The child: several threads, so that kills fall into batches. A line is one write to a pipe: it comes whole or not at all.
fn work_until_killed(folder: &Path) {
    let (store, _) = DiskStore::open(&Places::in_folder(folder), 0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    work(&store);
                }
            });
        }
    });
}

fn work(store: &DiskStore) {
    for step in 0..3 {
        let sid = random_call_sid();
        let call = jackfield_store::NewCall {
            sid,
            ..outbound(0, 0)
        };
        store.accept_call(hotline(store), call).wait().unwrap();
        println!("accepted {sid}");
        let count = KeyValueWrite::Increment {
            key: "calls".to_owned(),
            delta: 1,
        };
        match store.write_key_value(hotline(store), count).wait() {
            Ok(KeyValueReply::Number(sum)) => println!("counted {sum}"),
            other => panic!("{other:?}"),
        }
        if step > 0 {
            store.begin_attempt(sid, leg(1).into(), 1).wait().unwrap();
            println!("attempted {sid}");
        }
        if step > 1 {
            store
                .set_status(sid, CallStatus::InProgress, 2)
                .wait()
                .unwrap();
            let journal = Some(sid.as_bytes().to_vec());
            store
                .finish_call(sid, record(CallStatus::Completed), 3, journal)
                .wait()
                .unwrap();
            println!("finished {sid}");
        }
    }
}
