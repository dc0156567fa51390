//! A call that another call's story dials, and the story that it hears alone before the two are joined.

use std::time::{Duration, Instant};

use super::{Call, Limits};
use crate::leg::OutboundLeg;
use crate::{
    CallError, CallRecord, CallSid, CallStatus, ChildEnd, ChildNews, Command, Effect, StoryChoice,
};
use crate::{DetectionRequest, StartRecording};

/// Such a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialled {
    /// Its own.
    sid: CallSid,
    /// Its story is still to be told, or to end.
    whispers: bool,
    /// How long it may be joined to the one who dialled.
    pub(super) time_limit: Option<Duration>,
    /// Its other side asked that the caller be sent on, and hears what becomes of that.
    pub(super) asks: bool,
}

impl Dialled {
    pub(super) const fn new(sid: CallSid, whispers: bool) -> Self {
        Self {
            sid,
            whispers,
            time_limit: None,
            asks: false,
        }
    }

    /// Its own SID.
    pub(super) const fn sid(self) -> CallSid {
        self.sid
    }
}

impl Call {
    /// A call with this SID that another call's story dials. It tells its parent what becomes of it. With `whispers` it has a story, told
    /// when it is answered: the parent hears of the answer when that has returned.
    #[must_use]
    pub fn dialled(sid: CallSid, leg: OutboundLeg, limits: Limits, whispers: bool) -> Self {
        Self {
            dialled: Some(Dialled::new(sid, whispers)),
            ..Self::outbound(leg, limits)
        }
    }

    /// The conversation with the one who dialled lasts no longer than this.
    pub fn limit_conversation(&mut self, longest: Duration) {
        if let Some(dialled) = &mut self.dialled {
            dialled.time_limit = Some(longest);
        }
    }

    /// Is recorded from its answer on.
    pub fn record_at_answer(&mut self, start: StartRecording) {
        self.record_at_answer = Some(start);
    }

    /// Listens for who answers, once somebody does.
    pub fn detect_at_answer(&mut self, request: DetectionRequest) {
        self.detect_at_answer = Some(request);
    }

    /// Its story is a whisper, not over yet.
    pub(super) fn whispers(&self) -> bool {
        self.dialled.is_some_and(|dialled| dialled.whispers)
    }

    /// Media flows.
    pub(super) fn begin_story(&mut self) {
        if let Some(start) = self.record_at_answer.take() {
            // It was checked with the order for the call.
            let _ = self.start_recording(start);
        }
        if let Some(request) = self.detect_at_answer.clone() {
            // It was checked with the order to dial.
            let _ = self.detect_machine(request);
        }
        match self.dialled {
            None => self.start_story(StoryChoice::Flow),
            Some(Dialled { whispers: true, .. }) => {
                self.emit(Effect::TellParent(ChildNews::Whispering));
                self.start_story(StoryChoice::Flow);
            }
            Some(Dialled { sid, .. }) => self.emit(Effect::TellParent(ChildNews::Answered(sid))),
        }
    }

    /// The whisper was heard: what it left behind is taken away, and the conversation begins, with its whole time.
    pub(super) fn put_through(&mut self, now: Instant) {
        let Some(dialled) = &mut self.dialled else {
            return;
        };
        dialled.whispers = false;
        let sid = dialled.sid;
        self.silence();
        self.deadline = Some(now + self.longest());
        self.emit(Effect::TellParent(ChildNews::Answered(sid)));
    }

    /// Who answered and was not put through has not answered for the one who dialled.
    pub(super) fn tell_parent_of_end(&mut self, record: &CallRecord) {
        let Some(dialled) = self.dialled else { return };
        let is_missed = dialled.whispers && record.status == CallStatus::Completed;
        let end = ChildEnd {
            status: match is_missed {
                true => CallStatus::NoAnswer,
                false => record.status,
            },
            call_sid: Some(dialled.sid),
            duration_s: if is_missed { 0 } else { record.duration_s },
            sip_status: record.sip_status,
            reason: match is_missed {
                true => format!("not put through: {}", record.end_reason),
                false => record.end_reason.clone(),
            },
        };
        if let Some(signalled) = self.signalled.take() {
            let news = ChildNews::Signalled(dialled.sid, signalled);
            self.emit(Effect::TellParent(news));
        }
        self.emit(Effect::TellParent(ChildNews::Ended(end)));
    }

    /// Whom it is to be joined to is known: a whisper joins nobody else.
    pub(super) fn check_whisper(&self, command: &Command) -> Result<(), CallError> {
        match self.dialled {
            Some(_) => command.check_whispered(),
            None => Ok(()),
        }
    }
}

impl Command {
    /// Whether a story may give it that somebody hears alone, before they are joined to somebody else.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] for what would join them to others.
    pub fn check_whispered(&self) -> Result<(), CallError> {
        let joins = matches!(
            self,
            Self::Dial(_) | Self::DialWith { .. } | Self::Conference(_) | Self::Queue(_)
        );
        if joins {
            let what = "a whisper dials nobody, and joins no conference and no queue: return to be joined to the caller";
            return Err(CallError::InvalidArgument(what.to_owned()));
        }
        Ok(())
    }
}
