//! Legs on lines.

use super::*;
use crate::media_plane::line::line;

/// A letter of each frame heard in the next rounds while the peer says `letters`.
fn talk(rig: &mut Rig, from: u32, letters: &str) -> String {
    let mut sound = String::new();
    for (timestamp, letter) in (from..).step_by(160).zip(letters.bytes()) {
        rig.hear(0, timestamp, &[letter; FRAME_SAMPLES]);
        sound.push_str(&rig.sound(1));
    }
    sound
}

#[test]
fn two_legs_on_a_line_hear_each_other_until_one_leaves() {
    let (mut alice, mut bob) = (Rig::new(false), Rig::new(false));
    let (ours, theirs) = line();
    assert!(alice.core.join(Some(Box::new(ours))).is_none());
    assert!(bob.core.join(Some(Box::new(theirs))).is_none());
    let (mut at_alice, mut at_bob) = (String::new(), String::new());
    for (timestamp, letter) in (0..).step_by(160).zip("abcdefghijkl".bytes()) {
        alice.hear(0, timestamp, &[letter; FRAME_SAMPLES]);
        at_alice.push_str(&alice.sound(1));
        bob.hear(0, timestamp, &[letter.to_ascii_uppercase(); FRAME_SAMPLES]);
        at_bob.push_str(&bob.sound(1));
    }
    // 60 ms of jitter buffer and 20 ms of slack; Alice ticks before what Bob says is there.
    assert!(at_bob.ends_with("efgh"), "{at_bob}");
    assert!(at_alice.ends_with("DEFG"), "{at_alice}");
    assert!(bob.core.join(None).is_some());
    assert_eq!(bob.sound(2), "..");
    assert!(alice.sound(8).ends_with(".."), "nobody is there any more");
}

#[test]
fn prompts_are_heard_instead_of_the_line_and_the_line_instead_of_the_echo() {
    let mut rig = Rig::new(false);
    let (ours, mut theirs) = line();
    rig.command(MediaCommand::Echo(true));
    rig.core.join(Some(Box::new(ours)));
    rig.play(1, &prompt("XY"), 1);
    let voice = [Law::Mu.decode(b'v'); FRAME_SAMPLES];
    let mut sound = String::new();
    for _ in 0..4 {
        theirs.say(Rate::Narrow, &voice);
        sound.push_str(&rig.sound(1));
    }
    assert_eq!(sound, "XYvv");
    assert_eq!(talk(&mut rig, 0, "abcd").len(), 4);
    rig.core.join(None);
    assert!(
        talk(&mut rig, 640, "efgh").contains('e'),
        "the echo is back"
    );
}

#[test]
fn a_leg_that_may_not_send_still_hears_and_is_up_to_date_when_it_may() {
    let mut rig = Rig::new(false);
    let (ours, mut theirs) = line();
    rig.core.join(Some(Box::new(ours)));
    rig.command(MediaCommand::Connect(MediaPath {
        direction: Direction::RecvOnly,
        ..path()
    }));
    let say = |theirs: &mut crate::media_plane::LineEnd, letter: u8| {
        theirs.say(Rate::Narrow, &[Law::Mu.decode(letter); FRAME_SAMPLES]);
    };
    for letter in *b"abcdefghijklmn" {
        say(&mut theirs, letter);
        assert_eq!(rig.sound(1), "-");
    }
    assert_eq!(theirs.take_dropped(), 0);
    rig.command(MediaCommand::Connect(path()));
    say(&mut theirs, b'o');
    assert_eq!(rig.sound(1), "n");
}
