//! What is told of calls: written with what happened, taken out when it was delivered.

use call::{
    CallRecord, CallStatus, CallbackSubject, Exchange, HttpMethod, HttpRequest, HttpResponse,
    RecordingCallback, RecordingSid, RecordingSource, RecordingTracks, RecordingTurn,
    StatusCallback,
};
use jackfield_store::{
    AccountStore as _, CallCallback, CallbackOutcome, CallbackRow, DiskStore, FailedAttempt,
    MOST_EXCHANGES, NewCall, NewRecording, Places, ProgressEvent, RecordingEnding, RecordingStatus,
    Store,
};

use crate::support::{TENANTS, clinic, hotline, leg, outbound, parse, record, sid};
use crate::verbs::on_each;

/// A call that is told of at these turns.
fn told(number: u64, on: &[ProgressEvent]) -> NewCall {
    let to = StatusCallback {
        url: "https://example.org/status".to_owned(),
        method: HttpMethod::Post,
    };
    NewCall {
        callback: Some(CallCallback {
            to,
            on: on.to_vec(),
        }),
        ..outbound(number, 1_000)
    }
}

pub(crate) fn outbox(store: &dyn Store) -> Vec<CallbackRow> {
    store.callbacks_after(0, 100).unwrap()
}

/// The turns and sequence numbers in the outbox.
fn turns(store: &dyn Store) -> Vec<(ProgressEvent, u32)> {
    let rows = outbox(store).into_iter();
    let turn = |word: &str| {
        ProgressEvent::ALL
            .into_iter()
            .find(|turn| turn.as_str() == word)
    };
    rows.map(|row| (turn(&row.event).unwrap(), row.sequence))
        .collect()
}

/// From the queue to an end as `completed`.
pub(crate) fn live_through(store: &dyn Store, call: NewCall) {
    let sid = call.sid;
    store.accept_call(hotline(store), call).wait().unwrap();
    store
        .begin_attempt(sid, leg(1).into(), 2_000)
        .wait()
        .unwrap();
    for (status, at) in [
        (CallStatus::Ringing, 3_000),
        (CallStatus::InProgress, 4_000),
    ] {
        store.set_status(sid, status, at).wait().unwrap();
    }
    let record = record(CallStatus::Completed);
    store.finish_call(sid, record, 5_000, None).wait().unwrap();
}

#[test]
fn each_turn_that_is_asked_for_is_in_the_outbox_once_in_order() {
    use ProgressEvent::{Answered, Completed, Initiated, Ringing};
    on_each(|store| {
        live_through(store, told(1, &ProgressEvent::ALL));
        let all = [(Initiated, 0), (Ringing, 1), (Answered, 2), (Completed, 3)];
        assert_eq!(turns(store), all);
        live_through(store, told(2, &[Answered, Completed]));
        live_through(store, outbound(3, 1_000));
        let more = [(Answered, 0), (Completed, 1)];
        assert_eq!(turns(store), [all.as_slice(), &more].concat());
        let rows = outbox(store);
        assert!(rows.is_sorted_by(|a, b| a.id < b.id && a.token != b.token));
        assert_eq!(rows[3].created_unix_ms, 5_000);
        assert_eq!(store.callbacks_after(rows[3].id, 1).unwrap(), rows[4..5]);
    });
}

/// As soon as the call is accepted, and once: an attempt that fails asks nobody again.
#[test]
fn the_device_that_a_call_is_for_is_woken_once_when_the_call_is_accepted() {
    on_each(|store| {
        let to = StatusCallback {
            url: "https://example.org/wake".to_owned(),
            method: HttpMethod::Post,
        };
        let call = NewCall {
            to: "client:alice".to_owned(),
            notification: Some(to.clone()),
            ..told(1, &ProgressEvent::ALL)
        };
        store.accept_call(hotline(store), call).wait().unwrap();
        let rows = outbox(store);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].subject, CallbackSubject::Notification(sid(1)));
        assert_eq!((&rows[0].to, rows[0].sequence), (&to, 0));
        assert_eq!(rows[0].call(), Some(sid(1)));
        for (name, value) in [
            ("To", Some("client:alice")),
            ("CallStatus", Some("initiated")),
            ("Timestamp", Some("Thu, 01 Jan 1970 00:00:01 +0000")),
            ("CallbackSource", None),
        ] {
            assert_eq!(rows[0].parameter(name), value);
        }
        store
            .begin_attempt(sid(1), leg(1).into(), 2_000)
            .wait()
            .unwrap();
        let end = record(CallStatus::Failed);
        store.finish_call(sid(1), end, 3_000, None).wait().unwrap();
        let events: Vec<_> = outbox(store).into_iter().map(|row| row.event).collect();
        assert_eq!(events, ["client-notification", "initiated", "completed"]);
    });
}

#[test]
fn a_call_that_is_cancelled_in_the_queue_tells_nobody_and_one_that_fails_there_does() {
    on_each(|store| {
        for (number, status) in [(1, CallStatus::Canceled), (2, CallStatus::Failed)] {
            let call = told(number, &ProgressEvent::ALL);
            store.accept_call(hotline(store), call).wait().unwrap();
            let end = record(status);
            store
                .finish_call(sid(number), end, 2_000, None)
                .wait()
                .unwrap();
        }
        let rows = outbox(store);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            (rows[0].subject, rows[0].event.as_str()),
            (CallbackSubject::Call(sid(2)), "completed")
        );
    });
}

#[test]
fn what_was_delivered_goes_and_what_was_given_up_stays_for_its_account() {
    on_each(|store| {
        live_through(
            store,
            told(1, &[ProgressEvent::Answered, ProgressEvent::Completed]),
        );
        let rows = outbox(store);
        let [first, second] = [rows[0].id, rows[1].id];
        let delivered = CallbackOutcome::Delivered;
        store
            .settle_callback(first, delivered.clone(), None)
            .wait()
            .unwrap();
        store
            .settle_callback(first, delivered, None)
            .wait()
            .unwrap();
        let failed = |due_unix_ms| CallbackOutcome::Failed {
            attempts: 3,
            due_unix_ms,
            error: "status 500".to_owned(),
        };
        store
            .settle_callback(second, failed(Some(9_000)), None)
            .wait()
            .unwrap();
        let again = &outbox(store)[0];
        assert_eq!((again.attempts, again.due_unix_ms), (3, Some(9_000)));
        let undelivered = |scope| store.undelivered(scope, 0, 10).unwrap();
        assert_eq!(undelivered(hotline(store)), []);

        store
            .settle_callback(second, failed(None), None)
            .wait()
            .unwrap();
        let given_up = undelivered(hotline(store));
        assert_eq!(given_up.len(), 1);
        assert_eq!(given_up[0].error.as_deref(), Some("status 500"));
        assert_eq!(undelivered(clinic(store)), []);
        assert_eq!(store.undelivered(hotline(store), second, 10).unwrap(), []);

        let redeliver = |scope, id| store.redeliver(scope, id, 10_000).wait().unwrap();
        assert_eq!(
            redeliver(clinic(store), second),
            None,
            "a foreign one is none"
        );
        assert_eq!(redeliver(hotline(store), first), None);
        let row = redeliver(hotline(store), second).unwrap();
        assert!(row.id > second);
        assert_eq!((row.attempts, row.due_unix_ms), (0, Some(10_000)));
        assert_eq!((row.token, row.sequence), (given_up[0].token, 1));
        assert_eq!(redeliver(hotline(store), second), None);
        assert_eq!(outbox(store), [row]);
        assert_eq!(undelivered(hotline(store)), []);
    });
}

#[test]
fn what_was_given_up_long_ago_goes_and_what_is_tried_stays() {
    on_each(|store| {
        for number in 1..=3 {
            live_through(store, told(number, &ProgressEvent::ALL));
        }
        let rows = outbox(store);
        assert_eq!(rows.len(), 12);
        for row in &rows[..6] {
            let outcome = CallbackOutcome::Failed {
                attempts: 17,
                due_unix_ms: None,
                error: "status 500".to_owned(),
            };
            store.settle_callback(row.id, outcome, None).wait().unwrap();
        }
        // Those of each call were written at 2000, 3000, 4000 and 5000.
        assert_eq!(store.forget_callbacks(4_000, 1).wait().unwrap(), 1);
        assert_eq!(store.callback(rows[0].id).unwrap(), None);
        assert_eq!(store.forget_callbacks(4_000, 9).wait().unwrap(), 1);
        assert_eq!(store.forget_callbacks(4_000, 9).wait().unwrap(), 0);
        let left = store.undelivered(hotline(store), 0, 99).unwrap();
        let left: Vec<u64> = left.iter().map(|row| row.id).collect();
        let expected: Vec<u64> = rows[2..6].iter().map(|row| row.id).collect();
        assert_eq!(left, expected);
        assert_eq!(store.forget_callbacks(9_000, 99).wait().unwrap(), 4);
        assert_eq!(outbox(store), rows[6..]);
        assert_eq!(store.callback(rows[6].id).unwrap().as_ref(), Some(&rows[6]));
    });
}

#[test]
fn a_call_that_goes_over_two_trunks_is_told_of_as_one() {
    on_each(|store| {
        let turns = [ProgressEvent::Initiated, ProgressEvent::Completed];
        let scope = hotline(store);
        store.accept_call(scope, told(1, &turns)).wait().unwrap();
        store
            .begin_attempt(sid(1), leg(1).into(), 10)
            .wait()
            .unwrap();
        let failed = FailedAttempt {
            trunk: leg(1).trunk,
            sip_status: Some(503),
            reason: "Service Unavailable".to_owned(),
            because: None,
        };
        store.fail_attempt(sid(1), failed, 20).wait().unwrap();
        store
            .begin_attempt(sid(1), leg(2).into(), 30)
            .wait()
            .unwrap();
        let end = CallRecord::new(CallStatus::Canceled, "cancelled");
        store.finish_call(sid(1), end, 40, None).wait().unwrap();
        let rows = outbox(store);
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.event.as_str(), row.sequence))
            .collect();
        assert_eq!(told, [("initiated", 0), ("completed", 1)]);
    });
}

#[test]
fn the_outbox_outlives_its_process_and_tells_of_what_was_lost_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    live_through(&store, told(1, &[ProgressEvent::Completed]));
    let call = told(2, &[ProgressEvent::Completed]);
    store.accept_call(hotline(&store), call).wait().unwrap();
    store
        .begin_attempt(sid(2), leg(2).into(), 6_000)
        .wait()
        .unwrap();
    let before = outbox(&store);
    drop(store);

    let (store, recovered) = DiskStore::open(&places, 7_000).unwrap();
    assert_eq!(recovered.lost.len(), 1);
    let rows = outbox(&store);
    assert_eq!(rows[..1], before);
    assert_eq!(
        (rows[1].subject, rows[1].event.as_str()),
        (CallbackSubject::Call(sid(2)), "completed")
    );
    assert!(rows[1].id > rows[0].id && rows.len() == 2);
}

/// Begins a recording of which these turns are told, pauses it, and ends it so.
fn record_through(store: &dyn Store, number: u8, on: &[RecordingTurn], end: RecordingStatus) {
    let sid = RecordingSid::from_bytes([number; 16]);
    let to = StatusCallback {
        url: "https://example.org/recorded".to_owned(),
        method: HttpMethod::Post,
    };
    let on = on.to_vec();
    let new = NewRecording {
        sid,
        of: crate::support::sid(9).into(),
        source: RecordingSource::DialVerb,
        channels: 2,
        rate_hz: 8_000,
        tracks: RecordingTracks::Caller,
        callback: Some(RecordingCallback { to, on }),
        url: "https://host/RE".to_owned(),
        created_unix_ms: 1_000,
    };
    store.begin_recording(hotline(store), new).wait().unwrap();
    for status in [RecordingStatus::Paused, RecordingStatus::InProgress] {
        let kept = store.set_recording_status(sid, status, 2_000);
        kept.wait().unwrap();
    }
    let ending = RecordingEnding {
        status: end,
        duration_ms: 4_200,
        file_bytes: 134_444,
    };
    store.finish_recording(sid, ending, 5_200).wait().unwrap();
}

#[test]
fn a_recording_tells_of_its_turns_once_each() {
    use RecordingTurn::{Absent, Completed, InProgress};
    on_each(|store| {
        record_through(store, 1, &RecordingTurn::ALL, RecordingStatus::Completed);
        record_through(store, 2, &[Completed], RecordingStatus::Absent);
        record_through(store, 3, &[Absent], RecordingStatus::Absent);
        record_through(store, 4, &[InProgress, Completed], RecordingStatus::Failed);
        let rows = outbox(store);
        let turns: Vec<_> = rows
            .iter()
            .map(|row| (row.event.as_str(), row.sequence))
            .collect();
        assert_eq!(
            turns,
            [
                ("in-progress", 0),
                ("completed", 1),
                ("absent", 0),
                ("in-progress", 0),
                ("failed", 1)
            ]
        );
        let subject = CallbackSubject::Recording(RecordingSid::from_bytes([1; 16]));
        assert_eq!(rows[1].subject, subject);
        for (name, value) in [
            ("RecordingStatus", Some("completed")),
            ("RecordingDuration", Some("4")),
            ("RecordingUrl", Some("https://host/RE")),
            ("RecordingChannels", Some("2")),
            ("RecordingSource", Some("DialVerb")),
            ("RecordingTrack", Some("inbound")),
            (
                "RecordingStartTime",
                Some("Thu, 01 Jan 1970 00:00:01 +0000"),
            ),
        ] {
            assert_eq!(rows[1].parameter(name), value, "{name}");
        }
        assert_eq!(rows[0].parameter("RecordingDuration"), None);
    });
}

/// Tries the only callback of the outbox, which is refused by this status.
fn try_once(store: &dyn Store, status: u16) {
    let row = outbox(store).remove(0);
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: row.to.url.clone(),
        headers: Vec::new(),
        body: b"CallStatus=completed".to_vec(),
        sign: true,
    };
    let response = HttpResponse {
        status,
        headers: ["content-type", "set-cookie"]
            .map(|name| (name.to_owned(), "a".to_owned()))
            .into(),
        body: vec![b'x'; 10_000],
        url: row.to.url.clone(),
    };
    let exchange = Exchange {
        at_unix_ms: 6_000,
        request,
        answer: Some((6_001, Ok(response))),
    };
    let outcome = CallbackOutcome::Failed {
        attempts: row.attempts + 1,
        due_unix_ms: Some(7_000),
        error: format!("status {status}"),
    };
    let settled = store.settle_callback(row.id, outcome, Some(exchange));
    settled.wait().unwrap();
}

#[test]
fn what_callbacks_were_answered_is_kept_with_their_call_and_goes_with_it() {
    on_each(|store| {
        live_through(store, told(1, &[ProgressEvent::Completed]));
        let statuses = |scope| -> Vec<(u32, u16)> {
            let kept = store.exchanges(scope, sid(1)).unwrap();
            kept.into_iter()
                .map(|(number, exchange)| (number, exchange.answer.unwrap().1.unwrap().status))
                .collect()
        };
        for status in 500..500 + 3 {
            try_once(store, status);
        }
        assert_eq!(statuses(hotline(store)), [(0, 500), (1, 501), (2, 502)]);
        assert_eq!(statuses(clinic(store)), [], "foreign ones are none");
        let (_, kept) = store.exchanges(hotline(store), sid(1)).unwrap().remove(0);
        assert_eq!(kept.request.body, b"CallStatus=completed");
        let response = kept.answer.unwrap().1.unwrap();
        assert_eq!(response.body.len(), 4 << 10);
        assert_eq!(
            response.headers,
            [("content-type".to_owned(), "a".to_owned())]
        );
        for number in 3..MOST_EXCHANGES + 2 {
            try_once(store, 500 + u16::try_from(number % 100).unwrap());
        }
        let all = statuses(hotline(store));
        assert_eq!(all.len(), MOST_EXCHANGES as usize);
        assert_eq!(all[0], (2, 502), "the oldest ones went");
        assert_eq!(all.last(), Some(&(MOST_EXCHANGES + 1, 501)));

        store.delete_call(hotline(store), sid(1)).wait().unwrap();
        assert_eq!(statuses(hotline(store)), []);
        try_once(store, 500);
        live_through(store, outbound(1, 1_000));
        assert_eq!(statuses(hotline(store)), [], "of a call that was deleted");
    });
}

/// Begins the recording of a call; both have this number.
fn record_call(store: &dyn Store, number: u8, source: RecordingSource) -> RecordingSid {
    let recording = RecordingSid::from_bytes([number; 16]);
    let new = NewRecording {
        sid: recording,
        of: sid(number.into()).into(),
        source,
        channels: 1,
        rate_hz: 8_000,
        tracks: RecordingTracks::Both,
        callback: None,
        url: "https://host/RE".to_owned(),
        created_unix_ms: 4_000,
    };
    store.begin_recording(hotline(store), new).wait().unwrap();
    recording
}

fn end_recording(store: &dyn Store, sid: RecordingSid, status: RecordingStatus, duration_ms: u64) {
    let ending = RecordingEnding {
        status,
        duration_ms,
        file_bytes: 0,
    };
    store.finish_recording(sid, ending, 5_500).wait().unwrap();
}

fn end_call(store: &dyn Store, number: u8) {
    let record = record(CallStatus::Completed);
    let ended = store.finish_call(sid(number.into()), record, 5_000, None);
    ended.wait().unwrap();
}

#[test]
fn the_end_of_a_call_tells_of_the_recording_that_its_order_asked_for() {
    on_each(|store| {
        let names = ["RecordingUrl", "RecordingSid", "RecordingDuration"];
        let (ordered, of_a_verb) = (RecordingSource::OutboundApi, RecordingSource::RecordVerb);
        for (number, source, status, duration_ms, is_told) in [
            (1, ordered, RecordingStatus::Completed, 4_200, true),
            (2, ordered, RecordingStatus::Failed, 4_200, true),
            (3, ordered, RecordingStatus::Absent, 0, false),
            (4, of_a_verb, RecordingStatus::Completed, 4_200, false),
        ] {
            for is_over_first in [false, true] {
                let number = number + if is_over_first { 10 } else { 0 };
                let of_call = |store: &dyn Store| {
                    let mut rows = outbox(store);
                    rows.retain(|row| row.call() == Some(sid(number.into())));
                    rows
                };
                let on = [ProgressEvent::Answered, ProgressEvent::Completed];
                let call = told(number.into(), &on);
                let (scope, call_sid) = (hotline(store), call.sid);
                store.accept_call(scope, call).wait().unwrap();
                store
                    .begin_attempt(call_sid, leg(1).into(), 2_000)
                    .wait()
                    .unwrap();
                let up = store.set_status(call_sid, CallStatus::InProgress, 4_000);
                up.wait().unwrap();
                let recording = record_call(store, number, source);
                if is_over_first {
                    end_recording(store, recording, status, duration_ms);
                    end_call(store, number);
                } else {
                    end_call(store, number);
                    let told_at_once = if source == ordered { 1 } else { 2 };
                    assert_eq!(of_call(store).len(), told_at_once, "{number}");
                    end_recording(store, recording, status, duration_ms);
                }
                let rows = of_call(store);
                let turns: Vec<_> = rows.iter().map(|row| (&*row.event, row.sequence)).collect();
                assert_eq!(turns, [("answered", 0), ("completed", 1)]);
                let recording = recording.to_string();
                let told =
                    ["https://host/RE", &recording, "4"].map(|value| is_told.then_some(value));
                assert_eq!(names.map(|name| rows[1].parameter(name)), told, "{number}");
                assert_eq!(rows[1].created_unix_ms, 5_000, "when it ended");
                assert_eq!(rows[1].parameter("CallStatus"), Some("completed"));
            }
        }
    });
}

/// A call that is deleted while its recording ends takes what was to be told along.
#[test]
fn a_call_that_is_deleted_waits_for_no_recording() {
    on_each(|store| {
        let call = told(1, &[ProgressEvent::Completed]);
        store.accept_call(hotline(store), call).wait().unwrap();
        store
            .begin_attempt(sid(1), leg(1).into(), 2_000)
            .wait()
            .unwrap();
        let recording = record_call(store, 1, RecordingSource::OutboundApi);
        end_call(store, 1);
        assert!(store.delete_call(hotline(store), sid(1)).wait().unwrap());
        end_recording(store, recording, RecordingStatus::Completed, 4_200);
        assert_eq!(outbox(store).len(), 0);
    });
}
