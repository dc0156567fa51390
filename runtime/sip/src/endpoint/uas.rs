//! INVITEs of the peer: 100 at once, provisional and final answers, ACK, CANCEL (RFC 3261 §13.3, §9.2).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::leg::{Open, Overdue, Ringing, Stage, Unacknowledged, Up};
use super::prack::Provisionals;
use super::receive::Refusal;
use super::received::{Answer, Received};
use super::{DialogId, Endpoint, Event, Incoming, Output, session_timer};
use crate::dialog::{Dialog, Wording};
use crate::digest::User;
use crate::field::Name;
use crate::transaction::{InviteServer, MergeKey, ServerKey};
use crate::{Method, Reason, Warning};

/// The first provisional response has a number from 1 to 2³¹ − 1 (RFC 3262 §3); later ones need some room above.
const MAX_FIRST_RSEQ: u32 = 1 << 30;

impl Endpoint {
    /// A new INVITE, checked and within bounds.
    pub(super) fn on_invite(
        &mut self,
        now: Instant,
        keys: (ServerKey, MergeKey),
        invite: Received,
        user: Option<User>,
    ) {
        let dialog = DialogId(self.last_incoming.map_or(1, |last| last + 2));
        self.last_incoming = Some(dialog.0);
        let is_reliable = invite.source.transport.is_reliable();
        let core = InviteServer::new(self.config.timing, is_reliable);
        let transaction = self
            .transactions
            .invited(core, dialog, keys, invite.way_back);
        let trying = invite
            .response(&self.config, Answer::new(100, b""))
            .finish();
        self.transactions.respond(now, transaction, 100, trying);
        self.drain(now, transaction);
        self.outputs.push_back(Output::Incoming(Box::new(Incoming {
            dialog,
            source: invite.source,
            user,
            sdp: invite.request.sdp(),
            request: invite.request.clone(),
        })));
        let tag = self.identifiers.tag();
        let wants_pracks = invite.request.has_option(Name::Require, "100rel");
        let ringing = Ringing {
            dialog: Dialog::as_uas(&invite.request, invite.peer(), &tag),
            invite: Open {
                transaction,
                request: invite,
            },
            reliable: wants_pracks
                .then(|| Provisionals::new(self.identifiers.below(MAX_FIRST_RSEQ))),
        };
        self.legs
            .add(dialog, tag, Stage::Ringing(Box::new(ringing)));
    }

    pub(super) fn answer(&mut self, now: Instant, id: DialogId, sdp: &Bytes) -> bool {
        if self.hold_answer(id, sdp) {
            return true;
        }
        let Some((ringing, tag)) = self.legs.ringing(id) else {
            return false;
        };
        let Open {
            transaction,
            request: invite,
        } = &ringing.invite;
        let (transaction, request) = (*transaction, &invite.request);
        let reliable = ringing.reliable.as_ref();
        let is_described = reliable.is_some_and(Provisionals::is_described);
        let mut writer = invite.dialog_response(&self.config, Answer::new(200, tag));
        let timer = session_timer::agree(now, request, None, &mut writer);
        let bytes = if is_described {
            writer.finish() // a second answer would be none (RFC 3261 §13.2.1)
        } else {
            writer.finish_with_sdp(sdp)
        };
        let timing = self.config.timing;
        let mut wait = Unacknowledged::new(now, timing, transaction, request, bytes.clone());
        wait.has_offer &= !is_described;
        let unpracked = reliable.and_then(|reliable| reliable.unpracked(request.cseq()));
        self.legs.confirm(id, |mut dialog| {
            if !is_described {
                dialog.describe(sdp.clone());
            }
            Up {
                unacknowledged: Some(wait),
                timer,
                unpracked,
                ..Up::new(dialog)
            }
        });
        self.legs.arm(id, &mut self.schedule);
        self.respond(now, transaction, 200, bytes);
        true
    }

    pub(super) fn reject(&mut self, now: Instant, dialog: DialogId, rejection: Rejection) -> bool {
        let Some((ringing, tag)) = self.legs.ringing(dialog) else {
            return false;
        };
        let status = failure(rejection.status);
        let phrase = rejection
            .phrase
            .map(|phrase| phrase.replace(char::is_control, ""));
        let answer = Answer {
            reason: phrase.as_deref(),
            ..Answer::new(status, tag)
        };
        let Open {
            transaction,
            request: invite,
        } = &ringing.invite;
        let mut writer = invite.response(&self.config, answer);
        if let Some(cause) = rejection.cause {
            writer.header("Reason", cause.value().as_bytes());
        }
        if let Some(warning) = rejection.warning {
            writer.header("Warning", warning.value(invite.us.address).as_bytes());
        }
        if let Some(retry_after) = rejection.retry_after {
            let seconds = retry_after
                .as_secs()
                .saturating_add(u64::from(retry_after.subsec_nanos() > 0));
            writer.header("Retry-After", seconds.to_string().as_bytes());
        }
        let transaction = *transaction;
        self.forget(now, dialog);
        self.respond(now, transaction, status, writer.finish());
        true
    }

    /// Gives a failure without further fields to a request that is open.
    pub(super) fn fail(&mut self, now: Instant, open: &Open, local_tag: &[u8], status: u16) {
        let bytes = open
            .request
            .response(&self.config, Answer::new(status, local_tag))
            .finish();
        self.respond(now, open.transaction, status, bytes);
    }

    pub(super) fn respond(
        &mut self,
        now: Instant,
        transaction: super::TransactionId,
        status: u16,
        bytes: Bytes,
    ) {
        self.transactions.respond(now, transaction, status, bytes);
        self.drain(now, transaction);
    }

    /// An ACK ends the transaction of a failure, or the wait for it after a 2xx. Peers that give the ACK of a failure
    /// another branch are understood by Call-ID, From tag and `CSeq`.
    pub(super) fn on_ack(&mut self, now: Instant, received: &Received) {
        let key = ServerKey::of(&received.request);
        let by_key = self.transactions.of_request(&key);
        let transaction = by_key.or_else(|| {
            self.transactions
                .of_merged(&MergeKey::of(&received.request))
        });
        if let Some(id) = transaction {
            self.transactions.ack(now, id);
            self.drain(now, id);
        }
        let dialog = self.legs.of_request(&received.request);
        let is_awaited = dialog.is_some_and(|dialog| self.acknowledge(now, dialog, received));
        if !is_awaited && transaction.is_none() {
            self.counters.strays += 1;
        }
    }

    /// Takes the ACK of a 2xx. False when none of this number is awaited.
    fn acknowledge(&mut self, now: Instant, dialog: DialogId, ack: &Received) -> bool {
        let Some(up) = self.legs.up(dialog) else {
            return false;
        };
        let number = ack.request.cseq().number;
        if up
            .unacknowledged
            .take_if(|waiting| waiting.cseq == number)
            .is_none()
        {
            return false;
        }
        let farewell = up.farewell.take();
        self.tell(
            dialog,
            Event::Acked {
                sdp: ack.request.sdp(),
            },
        );
        if let Some(farewell) = farewell {
            self.hang_up(now, dialog, &farewell);
        }
        true
    }

    /// Repeats the 2xx, or gives up on its ACK: then the dialog is ended, for the peer may be in it (RFC 3261 §13.3.1.4).
    pub(super) fn wait_for_ack(&mut self, now: Instant, dialog: DialogId) {
        let timing = self.config.timing;
        let Some(up) = self.legs.up(dialog) else {
            return;
        };
        let Some(waiting) = &mut up.unacknowledged else {
            return;
        };
        match waiting.overdue(now, timing) {
            None => {}
            Some(Overdue::Repeat) => {
                let (transaction, response) = (waiting.transaction, waiting.response.clone());
                self.respond(now, transaction, 200, response);
            }
            Some(Overdue::GiveUp) => {
                up.unacknowledged = None;
                match up.farewell.take() {
                    Some(farewell) => self.hang_up(now, dialog, &farewell),
                    None => {
                        self.leave(now, dialog, &Wording::new(Method::Bye));
                        self.tell(dialog, Event::NoAck);
                    }
                }
            }
        }
    }

    /// A CANCEL of the peer, from where its INVITE came (RFC 3261 §9.2).
    pub(super) fn on_cancel(&mut self, now: Instant, received: &Received) {
        let invite = self
            .transactions
            .of_request(&ServerKey::canceled_by(&received.request));
        let from_inviter =
            |id: &_| self.transactions.peer(*id) == Some(received.source.address.ip());
        let Some(invite) = invite.filter(from_inviter) else {
            return self.refuse(received, Refusal::new(481));
        };
        let keys = (
            ServerKey::of(&received.request),
            MergeKey::of(&received.request),
        );
        let answer = received
            .response(&self.config, Answer::new(200, b""))
            .finish();
        self.answer_asked(now, keys, received, answer);
        if self.transactions.awaits_answer(invite) {
            self.take_back(now, invite, Reason::of(&received.request));
        }
    }

    /// Answers a cancelled INVITE 487. A cancelled re-INVITE leaves the dialog as it was.
    fn take_back(
        &mut self,
        now: Instant,
        transaction: super::TransactionId,
        cause: Option<Reason>,
    ) {
        let Some(dialog) = self.transactions.dialog(transaction) else {
            return;
        };
        match self.legs.stage(dialog) {
            Some(Stage::Ringing(_)) => self.on_withdrawn(now, dialog, cause),
            Some(Stage::Up(_)) => {
                if let Some(offer) = self.take_offer(dialog) {
                    self.fail(now, &offer, b"", 487);
                }
            }
            _ => {}
        }
    }

    /// The peer does not want an answer to its INVITE any more.
    pub(super) fn on_withdrawn(&mut self, now: Instant, dialog: DialogId, cause: Option<Reason>) {
        let Some((_, tag)) = self.legs.ringing(dialog) else {
            return;
        };
        let tag = tag.clone();
        if let Some(Stage::Ringing(ringing)) = self.forget(now, dialog) {
            self.fail(now, &ringing.invite, &tag, 487);
            self.tell(dialog, Event::Canceled { cause });
        }
    }
}

/// How an INVITE of the peer is refused.
#[derive(Debug, Default)]
pub(super) struct Rejection {
    pub(super) status: u16,
    /// None: the usual phrase.
    pub(super) phrase: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) cause: Option<Reason>,
    pub(super) warning: Option<Warning>,
}

/// A status that ends an INVITE without a dialog.
pub(super) fn failure(status: u16) -> u16 {
    if (300..700).contains(&status) {
        status
    } else {
        500
    }
}
