//! From a message to the transaction or dialog it is for; what is for none is answered without keeping state
//! (RFC 3261 §8.2, §18).

use std::time::Instant;

use bytes::Bytes;

use super::received::{ACCEPT, ALLOW, Answer, Received, SUPPORTED, respond_to_malformed, way_back};
use super::session_timer::check_interval;
use super::{DialogId, Endpoint};
use crate::body::{self, Content};
use crate::field::Name;
use crate::hop::Way;
use crate::lex;
use crate::parse::{Malformed, is_status_line, parse_over, top_via};
use crate::transaction::{InviteServer, MergeKey, NonInviteServer, ServerKey};
use crate::{Hop, Message, Method, PeerRules, Request, Response, Scheme, Via};

/// The extensions a request may insist on.
const EXTENSIONS: [&str; 2] = ["100rel", "timer"];

/// A status, and one more header field that goes with it.
pub(super) struct Refusal {
    status: u16,
    field: Option<(&'static str, Vec<u8>)>,
}

impl Refusal {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            field: None,
        }
    }

    pub(super) fn with(status: u16, name: &'static str, value: &[u8]) -> Self {
        Self {
            status,
            field: Some((name, value.to_vec())),
        }
    }
}

impl Endpoint {
    pub(super) fn receive(&mut self, now: Instant, source: Hop, bytes: &Bytes) {
        if bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            self.counters.keepalives += 1;
            return;
        }
        match parse_over(source.transport, bytes) {
            Ok(Message::Request(request)) => {
                self.counters.requests += 1;
                let rules = self.rules_of(source);
                let received = Received::new(request, source, &self.config, rules);
                self.on_request(now, received);
            }
            Ok(Message::Response(response)) => {
                self.counters.responses += 1;
                self.on_response(now, response);
            }
            Err(malformed) => {
                self.counters.malformed += 1;
                self.answer_malformed(source, bytes.len(), &malformed);
            }
        }
    }

    pub(super) fn is_peer(&self, source: Hop) -> bool {
        self.peers.contains(source.address.ip())
    }

    pub(super) fn rules_of(&self, source: Hop) -> PeerRules {
        let rules = self.peers.rules(source.address.ip());
        rules.copied().unwrap_or_default()
    }

    /// A peer hears what was wrong with its request, where it has a way back. Nobody else does.
    fn answer_malformed(&mut self, source: Hop, size: usize, malformed: &Malformed) {
        let Some(head) = &malformed.head else { return };
        let line = head.first_line();
        if !self.is_peer(source) || is_status_line(line) || line.starts_with(b"ACK ") {
            return;
        }
        let Ok(via) = top_via(head) else { return };
        let status = malformed.error.status();
        let rules = self.rules_of(source);
        let first = |name| head.values(name).next().unwrap_or_default();
        let tag = self.identifiers.stateless_tag([
            via.as_bytes(),
            first(Name::CallId),
            first(Name::From),
        ]);
        let answer = Answer::new(status, &tag);
        let bytes = respond_to_malformed(head, &via, source, &self.config, rules, answer);
        self.transmit_answer(way_back(&via, source, rules), source, size, bytes);
    }

    fn on_response(&mut self, now: Instant, response: Response) {
        // A response with another Via below ours was not for us (RFC 3261 §8.1.3.3).
        let is_ours = response.head.items(Name::Via).count() == 1;
        let transaction = if is_ours {
            self.transactions.of_response(&response)
        } else {
            None
        };
        match transaction {
            Some(id) => {
                self.transactions.response(now, id, Box::new(response));
                self.drain(now, id);
            }
            None => self.counters.strays += 1,
        }
    }

    fn on_request(&mut self, now: Instant, received: Received) {
        if *received.request.method() == Method::Ack {
            return self.on_ack(now, &received);
        }
        let key = ServerKey::of(&received.request);
        if let Some(id) = self.transactions.of_request(&key) {
            self.counters.retransmissions_absorbed += 1;
            self.transactions.request(now, id);
            return self.drain(now, id);
        }
        if *received.request.method() == Method::Cancel {
            return self.on_cancel(now, &received);
        }
        if received.request.to().tag().is_empty() {
            return self.on_outside_dialog(now, key, received);
        }
        match self.legs.of_request(&received.request) {
            Some(dialog) => self.on_in_dialog(now, dialog, key, received),
            None => self.refuse(&received, Refusal::new(481)),
        }
    }

    fn on_outside_dialog(&mut self, now: Instant, key: ServerKey, received: Received) {
        let Some((received, user)) = self.admit(now, received) else {
            return;
        };
        let merge = MergeKey::of(&received.request);
        if let Err(refusal) = self.screen(&received, &merge) {
            return self.refuse(&received, refusal);
        }
        let method = received.request.method();
        if self.is_draining && *method != Method::Register {
            self.counters.drained += 1;
            return self.refuse_for_now(&received);
        }
        let is_full = self.transactions.len() >= self.config.max_transactions;
        match method {
            Method::Options => self.answer_options(&received),
            Method::Register if !is_full => self.on_register(now, (key, merge), &received, user),
            Method::Invite if !is_full && self.legs.len() < self.config.max_dialogs => {
                self.on_invite(now, (key, merge), received, user);
            }
            _ => {
                self.counters.overloaded += 1;
                self.refuse_for_now(&received);
            }
        }
    }

    /// The checks of RFC 3261 §8.2, in its order. What passes is an INVITE, OPTIONS or REGISTER.
    fn screen(&self, received: &Received, merge: &MergeKey) -> Result<(), Refusal> {
        let request = &received.request;
        match request.method() {
            Method::Invite | Method::Options => {}
            Method::Register if !self.guard.is_empty() => {}
            Method::Bye => return Err(Refusal::new(481)),
            _ => return Err(Refusal::with(405, ALLOW.0, ALLOW.1)),
        }
        let is_taken = match request.request_uri().scheme() {
            Scheme::Sip | Scheme::Tel => true,
            // Who calls it wants nobody on the way to read along (RFC 3261 §26.2.2).
            Scheme::Sips => received.source.transport.is_secure(),
            Scheme::Other => false,
        };
        if !is_taken {
            return Err(Refusal::new(416));
        }
        if self.transactions.of_merged(merge).is_some() || self.is_our_own(request) {
            return Err(Refusal::new(482));
        }
        if *request.method() == Method::Register {
            return Ok(()); // the registrar has extensions of its own
        }
        check_hops(request)?;
        check_require(request)?;
        match request.method() {
            Method::Invite => check_content(request).and_then(|()| check_interval(request)),
            _ => Ok(()),
        }
    }

    /// Whether an INVITE of ours came back to us: it is still the call that we make, or it went through us by its `Via`. To
    /// take it would be to call ourselves, and perhaps again from there.
    fn is_our_own(&self, request: &Request) -> bool {
        if *request.method() != Method::Invite {
            return false;
        }
        let mut vias = request.head.items(Name::Via);
        self.legs.is_calling(request)
            || vias.any(|via| {
                let via = Via::parse(&request.head.share(via));
                via.is_ok_and(|via| self.transactions.is_of_ours(&via, request.method()))
            })
    }

    /// Capabilities (RFC 3261 §11.2).
    fn answer_options(&mut self, received: &Received) {
        let tag = self.stateless_tag(&received.request);
        let mut writer = received.response(&self.config, Answer::new(200, &tag));
        writer.header(ALLOW.0, ALLOW.1);
        writer.header(ACCEPT.0, ACCEPT.1);
        writer.header(SUPPORTED.0, SUPPORTED.1);
        self.transmit(received.way_back, writer.finish());
    }

    /// Answers a request within a dialog and keeps the answer for its retransmissions.
    pub(super) fn answer_asked(
        &mut self,
        now: Instant,
        keys: (ServerKey, MergeKey),
        received: &Received,
        answer: Bytes,
    ) {
        let is_reliable = received.source.transport.is_reliable();
        let core = NonInviteServer::new(self.config.timing, is_reliable);
        let id = self.transactions.asked(core, keys, received.way_back);
        self.respond(now, id, 200, answer);
    }

    /// Answers a request and forgets it: each copy of it gets the same answer.
    pub(super) fn refuse(&mut self, received: &Received, refusal: Refusal) {
        let answer = self.write_refusal(received, refusal);
        let size = received.request.size();
        self.transmit_answer(received.way_back, received.source, size, answer);
    }

    /// Refuses a request for what goes on in its dialog, and keeps the answer: a copy that comes when that is over must not be
    /// taken, for its sender knows it refused.
    pub(super) fn refuse_for_now_within(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: &Received,
        refusal: Refusal,
    ) {
        let status = refusal.status;
        let answer = self.write_refusal(received, refusal);
        let (timing, way) = (self.config.timing, received.way_back);
        let is_reliable = received.source.transport.is_reliable();
        let id = match received.request.method() {
            Method::Invite => {
                let core = InviteServer::new(timing, is_reliable);
                self.transactions.invited(core, dialog, keys, way)
            }
            _ => {
                let core = NonInviteServer::new(timing, is_reliable);
                self.transactions.asked(core, keys, way)
            }
        };
        self.respond(now, id, status, answer);
    }

    fn write_refusal(&self, received: &Received, refusal: Refusal) -> Bytes {
        let tag = self.stateless_tag(&received.request);
        let mut writer = received.response(&self.config, Answer::new(refusal.status, &tag));
        if let Some((name, value)) = refusal.field {
            writer.header(name, &value);
        }
        writer.finish()
    }

    fn refuse_for_now(&mut self, received: &Received) {
        let seconds = self.config.retry_after.as_secs().to_string();
        let refusal = Refusal::with(503, "Retry-After", seconds.as_bytes());
        self.refuse(received, refusal);
    }

    /// Sends an answer; to no peer only one that is not larger than its request, so that nobody is flooded through us.
    fn transmit_answer(&mut self, way: Way, source: Hop, request_size: usize, answer: Bytes) {
        if answer.len() > request_size && !self.is_peer(source) {
            self.counters.answers_withheld += 1;
            return;
        }
        self.transmit(way, answer);
    }

    pub(super) fn stateless_tag(&self, request: &Request) -> Bytes {
        self.identifiers.stateless_tag([
            request.via().as_bytes(),
            &request.call_id,
            request.from().tag(),
        ])
    }
}

/// An INVITE that may not be forwarded any further ends here: what comes of it may be a call of ours, so this endpoint
/// counts hops as RFC 7332 §4 has a back-to-back user agent do. Other requests are for the endpoint itself.
fn check_hops(request: &Request) -> Result<(), Refusal> {
    let hops = request
        .head
        .values(Name::MaxForwards)
        .next()
        .and_then(lex::number);
    match (request.method(), hops) {
        (Method::Invite, Some(0)) => Err(Refusal::new(483)),
        _ => Ok(()),
    }
}

/// Extensions the request insists on (RFC 3261 §8.2.2.3).
pub(super) fn check_require(request: &Request) -> Result<(), Refusal> {
    let is_known = |option: &&[u8]| {
        EXTENSIONS
            .iter()
            .any(|known| option.eq_ignore_ascii_case(known.as_bytes()))
    };
    let wanted: Vec<_> = request
        .head
        .items(Name::Require)
        .filter(|option| !option.is_empty() && !is_known(option))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    Err(Refusal::with(420, "Unsupported", &wanted.join(&b", "[..])))
}

/// What such a request brings must be a session description, perhaps among other things, and what it takes back too
/// (RFC 3261 §8.2.3, §21.4.7).
pub(super) fn check_content(request: &Request) -> Result<(), Refusal> {
    match body::content(request) {
        Content::Nothing | Content::Sdp(_) => {}
        Content::Unsupported => return Err(Refusal::with(415, ACCEPT.0, ACCEPT.1)),
        Content::Malformed => return Err(Refusal::new(400)),
    }
    if !accepts_sdp(request) {
        return Err(Refusal::new(406));
    }
    Ok(())
}

fn accepts_sdp(request: &Request) -> bool {
    let mut ranges = request.head.items(Name::Accept).peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let media_type = lex::trim_end(&range[..lex::length_while(range, |b| b != b';')]);
            [&b"application/sdp"[..], b"application/*", b"*/*"]
                .iter()
                .any(|accepted| media_type.eq_ignore_ascii_case(accepted))
        })
}
