//! Calls whose trunks somebody else chooses: a routing policy.

use std::time::Instant;

use call::CallSid;

use super::{CallRequest, Dialer, Held, Now, Output, Waited, Waiting, due};
use crate::plan::{PlannedAttempt, TrunkState};
use crate::policy::{Refusal, route};

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
        let Some(held) = self.held.get_mut(&call) else {
            return;
        };
        let Some(waited) = &mut held.waited else {
            return;
        };
        let stays = plan.first();
        let stays = stays.filter(|first| first.trunk == held.trunk && !waited.is_canceled);
        let attempt = stays.map(|first| Output::Attempt {
            call,
            account: waited.request.account,
            trunk: first.trunk.clone(),
            planned: Some(first.clone()),
        });
        waited.request.plan = Some(plan);
        match attempt {
            Some(attempt) => self.outputs.push_back(attempt),
            None => {
                if let Some(waited) = self.take_back(call) {
                    self.wait_again(now, *waited);
                }
            }
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
        self.give_start_back(&held);
        let Some(waited) = held.waited.map(|waited| *waited) else {
            return;
        };
        if waited.is_canceled {
            return self.wait_again(now, waited);
        }
        let Waited {
            request, sequence, ..
        } = waited;
        match self.ways(&request) {
            Ok(ways) => {
                let terms = due(now, &request.terms).unwrap_or(0);
                self.enqueue(Waiting {
                    payer: self.directory.payer(request.account),
                    ways,
                    sequence,
                    due_unix_ms: Some(until_unix_ms.max(terms)),
                    request,
                });
            }
            Err(reason) => self.refuse_call(&request, reason),
        }
    }

    /// Undoes the beginning of a call whose INVITE has not left: channels and starts are as if it had not begun.
    fn take_back(&mut self, call: CallSid) -> Option<Box<Waited>> {
        let held = self.held.remove(&call)?;
        if let Some(account) = self.accounts.get_mut(&held.payer) {
            account.take_back();
        }
        self.give_start_back(&held);
        held.waited
    }

    /// Trunk and carrier are as if a call had not begun.
    fn give_start_back(&mut self, held: &Held) {
        if let Some(trunk) = self.trunks.get_mut(&held.trunk) {
            trunk.take_back(held.part.as_deref());
        }
        let trunk = self.directory.trunk(&held.trunk);
        let carrier = trunk.and_then(|trunk| self.carriers.get_mut(&trunk.carrier));
        if let Some(bucket) = carrier {
            bucket.give_back();
        }
    }
}
