//! Requests within a dialog: which there are, BYE either way, and those that are only answered (RFC 3261 §12.2, §15).

use std::time::Instant;

use super::errand::Errand;
use super::leg::{Farewell, Stage};
use super::receive::Refusal;
use super::received::{ACCEPT, ALLOW, Answer, Received, SUPPORTED};
use super::refer::is_about_a_referral;
use super::uas::Rejection;
use super::{DialogId, Endpoint, Event};
use crate::dialog::Wording;
use crate::transaction::{MergeKey, ServerKey};
use crate::{Method, Reason};

impl Endpoint {
    pub(super) fn on_in_dialog(
        &mut self,
        now: Instant,
        id: DialogId,
        key: ServerKey,
        mut received: Received,
    ) {
        let number = received.request.cseq().number;
        if let Some(dialog) = self.dialog(id, received.request.from().tag()) {
            received.us = dialog.us();
            received.contact_user = dialog.contact_user();
            if !dialog.take_cseq(number) {
                return self.refuse(&received, Refusal::new(500));
            }
        }
        let keys = (key, MergeKey::of(&received.request));
        match received.request.method() {
            Method::Invite => self.on_reinvite(now, id, keys, received),
            Method::Update => self.on_update(now, id, keys, received),
            Method::Prack => self.on_prack(now, id, keys, received),
            Method::Info => self.on_info(now, id, keys, &received),
            Method::Bye => {
                let answer = received
                    .response(&self.config, Answer::new(200, b""))
                    .finish();
                self.answer_asked(now, keys, &received, answer);
                self.on_bye(now, id, Reason::of(&received.request));
            }
            Method::Notify => {
                if !self.on_report(now, id, keys.clone(), &received) {
                    self.answer_other(now, keys, &received);
                }
            }
            Method::Refer => {
                if !self.on_refer(now, id, keys.clone(), &received) {
                    self.answer_other(now, keys, &received);
                }
            }
            _ => self.answer_other(now, keys, &received),
        }
    }

    /// A request that changes nothing: pings are answered 200, the rest says what is understood.
    fn answer_other(&mut self, now: Instant, keys: (ServerKey, MergeKey), received: &Received) {
        let (status, fields) = match received.request.method() {
            Method::Options => (200, &[ALLOW, ACCEPT, SUPPORTED][..]),
            Method::Refer => (603, &[][..]), // nobody but us says whom we call
            Method::Notify if is_about_a_referral(&received.request) => (481, &[][..]), // RFC 6665 §4.1.3
            Method::Notify | Method::Subscribe => (489, &[][..]),
            _ => (405, &[ALLOW][..]),
        };
        let mut writer = received.response(&self.config, Answer::new(status, b""));
        for (name, value) in fields {
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
            Some(Stage::Up(_)) => {
                self.forget(now, dialog);
                self.tell(dialog, Event::Bye { cause });
            }
            // Both sides hung up at once; ours needs no answer any more.
            Some(Stage::Ending(_)) => self.on_bye_done(now, dialog),
            None => {}
        }
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
                    self.hang_up(now, dialog, &farewell);
                }
                true
            }
            Some(Stage::Ending(_)) | None => false,
        }
    }

    /// Sends the BYE of a confirmed dialog and waits for its end.
    pub(super) fn hang_up(&mut self, now: Instant, id: DialogId, farewell: &Farewell) {
        if let Some(offer) = self.take_offer(id) {
            self.fail(now, &offer, b"", 487);
        }
        self.legs.end(id);
        if let Some(Stage::Ending(dialog)) = self.legs.stage(id) {
            let errand = Errand::new(id, dialog.remote_tag(), farewell.wording());
            self.send_within(now, errand);
        }
    }

    pub(super) fn on_bye_done(&mut self, now: Instant, dialog: DialogId) {
        if let Some(Stage::Ending(_)) = self.legs.stage(dialog) {
            self.forget(now, dialog);
            self.tell(dialog, Event::Terminated);
        }
    }

    /// Ends a dialog that the peer no longer answers for: nobody waits for the answer to this BYE.
    pub(super) fn lose(&mut self, now: Instant, dialog: DialogId) {
        if let Some(Stage::Up(_)) = self.legs.stage(dialog) {
            self.leave(now, dialog, &Wording::new(Method::Bye));
            self.tell(dialog, Event::Terminated);
        }
    }

    /// Sends a BYE and forgets the dialog.
    pub(super) fn leave(&mut self, now: Instant, dialog: DialogId, bye: &Wording) {
        if let Some(Stage::Up(up)) = self.forget(now, dialog) {
            self.dismiss(now, up.dialog, bye);
        }
    }

    /// Forgets a dialog; an offer that is open in it comes to nothing.
    pub(super) fn forget(&mut self, now: Instant, dialog: DialogId) -> Option<Stage> {
        let (stage, offer) = self.legs.remove(dialog)?;
        if let Some(offer) = offer {
            self.fail(now, &offer, b"", 487);
        }
        Some(stage)
    }

    pub(super) fn wake_dialog(&mut self, now: Instant, dialog: DialogId) {
        match self.legs.stage(dialog) {
            Some(Stage::Calling(_)) => self.on_ring_timeout(now, dialog),
            Some(Stage::Ringing(_)) => self.wait_for_prack(now, dialog),
            Some(Stage::Up(_)) => {
                self.wait_for_ack(now, dialog);
                self.wake_offer(now, dialog);
                self.wake_session(now, dialog);
            }
            Some(Stage::Ending(_)) | None => {}
        }
    }
}
