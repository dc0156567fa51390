//! Looking at the calls that wait, some at a time.

use std::collections::BTreeMap;
use std::ops::Bound;

use call::CallSid;

use super::queue::Waiting;

/// How many calls a step looks at: a tenth of a millisecond for a thousand.
pub(super) const LOOKED_AT: usize = 10_000;
/// How many of them it does something about: some two milliseconds for a thousand.
pub(super) const TOUCHED: usize = 1_000;

/// Once around the calls that wait: who waits from its beginning to its end is looked at once, whoever comes and goes meanwhile.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Behind which call the next step begins; at the front where there is none.
    behind: Option<CallSid>,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody is left.
    #[default]
    Over,
    /// To the end of the queue, and then from its front to this call, if the walk did not begin there.
    ToEnd(Option<CallSid>),
    /// To this call.
    To(CallSid),
}

/// What a step may still do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) looked_at: usize,
    pub(super) touched: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            looked_at: LOOKED_AT,
            touched: TOUCHED,
        }
    }
}

impl Budget {
    const fn is_left(self) -> bool {
        self.looked_at > 0 && self.touched > 0
    }
}

impl Walk {
    /// Looks at all of them from here on, wherever the walk before has come.
    pub(super) const fn begin(&mut self) {
        self.stage = Stage::ToEnd(self.behind);
    }

    /// Whether some are left.
    pub(super) fn goes_on(&self) -> bool {
        self.stage != Stage::Over
    }

    /// The next calls that are meant, as far as the budget goes.
    pub(super) fn step(
        &mut self,
        waiting: &BTreeMap<CallSid, Box<Waiting>>,
        budget: &mut Budget,
        is_meant: impl Fn(&Waiting) -> bool,
    ) -> Vec<CallSid> {
        let mut meant = Vec::new();
        while self.goes_on() && budget.is_left() {
            let front = self.behind.map_or(Bound::Unbounded, Bound::Excluded);
            let back = match self.stage {
                Stage::To(last) => Bound::Included(last),
                Stage::ToEnd(_) | Stage::Over => Bound::Unbounded,
            };
            let mut rest = waiting.range((front, back));
            while budget.is_left() {
                let Some((call, waiting)) = rest.next() else {
                    self.turn();
                    break;
                };
                budget.looked_at -= 1;
                self.behind = Some(*call);
                if is_meant(waiting) {
                    budget.touched -= 1;
                    meant.push(*call);
                }
            }
        }
        meant
    }

    /// There is nobody left ahead.
    const fn turn(&mut self) {
        self.stage = match self.stage {
            Stage::ToEnd(Some(last)) => {
                self.behind = None;
                Stage::To(last)
            }
            Stage::ToEnd(None) | Stage::To(_) | Stage::Over => Stage::Over,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialer::bench::Bench;

    const MANY: u64 = 2_500;

    fn all(_: &Waiting) -> bool {
        true
    }

    #[test]
    fn a_step_looks_at_so_many_and_touches_so_many() {
        let mut bench = Bench::new();
        bench.fill(1, 0..MANY);
        let waiting = &bench.dialer.waiting;
        let mut walk = Walk::default();
        walk.begin();
        let mut budget = Budget {
            looked_at: 100,
            touched: 7,
        };
        assert_eq!(walk.step(waiting, &mut budget, all).len(), 7);
        assert_eq!((budget.looked_at, budget.touched), (93, 0));
        let mut budget = Budget {
            looked_at: 100,
            touched: 7,
        };
        assert_eq!(walk.step(waiting, &mut budget, |_| false).len(), 0);
        assert_eq!((budget.looked_at, budget.touched), (0, 7));
        assert!(walk.goes_on());
    }

    /// Begun anew on its way, it goes once around from there; those who come meanwhile take nobody's turn.
    #[test]
    fn whoever_stays_is_looked_at_once() {
        let mut bench = Bench::new();
        bench.fill(1, (0..MANY).map(|number| 2 * number));
        let stay: Vec<CallSid> = bench.dialer.waiting.keys().copied().collect();
        let mut walk = Walk::default();
        walk.begin();
        let mut budget = Budget {
            touched: 900,
            ..Budget::default()
        };
        walk.step(&bench.dialer.waiting, &mut budget, all);
        walk.begin();
        let mut seen = Vec::new();
        let mut new = (0..MANY).map(|number| 2 * number + 1);
        while walk.goes_on() {
            let mut budget = Budget {
                touched: 100,
                ..Budget::default()
            };
            seen.extend(walk.step(&bench.dialer.waiting, &mut budget, all));
            bench.fill(1, new.by_ref().take(50));
        }
        seen.retain(|call| stay.binary_search(call).is_ok());
        seen.sort_unstable();
        assert_eq!(seen, stay);
        let mut budget = Budget::default();
        assert_eq!(walk.step(&bench.dialer.waiting, &mut budget, all), []);
    }
}
