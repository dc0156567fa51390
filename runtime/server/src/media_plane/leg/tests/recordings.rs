//! Legs that are recorded.

use call::{PauseBehavior, RecordingEnd, RecordingId, RecordingOptions, RecordingOrder};
use media::RecordingChannels;

use super::*;
use crate::media_plane::line::line;
use crate::media_plane::tape::tests::tape;
use crate::recorder::{Block, Reel};

fn of_call() -> RecordingOptions {
    RecordingOptions::of_call(RecordingChannels::Dual)
}

fn of_message() -> RecordingOptions {
    RecordingOptions {
        beep: false,
        ..RecordingOptions::of_verb()
    }
}

/// A leg that is recorded, and what comes of it.
fn recorded(options: RecordingOptions) -> (Rig, Arc<Reel>) {
    let mut rig = Rig::new(false);
    let (tape, reel) = tape(options, Codec::Pcmu);
    assert!(rig.core.record(Box::new(tape)).is_none());
    (rig, reel)
}

/// A letter for each frame of both channels: what the caller said, and what was said to them.
fn letters(reel: &Reel) -> [String; 2] {
    let mut sounds = [String::new(), String::new()];
    let mut at = 0;
    while let Some(block) = reel.pop() {
        let Block::Samples(samples) = block else {
            panic!("silence of its own: {block:?}");
        };
        // Two blocks make a frame of two channels; the middle of the first is past any fade.
        at += 1;
        if at % 2 == 1 {
            for (sound, sample) in sounds.iter_mut().zip(&samples[80..82]) {
                let code = Law::Mu.encode(*sample);
                sound.push(if code == 0xff { '.' } else { char::from(code) });
            }
        }
    }
    sounds
}

/// The next rounds while the peer says `letters`.
fn talk(rig: &mut Rig, from: usize, letters: &str) {
    for (at, letter) in (from..).zip(letters.bytes()) {
        rig.hear(0, at as u32 * 160, &[letter; FRAME_SAMPLES]);
        rig.tick();
    }
}

#[test]
fn what_is_heard_and_what_is_said_are_recorded() {
    let (mut rig, reel) = recorded(of_call());
    rig.play(1, &prompt("XYZ"), 1);
    talk(&mut rig, 0, "abcdefghij");
    let [heard, said] = letters(&reel);
    assert!(heard.contains("abcdef"), "{heard}");
    assert_eq!(said, ".XYZ......");
}

#[test]
fn a_leg_on_hold_is_recorded_too() {
    let (mut rig, reel) = recorded(of_call());
    rig.command(MediaCommand::Connect(MediaPath {
        direction: Direction::RecvOnly,
        ..path()
    }));
    talk(&mut rig, 0, "abcdefghij");
    let [heard, said] = letters(&reel);
    assert!(heard.contains("abcdef"), "{heard}");
    assert_eq!(said, "..........");
}

#[test]
fn a_beep_is_heard_before_a_prompt_and_not_recorded() {
    let (mut rig, reel) = recorded(RecordingOptions {
        beep: true,
        ..of_call()
    });
    rig.play(1, &prompt("XY"), 1);
    // Frames of the beep begin at zero, which is 0xff, and are not silent.
    let expected = "\u{ff}".repeat(25) + "XY.";
    assert_eq!(rig.sound(28), expected);
    assert_eq!(letters(&reel)[1], "XY");
}

#[test]
fn a_key_that_ends_a_recording_is_no_digit() {
    let (mut rig, reel) = recorded(of_message());
    rig.command(MediaCommand::Signalled('A'));
    assert_eq!(rig.events(), [MediaEvent::Digit('A')], "it ends none");
    rig.command(MediaCommand::Signalled('1'));
    rig.command(MediaCommand::Signalled('2'));
    assert_eq!(rig.events(), [MediaEvent::Digit('2')]);
    assert!(reel.take_end().is_none(), "it ends where it is dropped");
    drop(rig.core.poll_tape().expect("it is over"));
    let end = reel.take_end().unwrap().recorded.end;
    assert_eq!(end, RecordingEnd::Key('1'));
}

#[test]
fn orders_reach_the_recording_that_is_meant() {
    let (mut rig, reel) = recorded(of_call()); // the first
    for order in [
        RecordingOrder::Stop(RecordingId(2), RecordingEnd::Stopped),
        RecordingOrder::Pause(RecordingId(1), PauseBehavior::Skip),
    ] {
        rig.command(MediaCommand::Recording(order));
    }
    talk(&mut rig, 0, "abc");
    assert_eq!(letters(&reel), ["", ""]);
    let orders = [
        RecordingOrder::Resume(RecordingId(1)),
        RecordingOrder::Stop(RecordingId(1), RecordingEnd::Stopped),
    ];
    rig.command(MediaCommand::Recording(orders[0]));
    talk(&mut rig, 3, "def");
    assert_eq!(letters(&reel)[0].len(), 3);
    rig.command(MediaCommand::Recording(orders[1]));
    assert!(rig.core.poll_tape().is_some());
    assert!(rig.core.poll_tape().is_none());
}

#[test]
fn a_leg_has_four_at_most() {
    let (mut rig, _reel) = recorded(of_call());
    for _ in 1..MAX_TAPES {
        assert!(
            rig.core
                .record(Box::new(tape(of_call(), Codec::Pcmu).0))
                .is_none()
        );
    }
    let one_more = Box::new(tape(of_call(), Codec::Pcmu).0);
    assert!(rig.core.record(one_more).is_some());
}

/// Two legs that speak the same codec are joined; the second one is recorded for a while.
#[test]
fn what_comes_through_a_bridge_is_recorded() {
    let (mut alice, mut bob) = (Rig::new(false), Rig::new(false));
    let (ours, theirs) = line();
    alice.core.join(Some(Box::new(ours)));
    bob.core.join(Some(Box::new(theirs)));
    let mut datagram = [0; MAX_DATAGRAM_BYTES];
    let mut timestamp = 0;
    let mut relayed_of = |bob: &mut Rig, letters: &str| {
        for letter in letters.bytes() {
            alice.hear(0, timestamp, &[letter; FRAME_SAMPLES]);
            bob.hear(0, timestamp, &[letter + 1; FRAME_SAMPLES]);
            timestamp += 160;
            for rig in [&mut alice, &mut *bob] {
                rig.tick();
                while rig.core.relay(&mut datagram).is_some() {}
            }
        }
        bob.core.take_bridged().0
    };
    assert!(relayed_of(&mut bob, "aa") > 0, "packets go on as they came");
    let (tape, reel) = tape(of_call(), Codec::Pcmu);
    bob.core.record(Box::new(tape));
    relayed_of(&mut bob, "a");
    assert_eq!(relayed_of(&mut bob, &"a".repeat(30)), 0, "decoded");
    let [heard, said] = letters(&reel);
    assert!(heard.contains(&"b".repeat(20)), "{heard}");
    assert!(said.contains(&"a".repeat(20)), "{said}");
    let stop = RecordingOrder::Stop(RecordingId(1), RecordingEnd::Stopped);
    bob.command(MediaCommand::Recording(stop));
    assert!(bob.core.poll_tape().is_some());
    relayed_of(&mut bob, "a");
    assert_eq!(relayed_of(&mut bob, "aaaa"), 4, "packets again");
}
