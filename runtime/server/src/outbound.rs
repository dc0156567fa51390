//! Calls that go out: from the durable queue to their actors. Also keeps the channels of calls that came in.

mod dialling;
mod failover;
mod invite;
mod leaving;
mod places;
mod planning;
mod standing;

use dialling::TrunkGone;
pub(crate) use dialling::{Origin, call_id, dial};
use leaving::Leaving;
pub(crate) use planning::StoryPlan;
use standing::Counters;
pub(crate) use standing::{Channels, Standing};

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;
use api::LearnedChannels;
use call::{AccountSid, CallRecord, CallSid, CallStatus, Direction, HangUpCause, Outcome};
use dial::{
    AccountWaits, CallRequest, Choice, Dialer, Full, Input, NotNow, Now, Output, PlannedAttempt,
    QueueLimits, Refusal, Vacancies,
};
use store::{
    CallRow, Directory, EXPIRED, FailedAttempt, Priority, QueuedCall, StoreError, TrunkId,
    broadcast::RECALLED,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tracing::{debug, error, info};

use crate::children::Unwanted;
use crate::clock;
use crate::clock::sleep_until;
use crate::services::Services;
use crate::trunks::NoRoute;

/// How often the trunks are looked at.
const LOOK_AT_TRUNKS: Duration = Duration::from_secs(1);
/// Calls that are looked at while the dialler is held.
const ASKED_AT_ONCE: usize = 50;
/// Ends of waiting calls that wait for the disk together.
const ENDS_AT_ONCE: usize = 1_000;
/// The dialler and what performs its outputs. Its lock is held for one step of the core at a time, never while waiting.
pub(crate) struct Outbound {
    dialer: Mutex<Dialer>,
    leaving: Leaving,
    counters: Counters,
    /// The deadline may have changed.
    changed: Notify,
    services: Weak<Services>,
    runtime: Handle,
}

impl Outbound {
    /// The dialler for what the store holds.
    pub(crate) fn new(
        services: Weak<Services>,
        directory: Arc<Directory>,
        runtime: Handle,
    ) -> Self {
        let dialer = Mutex::new(Dialer::new(directory, QueueLimits::default()));
        Self {
            dialer,
            leaving: Leaving::default(),
            counters: Counters::default(),
            changed: Notify::new(),
            services,
            runtime,
        }
    }

    /// Counts the channels of calls that a process before this one has left behind, for so long: the far end holds them until it notices.
    pub(crate) fn take_lost(&self, lost: &[CallRow], lost_for: Duration) {
        let until = Instant::now() + lost_for;
        let mut dialer = self.lock();
        for row in lost {
            let is_inbound = row.direction == Direction::Inbound;
            let party = if is_inbound { &row.from } else { &row.to };
            if let Some(leg) = &row.leg {
                dialer.take_lost(row.sid, row.account, &leg.trunk, party, is_inbound, until);
            }
        }
    }

    /// Takes in what waited when the process before this one ended, and starts the clock.
    pub(crate) fn start(self: &Arc<Self>, services: &Services) -> anyhow::Result<()> {
        // All are in before the first is dialled, so that the most urgent goes first.
        let now = now();
        services
            .store
            .queued(&mut |place, call| self.lock().take_in(now, place, call.into()))
            .context("cannot read the queue of outbound calls")?;
        let waiting = self.lock().waiting();
        if waiting > 0 {
            info!("{waiting} outbound calls wait from before");
        }
        self.feed(Input::Timeout);
        let outbound = Arc::clone(self);
        self.runtime
            .spawn(async move { outbound.keep_time().await });
        let outbound = Arc::clone(self);
        self.runtime
            .spawn(async move { outbound.watch_trunks().await });
        Ok(())
    }

    /// A call is on disk and waits.
    pub(crate) fn accepted(self: &Arc<Self>, row: &CallRow) {
        self.feed(Input::Accepted(QueuedCall::of(row).into()));
    }

    /// How many more calls of the account may wait.
    pub(crate) fn places(&self, account: AccountSid) -> usize {
        self.lock().places(account)
    }

    /// Which of these calls, not yet accepted, would find a place in a line: the first so many of them. The dialler is let go of between some and the
    /// next ones.
    pub(crate) fn with_places(&self, requests: &[CallRequest], most: usize) -> Vec<bool> {
        let mut vacancies = Vacancies::default();
        let mut left = most;
        let mut have_places = Vec::with_capacity(requests.len());
        for some in requests.chunks(ASKED_AT_ONCE) {
            let dialer = self.lock();
            have_places.extend(some.iter().map(|request| {
                let has_place = left > 0 && vacancies.take(&dialer, request);
                left -= usize::from(has_place);
                has_place
            }));
        }
        have_places
    }

    /// A call is not wanted any more. Resolves when the end of one that waited is on disk; one that does not wait is left
    /// alone.
    pub(crate) async fn cancel(self: &Arc<Self>, call: CallSid) {
        let (ends, attempts) = split(self.step(Input::Cancel(call)));
        self.spawn_each(attempts);
        Arc::clone(self).perform_all(ends).await;
    }

    /// As [`Self::cancel`], for a call whose broadcast is halted: its recipient waits as if it had never been.
    pub(crate) async fn recall(self: &Arc<Self>, call: CallSid) {
        let (ends, attempts) = split(self.step(Input::Cancel(call)));
        self.spawn_each(attempts);
        let is_own =
            |end: &Output| matches!(end, Output::Canceled { call: own, .. } if *own == call);
        let (own, others): (Vec<_>, Vec<_>) = ends.into_iter().partition(is_own);
        if let Some(services) = self.services.upgrade().filter(|_| !own.is_empty()) {
            end(&services, call, CallStatus::Canceled, RECALLED.to_owned()).await;
        }
        Arc::clone(self).perform_all(others).await;
    }

    /// A channel for a call that came in.
    pub(crate) fn take_channel(
        &self,
        call: CallSid,
        account: AccountSid,
        trunk: &TrunkId,
        caller: &str,
    ) -> Result<(), Full> {
        self.lock().take_channel(call, account, trunk, caller)
    }

    /// Begins a call of another call's story; its channel is given back by [`Self::ended`].
    pub(crate) fn begin_now(
        &self,
        request: &CallRequest,
    ) -> Result<(TrunkId, Option<String>), NotNow> {
        let begun = self.lock().begin_now(Instant::now(), request)?;
        self.counters.attempt();
        Ok(begun)
    }

    /// Whether a call that does not wait has a trunk over which it was not tried yet.
    pub(crate) fn has_way(&self, request: &CallRequest) -> bool {
        self.lock().has_way(request)
    }

    /// What the queue and its lines look like now.
    pub(crate) fn standing(&self) -> Standing {
        let dialer = self.lock();
        let channels = dialer.channels().map(|(trunk, prefix, taken, most)| {
            let prefix = prefix.map(str::to_owned);
            Channels {
                trunk: trunk.clone(),
                prefix,
                taken,
                most,
            }
        });
        Standing {
            waits: dialer.all_waits(),
            channels: channels.collect(),
            attempts: self.counters.attempts(),
            congested: self.counters.all_congested(),
        }
    }

    /// How many calls hold a channel of the trunk, both directions together.
    pub(crate) fn channels_held(&self, trunk: &TrunkId) -> u32 {
        self.lock().channels_held(trunk)
    }

    /// The channel limits of a trunk that its far end taught.
    pub(crate) fn learned(&self, trunk: &TrunkId) -> Vec<LearnedChannels> {
        let dialer = self.lock();
        let of_trunk = dialer.learned().filter(|(id, ..)| *id == trunk);
        of_trunk
            .map(|(_, prefix, channels)| LearnedChannels {
                prefix: prefix.map(str::to_owned),
                channels,
            })
            .collect()
    }

    /// A call is over: its channels are free.
    pub(crate) fn ended(self: &Arc<Self>, call: CallSid) {
        self.leaving.forget(call);
        self.feed(Input::Ended(call));
    }

    /// A call that was dialled is over: its channels are free, and what its end says of the far end's room is heard.
    pub(crate) fn ended_with(self: &Arc<Self>, call: CallSid, record: &CallRecord) {
        if record.outcome() != Outcome::Congestion {
            return self.ended(call);
        }
        info!(call.sid = %call, "the far end has no room: {}", record.end_reason);
        self.counters.congested();
        let retry_after = record.retry_after_s.map(u64::from).map(Duration::from_secs);
        self.feed(Input::Congested { call, retry_after });
    }

    /// Tenants were applied.
    pub(crate) fn set_directory(self: &Arc<Self>, directory: Arc<Directory>) {
        self.feed(Input::Directory(directory));
    }

    /// Over which trunks a call would go now, the first choice in front.
    pub(crate) fn explain(
        &self,
        account: AccountSid,
        from: &str,
        to: &str,
    ) -> Result<Vec<Choice>, Refusal> {
        self.lock().explain(Instant::now(), account, from, to)
    }

    /// Tells the dialler which trunks' servers do not answer, until the server stops.
    async fn watch_trunks(self: Arc<Self>) {
        let mut known = BTreeSet::new();
        loop {
            tokio::time::sleep(LOOK_AT_TRUNKS).await;
            let Some(services) = self.services.upgrade() else {
                return;
            };
            let down = services.trunks.down();
            if down != known {
                known.clone_from(&down);
                self.feed(Input::Down(down));
            }
        }
    }

    async fn keep_time(self: Arc<Self>) {
        loop {
            let deadline = self.lock().deadline();
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(deadline) => self.feed(Input::Timeout),
            }
        }
    }

    /// How many calls of an account wait.
    pub(crate) fn waits(&self, account: AccountSid) -> AccountWaits {
        self.lock().waits(account)
    }

    /// The waiting calls of an account are not wanted any more. Resolves when their ends are on disk; how many they were.
    pub(crate) async fn cancel_all(
        self: &Arc<Self>,
        account: AccountSid,
        class: Option<Priority>,
    ) -> usize {
        // On a task of its own: the dialler forgets them, so that their ends are written whether the client waits or not.
        let outbound = Arc::clone(self);
        let ending = self
            .runtime
            .spawn(async move { outbound.cancel_each(account, class).await });
        ending.await.unwrap_or_else(|error| {
            error!("waiting calls were not ended: {error}");
            0
        })
    }

    /// The dialler is let go of between some and the next ones, and those are on disk before.
    async fn cancel_each(self: Arc<Self>, account: AccountSid, class: Option<Priority>) -> usize {
        let is_canceled = |end: &&Output| matches!(end, Output::Canceled { .. });
        let mut input = Input::CancelAll { account, class };
        let mut canceled = 0;
        loop {
            let (ends, attempts) = split(self.step(input));
            self.spawn_each(attempts);
            canceled += ends.iter().filter(is_canceled).count();
            Arc::clone(&self).perform_all(ends).await;
            if !self.lock().is_canceling(account, class) {
                return canceled;
            }
            input = Input::CancelMore { account, class };
        }
    }

    fn feed(self: &Arc<Self>, input: Input) {
        let (ends, attempts) = split(self.step(input));
        self.spawn_each(attempts);
        if !ends.is_empty() {
            let outbound = Arc::clone(self);
            self.runtime
                .spawn(async move { outbound.perform_all(ends).await });
        }
    }

    fn spawn_each(self: &Arc<Self>, outputs: Vec<Output>) {
        for output in outputs {
            let outbound = Arc::clone(self);
            self.runtime
                .spawn(async move { outbound.perform(output).await });
        }
    }

    /// Ends of calls, which may be a hundred thousand at once: no more of them wait for the disk together than [`ENDS_AT_ONCE`], so that
    /// the calls that are up find room there.
    async fn perform_all(self: Arc<Self>, outputs: Vec<Output>) {
        let mut rest = outputs.into_iter();
        loop {
            let some = rest.by_ref().take(ENDS_AT_ONCE);
            let ended = some.map(|output| self.runtime.spawn(Arc::clone(&self).perform(output)));
            let ended: Vec<_> = ended.collect();
            if ended.is_empty() {
                return;
            }
            for end in ended {
                if let Err(error) = end.await {
                    error!("a waiting call was not ended: {error}");
                }
            }
        }
    }

    /// Takes one input. Whose INVITE leaves is told at once; what else there is to do is returned.
    fn step(&self, input: Input) -> Vec<Output> {
        let outputs: Vec<Output> = {
            let mut dialer = self.lock();
            dialer.handle(now(), input);
            std::iter::from_fn(|| dialer.poll()).collect()
        };
        self.changed.notify_one();
        let is_to_do = |output: &Output| match output {
            Output::Leave(call) => {
                self.leaving.tell(*call);
                false
            }
            _ => true,
        };
        outputs.into_iter().filter(is_to_do).collect()
    }

    async fn perform(self: Arc<Self>, output: Output) {
        let Some(services) = self.services.upgrade() else {
            return;
        };
        match output {
            Output::Attempt {
                call,
                account,
                trunk,
                planned,
                because,
            } => {
                if services.live.is_closed() {
                    debug!(call.sid = %call, "it waits for the next start");
                    return;
                }
                if planned.is_none() && self.follow_policy(&services, account, call).await {
                    return;
                }
                let planned = planned.unwrap_or_else(|| PlannedAttempt::over(trunk.clone()));
                self.counters.attempt();
                let begun = dialling::attempt(&services, call, account, planned, because.clone());
                if let Err(error) = begun.await {
                    if error.is::<TrunkGone>() {
                        return self.feed(Input::PutOff {
                            call,
                            until_unix_ms: clock::unix_ms() + TRUNK_GONE_MS,
                        });
                    }
                    if let Some(Unwanted(HangUpCause::Shutdown)) = error.downcast_ref() {
                        put_back(&services, call, trunk, because).await;
                        return self.ended(call);
                    }
                    if error.is::<Unwanted>() {
                        end(&services, call, CallStatus::Canceled, error.to_string()).await;
                        return self.ended(call);
                    }
                    let failed = FailedAttempt {
                        trunk,
                        sip_status: None,
                        reason: format!("{error:#}"),
                        because,
                    };
                    if error.is::<NoRoute>() && self.keep(&services, call, failed).await {
                        return self.go_elsewhere(call, None);
                    }
                    error!(call.sid = %call, tenant.id = %account, "cannot dial: {error:#}");
                    end(&services, call, CallStatus::Failed, format!("{error:#}")).await;
                    self.ended(call);
                }
            }
            Output::Refuse {
                call,
                account,
                reason,
            } => {
                info!(call.sid = %call, tenant.id = %account, "not dialled: {reason}");
                end(&services, call, CallStatus::Failed, reason.to_string()).await;
            }
            Output::Expire { call, account } => {
                info!(call.sid = %call, tenant.id = %account, "not dialled: its time is over");
                end(&services, call, CallStatus::Failed, EXPIRED.to_owned()).await;
            }
            Output::Canceled { call, .. } => {
                end(&services, call, CallStatus::Canceled, CANCELED.to_owned()).await;
                // Who waits for its INVITE to leave finds that it is over.
                self.leaving.forget(call);
            }
            Output::Leave(call) => self.leaving.tell(call),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Dialer> {
        self.dialer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What both clocks say.
fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: clock::unix_ms(),
    }
}

/// What ends calls that wait, and what dials others.
fn split(outputs: Vec<Output>) -> (Vec<Output>, Vec<Output>) {
    let is_end = |output: &Output| !matches!(output, Output::Attempt { .. });
    outputs.into_iter().partition(is_end)
}

/// How long a call waits whose trunk was taken away, in milliseconds.
const TRUNK_GONE_MS: u64 = 1_000;

/// Why a call ends that somebody cancelled.
const CANCELED: &str = "cancelled while it waited";

/// Leaves a call in the queue whose INVITE the server's stop has kept from leaving: the next start dials it.
async fn put_back(services: &Services, call: CallSid, trunk: TrunkId, because: Option<String>) {
    let stopped = FailedAttempt {
        trunk,
        sip_status: None,
        reason: "the server stopped before its INVITE left".to_owned(),
        because,
    };
    let kept = services.store.undo_attempt(call, stopped, clock::unix_ms());
    match kept.await {
        Ok(()) => {}
        Err(StoreError::IllegalStatus { .. }) => debug!(call.sid = %call, "it is over already"),
        Err(error) => error!(call.sid = %call, "cannot leave it in the queue: {error}"),
    }
}

/// Ends a call that has no actor.
async fn end(services: &Services, sid: CallSid, status: CallStatus, end_reason: String) {
    end_as(services, sid, CallRecord::new(status, end_reason)).await;
}

/// The same, with what its last attempt told.
pub(crate) async fn end_as(services: &Services, sid: CallSid, record: CallRecord) {
    services.conferences.call_is_over(sid);
    match services
        .store
        .finish_call(sid, record, clock::unix_ms(), None)
        .await
    {
        Ok(()) => {
            services.callbacks.look();
            services.broadcasts.look();
        }
        Err(StoreError::IllegalStatus { .. }) => {}
        Err(error) => error!(call.sid = %sid, "cannot keep the record: {error}"),
    }
}
