//! Every store does what the verbs promise: one suite over all implementations.

use std::net::IpAddr;

use crate::support::{
    TENANTS, account, clinic, hotline, leg, outbound, parse, queued, record, sid,
};
use call::{CallSid, CallStatus, Direction};
use jackfield_store::{
    CallEventKind, CallFilter, CarrierId, Cursor, DiskStore, FailedAttempt, InboundRefusal,
    MemoryStore, NewCall, Places, Scope, Secret, Sender, Store, StoreError,
};

/// Runs `test` on an empty store of each kind.
fn on_each_empty(test: fn(&dyn Store)) {
    test(&MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    let (disk, recovered) = DiskStore::open(&Places::in_folder(folder.path()), 0).unwrap();
    assert_eq!(recovered.lost, []);
    test(&disk);
}

/// Runs `test` on a store of each kind with the tenants of [`TENANTS`].
pub(crate) fn on_each(test: fn(&dyn Store)) {
    test(&with_tenants(MemoryStore::new()));
    let folder = tempfile::tempdir().unwrap();
    let (disk, _) = DiskStore::open(&Places::in_folder(folder.path()), 0).unwrap();
    test(&with_tenants(disk));
}

fn with_tenants<S: Store>(store: S) -> S {
    store.apply(parse(TENANTS)).wait().unwrap();
    store
}

#[test]
fn an_accepted_call_waits_in_the_queue() {
    on_each(|store| {
        let row = store
            .accept_call(hotline(store), outbound(1, 1_000))
            .wait()
            .unwrap();
        assert_eq!(
            (row.status, row.due_unix_ms, row.attempts),
            (CallStatus::Queued, Some(1_000), 0)
        );
        assert_eq!(
            store.call(hotline(store), sid(1)).unwrap().as_ref(),
            Some(&row)
        );
        assert_eq!(queued(store), [row]);
        let events = store.events(hotline(store), sid(1)).unwrap().unwrap();
        assert_eq!(
            events.iter().map(|event| &event.kind).collect::<Vec<_>>(),
            [&CallEventKind::Accepted]
        );
    });
}

#[test]
fn an_outbound_call_is_kept_from_its_queue_to_its_end() {
    on_each(|store| {
        let scope = hotline(store);
        store.accept_call(scope, outbound(1, 1_000)).wait().unwrap();
        store
            .begin_attempt(sid(1), leg(1).into(), 2_000)
            .wait()
            .unwrap();
        let dialing = store.call(scope, sid(1)).unwrap().unwrap();
        assert_eq!(
            (dialing.status, dialing.attempts, dialing.leg.clone()),
            (CallStatus::Queued, 1, Some(leg(1)))
        );
        assert!(dialing.is_live());
        assert_eq!(queued(store), []);

        store
            .set_status(sid(1), CallStatus::Ringing, 3_000)
            .wait()
            .unwrap();
        store
            .set_status(sid(1), CallStatus::InProgress, 4_000)
            .wait()
            .unwrap();
        let end = record(CallStatus::Completed);
        store
            .finish_call(sid(1), end.clone(), 11_000, Some(b"journal".to_vec()))
            .wait()
            .unwrap();

        let row = store.call(scope, sid(1)).unwrap().unwrap();
        assert_eq!(row.status, CallStatus::Completed);
        assert_eq!(
            (
                row.created_unix_ms,
                row.started_unix_ms,
                row.answered_unix_ms,
                row.ended_unix_ms
            ),
            (1_000, Some(2_000), Some(4_000), Some(11_000))
        );
        assert_eq!(row.record.as_ref(), Some(&end));
        assert_eq!(
            store.journal(scope, sid(1)).unwrap().as_deref(),
            Some(&b"journal"[..])
        );

        let events = store.events(scope, sid(1)).unwrap().unwrap();
        let seen: Vec<_> = events
            .iter()
            .map(|event| (event.sequence, event.at_unix_ms, event.kind.clone()))
            .collect();
        let expected = [
            (0, 1_000, CallEventKind::Accepted),
            (1, 2_000, CallEventKind::Attempted(leg(1).into())),
            (2, 3_000, CallEventKind::Status(CallStatus::Ringing)),
            (3, 4_000, CallEventKind::Status(CallStatus::InProgress)),
            (4, 11_000, CallEventKind::Ended(end)),
        ];
        assert_eq!(seen, expected);
    });
}

#[test]
fn an_inbound_call_is_kept_from_its_first_ring() {
    on_each(|store| {
        let scope = hotline(store);
        let call = NewCall {
            direction: Direction::Inbound,
            ..outbound(1, 1_000)
        };
        store.begin_inbound(scope, call, leg(1)).wait().unwrap();
        let row = store.call(scope, sid(1)).unwrap().unwrap();
        assert_eq!(
            (row.status, row.started_unix_ms, row.due_unix_ms),
            (CallStatus::Ringing, Some(1_000), None)
        );
        assert_eq!(queued(store), []);
        store
            .finish_call(sid(1), record(CallStatus::Busy), 2_000, None)
            .wait()
            .unwrap();
        assert_eq!(store.journal(scope, sid(1)).unwrap(), None);
        let kinds: Vec<_> = store
            .events(scope, sid(1))
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|event| event.kind)
            .collect();
        assert_eq!(
            kinds,
            [
                CallEventKind::CameIn(leg(1)),
                CallEventKind::Ended(record(CallStatus::Busy))
            ]
        );
    });
}

#[test]
fn a_dialled_call_is_kept_before_its_invite_and_never_queues() {
    on_each(|store| {
        let scope = hotline(store);
        let call = NewCall {
            direction: Direction::OutboundDial,
            parent: Some(sid(7)),
            ..outbound(1, 1_000)
        };
        let row = store
            .begin_dialled(scope, call, leg(1).into())
            .wait()
            .unwrap();
        assert_eq!(store.call(scope, sid(1)).unwrap(), Some(row.clone()));
        assert_eq!(
            (row.status, row.attempts, row.parent, row.is_live()),
            (CallStatus::Queued, 1, Some(sid(7)), true)
        );
        assert_eq!(queued(store), []);
        store
            .set_status(sid(1), CallStatus::Ringing, 2_000)
            .wait()
            .unwrap();
        let events = store.events(scope, sid(1)).unwrap().unwrap();
        let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
        let expected = [
            CallEventKind::Attempted(leg(1).into()),
            CallEventKind::Status(CallStatus::Ringing),
        ];
        assert_eq!(kinds, expected);
    });
}

#[test]
fn a_dialled_call_that_failed_before_it_rang_is_dialled_again_and_never_queues() {
    on_each(|store| {
        let scope = hotline(store);
        let call = NewCall {
            direction: Direction::OutboundDial,
            parent: Some(sid(7)),
            ..outbound(1, 1_000)
        };
        store
            .begin_dialled(scope, call, leg(1).into())
            .wait()
            .unwrap();
        let failed = FailedAttempt {
            trunk: leg(1).trunk,
            sip_status: Some(503),
            reason: "Service Unavailable".to_owned(),
            because: None,
        };
        let again = |at| {
            store
                .dial_again(sid(1), failed.clone(), leg(2).into(), at)
                .wait()
        };
        let row = again(2_000).unwrap();
        assert_eq!(store.call(scope, sid(1)).unwrap(), Some(row.clone()));
        assert_eq!((row.attempts, row.leg.clone()), (2, Some(leg(2))));
        assert_eq!(row.tried, [leg(1).trunk]);
        assert!(row.is_live(), "a crash ends it");
        assert_eq!(queued(store), []);
        let events = store.events(scope, sid(1)).unwrap().unwrap();
        let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
        let expected = [
            CallEventKind::Attempted(leg(1).into()),
            CallEventKind::AttemptFailed(failed.clone()),
            CallEventKind::Attempted(leg(2).into()),
        ];
        assert_eq!(kinds, expected);

        let ringing = store.set_status(sid(1), CallStatus::Ringing, 3_000);
        ringing.wait().unwrap();
        let error = again(4_000).unwrap_err();
        assert!(matches!(error, StoreError::IllegalStatus { .. }), "{error}");
        // One that waits goes by way of the queue.
        let call = outbound(2, 1_000);
        store.accept_call(scope, call).wait().unwrap();
        let waits = store.dial_again(sid(2), failed.clone(), leg(3).into(), 4_000);
        let error = waits.wait().unwrap_err();
        assert!(matches!(error, StoreError::IllegalStatus { .. }), "{error}");
    });
}

#[test]
fn a_status_only_goes_forward_and_only_a_record_ends_a_call() {
    use CallStatus::{Busy, Canceled, Completed, InProgress, Queued, Ringing};
    on_each(|store| {
        let scope = hotline(store);
        // From each status, reached by these steps, which ones may follow.
        let rows: &[(&[CallStatus], &[CallStatus])] = &[
            (&[], &[Queued, Ringing, InProgress]),
            (&[Ringing], &[Ringing, InProgress]),
            (&[Ringing, InProgress], &[InProgress]),
            (&[InProgress], &[InProgress]),
        ];
        let mut number = 0;
        for (steps, allowed) in rows {
            for next in [Queued, Ringing, InProgress, Completed, Busy, Canceled] {
                number += 1;
                store
                    .accept_call(scope, outbound(number, 0))
                    .wait()
                    .unwrap();
                store
                    .begin_attempt(sid(number), leg(number).into(), 0)
                    .wait()
                    .unwrap();
                for step in *steps {
                    store.set_status(sid(number), *step, 0).wait().unwrap();
                }
                let outcome = store.set_status(sid(number), next, 0).wait();
                assert_eq!(
                    outcome.is_ok(),
                    allowed.contains(&next),
                    "{steps:?} then {next}: {outcome:?}"
                );
            }
        }
    });
}

#[test]
fn a_call_that_waits_cannot_ring() {
    on_each(|store| {
        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        let error = store
            .set_status(sid(1), CallStatus::Ringing, 1)
            .wait()
            .unwrap_err();
        assert!(matches!(error, StoreError::IllegalStatus { .. }), "{error}");
        assert_eq!(queued(store).len(), 1);
    });
}

#[test]
fn a_call_ends_once() {
    on_each(|store| {
        let scope = hotline(store);
        store.accept_call(scope, outbound(1, 0)).wait().unwrap();
        let not_an_end = store
            .finish_call(sid(1), record(CallStatus::Ringing), 1, None)
            .wait()
            .unwrap_err();
        assert!(matches!(not_an_end, StoreError::IllegalStatus { .. }));
        store
            .finish_call(sid(1), record(CallStatus::Failed), 1, None)
            .wait()
            .unwrap();
        let again = store
            .finish_call(sid(1), record(CallStatus::Completed), 2, Some(vec![1]))
            .wait()
            .unwrap_err();
        let expected = StoreError::IllegalStatus {
            call: sid(1),
            from: CallStatus::Failed,
            to: CallStatus::Completed,
        };
        assert_eq!(again, expected);
        assert_eq!(
            store.call(scope, sid(1)).unwrap().unwrap().status,
            CallStatus::Failed
        );
        assert_eq!(store.events(scope, sid(1)).unwrap().unwrap().len(), 2);
        assert_eq!(store.journal(scope, sid(1)).unwrap(), None);
    });
}

#[test]
fn a_call_cancelled_in_the_queue_is_not_dialled() {
    on_each(|store| {
        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        store
            .finish_call(sid(1), record(CallStatus::Canceled), 1, None)
            .wait()
            .unwrap();
        assert_eq!(queued(store), []);
        assert_eq!(
            store.begin_attempt(sid(1), leg(1).into(), 2).wait(),
            Err(StoreError::NotQueued(sid(1)))
        );
    });
}

#[test]
fn a_call_is_dialled_by_one_attempt_at_a_time() {
    on_each(|store| {
        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        store
            .begin_attempt(sid(1), leg(1).into(), 1)
            .wait()
            .unwrap();
        assert_eq!(
            store.begin_attempt(sid(1), leg(2).into(), 2).wait(),
            Err(StoreError::NotQueued(sid(1)))
        );
        assert_eq!(
            store.call(hotline(store), sid(1)).unwrap().unwrap().leg,
            Some(leg(1))
        );
    });
}

#[test]
fn a_call_that_failed_before_it_rang_waits_again_at_its_old_place() {
    on_each(|store| {
        let scope = hotline(store);
        for number in [1, 2] {
            let call = outbound(number, number);
            store.accept_call(scope, call).wait().unwrap();
        }
        let failed = FailedAttempt {
            trunk: leg(1).trunk,
            sip_status: Some(503),
            reason: "Service Unavailable".to_owned(),
            because: None,
        };
        store
            .begin_attempt(sid(1), leg(1).into(), 10)
            .wait()
            .unwrap();
        let fail = || store.fail_attempt(sid(1), failed.clone(), 20).wait();
        fail().unwrap();
        let waiting: Vec<_> = queued(store).into_iter().map(|row| row.sid).collect();
        assert_eq!(waiting, [sid(1), sid(2)]);
        let row = store.call(scope, sid(1)).unwrap().unwrap();
        assert_eq!((row.attempts, &row.tried), (1, &vec![leg(1).trunk]));
        assert!(!row.is_live(), "a crash leaves it in the queue");

        store
            .begin_attempt(sid(1), leg(2).into(), 30)
            .wait()
            .unwrap();
        let events = store.events(scope, sid(1)).unwrap().unwrap();
        let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
        let expected = [
            CallEventKind::Accepted,
            CallEventKind::Attempted(leg(1).into()),
            CallEventKind::AttemptFailed(failed.clone()),
            CallEventKind::Attempted(leg(2).into()),
        ];
        assert_eq!(kinds, expected);

        // What rang, or is over, is dialled no second time.
        let ringing = store.set_status(sid(1), CallStatus::Ringing, 40);
        ringing.wait().unwrap();
        let refused = |from| StoreError::IllegalStatus {
            call: sid(1),
            from,
            to: CallStatus::Queued,
        };
        assert_eq!(fail(), Err(refused(CallStatus::Ringing)));
        let end = record(CallStatus::Failed);
        store.finish_call(sid(1), end, 50, None).wait().unwrap();
        assert_eq!(fail(), Err(refused(CallStatus::Failed)));
    });
}

#[test]
fn a_call_whose_invite_has_not_left_waits_again_as_if_nothing_was() {
    on_each(|store| {
        let scope = hotline(store);
        store.accept_call(scope, outbound(1, 1)).wait().unwrap();
        let stopped = FailedAttempt {
            trunk: leg(1).trunk,
            sip_status: None,
            reason: "stopped".to_owned(),
            because: None,
        };
        let undo = || store.undo_attempt(sid(1), stopped.clone(), 20).wait();
        let refused = StoreError::IllegalStatus {
            call: sid(1),
            from: CallStatus::Queued,
            to: CallStatus::Queued,
        };
        assert_eq!(undo(), Err(refused), "it waits");
        let attempt = store.begin_attempt(sid(1), leg(1).into(), 10);
        attempt.wait().unwrap();
        undo().unwrap();
        let row = store.call(scope, sid(1)).unwrap().unwrap();
        assert_eq!((row.attempts, row.tried.len()), (0, 0));
        assert_eq!(queued(store).len(), 1);
    });
}

#[test]
fn calls_and_accounts_that_do_not_exist_are_refused() {
    on_each(|store| {
        assert_eq!(
            store.begin_attempt(sid(9), leg(9).into(), 0).wait(),
            Err(StoreError::UnknownCall(sid(9)))
        );
        assert_eq!(
            store.set_status(sid(9), CallStatus::Ringing, 0).wait(),
            Err(StoreError::UnknownCall(sid(9)))
        );
        let end = store
            .finish_call(sid(9), record(CallStatus::Failed), 0, None)
            .wait();
        assert_eq!(end, Err(StoreError::UnknownCall(sid(9))));

        let nobody: call::AccountSid = "AC000000000000000000000000000000ff".parse().unwrap();
        let refused = store
            .accept_call(Scope::of_host(nobody), outbound(1, 0))
            .wait();
        assert_eq!(refused, Err(StoreError::UnknownAccount(nobody)));

        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        let twice = store.accept_call(clinic(store), outbound(1, 5)).wait();
        assert_eq!(twice, Err(StoreError::DuplicateCall(sid(1))));
        assert_eq!(queued(store).len(), 1);
    });
}

#[test]
fn another_accounts_call_is_like_one_that_does_not_exist() {
    on_each(|store| {
        store
            .accept_call(hotline(store), outbound(1, 0))
            .wait()
            .unwrap();
        store
            .finish_call(
                sid(1),
                record(CallStatus::Failed),
                1,
                Some(b"journal".to_vec()),
            )
            .wait()
            .unwrap();
        for missing in [sid(1), sid(2)] {
            assert_eq!(store.call(clinic(store), missing).unwrap(), None);
            assert_eq!(store.events(clinic(store), missing).unwrap(), None);
            assert_eq!(store.journal(clinic(store), missing).unwrap(), None);
        }
        let page = store
            .calls(clinic(store), &CallFilter::default(), None, 50)
            .unwrap();
        assert_eq!((page.rows, page.next), (vec![], None));
    });
}

fn listed(
    store: &dyn Store,
    filter: &CallFilter,
    from: Option<Cursor>,
    limit: usize,
) -> (Vec<CallSid>, Option<Cursor>) {
    let page = store.calls(hotline(store), filter, from, limit).unwrap();
    (
        page.rows.into_iter().map(|row| row.sid).collect(),
        page.next,
    )
}

#[test]
fn calls_are_listed_newest_first_a_page_at_a_time() {
    on_each(|store| {
        // Two calls in the same millisecond, and the SIDs in another order than the times.
        for (number, created) in [(5, 10), (4, 20), (3, 20), (2, 30), (1, 40)] {
            store
                .accept_call(hotline(store), outbound(number, created))
                .wait()
                .unwrap();
        }
        let all = CallFilter::default();
        let (first, next) = listed(store, &all, None, 2);
        assert_eq!(first, [sid(1), sid(2)]);
        // A newer call does not move the pages behind the cursor.
        store
            .accept_call(hotline(store), outbound(6, 50))
            .wait()
            .unwrap();
        let (second, next) = listed(store, &all, next, 2);
        assert_eq!(second, [sid(4), sid(3)]);
        assert_eq!(listed(store, &all, next, 2), (vec![sid(5)], None));
        assert_eq!(listed(store, &all, None, 6).0.len(), 6);
        assert_eq!(listed(store, &all, None, 6).1, None);
    });
}

#[test]
fn a_filter_keeps_what_fits() {
    on_each(|store| {
        let scope = hotline(store);
        for number in 1..=4 {
            let to = format!("+8550000{}", number % 2);
            let call = NewCall {
                to,
                parent: (number == 3).then(|| sid(1)),
                ..outbound(number, number * 10)
            };
            store.accept_call(scope, call).wait().unwrap();
        }
        store
            .finish_call(sid(4), record(CallStatus::Busy), 99, None)
            .wait()
            .unwrap();

        let check = |filter: CallFilter, expected: &[u64]| {
            let expected: Vec<_> = expected.iter().copied().map(sid).collect();
            assert_eq!(
                listed(store, &filter, None, 50),
                (expected, None),
                "{filter:?}"
            );
        };
        let all = CallFilter::default;
        check(
            CallFilter {
                to: Some("+85500001".to_owned()),
                ..all()
            },
            &[3, 1],
        );
        check(
            CallFilter {
                from: Some("+85500001".to_owned()),
                ..all()
            },
            &[],
        );
        check(
            CallFilter {
                status: Some(CallStatus::Busy),
                ..all()
            },
            &[4],
        );
        check(
            CallFilter {
                status: Some(CallStatus::Queued),
                ..all()
            },
            &[3, 2, 1],
        );
        check(
            CallFilter {
                parent: Some(sid(1)),
                ..all()
            },
            &[3],
        );
        check(
            CallFilter {
                created_from_unix_ms: Some(20),
                created_before_unix_ms: Some(40),
                ..all()
            },
            &[3, 2],
        );
        check(
            CallFilter {
                created_from_unix_ms: Some(41),
                ..all()
            },
            &[],
        );
        check(
            CallFilter {
                created_before_unix_ms: Some(0),
                ..all()
            },
            &[],
        );
        check(
            CallFilter {
                created_from_unix_ms: Some(40),
                created_before_unix_ms: Some(20),
                ..all()
            },
            &[],
        );

        let odd = CallFilter {
            to: Some("+85500001".to_owned()),
            ..all()
        };
        let (first, next) = listed(store, &odd, None, 1);
        assert_eq!(first, [sid(3)]);
        assert_eq!(listed(store, &odd, next, 1).0, [sid(1)]);
    });
}

#[test]
fn the_queue_is_visited_in_the_order_calls_are_due() {
    on_each(|store| {
        for (number, created) in [(1, 30), (2, 10), (3, 20)] {
            store
                .accept_call(hotline(store), outbound(number, created))
                .wait()
                .unwrap();
        }
        let order: Vec<_> = queued(store).into_iter().map(|row| row.sid).collect();
        assert_eq!(order, [sid(2), sid(3), sid(1)]);
    });
}

#[test]
fn applying_a_file_again_changes_nothing() {
    on_each_empty(|store| {
        let first = store.apply(parse(TENANTS)).wait().unwrap();
        assert_eq!(
            (first.created.len(), first.changed.len(), first.unchanged),
            (8, 0, 0)
        );
        let again = store.apply(parse(TENANTS)).wait().unwrap();
        assert_eq!(
            (again.created, again.changed, again.unchanged, again.tokens),
            (vec![], vec![], 8, vec![])
        );

        let moved = TENANTS
            .replace("flow = \"menu\"", "flow = \"echo\"")
            .replace("max_channels = 30", "max_channels = 31");
        let changed = store.apply(parse(&moved)).wait().unwrap();
        let changed: Vec<_> = changed.changed.iter().map(ToString::to_string).collect();
        assert_eq!(
            changed,
            [
                "trunk east-gateway",
                "trunk west-gateway",
                "number +85512345678 of carrier east"
            ]
        );
    });
}

#[test]
fn what_a_file_does_not_name_stays() {
    on_each(|store| {
        store
            .apply(parse("[[carrier]]\nid = \"north\""))
            .wait()
            .unwrap();
        assert!(
            store
                .directory()
                .carrier(&CarrierId("north".to_owned()))
                .is_some()
        );
        assert_eq!(store.directory().accounts().count(), 2);
    });
}

#[test]
fn a_generated_token_is_told_once_and_kept() {
    on_each_empty(|store| {
        let without = TENANTS.replace("auth_token = \"hotline-token-0001\"", "");
        let applied = store.apply(parse(&without)).wait().unwrap();
        let [generated] = &applied.tokens[..] else {
            panic!("{:?}", applied.tokens)
        };
        let hotline = account(store, "east", "hotline");
        assert_eq!(
            (generated.account, generated.name.as_str()),
            (hotline, "hotline")
        );
        let sid = hotline.to_string();
        assert!(
            store
                .directory()
                .authenticate(&sid, generated.token.expose())
                .is_some()
        );

        let again = store.apply(parse(&without)).wait().unwrap();
        assert_eq!(again.tokens, []);
        assert!(
            store
                .directory()
                .authenticate(&sid, generated.token.expose())
                .is_some()
        );

        store.apply(parse(TENANTS)).wait().unwrap();
        assert!(
            store
                .directory()
                .authenticate(&sid, generated.token.expose())
                .is_none()
        );
        assert!(
            store
                .directory()
                .authenticate(&sid, "hotline-token-0001")
                .is_some()
        );
        assert_eq!(
            store.directory().account(hotline).unwrap().auth_token,
            Secret::new("hotline-token-0001".to_owned())
        );
    });
}

#[test]
fn an_account_is_authenticated_by_its_own_sid_and_token_only() {
    on_each(|store| {
        let (hotline, clinic) = (
            account(store, "east", "hotline"),
            account(store, "west", "clinic"),
        );
        let directory = store.directory();
        let check = |sid: &str, token: &str, expected: Option<Scope>| {
            let user = directory.authenticate(sid, token);
            assert_eq!(
                user.map(|user| Scope::of_host(user.account)),
                expected,
                "{sid} {token}"
            );
        };
        check(
            &hotline.to_string(),
            "hotline-token-0001",
            Some(Scope::of_host(hotline)),
        );
        check(&hotline.to_string(), "clinic-token-00002", None);
        check(&clinic.to_string(), "hotline-token-0001", None);
        check(&hotline.to_string(), "", None);
        check(&hotline.to_string(), "hotline-token-000", None);
        check(
            "AC000000000000000000000000000000ff",
            "hotline-token-0001",
            None,
        );
        // An unknown SID is compared with an empty token; that must not let the empty token in.
        check("AC000000000000000000000000000000ff", "", None);
        check("nobody", "", None);
        check("", "", None);
    });
}

#[test]
fn a_file_that_contradicts_the_store_changes_nothing() {
    on_each(|store| {
        let check = |text: &str, expected: &str| {
            let carrier = "[[carrier]]\nid = \"north\"\n";
            let error = store
                .apply(parse(&format!("{carrier}{text}")))
                .wait()
                .unwrap_err();
            assert!(
                matches!(&error, StoreError::Contradiction(text) if text.contains(expected)),
                "{error}"
            );
            assert!(
                store
                    .directory()
                    .carrier(&CarrierId("north".to_owned()))
                    .is_none()
            );
        };
        check(
            "[[trunk]]\nid = \"east-gateway\"\ncarrier = \"north\"\ntarget = \"192.0.2.1:5060\"\nmax_channels = 1\ncalls_per_second = 1",
            "trunk `east-gateway` belongs to carrier `east`",
        );
        let with_login = |carrier: &str, id: &str| {
            let login = "login = { username = \"gw1\", password = \"long-enough\" }";
            format!(
                "[[trunk]]\nid = \"{id}\"\ncarrier = \"{carrier}\"\nmax_channels = 1\n{login}\n"
            )
        };
        let operator = |name: &str| {
            format!("[[operator]]\ncountry = \"KH\"\nname = \"{name}\"\nprefixes = [\"+85510\"]\n")
        };
        let first = format!("{}{}", with_login("east", "east-login"), operator("Smart"));
        let first = format!("[[carrier]]\nid = \"east\"\n{first}");
        store.apply(parse(&first)).wait().unwrap();
        check(
            &with_login("north", "north-login"),
            "trunks `east-login` and `north-login` have the same user name `gw1` in the realm `jackfield`",
        );
        check(
            &operator("Cellcard"),
            "operators Cellcard (KH) and Smart (KH) have the same prefix `+85510`",
        );
        let hotline = account(store, "east", "hotline");
        check(
            &format!("[[account]]\nname = \"x\"\ncarrier = \"north\"\nsid = \"{hotline}\""),
            "belongs to carrier `east` already",
        );
        check(
            "[[carrier]]\nid = \"east\"\n[[account]]\nname = \"hotline\"\ncarrier = \"east\"\nsid = \"AC000000000000000000000000000000ff\"",
            "carrier `east` has an account `hotline` already",
        );
    });
}

#[test]
fn an_inbound_call_is_routed_by_its_source_and_number() {
    on_each(|store| {
        let directory = store.directory();
        let check = |source: &str, called: &str, expected: Result<(&str, &str), InboundRefusal>| {
            let source: IpAddr = source.parse().unwrap();
            let routed = directory
                .route_inbound(Sender::Address(source), called)
                .map(|(trunk, number)| (trunk.id.0.as_str(), number.number.as_str()));
            assert_eq!(routed, expected, "{source} {called}");
        };
        check(
            "203.0.113.200",
            "+85512345678",
            Ok(("east-gateway", "+85512345678")),
        );
        check(
            "203.0.113.200",
            "85512345678",
            Ok(("east-gateway", "+85512345678")),
        );
        check(
            "::ffff:203.0.113.200",
            "85512345678",
            Ok(("east-gateway", "+85512345678")),
        );
        // Both carriers' gateway: the number tells which one it is.
        check(
            "203.0.113.7",
            "+85512345678",
            Ok(("east-gateway", "+85512345678")),
        );
        check("203.0.113.7", "1294", Ok(("west-gateway", "1294")));
        // Beyond the west's prefix, the west's number does not exist.
        check("203.0.113.200", "1294", Err(InboundRefusal::UnknownNumber));
        check("203.0.113.7", "+1294", Err(InboundRefusal::UnknownNumber));
        check("203.0.113.7", "", Err(InboundRefusal::UnknownNumber));
        check("198.51.100.1", "1294", Err(InboundRefusal::UnknownTrunk));
    });
}

#[test]
fn an_uploaded_component_is_kept_by_its_hash() {
    on_each(|store| {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "{TENANTS}\n[[component]]\naccount = \"hotline\"\nname = \"survey\"\nfile = \"survey.wasm\"\n"
        );
        let upload = |bytes: &[u8]| {
            std::fs::write(folder.path().join("survey.wasm"), bytes).unwrap();
            let surroundings = jackfield_store::tenants::Surroundings {
                folder: folder.path(),
                bundled: &["menu"],
                uploaded: &|_, _, _| false,
                check_component: &|_, _| Ok(()),
            };
            let applied = store
                .apply(jackfield_store::Tenants::parse(&text, &surroundings).unwrap())
                .wait()
                .unwrap();
            let component = store
                .directory()
                .plugin(&hotline(store).into(), "survey")
                .unwrap()
                .active()
                .unwrap()
                .clone();
            (applied, component)
        };
        let (applied, first) = upload(b"\0asm one");
        assert_eq!((applied.created.len(), applied.unchanged), (1, 8));
        let (applied, same) = upload(b"\0asm one");
        assert_eq!((applied.unchanged, &same), (9, &first));
        let (applied, second) = upload(b"\0asm two");
        assert_eq!(applied.changed.len(), 1);
        assert_ne!(first.sha256, second.sha256);
        assert_eq!(store.component_bytes(second.sha256).unwrap(), b"\0asm two");
        assert_eq!(store.component_bytes(first.sha256).unwrap(), b"\0asm one");
        assert!(
            store
                .directory()
                .plugin(&clinic(store).into(), "survey")
                .is_none()
        );
    });
}

#[test]
fn an_account_without_a_sid_has_the_same_one_in_every_store() {
    on_each(|store| {
        // The first 16 bytes of SHA-256("jackfield account\0east\0hotline").
        assert_eq!(
            account(store, "east", "hotline").to_string(),
            "ACe4dbc07f1ed687fc2a02c497e4c09541"
        );
    });
}
