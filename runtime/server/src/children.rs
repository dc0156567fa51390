//! Calls that a call's story dials. Each has an actor of its own: here is how the two actors reach each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use call::{
    Call, CallCallback, CallInfo, CallSid, CallStatus, ChildCall, ChildEnd, ChildId, ChildNews,
    DetectionRequest, Direction, HangUpCause, Input, Limits, OutboundLeg, SipLogin, StoryFlow,
};
use dial::{CallRequest, NotNow};
use store::{
    CallOrders, Leg, NewCall, QueueTerms, Scope, Secret, SipCredentials, TrunkId, WebhookMethod,
};
use tokio::sync::mpsc::error::TrySendError;
use tracing::{Instrument, info};

use crate::call_actor::{Inbox, Message};
use crate::clock;
use crate::flows::Story;
use crate::outbound::{self, Origin};
use crate::services::Services;

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
        };
        tokio::spawn(placing.run().in_current_span());
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
            Some(Way::Placed(inbox)) => hand_over(inbox, message),
            None => {}
        }
    }
}

/// A message that must arrive. An inbox that is full is waited for elsewhere; one that is closed belongs to a call that is over.
fn hand_over(inbox: &Inbox, message: Message) {
    if let Err(TrySendError::Full(message)) = inbox.try_send(message) {
        let inbox = inbox.clone();
        tokio::spawn(async move {
            // As above.
            let _ = inbox.send(message).await;
        });
    }
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

/// A call on its way to its INVITE.
struct Placing {
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
}

impl Placing {
    async fn run(self) {
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
                self.parent.tell(ChildNews::Ended(ChildEnd {
                    status: CallStatus::Failed,
                    call_sid: None,
                    duration_s: 0,
                    sip_status: None,
                    reason: format!("{error:#}"),
                }));
            }
        }
    }

    /// The call is on disk before its INVITE leaves.
    async fn place(&self) -> anyhow::Result<Inbox> {
        let services = &self.services;
        anyhow::ensure!(
            services.live.has_room(services.limits.max_calls),
            "this host has no room for another call"
        );
        let trunk = self.begin().await?;
        let directory = services.store.directory();
        let trunk = directory.trunk(&trunk).context("the trunk is gone")?;
        let stops = services.trunks.route(directory.realm(trunk), trunk).await?;
        let sip_call_id = outbound::call_id();
        let leg = Leg {
            trunk: trunk.id.clone(),
            sip_call_id: sip_call_id.clone(),
        };
        let row = services
            .store
            .begin_dialled(Scope::of_host(self.account.sid), self.new_call(), leg)
            .await?;
        services.callbacks.look();
        let origin = Origin::Story(self.parent.clone());
        let dialled = outbound::dial(
            services,
            &self.account,
            trunk,
            &stops,
            &row,
            sip_call_id,
            origin,
        );
        if let Err(error) = &dialled {
            outbound::end(services, row.sid, CallStatus::Failed, format!("{error:#}")).await;
        }
        dialled
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
