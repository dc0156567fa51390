//! Early dialogs of an INVITE of ours: each fork that rings makes one, and what it says reliably is acknowledged
//! (RFC 3261 §12.1.2, RFC 3262 §4).

use std::time::Instant;

use bytes::Bytes;

use super::attempt::{Attempt, MAX_FORKS};
use super::errand::Errand;
use super::schedule::TransactionId;
use super::{DialogId, Endpoint};
use crate::dialog::{Dialog, Wording};
use crate::field::Name;
use crate::lex;
use crate::rack::RAck;
use crate::{CSeq, Method, Response};

/// One fork that answered provisionally.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The number of its last reliable response.
    rseq: Option<u32>,
    /// What the peer described reliably: the answer to our offer, or an offer of its own that came later.
    pub(super) description: Option<Bytes>,
}

impl Early {
    fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            rseq: None,
            description: None,
        }
    }
}

impl Attempt {
    /// The early dialog with the fork of this tag.
    pub(super) fn early(&mut self, remote_tag: &[u8]) -> Option<&mut Early> {
        self.early
            .iter_mut()
            .find(|early| early.dialog.is_with(remote_tag))
    }

    /// The same, made from the response where it is new; none when there are too many.
    fn early_of(&mut self, response: &Response) -> Option<&mut Early> {
        let remote_tag = response.to().tag();
        if self.early(remote_tag).is_none() {
            if self.early.len() == MAX_FORKS {
                return None;
            }
            let dialog = Dialog::as_uac(&self.ours, response, self.destination);
            self.early.push(Early::new(dialog));
        }
        self.early(remote_tag)
    }

    /// The dialog that a 2xx confirms, and what its fork had described before.
    pub(super) fn confirmed(&mut self, response: &Response) -> (Dialog, Option<Bytes>) {
        let remote_tag = response.to().tag();
        let index = self
            .early
            .iter()
            .position(|early| early.dialog.is_with(remote_tag));
        match index.map(|index| self.early.swap_remove(index)) {
            Some(mut early) => {
                early.dialog.confirm(response);
                (early.dialog, early.description)
            }
            None => {
                let dialog = Dialog::as_uac(&self.ours, response, self.destination);
                (dialog, None)
            }
        }
    }
}

impl Endpoint {
    /// Takes a provisional response above 100 into its early dialog. False for one that is no news: a copy, or one that
    /// overtook another (RFC 3262 §4). Its PRACK is sent once: a transaction repeats that until it is answered.
    pub(super) fn on_early(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        response: &Response,
    ) -> bool {
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return false;
        };
        if response.status() == 199 {
            // The fork is gone, its final response stays with the proxy (RFC 6228).
            let tag = response.to().tag();
            attempt.early.retain(|early| !early.dialog.is_with(tag));
            return true;
        }
        let (id, invite) = (attempt.dialog, attempt.ours.cseq);
        let Some(early) = attempt.early_of(response) else {
            self.counters.strays += 1;
            return true;
        };
        early.dialog.retarget(response);
        let Some(rseq) = reliable_number(response) else {
            return true;
        };
        if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return false;
        }
        early.rseq = Some(rseq);
        early.description = response.sdp().or(early.description.take());
        let prack = prack(id, early.dialog.remote_tag(), rseq, invite);
        self.send_within(now, prack);
        true
    }

    /// Acknowledges a provisional response to a re-INVITE of ours, where it wants that.
    pub(super) fn on_early_of_reinvite(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        response: &Response,
    ) {
        let (Some(rseq), Some(errand)) = (
            reliable_number(response),
            self.errands.get_mut(&transaction),
        ) else {
            return;
        };
        if errand.rseq.is_none_or(|last| rseq == last.wrapping_add(1)) {
            errand.rseq = Some(rseq);
            let prack = prack(errand.dialog, errand.remote_tag.clone(), rseq, errand.cseq);
            self.send_within(now, prack);
        }
    }
}

/// The PRACK of a provisional response to our INVITE of this number.
fn prack(dialog: DialogId, remote_tag: Bytes, rseq: u32, number: u32) -> Errand {
    let method = Method::Invite;
    let cseq = CSeq { number, method };
    let mut wording = Wording::new(Method::Prack);
    wording.fields.push(("RAck", RAck { rseq, cseq }.value()));
    Errand::new(dialog, remote_tag, wording)
}

/// The number of a provisional response that wants a PRACK.
fn reliable_number(response: &Response) -> Option<u32> {
    let number = response.head.values(Name::RSeq).next()?;
    let is_reliable = response.has_option(Name::Require, "100rel");
    lex::number(number).filter(|_| is_reliable)
}
