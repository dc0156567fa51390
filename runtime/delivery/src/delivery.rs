//! Which callback goes next.

use std::collections::{BTreeSet, HashMap, VecDeque};

use call::{AccountSid, CallbackSubject};

use crate::backoff::next_attempt;

/// Callbacks of one account on the way at a time.
const ON_THE_WAY_OF_ACCOUNT: usize = 8;
/// Callbacks on the way at a time.
pub const ON_THE_WAY: usize = 128;

/// A callback as the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Counts up in the store.
    pub id: u64,
    /// Whose server is told.
    pub account: AccountSid,
    /// Of what.
    pub subject: CallbackSubject,
    /// When it happened.
    pub created_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried.
    pub due_ms: u64,
}

/// What happens to the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// There is one more. Those of one subject come in their order.
    Add(Waiting),
    /// The server took it.
    Delivered(u64),
    /// It did not.
    Failed {
        /// Which one.
        id: u64,
        /// Another attempt may end better.
        may_try_again: bool,
        /// Any number.
        random: u64,
    },
    /// The deadline is over.
    Deadline,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Try it now, and say how it went.
    Send(u64),
    /// Keep that it was tried, and when it is tried again.
    Again {
        /// Which one.
        id: u64,
        /// How often it was tried.
        attempts: u32,
        /// When it is tried again.
        due_ms: u64,
    },
    /// Keep that nobody tries it any more.
    GiveUp {
        /// Which one.
        id: u64,
        /// How often it was tried.
        attempts: u32,
    },
}

/// The outbox. The caller drains [`Self::poll`] before the next [`Self::handle`].
#[derive(Debug, Default)]
pub struct Delivery {
    waiting: HashMap<u64, Waiting>,
    /// Of each subject those that were never tried, in order; the first one is ready or on the way.
    untried: HashMap<CallbackSubject, VecDeque<u64>>,
    accounts: HashMap<AccountSid, Lane>,
    /// Accounts with something ready that may go, each once.
    turns: VecDeque<AccountSid>,
    /// When each is tried again.
    later: BTreeSet<(u64, u64)>,
    on_the_way: usize,
    outputs: VecDeque<Output>,
}

/// The callbacks of one account.
#[derive(Debug, Default)]
struct Lane {
    ready: VecDeque<u64>,
    on_the_way: usize,
    has_turn: bool,
}

impl Lane {
    fn may_send(&self) -> bool {
        !self.ready.is_empty() && self.on_the_way < ON_THE_WAY_OF_ACCOUNT
    }
}

impl Delivery {
    /// Feeds one input. `now_ms` may jump; nothing is lost by it.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        match input {
            Input::Add(waiting) => self.add(now_ms, waiting),
            Input::Delivered(id) => {
                if let Some(waiting) = self.back(id) {
                    self.waiting.remove(&waiting.id);
                }
            }
            Input::Failed {
                id,
                may_try_again,
                random,
            } => self.failed(now_ms, id, may_try_again, random),
            Input::Deadline => {}
        }
        self.wake(now_ms);
        self.take_turns();
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Deadline`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.later.first().map(|(due, _)| *due)
    }

    /// Nothing is on its way, and nothing waits for its first attempt.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.on_the_way == 0 && self.untried.is_empty()
    }

    fn add(&mut self, now_ms: u64, waiting: Waiting) {
        if self.waiting.insert(waiting.id, waiting).is_some() {
            return;
        }
        if waiting.attempts > 0 {
            self.later.insert((waiting.due_ms.max(now_ms), waiting.id));
            return;
        }
        let untried = self.untried.entry(waiting.subject).or_default();
        untried.push_back(waiting.id);
        if untried.len() == 1 {
            self.make_ready(waiting.account, waiting.id);
        }
    }

    fn failed(&mut self, now_ms: u64, id: u64, may_try_again: bool, random: u64) {
        let Some(mut waiting) = self.back(id) else {
            return;
        };
        waiting.attempts += 1;
        let attempts = waiting.attempts;
        let again = next_attempt(waiting.created_ms, now_ms, attempts, random);
        match again.filter(|_| may_try_again) {
            Some(due_ms) => {
                waiting.due_ms = due_ms;
                self.waiting.insert(id, waiting);
                self.later.insert((due_ms, id));
                self.outputs.push_back(Output::Again {
                    id,
                    attempts,
                    due_ms,
                });
            }
            None => {
                self.waiting.remove(&id);
                self.outputs.push_back(Output::GiveUp { id, attempts });
            }
        }
    }

    /// One is not on the way any more: the next of its subject may go, and the next of its account.
    fn back(&mut self, id: u64) -> Option<Waiting> {
        let waiting = *self.waiting.get(&id)?;
        self.on_the_way -= 1;
        if let Some(lane) = self.accounts.get_mut(&waiting.account) {
            lane.on_the_way -= 1;
        }
        if waiting.attempts == 0 {
            self.next_of_subject(waiting);
        }
        self.give_turn(waiting.account);
        Some(waiting)
    }

    fn next_of_subject(&mut self, tried: Waiting) {
        let Some(untried) = self.untried.get_mut(&tried.subject) else {
            return;
        };
        untried.pop_front();
        match untried.front().copied() {
            Some(next) => self.make_ready(tried.account, next),
            None => {
                self.untried.remove(&tried.subject);
            }
        }
    }

    fn wake(&mut self, now_ms: u64) {
        while let Some(&(due, id)) = self.later.first()
            && due <= now_ms
        {
            self.later.pop_first();
            if let Some(waiting) = self.waiting.get(&id) {
                self.make_ready(waiting.account, id);
            }
        }
    }

    fn make_ready(&mut self, account: AccountSid, id: u64) {
        self.accounts
            .entry(account)
            .or_default()
            .ready
            .push_back(id);
        self.give_turn(account);
    }

    fn give_turn(&mut self, account: AccountSid) {
        let Some(lane) = self.accounts.get_mut(&account) else {
            return;
        };
        if lane.may_send() && !lane.has_turn {
            lane.has_turn = true;
            self.turns.push_back(account);
        } else if lane.ready.is_empty() && lane.on_the_way == 0 && !lane.has_turn {
            self.accounts.remove(&account);
        }
    }

    fn take_turns(&mut self) {
        while self.on_the_way < ON_THE_WAY
            && let Some(account) = self.turns.pop_front()
        {
            let Some(lane) = self.accounts.get_mut(&account) else {
                continue;
            };
            lane.has_turn = false;
            if lane.may_send()
                && let Some(id) = lane.ready.pop_front()
            {
                lane.on_the_way += 1;
                self.on_the_way += 1;
                self.outputs.push_back(Output::Send(id));
            }
            self.give_turn(account);
        }
    }
}
