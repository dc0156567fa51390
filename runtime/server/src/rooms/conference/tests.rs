use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use api::{RecordingChange, RecordingError};
use call::{ConferenceRecording, ParticipantChange};
use store::{
    AccountStore as _, ConferenceFilter, ConferenceStatus, MemoryStore, RecordingEnding,
    RecordingFilter, RecordingStatus, Scope, Store as _,
};

use super::*;
use crate::callbacks::Callbacks;
use crate::config::Rtp;
use crate::media_plane::line;
use crate::recorder::samples;

/// What a test waits for comes within milliseconds; a machine under load may take its time.
const PATIENCE: Duration = Duration::from_secs(20);

fn plane(port_min: u16) -> MediaPlane {
    let config = Rtp {
        bind: Ipv4Addr::LOCALHOST.into(),
        port_min,
        port_max: port_min + 1,
        ..Rtp::default()
    };
    MediaPlane::start(&config, &[]).unwrap()
}

fn key(name: &str) -> Key {
    (samples::ACCOUNT, name.to_owned())
}

/// No conference, and where is written what happens.
fn conferences(rooms: usize) -> (Conferences, Arc<MemoryStore>) {
    let folder = tempfile::tempdir().unwrap();
    conferences_in(folder.path(), rooms)
}

/// With recordings below this folder.
fn conferences_in(folder: &Path, rooms: usize) -> (Conferences, Arc<MemoryStore>) {
    let store = Arc::new(samples::store());
    let notary = Notary {
        store: Arc::clone(&store) as Arc<dyn store::Store>,
        callbacks: Arc::new(Callbacks::new()),
    };
    let studio = Studio::start(
        folder,
        &crate::config::Recording::default(),
        "https://voice.example".to_owned(),
        Arc::clone(&notary.store),
        Arc::clone(&notary.callbacks),
        tokio::runtime::Handle::current(),
    );
    let studio = Arc::new(studio.unwrap());
    (Conferences::new(rooms, 250, notary, studio), store)
}

/// A call that wants to join, and where it is told.
fn call(number: u8) -> (JoiningConference, mpsc::Receiver<Message>) {
    let (inbox, told) = mpsc::channel(64);
    let (_, line) = line();
    let joining = JoiningConference {
        call: CallSid::from_bytes([number; 16]),
        options: Box::default(),
        terms: Box::default(),
        inbox,
        line,
        rate: Rate::Narrow,
    };
    (joining, told)
}

async fn news(told: &mut mpsc::Receiver<Message>) -> ConferenceEvent {
    let message = tokio::time::timeout(PATIENCE, told.recv()).await;
    match message.expect("in time").expect("the conference is there") {
        Message::Conference(event) => event,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_is_there_from_the_first_one_to_the_last() {
    let plane = plane(12_600);
    let (conferences, _) = conferences(1);
    let (first, mut told) = call(1);
    let room = conferences.join(&plane, &key("a"), first).unwrap();
    assert!(matches!(news(&mut told).await, ConferenceEvent::Joined(_)));

    let (second, mut second_told) = call(2);
    conferences.join(&plane, &key("a"), second).unwrap();
    let ConferenceEvent::Joined(place) = news(&mut second_told).await else {
        panic!("the first is there");
    };
    assert_eq!(place.participants, 2);
    assert_eq!(news(&mut told).await, ConferenceEvent::Began);
    let (other, _other_told) = call(3);
    let refused = conferences.join(&plane, &key("b"), other).unwrap_err();
    assert!(refused.contains("limits.max_rooms"), "{refused}");

    for number in [1, 2] {
        let leave = ConferenceInput::Leave {
            call: CallSid::from_bytes([number; 16]),
            hung_up: true,
        };
        send(&room, ConferenceMessage::Input(leave));
    }
    let left = ConferenceEvent::Left(ConferenceEnd::Left);
    assert_eq!(news(&mut told).await, left);
    tokio::time::timeout(PATIENCE, room.closed())
        .await
        .expect("it is over with the last one");
    let (again, mut told) = call(4);
    conferences.join(&plane, &key("b"), again).unwrap();
    assert!(matches!(news(&mut told).await, ConferenceEvent::Joined(_)));
}

#[tokio::test]
async fn two_hundred_and_fifty_join_and_the_next_one_is_turned_away() {
    let plane = plane(12_602);
    let (conferences, _) = conferences(1);
    let mut told = Vec::new();
    for number in 0..=250 {
        let (joining, call_told) = call(number);
        conferences.join(&plane, &key("a"), joining).unwrap();
        told.push(call_told);
        tokio::task::yield_now().await;
    }
    let mut last_told = told.pop().expect("there are 251");
    let last = news(&mut last_told).await;
    let ConferenceEvent::Left(ConferenceEnd::Refused(why)) = last else {
        panic!("{last:?}");
    };
    assert!(why.contains("250"), "{why}");
    for call_told in &mut told {
        assert!(matches!(news(call_told).await, ConferenceEvent::Joined(_)));
    }
}

#[tokio::test]
async fn what_happens_is_kept_and_the_apis_orders_are_carried_out() {
    let plane = plane(12_604);
    let (conferences, store) = conferences(1);
    let (first, mut told) = call(1);
    let (account, _) = key("a");
    let (scope, one) = (Scope::of_host(account), first.call);
    let room = conferences.join(&plane, &key("a"), first).unwrap();
    let ConferenceEvent::Joined(place) = news(&mut told).await else {
        panic!("it is the first");
    };
    let mute = ParticipantChange {
        muted: Some(true),
        ..ParticipantChange::default()
    };
    let other_account = AccountSid::from_bytes([2; 16]);
    for (account, sid, call, expected) in [
        (other_account, place.sid, one, false),
        (account, ConferenceSid::from_bytes([7; 16]), one, false),
        (account, place.sid, CallSid::from_bytes([9; 16]), false),
        (account, place.sid, one, true),
    ] {
        let order = ConferenceInput::Change(call, mute.clone());
        assert_eq!(conferences.order(account, sid, order).await, expected);
    }
    assert_eq!(news(&mut told).await, ConferenceEvent::Muted(true));
    let page = store
        .participants(scope, place.sid, Default::default(), None, 10)
        .unwrap();
    assert_eq!(page.rows.len(), 1);
    assert!(page.rows[0].participant.muted);

    assert!(
        conferences
            .order(account, place.sid, ConferenceInput::Kick(one))
            .await
    );
    let removed = ConferenceEvent::Left(ConferenceEnd::Removed);
    assert_eq!(news(&mut told).await, removed);
    tokio::time::timeout(PATIENCE, room.closed())
        .await
        .expect("it is over with the last one");
    assert!(
        !conferences
            .order(account, place.sid, ConferenceInput::End)
            .await
    );
    let kept = store
        .conferences(scope, &ConferenceFilter::default(), None, 10)
        .unwrap();
    assert_eq!(kept.rows.len(), 1);
    assert_eq!(kept.rows[0].name, "a");
    assert_eq!(kept.rows[0].status, ConferenceStatus::Completed);
}

/// Two in a conference that is recorded, of whom the first ends it: its room, its SID, that of the recording, and what the first is told.
async fn recorded(
    conferences: &Conferences,
    plane: &MediaPlane,
    store: &MemoryStore,
) -> (
    mpsc::Sender<ConferenceMessage>,
    ConferenceSid,
    RecordingSid,
    mpsc::Receiver<Message>,
) {
    let (mut first, mut told) = call(1);
    first.options.end_on_exit = true;
    first.terms.recording = Some(ConferenceRecording {
        trim_silence: false,
        callback: None,
    });
    let room = conferences.join(plane, &key("a"), first).unwrap();
    let ConferenceEvent::Joined(place) = news(&mut told).await else {
        panic!("it is the first");
    };
    let (second, _) = call(2);
    conferences.join(plane, &key("a"), second).unwrap();
    assert_eq!(news(&mut told).await, ConferenceEvent::Began);
    // It is recorded by now, and its row is written before what is ordered is answered.
    let (account, _) = key("a");
    let resume = RecordingChange::Resume;
    let current = conferences.change_recording(account, place.sid, None, resume);
    let sid = current.await.expect("it goes on");
    let all = RecordingFilter::default();
    let page = store.recordings(Scope::of_host(account), &all, None, 10);
    assert_eq!(page.unwrap().rows[0].sid, sid);
    (room, place.sid, sid, told)
}

#[tokio::test]
async fn a_recording_that_ended_by_itself_is_the_current_one_no_more() {
    let plane = plane(12_606);
    let folder = tempfile::tempdir().unwrap();
    let (conferences, store) = conferences_in(folder.path(), 1);
    let (room, conference, sid, _told) = recorded(&conferences, &plane, &store).await;
    let ending = RecordingEnding {
        status: RecordingStatus::Completed,
        duration_ms: 1_000,
        file_bytes: 16_044,
    };
    store.finish_recording(sid, ending, 1).await.unwrap();
    let (account, _) = key("a");
    for wanted in [None, Some(sid)] {
        let stop = RecordingChange::Stop;
        let changed = conferences.change_recording(account, conference, wanted, stop);
        assert_eq!(changed.await, Err(RecordingError::Unknown));
    }
    // The studio waits for its tape, which goes with the conference.
    let end = ConferenceInput::End;
    assert!(conferences.order(account, conference, end).await);
    tokio::time::timeout(PATIENCE, room.closed())
        .await
        .expect("it is over");
}

/// Somebody who is still expected keeps the room, though the conference is over for those who were in it.
#[tokio::test]
async fn a_conference_that_has_ended_is_recorded_no_more() {
    let plane = plane(12_608);
    let folder = tempfile::tempdir().unwrap();
    let (conferences, store) = conferences_in(folder.path(), 1);
    let (_, conference, sid, mut told) = recorded(&conferences, &plane, &store).await;
    let expected = Participant {
        call: CallSid::from_bytes([3; 16]),
        label: None,
        muted: false,
        held: false,
        coaches: None,
        start_on_enter: true,
        end_on_exit: false,
    };
    let terms = ConferenceTerms::default();
    let key = key("a");
    let same = conferences.expect(&plane, &key, expected, None, terms);
    assert_eq!(same.await, Ok(conference));
    let (account, _) = key;
    let first = CallSid::from_bytes([1; 16]);
    let kick = ConferenceInput::Kick(first);
    assert!(conferences.order(account, conference, kick).await);
    let removed = ConferenceEvent::Left(ConferenceEnd::Removed);
    assert_eq!(news(&mut told).await, removed);
    for wanted in [None, Some(sid)] {
        let resume = RecordingChange::Resume;
        let changed = conferences.change_recording(account, conference, wanted, resume);
        assert_eq!(changed.await, Err(RecordingError::Unknown));
    }
    let kept = store.recording(Scope::of_host(account), sid).unwrap();
    assert!(kept.is_some(), "it is fetched from then on");
}
