//! Over which trunks calls may go.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use store::{PhoneNumber, TrunkId};

use super::{CallRequest, Dialer};
use crate::line::Part;
use crate::policy::{Candidate, Refusal, route};

/// How many routes are known before those are looked for that no call has any more.
const MANY: usize = 1_000;

/// A trunk that serves a number, and the part of it that leads there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way {
    pub(crate) trunk: TrunkId,
    pub(crate) part: Part,
    /// As in [`crate::Choice::prefix`].
    pub(crate) prefix: Option<String>,
    pub(crate) is_own: bool,
    /// Ways of the same are alike: it depends on their trunks' room which is used. Those of the lowest are used first.
    pub(crate) place: usize,
}

/// The trunks that may carry a call, the first choice in front. Never empty. A million calls have a few dozen of them among themselves.
#[derive(Debug)]
pub(crate) struct Route {
    /// One that no other has.
    pub(crate) id: u64,
    pub(crate) ways: Vec<Way>,
}

/// The routes that calls have.
#[derive(Debug)]
pub(super) struct Routes {
    known: BTreeMap<Vec<Way>, Arc<Route>>,
    next_id: u64,
    /// How many are too many.
    most: usize,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            next_id: 0,
            most: MANY,
        }
    }
}

impl Routes {
    pub(super) fn of(&mut self, ways: Vec<Way>) -> Arc<Route> {
        if let Some(route) = self.known.get(&ways) {
            return Arc::clone(route);
        }
        if self.known.len() >= self.most {
            self.known.retain(|_, route| Arc::strong_count(route) > 1);
            self.most = MANY.max(2 * self.known.len());
        }
        let route = Arc::new(Route {
            id: self.next_id,
            ways: ways.clone(),
        });
        self.next_id += 1;
        self.known.insert(ways, Arc::clone(&route));
        route
    }
}

impl Dialer {
    /// The trunks that may carry a call, the first choice in front, whatever room those have that are alike. Those over which it was tried are left
    /// out. Never empty.
    pub(super) fn ways(&self, request: &CallRequest) -> Result<Vec<Way>, Refusal> {
        let CallRequest { from, to, .. } = request;
        let mut candidates = route(&self.directory, request.account, from, to)?;
        candidates.retain(|candidate| !request.tried.contains(&candidate.trunk));
        if let Some(plan) = &request.plan {
            let place = |trunk: &TrunkId| plan.iter().position(|planned| planned.trunk == *trunk);
            candidates.retain(|candidate| place(&candidate.trunk).is_some());
            candidates.sort_by_key(|candidate| place(&candidate.trunk));
        }
        if candidates.is_empty() {
            return Err(Refusal::NoOtherTrunk(to.clone()));
        }
        Ok(self.ways_over(candidates, to, request.plan.is_some()))
    }

    /// The ways over these trunks, in their order. `is_planned`: no two of them are alike.
    pub(super) fn ways_over(
        &self,
        candidates: Vec<Candidate>,
        to: &str,
        is_planned: bool,
    ) -> Vec<Way> {
        let (mut place, mut before) = (0, None);
        let ways = candidates.into_iter().map(|candidate| {
            let this = candidate.place();
            let is_alike = !is_planned && before.as_ref() == Some(&this);
            place += usize::from(before.is_some() && !is_alike);
            before = Some(this);
            Way {
                part: self.part(&candidate.trunk, to),
                prefix: candidate.prefix,
                is_own: candidate.is_own,
                trunk: candidate.trunk,
                place,
            }
        });
        ways.collect()
    }

    /// The ways as their trunks stand, the first choice in front: of those that are alike the one with the most room.
    pub(super) fn in_order<'w>(&self, ways: &'w [Way]) -> Vec<&'w Way> {
        let mut order: Vec<&Way> = ways.iter().collect();
        order.sort_by_cached_key(|way| {
            let trunk = self.trunks.get(&way.trunk);
            let free = trunk.map_or(0, |trunk| trunk.free(way.part.as_deref()));
            (way.place, Reverse(free))
        });
        order
    }

    /// Whether a call that does not wait has a trunk over which it was not tried yet.
    #[must_use]
    pub fn has_way(&self, request: &CallRequest) -> bool {
        self.ways(request).is_ok()
    }

    /// Those of the ways that are used now: trunks whose targets do not answer are left out while there are others.
    pub(super) fn usable<'w>(&self, ways: &'w [Way]) -> Vec<&'w Way> {
        let has_others = !self.all_are_down(ways);
        let is_left_out = |way: &Way| has_others && self.down.contains(&way.trunk);
        ways.iter().filter(|way| !is_left_out(way)).collect()
    }

    pub(super) fn all_are_down(&self, ways: &[Way]) -> bool {
        ways.iter().all(|way| self.down.contains(&way.trunk))
    }

    /// The part of the trunk that a call to or from `party` needs a channel of.
    pub(super) fn part(&self, trunk: &TrunkId, party: &str) -> Part {
        let number: PhoneNumber = party.parse().ok()?;
        let (prefix, _) = self
            .directory
            .trunk(trunk)?
            .channels_by_prefix
            .limit(&number)?;
        Some(prefix.to_owned())
    }
}
