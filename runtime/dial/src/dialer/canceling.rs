//! Queues that are given up: the calls of an account that wait, or those of one class.
//!
//! They may be a million. From the order on none of them is dialled; they are taken out some at a time, so that the dialler is free for others
//! between two steps.

use std::collections::BTreeMap;

use call::AccountSid;
use store::Priority;

use super::queue::Waiting;
use super::walk::{Budget, Walk};
use super::{Dialer, Output};

/// Whose calls are given up, and of which class alone.
type Whose = (AccountSid, Option<Priority>);

/// The orders of which some calls still wait.
#[derive(Debug, Default)]
pub(super) struct Canceling(BTreeMap<Whose, Order>);

#[derive(Debug)]
struct Order {
    /// Calls that came later are not meant.
    before: u64,
    walk: Walk,
}

impl Canceling {
    /// Whether somebody has given this call up.
    pub(super) fn is_meant(&self, waiting: &Waiting) -> bool {
        let mut orders = self.0.iter();
        orders.any(|(whose, order)| is_meant(*whose, order.before, waiting))
    }
}

fn is_meant((account, class): Whose, before: u64, waiting: &Waiting) -> bool {
    waiting.request.account == account
        && waiting.sequence < before
        && class.is_none_or(|class| class as usize == waiting.class)
}

impl Dialer {
    /// Whether calls of this order still wait: [`Input::CancelMore`](super::Input::CancelMore) takes the next of them out.
    #[must_use]
    pub fn is_canceling(&self, account: AccountSid, class: Option<Priority>) -> bool {
        self.canceling.0.contains_key(&(account, class))
    }

    pub(super) fn cancel_all(&mut self, account: AccountSid, class: Option<Priority>) {
        let mut walk = Walk::default();
        walk.begin();
        let before = self.next_sequence;
        let order = Order { before, walk };
        self.canceling.0.insert((account, class), order);
        // Those that are attempted, or asked about, may be about to come back.
        let highest = self.highest_class(account);
        for (call, held) in &mut self.held {
            let Some(waited) = &mut held.waited else {
                continue;
            };
            let request = &waited.request;
            let own = request.terms.priority.max(highest);
            if request.account != account || class.is_some_and(|class| class != own) {
                continue;
            }
            waited.is_canceled = true;
            // One whose INVITE has not left yet is not dialled either.
            if held.ready.take().is_some() {
                let call = *call;
                self.outputs.push_back(Output::Canceled { call, account });
            }
        }
        self.cancel_more(account, class);
    }

    /// Takes the next calls out that an order means.
    pub(super) fn cancel_more(&mut self, account: AccountSid, class: Option<Priority>) {
        let whose = (account, class);
        let Some(order) = self.canceling.0.get_mut(&whose) else {
            return;
        };
        let before = order.before;
        let is_meant = |waiting: &Waiting| is_meant(whose, before, waiting);
        let mut budget = Budget::default();
        let calls = order.walk.step(&self.waiting, &mut budget, is_meant);
        if !order.walk.goes_on() {
            self.canceling.0.remove(&whose);
        }
        for call in calls {
            self.cancel(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::CallSid;

    use super::super::walk::{LOOKED_AT, TOUCHED};
    use crate::dialer::bench::{Bench, account, call as sid};
    use crate::dialer::{Input, Output};
    use crate::line::Line;

    const MANY: u64 = 100_000;

    fn is_canceled(output: &Output) -> bool {
        matches!(output, Output::Canceled { .. })
    }

    /// How many calls each step took out.
    fn cancel(bench: &mut Bench, of: u8) -> Vec<usize> {
        let (account, class) = (account(of), None);
        let count = |outputs: Vec<Output>| outputs.iter().filter(|one| is_canceled(one)).count();
        let mut steps = vec![count(bench.feed(Input::CancelAll { account, class }))];
        while bench.dialer.is_canceling(account, class) {
            steps.push(count(bench.feed(Input::CancelMore { account, class })));
        }
        steps
    }

    #[test]
    fn a_hundred_thousand_are_given_up_a_thousand_at_a_time() {
        let mut bench = Bench::new();
        bench.fill(1, 0..MANY);
        let steps = cancel(&mut bench, 1);
        assert_eq!(steps.iter().sum::<usize>() as u64, MANY);
        assert_eq!(steps.iter().max(), Some(&TOUCHED));
        assert!(
            steps.len() <= 1 + MANY as usize / TOUCHED,
            "{}",
            steps.len()
        );
        assert_eq!(bench.dialer.waiting(), 0);
        assert!(bench.dialer.held.is_empty(), "nobody is dialled");
        let mut lines = bench.dialer.lines.iter().flat_map(|lines| lines.values());
        assert!(lines.all(Line::is_empty));
    }

    #[test]
    fn of_a_few_among_many_a_step_looks_at_ten_thousand() {
        let mut bench = Bench::new();
        bench.fill(1, (0..MANY).filter(|number| number % 10_000 != 7));
        bench.fill(2, (0..MANY).filter(|number| number % 10_000 == 7));
        let steps = cancel(&mut bench, 2);
        assert_eq!(steps.iter().sum::<usize>(), 10);
        let looks = (MANY as usize).div_ceil(LOOKED_AT);
        assert!(
            (looks..=looks + 1).contains(&steps.len()),
            "{}",
            steps.len()
        );
        let others = bench.dialer.waiting() + bench.dialer.held.len();
        assert_eq!(others as u64, MANY - 10);
    }

    /// From the order on none of them is dialled, however many channels come free; what comes later is.
    #[test]
    fn between_two_steps_none_of_them_is_dialled() {
        let mut bench = Bench::new();
        bench.fill(1, 0..MANY / 20);
        let dialled = bench.feed(Input::Timeout);
        assert!(!dialled.is_empty(), "somebody has a channel");
        let (account, class) = (account(1), None);
        bench.feed(Input::CancelAll { account, class });
        assert!(bench.dialer.is_canceling(account, class));
        let up: Vec<CallSid> = bench.dialer.held.keys().copied().collect();
        for call in up {
            assert_eq!(bench.feed(Input::Ended(call)), []);
        }
        bench.now.instant += Duration::from_secs(60);
        let later =
            |output: &Output| matches!(output, Output::Attempt { call, .. } if *call == sid(MANY));
        let mut outputs = bench.accept(MANY, 1);
        // Those before it in the line are passed over a step at a time.
        while outputs.is_empty() {
            assert_eq!(bench.dialer.deadline(), Some(bench.now.instant));
            outputs = bench.feed(Input::Timeout);
        }
        assert!(outputs.iter().all(later), "{outputs:?}");
        let mut canceled = 0;
        while bench.dialer.is_canceling(account, class) {
            canceled += bench.feed(Input::CancelMore { account, class }).len();
        }
        assert!(canceled > 0);
        assert_eq!(bench.dialer.waiting(), 0, "nothing of it is left");
    }
}
