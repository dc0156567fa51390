//! Offers of the peer within a dialog, by re-INVITE, UPDATE or PRACK, and our answers (RFC 3261 §14.2, RFC 3311 §5.2).

use std::time::Instant;

use bytes::Bytes;

use super::leg::{Open, Stage, Unacknowledged};
use super::offer::OurOffer;
use super::receive::{Refusal, check_content, check_require};
use super::received::{Answer, Received};
use super::session_timer::check_interval;
use super::uas::failure;
use super::{DialogId, Endpoint, Event};
use crate::transaction::{InviteServer, MergeKey, NonInviteServer, ServerKey};
use crate::{Method, Warning};

impl Endpoint {
    /// A re-INVITE: one at a time, and none before the ACK of the last (RFC 3261 §14.2).
    pub(super) fn on_reinvite(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: Received,
    ) {
        let request = &received.request;
        let checked = check_require(request)
            .and_then(|()| check_content(request))
            .and_then(|()| check_interval(request));
        if let Err(refusal) = checked {
            return self.refuse(&received, refusal);
        }
        if let Err(refusal) = self.check_reinvite(dialog, &received) {
            return self.refuse_for_now_within(now, dialog, keys, &received, refusal);
        }
        let is_reliable = received.source.transport.is_reliable();
        let core = InviteServer::new(self.config.timing, is_reliable);
        let transaction = self
            .transactions
            .invited(core, dialog, keys, received.way_back);
        let trying = received
            .response(&self.config, Answer::new(100, b""))
            .finish();
        let sdp = received.request.sdp();
        self.keep_open(dialog, transaction, received);
        self.respond(now, transaction, 100, trying);
        self.tell(dialog, Event::Offer { sdp });
    }

    /// Whether a re-INVITE crosses no other exchange (RFC 3261 §14.2). Takes what it says of the peer's abilities.
    fn check_reinvite(&mut self, id: DialogId, received: &Received) -> Result<(), Refusal> {
        if self.has_open_offer(id) {
            return Err(come_back_later(received));
        }
        let Some(up) = self.legs.up(id) else {
            return Err(Refusal::new(491));
        };
        if up.unacknowledged.is_some() || up.ours.as_ref().is_some_and(OurOffer::is_sent) {
            return Err(Refusal::new(491));
        }
        up.dialog.learn(&received.request);
        Ok(())
    }

    /// An UPDATE. Without an offer it only moves the target, which is done at once.
    pub(super) fn on_update(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: Received,
    ) {
        let request = &received.request;
        let refusal = check_require(request)
            .and_then(|()| check_content(request))
            .and_then(|()| check_interval(request));
        if let Err(refusal) = refusal {
            return self.refuse(&received, refusal);
        }
        if let Err(refusal) = self.check_update(dialog, &received) {
            return self.refuse_for_now_within(now, dialog, keys, &received, refusal);
        }
        match request.sdp() {
            Some(sdp) => self.open_offer(now, dialog, keys, received, sdp),
            None => {
                let mut answer = received.dialog_response(&self.config, Answer::new(200, b""));
                self.agree_again(now, dialog, request, &mut answer);
                self.answer_asked(now, keys, &received, answer.finish());
                self.refresh_target(dialog, &received);
            }
        }
    }

    /// Whether an UPDATE is for a dialog that is there and crosses no other exchange (RFC 3311 §5.2).
    fn check_update(&mut self, id: DialogId, received: &Received) -> Result<(), Refusal> {
        if matches!(self.legs.stage(id), Some(Stage::Ending(_)) | None)
            || self.dialog(id, received.request.from().tag()).is_none()
        {
            return Err(Refusal::new(481));
        }
        if received.request.sdp().is_none() {
            return Ok(());
        }
        if self.has_open_offer(id) || self.owes_first_answer(id) {
            return Err(come_back_later(received));
        }
        if self.awaits_answer(id, received.request.from().tag()) {
            return Err(Refusal::new(491));
        }
        Ok(())
    }

    /// Whether an offer of the peer awaits our answer.
    pub(super) fn has_open_offer(&mut self, id: DialogId) -> bool {
        self.legs.offer(id).is_some_and(|offer| offer.is_some())
    }

    /// Whether the peer's INVITE has no answer yet that is known to have arrived.
    fn owes_first_answer(&mut self, id: DialogId) -> bool {
        let Some((ringing, _)) = self.legs.ringing(id) else {
            return false;
        };
        let reliable = ringing.reliable.as_ref();
        !reliable.is_some_and(|reliable| reliable.is_described())
    }

    /// Whether an offer of ours awaits the answer of the peer with this tag.
    fn awaits_answer(&mut self, id: DialogId, remote_tag: &[u8]) -> bool {
        match self.legs.stage(id) {
            Some(Stage::Calling(calling)) => {
                let attempt = self.attempts.get_mut(&calling.transaction);
                let early = attempt.and_then(|attempt| attempt.early(remote_tag));
                early.is_none_or(|early| early.description.is_none())
            }
            Some(Stage::Up(up)) => {
                up.ours.as_ref().is_some_and(OurOffer::is_sent)
                    || up
                        .unacknowledged
                        .as_ref()
                        .is_some_and(|sent| sent.has_offer)
            }
            _ => false,
        }
    }

    /// Tells an offer that came with an UPDATE or a PRACK.
    pub(super) fn open_offer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: Received,
        sdp: Bytes,
    ) {
        if self.has_open_offer(dialog) {
            let refusal = come_back_later(&received);
            return self.refuse_for_now_within(now, dialog, keys, &received, refusal);
        }
        let is_reliable = received.source.transport.is_reliable();
        let core = NonInviteServer::new(self.config.timing, is_reliable);
        let transaction = self.transactions.asked(core, keys, received.way_back);
        self.drain(now, transaction);
        self.keep_open(dialog, transaction, received);
        self.tell(dialog, Event::Offer { sdp: Some(sdp) });
    }

    fn keep_open(
        &mut self,
        dialog: DialogId,
        transaction: super::TransactionId,
        request: Received,
    ) {
        if let Some(offer) = self.legs.offer(dialog) {
            *offer = Some(Open {
                transaction,
                request,
            });
        }
    }

    pub(super) fn accept_offer(&mut self, now: Instant, dialog: DialogId, sdp: &Bytes) -> bool {
        let Some(open) = self.take_offer(dialog) else {
            return false;
        };
        let Open {
            transaction,
            request: received,
        } = open;
        let answer = Answer::new(200, b"");
        let is_prack = *received.request.method() == Method::Prack;
        let writer = if is_prack {
            received.response(&self.config, answer)
        } else {
            self.refresh_target(dialog, &received);
            let mut writer = received.dialog_response(&self.config, answer);
            self.agree_again(now, dialog, &received.request, &mut writer);
            writer
        };
        let bytes = writer.finish_with_sdp(sdp);
        self.note_description(dialog, &received);
        if let Some(dialog) = self.dialog(dialog, received.request.from().tag()) {
            dialog.describe(sdp.clone());
        }
        if *received.request.method() == Method::Invite {
            let timing = self.config.timing;
            let request = &received.request;
            let wait = Unacknowledged::new(now, timing, transaction, request, bytes.clone());
            if let Some(up) = self.legs.up(dialog) {
                up.unacknowledged = Some(wait);
            }
            self.legs.arm(dialog, &mut self.schedule);
        }
        self.respond(now, transaction, 200, bytes);
        true
    }

    /// Keeps what a fork of our INVITE described last, for its 2xx may say it no more.
    fn note_description(&mut self, id: DialogId, received: &Received) {
        if let Some(Stage::Calling(calling)) = self.legs.stage(id) {
            let attempt = self.attempts.get_mut(&calling.transaction);
            let tag = received.request.from().tag();
            if let Some(early) = attempt.and_then(|attempt| attempt.early(tag)) {
                early.description = received.request.sdp();
            }
        }
    }

    pub(super) fn reject_offer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        status: u16,
        warning: Option<Warning>,
    ) -> bool {
        let Some(offer) = self.take_offer(dialog) else {
            return false;
        };
        let status = failure(status);
        let request = &offer.request;
        let mut writer = request.response(&self.config, Answer::new(status, b""));
        if let Some(warning) = warning {
            writer.header("Warning", warning.value(request.us.address).as_bytes());
        }
        self.respond(now, offer.transaction, status, writer.finish());
        true
    }

    pub(super) fn take_offer(&mut self, dialog: DialogId) -> Option<Open> {
        self.legs.offer(dialog).and_then(Option::take)
    }

    fn refresh_target(&mut self, id: DialogId, received: &Received) {
        let request = &received.request;
        if let Some(dialog) = self.dialog(id, request.from().tag()) {
            dialog.refresh_target(request, received.source);
        }
    }
}

/// Refuses a request that came before the last one was answered. RFC 3261 §14.2 asks for a random time of 0 to 10 s: the
/// `CSeq` spreads it as well.
fn come_back_later(received: &Received) -> Refusal {
    let seconds = received.request.cseq().number % 10;
    Refusal::with(500, "Retry-After", seconds.to_string().as_bytes())
}
