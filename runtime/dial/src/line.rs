//! The calls that wait for one trunk: queues for each account, one for each part of the trunk, and the accounts in turn.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use call::{AccountSid, CallSid};

use crate::capacity::{Capacity, Room, TrunkCapacity};

/// Which part of the trunk a call needs a channel of: a prefix with a limit of its own, or none.
pub(crate) type Part = Option<String>;

/// Where a call stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountSid,
    pub(crate) part: Part,
    pub(crate) sequence: u64,
}

/// Calls wait in the order of their sequence numbers within an account, and accounts take turns.
///
/// An account that may not begin a call now keeps its place, so that its own limit, not the others' calls, decides when it
/// goes. Calls for a part that is full let those for other parts pass.
#[derive(Debug, Default)]
pub(crate) struct Line {
    queues: BTreeMap<AccountSid, BTreeMap<Part, BTreeMap<u64, CallSid>>>,
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
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// How many calls of an account wait for this part.
    pub(crate) fn waiting(&self, account: AccountSid, part: &Part) -> usize {
        let queues = self.queues.get(&account);
        let queue = queues.and_then(|queues| queues.get(part));
        queue.map_or(0, BTreeMap::len)
    }

    pub(crate) fn push(&mut self, place: Place, call: CallSid) {
        let Place {
            account,
            part,
            sequence,
        } = place;
        let queues = self.queues.entry(account).or_default();
        if queues.is_empty() {
            self.turns.push_back(account);
        }
        queues.entry(part).or_default().insert(sequence, call);
    }

    pub(crate) fn remove(&mut self, place: &Place) {
        self.take(place);
        if !self.queues.contains_key(&place.account) {
            self.turns.retain(|other| *other != place.account);
        }
    }

    /// Takes the next call whose trunk, part and account all have room.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        trunk: &TrunkCapacity,
        accounts: &BTreeMap<AccountSid, Capacity>,
    ) -> Turn {
        if self.turns.is_empty() {
            return Turn::Wait(None);
        }
        match trunk.whole.room(now) {
            Room::Now => {}
            room => return Turn::Wait(room.at()),
        }
        let mut earliest = None;
        for turn in 0..self.turns.len() {
            let account = self.turns[turn];
            let Some(capacity) = accounts.get(&account) else {
                continue;
            };
            let wait = match (
                self.first_with_room(now, account, trunk),
                capacity.room(now),
            ) {
                (Ok(place), Room::Now) => {
                    return self.go(turn, &place).map_or(Turn::Wait(None), Turn::Go);
                }
                (Ok(_), room) => room.at(),
                (Err(at), _) => at,
            };
            earliest = [earliest, wait].into_iter().flatten().min();
        }
        Turn::Wait(earliest)
    }

    /// The account's first call whose part has room, or when one may have without a call's end.
    fn first_with_room(
        &self,
        now: Instant,
        account: AccountSid,
        trunk: &TrunkCapacity,
    ) -> Result<Place, Option<Instant>> {
        let mut earliest = None;
        let mut first: Option<(u64, &Part)> = None;
        for (part, queue) in self.queues.get(&account).into_iter().flatten() {
            match trunk.part_room(now, part.as_deref()) {
                Room::Now => {
                    let next = queue.keys().next().map(|sequence| (*sequence, part));
                    first = [first, next].into_iter().flatten().min();
                }
                room => earliest = [earliest, room.at()].into_iter().flatten().min(),
            }
        }
        let (sequence, part) = first.ok_or(earliest)?;
        Ok(Place {
            account,
            part: part.clone(),
            sequence,
        })
    }

    /// Takes a call of the account whose turn it is; the account goes to the end if it has more.
    fn go(&mut self, turn: usize, place: &Place) -> Option<CallSid> {
        let account = self.turns.remove(turn)?;
        let call = self.take(place)?;
        if self.queues.contains_key(&account) {
            self.turns.push_back(account);
        }
        Some(call)
    }

    /// Takes a call out of its queue, and queues away that are empty.
    fn take(&mut self, place: &Place) -> Option<CallSid> {
        let queues = self.queues.get_mut(&place.account)?;
        let queue = queues.get_mut(&place.part)?;
        let call = queue.remove(&place.sequence);
        if queue.is_empty() {
            queues.remove(&place.part);
        }
        if queues.is_empty() {
            self.queues.remove(&place.account);
        }
        call
    }
}
