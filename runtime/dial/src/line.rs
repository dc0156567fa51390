//! The calls that wait for one trunk: groups for each account, one for each route, and the accounts in turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use call::{AccountSid, CallSid};

use crate::capacity::{Capacity, Room, TrunkCapacity};
use crate::dialer::Route;

/// Which part of the trunk a call needs a channel of: a prefix with a limit of its own, or none.
pub(crate) type Part = Option<String>;

/// Where a call stands in a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'r> {
    pub(crate) account: AccountSid,
    pub(crate) route: &'r Arc<Route>,
    /// The part of the line's trunk.
    pub(crate) part: &'r Part,
    pub(crate) sequence: u64,
}

/// Calls of one account that may go the same ways.
#[derive(Debug)]
struct Group {
    route: Arc<Route>,
    part: Part,
    /// By their sequence numbers.
    calls: BTreeMap<u64, CallSid>,
}

/// Calls wait in the order of their sequence numbers within an account, and accounts take turns.
///
/// An account that may not begin a call now keeps its place, so that its own limit, not the others' calls, decides when it
/// goes. Calls for a part that is full let those for other parts pass.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// By the ids of their routes.
    queues: BTreeMap<AccountSid, BTreeMap<u64, Group>>,
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
        let groups = self
            .queues
            .get(&account)
            .into_iter()
            .flat_map(BTreeMap::values);
        let groups = groups.filter(|group| group.part == *part);
        groups.map(|group| group.calls.len()).sum()
    }

    pub(crate) fn push(&mut self, place: Place<'_>, call: CallSid) {
        let groups = self.queues.entry(place.account).or_default();
        if groups.is_empty() {
            self.turns.push_back(place.account);
        }
        let group = groups.entry(place.route.id).or_insert_with(|| Group {
            route: Arc::clone(place.route),
            part: place.part.clone(),
            calls: BTreeMap::new(),
        });
        group.calls.insert(place.sequence, call);
    }

    pub(crate) fn remove(&mut self, place: Place<'_>) {
        self.take(place.account, place.route.id, place.sequence);
        if !self.queues.contains_key(&place.account) {
            self.turns.retain(|other| *other != place.account);
        }
    }

    /// Takes the next call whose trunk, part and account all have room; where it is dialled, [`Self::went`] is to be told. `may_go`: whether calls of a route are to go over this trunk.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        trunk: &TrunkCapacity,
        accounts: &BTreeMap<AccountSid, Capacity>,
        may_go: impl Fn(&Route) -> bool,
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
            let first = self.first_with_room(now, account, trunk, &may_go);
            let wait = match (first, capacity.room(now)) {
                (Ok((sequence, route)), Room::Now) => {
                    return self
                        .go(turn, route, sequence)
                        .map_or(Turn::Wait(None), Turn::Go);
                }
                (Ok(_), room) => room.at(),
                (Err(at), _) => at,
            };
            earliest = [earliest, wait].into_iter().flatten().min();
        }
        Turn::Wait(earliest)
    }

    /// The sequence number and the route of the account's first call whose part has room, or when one may have without a call's end.
    fn first_with_room(
        &self,
        now: Instant,
        account: AccountSid,
        trunk: &TrunkCapacity,
        may_go: impl Fn(&Route) -> bool,
    ) -> Result<(u64, u64), Option<Instant>> {
        let mut earliest = None;
        let mut first = None;
        for (id, group) in self.queues.get(&account).into_iter().flatten() {
            if !may_go(&group.route) {
                continue;
            }
            match trunk.part_room(now, group.part.as_deref()) {
                Room::Now => {
                    let next = group.calls.keys().next().map(|sequence| (*sequence, *id));
                    first = [first, next].into_iter().flatten().min();
                }
                room => earliest = [earliest, room.at()].into_iter().flatten().min(),
            }
        }
        first.ok_or(earliest)
    }

    /// Takes a call of the account whose turn it is; the account keeps its turn until [`Self::went`], if it has more.
    fn go(&mut self, turn: usize, route: u64, sequence: u64) -> Option<CallSid> {
        let account = *self.turns.get(turn)?;
        let call = self.take(account, route, sequence)?;
        if !self.queues.contains_key(&account) {
            self.turns.remove(turn);
        }
        Some(call)
    }

    /// A call of the account that was let go is dialled: the others have their turns before its next one.
    pub(crate) fn went(&mut self, account: AccountSid) {
        let mut turns = self.turns.iter();
        if let Some(turn) = turns.position(|other| *other == account) {
            self.turns.remove(turn);
            self.turns.push_back(account);
        }
    }

    /// Takes a call out of its group, and groups and accounts away that have none left.
    fn take(&mut self, account: AccountSid, route: u64, sequence: u64) -> Option<CallSid> {
        let groups = self.queues.get_mut(&account)?;
        let group = groups.get_mut(&route)?;
        let call = group.calls.remove(&sequence);
        if group.calls.is_empty() {
            groups.remove(&route);
        }
        if groups.is_empty() {
            self.queues.remove(&account);
        }
        call
    }
}
