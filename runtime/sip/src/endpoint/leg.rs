//! What the endpoint knows of one dialog id, from the INVITE to the end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::DialogId;
use super::offer::OurOffer;
use super::prack::Provisionals;
use super::received::Received;
use super::refer::Referral;
use super::schedule::{Alarm, Schedule, Sleeper, TransactionId};
use super::session_timer::SessionTimer;
use super::targets::Targets;
use super::transfer::Transfer;
use crate::dialog::{Dialog, Wording};
use crate::rack::RAck;
use crate::timers::Timing;
use crate::{Method, Reason, Request};

/// Where a dialog stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE has no final answer.
    Calling(Calling),
    /// The peer's INVITE has no final answer.
    Ringing(Box<Ringing>),
    /// A 2xx was sent or received.
    Up(Box<Up>),
    /// We sent a BYE; its transaction tells the end.
    Ending(Box<Dialog>),
}

/// An INVITE of ours without final answer.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) transaction: TransactionId,
    pub(super) call_id: Bytes,
    /// `From` with our tag.
    pub(super) from: Bytes,
    /// When to give up on an answer; none once it was cancelled.
    pub(super) ring_until: Option<Instant>,
    /// When to give up on a target that says nothing; none once it said something.
    pub(super) speak_until: Option<Instant>,
    pub(super) targets: Box<Targets>,
}

/// A request of the peer that awaits our answer.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) transaction: TransactionId,
    pub(super) request: Received,
}

/// An INVITE of the peer without final answer.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) invite: Open,
    /// Early from our first provisional response on.
    pub(super) dialog: Dialog,
    /// Where the INVITE wants to know that our provisional responses arrive.
    pub(super) reliable: Option<Provisionals>,
}

/// A confirmed dialog.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) dialog: Dialog,
    /// A 2xx of ours that awaits its ACK.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// An offer of ours that awaits its answer.
    pub(super) ours: Option<OurOffer>,
    /// A REFER of ours.
    pub(super) referral: Option<Referral>,
    /// What becomes of the peer's.
    pub(super) transfer: Transfer,
    /// When the session ends unless somebody refreshes it.
    pub(super) timer: Option<SessionTimer>,
    /// The provisional response whose PRACK the 2xx did not wait for.
    pub(super) unpracked: Option<RAck>,
    /// Our BYE, which waits for the ACK.
    pub(super) farewell: Option<Farewell>,
}

impl Up {
    pub(super) fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            unacknowledged: None,
            ours: None,
            referral: None,
            transfer: Transfer::default(),
            timer: None,
            unpracked: None,
            farewell: None,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let unacknowledged = self.unacknowledged.as_ref().map(Unacknowledged::deadline);
        let ours = self.ours.as_ref().and_then(OurOffer::deadline);
        let timer = self.timer.as_ref().map(SessionTimer::deadline);
        [unacknowledged, ours, timer].into_iter().flatten().min()
    }
}

/// How a dialog is to end.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    /// What the BYE gives as its reason.
    pub(super) cause: Option<Reason>,
}

impl Farewell {
    /// The BYE.
    pub(super) fn wording(&self) -> Wording {
        Wording::because(Method::Bye, self.cause.as_ref())
    }
}

/// A 2xx on its way (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub(super) transaction: TransactionId,
    pub(super) cseq: u32,
    pub(super) response: Bytes,
    /// Whether it answers the INVITE that made the dialog.
    pub(super) is_first: bool,
    /// Whether the ACK is to bring the answer to an offer of ours.
    pub(super) has_offer: bool,
    interval: Duration,
    repeat_at: Instant,
    give_up_at: Instant,
}

/// What became of waiting for an ACK.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Send the 2xx again.
    Repeat,
    /// Stop waiting.
    GiveUp,
}

impl Unacknowledged {
    pub(super) fn new(
        now: Instant,
        timing: Timing,
        transaction: TransactionId,
        invite: &Request,
        response: Bytes,
    ) -> Self {
        Self {
            transaction,
            cseq: invite.cseq().number,
            response,
            is_first: invite.to().tag().is_empty(),
            has_offer: invite.sdp().is_none(),
            interval: timing.t1,
            repeat_at: now + timing.t1,
            give_up_at: now + timing.give_up(),
        }
    }

    fn deadline(&self) -> Instant {
        self.repeat_at.min(self.give_up_at)
    }

    /// What is due, if anything. A repetition moves the next one, doubling up to T2.
    pub(super) fn overdue(&mut self, now: Instant, timing: Timing) -> Option<Overdue> {
        if now >= self.give_up_at {
            return Some(Overdue::GiveUp);
        }
        if now < self.repeat_at {
            return None;
        }
        self.interval = (2 * self.interval).min(timing.t2);
        self.repeat_at = now + self.interval;
        Some(Overdue::Repeat)
    }
}

#[derive(Debug)]
struct Leg {
    stage: Stage,
    local_tag: Bytes,
    /// An offer of the peer that awaits our answer.
    offer: Option<Open>,
    alarm: Alarm,
}

impl Leg {
    fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Calling(calling) => {
                let both = [calling.ring_until, calling.speak_until];
                both.into_iter().flatten().min()
            }
            Stage::Ringing(ringing) => ringing.reliable.as_ref().and_then(Provisionals::deadline),
            Stage::Up(up) => up.deadline(),
            Stage::Ending(_) => None,
        }
    }

    fn matches(&self, request: &Request) -> bool {
        match &self.stage {
            // The peer's tag is not known before the answer: several may answer.
            Stage::Calling(calling) => calling.call_id == request.call_id,
            Stage::Ringing(ringing) => ringing.dialog.matches(request),
            Stage::Up(up) => up.dialog.matches(request),
            Stage::Ending(dialog) => dialog.matches(request),
        }
    }
}

/// All dialogs of an endpoint, by id and by our tag.
#[derive(Debug, Default)]
pub(super) struct Legs {
    by_id: HashMap<DialogId, Leg>,
    by_tag: HashMap<Bytes, DialogId>,
}

impl Legs {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn contains(&self, id: DialogId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn add(&mut self, id: DialogId, local_tag: Bytes, stage: Stage) {
        self.by_tag.insert(local_tag.clone(), id);
        self.by_id.insert(
            id,
            Leg {
                stage,
                local_tag,
                offer: None,
                alarm: Alarm::default(),
            },
        );
    }

    pub(super) fn stage(&mut self, id: DialogId) -> Option<&mut Stage> {
        self.by_id.get_mut(&id).map(|leg| &mut leg.stage)
    }

    pub(super) fn up(&mut self, id: DialogId) -> Option<&mut Up> {
        match self.stage(id) {
            Some(Stage::Up(up)) => Some(up),
            _ => None,
        }
    }

    /// The peer's INVITE that awaits its final answer, and our tag.
    pub(super) fn ringing(&mut self, id: DialogId) -> Option<(&mut Ringing, &Bytes)> {
        match self.by_id.get_mut(&id) {
            Some(Leg {
                stage: Stage::Ringing(ringing),
                local_tag,
                ..
            }) => Some((ringing, local_tag)),
            _ => None,
        }
    }

    /// The offer of the peer that awaits our answer.
    pub(super) fn offer(&mut self, id: DialogId) -> Option<&mut Option<Open>> {
        self.by_id.get_mut(&id).map(|leg| &mut leg.offer)
    }

    /// The INVITE transaction of ours that awaits its final answer.
    pub(super) fn calling(&self, id: DialogId) -> Option<&Calling> {
        match self.by_id.get(&id).map(|leg| &leg.stage) {
            Some(Stage::Calling(calling)) => Some(calling),
            _ => None,
        }
    }

    /// Turns the dialog of the peer's INVITE into a confirmed one.
    pub(super) fn confirm(&mut self, id: DialogId, up: impl FnOnce(Dialog) -> Up) {
        let Some(leg) = self.by_id.remove(&id) else {
            return;
        };
        let stage = match leg.stage {
            Stage::Ringing(ringing) => Stage::Up(Box::new(up(ringing.dialog))),
            other => other,
        };
        self.by_id.insert(id, Leg { stage, ..leg });
    }

    /// Turns a confirmed dialog into one that ends.
    pub(super) fn end(&mut self, id: DialogId) {
        let Some(leg) = self.by_id.remove(&id) else {
            return;
        };
        let stage = match leg.stage {
            Stage::Up(up) => Stage::Ending(Box::new(up.dialog)),
            other => other,
        };
        self.by_id.insert(id, Leg { stage, ..leg });
    }

    /// Forgets a dialog and gives what was open in it: its last stage and the peer's offer.
    pub(super) fn remove(&mut self, id: DialogId) -> Option<(Stage, Option<Open>)> {
        let leg = self.by_id.remove(&id)?;
        self.by_tag.remove(&leg.local_tag);
        Some((leg.stage, leg.offer))
    }

    /// Whether this is an INVITE of ours that has no answer yet, come back by some way.
    pub(super) fn is_calling(&self, invite: &Request) -> bool {
        let id = self.by_tag.get(invite.from().tag());
        let stage = id.and_then(|id| self.by_id.get(id)).map(|leg| &leg.stage);
        matches!(stage, Some(Stage::Calling(calling)) if calling.call_id == invite.call_id)
    }

    /// The dialog a request belongs to: our tag, the peer's and the Call-ID must be right.
    pub(super) fn of_request(&self, request: &Request) -> Option<DialogId> {
        let id = *self.by_tag.get(request.to().tag())?;
        self.by_id.get(&id)?.matches(request).then_some(id)
    }

    pub(super) fn rang(&mut self, id: DialogId, at: Instant) {
        if let Some(leg) = self.by_id.get_mut(&id) {
            leg.alarm.rang(at);
        }
    }

    pub(super) fn arm(&mut self, id: DialogId, schedule: &mut Schedule) {
        if let Some(leg) = self.by_id.get_mut(&id) {
            let deadline = leg.deadline();
            schedule.arm(&mut leg.alarm, deadline, Sleeper::Dialog(id));
        }
    }
}
