//! What a new directory changes for the calls that wait.
//!
//! Trunks, numbers and limits change while a million calls wait. Each that may be concerned is judged anew before it is dialled, and all of
//! them soon, but not all of them at once: a step looks at so many and judges so many, and the next step is due at once. Meanwhile each stands
//! where it stood.

use std::collections::BTreeMap;
use std::sync::Arc;

use call::{AccountSid, CallSid};
use store::Directory;

use super::Dialer;
use super::queue::Waiting;
use super::walk::{Budget, TOUCHED, Walk};
use crate::capacity::{Capacity, TrunkCapacity};
use crate::pace::Pace;

/// Who is to be judged anew.
#[derive(Debug, Default)]
pub(super) struct Judging {
    /// Counts directories.
    directory: u64,
    /// The last one that may have changed something for an account.
    for_account: BTreeMap<AccountSid, u64>,
    walk: Walk,
    /// How many were judged anew in this step.
    judged: usize,
}

impl Judging {
    /// Which directory holds.
    pub(super) const fn directory(&self) -> u64 {
        self.directory
    }

    pub(super) fn is_stale(&self, waiting: &Waiting) -> bool {
        let concerned_by = self.for_account.get(&waiting.request.account);
        concerned_by.is_some_and(|directory| waiting.judged_by < *directory)
    }

    /// Whether some are left for another step.
    pub(super) fn goes_on(&self) -> bool {
        self.walk.goes_on() || self.has_enough()
    }

    /// Whether this step has judged enough.
    pub(super) const fn has_enough(&self) -> bool {
        self.judged >= TOUCHED
    }

    /// A call was passed over in this step that is not dialled.
    pub(super) const fn passes_over(&mut self) {
        self.judged += 1;
    }
}

impl Dialer {
    pub(super) fn take_directory(&mut self, directory: Arc<Directory>) {
        let rerouted = directory.rerouted_since(&self.directory);
        self.directory = directory;
        self.take_limits();
        self.judging.directory += 1;
        for account in rerouted {
            if self.waiting_by_account.contains_key(&account) {
                self.judging
                    .for_account
                    .insert(account, self.judging.directory);
                self.judging.walk.begin();
            }
        }
    }

    /// Judges some of those anew for whom something may have changed.
    pub(super) fn judge_some(&mut self) {
        let mut walk = std::mem::take(&mut self.judging.walk);
        let is_stale = |waiting: &Waiting| self.judging.is_stale(waiting);
        let stale = walk.step(&self.waiting, &mut Budget::default(), is_stale);
        self.judging.walk = walk;
        if !self.judging.walk.goes_on() {
            // Those that are judged now are the last.
            self.judging.for_account.clear();
        }
        for call in stale {
            self.judge_anew(call);
        }
        // As many again where they are about to be dialled.
        self.judging.judged = 0;
    }

    /// Lets a call wait where it belongs now, or refuses it.
    pub(super) fn judge_anew(&mut self, call: CallSid) {
        self.judging.judged += 1;
        if let Some(waiting) = self.take_out(call) {
            self.judge(waiting.unjudged());
        }
    }

    /// Takes the limits of the directory over, keeping what is counted already.
    pub(super) fn take_limits(&mut self) {
        for trunk in self.directory.trunks() {
            self.trunks
                .entry(trunk.id.clone())
                .and_modify(|capacity| capacity.set_limits(trunk))
                .or_insert_with(|| TrunkCapacity::new(trunk));
        }
        let limited = self.directory.carriers();
        let limited = limited.filter_map(|carrier| Some((carrier, carrier.calls_per_second?)));
        let mut before = std::mem::take(&mut self.carriers);
        for (carrier, rate) in limited {
            let mut pace = before
                .remove(&carrier.id)
                .unwrap_or_else(|| Pace::new(rate));
            pace.set_rate(rate);
            self.carriers.insert(carrier.id.clone(), pace);
        }
        for account in self.directory.accounts() {
            let limits = &account.outbound;
            self.accounts
                .entry(account.sid)
                .and_modify(|capacity| {
                    capacity.set_limits(limits.max_channels, limits.calls_per_second);
                })
                .or_insert_with(|| Capacity::new(limits.max_channels, limits.calls_per_second));
        }
    }
}

#[cfg(test)]
mod tests {
    use call::CallSid;
    use store::{AccountStore as _, TrunkId};

    use super::super::walk::TOUCHED;
    use crate::dialer::bench::{Bench, TENANTS, account, apply};
    use crate::dialer::{Input, Output};

    /// As many as three steps judge.
    const MANY: u64 = 2 * TOUCHED as u64 + 500;

    fn stale(bench: &Bench) -> usize {
        let judging = &bench.dialer.judging;
        let waiting = bench.dialer.waiting.values();
        waiting.filter(|waiting| judging.is_stale(waiting)).count()
    }

    #[test]
    fn a_trunk_that_fails_moves_nobody() {
        let mut bench = Bench::new();
        for number in 0..MANY {
            bench.accept(number, 1);
        }
        let ends = bench.dialer.held.keys().next().copied().unwrap();
        let first = TrunkId("first".to_owned());
        assert_eq!(bench.dialer.channels_held(&first), 1);
        bench.feed(Input::Down([first.clone()].into()));
        assert_eq!((stale(&bench), bench.dialer.deadline()), (0, None));
        // All of them stand in both lines, and only one of these is used.
        assert_eq!(bench.feed(Input::Ended(ends)), []);
        assert_eq!(bench.dialer.channels_held(&first), 0);
        let back = bench.feed(Input::Down([].into()));
        let over_first =
            |output: &Output| matches!(output, Output::Attempt { trunk, .. } if *trunk == first);
        assert!(back.iter().all(over_first) && back.len() == 1, "{back:?}");
        // Where none answers the first choice is as good as the other.
        let all = [first.clone(), TrunkId("second".to_owned())];
        bench.feed(Input::Down(all.into()));
        let Output::Attempt { call, .. } = back[0] else {
            unreachable!("as above")
        };
        assert!(bench.feed(Input::Ended(call)).iter().all(over_first));
        assert_eq!(bench.dialer.channels_held(&first), 1);
    }

    #[test]
    fn a_step_judges_so_many_and_the_rest_goes_on() {
        let mut bench = Bench::new();
        for number in 0..MANY {
            bench.accept(number, 1);
        }
        bench.accept(MANY, 2);
        let waiting = bench.dialer.waiting();

        // The account with one call: nobody else is judged.
        let few = TENANTS.replace("name = \"few\"", "name = \"few\"\nvoice = \"anna\"");
        apply(&bench.store, &few);
        bench.feed(Input::Directory(bench.store.directory()));
        assert_eq!(bench.dialer.judging.for_account.len(), 0, "all is done");
        assert_eq!(stale(&bench), 0);

        // The account with many may call there no more: so many in each step, and nobody is dialled any more.
        let gone = few.replacen("\"+855\"", "\"+252\"", 1);
        apply(&bench.store, &gone);
        let mut refused = bench.feed(Input::Directory(bench.store.directory()));
        let mut steps = vec![refused.len()];
        while bench.dialer.deadline() == Some(bench.now.instant) {
            let outputs = bench.feed(Input::Timeout);
            steps.push(outputs.len());
            refused.extend(outputs);
        }
        assert!(steps.iter().all(|step| *step <= 2 * TOUCHED), "{steps:?}");
        assert!(steps.len() >= 2, "{steps:?}");
        let is_refused = |output: &Output| matches!(output, Output::Refuse { .. });
        let count = refused.iter().filter(|output| is_refused(output)).count();
        assert_eq!((count, bench.dialer.waiting()), (waiting - 1, 1));
        assert_eq!(stale(&bench), 0);
    }

    #[test]
    fn whoever_is_about_to_be_dialled_is_judged_first() {
        let mut bench = Bench::new();
        for number in 0..MANY {
            bench.accept(number, 1);
        }
        let gone = TENANTS.replacen("\"+855\"", "\"+252\"", 1);
        apply(&bench.store, &gone);
        bench.feed(Input::Directory(bench.store.directory()));
        assert!(stale(&bench) > 0, "the test is of those that are left");
        let up: Vec<CallSid> = bench.dialer.held.keys().copied().collect();
        for call in up {
            let outputs = bench.feed(Input::Ended(call));
            let is_attempt = |output: &Output| matches!(output, Output::Attempt { .. });
            assert!(!outputs.iter().any(is_attempt), "by the old directory");
        }
    }

    #[test]
    fn who_comes_in_meanwhile_takes_nobodys_turn() {
        let mut bench = Bench::new();
        for number in 0..MANY {
            bench.accept(2 * number, 1);
        }
        let waiting = bench.dialer.waiting();
        let gone = TENANTS.replacen("\"+855\"", "\"+252\"", 1);
        apply(&bench.store, &gone);
        bench.feed(Input::Directory(bench.store.directory()));
        let before = bench.dialer.waiting();
        // In front of the last one, and behind where the look is.
        bench.accept(2 * (MANY - 1) - 1, 2);
        assert!(before < waiting && stale(&bench) > 0, "in the middle of it");
        while bench.dialer.deadline() == Some(bench.now.instant) {
            bench.feed(Input::Timeout);
        }
        let left = bench.dialer.waiting.values();
        let few = account(2);
        assert_eq!(left.filter(|left| left.request.account != few).count(), 0);
    }
}
