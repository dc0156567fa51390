//! Which waiting call may be dialled now.

mod attempts;
#[cfg(test)]
mod bench;
mod canceling;
mod held;
mod io;
mod judging;
mod leaving;
mod places;
mod planned;
mod queue;
mod routes;
mod times;
mod vacancies;
mod walk;

pub use io::{CallRequest, Full, Input, NotNow, Now, Output, QueueLimits};
pub(crate) use routes::Route;
pub use vacancies::Vacancies;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use call::{AccountSid, CallSid};
use canceling::Canceling;
use held::Held;
use judging::Judging;
use leaving::Leaving;
use queue::Waiting;
use routes::Routes;
use store::{CarrierId, Directory, Priority, TrunkId};
use walk::Walk;

use crate::capacity::{Capacity, TrunkCapacity};
use crate::choice::Choice;
use crate::line::Line;
use crate::pace::Pace;
use crate::policy::{Refusal, permit, route};
use crate::schedule::Schedule;
use crate::waits::AccountWaits;

/// The outbound queue and the counters of what is up.
///
/// The caller drains [`Self::poll`] after every [`Self::handle`] and comes back at [`Self::deadline`]. A call that finds its
/// trunk or account full waits; it never fails for that. Bounded by [`QueueLimits`].
#[derive(Debug)]
pub struct Dialer {
    directory: Arc<Directory>,
    limits: QueueLimits,
    /// Boxed: what is moved as the tree grows is small.
    waiting: BTreeMap<CallSid, Box<Waiting>>,
    waiting_by_account: BTreeMap<AccountSid, AccountWaits>,
    /// Places that calls have which are being written down.
    expected: BTreeMap<AccountSid, usize>,
    routes: Routes,
    /// Who is to be judged anew.
    judging: Judging,
    /// Which queues are given up.
    canceling: Canceling,
    /// Whose hours are to be asked anew.
    hours: Walk,
    /// Those that wait for a time, and when those that wait give up.
    schedule: Schedule,
    /// Those that may go as soon as there is room: the most urgent class first, then by trunk.
    lines: [BTreeMap<TrunkId, Line>; Priority::ALL.len()],
    /// Whose turn it was last, so that trunks that share their carrier's calls per second take turns.
    last_trunk: Option<TrunkId>,
    trunks: BTreeMap<TrunkId, TrunkCapacity>,
    /// Calls per second of the carriers that have a limit.
    carriers: BTreeMap<CarrierId, Pace>,
    /// Trunks whose targets do not answer.
    down: BTreeSet<TrunkId>,
    /// A subaccount's calls count as its parent's.
    accounts: BTreeMap<AccountSid, Capacity>,
    held: BTreeMap<CallSid, Held>,
    /// Those that are ready to leave.
    leaving: Leaving,
    /// Those that a process before this one has left behind, and until when the far end may hold their channels.
    lost: BTreeSet<(Instant, CallSid)>,
    outputs: VecDeque<Output>,
    deadline: Option<Instant>,
    next_sequence: u64,
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
            expected: BTreeMap::new(),
            routes: Routes::default(),
            judging: Judging::default(),
            canceling: Canceling::default(),
            hours: Walk::default(),
            schedule: Schedule::default(),
            lines: Default::default(),
            last_trunk: None,
            carriers: BTreeMap::new(),
            down: BTreeSet::new(),
            trunks: BTreeMap::new(),
            accounts: BTreeMap::new(),
            held: BTreeMap::new(),
            leaving: Leaving::default(),
            lost: BTreeSet::new(),
            outputs: VecDeque::new(),
            deadline: None,
            next_sequence: 0,
        };
        dialer.take_limits();
        dialer
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

    /// Takes one input. The instant never goes backwards, the time on the wall may; outputs wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Accepted(request) => self.accept(now, request),
            Input::Cancel(call) => self.cancel(call),
            Input::CancelAll { account, class } => self.cancel_all(account, class),
            Input::CancelMore { account, class } => self.cancel_more(account, class),
            // Nobody can begin by it.
            Input::Ready(call) => return self.ready(now.instant, call),
            Input::Ended(call) => self.end(call),
            Input::Congested { call, retry_after } => self.refuse(now.instant, call, retry_after),
            Input::Planned { call, plan } => self.planned(now, call, plan),
            Input::Undecided(call) => self.undecided(now, call),
            Input::PutOff {
                call,
                until_unix_ms,
            } => self.put_off_until(now, call, until_unix_ms),
            Input::AttemptFailed { call, congested } => self.attempt_failed(now, call, congested),
            // Who may go over a trunk that is down is asked as each call goes.
            Input::Down(down) => self.down = down,
            Input::Directory(directory) => self.take_directory(directory),
            Input::Timeout => {}
        }
        self.judge_some();
        self.let_go_of_lost(now.instant);
        self.let_leave(now.instant);
        self.deadline = None;
        if self.keep_times(now) {
            self.attempt_what_may_go(now);
        }
        let scheduled = self.schedule.deadline(now);
        let lost = self.lost.first().map(|(until, _)| *until);
        let goes_on = self.judging.goes_on() || self.hours.goes_on();
        let at_once = goes_on.then_some(now.instant);
        let leaves = self.next_leaves_at();
        let all = [self.deadline, scheduled, lost, leaves, at_once];
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
        let ways = self.ways_over(candidates, to, false);
        let own = self.accounts.get(&self.directory.payer(account));
        let choices = self.in_order(&ways).into_iter().map(|way| {
            let trunk = &way.trunk;
            let room = own.map(|own| self.room(now, trunk, way.part.as_deref(), own));
            let row = self.directory.trunk(trunk);
            Choice {
                prefix: way.prefix.clone(),
                is_own: way.is_own,
                rank: row.map_or(0, |row| row.rank),
                is_down: self.down.contains(trunk),
                channels_used: self.channels_held(trunk),
                channels: row.map_or(0, |row| row.max_channels),
                waits: room.and_then(Result::err).map(|why| why.to_string()),
                trunk: trunk.clone(),
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

    /// How many calls of all accounts wait.
    #[must_use]
    pub fn all_waits(&self) -> AccountWaits {
        self.waiting_by_account.values().copied().sum()
    }

    /// The channels of each trunk, and of its parts by their prefixes: how many are taken, and how many there are, as far as that is known.
    pub fn channels(&self) -> impl Iterator<Item = (&TrunkId, Option<&str>, u32, u32)> {
        self.trunks.iter().flat_map(|(trunk, capacity)| {
            let (taken, most) = capacity.channels();
            let parts = capacity
                .parts()
                .map(move |(prefix, taken, most)| (trunk, Some(prefix), taken, most));
            std::iter::once((trunk, None, taken, most)).chain(parts)
        })
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
}
