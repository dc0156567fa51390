//! Legs in Opus: their clock, and what is sent on.

use media::codec::MAX_PACKET_SAMPLES;
use media::{Decoder, Encoder};

use super::*;
use crate::media_plane::line::line;

fn opus(event_clock_rate_hz: u32) -> MediaPath {
    MediaPath {
        telephone_event: Some(TelephoneEvent {
            send: 97,
            receive: 110,
            clock_rate_hz: event_clock_rate_hz,
        }),
        redundancy: true,
        ..MediaPath::new(peer(), sdp::Codec::Opus)
    }
}

fn leg(path: MediaPath) -> Rig {
    let mut rig = Rig::new(false);
    rig.command(MediaCommand::Connect(path));
    rig
}

/// Two legs on a line that have ticked once.
fn bridge(first: MediaPath, second: MediaPath) -> (Rig, Rig) {
    let (mut first, mut second) = (leg(first), leg(second));
    let (ours, theirs) = line();
    first.core.join(Some(Box::new(ours)));
    second.core.join(Some(Box::new(theirs)));
    first.round_of_all();
    second.round_of_all();
    (first, second)
}

/// What a peer says: a tone, a packet a round.
struct Speaker {
    encoder: Encoder,
    frames: std::vec::IntoIter<Vec<i16>>,
    timestamp: u32,
}

impl Speaker {
    fn new(codec: Codec) -> Self {
        let rate = codec.rate();
        let step = std::f32::consts::TAU * 440.0 / rate.hz() as f32;
        let tone: Vec<i16> = (0..rate.samples(2_000))
            .map(|at| ((at as f32 * step).sin() * 8_000.0) as i16)
            .collect();
        let frames: Vec<Vec<i16>> = tone
            .chunks(rate.frame_samples())
            .map(<[i16]>::to_vec)
            .collect();
        Self {
            encoder: Encoder::new(codec, true).unwrap(),
            frames: frames.into_iter(),
            timestamp: 0,
        }
    }

    fn say(&mut self, rig: &mut Rig, payload_type: u8) -> Vec<u8> {
        let mut payload = [0; media::codec::MAX_FRAME_BYTES];
        let frame = self.frames.next().expect("two seconds are enough");
        let length = self.encoder.encode(&frame, &mut payload);
        rig.hear(payload_type, self.timestamp, &payload[..length]);
        self.timestamp += self.encoder.codec().timestamps_a_frame();
        payload[..length].to_vec()
    }
}

/// The root of the mean square of what these payloads sound like.
fn loudness(codec: Codec, payloads: &[Vec<u8>]) -> f64 {
    let mut decoder = Decoder::new(codec).unwrap();
    let mut samples = [0; MAX_PACKET_SAMPLES];
    let (mut sum, mut count) = (0.0, 0);
    for payload in payloads {
        let decoded = decoder.decode(payload, &mut samples).unwrap();
        let squares = samples[..decoded].iter().map(|s| f64::from(*s).powi(2));
        sum += squares.sum::<f64>();
        count += decoded;
    }
    (sum / count as f64).sqrt()
}

#[test]
fn its_clock_counts_48_000_a_second_whatever_is_sent() {
    let samples = tone::sine(440.0, 0.5, 2 * FRAME_SAMPLES);
    let prompt = Arc::new(Prompt::new(&samples, Rate::Narrow, &[Codec::Opus]));
    for (event_clock_rate_hz, ticks) in [(48_000, 960_u16), (8_000, 160)] {
        let mut rig = leg(opus(event_clock_rate_hz));
        rig.play(1, &prompt, 1);
        rig.press(2, "5");
        let sent: Vec<Sent> = (0..11).filter_map(|_| rig.tick()).collect();
        let audio: Vec<(u8, u32)> = [0, 1, 9, 10]
            .map(|at: usize| (sent[at].payload_type, sent[at].timestamp))
            .to_vec();
        let at = |frame: u32| (111, 1_000 + frame * 960);
        assert_eq!(audio, [at(0), at(1), at(9), at(10)]);
        for (frame, event) in (1..).zip(&sent[2..9]) {
            assert_eq!((event.payload_type, event.timestamp), (97, 1_000 + 2 * 960));
            let duration = u16::from_be_bytes([event.payload[2], event.payload[3]]);
            assert_eq!(duration, ticks * frame.min(5));
        }
        rig.round += 10;
        let after = rig.tick().unwrap();
        assert_eq!((after.timestamp, after.marker), (at(21).1, true));
        rig.command(MediaCommand::Connect(MediaPath {
            direction: Direction::Inactive,
            ..opus(event_clock_rate_hz)
        }));
        assert_eq!(rig.tick(), None);
        rig.command(MediaCommand::Connect(opus(event_clock_rate_hz)));
        assert_eq!(rig.tick().unwrap().timestamp, at(23).1);
    }
}

#[test]
fn keys_count_by_the_clock_of_their_events() {
    for (clock_rate_hz, ticks) in [(48_000, 960_u16), (8_000, 160)] {
        let mut rig = leg(opus(clock_rate_hz));
        for (timestamp, frames) in [(0, 5_u16), (30_000, 10)] {
            let [high, low] = (ticks * frames).to_be_bytes();
            rig.hear(110, timestamp, &[5, 0x8a, high, low]);
        }
        let keys = [MediaEvent::Digit('5'), MediaEvent::Digit('5')];
        assert_eq!(rig.events(), keys, "{clock_rate_hz}");
    }
}

#[test]
fn two_legs_in_opus_pass_their_packets_on() {
    let theirs = MediaPath {
        send_payload_type: 96,
        ..opus(48_000)
    };
    let (mut alice, mut bob) = bridge(opus(48_000), theirs);
    let mut speaker = Speaker::new(Codec::Opus);
    let mut before = None;
    for _ in 0..10 {
        let said = speaker.say(&mut alice, 111);
        alice.round_of_all();
        let heard = bob.round_of_all();
        assert_eq!((heard.len(), heard[0].payload_type), (1, 96));
        assert_eq!(heard[0].payload, said);
        if let Some((sequence, timestamp)) = before {
            assert_eq!(heard[0].sequence, sequence + 1);
            assert_eq!(heard[0].timestamp, timestamp + 960);
        }
        before = Some((heard[0].sequence, heard[0].timestamp));
    }
    // 60 ms in a packet, as many bytes as we send at most, and a key.
    let long = [[11 << 3].as_slice(), &[7; 319]].concat();
    alice.hear(111, speaker.timestamp, &long);
    alice.round_of_all();
    assert_eq!(bob.round_of_all()[0].payload, long);
    alice.hear(110, speaker.timestamp + 2_880, &[5, 0x8a, 0x12, 0xc0]);
    alice.round_of_all();
    let heard = bob.round_of_all();
    assert_eq!((heard[0].payload_type, heard[0].payload[0]), (97, 5));
    assert_eq!(bob.core.take_bridged(), (12, 0));
    // More bytes than that: the stream is coded anew.
    for at in 2..20 {
        let timestamp = speaker.timestamp + at * 2_880;
        let mut longer = alice.packet(PEER_SSRC, 111, timestamp, &[1 << 3]);
        longer.extend([7; 400]);
        assert_eq!(alice.receive(peer(), longer), Received::Taken);
        alice.round_of_all();
        bob.round_of_all();
    }
    let (relayed, transcoded) = bob.core.take_bridged();
    assert!(relayed == 0 && transcoded > 10, "{relayed} {transcoded}");
}

#[test]
fn events_of_another_clock_are_pressed_anew() {
    for (alices, bobs) in [(8_000, 48_000), (48_000, 8_000)] {
        let (mut alice, mut bob) = bridge(opus(alices), opus(bobs));
        alice.hear(110, 0, &[5, 0x8a, 0x03, 0x20]);
        let mut events = Vec::new();
        for _ in 0..10 {
            alice.round_of_all();
            events.extend(
                bob.round_of_all()
                    .into_iter()
                    .filter(|sent| sent.payload_type == 97),
            );
        }
        let frame = (bobs / 50) as u16;
        let last = events.last().unwrap().payload.clone();
        assert_eq!(
            u16::from_be_bytes([last[2], last[3]]),
            5 * frame,
            "{alices}"
        );
        assert_eq!(events.len(), 7, "{alices}");
    }
}

#[test]
fn opus_and_g711_understand_each_other() {
    let g711 = MediaPath::new(peer(), sdp::Codec::Pcmu);
    for (from, to) in [(opus(48_000), g711), (g711, opus(48_000))] {
        let (mut alice, mut bob) = bridge(from, to);
        let (said, heard) = (from.media_codec(), to.media_codec());
        let mut speaker = Speaker::new(said);
        let mut payloads = Vec::new();
        for _ in 0..80 {
            speaker.say(&mut alice, from.receive_payload_type);
            alice.round_of_all();
            payloads.extend(bob.round_of_all().into_iter().map(|sent| sent.payload));
        }
        assert_eq!(payloads.len(), 80);
        let expected = 8_000.0 / std::f64::consts::SQRT_2;
        let level = loudness(heard, &payloads[20..]) / expected;
        assert!(
            (0.85..1.18).contains(&level),
            "{said:?} to {heard:?}: {level}"
        );
    }
}
