//! Receiving digits.

use super::{Digit, key_of};

/// Ticks of 20 ms without a packet of the event after which it is over though no end was seen: 160 ms, three lost
/// packets at the usual 50 ms.
const LOST_END_TICKS: u32 = 8;

/// Events remembered as reported, so that packets of theirs that come late are not taken for new ones.
const REMEMBERED: usize = 8;

/// A packet this much older than the current event belongs to an event before it. Beyond, the clock jumped.
const LATE_SECONDS: u32 = 5;

/// A segment of a long event is about this long when the next one begins (RFC 4733 section 2.5.1.3 gives 0xffff).
const SEGMENT_SAMPLES: std::ops::RangeInclusive<u32> = 0xf000..=0x1_0000;

/// Turns the packets of telephone events into digits: each event once, known by its timestamp.
///
/// The marker is not looked at (it is lost as easily as its packet), any of the three end packets ends the event, and
/// with all of them lost a later event or [`Self::tick`] does.
#[derive(Debug, Clone)]
pub struct DigitReceiver {
    clock_rate_hz: u32,
    current: Option<Current>,
    reported: [Option<u32>; REMEMBERED],
    next_reported: usize,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    key: char,
    timestamp: u32,
    /// Of the segments before this one.
    earlier_samples: u32,
    duration_samples: u32,
    silent_ticks: u32,
}

/// The fields of the payload (RFC 4733 section 2.3) that matter.
struct Report {
    key: char,
    is_end: bool,
    duration_samples: u32,
}

impl Default for DigitReceiver {
    /// At 8 kHz.
    fn default() -> Self {
        Self::new(8_000)
    }
}

impl DigitReceiver {
    /// For events whose payload type has this clock rate, in Hz: 8000, 16000 or 48000. It is that of the audio beside them (RFC 4733
    /// section 2.5.1), unless the peer knows no such events. Their payload type is that of our own description, whatever ours are sent
    /// with.
    #[must_use]
    pub const fn new(clock_rate_hz: u32) -> Self {
        Self {
            clock_rate_hz,
            current: None,
            reported: [None; REMEMBERED],
            next_reported: 0,
        }
    }

    /// What durations count.
    #[must_use]
    pub const fn clock_rate_hz(&self) -> u32 {
        self.clock_rate_hz
    }

    /// Takes the payload of one event packet. Yields up to two digits: an event before it whose ends were all lost, and
    /// its own if it ends one.
    pub fn handle(
        &mut self,
        timestamp: u32,
        payload: &[u8],
    ) -> impl Iterator<Item = Digit> + use<> {
        let (earlier, ended) = match read(payload) {
            Some(report) if !self.reported.contains(&Some(timestamp)) => {
                self.take(timestamp, &report)
            }
            _ => (None, None),
        };
        earlier.into_iter().chain(ended)
    }

    /// Every 20 ms: the digit whose ends were all lost.
    pub fn tick(&mut self) -> Option<Digit> {
        let current = self.current.as_mut()?;
        current.silent_ticks += 1;
        if current.silent_ticks < LOST_END_TICKS {
            return None;
        }
        self.finish()
    }

    /// The source changed: ends the event under way and forgets the timestamps, which begin anew.
    pub fn restart(&mut self) -> Option<Digit> {
        let unfinished = self.finish();
        *self = Self::new(self.clock_rate_hz);
        unfinished
    }

    fn take(&mut self, timestamp: u32, report: &Report) -> (Option<Digit>, Option<Digit>) {
        let mut earlier = None;
        match self.current {
            Some(current) if current.timestamp == timestamp => {}
            Some(current) if current.is_after(timestamp, self.clock_rate_hz) => {
                return (None, report.is_end.then(|| self.late(timestamp, report)));
            }
            Some(current) if current.goes_on_in(timestamp, report.key) => {
                self.remember(current.timestamp);
                self.current = Some(current.next_segment(timestamp));
            }
            _ => {
                earlier = self.finish();
                self.current = Some(Current::new(timestamp, report.key));
            }
        }
        if let Some(current) = &mut self.current {
            current.duration_samples = current.duration_samples.max(report.duration_samples);
            current.silent_ticks = 0;
        }
        (earlier, if report.is_end { self.finish() } else { None })
    }

    /// An event that began and ended before the current one, all of whose packets come late.
    fn late(&mut self, timestamp: u32, report: &Report) -> Digit {
        self.remember(timestamp);
        Digit {
            key: report.key,
            duration_ms: self.to_ms(report.duration_samples),
        }
    }

    fn finish(&mut self) -> Option<Digit> {
        let current = self.current.take()?;
        self.remember(current.timestamp);
        let samples = current
            .earlier_samples
            .saturating_add(current.duration_samples);
        Some(Digit {
            key: current.key,
            duration_ms: self.to_ms(samples),
        })
    }

    fn to_ms(&self, samples: u32) -> u32 {
        samples / (self.clock_rate_hz / 1_000).max(1)
    }

    fn remember(&mut self, timestamp: u32) {
        self.reported[self.next_reported] = Some(timestamp);
        self.next_reported = (self.next_reported + 1) % REMEMBERED;
    }
}

impl Current {
    fn new(timestamp: u32, key: char) -> Self {
        Self {
            key,
            timestamp,
            earlier_samples: 0,
            duration_samples: 0,
            silent_ticks: 0,
        }
    }

    fn is_after(self, timestamp: u32, clock_rate_hz: u32) -> bool {
        (1..LATE_SECONDS * clock_rate_hz).contains(&self.timestamp.wrapping_sub(timestamp))
    }

    /// The event is longer than the duration field holds and has a new timestamp (RFC 4733 section 2.5.1.3).
    fn goes_on_in(self, timestamp: u32, key: char) -> bool {
        self.key == key && SEGMENT_SAMPLES.contains(&timestamp.wrapping_sub(self.timestamp))
    }

    fn next_segment(self, timestamp: u32) -> Self {
        let segment = timestamp.wrapping_sub(self.timestamp);
        Self {
            timestamp,
            earlier_samples: self.earlier_samples.saturating_add(segment),
            duration_samples: 0,
            ..self
        }
    }
}

/// Reads the payload of RFC 4733 section 2.3: event, end bit and volume, duration. None for what is no key.
fn read(payload: &[u8]) -> Option<Report> {
    let [event, flags, high, low, ..] = *payload else {
        return None;
    };
    Some(Report {
        key: key_of(event)?,
        is_end: flags & 0x80 != 0,
        duration_samples: u32::from(u16::from_be_bytes([high, low])),
    })
}

#[cfg(test)]
mod tests {
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
}
