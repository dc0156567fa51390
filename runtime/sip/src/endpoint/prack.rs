//! Provisional responses of ours that must arrive, and the PRACKs that say they did (RFC 3262 §3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::leg::Stage;
use super::receive::{Refusal, check_content, check_require};
use super::received::{Answer, Received};
use super::uas::Rejection;
use super::{DialogId, Endpoint, Event};
use crate::CSeq;
use crate::rack::RAck;
use crate::timers::Timing;
use crate::transaction::{MergeKey, ServerKey};
use crate::write::Writer;

/// The most provisional responses that wait for the one before them.
const MAX_WAITING: usize = 8;

/// The reliable provisional responses to one INVITE. One is on its way at a time, so their order is never in doubt.
#[derive(Debug)]
pub(super) struct Provisionals {
    /// Of the last one sent.
    rseq: u32,
    sent: Option<Sent>,
    waiting: VecDeque<Provisional>,
    /// Our answer, which must wait for the PRACK (RFC 3262 §3).
    held_answer: Option<Bytes>,
    /// A description of ours arrived: offer and answer were exchanged, unless it was an offer.
    is_described: bool,
}

#[derive(Debug)]
struct Provisional {
    status: u16,
    sdp: Option<Bytes>,
}

/// One without PRACK.
#[derive(Debug)]
struct Sent {
    status: u16,
    has_sdp: bool,
    bytes: Bytes,
    interval: Duration,
    repeat_at: Instant,
    give_up_at: Instant,
}

impl Provisionals {
    /// `before_first` is the number before that of the first response.
    pub(super) fn new(before_first: u32) -> Self {
        Self {
            rseq: before_first,
            sent: None,
            waiting: VecDeque::new(),
            held_answer: None,
            is_described: false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let sent = self.sent.as_ref()?;
        Some(sent.repeat_at.min(sent.give_up_at))
    }

    /// Whether a 2xx must wait for a PRACK.
    fn holds_answer(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.has_sdp)
    }

    /// Whether a description of ours went out and is known to have arrived.
    pub(super) fn is_described(&self) -> bool {
        self.is_described
    }

    /// What a late PRACK names, once the 2xx is out.
    pub(super) fn unpracked(&self, cseq: &CSeq) -> Option<RAck> {
        self.sent.as_ref().map(|_| RAck {
            rseq: self.rseq,
            cseq: cseq.clone(),
        })
    }

    /// Takes a PRACK; `is_answered` unless it lacks the answer to an offer. False where none of its number waits for one.
    fn acknowledge(&mut self, rseq: u32, is_answered: bool) -> bool {
        let Some(sent) = self.sent.take_if(|_| rseq == self.rseq) else {
            return false;
        };
        self.is_described |= sent.has_sdp && is_answered;
        true
    }
}

impl Provisional {
    fn finish(&self, writer: Writer) -> Bytes {
        match &self.sdp {
            Some(sdp) => writer.finish_with_sdp(sdp),
            None => writer.finish(),
        }
    }
}

impl Sent {
    fn new(now: Instant, timing: Timing, provisional: &Provisional, bytes: Bytes) -> Self {
        Self {
            status: provisional.status,
            has_sdp: provisional.sdp.is_some(),
            bytes,
            interval: timing.t1,
            repeat_at: now + timing.t1,
            give_up_at: now + timing.give_up(),
        }
    }
}

impl Endpoint {
    /// Answers an INVITE with 180 or 183.
    pub(super) fn provisional(
        &mut self,
        now: Instant,
        dialog: DialogId,
        status: u16,
        sdp: Option<Bytes>,
    ) -> bool {
        let Some((ringing, tag)) = self.legs.ringing(dialog) else {
            return false;
        };
        if let Some(sdp) = &sdp {
            ringing.dialog.describe(sdp.clone());
        }
        let provisional = Provisional { status, sdp };
        let Some(reliable) = &mut ringing.reliable else {
            let invite = &ringing.invite;
            let writer = invite
                .request
                .dialog_response(&self.config, Answer::new(status, tag));
            let (transaction, bytes) = (invite.transaction, provisional.finish(writer));
            self.respond(now, transaction, status, bytes);
            return true;
        };
        if reliable.waiting.len() == MAX_WAITING || reliable.held_answer.is_some() {
            return false;
        }
        reliable.waiting.push_back(provisional);
        self.send_waiting(now, dialog);
        true
    }

    /// Sends the next reliable provisional response, once the one before has arrived.
    fn send_waiting(&mut self, now: Instant, dialog: DialogId) {
        let Some((ringing, tag)) = self.legs.ringing(dialog) else {
            return;
        };
        let Some(reliable) = &mut ringing.reliable else {
            return;
        };
        if reliable.sent.is_some() {
            return;
        }
        let Some(provisional) = reliable.waiting.pop_front() else {
            return;
        };
        reliable.rseq += 1;
        let (transaction, status) = (ringing.invite.transaction, provisional.status);
        let mut writer = ringing
            .invite
            .request
            .dialog_response(&self.config, Answer::new(status, tag));
        writer.header("Require", b"100rel");
        writer.header("RSeq", reliable.rseq.to_string().as_bytes());
        let bytes = provisional.finish(writer);
        let sent = Sent::new(now, self.config.timing, &provisional, bytes.clone());
        reliable.sent = Some(sent);
        self.legs.arm(dialog, &mut self.schedule);
        self.respond(now, transaction, status, bytes);
    }

    /// Keeps an answer back that must wait for a PRACK. False where it need not.
    pub(super) fn hold_answer(&mut self, dialog: DialogId, sdp: &Bytes) -> bool {
        let Some((ringing, _)) = self.legs.ringing(dialog) else {
            return false;
        };
        let Some(reliable) = &mut ringing.reliable else {
            return false;
        };
        let must_wait = reliable.holds_answer();
        if must_wait {
            reliable.held_answer = Some(sdp.clone());
        }
        must_wait
    }

    /// Repeats a provisional response, or gives up on its PRACK and so on the call (RFC 3262 §3).
    pub(super) fn wait_for_prack(&mut self, now: Instant, dialog: DialogId) {
        let Some((ringing, _)) = self.legs.ringing(dialog) else {
            return;
        };
        let Some(sent) = ringing.reliable.as_mut().and_then(|r| r.sent.as_mut()) else {
            return;
        };
        if now >= sent.give_up_at {
            let rejection = Rejection {
                status: 504,
                ..Rejection::default()
            };
            self.reject(now, dialog, rejection);
            self.tell(dialog, Event::NoAck);
        } else if now >= sent.repeat_at {
            sent.interval *= 2;
            sent.repeat_at = now + sent.interval;
            let (transaction, status) = (ringing.invite.transaction, sent.status);
            let bytes = sent.bytes.clone();
            self.counters.retransmissions_sent += 1;
            self.respond(now, transaction, status, bytes);
        }
    }

    /// A PRACK of the peer. Its description is an answer, where our provisional response made the offer, else an offer.
    pub(super) fn on_prack(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: Received,
    ) {
        let request = &received.request;
        if let Err(refusal) = check_require(request).and_then(|()| check_content(request)) {
            return self.refuse(&received, refusal);
        }
        let (rack, sdp) = (RAck::of(request), request.sdp());
        if !rack.is_some_and(|rack| self.is_acknowledged(dialog, &rack, sdp.is_some())) {
            return self.refuse(&received, Refusal::new(481));
        }
        let is_ours_to_offer = match self.legs.stage(dialog) {
            Some(Stage::Ringing(ringing)) => ringing.invite.request.request.sdp().is_none(),
            _ => false,
        };
        match sdp {
            Some(sdp) if !is_ours_to_offer => self.open_offer(now, dialog, keys, received, sdp),
            sdp => {
                let answer = received.response(&self.config, Answer::new(200, b""));
                self.answer_asked(now, keys, &received, answer.finish());
                if let Some(sdp) = sdp {
                    self.tell(dialog, Event::OfferAnswered { sdp: Some(sdp) });
                }
            }
        }
        self.after_prack(now, dialog);
    }

    /// Whether this is the number of a provisional response that waits for its PRACK; it then does so no longer.
    fn is_acknowledged(&mut self, dialog: DialogId, rack: &RAck, has_sdp: bool) -> bool {
        match self.legs.stage(dialog) {
            Some(Stage::Ringing(ringing)) => {
                let invite = &ringing.invite.request.request;
                let is_answered = has_sdp || invite.sdp().is_some();
                let is_of_invite = rack.cseq == *invite.cseq();
                let reliable = ringing.reliable.as_mut().filter(|_| is_of_invite);
                reliable.is_some_and(|reliable| reliable.acknowledge(rack.rseq, is_answered))
            }
            Some(Stage::Up(up)) => up.unpracked.take_if(|awaited| *awaited == *rack).is_some(),
            _ => false,
        }
    }

    /// Goes on with what had to wait: the answer, or the next provisional response.
    fn after_prack(&mut self, now: Instant, dialog: DialogId) {
        let Some((ringing, _)) = self.legs.ringing(dialog) else {
            return;
        };
        let Some(reliable) = &mut ringing.reliable else {
            return;
        };
        if reliable.sent.is_some() {
            return;
        }
        match reliable.held_answer.take() {
            Some(sdp) => {
                self.answer(now, dialog, &sdp);
            }
            None => self.send_waiting(now, dialog),
        }
    }
}
