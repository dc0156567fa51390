//! Broadcasts: what becomes of a recipient with each call's end, in one transaction with it.

use std::collections::BTreeMap;

use call::{BroadcastSid, CallRecord, CallStatus, HUNG_UP_BY_US, HttpMethod, StatusCallback};
use jackfield_store::broadcast::{MAX_WRITTEN_AT_ONCE, RECALLED, REFUSED_BY_POLICY};
use jackfield_store::{
    AttemptOutcome, Broadcast, BroadcastChange, BroadcastOrder, BroadcastRules, BroadcastState,
    DiskStore, EXPIRED, Judgement, Leg, Message, NewBroadcast, NewCall, NewRecipient,
    OperatorCounts, PhoneNumber, Places, Recipient, RecipientState, Secret, Store, StoreError,
    TrunkId,
};

use crate::support::{TENANTS, clinic, hotline, outbound, parse, sid};
use crate::verbs::on_each;

const BC: BroadcastSid = BroadcastSid::from_bytes([9; 16]);

fn number(of: u32) -> PhoneNumber {
    format!("+85512{of:06}").parse().unwrap()
}

fn recipient(of: u32) -> NewRecipient {
    NewRecipient {
        number: number(of),
        language: Some("khm".to_owned()),
        areas: Vec::new(),
        fields: BTreeMap::from([("name".to_owned(), format!("N{of}"))]),
    }
}

fn new(rules: BroadcastRules) -> NewBroadcast {
    NewBroadcast {
        sid: BC,
        name: "Flood".to_owned(),
        from: "+85512345678".to_owned(),
        message: Message::Twiml("<Response/>".to_owned()),
        rules,
        flow_start: None,
        created_unix_ms: 5,
    }
}

/// A draft for so many.
fn draft(store: &dyn Store, recipients: u32, rules: BroadcastRules) {
    let scope = hotline(store);
    store.create_broadcast(scope, new(rules)).wait().unwrap();
    let all = (0..recipients).map(recipient).collect();
    let added = store.add_recipients(scope, BC, all, 6).wait().unwrap();
    assert_eq!(added.unwrap().counts.waiting, u64::from(recipients));
}

fn order(store: &dyn Store, order: BroadcastOrder, at: u64) -> Result<Broadcast, StoreError> {
    let ordered = store.order_broadcast(hotline(store), BC, order, at).wait();
    ordered.map(|row| row.unwrap())
}

fn started(store: &dyn Store, recipients: u32, rules: BroadcastRules) {
    draft(store, recipients, rules);
    order(store, BroadcastOrder::Start, 7).unwrap();
}

fn call_to(of: u32, call: u64, at: u64) -> NewCall {
    NewCall {
        to: number(of).to_string(),
        ..outbound(call, at)
    }
}

fn call(store: &dyn Store, of: u32, as_call: u64, at: u64) -> usize {
    let calls = vec![call_to(of, as_call, at)];
    store.call_recipients(BC, calls, at).wait().unwrap().len()
}

fn dials(store: &dyn Store, call: u64, at: u64) -> Result<(), StoreError> {
    let leg = Leg {
        trunk: TrunkId("east-gateway".to_owned()),
        sip_call_id: "x".to_owned(),
    };
    store.begin_attempt(sid(call), leg.into(), at).wait()
}

/// The call is dialled, and ends so.
fn ends(store: &dyn Store, call: u64, status: CallStatus, reason: &str, duration_s: u32, at: u64) {
    dials(store, call, at).unwrap();
    is_over(store, call, status, reason, duration_s, at);
}

/// The call that was dialled ends so.
fn is_over(
    store: &dyn Store,
    call: u64,
    status: CallStatus,
    reason: &str,
    duration_s: u32,
    at: u64,
) {
    if status == CallStatus::Completed {
        let up = store.set_status(sid(call), CallStatus::InProgress, at);
        up.wait().unwrap();
    }
    let record = CallRecord {
        duration_s,
        ..CallRecord::new(status, reason)
    };
    store
        .finish_call(sid(call), record, at, None)
        .wait()
        .unwrap();
}

fn one(store: &dyn Store, of: u32) -> Recipient {
    let found = store.recipient(hotline(store), BC, &number(of)).unwrap();
    found.unwrap()
}

fn row(store: &dyn Store) -> Broadcast {
    store.broadcast(hotline(store), BC).unwrap().unwrap()
}

fn judge(store: &dyn Store, of: u32, judgement: Judgement) -> Broadcast {
    let judged = store.judge_recipients(BC, vec![(number(of), judgement)], 90);
    judged.wait().unwrap().unwrap()
}

/// Waiting, again, calling, judged, reached, given up.
fn counts(store: &dyn Store) -> [u64; 6] {
    let counts = row(store).counts;
    [
        counts.waiting,
        counts.again,
        counts.calling,
        counts.judged,
        counts.reached,
        counts.given_up,
    ]
}

#[test]
fn somebody_is_called_until_they_have_heard_it() {
    on_each(|store| {
        started(store, 2, BroadcastRules::default());
        assert_eq!(store.next_due(BC).unwrap(), Some(0));
        assert_eq!(call(store, 0, 1, 10), 1);
        assert_eq!(call(store, 0, 2, 10), 0, "one call at a time");
        assert_eq!(one(store, 0).state, RecipientState::Calling(sid(1)));
        assert_eq!(store.broadcast_calls(BC).unwrap(), [sid(1)]);
        assert_eq!(counts(store), [1, 0, 1, 0, 0, 0]);
        ends(store, 1, CallStatus::Busy, "Busy Here", 0, 20);
        assert_eq!(one(store, 0).state, RecipientState::Judged);
        let judged = store.judged_recipients(hotline(store), BC, 9).unwrap();
        assert_eq!(judged, [one(store, 0)]);
        judge(store, 0, Judgement::Again(100));
        assert_eq!(counts(store), [1, 1, 0, 0, 0, 0]);
        assert_eq!(call(store, 0, 3, 99), 0, "not before");
        assert_eq!(call(store, 0, 3, 100), 1);
        ends(store, 3, CallStatus::Completed, HUNG_UP_BY_US, 9, 120);
        let heard = one(store, 0);
        let outcomes: Vec<_> = heard.attempts.iter().map(|one| one.outcome).collect();
        assert_eq!(outcomes, [AttemptOutcome::Busy, AttemptOutcome::Reached]);
        assert_eq!(
            (heard.attempts[1].call, heard.attempts[1].ended_unix_ms),
            (sid(3), 120)
        );
        assert_eq!(heard.state, RecipientState::Reached);
        assert_eq!(counts(store), [1, 0, 0, 0, 1, 0]);
        let last = judge(store, 1, Judgement::GiveUp("no use".to_owned()));
        assert_eq!(
            (last.state, last.ended_unix_ms),
            (BroadcastState::Completed, Some(90))
        );
        assert_eq!(
            one(store, 1).state,
            RecipientState::GivenUp("no use".to_owned())
        );
        assert_eq!(last.counts.attempts(), 2);
        assert!(store.begun_broadcasts().unwrap().is_empty());
    });
}

#[test]
fn who_was_reached_depends_on_how_the_call_ended() {
    let after_5_s = BroadcastRules {
        reached_after_s: Some(5),
        ..BroadcastRules::default()
    };
    for (rules, reason, duration_s, expected) in [
        (
            BroadcastRules::default(),
            HUNG_UP_BY_US,
            1,
            AttemptOutcome::Reached,
        ),
        (
            BroadcastRules::default(),
            "the other side hung up",
            60,
            AttemptOutcome::CutShort,
        ),
        (
            BroadcastRules::default(),
            "ended because the server stopped",
            60,
            AttemptOutcome::CutShort,
        ),
        (
            after_5_s.clone(),
            "the other side hung up",
            5,
            AttemptOutcome::Reached,
        ),
        (
            after_5_s.clone(),
            "the other side hung up",
            4,
            AttemptOutcome::CutShort,
        ),
        (after_5_s, HUNG_UP_BY_US, 2, AttemptOutcome::Reached),
    ] {
        let store = jackfield_store::MemoryStore::new();
        store.apply(parse(TENANTS)).wait().unwrap();
        started(&store, 1, rules);
        call(&store, 0, 1, 10);
        ends(&store, 1, CallStatus::Completed, reason, duration_s, 20);
        assert_eq!(
            one(&store, 0).attempts[0].outcome,
            expected,
            "{reason} {duration_s}"
        );
    }
}

#[test]
fn a_call_that_is_taken_back_before_it_is_dialled_has_not_happened() {
    on_each(|store| {
        started(store, 1, BroadcastRules::default());
        call(store, 0, 1, 10);
        let back = CallRecord::new(CallStatus::Canceled, RECALLED);
        store.finish_call(sid(1), back, 20, None).wait().unwrap();
        assert_eq!(counts(store), [1, 0, 0, 0, 0, 0]);
        assert!(one(store, 0).attempts.is_empty());
        assert_eq!(call(store, 0, 2, 20), 1, "at once");
    });
}

/// A reason phrase is the far end's: who answers with the host's own words is not called again for that.
#[test]
fn what_a_far_end_says_is_not_taken_for_the_hosts_words() {
    on_each(|store| {
        started(store, 4, BroadcastRules::default());
        for (of, words) in (0..).zip([RECALLED, EXPIRED, REFUSED_BY_POLICY, "node_lost"]) {
            let as_call = u64::from(of) + 1;
            call(store, of, as_call, 10);
            dials(store, as_call, 11).unwrap();
            let busy = CallRecord {
                sip_status: Some(486),
                ..CallRecord::new(CallStatus::Busy, words)
            };
            let ended = store.finish_call(sid(as_call), busy, 20, None);
            ended.wait().unwrap();
            let row = one(store, of);
            assert_eq!(row.state, RecipientState::Judged, "{words}");
            assert_eq!(row.attempts[0].outcome, AttemptOutcome::Busy, "{words}");
        }
    });
}

#[test]
fn a_call_that_is_refused_before_it_is_dialled_is_no_attempt() {
    on_each(|store| {
        started(store, 1, BroadcastRules::default());
        call(store, 0, 1, 10);
        let refused = CallRecord::new(CallStatus::Failed, "no trunk of the carrier leads there");
        let ended = store.finish_call(sid(1), refused, 20, None);
        ended.wait().unwrap();
        let row = one(store, 0);
        assert!(row.attempts.is_empty());
        let due_unix_ms = 60_020;
        assert_eq!(row.state, RecipientState::Waiting { due_unix_ms });
    });
}

/// It may refuse each time it is asked: whoever it keeps from being called is not asked about each minute.
#[test]
fn a_call_that_the_routing_policy_refuses_is_to_be_judged() {
    on_each(|store| {
        started(store, 1, BroadcastRules::default());
        call(store, 0, 1, 10);
        let reason = format!("{REFUSED_BY_POLICY} `cheapest`: too dear");
        let refused = CallRecord::new(CallStatus::Failed, reason);
        let ended = store.finish_call(sid(1), refused, 20, None);
        ended.wait().unwrap();
        let row = one(store, 0);
        assert_eq!(row.state, RecipientState::Judged);
        assert_eq!(row.attempts.len(), 1);
    });
}

#[test]
fn a_call_that_somebody_cancelled_while_it_waited_is_to_be_judged() {
    on_each(|store| {
        started(store, 1, BroadcastRules::default());
        call(store, 0, 1, 10);
        let canceled = CallRecord::new(CallStatus::Canceled, "cancelled while it waited");
        let ended = store.finish_call(sid(1), canceled, 20, None);
        ended.wait().unwrap();
        let row = one(store, 0);
        assert_eq!(row.state, RecipientState::Judged);
        let attempt = &row.attempts[0];
        assert_eq!(
            (row.attempts.len(), attempt.outcome, attempt.trunk.as_ref()),
            (1, AttemptOutcome::Canceled, None)
        );
        assert_eq!(call(store, 0, 2, 20), 0, "nobody is called meanwhile");
    });
}

#[test]
fn a_draft_and_one_that_is_over_are_deleted_with_their_recipients() {
    on_each(|store| {
        let scope = hotline(store);
        let delete = |scope| store.delete_broadcast(scope, BC).wait();
        let many = u32::try_from(MAX_WRITTEN_AT_ONCE).unwrap();
        draft(store, many, BroadcastRules::default());
        assert_eq!(delete(clinic(store)), Ok(false), "another's");
        assert_eq!(delete(scope), Ok(true));
        assert_eq!(delete(scope), Ok(false), "it is gone");
        assert_eq!(store.broadcast(scope, BC), Ok(None));
        while store.has_deleted_broadcasts().unwrap() {
            store.sweep_broadcasts().wait().unwrap();
        }
        // The next one of that name finds nothing of the one before.
        started(store, 1, BroadcastRules::default());
        let all = store.recipients(scope, BC, None, None, 9).unwrap().unwrap();
        assert_eq!((all.recipients.len(), counts(store)[0]), (1, 1));
        let due = store.due_recipients(scope, BC, 10, 9).unwrap();
        assert_eq!(due.len(), 1);

        let refused = |told: Result<bool, StoreError>| match told {
            Err(StoreError::NotPossible(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(delete(scope)).contains("stop it first"));
        call(store, 0, 1, 10);
        order(store, BroadcastOrder::Stop, 11).unwrap();
        assert!(refused(delete(scope)).contains("1 of its recipients"));
        let back = CallRecord::new(CallStatus::Canceled, RECALLED);
        store.finish_call(sid(1), back, 20, None).wait().unwrap();
        let gone = vec![(number(0), Judgement::GiveUp("stopped".to_owned()))];
        store.judge_recipients(BC, gone, 21).wait().unwrap();
        assert_eq!(delete(scope), Ok(true));
        assert!(store.begun_broadcasts().unwrap().is_empty());
    });
}

#[test]
fn a_broadcast_is_paused_goes_on_and_is_stopped() {
    on_each(|store| {
        draft(store, 2, BroadcastRules::default());
        let refused = |told: Result<Broadcast, StoreError>| match told {
            Err(StoreError::NotPossible(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(order(store, BroadcastOrder::Pause, 8)).contains("start it first"));
        assert_eq!(call(store, 0, 1, 10), 0, "nobody is called for a draft");
        order(store, BroadcastOrder::Start, 11).unwrap();
        assert!(refused(order(store, BroadcastOrder::Start, 12)).contains("it is running"));
        let paused = order(store, BroadcastOrder::Pause, 13).unwrap();
        assert_eq!(
            (paused.state, paused.started_unix_ms),
            (BroadcastState::Paused, Some(11))
        );
        assert_eq!(call(store, 0, 1, 14), 0);
        assert_eq!(order(store, BroadcastOrder::Pause, 15), Ok(paused));
        order(store, BroadcastOrder::Resume, 16).unwrap();
        assert_eq!(call(store, 0, 1, 17), 1);
        let change = || store.change_broadcast(hotline(store), BC, BroadcastChange::default(), 1);
        assert!(matches!(change().wait(), Err(StoreError::NotPossible(_))));
        let add = store.add_recipients(hotline(store), BC, vec![recipient(7)], 1);
        assert!(matches!(add.wait(), Err(StoreError::NotPossible(_))));
        order(store, BroadcastOrder::Pause, 17).unwrap();
        let halted = Err(StoreError::NotQueued(sid(1)));
        assert_eq!(dials(store, 1, 17), halted, "whatever a dialler believes");
        order(store, BroadcastOrder::Resume, 17).unwrap();
        assert_eq!(dials(store, 1, 17), Ok(()));
        order(store, BroadcastOrder::Stop, 18).unwrap();
        assert!(refused(order(store, BroadcastOrder::Resume, 19)).contains("is stopped"));
        is_over(store, 1, CallStatus::NoAnswer, "", 0, 20);
        judge(store, 0, Judgement::GiveUp("stopped".to_owned()));
        let last = judge(store, 1, Judgement::GiveUp("stopped".to_owned()));
        assert_eq!(
            (last.state, last.counts.left()),
            (BroadcastState::Stopped, 0)
        );
        assert_eq!(last.ended_unix_ms, Some(18));
    });
}

#[test]
fn another_account_sees_nothing_of_it() {
    on_each(|store| {
        started(store, 1, BroadcastRules::default());
        let other = clinic(store);
        assert_eq!(store.broadcast(other, BC).unwrap(), None);
        assert_eq!(store.recipient(other, BC, &number(0)).unwrap(), None);
        assert_eq!(store.recipients(other, BC, None, None, 9).unwrap(), None);
        assert!(store.broadcasts(other, None, 9).unwrap().rows.is_empty());
        let ordered = store.order_broadcast(other, BC, BroadcastOrder::Stop, 9);
        assert_eq!(ordered.wait(), Ok(None));
        let page = store.broadcasts(hotline(store), None, 9).unwrap();
        assert_eq!(page.rows, [row(store)]);
    });
}

#[test]
fn recipients_are_listed_by_where_they_stand_a_page_at_a_time() {
    on_each(|store| {
        draft(store, 5, BroadcastRules::default());
        let again = vec![NewRecipient {
            language: None,
            ..recipient(3)
        }];
        let added = store.add_recipients(hotline(store), BC, again, 6).wait();
        assert_eq!(added.unwrap().unwrap().counts.total(), 5, "replaced");
        assert_eq!(one(store, 3).language, None);
        let many = (0..=MAX_WRITTEN_AT_ONCE as u32).map(recipient).collect();
        let many = store.add_recipients(hotline(store), BC, many, 6).wait();
        assert!(matches!(many, Err(StoreError::NotPossible(_))));
        order(store, BroadcastOrder::Start, 7).unwrap();
        call(store, 2, 1, 10);
        let list = |state: Option<&str>, after: Option<u32>, limit| {
            let after = after.map(number);
            let state = state.map(|state| state.parse().unwrap());
            let page = store
                .recipients(hotline(store), BC, state, after.as_ref(), limit)
                .unwrap()
                .unwrap();
            let found = page.recipients.into_iter().map(|one| one.number);
            (found.collect::<Vec<_>>(), page.next)
        };
        let numbers = |of: &[u32]| of.iter().map(|of| number(*of)).collect::<Vec<_>>();
        assert_eq!(list(None, None, 2), (numbers(&[0, 1]), Some(number(1))));
        assert_eq!(list(None, Some(1), 9), (numbers(&[2, 3, 4]), None));
        assert_eq!(list(Some("calling"), None, 9), (numbers(&[2]), None));
        assert_eq!(
            list(Some("waiting"), Some(0), 9),
            (numbers(&[1, 3, 4]), None)
        );
    });
}

#[test]
fn whoever_is_due_at_the_same_time_is_called_in_a_shuffled_order() {
    on_each(|store| {
        started(store, 200, BroadcastRules::default());
        let due = store.due_recipients(hotline(store), BC, 10, 200).unwrap();
        let numbers: Vec<_> = due.iter().map(|one| one.number.clone()).collect();
        assert_eq!(numbers.len(), 200);
        assert!(
            !numbers.is_sorted(),
            "one operator's numbers are not in front of all others"
        );
        let few = store.due_recipients(hotline(store), BC, 10, 3).unwrap();
        assert_eq!(few, due[..3], "and always in the same one");
    });
}

#[test]
fn who_was_reached_is_told_in_the_same_transaction() {
    on_each(|store| {
        let webhook = StatusCallback {
            url: "https://app.example/reached".to_owned(),
            method: HttpMethod::Post,
        };
        let rules = BroadcastRules {
            webhook: Some(webhook.clone()),
            ..BroadcastRules::default()
        };
        started(store, 2, rules);
        call(store, 0, 1, 10);
        ends(store, 1, CallStatus::Busy, "", 0, 20);
        assert!(store.callbacks_after(0, 9).unwrap().is_empty());
        call(store, 1, 2, 10);
        ends(store, 2, CallStatus::Completed, HUNG_UP_BY_US, 9, 20);
        let told = store.callbacks_after(0, 9).unwrap();
        assert_eq!((told.len(), &told[0].to), (1, &webhook));
        for (name, expected) in [
            ("BroadcastSid", BC.to_string()),
            ("CallSid", sid(2).to_string()),
            ("To", number(1).to_string()),
            ("Event", "reached".to_owned()),
            ("Attempts", "1".to_owned()),
            ("CallDuration", "9".to_owned()),
            ("Language", "khm".to_owned()),
            ("Field.name", "N1".to_owned()),
        ] {
            assert_eq!(told[0].parameter(name), Some(&*expected), "{name}");
        }
    });
}

#[test]
fn a_flow_is_started_for_who_was_reached_with_a_token_that_lies_sealed() {
    on_each(|store| {
        let scope = hotline(store);
        let directory = store.directory();
        let account = directory.account(scope.account()).unwrap();
        let token = Secret::new("a token of RapidPro's".to_owned());
        let server = "https://rapidpro.example".to_owned();
        let start = account.seal_flow_start(BC, server, "f5901b62".to_owned(), &token);
        draft(store, 2, BroadcastRules::default());
        let change = BroadcastChange {
            flow_start: Some(Some(start.clone())),
            ..BroadcastChange::default()
        };
        let changed = store.change_broadcast(scope, BC, change, 6).wait().unwrap();
        assert_eq!(changed.unwrap().flow_start, Some(start.clone()));
        order(store, BroadcastOrder::Start, 7).unwrap();
        call(store, 0, 1, 10);
        ends(store, 1, CallStatus::Busy, "", 0, 20);
        assert!(store.callbacks_after(0, 9).unwrap().is_empty());
        call(store, 1, 2, 10);
        ends(store, 2, CallStatus::Completed, HUNG_UP_BY_US, 9, 20);
        let told = store.callbacks_after(0, 9).unwrap();
        let [told] = told.as_slice() else {
            panic!("{told:?}");
        };
        let url = "https://rapidpro.example/api/v2/flow_starts.json";
        assert_eq!(
            (told.event.as_str(), told.to.url.as_str()),
            ("flow-start", url)
        );
        assert_eq!(told.parameter("field_name"), Some("N1"));
        assert_eq!(told.parameter("broadcast_sid"), Some(&*BC.to_string()));
        let kept = told.start.as_ref().unwrap();
        assert_eq!(account.open_flow_token(BC, kept), Ok(token.clone()));
        assert!(!format!("{told:?}").contains(token.expose()));
        let other = BroadcastSid::from_bytes([8; 16]);
        assert!(account.open_flow_token(other, kept).is_err());
    });
}

#[test]
fn what_comes_of_it_is_counted_by_operator() {
    on_each(|store| {
        let tenants = format!(
            "{TENANTS}\n[[operator]]\ncountry = \"KH\"\nname = \"Smart\"\nprefixes = [\"{}\"]\n",
            number(0)
        );
        store.apply(parse(&tenants)).wait().unwrap();
        started(store, 3, BroadcastRules::default());
        call(store, 0, 1, 10);
        ends(store, 1, CallStatus::Busy, "", 0, 20);
        let row = judge(store, 0, Judgement::GiveUp("enough".to_owned()));
        call(store, 1, 2, 10);
        ends(store, 2, CallStatus::Completed, HUNG_UP_BY_US, 9, 20);
        assert_eq!(row.counts.given_up, 1);
        let row = self::row(store);
        let counted: Vec<_> = row.by_operator.iter().collect();
        let counts = |of: usize| {
            let (name, counts) = counted[of];
            let OperatorCounts {
                recipients,
                reached,
                given_up,
                outcomes,
            } = counts;
            (name, [*recipients, *reached, *given_up], outcomes.clone())
        };
        let one = |outcome| BTreeMap::from([(outcome, 1)]);
        assert_eq!(counted.len(), 2);
        assert_eq!(counts(0).1, [1, 0, 1]);
        assert_eq!(counts(0).2, one(AttemptOutcome::Busy));
        assert_eq!(
            counts(1),
            ("other", [2, 1, 0], one(AttemptOutcome::Reached))
        );
    });
}

#[test]
fn a_call_that_a_killed_process_left_is_an_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    started(&store, 2, BroadcastRules::default());
    call(&store, 0, 1, 10);
    call(&store, 1, 2, 10);
    let leg = Leg {
        trunk: TrunkId("east-gateway".to_owned()),
        sip_call_id: "x".to_owned(),
    };
    store.begin_attempt(sid(1), leg.into(), 20).wait().unwrap();
    drop(store);
    let (store, recovered) = DiskStore::open(&places, 5_000).unwrap();
    assert_eq!(recovered.lost.len(), 1);
    let lost = one(&store, 0);
    assert_eq!(lost.state, RecipientState::Judged);
    let attempt = &lost.attempts[0];
    assert_eq!(attempt.outcome, AttemptOutcome::Lost);
    assert_eq!(
        attempt.ended_unix_ms, 5_000,
        "the gap begins when it is found"
    );
    assert_eq!(
        one(&store, 1).state,
        RecipientState::Calling(sid(2)),
        "it waits in the queue"
    );
    assert_eq!(counts(&store), [0, 0, 1, 1, 0, 0]);
}
