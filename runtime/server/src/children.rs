//! Calls that a call's story dials. Each has an actor of its own: here is how the two actors reach each other.

mod end_order;
mod placing;

pub(crate) use end_order::{EndOrder, Unwanted};
pub(crate) use placing::Placing;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use call::{
    Call, CallInfo, CallRecord, CallSid, ChildCall, ChildEnd, ChildId, ChildNews, DetectionRequest,
    Direction, HangUpCause, Input, Limits, OutboundLeg, StoryFlow,
};
use store::WebhookMethod;
use tokio::sync::mpsc::error::TrySendError;

use crate::call_actor::{Inbox, Message};
use crate::flows::Story;
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
        let mut call = Call::dialled(sid, leg, account, self.whispers);
        if let Some(longest) = self.time_limit {
            call.limit_conversation(longest);
        }
        if let Some(request) = &self.detection {
            call.detect_at_answer(request.clone());
        }
        call
    }

    /// Says where the actor of the call is reached, which ends where nobody is there any more.
    pub(crate) async fn placed(&self, inbox: Inbox) {
        let placed = Message::Placed(self.child, inbox.clone());
        if self.inbox.send(placed).await.is_err() {
            hand_over(&inbox, Message::Input(Input::HangUp(HangUpCause::Local)));
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

/// What a parent hears of the end of a call that it dialled. `sid`: none where the call came to no row.
pub(crate) fn ended(sid: Option<CallSid>, record: &CallRecord) -> ChildNews {
    ChildNews::Ended(ChildEnd {
        status: record.status,
        call_sid: sid,
        duration_s: record.duration_s,
        sip_status: record.sip_status,
        reason: record.end_reason.clone(),
    })
}

/// The calls that one call's story dialled.
#[derive(Debug, Default)]
pub(crate) struct Children {
    all: HashMap<ChildId, Child>,
}

/// One of them.
#[derive(Debug)]
struct Child {
    /// Whoever places it looks here, however many trunks it is tried over.
    end: EndOrder,
    way: Way,
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
        let end = self.expect(&parent);
        Placing::new(services, info, account, story, (parent, end), call).start();
    }

    /// A call is about to be placed: what is for it waits. The order to end it, should it come first.
    pub(crate) fn expect(&mut self, parent: &Parent) -> EndOrder {
        let end = EndOrder::default();
        let child = Child {
            end: end.clone(),
            way: Way::Placing(Vec::new()),
        };
        self.all.insert(parent.child, child);
        end
    }

    /// Its actor is started. It hears what was said before that, also that nobody wants the call any more.
    pub(crate) fn placed(&mut self, child: ChildId, inbox: Inbox) {
        let Some(child) = self.all.get_mut(&child) else {
            return;
        };
        let before = std::mem::replace(&mut child.way, Way::Placed(inbox.clone()));
        if let Way::Placing(waiting) = before {
            for message in waiting {
                hand_over(&inbox, message);
            }
        }
        if let Some(cause) = child.end.given() {
            hand_over(&inbox, Message::Input(Input::HangUp(cause)));
        }
    }

    /// Tells one to end, wherever it is: with its actor, or on its way to one.
    pub(crate) fn hang_up(&mut self, child: ChildId) {
        let Some(child) = self.all.get_mut(&child) else {
            return;
        };
        child.end.give(HangUpCause::Local);
        if let Way::Placed(inbox) = &child.way {
            hand_over(inbox, Message::Input(Input::HangUp(HangUpCause::Local)));
        }
    }

    /// Hands a message over; it waits where the actor is not started yet.
    pub(crate) fn send(&mut self, child: ChildId, message: Message) {
        match self.all.get_mut(&child).map(|child| &mut child.way) {
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
pub(crate) fn hand_over(inbox: &Inbox, message: Message) {
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
pub(crate) fn own_number(info: &CallInfo) -> &str {
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
