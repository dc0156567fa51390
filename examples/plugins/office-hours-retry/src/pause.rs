//! How long to wait before the next attempt, by how the last ones ended.

use std::time::Duration;

use jackfield_guest::Context;
use jackfield_guest::retry::{Attempt, Outcome};

/// The longest pause, however often somebody was not reached.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcomes that are tried again, each with the setting of its first pause, in minutes, and what that is where nothing is said.
const PAUSES: [(Outcome, &str, u64); 6] = [
    (Outcome::Busy, "busy-minutes", 5),
    (Outcome::NoAnswer, "no-answer-minutes", 60),
    (Outcome::Congestion, "congestion-minutes", 1),
    (Outcome::Unreachable, "unreachable-minutes", 30),
    (Outcome::Rejected, "rejected-minutes", 240),
    (Outcome::Failed, "failed-minutes", 5),
];

/// The pause after these attempts, twice as long each time that the last outcome came again; none for an outcome that is not tried again.
/// At least as long as the other side asked for.
pub(crate) fn after(attempts: &[Attempt], context: &Context) -> Result<Option<Duration>, String> {
    let Some(last) = attempts.last() else {
        return Ok(None);
    };
    let outcome = effective(last);
    let Some((_, setting, otherwise)) = PAUSES.iter().find(|(known, ..)| *known == outcome) else {
        return Ok(None);
    };
    let minutes: u32 = context.number(setting, u32::try_from(*otherwise).unwrap_or(u32::MAX))?;
    let same = attempts
        .iter()
        .rev()
        .take_while(|attempt| effective(attempt) == outcome);
    let times = u32::try_from(same.count().saturating_sub(1)).unwrap_or(u32::MAX);
    let first = Duration::from_secs(60 * u64::from(minutes));
    let pause = first
        .saturating_mul(2_u32.saturating_pow(times))
        .min(LONGEST);
    let asked = Duration::from_secs(last.retry_after_s.unwrap_or(0).into());
    Ok(Some(pause.max(asked)))
}

/// A machine that answers has not reached anybody.
pub(crate) fn effective(attempt: &Attempt) -> Outcome {
    match (attempt.outcome, attempt.answered_by_machine) {
        (Outcome::Answered, Some(true)) => Outcome::NoAnswer,
        (outcome, _) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(outcomes: &[Outcome], expected_minutes: Option<u64>) {
        let attempts: Vec<_> = outcomes
            .iter()
            .map(|outcome| Attempt::new("north", *outcome, 0, 0))
            .collect();
        let pause = after(&attempts, &Context::new()).unwrap();
        let expected = expected_minutes.map(|minutes| Duration::from_secs(60 * minutes));
        assert_eq!(pause, expected, "{outcomes:?}");
    }

    #[test]
    fn pauses_grow_while_the_outcome_stays() {
        use Outcome::{Answered, Busy, Congestion, NoAnswer, Unallocated};
        check(&[Busy], Some(5));
        check(&[Busy, Busy], Some(10));
        check(&[Busy, Busy, Busy], Some(20));
        check(&[NoAnswer, Busy], Some(5));
        check(&[Busy, NoAnswer], Some(60));
        check(&[Busy, NoAnswer, Busy], Some(5));
        check(&[Congestion; 40], Some(24 * 60));
        check(&[Answered], None);
        check(&[Unallocated], None);
        check(&[], None);
    }

    #[test]
    fn machines_and_wishes_are_minded() {
        let machine = Attempt {
            answered_by_machine: Some(true),
            ..Attempt::new("north", Outcome::Answered, 0, 0)
        };
        assert_eq!(
            after(&[machine], &Context::new()),
            Ok(Some(Duration::from_secs(3_600)))
        );
        for (retry_after_s, seconds) in [(600, 600), (5, 60)] {
            let asked = Attempt {
                retry_after_s: Some(retry_after_s),
                ..Attempt::new("north", Outcome::Congestion, 0, 0)
            };
            assert_eq!(
                after(&[asked], &Context::new()),
                Ok(Some(Duration::from_secs(seconds)))
            );
        }
    }
}
