//! Calls whose time has come, or is over. A clock that is set may make a million of them due at once, as may the hour at which a broadcast's calls
//! begin: they are moved some at a time, the next step is due at once, and nobody is dialled before all of them stand in their lines.

use super::queue::Waiting;
use super::walk::{Budget, TOUCHED};
use super::{Dialer, Now, Output};

impl Dialer {
    /// Ends calls whose time is over, and lets those stand in their lines that are due. False where some are left for the next step.
    pub(super) fn keep_times(&mut self, now: Now) -> bool {
        if self.schedule.is_set_back(now) {
            self.hours.begin();
        }
        self.ask_hours_anew(now);
        let mut left = TOUCHED;
        while left > 0
            && let Some(call) = self.schedule.next_expired(now.unix_ms)
        {
            left -= 1;
            if let Some(waiting) = self.take_out(call) {
                let account = waiting.request.account;
                self.outputs.push_back(Output::Expire { call, account });
            }
        }
        while left > 0
            && let Some(call) = self.schedule.next_due(now.unix_ms)
        {
            left -= 1;
            self.put_off(now, call);
        }
        let next_expired = self.schedule.next_expired(now.unix_ms);
        next_expired
            .or(self.schedule.next_due(now.unix_ms))
            .is_none()
    }

    /// The clock on the wall was set back: hours that were over may have come again, and who was put off waits no longer than was said.
    fn ask_hours_anew(&mut self, now: Now) {
        let waits_for_hours = |waiting: &Waiting| {
            let is_moved =
                waiting.request.terms.window.is_some() || waiting.put_off_until.is_some();
            waiting.due_unix_ms.is_some() && is_moved
        };
        let mut budget = Budget::default();
        let calls = self.hours.step(&self.waiting, &mut budget, waits_for_hours);
        for call in calls {
            self.put_off(now, call);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use store::QueueTerms;

    use super::super::walk::LOOKED_AT;
    use super::*;
    use crate::dialer::bench::{Bench, request};
    use crate::dialer::{CallRequest, Input};

    const MANY: u64 = 100_000;
    const HOUR_MS: u64 = 3_600_000;

    /// Calls of account 1 that wait on these terms, at noon.
    fn at_noon(terms: &QueueTerms) -> Bench {
        let mut bench = Bench::new();
        bench.now.unix_ms = 12 * HOUR_MS;
        bench.feed(Input::Timeout);
        for number in 0..MANY {
            let request = CallRequest {
                terms: terms.clone(),
                ..request(number, 1)
            };
            bench.dialer.take_in(bench.now, number, request);
        }
        bench
    }

    fn due(bench: &Bench) -> usize {
        let waits = bench.dialer.waits(super::super::bench::account(1));
        waits.by_class().map(|(_, waits)| waits.due).sum()
    }

    /// Feeds timeouts for as long as they are due at once; how many outputs came of each step.
    fn steps(bench: &mut Bench) -> Vec<usize> {
        let mut steps = vec![bench.feed(Input::Timeout).len()];
        while bench.dialer.deadline() == Some(bench.now.instant) {
            steps.push(bench.feed(Input::Timeout).len());
        }
        steps
    }

    #[test]
    fn a_clock_set_back_asks_the_hours_of_a_thousand_at_a_time() {
        let window = Some("08:00-09:00 UTC".parse().unwrap());
        let mut bench = at_noon(&QueueTerms {
            window,
            ..QueueTerms::default()
        });
        assert_eq!(due(&bench), 0);
        bench.now.unix_ms = 8 * HOUR_MS + 1;
        bench.feed(Input::Timeout);
        assert_eq!(due(&bench) + bench.dialer.held.len(), TOUCHED);
        let steps = 1 + steps(&mut bench).len();
        assert_eq!(due(&bench) + bench.dialer.held.len(), MANY as usize);
        let expected = (MANY as usize).div_ceil(TOUCHED);
        assert!((expected..=expected + 1).contains(&steps), "{steps}");
    }

    /// A policy lets the one call that may go wait for a minute, and the clock is set meanwhile, from noon to this hour.
    fn is_asked_again_after_a_minute(terms: QueueTerms, hour: u64) {
        let mut bench = Bench::new();
        bench.now.unix_ms = 12 * HOUR_MS;
        let call = CallRequest {
            terms,
            ..request(1, 1)
        };
        let attempts = bench.feed(Input::Accepted(call.clone()));
        assert_eq!(attempts.len(), 1);
        let put_off = Input::PutOff {
            call: call.call,
            until_unix_ms: bench.now.unix_ms + 60_000,
        };
        assert_eq!(bench.feed(put_off), []);
        let minute = [(1_000, 0), (58_000, 0), (1_000, 1)];
        bench.now.unix_ms = hour * HOUR_MS;
        for (ms, expected) in minute {
            bench.now.unix_ms += ms;
            bench.now.instant += Duration::from_millis(ms);
            let attempts = bench.feed(Input::Timeout);
            assert_eq!(attempts.len(), expected, "{call:?} at {:?}", bench.now);
        }
    }

    #[test]
    fn a_minute_is_a_minute_however_the_clock_is_set() {
        let window = Some("08:00-18:00 UTC".parse().unwrap());
        for hour in [9, 12, 15] {
            is_asked_again_after_a_minute(QueueTerms::default(), hour);
            is_asked_again_after_a_minute(
                QueueTerms {
                    window: window.clone(),
                    ..QueueTerms::default()
                },
                hour,
            );
        }
    }

    #[test]
    fn who_is_put_off_beyond_its_hours_waits_for_the_next_ones() {
        let mut bench = Bench::new();
        bench.now.unix_ms = 12 * HOUR_MS;
        let call = CallRequest {
            terms: QueueTerms {
                window: Some("08:00-13:00 UTC".parse().unwrap()),
                ..QueueTerms::default()
            },
            ..request(1, 1)
        };
        bench.feed(Input::Accepted(call.clone()));
        bench.feed(Input::PutOff {
            call: call.call,
            until_unix_ms: 14 * HOUR_MS,
        });
        for (hour, expected) in [(13, 0), (14, 0), (31, 0), (32, 1)] {
            bench.now.instant += Duration::from_millis(hour * HOUR_MS - bench.now.unix_ms);
            bench.now.unix_ms = hour * HOUR_MS;
            assert_eq!(bench.feed(Input::Timeout).len(), expected, "{hour}:00");
        }
    }

    #[test]
    fn a_clock_set_back_looks_at_ten_thousand_at_a_time() {
        let mut bench = at_noon(&QueueTerms::default());
        bench.now.unix_ms = 8 * HOUR_MS;
        let steps = steps(&mut bench).len();
        let expected = (MANY as usize).div_ceil(LOOKED_AT);
        assert!((expected..=expected + 1).contains(&steps), "{steps}");
    }

    #[test]
    fn whose_hour_comes_together_stand_in_line_before_one_is_dialled() {
        let mut bench = at_noon(&QueueTerms {
            not_before_unix_ms: Some(13 * HOUR_MS),
            ..QueueTerms::default()
        });
        bench.now.unix_ms = 13 * HOUR_MS;
        let steps = steps(&mut bench);
        let (last, before) = steps.split_last().unwrap();
        assert_eq!(before.len(), MANY as usize / TOUCHED - 1);
        assert!(
            before.iter().all(|outputs| *outputs == 0),
            "nobody is dialled"
        );
        assert_eq!((*last, due(&bench)), (2, MANY as usize - 2));
    }

    /// The hours of most of an account's calls are over while they stand in line, before one of its calls that may go at any hour.
    #[test]
    fn a_call_whose_hours_are_over_takes_no_turn_of_its_account() {
        let mut bench = Bench::new();
        bench.now.unix_ms = 12 * HOUR_MS;
        for number in 0..2 {
            bench.accept(number, 2); // takes the channels
        }
        let hours = QueueTerms {
            window: Some("08:00-13:00 UTC".parse().unwrap()),
            ..QueueTerms::default()
        };
        for number in 2..12 {
            bench.feed(Input::Accepted(CallRequest {
                terms: hours.clone(),
                ..request(number, 1)
            }));
        }
        bench.accept(12, 1);
        for number in 13..23 {
            bench.accept(number, 2);
        }
        bench.now.unix_ms = 14 * HOUR_MS;
        bench.now.instant += Duration::from_secs(7_200);
        let outputs = bench.feed(Input::Ended(super::super::bench::call(0)));
        let [Output::Attempt { call, .. }] = &outputs[..] else {
            panic!("{outputs:?}")
        };
        assert_eq!(*call, super::super::bench::call(12), "it was its turn");
    }

    #[test]
    fn calls_whose_hours_are_over_leave_their_line_a_thousand_at_a_time() {
        let mut bench = at_noon(&QueueTerms {
            window: Some("08:00-13:00 UTC".parse().unwrap()),
            ..QueueTerms::default()
        });
        bench.feed(Input::Timeout);
        let standing = due(&bench);
        bench.now.unix_ms = 14 * HOUR_MS;
        let held: Vec<_> = bench.dialer.held.keys().copied().collect();
        assert_eq!(bench.feed(Input::Ended(held[0])), []);
        assert!(standing - due(&bench) <= TOUCHED, "{standing}");
        assert!(due(&bench) > 0, "the test is of those that are left");
        assert!(steps(&mut bench).len() >= standing / TOUCHED - 1);
        assert_eq!(due(&bench), 0);
    }

    #[test]
    fn whose_time_is_over_together_end_a_thousand_at_a_time() {
        let mut bench = at_noon(&QueueTerms {
            expires_unix_ms: Some(13 * HOUR_MS),
            ..QueueTerms::default()
        });
        bench.now.unix_ms = 13 * HOUR_MS;
        let steps = steps(&mut bench);
        assert_eq!(steps.iter().max(), Some(&TOUCHED));
        assert_eq!(steps.iter().sum::<usize>(), MANY as usize);
        assert_eq!((bench.dialer.waiting(), bench.dialer.held.len()), (0, 0));
    }
}
