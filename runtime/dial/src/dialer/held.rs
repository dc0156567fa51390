//! Calls that hold channels.

use std::time::{Duration, Instant};

use call::{AccountSid, CallSid};
use store::TrunkId;

use super::{CallRequest, Dialer, Full, Now};
use crate::capacity::Capacity;
use crate::line::Part;

#[derive(Debug)]
pub(super) struct Held {
    pub(super) payer: AccountSid,
    pub(super) trunk: TrunkId,
    pub(super) part: Part,
    /// None of a call that did not wait.
    pub(super) waited: Option<Box<Waited>>,
    /// It came in: it has none of the channels that its account may dial with.
    pub(super) is_inbound: bool,
    /// Its number among those whose INVITEs are ready, until it leaves.
    pub(super) ready: Option<u64>,
}

/// What is kept of a call that waited while it is attempted: it may have to wait again.
#[derive(Debug)]
pub(super) struct Waited {
    pub(super) request: CallRequest,
    /// Its place in the order of all.
    pub(super) sequence: u64,
    /// When it took its start.
    pub(super) begun: Instant,
    /// Why the built-in order chose its trunk; none where a routing policy did.
    pub(super) because: Option<String>,
    /// Its policy was asked about it, and did not decide.
    pub(super) is_asked: bool,
    /// It is not to wait any more.
    pub(super) is_canceled: bool,
}

impl Held {
    /// When it took its start; `now` where it has none to give back.
    pub(super) fn begun_at(&self, now: Instant) -> Instant {
        self.waited.as_ref().map_or(now, |waited| waited.begun)
    }
}

impl Dialer {
    /// Takes a channel at once for a call that came in from `caller`: one of those that outbound calls leave free, too. Calls that came in to an
    /// account are counted apart from those that it makes: as many at once. It is given back by [`Input::Ended`].
    ///
    /// # Errors
    /// What has no channel. The lines of the caller's operator are not asked: the call has come over one.
    pub fn take_channel(
        &mut self,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        caller: &str,
    ) -> Result<(), Full> {
        if self.held.contains_key(&call) {
            return Ok(());
        }
        let payer = self.directory.payer(account);
        let part = self.part(trunk, caller);
        let line = self
            .trunks
            .get_mut(trunk)
            .filter(|trunk| trunk.whole.has_channel())
            .ok_or(Full::Trunk)?;
        let own = self.accounts.get_mut(&payer);
        if !own.is_some_and(Capacity::hold_inbound) {
            return Err(Full::Account);
        }
        line.hold(part.as_deref());
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part,
            waited: None,
            is_inbound: true,
            ready: None,
        };
        self.held.insert(call, held);
        Ok(())
    }

    /// Counts a call that was up when the process before this one died: the far end holds its channels until it notices. They are free at
    /// `until`. `party`: the called number, or the caller's where it came in.
    pub fn take_lost(
        &mut self,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        party: &str,
        is_inbound: bool,
        until: Instant,
    ) {
        let payer = self.directory.payer(account);
        let part = self.part(trunk, party);
        let own = self.accounts.get_mut(&payer);
        let (Some(line), Some(own)) = (self.trunks.get_mut(trunk), own) else {
            return;
        };
        match is_inbound {
            true => own.hold_lost_inbound(),
            false => own.hold(),
        }
        line.hold(part.as_deref());
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part,
            waited: None,
            is_inbound,
            ready: None,
        };
        self.held.insert(call, held);
        self.lost.insert((until, call));
    }

    pub(super) fn let_go_of_lost(&mut self, now: Instant) {
        while let Some((_, call)) = self
            .lost
            .first()
            .copied()
            .filter(|(until, _)| *until <= now)
        {
            self.lost.pop_first();
            self.end(call);
        }
    }

    pub(super) fn end(&mut self, call: CallSid) {
        if let Some(held) = self.give_back(call)
            && let Some(trunk) = self.trunks.get_mut(&held.trunk)
        {
            trunk.release(held.part.as_deref());
        }
    }

    pub(super) fn refuse(&mut self, now: Instant, call: CallSid, retry_after: Option<Duration>) {
        if let Some(held) = self.give_back(call)
            && let Some(trunk) = self.trunks.get_mut(&held.trunk)
        {
            trunk.refuse(now, held.part.as_deref(), retry_after);
        }
    }

    /// Gives the channels of an attempt back, and lets its call wait again.
    pub(super) fn attempt_failed(
        &mut self,
        now: Now,
        call: CallSid,
        congested: Option<Option<Duration>>,
    ) {
        let Some(mut held) = self.give_back(call) else {
            return;
        };
        if let Some(trunk) = self.trunks.get_mut(&held.trunk) {
            match congested {
                Some(retry_after) => trunk.refuse(now.instant, held.part.as_deref(), retry_after),
                None => trunk.release(held.part.as_deref()),
            }
        }
        if let Some(mut waited) = held.waited.take() {
            waited.request.tried.push(held.trunk);
            waited.is_asked = false;
            self.wait_again(now, *waited);
        }
    }

    /// Whether a call that is being attempted has a trunk besides, over which it was not tried yet.
    #[must_use]
    pub fn has_other_way(&self, call: CallSid) -> bool {
        let held = self.held.get(&call);
        let waited = held.and_then(|held| Some((&held.trunk, held.waited.as_ref()?)));
        waited.is_some_and(|(trunk, waited)| {
            let mut request = waited.request.clone();
            request.tried.push(trunk.clone());
            self.ways(&request).is_ok()
        })
    }

    /// Gives the account's channel back, and says which of a trunk's is to be given back.
    pub(super) fn give_back(&mut self, call: CallSid) -> Option<Held> {
        let held = self.held.remove(&call)?;
        if let Some(account) = self.accounts.get_mut(&held.payer) {
            match held.is_inbound {
                true => account.release_inbound(),
                false => account.release(),
            }
        }
        Some(held)
    }
}
