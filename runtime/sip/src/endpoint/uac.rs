//! INVITEs of ours: their responses, CANCEL, forks (RFC 3261 §13.2, §9.1).

use std::time::Instant;

use bytes::Bytes;

use super::attempt::{Attempt, Cancel, Fork, MAX_FORKS};
use super::leg::{Calling, Stage, Up};
use super::received::{ALLOW, SUPPORTED};
use super::schedule::{Alarm, Sleeper, TransactionId};
use super::targets::{Redirected, Targets, contacts};
use super::transactions::Purpose;
use super::{Config, DialogId, Endpoint, Event, InviteTarget, OutgoingInvite, Reliable};
use crate::dialog::{Dialog, OurInvite, RequestParts, Wording};
use crate::field::{Name, full_form};
use crate::routes::RouteSet;
use crate::transaction::{ClientKey, InviteClient, NonInviteClient};
use crate::write::{Writer, reason_phrase};
use crate::{Hop, Method, NameAddr, Reason, Response, Uri, from_invite, lex};

/// The most bytes of a request in a datagram where there is another way (RFC 3261 §18.1.1).
const MAX_DATAGRAM: usize = 1300;

impl Endpoint {
    pub(super) fn invite(
        &mut self,
        now: Instant,
        dialog: DialogId,
        invite: OutgoingInvite,
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
        match Targets::new(invite) {
            Some(targets) if is_writable(&targets.invite) => {
                self.start_calling(now, dialog, targets);
            }
            _ => self.tell_failed(dialog, 400),
        }
        true
    }

    fn start_calling(&mut self, now: Instant, dialog: DialogId, targets: Targets) {
        let invite = &targets.invite;
        let tag = self.identifiers.tag();
        let call_id = match &invite.call_id {
            Some(call_id) => Bytes::copy_from_slice(call_id.as_bytes()),
            None => self.identifiers.call_id(),
        };
        let calling = Calling {
            transaction: TransactionId::default(),
            call_id,
            from: from_value(invite, &tag),
            ring_until: now.checked_add(invite.ring_timeout),
            speak_until: None,
            targets: Box::new(targets),
        };
        self.legs.add(dialog, tag, Stage::Calling(calling));
        self.send_invite(now, dialog);
    }

    /// Sends the INVITE to its current target. False when there is no room for its transaction.
    fn send_invite(&mut self, now: Instant, dialog: DialogId) -> bool {
        if self.transactions.len() >= self.config.max_transactions {
            return false;
        }
        let branch = self.identifiers.branch();
        let Some(Stage::Calling(calling)) = self.legs.stage(dialog) else {
            return false;
        };
        let targets = &mut calling.targets;
        let InviteTarget { hop, to_source, .. } = *targets.current();
        let contact = self.config.contacts.towards(hop);
        let mut ours = OurInvite {
            call_id: calling.call_id.clone(),
            from: calling.from.clone(),
            cseq: targets.cseq,
            us: Hop::new(hop.transport, targets.invite.advertised.unwrap_or(contact)),
            contact_user: targets.invite.contact_user.clone(),
            to_source,
            access: None,
            sdp: targets.invite.sdp.clone(),
        };
        let (bytes, proof) = write_invite(targets, &ours, &branch, &self.config);
        if bytes.len() > MAX_DATAGRAM && targets.prefer_stream() {
            return self.send_invite(now, dialog);
        }
        ours.access.clone_from(&targets.access);
        let is_reliable = hop.transport.is_reliable();
        let core = InviteClient::new(now, self.config.timing, is_reliable, bytes.clone());
        let key = ClientKey::new(branch.clone(), Method::Invite, ours.us.address);
        let transaction = self
            .transactions
            .invite(core, Purpose::Invite, key, hop.into());
        calling.transaction = transaction;
        calling.speak_until = now.checked_add(targets.invite.answer_within);
        let attempt = Attempt {
            proof,
            ..Attempt::new(dialog, hop, branch, ours, bytes)
        };
        self.attempts.insert(transaction, attempt);
        self.legs.arm(dialog, &mut self.schedule);
        self.drain(now, transaction);
        true
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
            if let Some(dialog) = self.awaiting(transaction) {
                self.give_up(now, dialog, 487);
            }
            self.transactions.remove(transaction);
            self.attempts.remove(&transaction);
        }
    }

    /// The INVITE was not answered while we were willing to wait, or a target said nothing at all.
    pub(super) fn on_ring_timeout(&mut self, now: Instant, dialog: DialogId) {
        let Some(calling) = self.legs.calling(dialog) else {
            return;
        };
        let transaction = calling.transaction;
        let is_due = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        if is_due(calling.ring_until) {
            self.cancel_attempt(now, transaction, 408, None);
        } else if is_due(calling.speak_until) {
            self.leave_silent_target(now, dialog, transaction);
        }
    }

    /// Goes on without a target that said nothing. Should it speak yet, it is told that nobody waits any more.
    fn leave_silent_target(&mut self, now: Instant, dialog: DialogId, silent: TransactionId) {
        if let Some(attempt) = self.attempts.get_mut(&silent) {
            attempt.cancel = Cancel::Wanted;
        }
        self.transactions.hush(silent);
        self.go_on_or_fail(now, dialog, 408);
    }

    /// The INVITE ended without a final response: as if `status` had come.
    pub(super) fn on_invite_lost(&mut self, now: Instant, transaction: TransactionId, status: u16) {
        let dialog = self.awaiting(transaction);
        let attempt = self.attempts.remove(&transaction);
        let is_wanted = attempt.is_some_and(|attempt| attempt.cancel == Cancel::NotWanted);
        match dialog {
            Some(dialog) if is_wanted => self.go_on_or_fail(now, dialog, status),
            Some(dialog) => self.give_up(now, dialog, status),
            None => {}
        }
    }

    /// Tries the next target; where there is none the dialog fails.
    fn go_on_or_fail(&mut self, now: Instant, dialog: DialogId, status: u16) {
        let stage = self.legs.stage(dialog);
        let has_next = match stage {
            Some(Stage::Calling(calling)) => calling.targets.advance(),
            _ => false,
        };
        if !has_next || !self.send_invite(now, dialog) {
            self.give_up(now, dialog, status);
        }
    }

    fn give_up(&mut self, now: Instant, dialog: DialogId, status: u16) {
        self.forget(now, dialog);
        self.tell_failed(dialog, status);
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
        if let Some(Stage::Calling(calling)) = self.legs.stage(dialog)
            && calling.transaction == transaction
        {
            calling.speak_until = None;
        }
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
        let dialog = self.awaiting(transaction);
        let Some(attempt) = self.attempts.get_mut(&transaction) else {
            return;
        };
        attempt.invite = Bytes::new();
        let is_wanted = attempt.cancel == Cancel::NotWanted;
        let Some(dialog) = dialog else { return };
        let outcome = if is_wanted {
            self.go_on(now, dialog, response)
        } else {
            GoOn::No
        };
        let (status, reason) = match outcome {
            GoOn::Yes => return,
            GoOn::InACircle => (482, reason_phrase(482).to_owned()),
            GoOn::No => (response.status(), response.reason().into_owned()),
        };
        self.forget(now, dialog);
        self.tell_own_fields(dialog, response);
        let contacts = match status {
            300..400 => contacts(response).iter().map(Uri::to_string).collect(),
            _ => Vec::new(),
        };
        self.tell(
            dialog,
            Event::Failed {
                status,
                reason,
                retry_after: response.retry_after(),
                cause: Reason::of(response),
                contacts,
            },
        );
    }

    /// Sends the INVITE once more where a failure leaves a way: with a proof, to a contact, or to the next target.
    fn go_on(&mut self, now: Instant, dialog: DialogId, response: &Response) -> GoOn {
        let cnonce = self.identifiers.tag();
        let Some(Stage::Calling(calling)) = self.legs.stage(dialog) else {
            return GoOn::No;
        };
        let targets = &mut calling.targets;
        let has_next = match response.status() {
            401 | 407 => targets.is_challenged(response, &cnonce),
            422 => targets.is_too_short(response),
            503 => targets.advance(),
            400..600 => targets.advance_among_contacts(),
            300..400 => match targets.redirect(response) {
                Redirected::On => true,
                Redirected::Nowhere => false,
                Redirected::InACircle => return GoOn::InACircle,
            },
            _ => false,
        };
        if has_next && self.send_invite(now, dialog) {
            GoOn::Yes
        } else {
            GoOn::No
        }
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
        let (mut dialog, description) = attempt.confirmed(response);
        self.acknowledge_answer(transaction, &mut dialog, cseq, remote_tag);
        if is_wanted
            && self
                .legs
                .calling(id)
                .is_some_and(|calling| calling.transaction == transaction)
        {
            if let Some(stage) = self.legs.stage(id) {
                *stage = Stage::Up(Box::new(Up::new(dialog)));
            }
            self.agree_as_uac(now, id, response);
            self.tell_own_fields(id, response);
            self.tell(
                id,
                Event::Answered {
                    sdp: response.sdp().or(description),
                },
            );
        } else {
            self.dismiss(now, dialog, &Wording::new(Method::Bye));
            if let Some(dialog) = self.awaiting(transaction) {
                self.give_up(now, dialog, 487);
            }
        }
    }

    fn acknowledge_answer(
        &mut self,
        transaction: TransactionId,
        dialog: &mut Dialog,
        cseq: u32,
        remote_tag: &[u8],
    ) {
        let branch = self.identifiers.branch();
        let parts = RequestParts {
            cseq,
            branch: &branch,
            user_agent: self.config.user_agent.as_deref(),
        };
        let mut wording = Wording::new(Method::Ack);
        let mut ack = dialog.request(&wording, parts);
        if let Some(attempt) = self.attempts.get_mut(&transaction) {
            // The ACK repeats what the INVITE proved (RFC 3261 §22.1), but tells it nobody else.
            if attempt.destination.address.ip() == ack.way.to.address.ip() {
                wording.fields.clone_from(&attempt.proof);
                ack = dialog.request(&wording, parts);
            }
            let remote_tag = Bytes::copy_from_slice(remote_tag);
            attempt.forks.push(Fork {
                remote_tag,
                way: ack.way,
                ack: ack.bytes.clone(),
            });
        }
        self.transmit(ack.way, ack.bytes);
    }

    /// The dialog that waits for the answer to this INVITE, which is not one to a target that was left.
    fn awaiting(&self, transaction: TransactionId) -> Option<DialogId> {
        let dialog = self.attempts.get(&transaction)?.dialog;
        let calling = self.legs.calling(dialog)?;
        (calling.transaction == transaction).then_some(dialog)
    }

    fn tell_own_fields(&mut self, dialog: DialogId, response: &Response) {
        let fields = response.own_fields();
        if !fields.is_empty() {
            self.tell(dialog, Event::OwnFields(fields));
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
                contacts: Vec::new(),
            },
        );
    }
}

/// What a failure leads to.
enum GoOn {
    /// The INVITE was sent once more.
    Yes,
    No,
    /// Only to where it has been.
    InACircle,
}

/// The INVITE to the current target, and the fields of it that prove who we are.
fn write_invite(
    targets: &mut Targets,
    ours: &OurInvite,
    branch: &[u8],
    config: &Config,
) -> (Bytes, Vec<(&'static str, Bytes)>) {
    let invite = &targets.invite;
    let InviteTarget {
        hop,
        request_uri,
        routes,
        ..
    } = targets.current().clone();
    let routes = RouteSet::new(routes.into_iter().map(Bytes::from).collect());
    let target = Bytes::from(request_uri);
    let request_uri = routes.request_uri(&target);
    let mut writer = Writer::request(b"INVITE", request_uri);
    writer.via(ours.us, branch);
    routes.write(&mut writer, &target);
    writer.header("Max-Forwards", b"70");
    writer.header("From", &ours.from);
    writer.header_of("To", &[b"<", invite.to.as_bytes(), b">"]);
    writer.header("Call-ID", &ours.call_id);
    writer.header_of("CSeq", &[ours.cseq.to_string().as_bytes(), b" INVITE"]);
    let contact = ours.us.contact(ours.contact_user.as_deref());
    writer.header_of("Contact", &[b"<", contact.as_bytes(), b">"]);
    writer.header(ALLOW.0, ALLOW.1);
    match invite.reliable {
        Reliable::No => writer.header(SUPPORTED.0, SUPPORTED.1),
        Reliable::Supported => writer.header_of(SUPPORTED.0, &[SUPPORTED.1, b", 100rel"]),
        Reliable::Required => {
            writer.header(SUPPORTED.0, SUPPORTED.1);
            writer.header("Require", b"100rel");
        }
    }
    for (name, value) in targets.timer_fields() {
        writer.header(name, &value);
    }
    if let Some(user_agent) = &config.user_agent {
        writer.header("User-Agent", user_agent.as_bytes());
    }
    let access = targets.access.as_mut();
    let proof = access.map_or_else(Vec::new, |access| {
        access.fields(hop, b"INVITE", request_uri, &invite.sdp)
    });
    let proof: Vec<_> = proof
        .into_iter()
        .map(|(name, value)| (name.as_str(), Bytes::from(value)))
        .collect();
    for (name, value) in &proof {
        writer.header(name, value);
    }
    for (name, value) in &invite.headers {
        writer.header(name, value.as_bytes());
    }
    (writer.finish_with_sdp(&invite.sdp), proof)
}

/// The value of `From`: who calls, and our tag.
fn from_value(invite: &OutgoingInvite, tag: &[u8]) -> Bytes {
    let name = invite
        .from_name
        .as_deref()
        .map_or_else(String::new, |name| format!("\"{}\" ", lex::escaped(name)));
    [
        name.as_bytes(),
        b"<",
        invite.from.as_bytes(),
        b">;tag=",
        tag,
    ]
    .concat()
    .into()
}

/// Whether a text can be a Call-ID.
pub(super) fn is_writable_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
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
    let is_target =
        |target: &InviteTarget| is_uri(&target.request_uri) && target.routes.iter().all(is_route);
    let is_name = |name: &String| !name.contains(char::is_control);
    is_uri(&invite.from)
        && invite.from_name.as_ref().is_none_or(is_name)
        && is_uri(&invite.to)
        && invite.targets.iter().all(is_target)
        && invite.headers.iter().all(is_field)
        && invite.call_id.as_deref().is_none_or(is_writable_word)
        && !invite.sdp.is_empty()
}
