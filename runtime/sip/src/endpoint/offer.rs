//! Offers of ours within a dialog, by re-INVITE (RFC 3261 §14.1).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::errand::Errand;
use super::schedule::TransactionId;
use super::{DialogId, Endpoint, Event};
use crate::dialog::{Content, RequestParts, Wording};
use crate::hop::Way;
use crate::{Method, Response};

/// How often an offer is made that crosses one of the peer each time.
const MAX_CROSSINGS: u8 = 5;

/// An offer of ours without an answer.
#[derive(Debug)]
pub(super) struct OurOffer {
    sdp: Bytes,
    /// Nobody asked for it: it says that the call is still on.
    is_refresh: bool,
    state: State,
    crossings: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sent,
    /// It crossed one of the peer, and is sent again at this time.
    Crossed {
        again_at: Instant,
    },
}

/// What a 2xx of a re-INVITE gets each time it comes.
#[derive(Clone, Debug)]
pub(super) struct Ack {
    way: Way,
    bytes: Bytes,
}

impl OurOffer {
    fn new(sdp: Bytes, is_refresh: bool) -> Self {
        Self {
            sdp,
            is_refresh,
            state: State::Sent,
            crossings: 0,
        }
    }

    /// What the peer knows already, to refresh the session.
    pub(super) fn refresh(sdp: Bytes) -> Self {
        Self::new(sdp, true)
    }

    pub(super) fn is_sent(&self) -> bool {
        self.state == State::Sent
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Sent => None,
            State::Crossed { again_at } => Some(again_at),
        }
    }
}

impl Endpoint {
    /// Offers a new description. Before an answer to the last offer the next is refused like one that crossed the peer's.
    pub(super) fn offer(&mut self, now: Instant, id: DialogId, sdp: Bytes) -> bool {
        let Some(up) = self.legs.up(id) else {
            return false;
        };
        match &mut up.ours {
            Some(ours) if ours.is_refresh && !ours.is_sent() => {
                (ours.sdp, ours.is_refresh) = (sdp, false); // it refreshes the session as well
            }
            Some(_) => self.tell(id, Event::OfferRefused { status: 491 }),
            ours => {
                *ours = Some(OurOffer::new(sdp, false));
                self.send_offer(now, id);
            }
        }
        true
    }

    /// Sends the re-INVITE of our offer, or has it wait where it would cross another exchange.
    pub(super) fn send_offer(&mut self, now: Instant, id: DialogId) {
        let fields = self.timer_fields(id);
        let is_busy = self.has_open_offer(id);
        let Some(up) = self.legs.up(id) else {
            return;
        };
        let is_busy = is_busy || up.unacknowledged.is_some();
        let Some(ours) = &mut up.ours else {
            return;
        };
        if is_busy {
            return self.on_crossing(now, id);
        }
        ours.state = State::Sent;
        let wording = Wording {
            method: Method::Invite,
            fields,
            content: Some(Content {
                media_type: Bytes::from_static(b"application/sdp"),
                body: ours.sdp.clone(),
            }),
        };
        let errand = Errand::new(id, up.dialog.remote_tag(), wording);
        self.send_within(now, errand);
    }

    /// Has our offer wait for a random time, that both sides do not meet again (RFC 3261 §14.1).
    fn on_crossing(&mut self, now: Instant, id: DialogId) {
        let Some(up) = self.legs.up(id) else {
            return;
        };
        let Some(ours) = &mut up.ours else {
            return;
        };
        if ours.crossings == MAX_CROSSINGS {
            return self.on_offer_refused(now, id, 491, None);
        }
        ours.crossings += 1;
        let (least, most) = if up.dialog.owns_call_id() {
            (210, 400)
        } else {
            (0, 200)
        };
        let tens_of_ms = least + self.identifiers.below(most - least + 1);
        let again_at = now + Duration::from_millis(10 * u64::from(tens_of_ms));
        ours.state = State::Crossed { again_at };
        self.legs.arm(id, &mut self.schedule);
    }

    pub(super) fn wake_offer(&mut self, now: Instant, id: DialogId) {
        let ours = self.legs.up(id).and_then(|up| up.ours.as_ref());
        let again_at = ours.and_then(OurOffer::deadline);
        if again_at.is_some_and(|at| at <= now) {
            self.send_offer(now, id);
        }
    }

    /// A final response to our re-INVITE. The endpoint sends an ACK for each 2xx; the transaction has sent that of a failure.
    pub(super) fn on_reinvite_response(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        response: &Response,
    ) {
        let Some(errand) = self.errands.get(&transaction) else {
            return;
        };
        if let Some(ack) = &errand.ack {
            let Ack { way, bytes } = ack.clone();
            return self.transmit(way, bytes);
        }
        let id = errand.dialog;
        match response.status() {
            ..200 => self.on_early_of_reinvite(now, transaction, response),
            200..300 => {
                self.acknowledge_reinvite(transaction, response);
                if let Some(dialog) = self.dialog(id, response.to().tag()) {
                    dialog.settle();
                }
                self.on_offer_answered(now, id, response);
            }
            status => {
                let Some(errand) = self.errands.remove(&transaction) else {
                    return;
                };
                if self.is_challenged(transaction, &errand, response) {
                    self.send_within(now, errand);
                } else {
                    self.on_offer_failed(now, id, status, Some(response));
                }
            }
        }
    }

    fn acknowledge_reinvite(&mut self, transaction: TransactionId, response: &Response) {
        let branch = self.identifiers.branch();
        let user_agent = self.config.user_agent.clone();
        let Some(errand) = self.errands.get(&transaction) else {
            return;
        };
        let (id, tag, cseq) = (errand.dialog, errand.remote_tag.clone(), errand.cseq);
        let proof = errand.proof.clone();
        let asked = self.transactions.hop(transaction);
        let Some(dialog) = self.dialog(id, &tag) else {
            return;
        };
        dialog.retarget(response);
        dialog.learn(response);
        let parts = RequestParts {
            cseq,
            branch: &branch,
            user_agent: user_agent.as_deref(),
        };
        let mut wording = Wording::new(Method::Ack);
        let mut request = dialog.request(&wording, parts);
        // The ACK repeats what the re-INVITE proved (RFC 3261 §22.1), but tells it nobody else.
        if asked.is_some_and(|asked| asked.address.ip() == request.way.to.address.ip()) {
            wording.fields = proof;
            request = dialog.request(&wording, parts);
        }
        let (way, bytes) = (request.way, request.bytes);
        if let Some(errand) = self.errands.get_mut(&transaction) {
            let bytes = bytes.clone();
            errand.ack = Some(Ack { way, bytes });
        }
        self.transmit(way, bytes);
    }

    fn on_offer_answered(&mut self, now: Instant, id: DialogId, response: &Response) {
        let Some(up) = self.legs.up(id) else {
            return;
        };
        if let Some(ours) = up.ours.take() {
            up.dialog.describe(ours.sdp);
            self.agree_as_uac(now, id, response);
            let sdp = response.sdp();
            self.tell(id, Event::OfferAnswered { sdp });
        }
    }

    /// Our re-INVITE came to nothing; without a response, too.
    pub(super) fn on_offer_failed(
        &mut self,
        now: Instant,
        id: DialogId,
        status: u16,
        response: Option<&Response>,
    ) {
        match status {
            408 | 481 => self.lose(now, id),
            491 => self.on_crossing(now, id),
            _ => self.on_offer_refused(now, id, status, response),
        }
    }

    fn on_offer_refused(
        &mut self,
        now: Instant,
        id: DialogId,
        status: u16,
        response: Option<&Response>,
    ) {
        let ours = self.legs.up(id).and_then(|up| up.ours.take());
        match ours {
            Some(ours) if ours.is_refresh => self.on_refresh_failed(now, id, response),
            Some(_) => self.tell(id, Event::OfferRefused { status }),
            None => {}
        }
    }
}
