//! Which packets make which keys.

use super::*;

/// One packet or a pause of so many ticks.
#[derive(Debug, Clone, Copy)]
enum Step {
    Packet {
        timestamp: u32,
        key: u8,
        is_end: bool,
        duration: u16,
    },
    Ticks(u32),
}

use Step::Ticks;

const fn on(timestamp: u32, key: u8, duration: u16) -> Step {
    Step::Packet {
        timestamp,
        key,
        is_end: false,
        duration,
    }
}

const fn end(timestamp: u32, key: u8, duration: u16) -> Step {
    Step::Packet {
        timestamp,
        key,
        is_end: true,
        duration,
    }
}

/// Runs the steps; the digits as `key:milliseconds`.
fn run(steps: &[Step]) -> String {
    let mut receiver = DigitReceiver::default();
    let mut digits = Vec::new();
    for step in steps {
        match *step {
            Step::Packet {
                timestamp,
                key,
                is_end,
                duration,
            } => {
                let [high, low] = duration.to_be_bytes();
                let payload = [key, u8::from(is_end) << 7 | 10, high, low];
                digits.extend(receiver.handle(timestamp, &payload));
            }
            Ticks(ticks) => digits.extend((0..ticks).filter_map(|_| receiver.tick())),
        }
    }
    let digits: Vec<String> = digits
        .iter()
        .map(|digit| format!("{}:{}", digit.key, digit.duration_ms))
        .collect();
    digits.join(" ")
}

fn check(steps: &[Step], expected: &str) {
    assert_eq!(run(steps), expected, "{steps:?}");
}

/// 100 ms of key 5 at this timestamp: two updates and three ends.
fn press(timestamp: u32) -> [Step; 5] {
    [
        on(timestamp, 5, 400),
        on(timestamp, 5, 600),
        end(timestamp, 5, 800),
        end(timestamp, 5, 800),
        end(timestamp, 5, 800),
    ]
}

#[test]
fn any_packets_of_an_event_but_one_may_be_lost_in_any_order() {
    for timestamp in [0, 1_000, u32::MAX - 100] {
        let packets = press(timestamp);
        for received in 1u32..1 << packets.len() {
            let kept = || (0..packets.len()).filter(move |bit| received >> bit & 1 != 0);
            let mut steps: Vec<Step> = kept().map(|bit| packets[bit]).collect();
            let an_end_came = received >> 2 != 0;
            let longest = if an_end_came {
                100
            } else {
                50 + 25 * (received >> 1 & 1)
            };
            steps.push(Ticks(20));
            check(&steps, &format!("5:{longest}"));
            let mut steps: Vec<Step> = kept().rev().map(|bit| packets[bit]).collect();
            steps.push(Ticks(20));
            check(&steps, &format!("5:{longest}"));
        }
    }
}

#[test]
fn two_equal_digits_60_ms_apart_are_two() {
    let (first, second) = (press(0), press(800 + 480));
    check(&[first.as_slice(), &second].concat(), "5:100 5:100");
    check(
        &[&first[..2], &second[..2], &[Ticks(20)]].concat(),
        "5:75 5:75",
    ); // all six ends lost
    check(&[&first[..1], &second[2..]].concat(), "5:50 5:100"); // ends one and begins another
}

#[test]
fn late_packets_of_earlier_events_are_not_new_digits() {
    let (first, second) = (press(0), press(1_280));
    check(
        &[&first[..3], &second[..2], &first[3..], &second[2..]].concat(),
        "5:100 5:100",
    );
    check(&[&first[..2], &[Ticks(20)], &first[2..]].concat(), "5:75");
    check(
        &[&second[..1], first.as_slice(), &second[1..]].concat(),
        "5:100 5:100",
    );
    check(&[&second[..1], &first[..2], &second[1..]].concat(), "5:100");
}

#[test]
fn a_held_key_is_one_digit_across_segments() {
    let segments = [
        on(0, 1, 400),
        on(0, 1, u16::MAX),
        on(65_535, 1, 400),
        on(0, 1, u16::MAX), // late
        on(65_535, 1, 14_000),
        end(65_535, 1, 14_465),
    ];
    check(&segments, "1:10000");
    check(
        &[on(0, 1, 65_000), on(65_535, 2, 400), end(65_535, 2, 800)],
        "1:8125 2:100",
    );
    check(
        &[end(0, 1, u16::MAX), on(65_535, 1, 400), end(65_535, 1, 800)],
        "1:8191 1:100",
    );
}

#[test]
fn durations_of_40_ms_to_10_s_are_told() {
    for (duration, expected) in [
        (320, "9:40"),
        (0, "9:0"),
        (8_000, "9:1000"),
        (u16::MAX, "9:8191"),
    ] {
        check(&[end(5, 9, duration), end(5, 9, duration)], expected);
    }
}

#[test]
fn any_clock_rate_gives_the_same_durations() {
    for (clock_rate_hz, per_ms) in [(8_000, 8), (16_000, 16), (48_000, 48)] {
        let mut receiver = DigitReceiver::new(clock_rate_hz);
        let mut digits = Vec::new();
        // 100 ms, its end three times; 60 ms later the same key again, its ends lost; late packets of the first.
        for (at_ms, held_ms, is_end) in [
            (0, 50, false),
            (0, 100, true),
            (0, 100, true),
            (160, 50, false),
            (0, 100, true),
            (160, 75, false),
        ] {
            let duration: u16 = held_ms * per_ms;
            let [high, low] = duration.to_be_bytes();
            let payload = [5, u8::from(is_end) << 7, high, low];
            digits.extend(receiver.handle(at_ms * u32::from(per_ms), &payload));
        }
        digits.extend((0..20).filter_map(|_| receiver.tick()));
        let digits: Vec<u32> = digits.iter().map(|digit| digit.duration_ms).collect();
        assert_eq!(digits, [100, 75], "{clock_rate_hz}");
    }
}

#[test]
fn a_key_held_beyond_the_field_at_48_khz_is_one_digit() {
    let mut receiver = DigitReceiver::new(48_000);
    let mut digits = Vec::new();
    for segment in 0..3u32 {
        let is_last = segment == 2;
        let payload = [1, u8::from(is_last) << 7, 0xff, 0xff];
        digits.extend(receiver.handle(segment * 65_535, &payload));
    }
    assert_eq!(
        digits,
        [Digit {
            key: '1',
            duration_ms: 4_095
        }]
    );
}

#[test]
fn a_clock_that_jumps_back_begins_anew() {
    check(
        &[press(4_000_000).as_slice(), &press(100)].concat(),
        "5:100 5:100",
    );
    check(
        &[on(4_000_000, 5, 400), on(100, 6, 400), Ticks(20)],
        "5:50 6:50",
    );
}

#[test]
fn the_timeout_runs_from_the_last_packet() {
    check(&[on(0, 3, 400), Ticks(7), on(0, 3, 800), Ticks(7)], "");
    check(&[on(0, 3, 400), Ticks(7), on(0, 3, 800), Ticks(8)], "3:100");
    check(&[Ticks(100)], "");
}

#[test]
fn what_is_no_key_is_ignored() {
    check(&[end(0, 16, 800), end(0, 255, 800), Ticks(20)], "");
    let mut receiver = DigitReceiver::default();
    for payload in [&[][..], &[5], &[5, 0x8a, 3]] {
        assert_eq!(receiver.handle(0, payload).count(), 0, "{payload:?}");
    }
    let longer = receiver.handle(0, &[5, 0x8a, 3, 32, 0, 0]).next();
    assert_eq!(
        longer,
        Some(Digit {
            key: '5',
            duration_ms: 100
        })
    );
}

#[test]
fn a_new_source_ends_the_event_and_may_use_its_timestamp() {
    let mut receiver = DigitReceiver::default();
    assert_eq!(receiver.handle(7, &[1, 0, 1, 144]).count(), 0);
    assert_eq!(
        receiver.restart(),
        Some(Digit {
            key: '1',
            duration_ms: 50
        })
    );
    assert_eq!(receiver.handle(7, &[1, 0x80, 1, 144]).count(), 1);
    assert_eq!(receiver.restart(), None);
}
