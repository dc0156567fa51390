//! Calls that the story dials: who is being called, and who is joined to this call.
//!
//! Each is a call of its own; here it is a number and its news. The first to answer is joined, the others are ended. Whoever is
//! told to end is reckoned with until it says that it has.

use std::time::Instant;

use media::RingTone;

use super::{Call, State};
use crate::login::check_terms;
use crate::{
    CallError, CallSid, CallStatus, ChildCall, ChildEnd, ChildId, ChildNews, DialEnd, DialId,
    DialRequest, Effect, Event, Reply, Signalled, StoryFlow, TargetTerms,
};

/// Targets of one dial (Twilio error 13250).
const MAX_TARGETS: usize = 10;
/// Seconds that one may ring.
const MAX_RING_S: u32 = 600;
/// Bytes of a story's document and settings.
const MAX_STORY_BYTES: usize = 64 * 1024;
/// Seconds that a conversation may last.
const MAX_TIME_S: u32 = 86_400;

/// A dial that is under way.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) id: DialId,
    request: DialRequest,
    /// Of the targets, in their order.
    terms: Vec<TargetTerms>,
    /// How many targets were called.
    called: usize,
    /// Those that have not ended.
    children: Vec<ChildId>,
    /// The one whose leg is joined to ours.
    pub(super) joined: Option<ChildId>,
    /// Since when somebody is on the line.
    answered_at: Option<Instant>,
    /// Whoever answers may ask that the caller be sent on.
    pub(super) takes_transfers: bool,
    /// The caller may ask that whoever answers be sent on.
    pub(super) takes_own_transfers: bool,
    /// The call of whoever answered.
    pub(super) callee: Option<CallSid>,
    /// What passed in SIP with those that have ended.
    signalled: Vec<(CallSid, Signalled)>,
    is_stopped: bool,
    ring_tone: RingTone,
    /// How those ended that were not answered: the one that got furthest.
    furthest: Option<ChildEnd>,
}

impl Dial {
    /// Somebody has answered.
    pub(super) const fn is_answered(&self) -> bool {
        self.answered_at.is_some()
    }

    /// Seconds since then, rounded up.
    pub(super) fn talked_s(&self, now: Instant) -> u32 {
        let talked = self.answered_at.map(|at| now.duration_since(at));
        let seconds = talked.unwrap_or_default().as_millis().div_ceil(1_000);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

impl Call {
    pub(super) fn dial(
        &mut self,
        request: DialRequest,
        terms: Vec<TargetTerms>,
    ) -> Result<Reply, CallError> {
        let waits = self.state == State::Incoming && request.answer_on_bridge;
        if self.state != State::Up && !waits {
            return Err(CallError::NotAnswered);
        }
        if self.dial.is_some() {
            return Err(CallError::LimitReached("one dial at a time".to_owned()));
        }
        if self.is_in_room() {
            let message = "the call is in a conference or at a queue: leave it first";
            return Err(CallError::InvalidArgument(message.to_owned()));
        }
        let ring_tone = check(&request)?;
        check_terms(&request, &terms)?;
        self.last_dial += 1;
        let id = DialId(self.last_dial);
        let at_once = if request.in_turn {
            1
        } else {
            request.targets.len()
        };
        // Who heard it ring would hear it again if the story began anew.
        self.story.heard = true;
        self.dial = Some(Dial {
            id,
            request,
            terms,
            called: 0,
            children: Vec::new(),
            joined: None,
            answered_at: None,
            takes_transfers: false,
            takes_own_transfers: false,
            callee: None,
            signalled: Vec::new(),
            is_stopped: false,
            ring_tone,
            furthest: None,
        });
        for _ in 0..at_once {
            self.call_next_target();
        }
        self.ring();
        Ok(Reply::Dial(id))
    }

    pub(super) fn stop_dial(&mut self, id: DialId) -> Result<Reply, CallError> {
        let dial = self.dial.as_mut().filter(|dial| dial.id == id);
        let dial = dial.ok_or(CallError::UnknownId)?;
        dial.is_stopped = true;
        for child in dial.children.clone() {
            self.emit(Effect::HangUpChild(child));
        }
        Ok(Reply::Done)
    }

    /// What a dialled call tells. One that is not reckoned with any more was told to end.
    pub(super) fn child_news(&mut self, now: Instant, child: ChildId, news: ChildNews) {
        self.who_asked_is_gone(child, &news);
        let dial = self.dial.as_ref();
        if dial.is_none_or(|dial| !dial.children.contains(&child)) {
            return;
        }
        match news {
            ChildNews::EarlyMedia => self.child_is_heard(child),
            ChildNews::Whispering => self.child_whispers(child),
            ChildNews::Answered(sid) => self.child_answered(now, child, sid),
            ChildNews::Transfers(asked) => self.child_transfers(now, child, asked),
            ChildNews::Signalled(sid, signalled) => self.child_signalled(sid, signalled),
            ChildNews::Ended(end) => self.child_ended(child, end),
        }
    }

    /// A `*` that ends the conversation; any other key is the story's.
    pub(super) fn ends_dial(&mut self, digit: char) -> bool {
        let Some(dial) = self.dial.as_ref().filter(|dial| dial.is_answered()) else {
            return false;
        };
        let ends = digit == '*' && dial.request.hang_up_on_star;
        if let Some(child) = dial.joined.filter(|_| ends) {
            self.emit(Effect::HangUpChild(child));
        }
        ends
    }

    /// Nobody waits for the dial any more: those who were called are ended.
    pub(super) fn drop_dial(&mut self) {
        self.forget_transfer();
        let Some(dial) = self.dial.take() else {
            return;
        };
        self.refuse_refers(&dial);
        for child in dial.children {
            self.emit(Effect::HangUpChild(child));
        }
        if dial.joined.is_some() {
            self.emit(Effect::Unbridge);
        } else {
            self.emit(Effect::RingBack(None));
        }
    }

    fn call_next_target(&mut self) {
        let Some(dial) = &mut self.dial else { return };
        let Some(target) = dial.request.targets.get(dial.called) else {
            return;
        };
        let terms = dial.terms.get(dial.called);
        let call = ChildCall {
            login: terms.and_then(|terms| terms.login.clone()),
            target: target.clone(),
            caller_id: dial.request.caller_id.clone(),
            ring_timeout_s: dial.request.ring_timeout_s,
            time_limit_s: dial.request.time_limit_s,
        };
        dial.called += 1;
        self.last_child += 1;
        let child = ChildId(self.last_child);
        dial.children.push(child);
        self.emit(Effect::PlaceChild(child, call));
    }

    /// Before its answer only a single one is heard: of several, nobody knows who will answer.
    fn child_is_heard(&mut self, child: ChildId) {
        let is_up = self.state == State::Up;
        let Some(dial) = &mut self.dial else { return };
        if is_up && dial.joined.is_none() && dial.children == [child] && !dial.is_stopped {
            dial.joined = Some(child);
            self.emit(Effect::RingBack(None));
            self.emit(Effect::Bridge(child));
        }
    }

    /// What it hears now is not for the caller, who was heard by it before its answer.
    fn child_whispers(&mut self, child: ChildId) {
        let Some(dial) = &mut self.dial else { return };
        if dial.joined == Some(child) {
            dial.joined = None;
            self.emit(Effect::Unbridge);
            self.ring();
        }
    }

    fn child_answered(&mut self, now: Instant, child: ChildId, sid: CallSid) {
        let Some(dial) = &mut self.dial else { return };
        if dial.is_answered() || dial.is_stopped {
            return self.emit(Effect::HangUpChild(child));
        }
        dial.answered_at = Some(now);
        dial.callee = Some(sid);
        let (id, takes_transfers) = (dial.id, dial.takes_transfers);
        let takes_own = dial.takes_own_transfers;
        let is_heard = dial.joined.replace(child) == Some(child);
        let others: Vec<ChildId> = dial.children.clone();
        for other in others.into_iter().filter(|other| *other != child) {
            self.emit(Effect::HangUpChild(other));
        }
        if self.state == State::Incoming {
            self.answer(now);
        }
        if !is_heard {
            self.emit(Effect::RingBack(None));
            self.emit(Effect::Bridge(child));
        }
        if takes_transfers {
            self.emit(Effect::TakeTransfer(child));
        }
        if takes_own {
            self.take_refer();
        }
        self.tell(Event::DialAnswered(id, sid));
    }

    /// One that goes over another trunk tells it again.
    fn child_signalled(&mut self, sid: CallSid, signalled: Signalled) {
        if let Some(dial) = &mut self.dial {
            dial.signalled.retain(|(known, _)| *known != sid);
            dial.signalled.push((sid, signalled));
        }
    }

    fn child_ended(&mut self, child: ChildId, end: ChildEnd) {
        let Some(dial) = &mut self.dial else { return };
        dial.children.retain(|other| *other != child);
        let was_joined = dial.joined == Some(child);
        if was_joined {
            dial.joined = None;
            self.emit(Effect::Unbridge);
        }
        let Some(dial) = &mut self.dial else { return };
        if dial.is_answered() {
            if was_joined {
                self.dial_over(end);
            }
            return;
        }
        let furthest = dial.furthest.take();
        dial.furthest = Some(match furthest {
            Some(before) if rank(before.status) >= rank(end.status) => before,
            _ => end,
        });
        if !dial.is_stopped && dial.children.is_empty() {
            self.call_next_target();
            if was_joined {
                self.ring();
            }
        }
        if let Some(dial) = &mut self.dial
            && dial.children.is_empty()
            && let Some(mut end) = dial.furthest.take()
        {
            if dial.is_stopped {
                // Its answer may have crossed our wish; nobody was joined to it.
                end.status = CallStatus::Canceled;
                end.duration_s = 0;
            }
            self.emit(Effect::RingBack(None));
            self.dial_over(end);
        }
    }

    fn dial_over(&mut self, end: DialEnd) {
        if let Some(dial) = self.dial.take() {
            self.refuse_refers(&dial);
            // Those that lost the race and have not said yet that they ended are not waited for.
            let mut signalled = dial.signalled.into_iter();
            let by = signalled.find(|(sid, _)| end.call_sid == Some(*sid));
            self.tell(match by {
                Some((_, signalled)) => Event::DialEndedBy(dial.id, end, signalled),
                None => Event::DialEnded(dial.id, end),
            });
        }
    }

    /// Somebody who is on the line hears it ring, unless the other side is heard itself.
    pub(super) fn ring(&mut self) {
        let Some(dial) = &self.dial else { return };
        let rings = self.state == State::Up && dial.joined.is_none() && !dial.children.is_empty();
        if rings {
            let tone = dial.ring_tone;
            self.emit(Effect::RingBack(Some(tone)));
        }
    }
}

/// How far one got: who rang in vain got further than who was busy.
const fn rank(status: CallStatus) -> u8 {
    match status {
        CallStatus::NoAnswer => 3,
        CallStatus::Busy => 2,
        CallStatus::Canceled => 1,
        _ => 0,
    }
}

/// Whether a story of this call, or a whisper, can be begun; `whose` names it.
pub(super) fn check_story(
    whose: &str,
    story: &StoryFlow,
    settings: &[(String, String)],
) -> Result<(), CallError> {
    let invalid = |what| Err(CallError::InvalidArgument(what));
    let document = match story {
        StoryFlow::VoiceUrl(url) => match url.check() {
            Ok(()) => 0,
            Err(_) => {
                return invalid(format!(
                    "{whose} has a document whose URL begins with http:// or https://, for a GET or a POST"
                ));
            }
        },
        StoryFlow::Twiml(document) => document.len(),
        StoryFlow::Component(name) if name.is_empty() => {
            return invalid(format!("{whose} is a component without a name"));
        }
        StoryFlow::Component(_) => 0,
    };
    let settings = settings.iter();
    let settings: usize = settings.map(|(name, value)| name.len() + value.len()).sum();
    let bytes = document + settings;
    if bytes > MAX_STORY_BYTES {
        return invalid(format!(
            "{whose} has {bytes} bytes of document and settings: give {MAX_STORY_BYTES} at most"
        ));
    }
    Ok(())
}

/// The tone of the ringing.
fn check(request: &DialRequest) -> Result<RingTone, CallError> {
    let invalid = |what| Err(CallError::InvalidArgument(what));
    let targets = request.targets.len();
    if !(1..=MAX_TARGETS).contains(&targets) {
        return invalid(format!("{targets} targets: give 1 to {MAX_TARGETS}"));
    }
    let seconds = request.ring_timeout_s;
    if !(1..=MAX_RING_S).contains(&seconds) {
        return invalid(format!(
            "ring-timeout-s is {seconds}: give 1 to {MAX_RING_S}"
        ));
    }
    if let Some(seconds) = request.time_limit_s
        && !(1..=MAX_TIME_S).contains(&seconds)
    {
        return invalid(format!("time-limit-s is {seconds}: give 1 to {MAX_TIME_S}"));
    }
    for whisper in request
        .targets
        .iter()
        .filter_map(|target| target.whisper.as_ref())
    {
        check_story("a whisper", &whisper.story, &whisper.settings)?;
    }
    for target in &request.targets {
        let callback = target.callback.iter().try_for_each(|told| told.check());
        let detection = target.detection.iter().try_for_each(|asked| asked.check());
        callback
            .and(detection)
            .map_err(CallError::InvalidArgument)?;
    }
    match request.ring_tone.as_deref() {
        None => Ok(RingTone::default()),
        Some(name) => RingTone::of(name).map_or_else(
            || {
                invalid(format!(
                    "{name:?} is no ring tone: give one of {}",
                    RingTone::names()
                ))
            },
            Ok,
        ),
    }
}
