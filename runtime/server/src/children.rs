//! Calls that a call's story dials. Each has an actor of its own: here is how the two actors reach each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use call::{
    Call, CallCallback, CallInfo, CallSid, CallStatus, ChildCall, ChildEnd, ChildId, ChildNews,
    DetectionRequest, Direction, HangUpCause, Input, Limits, OutboundLeg, SipLogin, StoryFlow,
};
use dial::{CallRequest, NotNow, PlannedAttempt};
use store::{
    CallOrders, CallRow, FailedAttempt, Leg, NewCall, QueueTerms, RoutedBy, Scope, Secret,
    SipCredentials, TrunkId, WebhookMethod,
};
use tokio::sync::mpsc::error::TrySendError;
use tracing::{Instrument, info};

use crate::call_actor::{Inbox, Message};
use crate::clock;
use crate::flows::Story;
use crate::outbound::{self, Origin, StoryPlan};
use crate::services::Services;
use crate::trunks::NoRoute;

/// The way from a dialled call to the one whose story dialled it.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    /// What it calls this call.
    child: ChildId,
    inbox: Inbox,
    time_limit: Option<Duration>,
    /// It has a story that is told before the two are joined.
    whispers: bool,
    /// What is to be known of who answers.
    detection: Option<DetectionRequest>,
}

impl Parent {
    /// The way for a call that is about to be placed to the owner of this inbox.
    pub(crate) fn new(child: ChildId, inbox: Inbox, call: &ChildCall) -> Self {
        let seconds = |limit: u32| Duration::from_secs(limit.into());
        Self {
            child,
            inbox,
            time_limit: call.time_limit_s.map(seconds),
            whispers: call.target.whisper.is_some(),
            detection: call.target.detection.clone(),
        }
    }

    /// The dialled call, on its leg.
    pub(crate) fn dialled(&self, sid: CallSid, leg: OutboundLeg, account: Limits) -> Call {
        let mut call = Call::dialled(sid, leg, self.limits(account), self.whispers);
        if let Some(request) = &self.detection {
            call.detect_at_answer(request.clone());
        }
        call
    }

    /// The limits of the dialled call. The account's fallback knows nothing of whispers.
    fn limits(&self, account: Limits) -> Limits {
        let longest = account.max_duration;
        Limits {
            max_duration: self.time_limit.map_or(longest, |limit| limit.min(longest)),
            has_fallback: false,
            ..account
        }
    }

    /// Hands news over. Who is gone needs none.
    pub(crate) fn tell(&self, news: ChildNews) {
        let message = Message::Input(Input::Child(self.child, news));
        hand_over(&self.inbox, message);
    }

    /// Resolves when the parent's actor is no more; never for a call without a parent.
    pub(crate) async fn gone(this: Option<&Self>) {
        match this {
            Some(parent) => parent.inbox.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// The calls that one call's story dialled.
#[derive(Debug, Default)]
pub(crate) struct Children {
    ways: HashMap<ChildId, Way>,
}

/// The way to one of them.
#[derive(Debug)]
enum Way {
    /// Its actor is not started yet; this is for it when it is.
    Placing(Vec<Message>),
    Placed(Inbox),
}

impl Children {
    /// Calls somebody. What becomes of it, or why nothing does, comes to the parent.
    pub(crate) fn place(
        &mut self,
        services: &Arc<Services>,
        info: &CallInfo,
        account: &Arc<store::Account>,
        story: &Story,
        parent: Parent,
        call: ChildCall,
    ) {
        let whisper = call.target.whisper;
        self.ways.insert(parent.child, Way::Placing(Vec::new()));
        let placing = Placing {
            services: Arc::clone(services),
            request: CallRequest {
                terms: QueueTerms::default(),
                tried: Vec::new(),
                plan: None,
                call: store::random_call_sid(),
                account: account.sid,
                from: call
                    .caller_id
                    .unwrap_or_else(|| own_number(info).to_owned()),
                to: call.target.to,
            },
            account: Arc::clone(account),
            story: whisper.map_or_else(
                || without_settings(story),
                |whisper| told(whisper.story, whisper.settings),
            ),
            callback: call.target.callback,
            parent_sid: info.call_sid,
            ring_timeout: call.ring_timeout_s,
            login: call.login,
            parent,
            is_kept: false,
            failed: None,
        };
        tokio::spawn(Box::new(placing).run().in_current_span());
    }

    /// Its actor is started.
    pub(crate) fn placed(&mut self, child: ChildId, inbox: Inbox) {
        if let Some(Way::Placing(waiting)) = self.ways.insert(child, Way::Placed(inbox.clone())) {
            for message in waiting {
                hand_over(&inbox, message);
            }
        }
    }

    /// Tells one to end.
    pub(crate) fn hang_up(&mut self, child: ChildId) {
        self.send(child, Message::Input(Input::HangUp(HangUpCause::Local)));
    }

    /// Hands a message over; it waits where the actor is not started yet.
    pub(crate) fn send(&mut self, child: ChildId, message: Message) {
        match self.ways.get_mut(&child) {
            Some(Way::Placing(waiting)) => waiting.push(message),
            Some(way @ Way::Placed(_)) => way.hand_over(message),
            None => {}
        }
    }
}

impl Way {
    /// An actor that does not listen any more is over, or another one goes on with its call over another trunk: that one gets it.
    fn hand_over(&mut self, message: Message) {
        let Self::Placed(inbox) = self else { return };
        match inbox.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => wait_for_room(inbox.clone(), message),
            Err(TrySendError::Closed(message)) => *self = Self::Placing(vec![message]),
        }
    }
}

/// A message that must arrive. An inbox that is full is waited for elsewhere; one that is closed belongs to a call that is over.
fn hand_over(inbox: &Inbox, message: Message) {
    if let Err(TrySendError::Full(message)) = inbox.try_send(message) {
        wait_for_room(inbox.clone(), message);
    }
}

fn wait_for_room(inbox: Inbox, message: Message) {
    tokio::spawn(async move {
        // One that is closed belongs to a call that is over.
        let _ = inbox.send(message).await;
    });
}

/// The number on the account's side of a call.
fn own_number(info: &CallInfo) -> &str {
    match info.direction {
        Direction::Inbound => &info.callee,
        Direction::OutboundApi | Direction::OutboundDial => &info.caller,
    }
}

/// What a call without a story is noted under.
fn without_settings(story: &Story) -> Story {
    Story {
        flow: story.flow.clone(),
        settings: BTreeMap::new(),
    }
}

/// What a story asked for, as a call runs it.
pub(crate) fn told(story: StoryFlow, settings: Vec<(String, String)>) -> Story {
    let flow = match story {
        StoryFlow::Component(name) => store::Flow::Component(name),
        StoryFlow::Twiml(document) => store::Flow::Twiml(document),
        StoryFlow::VoiceUrl(url) => store::Flow::VoiceUrl {
            url: url.url,
            method: WebhookMethod::of(url.method),
        },
    };
    Story {
        flow,
        settings: settings.into_iter().collect(),
    }
}

/// A call on its way to its INVITE, and to the next one where that came to nothing.
#[derive(Clone)]
pub(crate) struct Placing {
    services: Arc<Services>,
    request: CallRequest,
    account: Arc<store::Account>,
    /// Its own; without one that of the parent, which it does not run.
    story: Story,
    parent_sid: CallSid,
    ring_timeout: u32,
    login: Option<SipLogin>,
    callback: Option<CallCallback>,
    parent: Parent,
    /// It is on disk.
    is_kept: bool,
    /// What came of the attempt before, which is still to be written down.
    failed: Option<FailedAttempt>,
}

impl Placing {
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
    pub(crate) fn again(mut self: Box<Self>, failed: FailedAttempt) {
        info!(call.sid = %self.request.call, trunk = %failed.trunk, "goes over another trunk: {}", failed.reason);
        self.request.tried.push(failed.trunk.clone());
        self.failed = Some(failed);
        tokio::spawn(self.run().in_current_span());
    }

    async fn run(mut self: Box<Self>) {
        let sid = self.request.call;
        match self.place().await {
            Ok(inbox) => {
                let placed = Message::Placed(self.parent.child, inbox.clone());
                if self.parent.inbox.send(placed).await.is_err() {
                    // The caller is gone meanwhile.
                    hand_over(&inbox, Message::Input(Input::HangUp(HangUpCause::Local)));
                }
            }
            Err(error) => {
                info!(call.sid = %sid, "not dialled: {error:#}");
                self.services.outbound.ended(sid);
                // What the attempt before came to is why there was another.
                let (sip_status, reason) = match &self.failed {
                    Some(failed) => {
                        let reason = format!("{}; over no other trunk: {error:#}", failed.reason);
                        (failed.sip_status, reason)
                    }
                    None => (None, format!("{error:#}")),
                };
                if self.is_kept {
                    let status = CallStatus::Failed;
                    outbound::end(&self.services, sid, status, reason.clone()).await;
                }
                self.parent.tell(ChildNews::Ended(ChildEnd {
                    status: CallStatus::Failed,
                    call_sid: self.is_kept.then_some(sid),
                    duration_s: 0,
                    sip_status,
                    reason,
                }));
            }
        }
    }

    /// Tries one trunk after another until an INVITE leaves. The call is on disk before.
    async fn place(&mut self) -> anyhow::Result<Inbox> {
        anyhow::ensure!(
            self.services.live.has_room(self.services.limits.max_calls),
            "this host has no room for another call"
        );
        let mut routed = match self.request.plan {
            None => self.ask_policy().await?,
            Some(_) => None,
        };
        loop {
            let trunk = self.begin().await?;
            let error = match self.dial_over(&trunk, &mut routed).await {
                Ok(inbox) => return Ok(inbox),
                Err(error) => error,
            };
            self.request.tried.push(trunk.clone());
            if !error.is::<NoRoute>() || !self.services.outbound.has_way(&self.request) {
                return Err(error);
            }
            self.services.outbound.ended(self.request.call);
            self.failed = Some(FailedAttempt {
                trunk,
                sip_status: None,
                reason: format!("{error:#}"),
            });
        }
    }

    /// Asks the account's routing policy, which may let the call wait for as long as it might ring.
    async fn ask_policy(&mut self) -> anyhow::Result<Option<RoutedBy>> {
        let services = Arc::clone(&self.services);
        let gives_up = clock::unix_ms() + 1_000 * u64::from(self.ring_timeout);
        loop {
            match services
                .outbound
                .plan_for_story(&services, &self.request)
                .await
            {
                None => return Ok(None),
                Some(StoryPlan::Go { plan, routed }) => {
                    self.request.plan = Some(plan);
                    return Ok(Some(routed));
                }
                Some(StoryPlan::Wait { until_unix_ms, why }) => {
                    anyhow::ensure!(until_unix_ms < gives_up, why);
                    let wait = until_unix_ms.saturating_sub(clock::unix_ms());
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                Some(StoryPlan::Refuse(why)) => anyhow::bail!(why),
            }
        }
    }

    /// Writes the attempt down, then lets the INVITE leave.
    async fn dial_over(
        &mut self,
        trunk: &TrunkId,
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
        let mut row = self.keep(leg).await?;
        if let Some(routed) = routed.take() {
            let noted = services.store.note_route(row.sid, routed, clock::unix_ms());
            noted.await?;
        }
        services.callbacks.look();
        let stops = services.trunks.route(directory.realm(trunk), trunk).await?;
        let planned = self.request.planned(&trunk.id);
        let planned = planned.unwrap_or_else(|| PlannedAttempt::over(trunk.id.clone()));
        row.orders.caller_id = planned.caller_id.or(row.orders.caller_id);
        row.ring_timeout_s = planned.ring_timeout_s.or(row.ring_timeout_s);
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

    /// The call as it is on disk, with its next attempt.
    async fn keep(&mut self, leg: Leg) -> anyhow::Result<CallRow> {
        let store = &self.services.store;
        let (sid, at) = (self.request.call, clock::unix_ms());
        let row = match self.failed.take() {
            Some(failed) => store.dial_again(sid, failed, leg, at).await?,
            None => {
                let scope = Scope::of_host(self.account.sid);
                store.begin_dialled(scope, self.new_call(), leg).await?
            }
        };
        self.is_kept = true;
        Ok(row)
    }

    /// Takes a channel. Where too many calls begin in a second its turn is waited for, as long as it might ring.
    async fn begin(&self) -> Result<TrunkId, NotNow> {
        let gives_up = Instant::now() + Duration::from_secs(self.ring_timeout.into());
        loop {
            match self.services.outbound.begin_now(&self.request) {
                Err(NotNow::NotBefore(at)) if at < gives_up => {
                    tokio::time::sleep_until(at.into()).await;
                }
                begun => return begun,
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
            created_unix_ms: clock::unix_ms(),
        }
    }
}
