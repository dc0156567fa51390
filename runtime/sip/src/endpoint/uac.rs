//! INVITEs of ours: their responses, CANCEL, forks (RFC 3261 §13.2, §9.1).

use std::time::Instant;

use bytes::Bytes;

use super::attempt::{Attempt, Cancel, Fork, MAX_FORKS};
use super::leg::{Calling, Stage, Up};
use super::received::ALLOW;
use super::schedule::{Alarm, Sleeper, TransactionId};
use super::transactions::Purpose;
use super::{DialogId, Endpoint, Event, OutgoingInvite, Reliable};
use crate::dialog::{Dialog, OurInvite, RequestParts, Wording};
use crate::field::{Name, full_form};
use crate::routes::RouteSet;
use crate::transaction::{ClientKey, InviteClient, NonInviteClient};
use crate::write::{Writer, reason_phrase};
use crate::{Hop, Method, NameAddr, Reason, Response, Uri, from_invite, lex};

impl Endpoint {
    pub(super) fn invite(
        &mut self,
        now: Instant,
        dialog: DialogId,
        invite: &OutgoingInvite,
    ) -> bool {
        if !dialog.0.is_multiple_of(2) || self.legs.contains(dialog) {
            return false;
        }
        if self.legs.len() >= self.config.max_dialogs
            || self.transactions.len() >= self.config.max_transactions
        {
            self.tell_failed(dialog, 503);
            return true;
        }
        match invite.targets.first() {
            Some(target) if is_writable(invite) => {
                self.start_attempt(now, dialog, invite, *target);
            }
            _ => self.tell_failed(dialog, 400),
        }
        true
    }

    fn start_attempt(
        &mut self,
        now: Instant,
        dialog: DialogId,
        invite: &OutgoingInvite,
        target: Hop,
    ) {
        let branch = self.identifiers.branch();
        let tag = self.identifiers.tag();
        let call_id = match &invite.call_id {
            Some(call_id) => Bytes::copy_from_slice(call_id.as_bytes()),
            None => self.identifiers.call_id(),
        };
        let from = [b"<", invite.from.as_bytes(), b">;tag=", &tag].concat();
        let ours = OurInvite {
            call_id: call_id.clone(),
            from: from.into(),
            cseq: 1,
            us: self.us_towards(target, invite),
            to_source: invite.to_source,
        };
        let bytes = self.write_invite(invite, &branch, &ours);
        let is_reliable = target.transport.is_reliable();
        let core = InviteClient::new(now, self.config.timing, is_reliable, bytes.clone());
        let key = ClientKey::new(branch.clone(), Method::Invite, ours.us.address);
        let transaction = self.transactions.invite(core, key, target.into());
        let attempt = Attempt::new(dialog, target, branch, ours, bytes);
        self.attempts.insert(transaction, attempt);
        let ring_until = now.checked_add(invite.ring_timeout);
        let calling = Calling {
            transaction,
            call_id,
            ring_until,
        };
        self.legs.add(dialog, tag, Stage::Calling(calling));
        self.legs.arm(dialog, &mut self.schedule);
        self.drain(now, transaction);
    }

    fn us_towards(&self, target: Hop, invite: &OutgoingInvite) -> Hop {
        let contact = self.config.contacts.towards(target);
        Hop::new(target.transport, invite.advertised.unwrap_or(contact))
    }

    fn write_invite(&self, invite: &OutgoingInvite, branch: &[u8], ours: &OurInvite) -> Bytes {
        let routes = invite.routes.iter().cloned().map(Bytes::from);
        let routes = RouteSet::new(routes.collect());
        let target = invite.request_uri.as_bytes();
        let mut writer = Writer::request(b"INVITE", routes.request_uri(target));
        writer.via(ours.us, branch);
        routes.write(&mut writer, target);
        writer.header("Max-Forwards", b"70");
        writer.header("From", &ours.from);
        writer.header_of("To", &[b"<", invite.to.as_bytes(), b">"]);
        writer.header("Call-ID", &ours.call_id);
        writer.header_of("CSeq", &[ours.cseq.to_string().as_bytes(), b" INVITE"]);
        writer.header_of("Contact", &[b"<", ours.us.contact().as_bytes(), b">"]);
        writer.header(ALLOW.0, ALLOW.1);
        match invite.reliable {
            Reliable::No => {}
            Reliable::Supported => writer.header("Supported", b"100rel"),
            Reliable::Required => writer.header("Require", b"100rel"),
        }
        if let Some(user_agent) = &self.config.user_agent {
            writer.header("User-Agent", user_agent.as_bytes());
        }
        for (name, value) in &invite.headers {
            writer.header(name, value.as_bytes());
        }
        writer.finish_with_sdp(&invite.sdp)
    }

    /// Cancels at the caller's wish.
    pub(super) fn cancel(&mut self, now: Instant, dialog: DialogId, cause: Option<Reason>) -> bool {
        let Some(transaction) = self.legs.calling(dialog).map(|calling| calling.transaction) else {
            return false;
        };
        self.cancel_attempt(now, transaction, 487, cause);
        true
    }

    /// Cancels. Nobody needs to wait for the end of an INVITE of which nothing was heard: the dialog fails at once with
    /// `unheard`, and what may still come is dealt with behind the scene.
    fn cancel_attempt(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        unheard: u16,
        cause: Option<Reason>,
    ) {
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return;
        };
        if attempt.cancel != Cancel::NotWanted {
            return;
        }
        attempt.cancel = Cancel::Wanted;
        attempt.cause = cause;
        let dialog = attempt.dialog;
        if let Some(Stage::Calling(calling)) = self.legs.stage(dialog) {
            calling.ring_until = None;
        }
        if attempt.is_heard {
            self.send_cancel(now, transaction);
        } else {
            self.forget(now, dialog);
            self.tell_failed(dialog, unheard);
        }
    }

    fn send_cancel(&mut self, now: Instant, transaction: TransactionId) {
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return;
        };
        let give_up_at = now + self.config.timing.give_up();
        attempt.cancel = Cancel::Sent { give_up_at };
        self.schedule.arm(
            &mut Alarm::default(),
            Some(give_up_at),
            Sleeper::Attempt(transaction),
        );
        let core = NonInviteClient::new(
            now,
            self.config.timing,
            attempt.destination.transport.is_reliable(),
            from_invite::cancel(&attempt.invite, attempt.cause.as_ref()),
        );
        let key = ClientKey::new(
            attempt.branch.clone(),
            Method::Cancel,
            attempt.ours.us.address,
        );
        let id = self
            .transactions
            .ask(core, Purpose::Unheeded, key, attempt.destination.into());
        self.drain(now, id);
    }

    /// No final response came after our CANCEL: as if there had been a 487 (RFC 3261 §9.1).
    pub(super) fn wake_attempt(&mut self, now: Instant, transaction: TransactionId) {
        let Some(attempt) = self.attempts.get(&transaction) else {
            return;
        };
        let is_over = matches!(attempt.cancel, Cancel::Sent { give_up_at } if give_up_at <= now);
        let is_answered = attempt.invite.is_empty();
        if is_over && !is_answered {
            self.fail_calling(now, transaction, |endpoint, dialog| {
                endpoint.tell_failed(dialog, 487);
            });
            self.transactions.remove(transaction);
            self.attempts.remove(&transaction);
        }
    }

    /// The INVITE was not answered while we were willing to wait.
    pub(super) fn on_ring_timeout(&mut self, now: Instant, dialog: DialogId) {
        let Some(calling) = self.legs.calling(dialog) else {
            return;
        };
        if calling.ring_until.is_some_and(|until| until <= now) {
            let transaction = calling.transaction;
            self.cancel_attempt(now, transaction, 408, None);
        }
    }

    /// The INVITE ended without a final response: as if `status` had come.
    pub(super) fn on_invite_lost(&mut self, now: Instant, transaction: TransactionId, status: u16) {
        self.fail_calling(now, transaction, |endpoint, dialog| {
            endpoint.tell_failed(dialog, status);
        });
        self.attempts.remove(&transaction);
    }

    pub(super) fn on_invite_response(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        response: &Response,
    ) {
        match response.status() {
            ..200 => self.on_provisional(now, transaction, response),
            200..300 => self.on_answer(now, transaction, response),
            300.. => self.on_failure(now, transaction, response),
        }
    }

    fn on_provisional(&mut self, now: Instant, transaction: TransactionId, response: &Response) {
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return;
        };
        attempt.is_heard = true;
        let (dialog, cancel) = (attempt.dialog, attempt.cancel);
        let is_news = response.status() > 100 && self.on_early(now, transaction, response);
        match cancel {
            Cancel::Wanted => self.send_cancel(now, transaction),
            Cancel::NotWanted if is_news => {
                let event = Event::Provisional {
                    status: response.status(),
                    sdp: response.sdp(),
                };
                self.tell(dialog, event);
            }
            Cancel::NotWanted | Cancel::Sent { .. } => {}
        }
    }

    fn on_failure(&mut self, now: Instant, transaction: TransactionId, response: &Response) {
        if let Some(attempt) = self.attempts.get_mut(&transaction) {
            attempt.invite = Bytes::new();
        }
        self.fail_calling(now, transaction, |endpoint, dialog| {
            endpoint.tell(
                dialog,
                Event::Failed {
                    status: response.status(),
                    reason: response.reason().into_owned(),
                    retry_after: response.retry_after(),
                    cause: Reason::of(response),
                },
            );
        });
    }

    /// A 2xx: acknowledged each time it comes. The first makes the dialog; one of another peer, or one that crossed our
    /// CANCEL, is ended with BYE (RFC 3261 §13.2.2.4).
    fn on_answer(&mut self, now: Instant, transaction: TransactionId, response: &Response) {
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return;
        };
        attempt.invite = Bytes::new();
        let remote_tag = response.to().tag();
        if let Some(fork) = attempt.fork(remote_tag) {
            let (way, ack) = (fork.way, fork.ack.clone());
            return self.transmit(way, ack);
        }
        if attempt.forks.len() == MAX_FORKS {
            self.counters.strays += 1;
            return;
        }
        let is_wanted = attempt.cancel == Cancel::NotWanted && attempt.forks.is_empty();
        let (id, cseq) = (attempt.dialog, attempt.ours.cseq);
        let (dialog, description) = attempt.confirmed(response);
        self.acknowledge_answer(transaction, &dialog, cseq, remote_tag);
        if is_wanted
            && self
                .legs
                .calling(id)
                .is_some_and(|calling| calling.transaction == transaction)
        {
            let up = Up {
                dialog,
                unacknowledged: None,
                unpracked: None,
                farewell: None,
            };
            if let Some(stage) = self.legs.stage(id) {
                *stage = Stage::Up(Box::new(up));
            }
            self.tell(
                id,
                Event::Answered {
                    sdp: response.sdp().or(description),
                },
            );
        } else {
            self.dismiss(now, dialog, &Wording::new(Method::Bye));
            self.fail_calling(now, transaction, |endpoint, dialog| {
                endpoint.tell_failed(dialog, 487);
            });
        }
    }

    fn acknowledge_answer(
        &mut self,
        transaction: TransactionId,
        dialog: &Dialog,
        cseq: u32,
        remote_tag: &[u8],
    ) {
        let branch = self.identifiers.branch();
        let parts = RequestParts {
            cseq,
            branch: &branch,
            user_agent: self.config.user_agent.as_deref(),
        };
        let ack = dialog.request(&Wording::new(Method::Ack), parts);
        if let Some(attempt) = self.attempts.get_mut(&transaction) {
            let remote_tag = Bytes::copy_from_slice(remote_tag);
            attempt.forks.push(Fork {
                remote_tag,
                way: ack.way,
                ack: ack.bytes.clone(),
            });
        }
        self.transmit(ack.way, ack.bytes);
    }

    /// Ends the dialog of an INVITE that will have no answer, where it still waits for one.
    fn fail_calling(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        tell: impl FnOnce(&mut Self, DialogId),
    ) {
        let Some(dialog) = self
            .attempts
            .get(&transaction)
            .map(|attempt| attempt.dialog)
        else {
            return;
        };
        if self
            .legs
            .calling(dialog)
            .is_some_and(|calling| calling.transaction == transaction)
        {
            self.forget(now, dialog);
            tell(self, dialog);
        }
    }

    fn tell_failed(&mut self, dialog: DialogId, status: u16) {
        let reason = reason_phrase(status).to_owned();
        self.tell(
            dialog,
            Event::Failed {
                status,
                reason,
                retry_after: None,
                cause: None,
            },
        );
    }
}

/// Whether the parts of an INVITE keep to their grammar, so that none can smuggle in another.
fn is_writable(invite: &OutgoingInvite) -> bool {
    let is_uri = |text: &String| Uri::parse(&Bytes::copy_from_slice(text.as_bytes())).is_ok();
    let is_field = |(name, value): &(String, String)| {
        let known = full_form(name.as_bytes());
        lex::is_token(name.as_bytes())
            && Name::of(name.as_bytes()) == Name::Other
            && !["Route", "Allow", "User-Agent"]
                .iter()
                .any(|own| known.eq_ignore_ascii_case(own.as_bytes()))
            && !value.contains(char::is_control)
    };
    let is_route =
        |text: &String| NameAddr::parse(&Bytes::copy_from_slice(text.as_bytes())).is_ok();
    let is_word = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    [&invite.request_uri, &invite.from, &invite.to]
        .into_iter()
        .all(is_uri)
        && invite.routes.iter().all(is_route)
        && invite.headers.iter().all(is_field)
        && invite.call_id.iter().all(is_word)
        && !invite.sdp.is_empty()
}
