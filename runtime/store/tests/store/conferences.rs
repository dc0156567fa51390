//! Conferences: there with their first participant, kept when they are over, and seen by nobody else.

use call::{
    CallSid, ConferenceCallback, ConferenceEndReason, ConferenceSid, ConferenceTopic,
    ConferenceTurn, HttpMethod, MediaSource, Participant, ParticipantExit, StatusCallback,
};
use jackfield_store::{
    CallbackRow, ConferenceFilter, ConferenceNote, ConferenceRow, ConferenceStatus, DiskStore,
    Places, Scope, Store, TimeSpan,
};

use crate::support::{TENANTS, clinic, hotline, parse, sid};
use crate::verbs::on_each;

fn cf(number: u8) -> ConferenceSid {
    ConferenceSid::from_bytes([number; 16])
}

fn somebody(call: CallSid, muted: bool) -> Participant {
    Participant {
        call,
        label: Some("somebody".to_owned()),
        muted,
        held: false,
        coaches: None,
        start_on_enter: true,
        end_on_exit: false,
    }
}

fn note(store: &dyn Store, number: u8, turn: ConferenceTurn, at_unix_ms: u64) {
    let note = ConferenceNote {
        sid: cf(number),
        name: format!("room {number}"),
        turn,
        at_unix_ms,
    };
    store.note_conference(hotline(store), note).wait().unwrap();
}

fn row(store: &dyn Store, number: u8) -> ConferenceRow {
    let found = store.conference(hotline(store), cf(number)).unwrap();
    found.unwrap()
}

/// Who is in it: call, whether muted, since when, and when last written.
fn who(store: &dyn Store, scope: Scope, number: u8) -> Vec<(CallSid, bool, u64, u64)> {
    let page = store.participants(scope, cf(number), Default::default(), None, 10);
    let rows = page.unwrap().rows.into_iter();
    rows.map(|row| {
        let one = row.participant;
        (
            one.call,
            one.muted,
            row.created_unix_ms,
            row.updated_unix_ms,
        )
    })
    .collect()
}

#[test]
fn a_conference_is_kept_from_its_first_participant_to_its_end() {
    use ConferenceTurn::{Began, Ended, Joined, Left, Muted, Opened};
    on_each(|store| {
        note(store, 1, Began, 500);
        assert!(store.conference(hotline(store), cf(1)).unwrap().is_none());
        note(store, 1, Opened(None), 1_000);
        note(store, 1, Joined(somebody(sid(1), false)), 1_000);
        assert_eq!(row(store, 1).status, ConferenceStatus::Init);
        note(store, 1, Joined(somebody(sid(2), false)), 2_000);
        note(store, 1, Began, 2_000);
        note(store, 1, Muted(somebody(sid(1), true)), 3_000);
        assert_eq!(row(store, 1).status, ConferenceStatus::InProgress);
        let expected = [(sid(2), false, 2_000, 2_000), (sid(1), true, 1_000, 3_000)];
        assert_eq!(who(store, hotline(store), 1), expected);
        assert_eq!(who(store, clinic(store), 1), []);
        for (number, at) in [(1, 4_000), (2, 5_000)] {
            let gone = somebody(sid(number), false);
            note(store, 1, Left(gone, ParticipantExit::HungUp), at);
        }
        let last = Some(somebody(sid(2), false));
        note(store, 1, Ended(ConferenceEndReason::LastLeft, last), 5_000);
        assert_eq!(who(store, hotline(store), 1), []);
        let over = row(store, 1);
        assert_eq!(over.status, ConferenceStatus::Completed);
        assert_eq!(over.ended, Some(ConferenceEndReason::LastLeft));
        assert_eq!(over.ended_by, Some(sid(2)));
        assert_eq!((over.created_unix_ms, over.updated_unix_ms), (1_000, 5_000));
        note(store, 1, Joined(somebody(sid(3), false)), 6_000);
        assert_eq!(row(store, 1), over, "it is over once");
    });
}

#[test]
fn conferences_are_listed_for_their_account_newest_first() {
    on_each(|store| {
        for number in 1..=3 {
            let opened = ConferenceTurn::Opened(None);
            note(store, number, opened, u64::from(number) * 1_000);
        }
        let list = |scope, filter: ConferenceFilter, from| {
            let page = store.conferences(scope, &filter, from, 2).unwrap();
            let sids: Vec<_> = page.rows.iter().map(|row| row.sid).collect();
            (sids, page.next)
        };
        let all = ConferenceFilter::default;
        let (first, next) = list(hotline(store), all(), None);
        assert_eq!(first, [cf(3), cf(2)]);
        assert_eq!(list(hotline(store), all(), next), (vec![cf(1)], None));
        assert_eq!(list(clinic(store), all(), None), (vec![], None));
        let between = ConferenceFilter {
            created: TimeSpan {
                from_unix_ms: Some(2_000),
                before_unix_ms: Some(3_000),
            },
            ..all()
        };
        assert_eq!(list(hotline(store), between, None).0, [cf(2)]);
        let updated = ConferenceFilter {
            updated: TimeSpan {
                from_unix_ms: Some(3_000),
                before_unix_ms: None,
            },
            ..all()
        };
        assert_eq!(list(hotline(store), updated, None).0, [cf(3)]);
        let named = ConferenceFilter {
            name: Some("room 1".to_owned()),
            ..all()
        };
        assert_eq!(list(hotline(store), named, None).0, [cf(1)]);
    });
}

#[test]
fn what_a_killed_process_left_is_over_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    let opened = ConferenceTurn::Opened(Some(told(&ConferenceTopic::ALL)));
    note(&store, 1, opened, 500);
    let expected = ConferenceTurn::Expected(somebody(sid(2), false));
    note(&store, 1, expected, 500);
    note(
        &store,
        1,
        ConferenceTurn::Joined(somebody(sid(1), false)),
        1_000,
    );
    let scope = hotline(&store);
    drop(store);
    let (store, _) = DiskStore::open(&places, 9_000).unwrap();
    let over = row(&store, 1);
    assert_eq!(over.status, ConferenceStatus::Completed);
    assert_eq!(over.ended, Some(ConferenceEndReason::LastLeft));
    assert_eq!((over.ended_by, over.updated_unix_ms), (Some(sid(1)), 9_000));
    assert_eq!(who(&store, scope, 1), []);
    let events: Vec<_> = outbox(&store).into_iter().map(|row| row.event).collect();
    let expected = ["participant-join", "participant-leave", "conference-end"];
    assert_eq!(events, expected);
}

fn told(topics: &[ConferenceTopic]) -> ConferenceCallback {
    ConferenceCallback {
        to: StatusCallback {
            url: "https://example.org/told".to_owned(),
            method: HttpMethod::Post,
        },
        topics: topics.to_vec(),
    }
}

fn outbox(store: &dyn Store) -> Vec<CallbackRow> {
    store.callbacks_after(0, 100).unwrap()
}

#[test]
fn each_turn_that_is_asked_for_is_in_the_outbox_with_its_parameters() {
    use ConferenceTurn::{Announced, Began, Ended, Held, Joined, Left, Modified, Muted, Opened};
    on_each(|store| {
        note(store, 1, Opened(Some(told(&ConferenceTopic::ALL))), 1_000);
        note(store, 1, Joined(somebody(sid(1), false)), 1_000);
        note(store, 1, Began, 1_000);
        note(store, 1, Muted(somebody(sid(1), true)), 1_000);
        note(store, 1, Muted(somebody(sid(1), false)), 1_000);
        let held = Participant {
            held: true,
            coaches: Some(sid(2)),
            ..somebody(sid(1), false)
        };
        note(store, 1, Held(held.clone()), 1_000);
        note(store, 1, Held(somebody(sid(1), false)), 1_000);
        note(store, 1, Modified(held), 1_000);
        for outcome in [Ok(()), Err("no such file".to_owned())] {
            let source = MediaSource::Url("https://a/b.mp3".to_owned());
            let announced = Announced {
                participant: None,
                source,
                outcome,
            };
            note(store, 1, announced, 1_000);
        }
        let gone = somebody(sid(1), false);
        note(store, 1, Left(gone.clone(), ParticipantExit::Kicked), 1_000);
        let reason = ConferenceEndReason::LastKicked;
        note(store, 1, Ended(reason, Some(gone)), 1_283_286_988_000);
        let rows = outbox(store);
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.event.as_str(), row.sequence))
            .collect();
        let events = [
            "participant-join",
            "conference-start",
            "participant-mute",
            "participant-unmute",
            "participant-hold",
            "participant-unhold",
            "participant-modify",
            "announcement-end",
            "announcement-fail",
            "participant-leave",
            "conference-end",
        ];
        let expected: Vec<_> = events.into_iter().zip(0..).collect();
        assert_eq!(told, expected);
        let one = sid(1).to_string();
        for (row, name, value) in [
            (0, "FriendlyName", "room 1"),
            (0, "SequenceNumber", "0"),
            (0, "CallSid", one.as_str()),
            (0, "ParticipantLabel", "somebody"),
            (0, "StartConferenceOnEnter", "true"),
            (4, "Hold", "true"),
            (6, "Coaching", "true"),
            (7, "AnnounceUrl", "https://a/b.mp3"),
            (8, "ReasonAnnouncementFailed", "no such file"),
            (9, "ReasonParticipantLeft", "participant_updated_via_api"),
            (9, "ParticipantCallStatus", "in-progress"),
            (10, "ReasonConferenceEnded", "last-participant-kicked"),
            (10, "CallSidEndingConference", one.as_str()),
            (10, "ParticipantLabelEndingConference", "somebody"),
            (10, "Timestamp", "Tue, 31 Aug 2010 20:36:28 +0000"),
        ] {
            assert_eq!(rows[row].parameter(name), Some(value), "{row} {name}");
        }
        assert_eq!(rows[1].parameter("CallSid"), None);
    });
}

#[test]
fn only_what_was_asked_for_is_told_and_one_who_is_called_is_there_before_the_answer() {
    use ConferenceTurn::{Expected, Joined, Missed, Opened};
    on_each(|store| {
        let topics = [ConferenceTopic::Leave];
        note(store, 1, Opened(Some(told(&topics))), 1_000);
        note(store, 1, Expected(somebody(sid(1), false)), 1_000);
        note(store, 1, Expected(somebody(sid(2), false)), 1_500);
        let connected = |store: &dyn Store| {
            let page = store.participants(hotline(store), cf(1), Default::default(), None, 10);
            let rows = page.unwrap().rows.into_iter();
            rows.map(|row| (row.participant.call, row.is_connected))
                .collect::<Vec<_>>()
        };
        assert_eq!(connected(store), [(sid(2), false), (sid(1), false)]);
        note(store, 1, Joined(somebody(sid(1), false)), 2_000);
        note(store, 1, Missed(sid(2)), 2_000);
        assert_eq!(connected(store), [(sid(1), true)]);
        assert_eq!(outbox(store), []);
    });
}
