//! The calls that wait for one trunk: a queue for each account, and the accounts in turn.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use call::{AccountSid, CallSid};

use crate::capacity::{Capacity, Room};

/// Calls wait in the order of their sequence numbers within an account; accounts take turns.
///
/// An account that may not begin a call now keeps its place, so that its own limit, not the others' calls, decides when it goes.
#[derive(Debug, Default)]
pub(crate) struct Line {
    queues: BTreeMap<AccountSid, BTreeMap<u64, CallSid>>,
    /// Every account with a queue, once; the next in turn in front.
    turns: VecDeque<AccountSid>,
}

/// Who may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Go(CallSid),
    /// Nobody before this time; without a time, nobody before a call ends or comes.
    Wait(Option<Instant>),
}

impl Line {
    pub(crate) fn push(&mut self, account: AccountSid, sequence: u64, call: CallSid) {
        let queue = self.queues.entry(account).or_default();
        if queue.is_empty() {
            self.turns.push_back(account);
        }
        queue.insert(sequence, call);
    }

    pub(crate) fn remove(&mut self, account: AccountSid, sequence: u64) {
        let Some(queue) = self.queues.get_mut(&account) else {
            return;
        };
        queue.remove(&sequence);
        if queue.is_empty() {
            self.queues.remove(&account);
            self.turns.retain(|other| *other != account);
        }
    }

    /// Takes the next call whose trunk and account both have room.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        trunk: &Capacity,
        accounts: &BTreeMap<AccountSid, Capacity>,
    ) -> Turn {
        if self.turns.is_empty() {
            return Turn::Wait(None);
        }
        match trunk.room(now) {
            Room::Now => {}
            Room::At(at) => return Turn::Wait(Some(at)),
            Room::WhenOneEnds => return Turn::Wait(None),
        }
        let mut earliest = None;
        for place in 0..self.turns.len() {
            match accounts
                .get(&self.turns[place])
                .map(|account| account.room(now))
            {
                Some(Room::Now) => return self.go(place).map_or(Turn::Wait(None), Turn::Go),
                Some(Room::At(at)) => {
                    earliest = Some(earliest.map_or(at, |earliest: Instant| earliest.min(at)));
                }
                Some(Room::WhenOneEnds) | None => {}
            }
        }
        Turn::Wait(earliest)
    }

    /// Takes the first call of the account at `place`, which goes to the end if it has more.
    fn go(&mut self, place: usize) -> Option<CallSid> {
        let account = self.turns.remove(place)?;
        let queue = self.queues.get_mut(&account)?;
        let (_, call) = queue.pop_first()?;
        if queue.is_empty() {
            self.queues.remove(&account);
        } else {
            self.turns.push_back(account);
        }
        Some(call)
    }
}
