use std::net::Ipv4Addr;
use std::time::Duration;

use call::AccountSid;

use super::*;
use crate::config::Rtp;
use crate::media_plane::line;

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
    (AccountSid::from_bytes([1; 16]), name.to_owned())
}

/// A call that wants to join, and where it is told.
fn call(number: u8) -> (JoiningConference, mpsc::Receiver<Message>) {
    let (inbox, told) = mpsc::channel(64);
    let (_, line) = line();
    let joining = JoiningConference {
        call: CallSid::from_bytes([number; 16]),
        options: Box::default(),
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
    let plane = plane(46_600);
    let conferences = Conferences::new(1, 250);
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
        let leave = ConferenceInput::Leave(CallSid::from_bytes([number; 16]));
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
    let plane = plane(46_602);
    let conferences = Conferences::new(1, 250);
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
