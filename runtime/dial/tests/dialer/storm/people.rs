//! Who is to be called, and what becomes of each.

use std::time::Duration;

use jackfield_dial::retry::{self, Attempt, Decision, LEAST_GAP, Wish};
use store::{CallOrders, Priority, QueueTerms};

use super::plan::{PREFIXES, Plan};
use crate::random::Random;

/// Noon of a day in November: what the clock on the wall says at the beginning.
pub(super) const NOON_UNIX_MS: u64 = 20_780 * 86_400_000 + 43_200_000;
const MINUTE: u64 = 60_000;
/// From the first order to the last.
pub(super) const ORDERS_WITHIN_MS: u64 = 20 * MINUTE;

/// Somebody who is called until he is reached, or given up.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) account: usize,
    pub(super) number: String,
    /// As [`PREFIXES`] counts.
    pub(super) prefix: usize,
    pub(super) wish: Wish,
    pub(super) attempts: Vec<Attempt>,
    /// When the last call to him was over that was dialled.
    pub(super) rests_from_ms: Option<u64>,
    /// Why nobody calls any more.
    pub(super) over: Option<String>,
}

impl Person {
    pub(super) fn new(at: usize, plan: &Plan, random: &mut Random) -> Self {
        let prefix = random.below(PREFIXES.len() as u64) as usize;
        Self {
            account: random.below(plan.accounts.len() as u64) as usize,
            number: format!("{}{at:06}", PREFIXES[prefix]),
            prefix,
            wish: Wish {
                max_attempts: Some(1 + random.below(4) as u32),
                gap: Some(Duration::from_secs(60 + 60 * random.below(4))),
                terms: terms(random),
            },
            attempts: Vec::new(),
            rests_from_ms: None,
            over: None,
        }
    }

    /// What is ordered of the next call: it is not before the time of the decision.
    pub(super) fn orders(&self, not_before_unix_ms: Option<u64>) -> CallOrders {
        let terms = &self.wish.terms;
        CallOrders {
            queue: QueueTerms {
                not_before_unix_ms: terms.not_before_unix_ms.max(not_before_unix_ms),
                ..terms.clone()
            },
            ..CallOrders::default()
        }
    }

    /// From the end of an attempt to the next one, at the least.
    pub(super) fn gap_ms(&self) -> u64 {
        let gap = self.wish.gap.unwrap_or(LEAST_GAP).max(LEAST_GAP);
        gap.as_millis() as u64
    }

    /// Takes down how a call ended; when there is to be another one.
    pub(super) fn decide(&mut self, attempt: Attempt, now_unix_ms: u64) -> Option<u64> {
        self.attempts.push(attempt);
        match retry::next(&self.attempts, &self.wish, now_unix_ms) {
            Decision::Again { at_unix_ms, .. } => Some(at_unix_ms),
            Decision::Stop(why) => {
                self.over = Some(why);
                None
            }
        }
    }
}

fn terms(random: &mut Random) -> QueueTerms {
    let within = |random: &mut Random| NOON_UNIX_MS + random.below(2 * ORDERS_WITHIN_MS);
    let window = match random.below(12) {
        0 => Some("12:05-12:25 UTC"),
        1 => Some("12:10-20:00 mon-sun UTC"),
        2 => Some("08:00-12:15 UTC"),
        _ => None,
    };
    QueueTerms {
        priority: Priority::ALL[random.below(3) as usize],
        not_before_unix_ms: (random.below(5) == 0).then(|| within(random)),
        expires_unix_ms: (random.below(5) == 0).then(|| within(random)),
        window: window.map(|hours| hours.parse().unwrap()),
    }
}
