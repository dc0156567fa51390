//! Whether, and when, somebody who was not reached is called again: the rules that hold where no strategy of an account's own says
//! otherwise.

use std::time::Duration;

use crate::learned::LONGEST_RETRY_AFTER;
use call::{CallRecord, CallStatus, Outcome};
use store::{EXPIRED, QueueTerms, TrunkId};

/// Attempts that nothing goes beyond, whatever a strategy says or how an attempt ended.
pub const MOST_ATTEMPTS: u32 = 10;
/// Attempts where nobody said how many.
pub const USUAL_ATTEMPTS: u32 = 3;
/// From the end of an attempt to the next one, at the least; a strategy may say more.
pub const LEAST_GAP: Duration = Duration::from_secs(60);
/// From the end of an attempt to the next one where nobody said how long.
pub const USUAL_GAP: Duration = Duration::from_secs(15 * 60);

/// One attempt to reach somebody: a call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it was dialled, in milliseconds since the Unix epoch; when it was accepted where it never was.
    pub started_unix_ms: u64,
    /// When it was over, in milliseconds since the Unix epoch.
    pub ended_unix_ms: u64,
    /// The trunk that it went over; none where it was not dialled.
    pub trunk: Option<TrunkId>,
    /// How it ended.
    pub record: CallRecord,
}

impl Attempt {
    /// Whether nobody was called: it was taken back or given up while it waited, or what would have carried it was not there. It counts
    /// to [`MOST_ATTEMPTS`] all the same.
    #[must_use]
    pub fn was_not_made(&self) -> bool {
        let status = self.record.status;
        self.trunk.is_none()
            || status == CallStatus::Canceled
            || self.record.host_reason() == Some(EXPIRED)
    }

    /// Whether it is one of those that were wanted: whoever met a full line was called by nobody, and has their attempts still before them. It counts to
    /// [`MOST_ATTEMPTS`] all the same.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.was_not_made() && self.record.outcome() != Outcome::Congestion
    }

    /// Whether the one who was called was reached.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.record.outcome() == Outcome::Answered
    }
}

/// What who wants somebody called says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Attempts at most, of those that [count](Attempt::counts); [`USUAL_ATTEMPTS`] without it, and never more than [`MOST_ATTEMPTS`] of all.
    pub max_attempts: Option<u32>,
    /// Pause between attempts, which no strategy shortens; [`USUAL_GAP`] by the usual rules without it, and never less than [`LEAST_GAP`].
    pub gap: Option<Duration>,
    /// From when, until when and in which hours.
    pub terms: QueueTerms,
}

impl Wish {
    /// The same for rules that stand in for a strategy which decided nothing: they end no sooner than the host's own bound, so that what passes gives up
    /// nobody who would have been called again.
    #[must_use]
    pub fn in_place_of_a_strategy(self) -> Self {
        Self {
            max_attempts: self.max_attempts.or(Some(MOST_ATTEMPTS)),
            ..self
        }
    }
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is another attempt.
    Again {
        /// Not before, in milliseconds since the Unix epoch.
        at_unix_ms: u64,
        /// Why then.
        reason: String,
    },
    /// There is none; says why.
    Stop(String),
}

/// The usual rules: who was not reached (no answer, busy, failed) is called again until the attempts are used up; an attempt that was never
/// made, or met a full line, is made up for; after [`MOST_ATTEMPTS`] it is over. `attempts`: all so far, the first in front.
#[must_use]
pub fn next(attempts: &[Attempt], wish: &Wish, now_unix_ms: u64) -> Decision {
    let gap = wish.gap.unwrap_or(USUAL_GAP);
    let (made, most) = (made(attempts), wish.max_attempts.unwrap_or(USUAL_ATTEMPTS));
    let Some(last) = attempts.last() else {
        return bounded(
            attempts,
            wish,
            now_unix_ms,
            "not called yet".to_owned(),
            now_unix_ms,
        );
    };
    if attempts.iter().any(Attempt::reached) {
        return Decision::Stop("reached".to_owned());
    }
    if last.record.outcome() == Outcome::Unallocated {
        return Decision::Stop("nobody has that number".to_owned());
    }
    if made >= most {
        return Decision::Stop(enough(made, most));
    }
    let reason = format!("{}: again after {} s", last.record.status, gap.as_secs());
    let at = last.ended_unix_ms + millis(gap);
    bounded(attempts, wish, at, reason, now_unix_ms)
}

/// What a decision for `at_unix_ms` comes to within the bounds that no rule and no strategy goes beyond: the attempts, the gap, what the far end asked
/// for, the hours and the end.
#[must_use]
pub fn bounded(
    attempts: &[Attempt],
    wish: &Wish,
    at_unix_ms: u64,
    reason: String,
    now_unix_ms: u64,
) -> Decision {
    if attempts.len() >= MOST_ATTEMPTS as usize {
        return Decision::Stop(format!(
            "there were {MOST_ATTEMPTS} attempts: the most there are"
        ));
    }
    let made = made(attempts);
    if let Some(most) = wish.max_attempts.filter(|most| made >= *most) {
        return Decision::Stop(enough(made, most));
    }
    let gap = wish.gap.unwrap_or(LEAST_GAP).max(LEAST_GAP);
    let rested = attempts
        .last()
        .map_or(0, |last| last.ended_unix_ms + millis(gap.max(asked(last))));
    let at_unix_ms = wish
        .terms
        .first_time(at_unix_ms.max(rested).max(now_unix_ms));
    if wish.terms.is_expired(at_unix_ms) {
        return Decision::Stop(format!(
            "its time is over before the next attempt ({reason})"
        ));
    }
    Decision::Again { at_unix_ms, reason }
}

/// How long the far end asked to be left alone.
fn asked(attempt: &Attempt) -> Duration {
    let seconds = attempt.record.retry_after_s.unwrap_or(0);
    Duration::from_secs(seconds.into()).min(LONGEST_RETRY_AFTER)
}

/// How many of these count.
fn made(attempts: &[Attempt]) -> u32 {
    let made = attempts.iter().filter(|attempt| attempt.counts());
    u32::try_from(made.count()).unwrap_or(u32::MAX)
}

fn enough(made: u32, most: u32) -> String {
    format!("{made} attempts were made, and {most} are wanted")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const NOW: u64 = 100 * MINUTE;

    /// Attempts that took a minute each, the last one over just now.
    fn attempts(ends: &[(CallStatus, Option<u16>)]) -> Vec<Attempt> {
        let last = ends.len() as u64;
        let made = ends
            .iter()
            .zip(1_u64..)
            .map(|((status, sip_status), at)| Attempt {
                started_unix_ms: NOW - (last - at + 1) * MINUTE,
                ended_unix_ms: NOW - (last - at) * MINUTE,
                trunk: Some(TrunkId("north".to_owned())),
                record: CallRecord {
                    sip_status: *sip_status,
                    ..CallRecord::new(*status, "")
                },
            });
        made.collect()
    }

    #[track_caller]
    fn check(ends: &[(CallStatus, Option<u16>)], expected: Result<u64, &str>) {
        match (next(&attempts(ends), &Wish::default(), NOW), expected) {
            (Decision::Again { at_unix_ms, .. }, Ok(at)) => assert_eq!(at_unix_ms, at, "{ends:?}"),
            (Decision::Stop(why), Err(words)) => assert!(why.contains(words), "{ends:?}: {why}"),
            (decision, _) => panic!("{ends:?}: {decision:?}"),
        }
    }

    #[test]
    fn who_was_not_reached_is_called_three_times() {
        use CallStatus::{Busy, Completed, Failed, NoAnswer};
        let later = Ok(NOW + 15 * MINUTE);
        check(&[], Ok(NOW));
        for end in [(Busy, Some(486)), (NoAnswer, None), (Failed, Some(500))] {
            check(&[end], later);
            check(&[end, end], later);
            check(&[end, end, end], Err("3 attempts were made"));
        }
        check(&[(Busy, Some(486)), (Completed, Some(200))], Err("reached"));
        check(&[(Failed, Some(404))], Err("nobody has that number"));
    }

    #[test]
    fn an_attempt_that_was_never_made_is_made_up_for_up_to_ten() {
        use CallStatus::{Busy, Canceled};
        let later = Ok(NOW + 15 * MINUTE);
        check(&[(Canceled, None); 9], later);
        check(&[(Canceled, None); 10], Err("10 attempts"));
        check(
            &[(Busy, Some(486)), (Canceled, None), (Busy, Some(486))],
            later,
        );

        let mut expired = attempts(&[(CallStatus::Failed, None); 4]);
        for attempt in &mut expired {
            attempt.record.end_reason = EXPIRED.to_owned();
        }
        assert!(matches!(
            next(&expired, &Wish::default(), NOW),
            Decision::Again { .. }
        ));

        // A far end that says so was called.
        for attempt in &mut expired {
            attempt.record.sip_status = Some(500);
        }
        assert!(matches!(
            next(&expired, &Wish::default(), NOW),
            Decision::Stop(_)
        ));
    }

    #[test]
    fn whoever_met_a_full_line_keeps_their_attempts_up_to_ten() {
        use CallStatus::{Busy, Failed};
        let later = Ok(NOW + 15 * MINUTE);
        let full = (Failed, Some(503));
        check(&[full; 9], later);
        check(&[full; 10], Err("10 attempts"));
        let busy = (Busy, Some(486));
        check(&[busy, full, full, busy], later);
        check(&[busy, full, busy, full, busy], Err("3 attempts were made"));

        // A strategy may say so too, where the order names a number.
        let wish = Wish {
            max_attempts: Some(1),
            ..Wish::default()
        };
        let decision = bounded(&attempts(&[full; 2]), &wish, NOW, String::new(), NOW);
        assert!(matches!(decision, Decision::Again { .. }));
    }

    #[test]
    fn an_attempt_that_a_crash_cut_off_counts() {
        let mut lost = attempts(&[(CallStatus::Failed, None); 3]);
        for attempt in &mut lost {
            attempt.record.end_reason = "node_lost".to_owned();
        }
        assert!(matches!(
            next(&lost, &Wish::default(), NOW),
            Decision::Stop(_)
        ));
    }

    #[test]
    fn nobody_is_called_before_the_gap_or_outside_of_the_hours() {
        let busy = attempts(&[(CallStatus::Busy, Some(486))]);
        let at = |wish: Wish| match next(&busy, &wish, NOW) {
            Decision::Again { at_unix_ms, .. } => Some(at_unix_ms),
            Decision::Stop(_) => None,
        };
        let gap = |seconds| Wish {
            gap: Some(Duration::from_secs(seconds)),
            ..Wish::default()
        };
        assert_eq!(at(gap(0)), Some(NOW + MINUTE), "never less than a minute");
        assert_eq!(at(gap(7_200)), Some(NOW + 120 * MINUTE));
        let with = |terms| Wish { terms, ..gap(60) };
        let hours = QueueTerms {
            window: Some("03:00-04:00 UTC".parse().unwrap()),
            ..QueueTerms::default()
        };
        assert_eq!(at(with(hours)), Some(180 * MINUTE));
        let end = |expires_unix_ms| {
            with(QueueTerms {
                expires_unix_ms: Some(expires_unix_ms),
                ..QueueTerms::default()
            })
        };
        assert_eq!(at(end(NOW + MINUTE)), None);
        assert_eq!(at(end(NOW + MINUTE + 1)), Some(NOW + MINUTE));
    }

    #[test]
    fn no_strategy_calls_before_the_gap_or_more_often_than_is_wanted() {
        let busy = attempts(&[(CallStatus::Busy, Some(486))]);
        let at = |asked: u64, gap: Option<u64>| {
            let wish = Wish {
                gap: gap.map(Duration::from_secs),
                max_attempts: Some(2),
                ..Wish::default()
            };
            match bounded(&busy, &wish, asked, String::new(), NOW) {
                Decision::Again { at_unix_ms, .. } => at_unix_ms,
                Decision::Stop(why) => panic!("{why}"),
            }
        };
        for (asked, gap, expected) in [
            (0, None, NOW + MINUTE),
            (NOW + 2 * MINUTE, None, NOW + 2 * MINUTE),
            (NOW + 2 * MINUTE, Some(300), NOW + 5 * MINUTE),
            (NOW + 9 * MINUTE, Some(300), NOW + 9 * MINUTE),
        ] {
            assert_eq!(at(asked, gap), expected, "{asked} {gap:?}");
        }
        let wish = Wish {
            max_attempts: Some(1),
            ..Wish::default()
        };
        let decision = bounded(&busy, &wish, NOW, String::new(), NOW);
        assert!(matches!(decision, Decision::Stop(why) if why.starts_with("1 attempts were made")));
    }

    #[test]
    fn what_passes_in_a_strategy_gives_up_nobody() {
        let busy = |times| attempts(&vec![(CallStatus::Busy, Some(486)); times]);
        let wish = Wish::default().in_place_of_a_strategy();
        for (times, goes_on) in [(3, true), (9, true), (10, false)] {
            let decision = next(&busy(times), &wish, NOW);
            assert_eq!(
                matches!(decision, Decision::Again { .. }),
                goes_on,
                "{times}"
            );
        }
        let two = Wish {
            max_attempts: Some(2),
            ..Wish::default()
        };
        let decision = next(&busy(2), &two.in_place_of_a_strategy(), NOW);
        assert!(matches!(decision, Decision::Stop(_)), "as was ordered");
    }

    #[test]
    fn what_the_far_end_asks_for_is_kept_to() {
        let mut congested = attempts(&[(CallStatus::Failed, Some(503))]);
        congested[0].record.retry_after_s = Some(3_600);
        let decision = next(&congested, &Wish::default(), NOW);
        assert!(
            matches!(decision, Decision::Again { at_unix_ms, .. } if at_unix_ms == NOW + 60 * MINUTE)
        );
        let hasty = bounded(&congested, &Wish::default(), 0, String::new(), NOW);
        assert!(
            matches!(hasty, Decision::Again { at_unix_ms, .. } if at_unix_ms == NOW + 60 * MINUTE),
            "a strategy keeps to it too"
        );
    }
}
