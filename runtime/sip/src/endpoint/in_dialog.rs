//! Requests within a dialog: BYE either way, re-INVITE, and those that are only answered (RFC 3261 §12.2, §14, §15).

use std::time::Instant;

use bytes::Bytes;

use super::leg::{Farewell, Ringing, Stage, Unacknowledged};
use super::receive::{Refusal, check_content, check_require};
use super::received::{ACCEPT, ALLOW, Answer, Received};
use super::transactions::Purpose;
use super::uas::{Rejection, failure};
use super::{Config, DialogId, Endpoint, Event};
use crate::dialog::{Dialog, OutgoingRequest, RequestParts, Wording};
use crate::random::Identifiers;
use crate::transaction::{ClientKey, InviteServer, MergeKey, NonInviteClient, ServerKey};
use crate::{Hop, Method, Reason};

impl Endpoint {
    pub(super) fn on_in_dialog(
        &mut self,
        now: Instant,
        dialog: DialogId,
        key: ServerKey,
        mut received: Received,
    ) {
        let number = received.request.cseq().number;
        let in_order = match self.legs.stage(dialog) {
            Some(Stage::Up(up)) => {
                received.us = up.dialog.us();
                up.dialog.take_cseq(number)
            }
            Some(Stage::Ending(ending)) => ending.take_cseq(number),
            _ => true,
        };
        if !in_order {
            return self.refuse(&received, Refusal::new(500));
        }
        let keys = (key, MergeKey::of(&received.request));
        match received.request.method() {
            Method::Invite => self.on_reinvite(now, dialog, keys, received),
            Method::Bye => {
                let answer = received
                    .response(&self.config, Answer::new(200, b""))
                    .finish();
                self.answer_asked(now, keys, &received, answer);
                self.on_bye(now, dialog, Reason::of(&received.request));
            }
            _ => self.answer_other(now, keys, &received),
        }
    }

    /// A request that changes nothing: pings are answered 200, the rest says what is understood.
    fn answer_other(&mut self, now: Instant, keys: (ServerKey, MergeKey), received: &Received) {
        let request = &received.request;
        let (status, field) = match request.method() {
            Method::Options => (200, Some(ALLOW)),
            Method::Info if request.body().is_empty() => (200, None),
            Method::Info => (415, Some(ACCEPT)),
            Method::Notify | Method::Subscribe => (489, None),
            _ => (405, Some(ALLOW)),
        };
        let mut writer = received.response(&self.config, Answer::new(status, b""));
        if let Some((name, value)) = field {
            writer.header(name, value);
        }
        self.answer_asked(now, keys, received, writer.finish());
    }

    fn on_bye(&mut self, now: Instant, dialog: DialogId, cause: Option<Reason>) {
        match self.legs.stage(dialog) {
            // The caller may end an early dialog so, too.
            Some(Stage::Ringing(_)) => self.on_withdrawn(now, dialog, cause),
            // The BYE overtook the 2xx of our INVITE: whatever comes of that is ended.
            Some(Stage::Calling(_)) => {
                self.cancel(now, dialog, None);
            }
            Some(Stage::Up(up)) => {
                let offer = up.offer.take();
                self.legs.remove(dialog);
                if let Some(offer) = offer {
                    self.fail(now, &offer, b"", 487);
                }
                self.tell(dialog, Event::Bye { cause });
            }
            // Both sides hung up at once; ours needs no answer any more.
            Some(Stage::Ending(_)) => self.on_bye_done(Some(dialog)),
            None => {}
        }
    }

    /// A re-INVITE: one at a time, and none before the ACK of the last (RFC 3261 §14.2).
    fn on_reinvite(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: Received,
    ) {
        let checked =
            check_require(&received.request).and_then(|()| check_content(&received.request));
        if let Err(refusal) = checked {
            return self.refuse(&received, refusal);
        }
        let Some(up) = self.legs.up(dialog) else {
            return self.refuse(&received, Refusal::new(491));
        };
        if up.offer.is_some() {
            // RFC 3261 asks for a random time of 0 to 10 s: the CSeq spreads it as well.
            let seconds = received.request.cseq().number % 10;
            let refusal = Refusal::with(500, "Retry-After", seconds.to_string().as_bytes());
            return self.refuse(&received, refusal);
        }
        if up.unacknowledged.is_some() {
            return self.refuse(&received, Refusal::new(491));
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
        up.offer = Some(Ringing {
            transaction,
            invite: received,
        });
        self.respond(now, transaction, 100, trying);
        self.tell(dialog, Event::Offer { sdp });
    }

    pub(super) fn accept_offer(&mut self, now: Instant, dialog: DialogId, sdp: &[u8]) -> bool {
        let Some(up) = self.legs.up(dialog) else {
            return false;
        };
        let Some(Ringing {
            transaction,
            invite,
        }) = up.offer.take()
        else {
            return false;
        };
        let bytes = invite
            .dialog_response(&self.config, Answer::new(200, b""))
            .finish_with_sdp(sdp);
        up.dialog.refresh_target(&invite.request, invite.source);
        let wait = Unacknowledged::new(
            now,
            self.config.timing,
            transaction,
            &invite.request,
            bytes.clone(),
        );
        up.unacknowledged = Some(wait);
        self.legs.arm(dialog, &mut self.schedule);
        self.respond(now, transaction, 200, bytes);
        true
    }

    pub(super) fn reject_offer(&mut self, now: Instant, dialog: DialogId, status: u16) -> bool {
        let Some(offer) = self.legs.up(dialog).and_then(|up| up.offer.take()) else {
            return false;
        };
        self.fail(now, &offer, b"", failure(status));
        true
    }

    /// Ends a dialog at the caller's wish, in whatever way its state asks for.
    pub(super) fn end(&mut self, now: Instant, dialog: DialogId, cause: Option<Reason>) -> bool {
        match self.legs.stage(dialog) {
            Some(Stage::Calling(_)) => self.cancel(now, dialog, cause),
            Some(Stage::Ringing(_)) => {
                let rejection = Rejection {
                    status: 603,
                    cause,
                    ..Rejection::default()
                };
                self.reject(now, dialog, rejection)
            }
            Some(Stage::Up(up)) => {
                let farewell = Farewell { cause };
                if up
                    .unacknowledged
                    .as_ref()
                    .is_some_and(|waiting| waiting.is_first)
                {
                    up.farewell = Some(farewell);
                } else {
                    self.hang_up(now, dialog, farewell);
                }
                true
            }
            Some(Stage::Ending(_)) | None => false,
        }
    }

    /// Sends the BYE of a confirmed dialog and waits for its end.
    pub(super) fn hang_up(&mut self, now: Instant, dialog: DialogId, farewell: Farewell) {
        if let Some(offer) = self.legs.end(dialog) {
            self.fail(now, &offer, b"", 487);
        }
        if let Some(Stage::Ending(ending)) = self.legs.stage(dialog) {
            let us = ending.us();
            let wording = Wording::because(Method::Bye, farewell.cause.as_ref());
            let (branch, bye) = write(&mut self.identifiers, &self.config, ending, &wording);
            self.send_bye(now, (branch, us), bye, Some(dialog));
        }
    }

    pub(super) fn on_bye_done(&mut self, dialog: Option<DialogId>) {
        let Some(dialog) = dialog else { return };
        if let Some(Stage::Ending(_)) = self.legs.stage(dialog) {
            self.legs.remove(dialog);
            self.tell(dialog, Event::Terminated);
        }
    }

    /// Sends a BYE; `waiting` is told when it is answered.
    fn send_bye(
        &mut self,
        now: Instant,
        (branch, us): (Bytes, Hop),
        bye: OutgoingRequest,
        waiting: Option<DialogId>,
    ) {
        let is_reliable = bye.way.to.transport.is_reliable();
        let core = NonInviteClient::new(now, self.config.timing, is_reliable, bye.bytes);
        let key = ClientKey::new(branch, Method::Bye, us.address);
        let id = self
            .transactions
            .ask(core, Purpose::Bye(waiting), key, bye.way);
        self.drain(now, id);
    }

    /// Ends a dialog that nobody above knows of.
    pub(super) fn dismiss(&mut self, now: Instant, mut dialog: Dialog) {
        let wording = Wording::new(Method::Bye);
        let (branch, bye) = write(&mut self.identifiers, &self.config, &mut dialog, &wording);
        self.send_bye(now, (branch, dialog.us()), bye, None);
    }

    pub(super) fn wake_dialog(&mut self, now: Instant, dialog: DialogId) {
        match self.legs.stage(dialog) {
            Some(Stage::Calling(_)) => self.on_ring_timeout(now, dialog),
            Some(Stage::Up(_)) => self.wait_for_ack(now, dialog),
            Some(Stage::Ringing(_) | Stage::Ending(_)) | None => {}
        }
    }
}

fn write(
    identifiers: &mut Identifiers,
    config: &Config,
    dialog: &mut Dialog,
    wording: &Wording,
) -> (Bytes, OutgoingRequest) {
    let branch = identifiers.branch();
    let cseq = dialog.next_cseq();
    let parts = RequestParts {
        cseq,
        branch: &branch,
        user_agent: config.user_agent.as_deref(),
    };
    let request = dialog.request(wording, parts);
    (branch, request)
}
