//! Requests of ours within dialogs, from their sending to their answers (RFC 3261 §12.2.1).

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;

use super::attempt::Attempt;
use super::leg::{Legs, Stage};
use super::offer::Ack;
use super::schedule::TransactionId;
use super::transactions::Purpose;
use super::{Config, DialogId, Endpoint};
use crate::dialog::{Dialog, RequestParts, Wording};
use crate::field::Name;
use crate::head::Head;
use crate::hop::Way;
use crate::random::Identifiers;
use crate::transaction::{ClientKey, InviteClient, NonInviteClient};
use crate::{Method, Response};

/// A request of ours within a dialog that has no final answer.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) dialog: DialogId,
    /// The peer's tag, for an INVITE of ours may have several early dialogs.
    pub(super) remote_tag: Bytes,
    /// What was said, to be said again where the answer asks for it.
    pub(super) wording: Wording,
    pub(super) cseq: u32,
    /// The number of the last reliable provisional response to a re-INVITE.
    pub(super) rseq: Option<u32>,
    /// What a re-INVITE proved; its ACK repeats it (RFC 3261 §22.1).
    pub(super) proof: Vec<(&'static str, Bytes)>,
    /// Of a re-INVITE that was answered with 2xx; kept while that may come again.
    pub(super) ack: Option<Ack>,
}

impl Errand {
    /// A request that is not sent yet.
    pub(super) fn new(dialog: DialogId, remote_tag: Bytes, wording: Wording) -> Self {
        Self {
            dialog,
            remote_tag,
            wording,
            cseq: 0,
            rseq: None,
            proof: Vec::new(),
            ack: None,
        }
    }
}

/// A request ready to be sent.
pub(super) struct Written {
    pub(super) key: ClientKey,
    pub(super) way: Way,
    pub(super) bytes: Bytes,
}

impl Endpoint {
    /// The dialog of this id with the peer of this tag.
    pub(super) fn dialog(&mut self, id: DialogId, remote_tag: &[u8]) -> Option<&mut Dialog> {
        find(&mut self.legs, &mut self.attempts, id, remote_tag)
    }

    /// Sends a request within a dialog. False where there is none with that peer.
    pub(super) fn send_within(&mut self, now: Instant, mut errand: Errand) -> bool {
        let (id, tag) = (errand.dialog, &errand.remote_tag);
        let Some(dialog) = find(&mut self.legs, &mut self.attempts, id, tag) else {
            return false;
        };
        let written = write(&mut self.identifiers, &self.config, dialog, &errand.wording);
        errand.cseq = dialog.local_cseq();
        if errand.wording.method == Method::Invite {
            errand.proof = proof(&written.bytes);
        }
        let id = match errand.wording.method {
            Method::Invite => self.ask_by_invite(now, written),
            _ => self.ask(now, written, Purpose::Errand),
        };
        self.errands.insert(id, errand);
        self.drain(now, id);
        true
    }

    /// Ends a dialog that nobody above knows of, or knows of any longer.
    pub(super) fn dismiss(&mut self, now: Instant, mut dialog: Dialog, wording: &Wording) {
        let written = write(&mut self.identifiers, &self.config, &mut dialog, wording);
        let id = self.ask(now, written, Purpose::Unheeded);
        self.drain(now, id);
    }

    /// Starts the transaction of a request that is no INVITE.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        written: Written,
        purpose: Purpose,
    ) -> TransactionId {
        let Written { key, way, bytes } = written;
        let is_reliable = way.to.transport.is_reliable();
        let core = NonInviteClient::new(now, self.config.timing, is_reliable, bytes);
        self.transactions.ask(core, purpose, key, way)
    }

    fn ask_by_invite(&mut self, now: Instant, written: Written) -> TransactionId {
        let Written { key, way, bytes } = written;
        let is_reliable = way.to.transport.is_reliable();
        let core = InviteClient::new(now, self.config.timing, is_reliable, bytes).within_dialog();
        self.transactions.invite(core, Purpose::Errand, key, way)
    }

    pub(super) fn on_errand_response(
        &mut self,
        now: Instant,
        id: TransactionId,
        response: &Response,
    ) {
        let is_reinvite = |errand: &Errand| errand.wording.method == Method::Invite;
        if self.errands.get(&id).is_some_and(is_reinvite) {
            return self.on_reinvite_response(now, id, response);
        }
        if response.status() < 200 {
            return;
        }
        let Some(errand) = self.errands.remove(&id) else {
            return;
        };
        if self.is_challenged(id, &errand, response) {
            self.send_within(now, errand);
        } else {
            self.on_errand_done(now, &errand, response.status(), Some(response));
        }
    }

    /// Takes a final response. True: it asks for a proof that we have. Once our BYE is out nothing else is proved.
    pub(super) fn is_challenged(
        &mut self,
        id: TransactionId,
        errand: &Errand,
        response: &Response,
    ) -> bool {
        let cnonce = self.identifiers.tag();
        let hop = self.transactions.hop(id);
        let is_ending = matches!(self.legs.stage(errand.dialog), Some(Stage::Ending(_)));
        if is_ending && errand.wording.method != Method::Bye {
            return false;
        }
        let dialog = self.dialog(errand.dialog, &errand.remote_tag);
        match (hop, dialog) {
            (Some(hop), Some(dialog)) => dialog.is_challenged(hop, response, &cnonce),
            _ => false,
        }
    }

    /// No final response came: as if this one had.
    pub(super) fn on_errand_lost(&mut self, now: Instant, id: TransactionId, status: u16) {
        if let Some(errand) = self.errands.remove(&id) {
            self.on_errand_done(now, &errand, status, None);
        }
    }

    fn on_errand_done(
        &mut self,
        now: Instant,
        errand: &Errand,
        status: u16,
        response: Option<&Response>,
    ) {
        match errand.wording.method {
            Method::Bye => self.on_bye_done(now, errand.dialog),
            Method::Update => self.on_update_response(now, errand.dialog, status, response),
            Method::Invite => self.on_offer_failed(now, errand.dialog, status, response),
            Method::Refer => self.on_refer_response(now, errand.dialog, status, response),
            Method::Prack => {}  // whatever became of it, the INVITE tells
            Method::Notify => {} // a 481 ends the reports alone (RFC 5057 §5.1)
            _ if status == 481 => self.lose(now, errand.dialog),
            _ => {}
        }
    }
}

fn find<'a>(
    legs: &'a mut Legs,
    attempts: &'a mut HashMap<TransactionId, Attempt>,
    id: DialogId,
    remote_tag: &[u8],
) -> Option<&'a mut Dialog> {
    let dialog = match legs.stage(id)? {
        Stage::Calling(calling) => {
            let attempt = attempts.get_mut(&calling.transaction)?;
            return attempt.early(remote_tag).map(|early| &mut early.dialog);
        }
        Stage::Ringing(ringing) => &mut ringing.dialog,
        Stage::Up(up) => &mut up.dialog,
        Stage::Ending(dialog) => dialog,
    };
    dialog.is_with(remote_tag).then_some(dialog)
}

/// What a request of ours proves.
fn proof(request: &Bytes) -> Vec<(&'static str, Bytes)> {
    let head = Head::read(request).expect("a request we wrote is well-formed");
    [Name::Authorization, Name::ProxyAuthorization]
        .into_iter()
        .flat_map(|name| head.values(name).map(move |value| (name.as_str(), value)))
        .map(|(name, value)| (name, Bytes::copy_from_slice(value)))
        .collect()
}

fn write(
    identifiers: &mut Identifiers,
    config: &Config,
    dialog: &mut Dialog,
    wording: &Wording,
) -> Written {
    let branch = identifiers.branch();
    let parts = RequestParts {
        cseq: dialog.next_cseq(),
        branch: &branch,
        user_agent: config.user_agent.as_deref(),
    };
    let request = dialog.request(wording, parts);
    Written {
        key: ClientKey::new(branch, wording.method.clone(), dialog.us().address),
        way: request.way,
        bytes: request.bytes,
    }
}
