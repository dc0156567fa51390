//! Who goes next, and what that takes.

use std::collections::VecDeque;
use std::time::Instant;

use call::{AccountSid, CallSid};
use store::TrunkId;

use super::held::{Held, Waited};
use super::queue::due;
use super::routes::{Route, Way};
use super::{CallRequest, Dialer, Full, NotNow, Now, Output};
use crate::capacity::{Capacity, Room, TrunkCapacity};
use crate::choice::{Because, Passed};
use crate::line::Turn;
use crate::plan::PlannedAttempt;

impl Dialer {
    /// Begins a call at once that does not queue, because a caller waits for it: another call's story dials it. Policy and limits are
    /// those of every other call. It holds a channel of the trunk that is returned until [`Input::Ended`]. With it comes why the built-in order
    /// chose the trunk, where no routing policy has planned the call.
    ///
    /// # Errors
    /// Why it may not begin, or when.
    pub fn begin_now(
        &mut self,
        now: Instant,
        request: &CallRequest,
    ) -> Result<(TrunkId, Option<String>), NotNow> {
        let CallRequest { call, account, .. } = *request;
        let ways = self.ways(request)?;
        let payer = self.directory.payer(account);
        let own = self.accounts.get(&payer).ok_or(Full::Account)?;
        let room = |way: &Way| self.room(now, &way.trunk, way.part.as_deref(), own);
        let (way, because) = self.pick(request, &ways, room)?;
        let trunk = way.trunk.clone();
        self.begin(now, call, account, way, None);
        Ok((trunk, because))
    }

    /// The first of the ways, as their trunks stand, that is up and has room, and why it is this one.
    fn pick<'w>(
        &self,
        request: &CallRequest,
        ways: &'w [Way],
        room: impl Fn(&Way) -> Result<(), NotNow>,
    ) -> Result<(&'w Way, Option<String>), NotNow> {
        let all_are_down = self.all_are_down(ways);
        let mut refusal = None;
        let mut passed: Vec<(&Way, Passed)> = Vec::new();
        for way in self.in_order(ways) {
            let why = match room(way) {
                _ if !all_are_down && self.down.contains(&way.trunk) => Passed::Down,
                Ok(()) => {
                    let is_built_in = request.plan.is_none();
                    let because = || self.because(request, ways, way, passed).to_string();
                    return Ok((way, is_built_in.then(because)));
                }
                Err(why) => {
                    refusal.get_or_insert_with(|| why.clone());
                    Passed::Full(why)
                }
            };
            passed.push((way, why));
        }
        Err(refusal.unwrap_or(NotNow::Full(Full::Trunk)))
    }

    /// Why it is this one of the ways. `passed`: those that stand before it.
    fn because<'w>(
        &self,
        request: &'w CallRequest,
        ways: &'w [Way],
        way: &'w Way,
        passed: Vec<(&'w Way, Passed)>,
    ) -> Because<'w> {
        let is_down = self.all_are_down(ways);
        let is_alike = |other: &&Way| {
            other.place == way.place && (is_down || !self.down.contains(&other.trunk))
        };
        // One that is passed over had no room, however many channels are free there.
        let is_first = !passed.iter().any(|(other, _)| is_alike(other));
        let tried = request.tried.iter().map(|trunk| (trunk, Passed::Tried));
        let passed = passed.into_iter().map(|(way, why)| (&way.trunk, why));
        Because {
            prefix: way.prefix.as_deref(),
            is_own: way.is_own,
            alike: ways
                .iter()
                .filter(|other| is_first && is_alike(other))
                .count(),
            channels: (self.trunks.get(&way.trunk)).map_or((0, 0), TrunkCapacity::channels),
            passed: tried.chain(passed).collect(),
            is_down,
        }
    }

    /// Whether a call may begin over this trunk now.
    pub(super) fn room(
        &self,
        now: Instant,
        trunk: &TrunkId,
        part: Option<&str>,
        account: &Capacity,
    ) -> Result<(), NotNow> {
        self.room_of_trunk(now, trunk, part)?;
        in_time(account.room(now), Full::Account)
    }

    /// The same, whatever room the account has.
    fn room_of_trunk(
        &self,
        now: Instant,
        trunk: &TrunkId,
        part: Option<&str>,
    ) -> Result<(), NotNow> {
        let capacity = self.trunks.get(trunk).ok_or(Full::Trunk)?;
        if let Some(at) = self.carrier_ready_at(trunk).filter(|at| *at > now) {
            return Err(NotNow::NotBefore(at));
        }
        in_time(capacity.part_room(now, part), Full::Part)?;
        in_time(capacity.whole.room(now), Full::Trunk)
    }

    /// When the carrier of a trunk may begin its next call; none at any time.
    pub(super) fn carrier_ready_at(&self, trunk: &TrunkId) -> Option<Instant> {
        let trunk = self.directory.trunk(trunk)?;
        self.carriers.get(&trunk.carrier)?.begins.ready_at()
    }

    /// The most urgent class first; within it trunks take turns, a call at a time.
    pub(super) fn attempt_what_may_go(&mut self, now: Now) {
        for class in 0..self.lines.len() {
            let mut trunks: VecDeque<TrunkId> = self.lines[class].keys().cloned().collect();
            if let Some(last) = &self.last_trunk {
                let behind = trunks.partition_point(|trunk| trunk <= last);
                trunks.rotate_left(behind % trunks.len().max(1));
            }
            while let Some(trunk) = trunks.pop_front() {
                if self.judging.has_enough() {
                    return;
                }
                let Some(call) = self.next_on(now.instant, class, &trunk) else {
                    continue;
                };
                if let Some(payer) = self.attempt(now, call) {
                    if let Some(line) = self.lines[class].get_mut(&trunk) {
                        line.went(payer);
                    }
                    self.last_trunk = Some(trunk.clone());
                }
                trunks.push_back(trunk);
            }
        }
    }

    /// Takes the next call that may go over `trunk`, or notes when to ask again.
    fn next_on(&mut self, now: Instant, class: usize, trunk: &TrunkId) -> Option<CallSid> {
        let of_carrier = self.carrier_ready_at(trunk);
        let (is_down, down) = (self.down.contains(trunk), &self.down);
        let has_no_other = |route: &Route| (route.ways.iter()).all(|way| down.contains(&way.trunk));
        let may_go = |route: &Route| !is_down || has_no_other(route);
        let line = self.lines[class].get_mut(trunk)?;
        if line.is_empty() {
            self.lines[class].remove(trunk);
            return None;
        }
        let turn = match of_carrier.filter(|at| *at > now) {
            Some(at) => Turn::Wait(Some(at)),
            None => line.next(now, self.trunks.get(trunk)?, &self.accounts, may_go),
        };
        match turn {
            Turn::Go(call) => Some(call),
            Turn::Wait(at) => {
                self.deadline = [self.deadline, at].into_iter().flatten().min();
                None
            }
        }
    }

    /// Begins a call that its line let go, unless its hours are over meanwhile, or it is to go elsewhere. Returns who pays for it; none where it
    /// has not begun.
    fn attempt(&mut self, now: Now, call: CallSid) -> Option<AccountSid> {
        let waiting = self.waiting.get(&call)?;
        let is_over = || due(now, &waiting.request.terms, waiting.put_off_until).is_some();
        if self.canceling.is_meant(waiting) {
            self.judging.passes_over();
            return None;
        } else if self.judging.is_stale(waiting) {
            self.judge_anew(call);
            return None;
        } else if is_over() {
            self.judging.passes_over();
            self.put_off(now, call);
            return None;
        }
        let waiting = self.take_out(call)?;
        let payer = waiting.payer;
        let account = waiting.request.account;
        let room = |way: &Way| self.room_of_trunk(now.instant, &way.trunk, way.part.as_deref());
        // The line that let it go has room; one that is a better choice may have, too.
        let (way, because) = self
            .pick(&waiting.request, &waiting.route.ways, room)
            .expect("the line that let it go has room");
        let planned = waiting.request.planned(&way.trunk);
        let unasked = || {
            waiting
                .is_asked
                .then(|| PlannedAttempt::over(way.trunk.clone()))
        };
        let attempt = Output::Attempt {
            call,
            account,
            trunk: way.trunk.clone(),
            planned: planned.or_else(unasked),
            because: because.clone(),
        };
        let way = way.clone();
        let waited = Waited {
            request: waiting.request,
            sequence: waiting.sequence,
            begun: now.instant,
            because,
            is_asked: waiting.is_asked,
            is_canceled: false,
        };
        self.begin(now.instant, call, account, &way, Some(Box::new(waited)));
        self.outputs.push_back(attempt);
        Some(payer)
    }

    /// Takes the channels of a call that begins now.
    fn begin(
        &mut self,
        now: Instant,
        call: CallSid,
        account: AccountSid,
        way: &Way,
        waited: Option<Box<Waited>>,
    ) {
        let Way { trunk, part, .. } = way;
        if let Some(capacity) = self.trunks.get_mut(trunk) {
            capacity.begin(now, part.as_deref());
        }
        let of_carrier = self.directory.trunk(trunk);
        let of_carrier = of_carrier.and_then(|trunk| self.carriers.get_mut(&trunk.carrier));
        if let Some(pace) = of_carrier {
            pace.begins.take(now);
        }
        let payer = self.directory.payer(account);
        if let Some(capacity) = self.accounts.get_mut(&payer) {
            capacity.begin(now);
        }
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part: part.clone(),
            waited,
            is_inbound: false,
            ready: None,
        };
        self.held.insert(call, held);
    }
}

/// What a call finds where it would have this room.
const fn in_time(room: Room, full: Full) -> Result<(), NotNow> {
    match room {
        Room::Now => Ok(()),
        Room::At(at) => Err(NotNow::NotBefore(at)),
        Room::WhenOneEnds { .. } => Err(NotNow::Full(full)),
    }
}
