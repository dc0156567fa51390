//! Keys that the peer presses, and keys pressed for it.

use call::media_codec;
use media::codec::MAX_PACKET_SAMPLES;
use media::{Decoder, DtmfDetector, DtmfTone, Rate, RateConverter};
use rtp::dtmf::DigitSource;

use super::*;

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
fn a_small_w_waits_half_a_second_and_a_large_one_a_whole_second() {
    for (waits, milliseconds) in [("w", 500), ("W", 1_000), ("wW", 1_500), ("ww", 1_000)] {
        let mut rig = Rig::new(false);
        rig.press(1, &format!("1{waits}2"));
        let packets: Vec<Sent> = (0..110).filter_map(|_| rig.tick()).collect();
        let starts: Vec<u32> = packets
            .iter()
            .filter(|sent| sent.payload_type == 96 && sent.marker)
            .map(|sent| sent.timestamp)
            .collect();
        let key_and_gap = 10 * 160;
        let [first, second] = starts[..] else {
            panic!("{waits}: {starts:?}")
        };
        assert_eq!(second - first, key_and_gap + milliseconds * 8, "{waits}");
    }
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
    for codec in [sdp::Codec::Pcma, sdp::Codec::G722, sdp::Codec::Opus] {
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
