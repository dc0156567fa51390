use std::net::IpAddr;

use media::{Law, tone};
use rtp::{FRAME_SAMPLES, HEADER_BYTES};
use sdp::{Direction, TelephoneEvent};

use super::*;

const PEER: &str = "198.51.100.7:4000";
const PEER_SSRC: u32 = 99;

fn peer() -> SocketAddr {
    PEER.parse().unwrap()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn path() -> MediaPath {
    MediaPath {
        telephone_event: Some(TelephoneEvent {
            send: 96,
            receive: 101,
        }),
        ..MediaPath::new(PEER.parse().unwrap(), sdp::Codec::Pcmu)
    }
}

/// A packet the leg sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    payload_type: u8,
    marker: bool,
    sequence: u16,
    timestamp: u32,
    payload: Vec<u8>,
}

/// A connected leg and its peer.
struct Rig {
    core: LegCore,
    round: u64,
    sequence: u16,
    /// Where its packets must go.
    sends_to: SocketAddr,
}

impl Rig {
    fn new(listens: bool) -> Self {
        Self::latching(&[], listens)
    }

    fn latching(learns_from: &[IpAddr], listens: bool) -> Self {
        let mut core = LegCore::new(Sender::new(7, 100, 1_000), Latch::new(learns_from), listens);
        core.order(Order::Media(MediaCommand::Connect(path())));
        Self {
            core,
            round: 40,
            sequence: 500,
            sends_to: peer(),
        }
    }

    fn command(&mut self, command: MediaCommand) {
        self.core.order(Order::Media(command));
    }

    fn play(&mut self, id: u32, prompt: &Arc<Prompt>, loops: u32) {
        self.command(MediaCommand::Play {
            id: PlaybackId(id),
            prompt: Arc::clone(prompt),
            loops,
        });
    }

    fn tick(&mut self) -> Option<Sent> {
        let mut packet = [0; MAX_PACKET_BYTES];
        self.round += 1;
        let (length, remote) = self.core.tick(self.round, &mut packet)?;
        assert_eq!(remote, self.sends_to);
        let packet = rtp::parse(&packet[..length]).unwrap();
        assert_eq!(packet.ssrc, 7);
        Some(Sent {
            payload_type: packet.payload_type,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            payload: packet.payload.to_vec(),
        })
    }

    /// The first bytes of the payloads of so many ticks; `.` for a frame of silence, `-` for no packet.
    fn sound(&mut self, ticks: usize) -> String {
        (0..ticks)
            .map(|_| match self.tick() {
                None => '-',
                Some(sent) if sent.payload.iter().all(|code| *code == 0xff) => '.',
                Some(sent) => char::from(sent.payload[0]),
            })
            .collect()
    }

    fn events(&mut self) -> Vec<MediaEvent> {
        std::iter::from_fn(|| self.core.poll_event()).collect()
    }

    /// A packet of the peer's, with the next sequence number.
    fn packet(&mut self, ssrc: u32, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let mut buffer = [0; MAX_PACKET_BYTES];
        let mut sender = Sender::new(ssrc, self.sequence, timestamp);
        self.sequence = self.sequence.wrapping_add(1);
        let length = sender.frame(&mut buffer, payload_type, false, payload);
        buffer[..length].to_vec()
    }

    fn hear(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Received {
        let packet = self.packet(PEER_SSRC, payload_type, timestamp, payload);
        self.core.receive(peer(), &packet)
    }
}

/// A prompt of these frames, each filled with the µ-law code of its letter.
fn prompt(letters: &str) -> Arc<Prompt> {
    let samples: Vec<i16> = letters
        .bytes()
        .flat_map(|letter| [Law::Mu.decode(letter); FRAME_SAMPLES])
        .collect();
    Arc::new(Prompt::from_pcm(&samples))
}

fn ended(id: u32, stopped: bool) -> MediaEvent {
    MediaEvent::PlaybackEnded {
        id: PlaybackId(id),
        stopped,
    }
}

#[test]
fn nothing_is_sent_before_the_path_is_known() {
    let mut core = LegCore::new(Sender::new(7, 100, 1_000), Latch::new(&[]), false);
    assert_eq!(core.tick(0, &mut [0; MAX_PACKET_BYTES]), None);
    assert_eq!(core.receive(peer(), &[0x80; 40]), Received::Refused);
}

#[test]
fn silence_flows_when_nothing_plays() {
    let mut rig = Rig::new(false);
    let packets: Vec<Sent> = (0..3).filter_map(|_| rig.tick()).collect();
    let marks: Vec<_> = packets
        .iter()
        .map(|sent| (sent.marker, sent.sequence, sent.timestamp))
        .collect();
    assert_eq!(
        marks,
        [(true, 100, 1_000), (false, 101, 1_160), (false, 102, 1_320)]
    );
    assert!(
        packets
            .iter()
            .all(|sent| sent.payload == [0xff; FRAME_SAMPLES])
    );
}

#[test]
fn playbacks_follow_each_other_without_a_gap_and_repeat() {
    for (queue, expected) in [
        (vec![("abc", 1)], "abc..."),
        (vec![("ab", 2), ("c", 3)], "ababccc..."),
        (vec![("", 5), ("a", 1)], "a..."),
        (vec![("a", 0)], "a..."),
    ] {
        let mut rig = Rig::new(false);
        for (id, (letters, loops)) in (1..).zip(&queue) {
            rig.play(id, &prompt(letters), *loops);
        }
        assert_eq!(rig.sound(expected.len()), expected, "{queue:?}");
        let ends: Vec<MediaEvent> = (1..).zip(&queue).map(|(id, _)| ended(id, false)).collect();
        assert_eq!(rig.events(), ends, "{queue:?}");
    }
}

#[test]
fn a_playback_ends_when_its_last_frame_has_been_heard() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("ab"), 1);
    assert_eq!(rig.sound(2), "ab");
    assert_eq!(rig.events(), []);
    assert_eq!(rig.sound(1), ".");
    assert_eq!(rig.events(), [ended(1, false)]);
}

#[test]
fn playbacks_are_stopped_while_they_play_and_while_they_wait() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("abc"), 1);
    rig.play(2, &prompt("def"), 1);
    rig.play(3, &prompt("gh"), 1);
    assert_eq!(rig.sound(1), "a");
    rig.command(MediaCommand::Stop(PlaybackId(2)));
    assert_eq!(rig.sound(1), "b");
    rig.command(MediaCommand::Stop(PlaybackId(1)));
    rig.command(MediaCommand::Stop(PlaybackId(1))); // already stopped
    rig.command(MediaCommand::Stop(PlaybackId(77)));
    assert_eq!(rig.sound(3), "gh.");
    assert_eq!(
        rig.events(),
        [ended(2, true), ended(1, true), ended(3, false)]
    );
}

#[test]
fn spent_prompts_are_handed_back() {
    let mut rig = Rig::new(false);
    let shared = prompt("a");
    rig.play(1, &shared, 1);
    rig.play(2, &shared, 1);
    rig.command(MediaCommand::Stop(PlaybackId(2)));
    rig.sound(2);
    assert_eq!(Arc::strong_count(&shared), 3, "the leg drops none itself");
    assert_eq!(std::iter::from_fn(|| rig.core.poll_spent()).count(), 2);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_held_leg_is_silent_and_its_clock_goes_on() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("abcdef"), 1);
    assert_eq!(rig.sound(1), "a");
    for direction in [Direction::RecvOnly, Direction::Inactive] {
        rig.command(MediaCommand::Connect(MediaPath {
            direction,
            ..path()
        }));
        assert_eq!(rig.sound(1), "-");
    }
    rig.command(MediaCommand::Connect(path()));
    let sent = rig.tick().unwrap();
    assert_eq!((sent.payload[0], sent.marker), (b'd', true));
    assert_eq!(
        (sent.sequence, sent.timestamp),
        (101, 1_000 + 3 * 160),
        "no packet seems lost"
    );
}

#[test]
fn missed_rounds_are_a_gap_in_time_and_not_in_the_prompt() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("abc"), 1);
    assert_eq!(rig.sound(1), "a");
    rig.round += 100;
    let sent = rig.tick().unwrap();
    assert_eq!((sent.payload[0], sent.marker), (b'b', true));
    assert_eq!((sent.sequence, sent.timestamp), (101, 1_000 + 101 * 160));
}

#[test]
fn the_codec_and_its_number_may_change() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("aaa"), 1);
    rig.tick();
    let pcma = MediaPath {
        codec: sdp::Codec::Pcma,
        send_payload_type: 98,
        ..path()
    };
    rig.command(MediaCommand::Connect(pcma));
    let sent = rig.tick().unwrap();
    let code = Law::A.encode(Law::Mu.decode(b'a'));
    assert_eq!((sent.payload_type, sent.payload[0]), (98, code));
    rig.tick();
    assert_eq!(rig.tick().unwrap().payload, [0xd5; FRAME_SAMPLES]);
}

#[test]
fn an_echo_is_what_was_heard_unless_something_plays() {
    let mut rig = Rig::new(false);
    rig.hear(0, 0, &[b'-'; FRAME_SAMPLES]); // before the echo is on: not kept
    rig.command(MediaCommand::Echo(true));
    let mut sound = String::new();
    for (timestamp, letter) in (160..).step_by(160).zip("abcdefgh".bytes()) {
        rig.hear(0, timestamp, &[letter; FRAME_SAMPLES]);
        if letter == b'f' {
            rig.play(1, &prompt("XY"), 1);
        }
        sound.push_str(&rig.sound(1));
    }
    assert_eq!(sound, "...abXYe"); // 60 ms of jitter buffer
    rig.command(MediaCommand::Echo(false));
    assert_eq!(rig.sound(2), "..");
}

#[test]
fn only_the_signalled_address_and_types_are_heard() {
    let mut rig = Rig::new(false);
    let audio = |rig: &mut Rig| rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]);
    let packet = audio(&mut rig);
    for (source, expected) in [
        ("198.51.100.8:4000", Received::Refused),
        ("198.51.100.7:4002", Received::Refused),
        ("[::ffff:198.51.100.7]:4000", Received::Taken),
    ] {
        assert_eq!(
            rig.core.receive(address(source), &packet),
            expected,
            "{source}"
        );
    }
    for (payload_type, expected) in [
        (0, Received::Taken),
        (101, Received::Taken),
        (8, Received::Refused),
        (96, Received::Refused), // the peer's number for events, not ours
        (13, Received::Refused),
    ] {
        assert_eq!(
            rig.hear(payload_type, 160, &[1; 160]),
            expected,
            "{payload_type}"
        );
    }
    assert_eq!(rig.core.receive(peer(), &[0x80; 11]), Received::Malformed);
    let send_only = MediaPath {
        direction: Direction::SendOnly,
        ..path()
    };
    rig.command(MediaCommand::Connect(send_only));
    assert_eq!(rig.hear(0, 320, &[1; FRAME_SAMPLES]), Received::Refused);
}

#[test]
fn a_peer_behind_a_nat_is_learned_from_packets_with_negotiated_types() {
    const NAT: &str = "203.0.113.9:61234";
    let nat = address(NAT);
    for (types, learned) in [
        ([0, 0, 0], true),
        ([101, 0, 101], true),
        ([8, 8, 8], false),
        ([0, 0, 13], false),
    ] {
        let mut rig = Rig::latching(&[nat.ip()], false);
        assert_eq!(
            rig.sound(2),
            "..",
            "we speak first, to where the peer said it is"
        );
        let mut last = Received::Malformed;
        for payload_type in types {
            let packet = rig.packet(PEER_SSRC, payload_type, 0, &[1; FRAME_SAMPLES]);
            last = rig.core.receive(nat, &packet);
        }
        assert_eq!(last == Received::Taken, learned, "{types:?}");
        rig.sends_to = if learned { nat } else { peer() };
        assert_eq!(rig.sound(1), ".", "{types:?}");
        if learned {
            assert_eq!(rig.hear(0, 160, &[1; FRAME_SAMPLES]), Received::Refused);
            rig.command(MediaCommand::Connect(path()));
            assert_eq!(rig.sound(1), ".", "the same offer again is no gap");
        }
    }
}

#[test]
fn a_nat_that_is_not_spoken_of_is_not_learned() {
    let mut rig = Rig::new(false);
    for _ in 0..10 {
        let packet = rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]);
        let source = address("203.0.113.9:61234");
        assert_eq!(rig.core.receive(source, &packet), Received::Refused);
        assert_eq!(rig.sound(1), ".");
    }
}

#[test]
fn learning_ends_with_its_time() {
    let nat = address("203.0.113.9:61234");
    for (ticks, learned) in [(99, true), (100, false)] {
        let mut rig = Rig::latching(&[nat.ip()], false);
        let packets: Vec<_> = (0..3)
            .map(|_| rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]))
            .collect();
        rig.core.receive(nat, &packets[0]);
        rig.core.receive(nat, &packets[1]);
        rig.sound(ticks);
        let last = rig.core.receive(nat, &packets[2]);
        assert_eq!(last == Received::Taken, learned, "{ticks}");
    }
}

/// The payloads of 100 ms of key 5, its end three times.
const KEY_5: [[u8; 4]; 5] = [
    [5, 10, 1, 144],
    [5, 10, 2, 88],
    [5, 138, 3, 32],
    [5, 138, 3, 32],
    [5, 138, 3, 32],
];

#[test]
fn a_key_is_reported_once_however_its_packets_come() {
    for received in 1..1u32 << KEY_5.len() {
        let mut rig = Rig::new(false);
        for (bit, payload) in KEY_5.iter().enumerate() {
            let packet = rig.packet(PEER_SSRC, 101, 9_000, payload);
            if received >> bit & 1 != 0 {
                rig.core.receive(peer(), &packet);
                rig.core.receive(peer(), &packet); // doubled on the way
            }
            rig.tick();
        }
        rig.sound(20);
        assert_eq!(rig.events(), [MediaEvent::Digit('5')], "{received:#b}");
    }
}

#[test]
fn a_new_source_ends_a_key_and_starts_the_counting_anew() {
    let mut rig = Rig::new(false);
    rig.hear(101, 9_000, &KEY_5[0]);
    let packet = rig.packet(PEER_SSRC + 1, 0, 0, &[1; FRAME_SAMPLES]);
    rig.core.receive(peer(), &packet);
    assert_eq!(rig.events(), [MediaEvent::Digit('5')]);
    assert_eq!(rig.core.take_lost(), 0);
}

#[test]
fn lost_packets_are_told_once() {
    let mut rig = Rig::new(false);
    rig.hear(0, 0, &[1; FRAME_SAMPLES]);
    rig.sequence += 3;
    rig.hear(0, 640, &[1; FRAME_SAMPLES]);
    assert_eq!((rig.core.take_lost(), rig.core.take_lost()), (3, 0));
}

#[test]
fn digits_nobody_takes_are_dropped_at_last_and_ends_of_playbacks_never() {
    let mut rig = Rig::new(false);
    for press in 0..300u32 {
        rig.hear(101, press * 2_000, &KEY_5[2]);
    }
    rig.play(1, &prompt("a"), 1);
    rig.sound(3);
    assert_eq!(rig.core.take_dropped_events(), 300 - 256);
    assert_eq!(rig.core.take_dropped_events(), 0);
    let events = rig.events();
    assert_eq!((events.len(), events.last()), (257, Some(&ended(1, false))));
}

#[test]
fn pressed_keys_go_out_as_events_with_the_peers_number() {
    let mut rig = Rig::new(false);
    rig.tick();
    for key in ['1', 'x', '1'] {
        rig.core.order(Order::Press(key));
    }
    let packets: Vec<Sent> = (0..24).filter_map(|_| rig.tick()).collect();
    let kinds: String = packets
        .iter()
        .map(|sent| if sent.payload_type == 96 { 'e' } else { '.' })
        .collect();
    assert_eq!(kinds, "eeeeeee...eeeeeee.......");
    let starts: Vec<u32> = packets
        .iter()
        .filter(|sent| sent.payload_type == 96 && sent.marker)
        .map(|sent| sent.timestamp)
        .collect();
    assert_eq!(starts, [1_160, 1_160 + 10 * 160]);
    let first: Vec<u32> = packets[..7].iter().map(|sent| sent.timestamp).collect();
    assert_eq!(first, [1_160; 7]);
    assert_eq!(
        (packets[7].timestamp, packets[7].marker),
        (1_160 + 7 * 160, true)
    );
    let sequences: Vec<u16> = packets.iter().map(|sent| sent.sequence).collect();
    assert_eq!(sequences, (101..125).collect::<Vec<u16>>());
}

#[test]
fn a_peer_without_telephone_events_gets_no_keys() {
    let mut rig = Rig::new(false);
    rig.command(MediaCommand::Connect(MediaPath {
        telephone_event: None,
        ..path()
    }));
    rig.core.order(Order::Press('1'));
    assert_eq!(rig.sound(3), "...");
}

#[test]
fn a_listener_hears_every_frame_decoded() {
    let mut rig = Rig::new(true);
    let samples = tone::sine(1_000.0, 0.5, FRAME_SAMPLES);
    let codes: Vec<u8> = samples
        .iter()
        .map(|sample| Law::Mu.encode(*sample))
        .collect();
    rig.hear(0, 0, &codes);
    let heard: Vec<HeardFrame> = (0..12)
        .map(|_| {
            rig.tick();
            *rig.core.heard().unwrap()
        })
        .collect();
    let expected: Vec<i16> = codes.iter().map(|code| Law::Mu.decode(*code)).collect();
    assert_eq!(heard[3].as_slice(), expected);
    assert_ne!(heard[4], [0; FRAME_SAMPLES], "what is missing is concealed");
    for silent in [0, 1, 2, 11] {
        assert_eq!(heard[silent], [0; FRAME_SAMPLES], "{silent}");
    }
    assert_eq!(Rig::new(false).core.heard(), None);
}

#[test]
fn a_packet_fits_its_buffer() {
    assert_eq!(HEADER_BYTES + SAMPLES_8K, MAX_PACKET_BYTES);
}
