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

/// Two legs on a line.
struct Bridge {
    alice: Rig,
    bob: Rig,
    /// Of what Alice says.
    timestamp: u32,
}

impl Bridge {
    fn new(bobs: MediaPath) -> Self {
        let (mut alice, mut bob) = (Rig::new(false), Rig::new(false));
        bob.command(MediaCommand::Connect(bobs));
        let (ours, theirs) = line();
        assert!(alice.core.join(Some(Box::new(ours))).is_none());
        assert!(bob.core.join(Some(Box::new(theirs))).is_none());
        let mut bridge = Self {
            alice,
            bob,
            timestamp: 0,
        };
        bridge.tick();
        bridge
    }

    /// A round of both: what Bob's peer hears.
    fn tick(&mut self) -> Vec<Sent> {
        self.alice.round_of_all();
        self.bob.round_of_all()
    }

    /// Alice's peer says a letter, and both have their round.
    fn say(&mut self, letter: u8) -> Vec<Sent> {
        self.alice.hear(0, self.timestamp, &[letter; FRAME_SAMPLES]);
        self.timestamp += 160;
        self.tick()
    }

    /// Alice's peer presses a key: seven packets, the last three say that it ends.
    fn press(&mut self, event: u8) -> Vec<Sent> {
        let mut heard = Vec::new();
        for packet in 1..=7_u16 {
            let length = (packet.min(5) * 160).to_be_bytes();
            let end = if packet > 4 { 0x80 } else { 0 };
            let payload = [event, end | 10, length[0], length[1]];
            self.alice.hear(101, self.timestamp, &payload);
            heard.extend(self.tick());
        }
        self.timestamp += 7 * 160;
        heard
    }

    /// Alice's peer says 40 ms at once.
    fn hear_long(&mut self, letter: u8) {
        let mut datagram = vec![0x80, 0];
        datagram.extend(self.alice.sequence.to_be_bytes());
        datagram.extend(self.timestamp.to_be_bytes());
        datagram.extend(PEER_SSRC.to_be_bytes());
        datagram.extend([letter; 320]);
        self.alice.sequence += 1;
        self.timestamp += 320;
        assert_eq!(self.alice.receive(peer(), datagram), Received::Taken);
    }

    fn bridged(&mut self) -> (u64, u64) {
        self.bob.core.take_bridged()
    }
}

impl Rig {
    /// All that is sent in a round.
    pub(super) fn round_of_all(&mut self) -> Vec<Sent> {
        let mut sent: Vec<Sent> = self.tick().into_iter().collect();
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        while let Some((length, remote)) = self.core.relay(&mut datagram) {
            assert_eq!(remote, self.sends_to);
            let packet = rtp::parse(&datagram[..length]).unwrap();
            assert_eq!(packet.ssrc, 7);
            sent.push(Sent {
                payload_type: packet.payload_type,
                marker: packet.marker,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                payload: packet.payload.to_vec(),
            });
        }
        sent
    }
}

fn pcma() -> MediaPath {
    MediaPath {
        codec: sdp::Codec::Pcma,
        send_payload_type: 8,
        receive_payload_type: 8,
        ..path()
    }
}

#[test]
fn packets_go_on_as_they_came_where_both_speak_the_same() {
    let mut bridge = Bridge::new(MediaPath {
        send_payload_type: 77,
        ..path()
    });
    let first = bridge.say(b'a').remove(0);
    assert_eq!((first.payload_type, first.payload), (77, vec![b'a'; 160]));
    let second = bridge.say(b'b').remove(0);
    assert_eq!(second.sequence, first.sequence + 1);
    assert_eq!(second.timestamp, first.timestamp + 160);
    // One is lost on the way to us, the next one comes late with its neighbour.
    bridge.alice.sequence += 1;
    bridge.timestamp += 160;
    assert!(bridge.tick().is_empty(), "a gap is a gap");
    bridge.alice.hear(0, bridge.timestamp, &[b'd'; 160]);
    bridge.timestamp += 160;
    let late: Vec<_> = bridge
        .say(b'e')
        .iter()
        .map(|sent| (sent.payload[0], sent.sequence, sent.timestamp))
        .collect();
    let (sequence, timestamp) = (first.sequence, first.timestamp);
    assert_eq!(
        late,
        [
            (b'd', sequence + 3, timestamp + 480),
            (b'e', sequence + 4, timestamp + 640)
        ]
    );
    assert_eq!(bridge.bridged(), (4, 0));
}

#[test]
fn what_the_other_does_not_speak_is_coded_anew() {
    let mut bridge = Bridge::new(pcma());
    let mut heard = Vec::new();
    for letter in *b"abcdefghijkl" {
        let sent = bridge.say(letter);
        assert_eq!((sent.len(), sent[0].payload_type), (1, 8));
        heard.push(sent[0].payload[0]);
    }
    let expected = b"efgh".map(|letter| Law::A.encode(Law::Mu.decode(letter)));
    // 60 ms of jitter buffer, and 20 ms of slack.
    assert_eq!(heard[8..], expected);
    let (relayed, transcoded) = bridge.bridged();
    assert!(relayed == 0 && transcoded >= 8, "{relayed} {transcoded}");
}

#[test]
fn the_way_changes_with_the_codec_and_with_packets_that_are_too_long() {
    let mut bridge = Bridge::new(path());
    bridge.say(b'a');
    assert_eq!(bridge.bridged(), (1, 0));
    bridge.bob.command(MediaCommand::Connect(pcma()));
    for _ in 0..10 {
        bridge.say(b'b');
    }
    let (relayed, transcoded) = bridge.bridged();
    assert!(relayed == 0 && transcoded > 0, "{relayed} {transcoded}");
    bridge.bob.command(MediaCommand::Connect(path()));
    bridge.tick();
    bridge.bridged();
    bridge.say(b'c');
    assert_eq!(bridge.bridged().0, 1, "packets again");
    for _ in 0..10 {
        bridge.hear_long(b'd');
        bridge.tick();
        bridge.tick();
    }
    let (relayed, transcoded) = bridge.bridged();
    assert!(relayed == 0 && transcoded > 10, "{relayed} {transcoded}");
}

#[test]
fn keys_are_passed_on_as_the_other_takes_them_and_told_to_the_story() {
    // The same codec and events: packets with the peer's number.
    let mut bridge = Bridge::new(path());
    bridge.say(b'a');
    let sent = bridge.press(5);
    assert!(sent.iter().all(|sent| sent.payload_type == 96));
    assert_eq!(sent.len(), 7);
    assert!(
        sent.iter()
            .all(|packet| packet.timestamp == sent[0].timestamp)
    );
    assert_eq!(bridge.alice.events(), [MediaEvent::Digit('5')]);
    assert_eq!(bridge.bob.events(), []);

    // Another codec: an event of its own.
    let mut bridge = Bridge::new(pcma());
    let mut sent = bridge.press(5);
    sent.extend((0..10).flat_map(|_| bridge.tick()));
    let events = sent.iter().filter(|sent| sent.payload_type == 96);
    assert!(events.clone().count() >= 5 && events.clone().all(|sent| sent.payload[0] == 5));

    // The same codec and no events there: a tone among the packets.
    let mut bridge = Bridge::new(MediaPath {
        telephone_event: None,
        ..path()
    });
    bridge.say(b'a');
    let mut sent = bridge.press(5);
    sent.extend((0..10).flat_map(|_| bridge.tick()));
    let is_loud = |sent: &&Sent| {
        sent.payload
            .iter()
            .any(|code| Law::Mu.decode(*code) > 3_000)
    };
    assert!(sent.iter().filter(is_loud).count() >= 4);
    // And one that signalling told of.
    let mut bridge = Bridge::new(path());
    bridge.alice.command(MediaCommand::Signalled('7'));
    let sent: Vec<Sent> = (0..3).flat_map(|_| bridge.tick()).collect();
    assert!(
        sent.iter()
            .any(|sent| sent.payload_type == 96 && sent.payload[0] == 7)
    );
}

#[test]
fn a_prompt_comes_between_the_packets_and_the_numbers_go_on() {
    let mut bridge = Bridge::new(path());
    let before = bridge.say(b'a').remove(0);
    bridge.bob.play(1, &prompt("XY"), 1);
    let mut sent: Vec<Sent> = Vec::new();
    for letter in *b"bcde" {
        sent.extend(bridge.say(letter));
    }
    let heard: String = sent
        .iter()
        .map(|sent| char::from(sent.payload[0]))
        .collect();
    assert_eq!(heard, "XYde");
    for (sent, (number, before)) in sent.iter().zip((1..).zip(std::iter::repeat(&before))) {
        assert_eq!(sent.sequence, before.sequence + number);
        assert_eq!(
            sent.timestamp.wrapping_sub(before.timestamp),
            u32::from(number) * 160
        );
    }
}

#[test]
fn who_left_is_not_heard_any_more() {
    let mut bridge = Bridge::new(path());
    bridge.say(b'a');
    assert!(bridge.bob.core.join(None).is_some());
    let sent = bridge.say(b'b');
    assert_eq!((sent.len(), sent[0].payload[0]), (1, 0xff));
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
