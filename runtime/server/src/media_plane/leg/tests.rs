use std::net::IpAddr;

use call::{PlaybackId, media_codec};
use media::codec::MAX_PACKET_SAMPLES;
use media::{Decoder, DtmfDetector, DtmfTone, Law, Prompt, Rate, RateConverter, tone};
use rtp::dtmf::DigitSource;
use rtp::rtcp::{MAX_RTCP_BYTES, RtcpConfig};
use rtp::srtp::{MAX_OVERHEAD_BYTES, SrtpReceiver, SrtpSender};
use rtp::{FRAME_SAMPLES, HEADER_BYTES, MAX_PACKET_BYTES};
use sdp::{CryptoSuite, Direction, TelephoneEvent};

use super::super::keys::master_key;

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

fn beginning(learns_from: &[IpAddr], listens: bool) -> Beginning {
    let now = Instant::now();
    Beginning {
        now,
        sender: Sender::new(7, 100, 1_000),
        latch: Latch::new(learns_from),
        rtcp: rtcp(now, 7),
        patience: Patience {
            talking: Some(Duration::from_secs(60)),
            held: Some(Duration::from_secs(1_800)),
        },
        digits: DigitPolicy::Auto,
        listens,
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
    now: Instant,
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
        Self::with(beginning(learns_from, listens))
    }

    fn with(beginning: Beginning) -> Self {
        let now = beginning.now;
        let mut core = LegCore::new(beginning);
        core.order(MediaCommand::Connect(path()));
        Self {
            core,
            now,
            round: 40,
            sequence: 500,
            sends_to: peer(),
        }
    }

    fn command(&mut self, command: MediaCommand) {
        self.core.order(command);
    }

    fn play(&mut self, id: u32, prompt: &Arc<Prompt>, loops: u32) {
        self.command(MediaCommand::Play {
            id: PlaybackId(id),
            prompt: Arc::clone(prompt),
            loops,
        });
    }

    /// The datagram of the next round.
    fn send(&mut self) -> Option<(Vec<u8>, SocketAddr)> {
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        self.round += 1;
        self.now += Duration::from_millis(20);
        let (length, remote) = self.core.tick(self.now, self.round, &mut datagram)?;
        Some((datagram[..length].to_vec(), remote))
    }

    fn press(&mut self, id: u32, keys: &str) {
        self.command(MediaCommand::Press {
            id: PlaybackId(id),
            keys: keys.into(),
        });
    }

    fn tick(&mut self) -> Option<Sent> {
        let (datagram, remote) = self.send()?;
        assert_eq!(remote, self.sends_to);
        let packet = rtp::parse(&datagram).unwrap();
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

    fn receive(&mut self, source: SocketAddr, mut datagram: Vec<u8>) -> Received {
        self.core.receive(self.now, source, &mut datagram)
    }

    fn hear(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Received {
        let packet = self.packet(PEER_SSRC, payload_type, timestamp, payload);
        self.receive(peer(), packet)
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
    let mut core = LegCore::new(beginning(&[], false));
    let now = core.now;
    assert_eq!(core.tick(now, 0, &mut [0; MAX_DATAGRAM_BYTES]), None);
    assert_eq!(
        core.receive(now, peer(), &mut [0x80; 40]),
        Received::Refused
    );
    assert_eq!(core.report(&mut [0; MAX_DATAGRAM_BYTES]), None);
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
            rig.receive(address(source), packet.clone()),
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
    assert_eq!(rig.receive(peer(), vec![0x80; 11]), Received::Malformed);
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
            last = rig.receive(nat, packet.clone());
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
        assert_eq!(rig.receive(source, packet.clone()), Received::Refused);
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
        rig.receive(nat, packets[0].clone());
        rig.receive(nat, packets[1].clone());
        rig.sound(ticks);
        let last = rig.receive(nat, packets[2].clone());
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
                rig.receive(peer(), packet.clone());
                rig.receive(peer(), packet.clone()); // doubled on the way
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
    rig.receive(peer(), packet.clone());
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
    rig.press(1, "11");
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
fn keys_take_their_turn_among_prompts() {
    let mut rig = Rig::new(false);
    rig.play(1, &prompt("ab"), 1);
    rig.press(2, "1w2");
    rig.play(3, &prompt("c"), 1);
    rig.press(4, "3");
    let mut sound = String::new();
    for _ in 0..2 + 10 + 25 + 10 + 1 + 3 {
        let sent = rig.tick().unwrap();
        sound.push(match sent.payload_type {
            96 => 'e',
            _ if sent.payload.iter().all(|code| *code == 0xff) => '.',
            _ => char::from(sent.payload[0]),
        });
    }
    let wait = ".".repeat(25);
    assert_eq!(sound, format!("abeeeeeee...{wait}eeeeeee...ceee"));
    assert_eq!(rig.events(), [1, 2, 3].map(|id| ended(id, false)));
    rig.command(MediaCommand::Stop(PlaybackId(4)));
    assert_eq!(rig.events(), [ended(4, true)]);
    let rest: Vec<u8> = (0..8)
        .filter_map(|_| rig.tick())
        .map(|sent| sent.payload_type)
        .collect();
    assert_eq!(
        rest,
        [96, 96, 96, 96, 0, 0, 0, 0],
        "what was pressed is let go"
    );
}

#[test]
fn keys_wait_while_the_call_is_held() {
    let mut rig = Rig::new(false);
    rig.command(MediaCommand::Connect(MediaPath {
        direction: Direction::Inactive,
        ..path()
    }));
    rig.press(1, "1");
    assert_eq!(rig.sound(20), "-".repeat(20));
    rig.command(MediaCommand::Connect(path()));
    assert_eq!(rig.tick().unwrap().payload_type, 96);
}

#[test]
fn a_peer_without_telephone_events_gets_tones_in_any_codec() {
    for codec in [sdp::Codec::Pcma, sdp::Codec::G722] {
        let mut rig = Rig::new(false);
        rig.command(MediaCommand::Connect(MediaPath {
            telephone_event: None,
            ..MediaPath::new(peer(), codec)
        }));
        rig.press(1, "11#");
        let mut decoder = Decoder::new(media_codec(codec)).unwrap();
        let mut narrowed = RateConverter::new(media_codec(codec).rate(), Rate::Narrow);
        let mut detector = DtmfDetector::new();
        let mut found = String::new();
        for _ in 0..30 {
            let (mut heard, mut narrow) = ([0; MAX_PACKET_SAMPLES], [0; SAMPLES_8K]);
            let sent = rig.tick().unwrap();
            let length = decoder.decode(&sent.payload, &mut heard).unwrap();
            narrowed.convert(&heard[..length], &mut narrow);
            found.extend(detector.hear(&narrow));
        }
        assert_eq!(found, "11#", "{codec:?}");
    }
}

/// The packets of a key as tones, then silence: its payloads.
fn tones(key: char) -> Vec<Vec<u8>> {
    DtmfTone::new(key, 5)
        .unwrap()
        .chain(std::iter::repeat_n([0; SAMPLES_8K], 10))
        .map(|frame| frame.map(|sample| Law::Mu.encode(sample)).to_vec())
        .collect()
}

/// What a leg of this policy makes of a key that comes as tones, as events and by INFO, in any order.
fn told(policy: DigitPolicy, events: bool, ways: &str) -> String {
    let mut rig = Rig::with(Beginning {
        digits: policy,
        ..beginning(&[], false)
    });
    rig.command(MediaCommand::Connect(MediaPath {
        telephone_event: path().telephone_event.filter(|_| events),
        ..path()
    }));
    let mut timestamp = 0;
    for way in ways.chars() {
        match way {
            't' => {
                for payload in tones('7') {
                    rig.hear(0, timestamp, &payload);
                    timestamp += 160;
                    rig.tick();
                }
            }
            'e' => {
                rig.hear(101, timestamp, &[7, 0x8a, 0x03, 0x20]);
            }
            _ => rig.command(MediaCommand::Signalled('7')),
        }
    }
    rig.sound(10);
    let digits = rig.events().into_iter().map(|event| match event {
        MediaEvent::Digit(digit) => digit,
        other => panic!("{other:?}"),
    });
    digits.collect()
}

#[test]
fn a_press_is_told_once_whoever_tells_of_it() {
    let only = DigitPolicy::Only;
    for (policy, events, ways, expected) in [
        (DigitPolicy::Auto, true, "e", "7"),
        (DigitPolicy::Auto, true, "ei", "7"),
        (DigitPolicy::Auto, true, "ie", "7"),
        (DigitPolicy::Auto, true, "i", "7"),
        (DigitPolicy::Auto, true, "t", ""), // events were agreed on
        (DigitPolicy::Auto, false, "t", "7"),
        (DigitPolicy::Auto, false, "ti", "7"),
        (DigitPolicy::Auto, false, "it", "7"),
        (only(DigitSource::InBand), true, "t", "7"),
        (only(DigitSource::InBand), true, "tei", "7"),
        (only(DigitSource::InBand), true, "ei", ""),
        (only(DigitSource::Info), true, "tei", "7"),
        (only(DigitSource::Info), true, "te", ""),
        (only(DigitSource::Event), true, "tei", "7"),
        (only(DigitSource::Event), false, "ti", ""),
    ] {
        assert_eq!(
            told(policy, events, ways),
            expected,
            "{policy:?} {events} {ways}"
        );
    }
}

#[test]
fn a_peer_that_is_silent_for_too_long_is_told_of() {
    let seconds = |seconds: usize| seconds * 50;
    let mut rig = Rig::new(false);
    rig.sound(seconds(59));
    rig.hear(0, 0, &[1; FRAME_SAMPLES]);
    rig.sound(seconds(59));
    // Reports are a sign of life, too.
    let report = reports_of_the_peer(&mut rig);
    assert_eq!(rig.receive(peer(), report), Received::Taken);
    rig.sound(seconds(59));
    assert_eq!(rig.events(), []);
    rig.sound(seconds(2));
    assert_eq!(rig.events(), [MediaEvent::PeerSilent]);
    rig.command(MediaCommand::Connect(MediaPath {
        direction: Direction::SendOnly,
        ..path()
    }));
    rig.sound(seconds(1_799));
    assert_eq!(rig.events(), [], "a held peer has nothing to say");
    rig.sound(seconds(2));
    assert_eq!(rig.events(), [MediaEvent::PeerSilent]);
}

fn rtcp(now: Instant, ssrc: u32) -> Rtcp {
    Rtcp::new(
        now,
        RtcpConfig {
            ssrc,
            cname: *b"0123456789abcdef",
            clock_rate_hz: 8_000,
            ntp_at_start: 1 << 40,
            seed: 3,
        },
    )
}

/// A report of the peer's, of a stream that it did not send yet.
fn reports_of_the_peer(rig: &mut Rig) -> Vec<u8> {
    let mut buffer = [0; MAX_RTCP_BYTES];
    let length = rtcp(rig.now, PEER_SSRC).goodbye(rig.now, &mut buffer);
    buffer[..length].to_vec()
}

#[test]
fn reports_go_out_every_few_seconds_where_the_peer_wants_them() {
    for (rtcp_mux, remote, expected) in [
        (true, None, Some((PEER, true))),
        (
            false,
            Some("198.51.100.7:4001"),
            Some(("198.51.100.7:4001", false)),
        ),
        (false, None, None),
    ] {
        let mut rig = Rig::new(false);
        rig.command(MediaCommand::Connect(MediaPath {
            rtcp_mux,
            remote_rtcp: remote.map(address),
            ..path()
        }));
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        let mut reports = Vec::new();
        for _ in 0..60 * 50 {
            rig.tick();
            reports.extend(rig.core.report(&mut datagram));
        }
        reports.extend(rig.core.goodbye(&mut datagram));
        let told: Vec<_> = reports
            .iter()
            .map(|report| (report.to, report.is_muxed))
            .collect();
        let Some((to, is_muxed)) = expected else {
            assert_eq!(told, []);
            continue;
        };
        assert!((8..=25).contains(&told.len()), "{} in a minute", told.len());
        assert!(told.iter().all(|sent| *sent == (address(to), is_muxed)));
    }
}

#[test]
fn reports_on_their_own_port_are_the_peers_only() {
    let mut rig = Rig::new(false);
    let mut report = reports_of_the_peer(&mut rig);
    let now = rig.now;
    for (source, expected) in [
        ("198.51.100.8:4001", Received::Refused),
        ("198.51.100.7:9999", Received::Taken), // a NAT chose the port
    ] {
        let received = rig.core.receive_report(now, address(source), &mut report);
        assert_eq!(received, expected, "{source}");
    }
    let received = rig.core.receive_report(now, peer(), &mut [1; 30]);
    assert_eq!(received, Received::Malformed);
    rig.sound(500);
    let sent = rig.core.goodbye(&mut [0; MAX_DATAGRAM_BYTES]).unwrap();
    assert_eq!(
        sent.to,
        address("198.51.100.7:9999"),
        "reports go where they come from"
    );
}

#[test]
fn what_is_measured_is_told() {
    let mut rig = Rig::new(false);
    let measurements = rig.core.measurements();
    rig.tick();
    assert_eq!(measurements.quality(), None);
    for number in 0..100 {
        if number % 10 == 5 {
            rig.sequence += 1;
        } else {
            rig.hear(0, number * 160, &[1; FRAME_SAMPLES]);
        }
        rig.tick();
    }
    let quality = measurements.quality().unwrap();
    assert_eq!((quality.received, quality.lost), (90, 10));
    assert_eq!(quality.round_trip_ms, None);
    assert!(quality.mos() < 4.0, "{}", quality.mos());
}

#[test]
fn an_encrypted_leg_takes_what_is_authentic_and_sends_nothing_else() {
    for suite in CryptoSuite::ALL {
        let key = |byte| sdp::MasterKey::new(suite, &vec![byte; suite.master_bytes()]).unwrap();
        let srtp = sdp::Srtp {
            send: key(1),
            receive: key(2),
        };
        let mut rig = Rig::new(false);
        rig.command(MediaCommand::Echo(true));
        rig.command(MediaCommand::Connect(MediaPath {
            srtp: Some(srtp),
            ..path()
        }));
        let mut theirs = SrtpSender::new(&master_key(&key(2)));
        let mut ours = SrtpReceiver::new(&master_key(&key(1)));
        let mut heard = String::new();
        for (timestamp, letter) in (0..).step_by(160).zip("abcdefgh".bytes()) {
            let clear = rig.packet(PEER_SSRC, 0, timestamp, &[letter; FRAME_SAMPLES]);
            let mut sealed = clear.clone();
            sealed.resize(clear.len() + MAX_OVERHEAD_BYTES, 0);
            let length = theirs.protect(&mut sealed, clear.len()).unwrap();
            sealed.truncate(length);
            let mut forged = sealed.clone();
            forged[20] ^= 1;
            assert_eq!(
                rig.receive(peer(), clear),
                Received::Refused,
                "{suite:?}: in the clear"
            );
            assert_eq!(rig.receive(peer(), forged), Received::Refused, "{suite:?}");
            assert_eq!(
                rig.receive(peer(), sealed.clone()),
                Received::Taken,
                "{suite:?}"
            );
            assert_eq!(
                rig.receive(peer(), sealed),
                Received::Refused,
                "{suite:?}: replayed"
            );
            let (mut datagram, remote) = rig.send().unwrap();
            assert_eq!(remote, peer());
            let length = ours.unprotect(&mut datagram).unwrap();
            heard.push(char::from(
                rtp::parse(&datagram[..length]).unwrap().payload[0],
            ));
        }
        assert_eq!(heard.trim_start_matches('\u{ff}'), "abcde", "{suite:?}");
    }
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
