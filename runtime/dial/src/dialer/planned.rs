//! Calls whose trunks somebody else chooses: a routing policy.

use std::time::{Duration, Instant};

use call::CallSid;
use store::TrunkId;

use super::held::{Held, Waited};
use super::queue::due;
use super::{CallRequest, Dialer, Now, Output};
use crate::plan::{PlannedAttempt, TrunkState};
use crate::policy::{Refusal, route};

/// For how long a call may leave with the start that it has taken. When those who were to be asked about many calls give up, these do not leave
/// together: each takes a start anew.
const FRESH: Duration = Duration::from_millis(50);

/// The longest that a policy lets a call wait before it is asked again: a year.
const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Dialer {
    /// The trunks that may carry a call, as they stand, and those over which it was tried left out. What the call itself holds does not count.
    ///
    /// # Errors
    /// Why it may not be made at all.
    pub fn trunk_states(
        &self,
        now: Instant,
        request: &CallRequest,
    ) -> Result<Vec<TrunkState>, Refusal> {
        let candidates = route(&self.directory, request.account, &request.from, &request.to)?;
        let own = self.held.get(&request.call);
        let left = candidates
            .into_iter()
            .filter(|candidate| !request.tried.contains(&candidate.trunk));
        let states = left.filter_map(|candidate| {
            let capacity = self.trunks.get(&candidate.trunk)?;
            let own = own.filter(|own| own.trunk == candidate.trunk);
            let (used, limit) = capacity.channels();
            let parts = capacity.parts().map(|(prefix, used, limit)| {
                let is_own = own.is_some_and(|own| own.part.as_deref() == Some(prefix));
                (prefix.to_owned(), used - u32::from(is_own), limit)
            });
            Some(TrunkState {
                is_down: self.down.contains(&candidate.trunk),
                channels: (used - u32::from(own.is_some()), limit),
                parts: parts.collect(),
                starts_left: u32::from(own.is_some() || capacity.whole.is_ready(now)),
                closed_until: capacity.closed_until().filter(|until| *until > now),
                trunk: candidate.trunk,
            })
        });
        Ok(states.collect())
    }

    /// What a call that is being attempted asked for; none of one that did not wait, or that has a plan already.
    #[must_use]
    pub fn unplanned(&self, call: CallSid) -> Option<&CallRequest> {
        let waited = self.held.get(&call)?.waited.as_ref()?;
        Some(&waited.request).filter(|request| request.plan.is_none())
    }

    /// A call that is being attempted goes over these trunks instead: it stays where it is if that is the first of them, and else waits for the
    /// first that has room.
    pub(super) fn planned(&mut self, now: Now, call: CallSid, plan: Vec<PlannedAttempt>) {
        let Some((trunk, waited)) = self.asked_about(call) else {
            return;
        };
        let stays = plan.first().filter(|first| first.trunk == *trunk);
        let stays = stays.filter(|_| may_still_go(now, waited)).cloned();
        waited.request.plan = Some(plan);
        self.go_on(now, call, stays);
    }

    /// A call that is being attempted goes as the built-in order has it.
    pub(super) fn undecided(&mut self, now: Now, call: CallSid) {
        let Some((trunk, waited)) = self.asked_about(call) else {
            return;
        };
        let stays = may_still_go(now, waited).then(|| PlannedAttempt::over(trunk.clone()));
        waited.is_asked = true;
        self.go_on(now, call, stays);
    }

    fn asked_about(&mut self, call: CallSid) -> Option<(&TrunkId, &mut Waited)> {
        let Held { trunk, waited, .. } = self.held.get_mut(&call)?;
        Some((&*trunk, waited.as_mut()?))
    }

    /// Lets a call about which somebody was asked leave, or wait at its old place.
    fn go_on(&mut self, now: Now, call: CallSid, stays: Option<PlannedAttempt>) {
        if let Some(planned) = stays {
            let held = self.held.get(&call);
            let Some(waited) = held.and_then(|held| held.waited.as_ref()) else {
                return;
            };
            let is_built_in = waited.request.plan.is_none();
            let because = waited.because.clone().filter(|_| is_built_in);
            self.outputs.push_back(Output::Attempt {
                call,
                account: waited.request.account,
                trunk: planned.trunk.clone(),
                planned: Some(planned),
                because,
            });
        } else if let Some(waited) = self.take_back(now, call) {
            self.wait_again(now, *waited);
        }
    }

    /// A call that is being attempted waits until this time.
    pub(super) fn put_off_until(&mut self, now: Now, call: CallSid, until_unix_ms: u64) {
        let Some(held) = self.held.remove(&call) else {
            return;
        };
        // Its account's start stays taken, so that a policy is asked no more often than calls may begin. Those of trunk and carrier are
        // for whoever is dialled.
        if let Some(account) = self.accounts.get_mut(&held.payer) {
            account.release();
        }
        self.give_start_back(now.instant, &held);
        let Some(waited) = held.waited.map(|waited| *waited) else {
            return;
        };
        if waited.is_canceled {
            return self.wait_again(now, waited);
        }
        let pause = Duration::from_millis(until_unix_ms.saturating_sub(now.unix_ms));
        let until = now.instant + pause.min(LONGEST_PAUSE);
        self.admit_after(now, waited.request, waited.sequence, Some(until));
    }

    /// Undoes the beginning of a call whose INVITE has not left: channels and starts are as if it had not begun.
    fn take_back(&mut self, now: Now, call: CallSid) -> Option<Box<Waited>> {
        let held = self.held.remove(&call)?;
        let begun = held.begun_at(now.instant);
        if let Some(account) = self.accounts.get_mut(&held.payer) {
            account.take_back(begun, now.instant);
        }
        self.give_start_back(now.instant, &held);
        held.waited
    }

    /// Trunk and carrier are as if a call had not begun.
    fn give_start_back(&mut self, now: Instant, held: &Held) {
        let begun = held.begun_at(now);
        if let Some(trunk) = self.trunks.get_mut(&held.trunk) {
            trunk.take_back(held.part.as_deref(), begun, now);
        }
        let trunk = self.directory.trunk(&held.trunk);
        let carrier = trunk.and_then(|trunk| self.carriers.get_mut(&trunk.carrier));
        if let Some(pace) = carrier {
            pace.begins.give_back(begun, now);
        }
    }
}

/// Whether a call may leave with the start that it took before somebody was asked about it: that was just now, nobody has cancelled the call, and its
/// time is not over.
fn may_still_go(now: Now, waited: &Waited) -> bool {
    let terms = &waited.request.terms;
    !waited.is_canceled
        && now.instant <= waited.begun + FRESH
        && !terms.is_expired(now.unix_ms)
        && due(now, terms, None).is_none()
}
