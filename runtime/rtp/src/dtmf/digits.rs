//! One press of a key, whoever tells of it.

use std::time::{Duration, Instant};

use super::Digit;

/// What another source says so long after a press, or after its end, is of the same press: a SIP INFO that was sent three times.
const LATEST: Duration = Duration::from_secs(2);

/// Presses remembered: more than anybody makes in [`LATEST`].
const REMEMBERED: usize = 32;

/// Who tells of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigitSource {
    /// A telephone event (RFC 4733).
    Event,
    /// A SIP INFO (`application/dtmf-relay` or `application/dtmf`).
    Info,
    /// Tones in the audio.
    InBand,
}

impl DigitSource {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Whom to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigitPolicy {
    /// Everybody, and the first of each press is reported. From the first telephone event on, tones are not listened to: who sends
    /// events often leaves the beginning of the tone in the audio.
    #[default]
    Auto,
    /// This source alone.
    Only(DigitSource),
}

impl DigitPolicy {
    /// Every policy.
    pub const ALL: [Self; 4] = [
        Self::Auto,
        Self::Only(DigitSource::Event),
        Self::Only(DigitSource::Info),
        Self::Only(DigitSource::InBand),
    ];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Only(DigitSource::Event) => "rfc4733",
            Self::Only(DigitSource::Info) => "info",
            Self::Only(DigitSource::InBand) => "in-band",
        }
    }

    /// The policy of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Puts together what the sources say, so that no press is reported twice.
///
/// Two sources speak of one press if they name the same key, less than 2 s apart, and neither has spoken of it before: two presses
/// that both sources tell are two, in whatever order the four reports come.
#[derive(Debug, Clone)]
pub struct Digits {
    policy: DigitPolicy,
    has_events: bool,
    presses: [Option<Press>; REMEMBERED],
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    key: char,
    /// When its first report came.
    at: Instant,
    /// [`DigitSource::bit`] of those who told of it.
    told_by: u8,
}

impl Digits {
    /// Nothing pressed yet.
    #[must_use]
    pub const fn new(policy: DigitPolicy) -> Self {
        Self {
            policy,
            has_events: false,
            presses: [None; REMEMBERED],
            next: 0,
        }
    }

    /// A packet of a telephone event came; its digit is known when it ends only.
    pub const fn event_began(&mut self) {
        self.has_events = true;
    }

    /// Whether anybody is interested in tones: if not, the audio need not be searched for them.
    #[must_use]
    pub fn listens_to_tones(&self) -> bool {
        match self.policy {
            DigitPolicy::Auto => !self.has_events,
            DigitPolicy::Only(source) => source == DigitSource::InBand,
        }
    }

    /// A source tells of a key that was pressed, and held for so long until now as far as it knows (0 if it does not). Whether it is
    /// news.
    pub fn take(&mut self, now: Instant, source: DigitSource, digit: Digit) -> bool {
        let is_believed = match (self.policy, source) {
            (DigitPolicy::Only(only), _) => only == source,
            (DigitPolicy::Auto, DigitSource::InBand) => !self.has_events,
            (DigitPolicy::Auto, DigitSource::Event | DigitSource::Info) => true,
        };
        self.has_events |= source == DigitSource::Event;
        is_believed && !self.joins(now, source, digit) && self.remember(now, source, digit)
    }

    /// Joins the oldest press of this key that others told of.
    fn joins(&mut self, now: Instant, source: DigitSource, digit: Digit) -> bool {
        let held = Duration::from_millis(digit.duration_ms.into());
        let (before, after) = self.presses.split_at_mut(self.next);
        let press = after.iter_mut().chain(before).flatten().find(|press| {
            press.key == digit.key
                && press.told_by & source.bit() == 0
                && now.saturating_duration_since(press.at) <= held + LATEST
        });
        let Some(press) = press else { return false };
        press.told_by |= source.bit();
        true
    }

    fn remember(&mut self, now: Instant, source: DigitSource, digit: Digit) -> bool {
        self.presses[self.next] = Some(Press {
            key: digit.key,
            at: now,
            told_by: source.bit(),
        });
        self.next = (self.next + 1) % REMEMBERED;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::DigitSource::{Event, InBand, Info};
    use super::*;
    use crate::testing::origin;

    /// Reports as (milliseconds, source, key, held milliseconds); the keys that were news.
    fn check(policy: DigitPolicy, reports: &[(u64, DigitSource, char, u32)], expected: &str) {
        let start = origin();
        let mut digits = Digits::new(policy);
        let news: String = reports
            .iter()
            .filter(|(at_ms, source, key, duration_ms)| {
                let digit = Digit {
                    key: *key,
                    duration_ms: *duration_ms,
                };
                digits.take(start + Duration::from_millis(*at_ms), *source, digit)
            })
            .map(|(_, _, key, _)| *key)
            .collect();
        assert_eq!(news, expected, "{policy:?} {reports:?}");
    }

    #[test]
    fn each_source_alone_is_heard() {
        for source in [Event, Info, InBand] {
            let reports = [
                (0, source, '5', 100),
                (160, source, '5', 100),
                (320, source, '#', 40),
                (9_000, source, '5', 0),
            ];
            check(DigitPolicy::Auto, &reports, "55#5");
            check(DigitPolicy::Only(source), &reports, "55#5");
        }
    }

    #[test]
    fn a_press_that_several_tell_is_one() {
        for (reports, expected) in [
            (&[(0, Event, '5', 100), (30, Info, '5', 100)][..], "5"),
            (&[(0, Info, '5', 0), (30, Event, '5', 100)], "5"),
            (&[(0, InBand, '5', 40), (90, Event, '5', 100)], "5"),
            (&[(0, InBand, '5', 40), (90, Info, '5', 100)], "5"),
            (
                &[
                    (0, InBand, '5', 40),
                    (60, Event, '5', 100),
                    (90, Info, '5', 100),
                ],
                "5",
            ),
            // A key held for 10 s: the tone at its beginning, the event at its end.
            (&[(0, InBand, '5', 40), (10_000, Event, '5', 10_000)], "5"),
            (&[(0, InBand, '5', 40), (10_000, Event, '5', 100)], "55"),
            // An INFO that got through with its third transmission.
            (&[(0, Event, '5', 100), (1_600, Info, '5', 100)], "5"),
            (&[(0, Event, '5', 0), (2_001, Info, '5', 0)], "55"),
            (&[(0, Event, '5', 100), (10, Info, '6', 100)], "56"),
        ] {
            check(DigitPolicy::Auto, reports, expected);
        }
    }

    #[test]
    fn two_presses_that_two_tell_are_two() {
        for order in [
            [Event, Info, Event, Info],
            [Event, Event, Info, Info],
            [Event, Info, Info, Event],
            [Info, Info, Event, Event],
        ] {
            let reports: Vec<_> = (0..)
                .zip(order)
                .map(|(n, source)| (n * 60, source, '5', 100))
                .collect();
            check(DigitPolicy::Auto, &reports, "55");
        }
    }

    #[test]
    fn events_silence_the_tones_for_good() {
        let reports = [
            (0, InBand, '1', 40),
            (80, Event, '1', 100),
            (5_000, InBand, '7', 40), // speech that sounds like a key
            (9_000, Info, '3', 0),
        ];
        check(DigitPolicy::Auto, &reports, "13");
        let mut digits = Digits::new(DigitPolicy::Auto);
        assert!(digits.listens_to_tones());
        digits.event_began();
        assert!(!digits.listens_to_tones());
        let digit = Digit {
            key: '1',
            duration_ms: 40,
        };
        assert!(!digits.take(origin(), InBand, digit));
        assert!(digits.take(origin(), Event, digit));
    }

    #[test]
    fn one_source_alone_is_believed_where_the_operator_says_so() {
        let reports = [
            (0, InBand, '1', 40),
            (500, Event, '2', 100),
            (900, Info, '3', 0),
            (5_000, InBand, '4', 40),
        ];
        for (source, expected, listens) in [
            (Event, "2", false),
            (Info, "3", false),
            (InBand, "14", true),
        ] {
            check(DigitPolicy::Only(source), &reports, expected);
            let digits = Digits::new(DigitPolicy::Only(source));
            assert_eq!(digits.listens_to_tones(), listens);
        }
    }

    #[test]
    fn many_presses_are_remembered_as_long_as_it_matters() {
        let keys = "0123456789*#ABCD0123456789*#ABCD";
        let reports: Vec<_> = (0..)
            .zip(keys.chars())
            .flat_map(|(n, key)| [(n * 50, Event, key, 40), (n * 50 + 20, Info, key, 40)])
            .collect();
        check(DigitPolicy::Auto, &reports, keys);
    }
}
