mod detection;
mod encryption;
mod keys;
mod lines;
mod opus;
mod recordings;
mod reports;
mod whose_it_is;

use std::net::IpAddr;

use call::PlaybackId;
use media::{Law, Prompt, PromptWriter, Rate, tone};
use rtp::rtcp::RtcpConfig;
use rtp::{FRAME_SAMPLES, MAX_PACKET_BYTES};
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
            clock_rate_hz: 8_000,
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
        let length = sender.frame(&mut buffer, payload_type, false, payload, 160);
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
fn a_prompt_that_is_still_made_is_played_as_far_as_it_is() {
    let mut rig = Rig::new(false);
    let mut writer = PromptWriter::new(Rate::Narrow, &[Codec::Pcmu]);
    rig.play(1, writer.prompt(), 2);
    rig.play(2, &prompt("z"), 1);
    assert_eq!(rig.sound(2), "..", "nothing of it is ready");
    for letter in ["a", "b"] {
        let second = [Law::Mu.decode(letter.as_bytes()[0]); 50 * FRAME_SAMPLES];
        writer.push(&second);
        let expected = letter.repeat(50) + "..";
        assert_eq!(rig.sound(52), expected);
        assert_eq!(rig.events(), []);
    }
    drop(writer.finish());
    assert_eq!(rig.sound(102), "a".repeat(50) + &"b".repeat(50) + "z.");
    assert_eq!(rig.events(), [ended(1, false), ended(2, false)]);
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
