//! A SIP endpoint: user agent client and server in one core.
//!
//! `mod.rs` is the clockwork: it hands inputs on and carries out what transactions ask for. The decisions are in
//! [`receive`] (is this request for us at all), [`auth`] (who sent it), [`register`]
//! (where gateways are), [`uas`] (INVITEs of the peer), [`uac`] (ours) and [`in_dialog`].

mod ask;
mod attempt;
mod auth;
mod early;
mod errand;
mod in_dialog;
mod info;
mod leg;
mod offer;
mod offered;
mod prack;
mod receive;
mod received;
mod refer;
mod register;
mod schedule;
mod session_timer;
mod targets;
mod transactions;
mod transfer;
mod uac;
mod uas;
mod words;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use ask::Asking;
use attempt::Attempt;
use errand::Errand;
use leg::{Legs, Stage};
use schedule::{Schedule, Sleeper, TransactionId};
use transactions::{Purpose, Transactions};
pub use transfer::ReferAsked;
use uas::Rejection;
pub use words::{
    Command, Config, Contacts, DialogId, Event, Incoming, Input, InviteTarget, OutgoingInvite,
    Output, Redirects, Reliable, RequestId,
};

use crate::digest::Guard;
use crate::hop::Way;
use crate::random::Identifiers;
use crate::registrar::Registrar;
use crate::transaction;
use crate::{Counters, Hop, Outcome, PeerSet, Remains};

/// The core of a SIP user agent: [`Self::handle`] an [`Input`], [`Self::poll`] each [`Output`], come back at
/// [`Self::deadline`]. One message or command costs a bounded amount of work; what is held is bounded by [`Config`].
pub struct Endpoint {
    config: Config,
    identifiers: Identifiers,
    peers: PeerSet,
    guard: Guard,
    registrar: Registrar,
    transactions: Transactions,
    /// What else is known of our INVITEs, by their transactions.
    attempts: HashMap<TransactionId, Attempt>,
    /// What else is known of our requests within dialogs, by their transactions.
    errands: HashMap<TransactionId, Errand>,
    legs: Legs,
    /// Requests of ours outside dialogs without answer.
    asking: HashMap<RequestId, Asking>,
    schedule: Schedule,
    outputs: VecDeque<Output>,
    counters: Counters,
    last_incoming: Option<u64>,
    is_draining: bool,
}

impl Endpoint {
    /// An endpoint without peers: every request outside a dialog is refused until [`Self::set_peers`] or
    /// [`Self::set_users`].
    ///
    /// Tags, branches and Call-IDs come from `seed`. It must be secret and random, or others can forge requests of our
    /// dialogs; the same seed and inputs give the same outputs.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let timing = config.timing.at_least_a_millisecond();
        let config = Config { timing, ..config };
        let mut identifiers = Identifiers::new(seed);
        let guard = Guard::new(identifiers.secret(), config.digest.clone());
        Self {
            registrar: Registrar::new(config.registrar.clone()),
            config,
            identifiers,
            peers: PeerSet::default(),
            guard,
            transactions: Transactions::default(),
            attempts: HashMap::new(),
            errands: HashMap::new(),
            legs: Legs::default(),
            asking: HashMap::new(),
            schedule: Schedule::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            last_incoming: None,
            is_draining: false,
        }
    }

    /// Says who may send requests outside a dialog. Dialogs that exist go on.
    pub fn set_peers(&mut self, peers: PeerSet) {
        self.peers = peers;
    }

    /// Says whether this endpoint is about to end. Then new INVITEs are answered 503, and so are OPTIONS outside dialogs, so
    /// that whoever spreads calls stops sending them here; dialogs go on.
    pub fn set_draining(&mut self, is_draining: bool) {
        self.is_draining = is_draining;
    }

    /// Feeds one input. `now` never goes backwards; outputs wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received { from, bytes } => self.receive(now, from, &bytes),
            Input::Unreachable { to } => self.on_unreachable(now, to),
            Input::Closed { hop } => self.on_connection_gone(hop),
            Input::Command(command) => self.command(now, command),
            Input::Timeout => self.wake(now),
        }
    }

    /// The next output.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to feed [`Input::Timeout`] at the latest. Sometimes it turns out that there was nothing to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let deadlines = [self.schedule.deadline(), self.registrar.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// What ends this dialog when the endpoint is gone; none of one that has no answer of its peer, or is over.
    pub fn remains(&mut self, dialog: DialogId) -> Option<Remains> {
        match self.legs.stage(dialog)? {
            Stage::Ringing(ringing) => ringing.dialog.remains(),
            Stage::Up(up) => up.dialog.remains(),
            Stage::Calling(_) | Stage::Ending(_) => None,
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many dialogs are held, early and ending ones included.
    #[must_use]
    pub fn dialogs(&self) -> usize {
        self.legs.len()
    }

    /// How many transactions are held.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    fn command(&mut self, now: Instant, command: Command) {
        let fits = match command {
            Command::Ring { dialog } => self.provisional(now, dialog, 180, None),
            Command::Progress { dialog, sdp } => self.provisional(now, dialog, 183, Some(sdp)),
            Command::Answer { dialog, sdp } => self.answer(now, dialog, &sdp),
            Command::Reject {
                dialog,
                status,
                reason,
                retry_after,
                cause,
                warning,
            } => {
                let refusal = Rejection {
                    status,
                    phrase: reason,
                    retry_after,
                    cause,
                    warning,
                };
                self.reject(now, dialog, refusal)
            }
            Command::Invite { dialog, invite } => self.invite(now, dialog, *invite),
            Command::Ask { request, ask } => self.ask_outside(now, request, *ask),
            Command::Cancel { dialog, cause } => self.cancel(now, dialog, cause),
            Command::Bye { dialog, cause } => self.end(now, dialog, cause),
            Command::AcceptOffer { dialog, sdp } => self.accept_offer(now, dialog, &sdp),
            Command::RejectOffer {
                dialog,
                status,
                warning,
            } => self.reject_offer(now, dialog, status, warning),
            Command::Offer { dialog, sdp } => self.offer(now, dialog, sdp),
            Command::Refer { dialog, to } => self.refer(now, dialog, &to),
            Command::TakeRefer { dialog } => self.take_refer(dialog),
            Command::RefuseRefer { dialog } => self.refuse_refer(dialog),
            Command::Report { dialog, status } => self.report(now, dialog, status),
            Command::Info {
                dialog,
                content_type,
                body,
            } => self.info(now, dialog, &content_type, body),
        };
        if !fits {
            self.counters.commands_ignored += 1;
        }
    }

    /// Requests of ours that went there end; what waits for the peer's own goes on.
    fn on_unreachable(&mut self, now: Instant, to: Hop) {
        for id in self.transactions.over(to) {
            self.transactions.unreachable(now, id);
            self.drain(now, id);
        }
        self.on_connection_gone(to);
    }

    fn wake(&mut self, now: Instant) {
        self.wake_registrar(now);
        while let Some((at, sleeper)) = self.schedule.due(now) {
            match sleeper {
                Sleeper::Transaction(id) => {
                    self.transactions.rang(id, at);
                    while self.transactions.fire(now, id) {
                        self.drain(now, id);
                    }
                    self.transactions.arm(id, &mut self.schedule);
                }
                Sleeper::Dialog(id) => {
                    self.legs.rang(id, at);
                    self.wake_dialog(now, id);
                    self.legs.arm(id, &mut self.schedule);
                }
                Sleeper::Attempt(id) => self.wake_attempt(now, id),
            }
        }
    }

    /// Carries out what a transaction asks for, and puts its next deadline on the schedule.
    fn drain(&mut self, now: Instant, id: TransactionId) {
        while let Some((output, purpose, way)) = self.transactions.poll(id) {
            match output {
                transaction::Output::Send(bytes) => self.transmit(way, bytes),
                transaction::Output::Resend(bytes) => {
                    self.counters.retransmissions_sent += 1;
                    self.transmit(way, bytes);
                }
                transaction::Output::Received(response) => match purpose {
                    Purpose::Invite => self.on_invite_response(now, id, &response),
                    Purpose::Errand => self.on_errand_response(now, id, &response),
                    Purpose::Ask(request) => self.on_ask_answered(now, id, request, response),
                    Purpose::SignOfLife(binding) if response.status() >= 200 => {
                        self.on_sign_of_life(now, binding, true);
                    }
                    Purpose::Unheeded
                    | Purpose::SignOfLife(_)
                    | Purpose::Invited(_)
                    | Purpose::Asked => {}
                },
                transaction::Output::TimedOut => self.on_no_response(now, id, purpose, 408),
                transaction::Output::Unreachable => self.on_no_response(now, id, purpose, 503),
                transaction::Output::Ended => {
                    self.transactions.remove(id);
                    self.attempts.remove(&id);
                    self.errands.remove(&id);
                }
            }
        }
        self.transactions.arm(id, &mut self.schedule);
    }

    /// A request of ours ended without a final response, as if this one had come (RFC 3261 §8.1.3.1).
    fn on_no_response(&mut self, now: Instant, id: TransactionId, purpose: Purpose, status: u16) {
        self.transactions.remove(id);
        match purpose {
            Purpose::Invite => self.on_invite_lost(now, id, status),
            Purpose::Errand => self.on_errand_lost(now, id, status),
            Purpose::Ask(request) => {
                let outcome = match status {
                    408 => Outcome::Timeout,
                    _ => Outcome::Unreachable,
                };
                self.on_ask_lost(now, request, outcome);
            }
            Purpose::SignOfLife(binding) => self.on_sign_of_life(now, binding, false),
            Purpose::Unheeded | Purpose::Invited(_) | Purpose::Asked => {}
        }
    }

    fn transmit(&mut self, way: Way, bytes: Bytes) {
        let Way { to, otherwise } = way;
        self.outputs.push_back(Output::Transmit {
            to,
            otherwise,
            bytes,
        });
    }

    fn tell(&mut self, dialog: DialogId, event: Event) {
        self.outputs.push_back(Output::Event { dialog, event });
    }
}
