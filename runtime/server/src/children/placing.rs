//! A call that a story dials, from its order to its INVITE, and to the next one where that came to nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use call::{
    CallCallback, CallInfo, CallRecord, CallSid, CallStatus, ChildCall, Direction, HangUpCause,
    SipLogin,
};
use dial::{CallRequest, NotNow, PlannedAttempt};
use store::{
    Attempt, CallOrders, CallRow, FailedAttempt, Leg, NewCall, QueueTerms, RoutedBy, Scope, Secret,
    SipCredentials, StoreError, TrunkId,
};
use tokio::time::{sleep_until, timeout_at};
use tracing::{Instrument, info};

use super::{EndOrder, Parent, Unwanted, ended, own_number, told, without_settings};
use crate::call_actor::Inbox;
use crate::clock;
use crate::flows::Story;
use crate::outbound::{self, Origin, StoryPlan};
use crate::services::Services;
use crate::trunks::NoRoute;

/// A call on its way to its INVITE, and to the next one where that came to nothing.
#[derive(Clone)]
pub(crate) struct Placing {
    services: Arc<Services>,
    request: CallRequest,
    account: Arc<store::Account>,
    /// Its own; without one that of the parent, which it does not run.
    story: Story,
    parent_sid: CallSid,
    /// As its story asked for it, in seconds.
    ring_timeout: u32,
    /// It waits and rings no longer than until then, over all trunks together.
    rings_until: Instant,
    login: Option<SipLogin>,
    callback: Option<CallCallback>,
    parent: Parent,
    end: EndOrder,
    /// It is on disk.
    is_kept: bool,
    /// The attempt before, which is still to be written down: over which trunk, and what came of it.
    failed: Option<(TrunkId, CallRecord)>,
}

/// A row that has ended, or is somebody else's, is dialled no more.
fn unwanted_if_over(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::IllegalStatus { .. } | StoreError::NotQueued(_) => {
            Unwanted(HangUpCause::Api).into()
        }
        error => error.into(),
    }
}

impl Placing {
    /// A call that `parent` asks for now, which its ring time begins with. `way`: back to the parent, and the order to end it.
    pub(super) fn new(
        services: &Arc<Services>,
        info: &CallInfo,
        account: &Arc<store::Account>,
        story: &Story,
        (parent, end): (Parent, EndOrder),
        call: ChildCall,
    ) -> Box<Self> {
        let ring_time = Duration::from_secs(call.ring_timeout_s.into());
        let own_number = || own_number(info).to_owned();
        Box::new(Self {
            services: Arc::clone(services),
            request: CallRequest {
                terms: QueueTerms::default(),
                tried: Vec::new(),
                plan: None,
                call: store::random_call_sid(),
                account: account.sid,
                from: call.caller_id.unwrap_or_else(own_number),
                to: call.target.to,
            },
            account: Arc::clone(account),
            story: call.target.whisper.map_or_else(
                || without_settings(story),
                |whisper| told(whisper.story, whisper.settings),
            ),
            callback: call.target.callback,
            parent_sid: info.call_sid,
            ring_timeout: call.ring_timeout_s,
            rings_until: Instant::now() + ring_time,
            login: call.login,
            parent,
            end,
            is_kept: false,
            failed: None,
        })
    }

    /// Begins to place it. From here on the API reaches it.
    pub(super) fn start(self: Box<Self>) {
        let (sid, account) = (self.request.call, self.account.sid);
        self.services.live.place(sid, account, self.end.clone());
        tokio::spawn(self.run().in_current_span());
    }

    pub(crate) const fn parent(&self) -> &Parent {
        &self.parent
    }

    /// Whether it may go over another trunk than this one, too.
    pub(crate) fn has_way_besides(&self, trunk: &TrunkId) -> bool {
        let mut request = self.request.clone();
        request.tried.push(trunk.clone());
        self.services.outbound.has_way(&request)
    }

    /// Goes over another trunk after an attempt that came to nothing before it rang. The parent hears of it if that comes to nothing too.
    pub(crate) fn again(mut self: Box<Self>, trunk: TrunkId, record: CallRecord) {
        info!(call.sid = %self.request.call, trunk = %trunk, "goes over another trunk: {}", record.end_reason);
        self.request.tried.push(trunk.clone());
        self.failed = Some((trunk, record));
        self.start();
    }

    async fn run(mut self: Box<Self>) {
        let sid = self.request.call;
        match self.place().await {
            Ok(inbox) => {
                // Who orders its end from here on finds the actor; what was ordered before, `Children::placed` tells it.
                self.services.live.placed(&sid);
                self.parent.placed(inbox).await;
            }
            Err(error) => {
                info!(call.sid = %sid, "not dialled: {error:#}");
                self.services.outbound.ended(sid);
                let record = self.record(&error);
                if self.is_kept {
                    outbound::end_as(&self.services, sid, record.clone()).await;
                }
                self.services.live.placed(&sid);
                let kept = self.is_kept.then_some(sid);
                self.parent.tell(ended(kept, &record));
            }
        }
    }

    /// The end of a call that goes no further: that of its last attempt, where there was one.
    fn record(&self, error: &anyhow::Error) -> CallRecord {
        match &self.failed {
            _ if error.is::<Unwanted>() => CallRecord::new(CallStatus::Canceled, error.to_string()),
            Some((_, last)) => CallRecord {
                end_reason: format!("{}; over no other trunk: {error:#}", last.end_reason),
                ..last.clone()
            },
            None => CallRecord::new(CallStatus::Failed, format!("{error:#}")),
        }
    }

    /// Tries one trunk after another until an INVITE leaves. The call is on disk before.
    async fn place(&mut self) -> anyhow::Result<Inbox> {
        self.may_go_on()?;
        let mut routed = match self.request.plan {
            None => self.ask_policy().await?,
            Some(_) => None,
        };
        loop {
            let (trunk, because) = self.begin().await?;
            let error = match self.dial_over(&trunk, because, &mut routed).await {
                Ok(inbox) => return Ok(inbox),
                Err(error) => error,
            };
            self.request.tried.push(trunk.clone());
            if !error.is::<NoRoute>() || !self.services.outbound.has_way(&self.request) {
                return Err(error);
            }
            self.services.outbound.ended(self.request.call);
            let record = CallRecord::new(CallStatus::Failed, format!("{error:#}"));
            self.failed = Some((trunk, record));
        }
    }

    /// Whether an INVITE may still leave.
    fn may_go_on(&self) -> anyhow::Result<()> {
        if let Some(cause) = self.end.given() {
            return Err(Unwanted(cause).into());
        }
        if self.parent.inbox.is_closed() {
            return Err(Unwanted(HangUpCause::Local).into());
        }
        let Services { live, limits, .. } = self.services.as_ref();
        anyhow::ensure!(
            live.has_room(limits.max_calls),
            "this host has no room for another call"
        );
        anyhow::ensure!(
            self.ring_time_left_s() > 0,
            "the time for which it may ring was over before it could be dialled"
        );
        Ok(())
    }

    /// What is left of the time for which it may ring, in seconds, rounded up.
    fn ring_time_left_s(&self) -> u32 {
        let left = self.rings_until.saturating_duration_since(Instant::now());
        u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    /// Does this, unless the call is given up first.
    async fn while_wanted<T>(&self, work: impl Future<Output = T>) -> Result<T, Unwanted> {
        tokio::select! {
            biased;
            cause = self.end.awaited() => Err(Unwanted(cause)),
            () = self.parent.inbox.closed() => Err(Unwanted(HangUpCause::Local)),
            done = work => Ok(done),
        }
    }

    /// Asks the account's routing policy, which may let the call wait for as long as it might ring.
    async fn ask_policy(&mut self) -> anyhow::Result<Option<RoutedBy>> {
        let services = Arc::clone(&self.services);
        loop {
            let asked = services.outbound.plan_for_story(&services, &self.request);
            match self.while_wanted(asked).await? {
                None => return Ok(None),
                Some(StoryPlan::Go { plan, routed }) => {
                    self.request.plan = Some(plan);
                    return Ok(Some(routed));
                }
                Some(StoryPlan::Wait { until_unix_ms, why }) => {
                    let wait = until_unix_ms.saturating_sub(clock::unix_ms());
                    let until = Instant::now() + Duration::from_millis(wait);
                    anyhow::ensure!(until < self.rings_until, why);
                    self.while_wanted(sleep_until(until.into())).await?;
                }
                Some(StoryPlan::Refuse(why)) => anyhow::bail!(why),
            }
        }
    }

    /// Writes the attempt down, then lets the INVITE leave when the rates have room for it.
    async fn dial_over(
        &mut self,
        trunk: &TrunkId,
        because: Option<String>,
        routed: &mut Option<RoutedBy>,
    ) -> anyhow::Result<Inbox> {
        let services = Arc::clone(&self.services);
        let directory = services.store.directory();
        let trunk = directory.trunk(trunk).context("the trunk is gone")?;
        let sip_call_id = outbound::call_id();
        let leg = Leg {
            trunk: trunk.id.clone(),
            sip_call_id: sip_call_id.clone(),
        };
        let mut row = self
            .keep(Attempt { leg, because })
            .await
            .map_err(unwanted_if_over)?;
        if let Some(routed) = routed.take() {
            let noted = services.store.note_route(row.sid, routed, clock::unix_ms());
            noted.await.map_err(unwanted_if_over)?;
        }
        services.callbacks.look();
        let realm = directory.realm(trunk);
        let route = services.trunks.route_to(realm, trunk, &row.to);
        let stops = self.while_wanted(route).await??;
        let leaves = services.outbound.leave(row.sid);
        // Whose time to ring is over meanwhile may not go on.
        let _ = self
            .while_wanted(timeout_at(self.rings_until.into(), leaves))
            .await?;
        self.is_not_over()?;
        self.may_go_on()?;
        let planned = self.request.planned(&trunk.id);
        let planned = planned.unwrap_or_else(|| PlannedAttempt::over(trunk.id.clone()));
        row.orders.caller_id = planned.caller_id.or(row.orders.caller_id);
        let left_s = self.ring_time_left_s();
        let rings_for_s = planned.ring_timeout_s.map_or(left_s, |s| s.min(left_s));
        row.ring_timeout_s = Some(rings_for_s);
        let origin = Origin::Story {
            placing: Box::new(self.clone()),
            dialled: planned.dialled,
        };
        outbound::dial(
            &services,
            &self.account,
            trunk,
            &stops,
            &row,
            sip_call_id,
            origin,
        )
    }

    /// The row may have been ended while nobody was found who places the call: between two attempts.
    fn is_not_over(&self) -> anyhow::Result<()> {
        let scope = Scope::of_host(self.account.sid);
        let row = self.services.store.call(scope, self.request.call)?;
        match row {
            Some(row) if !row.status.is_final() => Ok(()),
            _ => Err(Unwanted(HangUpCause::Api).into()),
        }
    }

    /// The call as it is on disk, with its next attempt.
    async fn keep(&mut self, attempt: Attempt) -> Result<CallRow, StoreError> {
        let store = &self.services.store;
        let (sid, at) = (self.request.call, clock::unix_ms());
        let row = match &self.failed {
            Some((trunk, record)) => {
                let failed = FailedAttempt {
                    trunk: trunk.clone(),
                    sip_status: record.sip_status,
                    reason: record.end_reason.clone(),
                    because: None,
                };
                store.dial_again(sid, failed, attempt, at).await?
            }
            None => {
                let scope = Scope::of_host(self.account.sid);
                store.begin_dialled(scope, self.new_call(), attempt).await?
            }
        };
        self.is_kept = true;
        self.failed = None;
        Ok(row)
    }

    /// Takes a channel. Where too many calls begin in a second its turn is waited for, as long as it might ring.
    async fn begin(&self) -> anyhow::Result<(TrunkId, Option<String>)> {
        loop {
            self.may_go_on()?;
            match self.services.outbound.begin_now(&self.request) {
                Err(NotNow::NotBefore(at)) if at < self.rings_until => {
                    self.while_wanted(sleep_until(at.into())).await?;
                }
                begun => return Ok(begun?),
            }
        }
    }

    fn sealed(&self, login: &SipLogin) -> SipCredentials {
        let password = Secret::new(login.password.expose().to_owned());
        let username = login.username.clone();
        self.account
            .seal_credentials(self.request.call, username, &password)
    }

    fn new_call(&self) -> NewCall {
        NewCall {
            sid: self.request.call,
            from: self.request.from.clone(),
            to: self.request.to.clone(),
            direction: Direction::OutboundDial,
            parent: Some(self.parent_sid),
            flow: self.story.flow.clone(),
            ring_timeout_s: Some(self.ring_timeout),
            settings: self.story.settings.clone(),
            orders: CallOrders {
                credentials: self.login.as_ref().map(|login| self.sealed(login)),
                ..CallOrders::default()
            },
            callback: self.callback.clone(),
            notification: None,
            created_unix_ms: clock::unix_ms(),
        }
    }
}
