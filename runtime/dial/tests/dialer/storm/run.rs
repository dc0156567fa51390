//! One run: what happens when, and who is told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::{Duration, Instant};

use call::{CallRecord, CallSid, CallStatus, Direction};
use jackfield_dial::retry::Attempt;
use jackfield_dial::{Dialer, Input, Now, Output, QueueLimits};
use store::{
    AccountStore as _, EXPIRED, Flow, Leg, MemoryStore, NewCall, QueuedCall, Scope, Store as _,
    TrunkId,
};

use super::agenda::{Happening, MINUTE, SECOND};
use super::observer::{Clocks, Observer, Up, Waits};
use super::people::{NOON_UNIX_MS, Person};
use super::plan::{Plan, own_number};
use super::totals::Totals;
use crate::random::Random;
use crate::world::{account, call, ms, origin};

/// Inputs after which a run is taken for endless.
const MOST_STEPS: u32 = 200_000;

pub(super) struct Run {
    pub(super) random: Random,
    origin: Instant,
    pub(super) clocks: Clocks,
    /// By how much the clock on the wall was put forward so far.
    put_forward_ms: u64,
    pub(super) store: MemoryStore,
    pub(super) dialer: Dialer,
    pub(super) observer: Observer,
    pub(super) people: Vec<Person>,
    /// Whose call is whose: those that wait or are up.
    pub(super) calls: BTreeMap<CallSid, usize>,
    next_call: u64,
    /// Lines that a far end really has, by trunk and part; where there is none, enough.
    pub(super) lines: BTreeMap<(usize, Option<usize>), u32>,
    pub(super) broken: BTreeSet<usize>,
    agenda: BinaryHeap<Reverse<(u64, Happening)>>,
    pub(super) totals: Totals,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let store = MemoryStore::new();
        plan.apply(&store);
        let many = 10 + random.below(50) as usize;
        let people = (0..many).map(|at| Person::new(at, &plan, &mut random));
        let people = people.collect();
        let mut run = Self {
            dialer: Dialer::new(store.directory(), QueueLimits::default()),
            observer: Observer::new(seed, plan),
            random,
            origin: origin(),
            clocks: Clocks {
                at_ms: 0,
                unix_ms: NOON_UNIX_MS,
            },
            put_forward_ms: 0,
            store,
            people,
            calls: BTreeMap::new(),
            next_call: 0,
            lines: BTreeMap::new(),
            broken: BTreeSet::new(),
            agenda: BinaryHeap::new(),
            totals: Totals::default(),
        };
        run.foretell();
        run
    }

    pub(super) fn at(&mut self, at_ms: u64, happening: Happening) {
        self.agenda.push(Reverse((at_ms, happening)));
    }

    /// Runs until nothing goes on, and looks at what became of everybody.
    pub(super) fn finish(mut self) -> Totals {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            if steps > MOST_STEPS {
                self.observer.fail("does not come to an end");
            }
        }
        if !self.observer.waiting.is_empty() || !self.observer.up.is_empty() {
            self.observer.fail("leaves calls behind that nothing moves");
        }
        let mut left = 0;
        self.store.queued(&mut |_, _| left += 1).unwrap();
        assert_eq!(left, 0, "calls wait on disk that nobody knows of");
        for person in &self.people {
            assert!(person.over.is_some(), "forgotten: {person:?}");
            let made = person.attempts.iter().filter(|attempt| attempt.counts());
            let most = person.wish.max_attempts.unwrap();
            assert!(made.count() <= most as usize, "{person:?}");
        }
        self.totals
    }

    /// Lets the next thing happen; false where nothing is left.
    fn step(&mut self) -> bool {
        let deadline = self.dialer.deadline().map(|deadline| {
            let after = deadline.saturating_duration_since(self.origin);
            (after.as_micros().div_ceil(1_000) as u64).max(self.clocks.at_ms)
        });
        let next = self.agenda.peek().map(|Reverse((at, _))| *at);
        match (deadline, next) {
            (None, None) => return false,
            (Some(deadline), next) if next.is_none_or(|next| deadline <= next) => {
                self.pass_to(deadline);
                self.feed(Input::Timeout);
            }
            _ => {
                if let Some(Reverse((at, happening))) = self.agenda.pop() {
                    self.pass_to(at);
                    self.happen(happening);
                }
            }
        }
        true
    }

    /// How much time has passed for who sees the clock on the wall put forward, and never back.
    fn on_wall_ms(&self) -> u64 {
        self.clocks.at_ms + self.put_forward_ms
    }

    /// Both clocks go on.
    pub(super) fn pass_to(&mut self, at_ms: u64) {
        let at_ms = at_ms.max(self.clocks.at_ms);
        self.clocks.unix_ms += at_ms - self.clocks.at_ms;
        self.clocks.at_ms = at_ms;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Order(person, not_before) => self.order(person, not_before),
            Happening::TakeBack(person) => self.take_back(person),
            Happening::TakeAllBack(of) => {
                let (account, class) = (account(of), None);
                self.feed(Input::CancelAll { account, class });
                if self.dialer.is_canceling(account, class) {
                    self.observer.fail("gives up a few in more than one step");
                }
            }
            Happening::StoryDials(of) => self.story_dials(of),
            Happening::ComesIn(trunk) => self.come_in(trunk),
            Happening::End(call) => self.end(call),
            Happening::LetsGo(call) => drop(self.observer.orphans.remove(&call)),
            Happening::Congested(call, silence) => self.congest(call, silence),
            Happening::Change => self.change(),
            Happening::Stop(of) => self.stop(of, true),
            Happening::Resume(of) => self.stop(of, false),
            Happening::Breaks(trunk) => {
                self.totals.failures += 1;
                self.broken.insert(trunk);
                self.notice_soon();
            }
            Happening::Works(trunk) => {
                self.broken.remove(&trunk);
                self.notice_soon();
            }
            Happening::Watch => self.watch(),
            Happening::Jump(by) => {
                self.totals.jumps += 1;
                self.put_forward_ms += by.max(0).unsigned_abs();
                self.clocks.unix_ms = self.clocks.unix_ms.saturating_add_signed(by);
            }
            Happening::Crash => self.crash(),
        }
    }

    pub(super) fn feed(&mut self, input: Input) {
        let now = self.now();
        self.dialer.handle(now, input);
        self.perform();
    }

    pub(super) fn now(&self) -> Now {
        Now {
            instant: self.origin + ms(self.clocks.at_ms),
            unix_ms: self.clocks.unix_ms,
        }
    }

    /// Does what the dialer says, as far as the process lives.
    fn perform(&mut self) {
        while let Some(output) = self.dialer.poll() {
            match output {
                Output::Attempt { call, trunk, .. } => {
                    if self.attempt(call, &trunk) == Lives::No {
                        return self.crash();
                    }
                }
                Output::Leave(_) => self.observer.fail("lets leave what is not ready"),
                Output::Refuse { call, reason, .. } => {
                    let of = self.observer.waiting.get(&call).map(|waits| waits.account);
                    if of.is_none_or(|of| self.observer.plan.accounts[of].may_call) {
                        self.observer.fail("refuses what is allowed");
                    }
                    self.totals.refused += 1;
                    self.leave(call, CallStatus::Failed, &reason.to_string());
                }
                Output::Expire { call, .. } => {
                    let waits = self.observer.waiting.get(&call);
                    if waits.is_none_or(|waits| !waits.terms.is_expired(self.clocks.unix_ms)) {
                        self.observer
                            .fail("gives a call up before its time is over");
                    }
                    self.totals.expired += 1;
                    self.leave(call, CallStatus::Failed, EXPIRED);
                }
                Output::Canceled { call, .. } => {
                    self.totals.taken_back += 1;
                    self.leave(call, CallStatus::Canceled, "taken back");
                }
            }
        }
        self.observer.check(self.clocks);
        if self.dialer.waiting() != self.observer.waiting.len() {
            self.observer.fail("miscounts what waits");
        }
        for trunk in 0..self.observer.plan.trunks.len() {
            let (counted, held) = (
                self.dialer.channels_held(&trunk_id(trunk)),
                self.observer.up_on(trunk),
            );
            let may_be_more = self.clocks.at_ms < self.observer.orphans_until_ms;
            if counted < held || (counted > held && !may_be_more) {
                self.observer.fail(&format!(
                    "counts {counted} channels of trunk {trunk} where {held} are up"
                ));
            }
        }
    }

    pub(super) fn new_sid(&mut self) -> CallSid {
        self.next_call += 1;
        call(self.next_call)
    }

    /// Orders a call to somebody, as his application does it over the API.
    fn order(&mut self, at: usize, not_before_unix_ms: Option<u64>) {
        let sid = self.new_sid();
        let person = &self.people[at];
        let orders = person.orders(not_before_unix_ms);
        let waits = Waits {
            account: person.account,
            prefix: person.prefix,
            terms: orders.queue.clone(),
        };
        let new = NewCall {
            sid,
            from: own_number(person.account),
            to: person.number.clone(),
            direction: Direction::OutboundApi,
            parent: None,
            flow: Flow::rejecting(),
            ring_timeout_s: None,
            settings: BTreeMap::new(),
            callback: None,
            notification: None,
            orders,
            created_unix_ms: self.clocks.unix_ms,
        };
        let scope = Scope::of_host(account(person.account));
        let row = self.store.accept_call(scope, new).wait().unwrap();
        self.calls.insert(sid, at);
        self.observer.waiting.insert(sid, waits);
        self.feed(Input::Accepted(QueuedCall::of(&row).into()));
    }

    fn take_back(&mut self, person: usize) {
        let mut calls = self.calls.iter();
        if let Some((sid, _)) = calls.find(|(_, of)| **of == person) {
            self.feed(Input::Cancel(*sid));
        }
    }

    /// A call leaves the queue without being dialled.
    fn leave(&mut self, call: CallSid, status: CallStatus, why: &str) {
        if self.observer.waiting.remove(&call).is_none() {
            self.observer.fail("ends a call that does not wait");
        }
        self.settle(call, None, CallRecord::new(status, why));
    }

    /// Dials; the process may die on the way.
    fn attempt(&mut self, call: CallSid, trunk: &TrunkId) -> Lives {
        if self.random.below(400) == 0 {
            return Lives::No; // before anything is on disk: the next one dials it
        }
        let leg = Leg {
            trunk: trunk.clone(),
            sip_call_id: String::new(),
        };
        let at = self.clocks.unix_ms;
        let begun = self.store.begin_attempt(call, leg.into(), at);
        begun.wait().unwrap();
        self.totals.attempts += 1;
        let person = &self.people[self.calls[&call]];
        let rested = person.rests_from_ms.map(|from| self.on_wall_ms() - from);
        if rested.is_some_and(|rested| rested < person.gap_ms()) {
            self.observer.fail("dials somebody again within the gap");
        }
        let number = trunk_number(trunk);
        let up = self.observer.attempt(self.clocks, call, number);
        self.ring(call, up);
        match self.random.below(400) {
            0 => Lives::No,
            _ => Lives::Yes,
        }
    }

    /// What the far end does with a call.
    pub(super) fn ring(&mut self, call: CallSid, up: Up) {
        let taken = |part: Option<usize>| {
            let up =
                self.observer.up.values().filter(|other| {
                    other.trunk == up.trunk && (part.is_none() || other.part == part)
                });
            up.count() as u32
        };
        let is_full = [None, up.part].into_iter().any(|part| {
            let lines = self.lines.get(&(up.trunk, part));
            lines.is_some_and(|lines| taken(part) > *lines)
        });
        let (after, happening) = if self.broken.contains(&up.trunk) {
            (4 * SECOND, Happening::End(call))
        } else if is_full {
            let silence = [0, 0, 5, 90][self.random.below(4) as usize];
            (self.random.below(300), Happening::Congested(call, silence))
        } else {
            (SECOND + self.random.below(MINUTE), Happening::End(call))
        };
        self.at(self.clocks.at_ms + after, happening);
    }

    fn end(&mut self, call: CallSid) {
        let Some(up) = self.observer.up.remove(&call) else {
            return; // a process that died has ended it
        };
        let (status, sip_status) = match self.random.below(10) {
            _ if self.broken.contains(&up.trunk) => (CallStatus::Failed, None),
            0..=3 => (CallStatus::Completed, Some(200)),
            4..=6 => (CallStatus::NoAnswer, Some(480)),
            7..=8 => (CallStatus::Busy, Some(486)),
            _ => (CallStatus::Failed, Some(404)),
        };
        let record = CallRecord {
            sip_status,
            ..CallRecord::new(status, "over")
        };
        self.settle(call, Some(up.trunk), record);
        self.feed(Input::Ended(call));
    }

    fn congest(&mut self, call: CallSid, silence: u64) {
        let Some(up) = self.observer.up.remove(&call) else {
            return;
        };
        self.totals.congested += 1;
        self.observer
            .refused(up, self.clocks.at_ms + silence * SECOND);
        let asked = (silence > 0).then_some(silence);
        let record = CallRecord {
            sip_status: Some(503),
            retry_after_s: asked.map(|seconds| seconds as u32),
            ..CallRecord::new(CallStatus::Failed, "Service Unavailable")
        };
        let retry_after = asked.map(Duration::from_secs);
        self.settle(call, Some(up.trunk), record);
        self.feed(Input::Congested { call, retry_after });
    }

    /// The end of a call is on disk; where its person is to be called again, that is ordered.
    pub(super) fn settle(&mut self, call: CallSid, trunk: Option<usize>, record: CallRecord) {
        let Some(at) = self.calls.remove(&call) else {
            return; // nobody of ours: a call that came in, or that a story dialled
        };
        let (unix_ms, now_ms) = (self.clocks.unix_ms, self.on_wall_ms());
        let ended = self.store.finish_call(call, record.clone(), unix_ms, None);
        ended.wait().unwrap();
        let person = &mut self.people[at];
        if trunk.is_some() {
            person.rests_from_ms = Some(now_ms);
        }
        if record.status == CallStatus::Canceled {
            person.over = Some("taken back".to_owned());
            return;
        }
        let attempt = Attempt {
            started_unix_ms: unix_ms,
            ended_unix_ms: unix_ms,
            trunk: trunk.map(trunk_id),
            record,
        };
        if attempt.reached() {
            self.totals.reached += 1;
        }
        match person.decide(attempt, unix_ms) {
            Some(not_before) => {
                let soon = self.clocks.at_ms + 1;
                self.at(soon, Happening::Order(at, Some(not_before)));
            }
            None => self.totals.given_up += 1,
        }
    }
}

/// Whether the process still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lives {
    Yes,
    No,
}

pub(super) fn trunk_id(trunk: usize) -> TrunkId {
    TrunkId(format!("t{trunk}"))
}

pub(super) fn trunk_number(trunk: &TrunkId) -> usize {
    trunk.0[1..].parse().unwrap()
}
