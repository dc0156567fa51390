//! Stands at the wire with a list and a watch, and complains.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use call::CallSid;
use store::{Priority, QueueTerms};

use super::plan::Plan;
use crate::random::Random;

/// A call that waits, as its order says it.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    pub(super) account: usize,
    pub(super) prefix: usize,
    pub(super) terms: QueueTerms,
}

/// A call that has a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Up {
    pub(super) account: usize,
    pub(super) trunk: usize,
    /// The prefix of the part that it has a channel of.
    pub(super) part: Option<usize>,
    /// It came in: it has none of the channels that its account may dial with.
    pub(super) is_inbound: bool,
}

/// What the clocks say: milliseconds from the beginning, and since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    pub(super) at_ms: u64,
    pub(super) unix_ms: u64,
}

/// Who shares calls per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Payer {
    Trunk(usize),
    Account(usize),
    Carrier(usize),
}

/// What can be seen from outside.
pub(super) struct Observer {
    seed: u64,
    pub(super) plan: Plan,
    pub(super) waiting: BTreeMap<CallSid, Waits>,
    pub(super) up: BTreeMap<CallSid, Up>,
    /// Calls of the process before this one: the far end has not noticed yet that nobody is there.
    pub(super) orphans: BTreeMap<CallSid, Up>,
    /// Until then the dialer counts them, whether the far end has noticed or not.
    pub(super) orphans_until_ms: u64,
    attempted: BTreeSet<CallSid>,
    starts: BTreeMap<Payer, Vec<u64>>,
    /// Trunks that the dialer was told do not answer.
    pub(super) down: BTreeSet<usize>,
    pub(super) stopped: BTreeSet<usize>,
    /// Trunks and parts that refused calls for want of room since the process began, and until when they want to be left alone.
    silences: BTreeMap<(usize, Option<usize>), u64>,
    /// How often others went over a trunk while an account could have: (trunk, class, who waits, who went).
    passed: BTreeMap<(usize, Priority, usize, usize), usize>,
}

impl Observer {
    pub(super) fn new(seed: u64, plan: Plan) -> Self {
        Self {
            seed,
            plan,
            waiting: BTreeMap::new(),
            up: BTreeMap::new(),
            orphans: BTreeMap::new(),
            orphans_until_ms: 0,
            attempted: BTreeSet::new(),
            starts: BTreeMap::new(),
            down: BTreeSet::new(),
            stopped: BTreeSet::new(),
            silences: BTreeMap::new(),
            passed: BTreeMap::new(),
        }
    }

    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}; {:?}", self.seed, self.plan);
    }

    /// The process is another one: it knows nobody's turn, and of what was up only that the far end may still hold it. (Of what was up in
    /// the process before the last it knows nothing.)
    pub(super) fn restart(&mut self, until_ms: u64) {
        self.orphans = std::mem::take(&mut self.up);
        self.orphans_until_ms = until_ms;
        self.starts.clear();
        self.down.clear();
        self.silences.clear();
        self.passed.clear();
    }

    /// Lines were made anew, with the first order in front.
    pub(super) fn forget_turns(&mut self) {
        self.passed.clear();
    }

    /// Somebody applies other limits; what has begun until now kept to the old ones.
    pub(super) fn change(&mut self, random: &mut Random) {
        self.plan.change(random);
        self.starts.clear();
        self.passed.clear();
    }

    /// The far end had no room for a call that was up until now.
    pub(super) fn refused(&mut self, up: Up, until_ms: u64) {
        let until = self.silences.entry((up.trunk, up.part)).or_default();
        *until = (*until).max(until_ms);
    }

    pub(super) fn up_on(&self, trunk: usize) -> u32 {
        self.held().filter(|up| up.trunk == trunk).count() as u32
    }

    /// What the far end holds.
    fn held(&self) -> impl Iterator<Item = &Up> {
        self.up.values().chain(self.orphans.values())
    }

    fn part(&self, trunk: usize, prefix: usize) -> Option<usize> {
        self.plan.trunks[trunk].part_of(prefix)
    }

    /// Whether something that the call needs has no channel left over this trunk.
    fn is_full(&self, account: usize, trunk: usize, part: Option<usize>) -> bool {
        let of = &self.plan.trunks[trunk];
        let on_part = self
            .held()
            .filter(|up| up.trunk == trunk && up.part == part);
        let of_account = self
            .held()
            .filter(|up| up.account == account && !up.is_inbound);
        let part_is_full = part.is_some()
            && of
                .part
                .is_some_and(|(_, channels)| on_part.count() as u32 >= channels);
        part_is_full
            || self.up_on(trunk) + of.reserved >= of.limits.0
            || of_account.count() as u32 >= self.plan.accounts[account].limits.0
    }

    /// The trunks that may carry a call: those that answer, or where none does, all.
    fn ways(&self, account: usize, prefix: usize) -> Vec<usize> {
        let all: Vec<_> = self.plan.ways(account, prefix).collect();
        let answer: Vec<_> = all
            .iter()
            .copied()
            .filter(|way| !self.down.contains(way))
            .collect();
        if answer.is_empty() { all } else { answer }
    }

    fn class(&self, waits: &Waits) -> Priority {
        waits
            .terms
            .priority
            .max(self.plan.accounts[waits.account].highest)
    }

    fn is_due(&self, waits: &Waits, clocks: Clocks) -> bool {
        !self.stopped.contains(&waits.account)
            && waits.terms.first_time(clocks.unix_ms) == clocks.unix_ms
    }

    /// Whether a call that waits could go over a trunk, as far as can be told from outside: no rate holds it up, and nothing was refused
    /// there that the dialer may have drawn a lesson from.
    fn could_go(&self, waits: &Waits, trunk: usize, clocks: Clocks) -> bool {
        let part = self.part(trunk, waits.prefix);
        self.plan.is_fast
            && clocks.at_ms >= self.orphans_until_ms
            && self.is_due(waits, clocks)
            && self.ways(waits.account, waits.prefix).contains(&trunk)
            && !self.silences.contains_key(&(trunk, None))
            && !self.silences.contains_key(&(trunk, part))
            && !self.is_full(waits.account, trunk, part)
    }

    /// A call from the queue is dialled.
    pub(super) fn attempt(&mut self, clocks: Clocks, call: CallSid, trunk: usize) -> Up {
        let Some(waits) = self.waiting.remove(&call) else {
            self.fail("dials a call that does not wait")
        };
        if !self.attempted.insert(call) {
            self.fail("dials a call twice");
        }
        if self.stopped.contains(&waits.account) {
            self.fail("dials for an account whose queue is stopped");
        }
        if waits.terms.first_time(clocks.unix_ms) != clocks.unix_ms {
            self.fail("dials before its time, or outside of its hours");
        }
        if waits.terms.is_expired(clocks.unix_ms) {
            self.fail("dials a call whose time is over");
        }
        if !self.ways(waits.account, waits.prefix).contains(&trunk) {
            self.fail(
                "dials over a trunk that does not serve the number, or is known not to answer",
            );
        }
        self.check_urgent(&waits, trunk, clocks);
        self.check_turns(&waits, trunk, clocks);
        self.check_order(&waits, trunk, clocks);
        let up = Up {
            account: waits.account,
            trunk,
            part: self.part(trunk, waits.prefix),
            is_inbound: false,
        };
        self.begin(clocks, call, up);
        up
    }

    /// A call begins here: out of the queue, or at once.
    pub(super) fn begin(&mut self, clocks: Clocks, call: CallSid, up: Up) {
        if self.is_full(up.account, up.trunk, up.part) {
            self.fail("takes a channel too many");
        }
        let silences = [(up.trunk, None), (up.trunk, up.part)];
        let silences = silences.iter().filter_map(|of| self.silences.get(of));
        if silences.max().is_some_and(|until| clocks.at_ms < *until) {
            self.fail("does not leave a far end alone that asked for it");
        }
        let carrier = self.plan.trunks[up.trunk].carrier;
        let rates = [
            (
                Payer::Trunk(up.trunk),
                Some(self.plan.trunks[up.trunk].limits.1),
            ),
            (
                Payer::Account(up.account),
                Some(self.plan.accounts[up.account].limits.1),
            ),
            (Payer::Carrier(carrier), self.plan.carriers[carrier]),
        ];
        for (payer, rate) in rates {
            let starts = self.starts.entry(payer).or_default();
            starts.push(clocks.at_ms);
            let since = |start: &&u64| **start + 1_000 > clocks.at_ms;
            let within_a_second = starts.iter().rev().take_while(since).count();
            if rate.is_some_and(|rate| within_a_second as f32 > 1.0 + rate * 1.05) {
                self.fail(&format!(
                    "{within_a_second} starts in a second of {payer:?}"
                ));
            }
        }
        self.up.insert(call, up);
    }

    /// A more urgent call goes first: of the same account for the same lines always, of others where nothing else holds it up.
    fn check_urgent(&self, goes: &Waits, trunk: usize, clocks: Clocks) {
        let part = self.part(trunk, goes.prefix);
        let class = self.class(goes);
        for waits in self
            .waiting
            .values()
            .filter(|waits| self.class(waits) < class)
        {
            let is_alike = waits.account == goes.account
                && self.part(trunk, waits.prefix) == part
                && self.ways(waits.account, waits.prefix).contains(&trunk)
                && self.is_due(waits, clocks);
            if is_alike || self.could_go(waits, trunk, clocks) {
                self.fail(&format!(
                    "lets a more urgent call wait: {waits:?} for {goes:?}"
                ));
            }
        }
    }

    /// Accounts take turns on a trunk: while one could go, no other goes again and again.
    fn check_turns(&mut self, goes: &Waits, trunk: usize, clocks: Clocks) {
        let class = self.class(goes);
        for other in 0..self.plan.accounts.len() {
            let could = |waits: &Waits| {
                waits.account == other
                    && self.class(waits) == class
                    && self.could_go(waits, trunk, clocks)
            };
            let key = (trunk, class, other, goes.account);
            if other == goes.account || !self.waiting.values().any(could) {
                let of_other = |(on, of, who, _): &(usize, Priority, usize, usize)| {
                    (*on, *of, *who) == (trunk, class, other)
                };
                self.passed.retain(|key, _| !of_other(key));
                continue;
            }
            let passed = self.passed.entry(key).or_default();
            *passed += 1;
            // A call goes over the best of its trunks, whichever let it go: each of them gives a turn.
            if *passed > 1 + self.plan.trunks.len() {
                self.fail("lets one account go again and again while another could");
            }
        }
    }

    /// A call goes over the first of its trunks that has room: by prefix, rank and whose it is, and of those that are alike over the one with the
    /// most free channels.
    fn check_order(&self, goes: &Waits, trunk: usize, clocks: Clocks) {
        if !self.orphans.is_empty() {
            return;
        }
        let standing = |at: usize| {
            let free = self.free(at, self.part(at, goes.prefix));
            (self.plan.trunks[at].place(), Reverse(free))
        };
        for other in self.ways(goes.account, goes.prefix) {
            let goes_before = other != trunk && standing(other) < standing(trunk);
            if goes_before && self.could_go(goes, other, clocks) {
                self.fail(&format!("goes over {trunk} before {other}: {goes:?}"));
            }
        }
    }

    /// Channels of a trunk, and of its part, that a call of the queue may have.
    fn free(&self, trunk: usize, part: Option<usize>) -> u32 {
        let of = &self.plan.trunks[trunk];
        let whole = of.limits.0.saturating_sub(self.up_on(trunk) + of.reserved);
        let on_part = (self.held()).filter(|up| up.trunk == trunk && up.part == part);
        let channels = of.part.filter(|_| part.is_some());
        channels.map_or(whole, |(_, channels)| {
            whole.min(channels.saturating_sub(on_part.count() as u32))
        })
    }

    /// What must hold after each input.
    pub(super) fn check(&self, clocks: Clocks) {
        for waits in self.waiting.values() {
            if waits.terms.is_expired(clocks.unix_ms) {
                self.fail("keeps a call whose time is over");
            }
            let ways = self.ways(waits.account, waits.prefix);
            if ways.iter().any(|way| self.could_go(waits, *way, clocks)) {
                self.fail(&format!("lets a call wait that could go: {waits:?}"));
            }
        }
    }
}
