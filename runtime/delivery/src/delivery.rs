//! Which callback goes next.

use std::collections::{BTreeSet, HashMap, VecDeque};

use call::{AccountSid, CallbackSubject};

use crate::backoff::next_attempt;

/// Callbacks of one payer on the way at a time.
const ON_THE_WAY_OF_PAYER: usize = 8;
/// Of one payer whose server did not answer the last time.
const ON_THE_WAY_UNANSWERED: usize = 1;
/// Callbacks on the way at a time.
pub const ON_THE_WAY: usize = 128;
/// Callbacks of one payer that wait, those that are to be tried again among them. Each takes some 200 bytes of memory.
pub const WAITING_OF_PAYER: usize = 200_000;

/// A callback as the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Counts up in the store.
    pub id: u64,
    /// Who pays for the account whose server is told: that account, or the one that made it. They have one share together.
    pub payer: AccountSid,
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
        /// Nobody answered in time, or at all.
        unanswered: bool,
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
    /// Keep that nobody tries it: [`WAITING_OF_PAYER`] wait already.
    TooMany {
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
    lanes: HashMap<AccountSid, Lane>,
    /// Payers with something ready that may go, each once.
    turns: VecDeque<AccountSid>,
    /// When each is tried again.
    later: BTreeSet<(u64, u64)>,
    on_the_way: usize,
    outputs: VecDeque<Output>,
}

/// The callbacks of one payer.
#[derive(Debug, Default)]
struct Lane {
    /// Those that were never tried.
    first: VecDeque<u64>,
    /// Those that are tried again.
    again: VecDeque<u64>,
    /// The last that went was one of the latter.
    was_again: bool,
    on_the_way: usize,
    /// All of them, whatever they wait for.
    held: usize,
    has_turn: bool,
    /// Nobody answered the last time, and nothing was taken since.
    is_unanswered: bool,
}

impl Lane {
    fn may_send(&self) -> bool {
        let places = match self.is_unanswered {
            true => ON_THE_WAY_UNANSWERED,
            false => ON_THE_WAY_OF_PAYER,
        };
        let is_empty = self.first.is_empty() && self.again.is_empty();
        !is_empty && self.on_the_way < places
    }

    /// The two kinds take turns: one server of the payer that is away, and all that is tried again there, does not keep what is new from another.
    fn next(&mut self) -> Option<u64> {
        let (first, again) = (&mut self.first, &mut self.again);
        let next = match self.was_again {
            true => first.pop_front().map(|id| (id, false)),
            false => None,
        };
        let next = next.or_else(|| again.pop_front().map(|id| (id, true)));
        let (id, is_again) = next.or_else(|| first.pop_front().map(|id| (id, false)))?;
        self.was_again = is_again;
        Some(id)
    }
}

impl Delivery {
    /// Feeds one input. `now_ms` may jump; nothing is lost by it.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        match input {
            Input::Add(waiting) => self.add(now_ms, waiting),
            Input::Delivered(id) => {
                if let Some(waiting) = self.back(id, Some(false)) {
                    self.forget(waiting);
                }
            }
            Input::Failed {
                id,
                may_try_again,
                unanswered,
                random,
            } => {
                if let Some(waiting) = self.back(id, unanswered.then_some(true)) {
                    self.failed(now_ms, waiting, may_try_again, random);
                }
            }
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
        if self.waiting.contains_key(&waiting.id) {
            return;
        }
        let lane = self.lanes.entry(waiting.payer).or_default();
        if lane.held >= WAITING_OF_PAYER {
            let Waiting { id, attempts, .. } = waiting;
            self.outputs.push_back(Output::TooMany { id, attempts });
            return;
        }
        lane.held += 1;
        self.waiting.insert(waiting.id, waiting);
        if waiting.attempts > 0 {
            self.later.insert((waiting.due_ms.max(now_ms), waiting.id));
            return;
        }
        let untried = self.untried.entry(waiting.subject).or_default();
        untried.push_back(waiting.id);
        if untried.len() == 1 {
            self.make_ready(waiting);
        }
    }

    fn failed(&mut self, now_ms: u64, mut waiting: Waiting, may_try_again: bool, random: u64) {
        waiting.attempts += 1;
        let Waiting { id, attempts, .. } = waiting;
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
                self.forget(waiting);
                self.outputs.push_back(Output::GiveUp { id, attempts });
            }
        }
    }

    /// One is not on the way any more: the next of its subject may go, and the next of its payer. `unanswered`: what that tells of the payer's
    /// servers.
    fn back(&mut self, id: u64, unanswered: Option<bool>) -> Option<Waiting> {
        let waiting = *self.waiting.get(&id)?;
        self.on_the_way -= 1;
        if let Some(lane) = self.lanes.get_mut(&waiting.payer) {
            lane.on_the_way -= 1;
            lane.is_unanswered = unanswered.unwrap_or(lane.is_unanswered);
        }
        if waiting.attempts == 0 {
            self.next_of_subject(waiting);
        }
        self.give_turn(waiting.payer);
        Some(waiting)
    }

    /// One is over. What a payer's servers did last is remembered.
    fn forget(&mut self, over: Waiting) {
        self.waiting.remove(&over.id);
        let Some(lane) = self.lanes.get_mut(&over.payer) else {
            return;
        };
        lane.held -= 1;
        if lane.held == 0 && !lane.is_unanswered {
            self.lanes.remove(&over.payer);
        }
    }

    fn next_of_subject(&mut self, tried: Waiting) {
        let Some(untried) = self.untried.get_mut(&tried.subject) else {
            return;
        };
        untried.pop_front();
        let next = untried.front().and_then(|next| self.waiting.get(next));
        match next.copied() {
            Some(next) => self.make_ready(next),
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
                self.make_ready(*waiting);
            }
        }
    }

    fn make_ready(&mut self, waiting: Waiting) {
        if let Some(lane) = self.lanes.get_mut(&waiting.payer) {
            match waiting.attempts {
                0 => lane.first.push_back(waiting.id),
                _ => lane.again.push_back(waiting.id),
            }
            self.give_turn(waiting.payer);
        }
    }

    fn give_turn(&mut self, payer: AccountSid) {
        let Some(lane) = self.lanes.get_mut(&payer) else {
            return;
        };
        if lane.may_send() && !lane.has_turn {
            lane.has_turn = true;
            self.turns.push_back(payer);
        }
    }

    fn take_turns(&mut self) {
        while self.on_the_way < ON_THE_WAY
            && let Some(payer) = self.turns.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(&payer) else {
                continue;
            };
            lane.has_turn = false;
            if lane.may_send()
                && let Some(id) = lane.next()
            {
                lane.on_the_way += 1;
                self.on_the_way += 1;
                self.outputs.push_back(Output::Send(id));
            }
            self.give_turn(payer);
        }
    }
}
