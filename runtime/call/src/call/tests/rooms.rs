//! Conferences and queues: what the call may ask when, and what it hears until the others are there.

use super::*;
use crate::{
    ConferenceCommand, ConferenceEnd, ConferenceEvent, ConferenceOptions, ConferencePlace,
    ConferenceSid, QueueCommand, QueueEvent, QueueExit, QueueOutcome, QueuePlace, QueueSid,
    WaitSound,
};

/// The first sound of a call, and so on.
const SOUND: u32 = (1 << 31) + 1;

fn join(options: ConferenceOptions) -> Input {
    command(Command::Conference(ConferenceCommand::Join {
        name: "room".to_owned(),
        options: Box::new(options),
    }))
}

fn hold(sound: Option<WaitSound>) -> Input {
    command(Command::Conference(ConferenceCommand::Hold(sound)))
}

fn leave() -> Input {
    command(Command::Conference(ConferenceCommand::Leave))
}

fn joined() -> Input {
    Input::Conference(ConferenceEvent::Joined(ConferencePlace {
        sid: ConferenceSid::from_bytes([0; 16]),
        participants: 1,
    }))
}

fn began() -> Input {
    Input::Conference(ConferenceEvent::Began)
}

fn left(end: ConferenceEnd) -> Input {
    Input::Conference(ConferenceEvent::Left(end))
}

fn wait(sound: WaitSound, max_size: Option<u32>) -> Input {
    let name = "support".to_owned();
    command(Command::Queue(QueueCommand::Wait {
        name,
        sound,
        max_size,
    }))
}

fn fetched(id: u32) -> Input {
    Input::Fetched(PlaybackId(id), Ok(prompt()))
}

fn ended(id: u32, stopped: bool) -> Input {
    let id = PlaybackId(id);
    Input::Media(MediaEvent::PlaybackEnded { id, stopped })
}

fn jingle() -> WaitSound {
    WaitSound::Prompt(MediaSource::File("jingle.wav".to_owned()))
}

/// A call in a conference that has not begun, with its sound on the leg.
fn waiting() -> Run {
    let mut run = Run::up();
    run.feed(join(ConferenceOptions::default()));
    run.feed(joined());
    run.feed(fetched(SOUND));
    run
}

#[test]
fn music_is_heard_until_the_conference_begins() {
    let mut run = Run::up();
    assert_eq!(
        run.feed(join(ConferenceOptions::default())),
        ["conference Join", "Done"]
    );
    let [fetch, tell] = run.feed(joined()).try_into().unwrap();
    assert_eq!(fetch, format!("fetch {SOUND} music"));
    assert!(tell.starts_with("tell Conference(Joined("), "{tell}");
    assert_eq!(run.feed(fetched(SOUND)), ["media Play"]);
    let again = format!("fetch {} music", SOUND + 1);
    assert_eq!(run.feed(ended(SOUND, false)), [again], "over and over");
    assert_eq!(run.feed(fetched(SOUND + 1)), ["media Play"]);
    assert_eq!(run.feed(began()), ["media Stop", "tell Conference(Began)"]);
    assert_eq!(run.feed(ended(SOUND + 1, true)), [""; 0]);
    assert_eq!(run.feed(leave()), ["conference Leave", "Done"]);
    assert_eq!(
        run.feed(left(ConferenceEnd::Left)),
        ["tell Conference(Left(Left))"]
    );
    assert_eq!(run.feed(leave()), ["refused: InvalidArgument"]);
    assert_eq!(run.feed(began()), [""; 0], "it is not in it any more");
}

#[test]
fn a_conference_that_is_under_way_is_joined_without_music() {
    let mut run = Run::up();
    run.feed(join(ConferenceOptions::default()));
    run.feed(joined());
    run.feed(began());
    assert_eq!(run.feed(fetched(SOUND)), [""; 0]);
}

#[test]
fn what_the_story_plays_goes_before_the_sound() {
    let mut run = waiting();
    assert_eq!(
        run.feed(play("news.wav")),
        ["media Stop", "fetch 1", "Playback(PlaybackId(1))"]
    );
    assert_eq!(run.feed(ended(SOUND, true)), [""; 0]);
    assert_eq!(run.feed(fetched(1)), ["media Play"]);
    let [tell, fetch] = run.feed(ended(1, false)).try_into().unwrap();
    assert_eq!(tell, "tell PlaybackEnded(PlaybackId(1), Finished)");
    assert_eq!(fetch, format!("fetch {} music", SOUND + 1));
}

#[test]
fn a_sound_that_cannot_be_had_is_replaced_by_music_and_music_by_nothing() {
    let failed = |id| Input::Fetched(PlaybackId(id), Err("gone".to_owned()));
    let empty = |id| Input::Fetched(PlaybackId(id), Ok(Arc::new(Prompt::from_pcm(&[]))));
    for fails in [failed as fn(u32) -> Input, empty] {
        let mut run = Run::up();
        let options = ConferenceOptions {
            wait_sound: jingle(),
            ..ConferenceOptions::default()
        };
        run.feed(join(options));
        assert_eq!(run.feed(joined())[0], format!("fetch {SOUND}"));
        let music = format!("fetch {} music", SOUND + 1);
        assert_eq!(run.feed(fails(SOUND)), [music]);
        assert_eq!(run.feed(fails(SOUND + 1)), [""; 0]);
    }
}

#[test]
fn a_call_on_hold_hears_the_sound_of_the_hold() {
    let mut run = waiting();
    run.feed(began());
    run.feed(ended(SOUND, true));
    assert_eq!(
        run.feed(hold(Some(jingle()))),
        [
            format!("fetch {}", SOUND + 1).as_str(),
            "conference Hold",
            "Done"
        ]
    );
    run.feed(fetched(SOUND + 1));
    assert_eq!(
        run.feed(hold(None)),
        ["media Stop", "conference Hold", "Done"]
    );
    run.feed(ended(SOUND + 1, true));
    assert_eq!(
        run.feed(hold(Some(WaitSound::Silence))),
        ["conference Hold", "Done"]
    );
}

#[test]
fn a_hold_outlasts_the_beginning() {
    let mut run = waiting();
    run.feed(hold(Some(jingle())));
    run.feed(ended(SOUND, true));
    run.feed(fetched(SOUND + 1));
    assert_eq!(run.feed(began()), ["tell Conference(Began)"]);
    assert_eq!(
        run.feed(hold(None)),
        ["media Stop", "conference Hold", "Done"]
    );
}

#[test]
fn one_place_at_a_time() {
    let mut run = Run::up();
    let refused = ["refused: InvalidArgument"];
    assert_eq!(run.feed(leave()), refused);
    assert_eq!(run.feed(hold(None)), refused);
    assert_eq!(
        run.feed(command(Command::Queue(QueueCommand::Leave))),
        refused
    );
    run.feed(join(ConferenceOptions::default()));
    assert_eq!(run.feed(join(ConferenceOptions::default())), refused);
    assert_eq!(run.feed(wait(WaitSound::Music, None)), refused);
    assert_eq!(
        run.feed(left(ConferenceEnd::Refused("full".to_owned()))),
        ["tell Conference(Left(Refused(\"full\")))"]
    );
    assert_eq!(
        run.feed(wait(WaitSound::Music, None)),
        ["queue Wait", "Done"]
    );
    assert_eq!(run.feed(join(ConferenceOptions::default())), refused);
}

#[test]
fn what_is_out_of_range_is_refused() {
    let named = |name: String| {
        command(Command::Conference(ConferenceCommand::Join {
            name,
            options: Box::default(),
        }))
    };
    let serve = |name: String| command(Command::Queue(QueueCommand::Serve { name }));
    let most = |max_participants| {
        join(ConferenceOptions {
            max_participants,
            ..ConferenceOptions::default()
        })
    };
    let label = |label: String| {
        join(ConferenceOptions {
            label: Some(label),
            ..ConferenceOptions::default()
        })
    };
    for bad in [
        named(String::new()),
        named("é".repeat(129)),
        most(Some(1)),
        most(Some(251)),
        label("x".repeat(129)),
        serve(String::new()),
        serve("x".repeat(65)),
        wait(WaitSound::Music, Some(0)),
        wait(WaitSound::Music, Some(5_001)),
    ] {
        let name = format!("{bad:?}");
        assert_eq!(Run::up().feed(bad), ["refused: InvalidArgument"], "{name}");
    }
    for good in [
        named("é".repeat(128)),
        most(Some(250)),
        serve("é".repeat(64)),
        wait(WaitSound::Music, Some(5_000)),
    ] {
        assert_eq!(Run::up().feed(good).last().unwrap(), "Done");
    }
    let (mut ringing, _) = Run::inbound(Some(OFFER));
    assert_eq!(
        ringing.feed(join(ConferenceOptions::default())),
        ["refused: NotAnswered"]
    );
}

#[test]
fn a_queue_is_waited_at_with_music_too() {
    let sid = QueueSid::from_bytes([0; 16]);
    let place = QueueEvent::Waiting(QueuePlace {
        sid,
        position: 2,
        size: 2,
        average_wait_s: 0,
    });
    let mut run = Run::up();
    run.feed(wait(jingle(), None));
    assert_eq!(run.feed(Input::Queue(place))[0], format!("fetch {SOUND}"));
    run.feed(fetched(SOUND));
    assert_eq!(run.feed(Input::Queue(place)).len(), 1, "it plays already");
    let bridge = QueueEvent::Bridged(crate::QueueBridge {
        sid,
        call: crate::CallSid::from_bytes([1; 16]),
        waited_s: 3,
    });
    assert_eq!(run.feed(Input::Queue(bridge))[0], "media Stop");
    run.feed(ended(SOUND, true));
    let exit = QueueEvent::Left(QueueExit {
        sid,
        outcome: QueueOutcome::Bridged,
        waited_s: 3,
    });
    assert_eq!(run.feed(Input::Queue(exit)).len(), 1);
    assert_eq!(
        run.feed(wait(WaitSound::Silence, None)),
        ["queue Wait", "Done"],
        "it may wait again"
    );
}

#[test]
fn who_hangs_up_leaves() {
    let mut run = waiting();
    let effects = run.feed(Input::Sip(sip::Event::Bye { cause: None }));
    assert_eq!(
        effects,
        [
            "conference Leave",
            "media Stop",
            "tell HungUp(Remote)",
            "completed"
        ]
    );
    assert_eq!(run.feed(left(ConferenceEnd::Left)), [""; 0]);
}

#[test]
fn a_story_that_breaks_leaves() {
    let mut run = waiting();
    run.feed(began());
    let effects = run.feed(broke());
    assert_eq!(effects[0], "conference Leave", "{effects:?}");
}

#[test]
fn an_announcement_is_heard_and_its_end_is_the_conferences_to_know() {
    let mut run = waiting();
    run.feed(began());
    run.feed(ended(SOUND, true));
    let announce = || Input::Announce(MediaSource::File("news.wav".to_owned()));
    let effects = run.feed(announce());
    assert_eq!(effects, ["fetch 1"]);
    assert_eq!(run.feed(fetched(1)), ["media Play"]);
    assert_eq!(run.feed(ended(1, false)), ["conference Announced"]);

    run.feed(announce());
    let broken = Input::Fetched(PlaybackId(2), Err("no such file".to_owned()));
    assert_eq!(run.feed(broken), ["conference Announced"]);

    run.feed(announce());
    run.feed(fetched(3));
    let effects = run.feed(left(ConferenceEnd::Removed));
    assert_eq!(effects[0], "media Stop", "{effects:?}");
    let effects = run.feed(ended(3, true));
    assert!(
        effects.iter().all(|effect| !effect.starts_with("tell")),
        "{effects:?}"
    );
    assert_eq!(run.feed(announce()), [""; 0], "it is in none any more");
}

#[test]
fn a_hold_by_order_of_the_api_is_heard_and_told() {
    let mut run = waiting();
    run.feed(began());
    run.feed(ended(SOUND, true));
    let held = |sound| Input::Conference(ConferenceEvent::Held(sound));
    let sound = crate::OrderedSound::Sound(jingle());
    let effects = run.feed(held(Some(sound)));
    assert!(effects[0].starts_with("fetch "), "{effects:?}");
    assert!(
        effects[1].starts_with("tell Conference(Held"),
        "{effects:?}"
    );
    run.feed(fetched(SOUND + 1));
    assert_eq!(
        run.feed(held(None)),
        ["media Stop", "tell Conference(Held(None))"]
    );
}
