//! Which waiting call may be dialled now.

mod io;
mod planned;
mod vacancies;

pub use vacancies::Vacancies;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{AccountSid, CallSid};
use store::{CarrierId, Directory, PhoneNumber, Priority, QueueTerms, TrunkId};

use crate::capacity::{Capacity, Room, TrunkCapacity};
use crate::choice::Choice;
use crate::line::{Line, Part, Place, Turn};
use crate::plan::PlannedAttempt;
use crate::policy::{Refusal, permit, route};
use crate::schedule::Schedule;
use crate::token_bucket::TokenBucket;
use crate::waits::AccountWaits;

/// The outbound queue and the counters of what is up.
///
/// The caller drains [`Self::poll`] after every [`Self::handle`] and comes back at [`Self::deadline`]. A call that finds its
/// trunk or account full waits; it never fails for that. Bounded by [`QueueLimits`].
#[derive(Debug)]
pub struct Dialer {
    directory: Arc<Directory>,
    limits: QueueLimits,
    waiting: BTreeMap<CallSid, Waiting>,
    waiting_by_account: BTreeMap<AccountSid, AccountWaits>,
    /// Those that wait for a time, and when those that wait give up.
    schedule: Schedule,
    /// Those that may go as soon as there is room: the most urgent class first, then by trunk.
    lines: [BTreeMap<TrunkId, Line>; Priority::ALL.len()],
    /// Whose turn it was last, so that trunks that share their carrier's calls per second take turns.
    last_trunk: Option<TrunkId>,
    trunks: BTreeMap<TrunkId, TrunkCapacity>,
    /// Calls per second of the carriers that have a limit.
    carriers: BTreeMap<CarrierId, TokenBucket>,
    /// Trunks whose targets do not answer.
    down: BTreeSet<TrunkId>,
    /// A subaccount's calls count as its parent's.
    accounts: BTreeMap<AccountSid, Capacity>,
    held: BTreeMap<CallSid, Held>,
    /// Those that a process before this one has left behind, and until when the far end may hold their channels.
    lost: BTreeSet<(Instant, CallSid)>,
    outputs: VecDeque<Output>,
    deadline: Option<Instant>,
    next_sequence: u64,
}

/// How many calls may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Of all accounts together.
    pub all: usize,
    /// Of one account.
    pub per_account: usize,
}

impl Default for QueueLimits {
    /// A million calls in all, a hundred thousand of one account.
    fn default() -> Self {
        Self {
            all: 1_000_000,
            per_account: 100_000,
        }
    }
}

/// A call that the store has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// Its SID.
    pub call: CallSid,
    /// Whose call it is.
    pub account: AccountSid,
    /// The caller ID: a number of the account.
    pub from: String,
    /// The called number or SIP URI.
    pub to: String,
    /// When, and before whom. A class above what its account may have counts as the highest that it may.
    pub terms: QueueTerms,
    /// The trunks over which it was tried in vain: it goes over none of them again.
    pub tried: Vec<TrunkId>,
    /// What a routing policy has planned for it; none where it was not asked, or did not decide: then the built-in order holds.
    pub plan: Option<Vec<PlannedAttempt>>,
}

impl CallRequest {
    /// What was planned for it on this trunk.
    fn planned(&self, trunk: &TrunkId) -> Option<PlannedAttempt> {
        let mut plan = self.plan.iter().flatten();
        plan.find(|attempt| attempt.trunk == *trunk).cloned()
    }
}

/// What the clocks say: one that never goes back, and the one on the wall, which somebody may set.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For rates and pauses.
    pub instant: Instant,
    /// For what is ordered by date: milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

/// What the dialer is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A call waits to be dialled. One that the dialer knows already is ignored.
    Accepted(CallRequest),
    /// A call is not wanted any more. One that does not wait is left alone: its actor hangs it up.
    Cancel(CallSid),
    /// The calls of an account that wait are not wanted any more: those of one class, or all.
    CancelAll {
        /// The account.
        account: AccountSid,
        /// The class.
        class: Option<Priority>,
    },
    /// A call that was attempted, or took a channel, is over.
    Ended(CallSid),
    /// A call that was attempted is over: the far end had no room for it.
    Congested {
        /// The call.
        call: CallSid,
        /// How long the far end wants to be left alone (RFC 3261 section 20.33).
        retry_after: Option<Duration>,
    },
    /// A call that was attempted failed before it rang, and goes over another of its trunks: it waits for one at its old place. One for
    /// which no trunk is left is refused; see [`Dialer::has_other_way`].
    AttemptFailed {
        /// The call.
        call: CallSid,
        /// The far end had no room for it, and wants to be left alone for that long, if it says so.
        congested: Option<Option<Duration>>,
    },
    /// A call that is to be attempted goes over these trunks, the first choice in front, and over no other: a routing policy has planned it. Its
    /// INVITE has not left. Those that the policy for all forbids are left out.
    Planned {
        /// The call.
        call: CallSid,
        /// Each trunk once.
        plan: Vec<PlannedAttempt>,
    },
    /// A call that is to be attempted waits. Its INVITE has not left.
    PutOff {
        /// The call.
        call: CallSid,
        /// Until when, in milliseconds since the Unix epoch.
        until_unix_ms: u64,
    },
    /// These trunks are those whose targets do not answer. Waiting calls find other ways where they have them.
    Down(BTreeSet<TrunkId>),
    /// Accounts, trunks or limits have changed. Waiting calls are judged anew.
    Directory(Arc<Directory>),
    /// The deadline has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Dial this call now. It holds a channel until [`Input::Ended`].
    Attempt {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
        /// Over which trunk.
        trunk: TrunkId,
        /// What was planned for it there.
        planned: Option<PlannedAttempt>,
    },
    /// End this call as failed; it was not dialled.
    Refuse {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
        /// Why.
        reason: Refusal,
    },
    /// End this call as failed: its time was over before it could be dialled.
    Expire {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
    },
    /// End this call as canceled; it was not dialled.
    Canceled {
        /// The call.
        call: CallSid,
        /// Whose call it is.
        account: AccountSid,
    },
}

/// What has no room for one more call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All channels of the trunk are taken.
    #[error("all channels of the trunk are taken")]
    Trunk,
    /// All channels of the account are taken.
    #[error("all channels of the account are taken")]
    Account,
    /// All channels of the part of the trunk that leads to the number are taken.
    #[error("all channels of the trunk for this number are taken")]
    Part,
}

/// Why a call that does not queue cannot be dialled now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no channel.
    #[error(transparent)]
    Full(#[from] Full),
    /// Too many calls began in the last second; this one may begin then.
    #[error("too many calls begin in a second")]
    NotBefore(Instant),
}

#[derive(Debug)]
struct Waiting {
    request: CallRequest,
    payer: AccountSid,
    /// The trunks that may carry it, the first choice in front. Never empty.
    ways: Vec<Way>,
    sequence: u64,
    /// It waits for this time, in milliseconds since the Unix epoch; without one it stands in a line.
    due_unix_ms: Option<u64>,
}

/// A trunk, and the part of it that leads to the number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    trunk: TrunkId,
    part: Part,
}

impl Waiting {
    fn place(&self, way: &Way) -> Place {
        Place {
            account: self.payer,
            part: way.part.clone(),
            sequence: self.sequence,
        }
    }
}

#[derive(Debug)]
struct Held {
    payer: AccountSid,
    trunk: TrunkId,
    part: Part,
    /// None of a call that did not wait.
    waited: Option<Box<Waited>>,
    /// It came in: it has none of the channels that its account may dial with.
    is_inbound: bool,
}

/// What is kept of a call that waited while it is attempted: it may have to wait again.
#[derive(Debug)]
struct Waited {
    request: CallRequest,
    /// Its place in the order of all.
    sequence: u64,
    /// It is not to wait any more.
    is_canceled: bool,
}

impl Dialer {
    /// A dialer with nothing waiting.
    #[must_use]
    pub fn new(directory: Arc<Directory>, limits: QueueLimits) -> Self {
        let mut dialer = Self {
            directory,
            limits,
            waiting: BTreeMap::new(),
            waiting_by_account: BTreeMap::new(),
            schedule: Schedule::default(),
            lines: Default::default(),
            last_trunk: None,
            carriers: BTreeMap::new(),
            down: BTreeSet::new(),
            trunks: BTreeMap::new(),
            accounts: BTreeMap::new(),
            held: BTreeMap::new(),
            lost: BTreeSet::new(),
            outputs: VecDeque::new(),
            deadline: None,
            next_sequence: 0,
        };
        dialer.take_limits();
        dialer
    }

    /// Whether one more call of the account may wait.
    #[must_use]
    pub fn has_room(&self, account: AccountSid) -> bool {
        self.places(account) > 0
    }

    /// How many more calls of the account may wait.
    #[must_use]
    pub fn places(&self, account: AccountSid) -> usize {
        let all = self.limits.all.saturating_sub(self.waiting.len());
        let own = self.waits(account).total();
        self.limits.per_account.saturating_sub(own).min(all)
    }

    /// Whether a call could be accepted now: the policy, and room in the queue. The same judgement falls again when the call is
    /// handed in, and for waiting calls whenever the directory changes.
    pub fn permit(&self, account: AccountSid, from: &str, to: &str) -> Result<TrunkId, Refusal> {
        let trunk = permit(&self.directory, account, from, to)?;
        if !self.has_room(account) {
            return Err(Refusal::QueueFull);
        }
        Ok(trunk)
    }

    /// Begins a call at once that does not queue, because a caller waits for it: another call's story dials it. Policy and limits are
    /// those of every other call. It holds a channel of the trunk that is returned until [`Input::Ended`].
    ///
    /// # Errors
    /// Why it may not begin, or when.
    pub fn begin_now(&mut self, now: Instant, request: &CallRequest) -> Result<TrunkId, NotNow> {
        let CallRequest { call, account, .. } = *request;
        let ways = self.ways(request)?;
        let payer = self.directory.payer(account);
        let own = self.accounts.get(&payer).ok_or(Full::Account)?;
        let mut refusal = None;
        for Way { trunk, part } in ways {
            match self.room(now, &trunk, part.as_deref(), own) {
                Ok(()) => {
                    self.begin(now, call, account, &trunk, part, None);
                    return Ok(trunk);
                }
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        Err(refusal.unwrap_or(NotNow::Full(Full::Trunk)))
    }

    /// Whether a call may begin over this trunk now.
    fn room(
        &self,
        now: Instant,
        trunk: &TrunkId,
        part: Option<&str>,
        account: &Capacity,
    ) -> Result<(), NotNow> {
        let capacity = self.trunks.get(trunk).ok_or(Full::Trunk)?;
        if let Some(at) = self.carrier_ready_at(trunk).filter(|at| *at > now) {
            return Err(NotNow::NotBefore(at));
        }
        for (room, full) in [
            (capacity.part_room(now, part), Full::Part),
            (capacity.whole.room(now), Full::Trunk),
            (account.room(now), Full::Account),
        ] {
            match room {
                Room::Now => {}
                Room::At(at) => return Err(NotNow::NotBefore(at)),
                Room::WhenOneEnds { .. } => return Err(full.into()),
            }
        }
        Ok(())
    }

    /// When the carrier of a trunk may begin its next call; none at any time.
    fn carrier_ready_at(&self, trunk: &TrunkId) -> Option<Instant> {
        let trunk = self.directory.trunk(trunk)?;
        self.carriers.get(&trunk.carrier)?.ready_at()
    }

    /// The trunks that may carry a call, the first choice in front. Those whose targets do not answer are left out while there are others, those
    /// over which it was tried for good. Never empty.
    fn ways(&self, request: &CallRequest) -> Result<Vec<Way>, Refusal> {
        let CallRequest { from, to, .. } = request;
        let mut candidates = route(&self.directory, request.account, from, to)?;
        candidates.retain(|candidate| !request.tried.contains(&candidate.trunk));
        if let Some(plan) = &request.plan {
            let place = |trunk: &TrunkId| plan.iter().position(|planned| planned.trunk == *trunk);
            candidates.retain(|candidate| place(&candidate.trunk).is_some());
            candidates.sort_by_key(|candidate| place(&candidate.trunk));
        }
        if candidates.is_empty() {
            return Err(Refusal::NoOtherTrunk(to.clone()));
        }
        let is_up = |trunk: &TrunkId| !self.down.contains(trunk);
        let has_others = candidates.iter().any(|candidate| is_up(&candidate.trunk));
        let ways = candidates.into_iter().map(|candidate| candidate.trunk);
        Ok(ways
            .filter(|trunk| !has_others || is_up(trunk))
            .map(|trunk| Way {
                part: self.part(&trunk, to),
                trunk,
            })
            .collect())
    }

    /// Takes a channel at once for a call that came in from `caller`: one of those that outbound calls leave free, too. Calls that came in to an
    /// account are counted apart from those that it makes: as many at once. It is given back by [`Input::Ended`].
    ///
    /// # Errors
    /// What has no channel. The lines of the caller's operator are not asked: the call has come over one.
    pub fn take_channel(
        &mut self,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        caller: &str,
    ) -> Result<(), Full> {
        if self.held.contains_key(&call) {
            return Ok(());
        }
        let payer = self.directory.payer(account);
        let part = self.part(trunk, caller);
        let line = self
            .trunks
            .get_mut(trunk)
            .filter(|trunk| trunk.whole.has_channel())
            .ok_or(Full::Trunk)?;
        let own = self.accounts.get_mut(&payer);
        if !own.is_some_and(Capacity::hold_inbound) {
            return Err(Full::Account);
        }
        line.hold(part.as_deref());
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part,
            waited: None,
            is_inbound: true,
        };
        self.held.insert(call, held);
        Ok(())
    }

    /// Counts a call that was up when the process before this one died: the far end holds its channels until it notices. They are free at
    /// `until`. `party`: the called number, or the caller's where it came in.
    pub fn take_lost(
        &mut self,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        party: &str,
        is_inbound: bool,
        until: Instant,
    ) {
        let payer = self.directory.payer(account);
        let part = self.part(trunk, party);
        let own = self.accounts.get_mut(&payer);
        let (Some(line), Some(own)) = (self.trunks.get_mut(trunk), own) else {
            return;
        };
        match is_inbound {
            true if !own.hold_inbound() => return,
            true => {}
            false => own.hold(),
        }
        line.hold(part.as_deref());
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part,
            waited: None,
            is_inbound,
        };
        self.held.insert(call, held);
        self.lost.insert((until, call));
    }

    /// Takes in a call that waited when the process before this one ended. Nobody is dialled for it before the next [`Self::handle`], so that
    /// the most urgent goes first, wherever it stands among those that are taken in. `place`: before and behind whom of its account and class
    /// it waits.
    pub fn take_in(&mut self, now: Now, place: u64, request: CallRequest) {
        self.next_sequence = self.next_sequence.max(place + 1);
        self.admit(now, request, place);
    }

    /// Takes one input. The instant never goes backwards, the time on the wall may; outputs wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Accepted(request) => self.accept(now, request),
            Input::Cancel(call) => self.cancel(call),
            Input::CancelAll { account, class } => self.cancel_all(account, class),
            Input::Ended(call) => self.end(call),
            Input::Congested { call, retry_after } => self.refuse(now.instant, call, retry_after),
            Input::Planned { call, plan } => self.planned(now, call, plan),
            Input::PutOff {
                call,
                until_unix_ms,
            } => self.put_off_until(now, call, until_unix_ms),
            Input::AttemptFailed { call, congested } => self.attempt_failed(now, call, congested),
            Input::Down(down) => {
                self.down = down;
                self.judge_anew();
            }
            Input::Directory(directory) => self.take_directory(directory),
            Input::Timeout => {}
        }
        self.let_go_of_lost(now.instant);
        self.expire_what_is_over(now);
        if self.schedule.is_set_back(now) {
            self.ask_hours_anew(now);
        }
        self.line_up_what_is_due(now);
        self.deadline = None;
        self.attempt_what_may_go(now);
        let scheduled = self.schedule.deadline(now);
        let lost = self.lost.first().map(|(until, _)| *until);
        let all = [self.deadline, scheduled, lost];
        self.deadline = all.into_iter().flatten().min();
    }

    /// The next output.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`]; none while nothing waits for a time.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How many calls wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The trunks that may carry a call, the first choice in front, and how they stand.
    ///
    /// # Errors
    /// Why it may not be made at all.
    pub fn explain(
        &self,
        now: Instant,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Result<Vec<Choice>, Refusal> {
        let candidates = route(&self.directory, account, from, to)?;
        let own = self.accounts.get(&self.directory.payer(account));
        let choices = candidates.into_iter().map(|candidate| {
            let trunk = candidate.trunk;
            let part = self.part(&trunk, to);
            let room = own.map(|own| self.room(now, &trunk, part.as_deref(), own));
            Choice {
                prefix: candidate.prefix,
                is_down: self.down.contains(&trunk),
                channels_used: self.channels_held(&trunk),
                channels: (self.directory.trunk(&trunk)).map_or(0, |trunk| trunk.max_channels),
                waits: room.and_then(Result::err).map(|why| why.to_string()),
                trunk,
            }
        });
        Ok(choices.collect())
    }

    /// How many calls of an account wait; those of its subaccounts are theirs.
    #[must_use]
    pub fn waits(&self, account: AccountSid) -> AccountWaits {
        let waits = self.waiting_by_account.get(&account);
        waits.copied().unwrap_or_default()
    }

    /// How many calls hold a channel of the trunk, both directions together.
    #[must_use]
    pub fn channels_held(&self, trunk: &TrunkId) -> u32 {
        self.trunks.get(trunk).map_or(0, |trunk| trunk.whole.held())
    }

    /// The channel limits that were learned from what far ends refused and that are below the configured ones: of a trunk, or of
    /// its numbers with a prefix.
    pub fn learned(&self) -> impl Iterator<Item = (&TrunkId, Option<&str>, u32)> {
        self.trunks.iter().flat_map(|(trunk, capacity)| {
            let limits = capacity.learned();
            limits.map(move |(prefix, limit)| (trunk, prefix, limit))
        })
    }

    fn accept(&mut self, now: Now, request: CallRequest) {
        if self.waiting.contains_key(&request.call) || self.held.contains_key(&request.call) {
            return;
        }
        match self.has_room(request.account) {
            true => {
                let sequence = self.next_sequence;
                self.next_sequence += 1;
                self.admit(now, request, sequence);
            }
            false => self.refuse_call(&request, Refusal::QueueFull),
        }
    }

    /// Lets a call wait at this place in the order, or refuses it.
    fn admit(&mut self, now: Now, request: CallRequest, sequence: u64) {
        match self.ways(&request) {
            Ok(ways) => {
                let account = request.account;
                self.enqueue(Waiting {
                    payer: self.directory.payer(account),
                    ways,
                    sequence,
                    due_unix_ms: due(now, &request.terms),
                    request,
                });
            }
            Err(reason) => self.refuse_call(&request, reason),
        }
    }

    fn refuse_call(&mut self, request: &CallRequest, reason: Refusal) {
        self.outputs.push_back(Output::Refuse {
            call: request.call,
            account: request.account,
            reason,
        });
    }

    fn cancel(&mut self, call: CallSid) {
        if let Some(waiting) = self.take_out(call) {
            let account = waiting.request.account;
            self.outputs.push_back(Output::Canceled { call, account });
        }
    }

    fn cancel_all(&mut self, account: AccountSid, class: Option<Priority>) {
        let is_meant = |waiting: &&Waiting| {
            let request = &waiting.request;
            request.account == account
                && class.is_none_or(|class| class as usize == self.class(request))
        };
        let meant = self.waiting.values().filter(is_meant);
        let calls: Vec<CallSid> = meant.map(|waiting| waiting.request.call).collect();
        for call in calls {
            self.cancel(call);
        }
        // Those that are attempted, or asked about, may be about to come back.
        let highest = self.highest_class(account);
        let waited = self.held.values_mut();
        for waited in waited.filter_map(|held| held.waited.as_mut()) {
            let request = &waited.request;
            let own = request.terms.priority.max(highest);
            waited.is_canceled |=
                request.account == account && class.is_none_or(|class| class == own);
        }
    }

    /// Lets a call that was attempted stand at its old place again, unless it was cancelled meanwhile.
    fn wait_again(&mut self, now: Now, waited: Waited) {
        let CallRequest { call, account, .. } = waited.request;
        match waited.is_canceled {
            true => self.outputs.push_back(Output::Canceled { call, account }),
            false => self.admit(now, waited.request, waited.sequence),
        }
    }

    fn let_go_of_lost(&mut self, now: Instant) {
        while let Some((_, call)) = self
            .lost
            .first()
            .copied()
            .filter(|(until, _)| *until <= now)
        {
            self.lost.pop_first();
            self.end(call);
        }
    }

    fn end(&mut self, call: CallSid) {
        if let Some(held) = self.give_back(call)
            && let Some(trunk) = self.trunks.get_mut(&held.trunk)
        {
            trunk.release(held.part.as_deref());
        }
    }

    fn refuse(&mut self, now: Instant, call: CallSid, retry_after: Option<Duration>) {
        if let Some(held) = self.give_back(call)
            && let Some(trunk) = self.trunks.get_mut(&held.trunk)
        {
            trunk.refuse(now, held.part.as_deref(), retry_after);
        }
    }

    /// Gives the channels of an attempt back, and lets its call wait again.
    fn attempt_failed(&mut self, now: Now, call: CallSid, congested: Option<Option<Duration>>) {
        let Some(mut held) = self.give_back(call) else {
            return;
        };
        if let Some(trunk) = self.trunks.get_mut(&held.trunk) {
            match congested {
                Some(retry_after) => trunk.refuse(now.instant, held.part.as_deref(), retry_after),
                None => trunk.release(held.part.as_deref()),
            }
        }
        if let Some(mut waited) = held.waited.take() {
            waited.request.tried.push(held.trunk);
            self.wait_again(now, *waited);
        }
    }

    /// Whether a call that is being attempted has a trunk besides, over which it was not tried yet.
    #[must_use]
    pub fn has_other_way(&self, call: CallSid) -> bool {
        let held = self.held.get(&call);
        let waited = held.and_then(|held| Some((&held.trunk, held.waited.as_ref()?)));
        waited.is_some_and(|(trunk, waited)| {
            let mut request = waited.request.clone();
            request.tried.push(trunk.clone());
            self.ways(&request).is_ok()
        })
    }

    /// Gives the account's channel back, and says which of a trunk's is to be given back.
    fn give_back(&mut self, call: CallSid) -> Option<Held> {
        let held = self.held.remove(&call)?;
        if let Some(account) = self.accounts.get_mut(&held.payer) {
            match held.is_inbound {
                true => account.release_inbound(),
                false => account.release(),
            }
        }
        Some(held)
    }

    /// Judges those waiting calls anew for which something may have changed: a million others wait on in peace.
    fn take_directory(&mut self, directory: Arc<Directory>) {
        let rerouted = directory.rerouted_since(&self.directory);
        let meant: Vec<CallSid> = match &rerouted {
            None => Vec::new(),
            Some(accounts) => self.waiting_of(accounts),
        };
        // They stand where the old directory has put them.
        let mut meant: Vec<Waiting> = meant
            .into_iter()
            .filter_map(|call| self.take_out(call))
            .collect();
        self.directory = directory;
        self.take_limits();
        if rerouted.is_none() {
            return self.judge_anew();
        }
        meant.sort_by_key(|waiting| waiting.sequence);
        for waiting in meant {
            self.judge(waiting);
        }
    }

    fn waiting_of(&self, accounts: &BTreeSet<AccountSid>) -> Vec<CallSid> {
        let waits = |account| self.waiting_by_account.contains_key(account);
        if !accounts.iter().any(waits) {
            return Vec::new();
        }
        let requests = self.waiting.values().map(|waiting| &waiting.request);
        requests
            .filter(|request| accounts.contains(&request.account))
            .map(|request| request.call)
            .collect()
    }

    /// Judges every waiting call anew, in the order they came.
    fn judge_anew(&mut self) {
        self.lines = Default::default();
        self.schedule.clear();
        self.waiting_by_account.clear();
        let mut waiting: Vec<Waiting> = std::mem::take(&mut self.waiting).into_values().collect();
        waiting.sort_by_key(|waiting| waiting.sequence);
        for waiting in waiting {
            self.judge(waiting);
        }
    }

    /// Lets a call wait where it belongs now, or refuses it.
    fn judge(&mut self, waiting: Waiting) {
        match self.ways(&waiting.request) {
            Ok(ways) => self.enqueue(Waiting { ways, ..waiting }),
            Err(reason) => self.refuse_call(&waiting.request, reason),
        }
    }

    /// Takes the limits of the directory over, keeping what is counted already.
    fn take_limits(&mut self) {
        for trunk in self.directory.trunks() {
            self.trunks
                .entry(trunk.id.clone())
                .and_modify(|capacity| capacity.set_limits(trunk))
                .or_insert_with(|| TrunkCapacity::new(trunk));
        }
        let limited = self.directory.carriers();
        let limited = limited.filter_map(|carrier| Some((carrier, carrier.calls_per_second?)));
        let mut before = std::mem::take(&mut self.carriers);
        for (carrier, rate) in limited {
            let mut bucket = before
                .remove(&carrier.id)
                .unwrap_or_else(|| TokenBucket::new(rate));
            bucket.set_rate(rate);
            self.carriers.insert(carrier.id.clone(), bucket);
        }
        for account in self.directory.accounts() {
            let limits = &account.outbound;
            self.accounts
                .entry(account.sid)
                .and_modify(|capacity| {
                    capacity.set_limits(limits.max_channels, limits.calls_per_second);
                })
                .or_insert_with(|| Capacity::new(limits.max_channels, limits.calls_per_second));
        }
    }

    /// The part of the trunk that a call to or from `party` needs a channel of.
    fn part(&self, trunk: &TrunkId, party: &str) -> Part {
        let number: PhoneNumber = party.parse().ok()?;
        let (prefix, _) = self
            .directory
            .trunk(trunk)?
            .channels_by_prefix
            .limit(&number)?;
        Some(prefix.to_owned())
    }

    fn enqueue(&mut self, waiting: Waiting) {
        let CallRequest { call, account, .. } = waiting.request;
        self.schedule
            .add(call, waiting.due_unix_ms, &waiting.request.terms);
        if waiting.due_unix_ms.is_none() {
            self.join_line(&waiting);
        }
        let class = self.class(&waiting.request);
        let waits = self.waiting_by_account.entry(account).or_default();
        *waits.count(class, waiting.due_unix_ms.is_some()) += 1;
        self.waiting.insert(call, waiting);
    }

    fn dequeue(&mut self, call: CallSid) -> Option<Waiting> {
        let waiting = self.waiting.remove(&call)?;
        let class = self.class(&waiting.request);
        let account = waiting.request.account;
        if let Some(waits) = self.waiting_by_account.get_mut(&account) {
            *waits.count(class, waiting.due_unix_ms.is_some()) -= 1;
            if waits.total() == 0 {
                self.waiting_by_account.remove(&account);
            }
        }
        self.schedule
            .remove(call, waiting.due_unix_ms, &waiting.request.terms);
        Some(waiting)
    }

    /// Takes a call out of the queue and every line it stands in.
    fn take_out(&mut self, call: CallSid) -> Option<Waiting> {
        let waiting = self.dequeue(call)?;
        self.leave_line(&waiting);
        Some(waiting)
    }

    /// The calls of an account whose queue is stopped stand in no line: the directory that lets it go on puts them into theirs.
    fn join_line(&mut self, waiting: &Waiting) {
        if self.directory.is_queue_stopped(waiting.request.account) {
            return;
        }
        let class = self.class(&waiting.request);
        for way in &waiting.ways {
            self.lines[class]
                .entry(way.trunk.clone())
                .or_default()
                .push(waiting.place(way), waiting.request.call);
        }
    }

    /// Takes a call out of every line it stands in.
    fn leave_line(&mut self, waiting: &Waiting) {
        if waiting.due_unix_ms.is_some() {
            return;
        }
        let class = self.class(&waiting.request);
        for way in &waiting.ways {
            if let Some(line) = self.lines[class].get_mut(&way.trunk) {
                line.remove(&waiting.place(way));
            }
        }
    }

    /// The class of a call, as an index of [`Self::lines`]: what it asks for, where its account may have that.
    fn class(&self, request: &CallRequest) -> usize {
        let highest = self.highest_class(request.account);
        request.terms.priority.max(highest) as usize
    }

    /// The most urgent class that an account may have.
    fn highest_class(&self, account: AccountSid) -> Priority {
        let account = self.directory.account(account);
        account.map_or(Priority::Normal, |account| {
            account.outbound.queue.highest_priority
        })
    }

    fn expire_what_is_over(&mut self, now: Now) {
        while let Some(call) = self.schedule.next_expired(now.unix_ms) {
            let Some(waiting) = self.take_out(call) else {
                continue;
            };
            let account = waiting.request.account;
            self.outputs.push_back(Output::Expire { call, account });
        }
    }

    fn line_up_what_is_due(&mut self, now: Now) {
        while let Some(call) = self.schedule.next_due(now.unix_ms) {
            self.put_off(now, call);
        }
    }

    /// The clock on the wall was set back: hours that were over may have come again.
    fn ask_hours_anew(&mut self, now: Now) {
        let waits_for_hours = |waiting: &&Waiting| {
            waiting.due_unix_ms.is_some() && waiting.request.terms.window.is_some()
        };
        let waiting = self.waiting.values().filter(waits_for_hours);
        let calls: Vec<CallSid> = waiting.map(|waiting| waiting.request.call).collect();
        for call in calls {
            self.put_off(now, call);
        }
    }

    /// Lets a call stand in its line, or wait for the time at which it may be dialled.
    fn put_off(&mut self, now: Now, call: CallSid) {
        if let Some(mut waiting) = self.take_out(call) {
            waiting.due_unix_ms = due(now, &waiting.request.terms);
            self.enqueue(waiting);
        }
    }

    /// The most urgent class first; within it trunks take turns, a call at a time.
    fn attempt_what_may_go(&mut self, now: Now) {
        for class in 0..self.lines.len() {
            let mut trunks: VecDeque<TrunkId> = self.lines[class].keys().cloned().collect();
            if let Some(last) = &self.last_trunk {
                let behind = trunks.partition_point(|trunk| trunk <= last);
                trunks.rotate_left(behind % trunks.len().max(1));
            }
            while let Some(trunk) = trunks.pop_front() {
                if let Some(call) = self.next_on(now.instant, class, &trunk) {
                    self.attempt(now, call);
                    self.last_trunk = Some(trunk.clone());
                    trunks.push_back(trunk);
                }
            }
        }
    }

    /// Takes the next call that may go over `trunk`, or notes when to ask again.
    fn next_on(&mut self, now: Instant, class: usize, trunk: &TrunkId) -> Option<CallSid> {
        let of_carrier = self.carrier_ready_at(trunk);
        let line = self.lines[class].get_mut(trunk)?;
        if line.is_empty() {
            self.lines[class].remove(trunk);
            return None;
        }
        let turn = match of_carrier.filter(|at| *at > now) {
            Some(at) => Turn::Wait(Some(at)),
            None => line.next(now, self.trunks.get(trunk)?, &self.accounts),
        };
        match turn {
            Turn::Go(call) => Some(call),
            Turn::Wait(at) => {
                self.deadline = [self.deadline, at].into_iter().flatten().min();
                None
            }
        }
    }

    /// Begins a call that its line let go, unless its hours are over meanwhile.
    fn attempt(&mut self, now: Now, call: CallSid) {
        let terms = self
            .waiting
            .get(&call)
            .map(|waiting| &waiting.request.terms);
        if terms.is_some_and(|terms| due(now, terms).is_some()) {
            self.put_off(now, call);
            return;
        }
        let Some(waiting) = self.take_out(call) else {
            return;
        };
        let account = waiting.request.account;
        let has_room = |way: &&Way| {
            self.trunks.get(&way.trunk).is_some_and(|trunk| {
                let part = trunk.part_room(now.instant, way.part.as_deref());
                (part, trunk.whole.room(now.instant)) == (Room::Now, Room::Now)
            })
        };
        // The line that let it go has room; one that is a better choice may have, too.
        let way = waiting.ways.iter().find(has_room);
        let Some(Way { trunk, part }) = way.or(waiting.ways.first()).cloned() else {
            return;
        };
        let planned = waiting.request.planned(&trunk);
        let waited = Waited {
            request: waiting.request,
            sequence: waiting.sequence,
            is_canceled: false,
        };
        let waited = Some(Box::new(waited));
        self.begin(now.instant, call, account, &trunk, part, waited);
        self.outputs.push_back(Output::Attempt {
            call,
            account,
            trunk,
            planned,
        });
    }

    /// Takes the channels of a call that begins now.
    fn begin(
        &mut self,
        now: Instant,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        part: Part,
        waited: Option<Box<Waited>>,
    ) {
        if let Some(capacity) = self.trunks.get_mut(trunk) {
            capacity.begin(now, part.as_deref());
        }
        let of_carrier = self.directory.trunk(trunk);
        let of_carrier = of_carrier.and_then(|trunk| self.carriers.get_mut(&trunk.carrier));
        if let Some(bucket) = of_carrier {
            bucket.take(now);
        }
        let payer = self.directory.payer(account);
        if let Some(capacity) = self.accounts.get_mut(&payer) {
            capacity.begin(now);
        }
        let held = Held {
            payer,
            trunk: trunk.clone(),
            part,
            waited,
            is_inbound: false,
        };
        self.held.insert(call, held);
    }
}

/// When a call may be dialled; none: now.
fn due(now: Now, terms: &QueueTerms) -> Option<u64> {
    Some(terms.first_time(now.unix_ms)).filter(|at| *at > now.unix_ms)
}
