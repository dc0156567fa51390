//! How the versions of a policy did of late: one that keeps failing for an account is left alone for a while, by that account's calls alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use call::AccountSid;

/// Failures one after the other, after which a version is left alone.
pub(super) const FAILURES: u32 = 5;
/// For how long.
const REST: Duration = Duration::from_secs(60);
/// What failed so long ago does not count any more.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Whose calls fail with which version.
pub(super) type Case = (AccountSid, u32);

/// Failures that count. A version that decides has none.
#[derive(Debug, Default)]
pub(super) struct Troubles(HashMap<Case, Trouble>);

#[derive(Debug)]
struct Trouble {
    in_a_row: u32,
    last: Instant,
    rests_until: Option<Instant>,
}

impl Troubles {
    /// Whether the version is left alone by the account's calls.
    pub(super) fn rests(&self, case: Case, now: Instant) -> bool {
        let until = self.0.get(&case).and_then(|trouble| trouble.rests_until);
        until.is_some_and(|until| now < until)
    }

    /// It has decided.
    pub(super) fn went_well(&mut self, case: Case) {
        self.0.remove(&case);
    }

    /// It has not decided. True where it is left alone from now on.
    pub(super) fn failed(&mut self, case: Case, now: Instant) -> bool {
        if !self.0.contains_key(&case) {
            self.0.retain(|_, trouble| now < trouble.last + FORGOTTEN);
        }
        let trouble = self.0.entry(case).or_insert(Trouble {
            in_a_row: 0,
            last: now,
            rests_until: None,
        });
        trouble.in_a_row += 1;
        trouble.last = now;
        let is_enough = trouble.in_a_row >= FAILURES;
        if is_enough {
            trouble.in_a_row = 0;
            trouble.rests_until = Some(now + REST);
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(account: u8, version: u32) -> Case {
        (AccountSid::from_bytes([account; 16]), version)
    }

    fn fail(troubles: &mut Troubles, case: Case, times: u32, now: Instant) -> bool {
        (0..times).fold(false, |_, _| troubles.failed(case, now))
    }

    #[test]
    fn one_accounts_failures_leave_the_others_their_policy() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        assert!(!fail(&mut troubles, of(1, 1), FAILURES - 1, now));
        assert!(!troubles.rests(of(1, 1), now));
        assert!(fail(&mut troubles, of(1, 1), 1, now));
        assert!(troubles.rests(of(1, 1), now + REST - Duration::from_millis(1)));
        assert!(!troubles.rests(of(1, 1), now + REST));
        assert!(!troubles.rests(of(2, 1), now));
    }

    #[test]
    fn a_canary_has_failures_of_its_own() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        // Two versions take turns: the one that decides does not forget what the other failed.
        for nth in 1..=FAILURES {
            assert_eq!(troubles.failed(of(1, 2), now), nth == FAILURES);
            troubles.went_well(of(1, 1));
        }
        assert!(troubles.rests(of(1, 2), now));
        assert!(!troubles.rests(of(1, 1), now));
    }

    #[test]
    fn a_decision_forgets_what_failed_before() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        for _ in 0..3 {
            assert!(!fail(&mut troubles, of(1, 1), FAILURES - 1, now));
            troubles.went_well(of(1, 1));
        }
        assert!(troubles.0.is_empty());
    }

    #[test]
    fn what_failed_long_ago_is_not_kept() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        troubles.failed(of(1, 1), now);
        troubles.failed(of(2, 1), now + FORGOTTEN / 2);
        troubles.failed(of(3, 1), now + FORGOTTEN);
        assert_eq!(troubles.0.len(), 2);
    }
}
