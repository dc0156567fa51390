//! Those whom a story dials.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{CallSid, CallStatus, ChildCall, ChildEnd, ChildId, ChildNews};

/// How long it takes to hear that somebody is busy.
const BUSY_AFTER: Duration = Duration::from_secs(1);

/// What somebody does when a story dials them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callee {
    answers_after: Option<Duration>,
    talks_for: Option<Duration>,
    listens_for: Duration,
    declines: bool,
    is_busy: bool,
}

impl Callee {
    /// [`Self::never`], to be pointed at.
    pub(crate) const RINGS: Self = Self::never();

    /// Answers after so long, and talks until the caller or a limit ends it.
    #[must_use]
    pub const fn answers(after: Duration) -> Self {
        Self {
            answers_after: Some(after),
            ..Self::never()
        }
    }

    /// Hangs up so long after the answer.
    #[must_use]
    pub const fn talks_for(mut self, time: Duration) -> Self {
        self.talks_for = Some(time);
        self
    }

    /// A whisper to them takes so long. Two seconds, where nothing is said.
    #[must_use]
    pub const fn listens_for(mut self, time: Duration) -> Self {
        self.listens_for = time;
        self
    }

    /// A whisper to them ends with a hang-up.
    #[must_use]
    pub const fn declines(mut self) -> Self {
        self.declines = true;
        self
    }

    /// Is busy, as one hears after a second.
    #[must_use]
    pub const fn busy() -> Self {
        Self {
            is_busy: true,
            ..Self::never()
        }
    }

    /// Rings and never answers.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            answers_after: None,
            talks_for: None,
            listens_for: Duration::from_secs(2),
            declines: false,
            is_busy: false,
        }
    }
}

impl Callee {
    /// The call that it takes then, after a whisper if there is one.
    fn taking(&self, at: Duration, call: &ChildCall) -> Call {
        let whispered_at = call.target.whisper.as_ref().map(|_| at);
        let joined_at = match whispered_at {
            Some(at) => at + self.listens_for,
            None => at,
        };
        if whispered_at.is_some() && self.declines {
            return Call {
                whispered_at,
                ends_at: Some((joined_at, CallStatus::NoAnswer)),
                ..Call::default()
            };
        }
        let talk = self.talks_for.into_iter().chain(limit_of(call)).min();
        Call {
            whispered_at,
            answers_at: Some(joined_at),
            ends_at: talk.map(|talk| (joined_at + talk, CallStatus::Completed)),
            ..Call::default()
        }
    }
}

/// What a callee does at a step of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalleeDoes {
    Answers,
    IsBusy,
    HangsUp,
}

impl CalleeDoes {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::IsBusy => "is busy",
            Self::HangsUp => "hangs up",
        }
    }
}

/// The calls that are dialled, in virtual time since the call's beginning.
#[derive(Debug, Default)]
pub(crate) struct Callees {
    calls: BTreeMap<ChildId, Call>,
}

#[derive(Debug, Default)]
struct Call {
    /// None once it is told, or where nothing is whispered.
    whispered_at: Option<Duration>,
    to: String,
    /// From the answer on.
    limit: Option<Duration>,
    /// How long it listens to a whisper, where there is one.
    listens: Option<Duration>,
    /// None once it is told.
    answers_at: Option<Duration>,
    /// When it ends, and with what.
    ends_at: Option<(Duration, CallStatus)>,
    answered_at: Option<Duration>,
}

impl Callees {
    /// Somebody is called. Who is not in the script cannot be reached.
    pub(crate) fn place(
        &mut self,
        now: Duration,
        child: ChildId,
        call: &ChildCall,
        callee: Option<&Callee>,
    ) {
        let limit = limit_of(call);
        let target = &call.target;
        let listens = callee.filter(|_| target.whisper.is_some());
        let listens = listens.map(|callee| callee.listens_for);
        let gives_up = now + Duration::from_secs(call.ring_timeout_s.into());
        let never = |at, status| Call {
            ends_at: Some((at, status)),
            ..Call::default()
        };
        let call = match callee {
            None => never(now, CallStatus::Failed),
            Some(callee) if callee.is_busy => never(now + BUSY_AFTER, CallStatus::Busy),
            Some(callee) => match callee.answers_after.map(|after| now + after) {
                Some(at) if at <= gives_up => callee.taking(at, call),
                _ => never(gives_up, CallStatus::NoAnswer),
            },
        };
        let call = Call {
            to: target.to.clone(),
            limit,
            listens,
            ..call
        };
        self.calls.insert(child, call);
    }

    /// When the next of them does something.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.calls.values().filter_map(Call::deadline).min()
    }

    /// What one of them does by now.
    pub(crate) fn next(&mut self, now: Duration) -> Option<(ChildId, ChildNews)> {
        let due = |call: &Call| call.deadline().is_some_and(|at| at <= now);
        let (&child, call) = self.calls.iter_mut().find(|(_, call)| due(call))?;
        if call.whispered_at.take().is_some() {
            return Some((child, ChildNews::Whispering));
        }
        if let Some(at) = call.answers_at.take() {
            call.answered_at = Some(at);
            return Some((child, ChildNews::Answered(sid(child))));
        }
        let (at, status) = call.ends_at?;
        Some((child, self.end(at, child, status)?))
    }

    /// Those who ring, or talk, by what they were dialled by.
    pub(crate) fn up(&self) -> impl Iterator<Item = (&str, bool)> {
        let calls = self.calls.values();
        calls.map(|call| (call.to.as_str(), call.answered_at.is_some()))
    }

    /// Somebody does something at a step of the script; none where that cannot be, as nobody of that name rings, or talks.
    pub(crate) fn act(
        &mut self,
        now: Duration,
        to: &str,
        does: CalleeDoes,
    ) -> Option<(ChildId, ChildNews)> {
        let talks = does == CalleeDoes::HangsUp;
        let is_meant = |call: &Call| call.to == to && call.answered_at.is_some() == talks;
        let (&child, call) = self.calls.iter_mut().find(|(_, call)| is_meant(call))?;
        let news = match does {
            CalleeDoes::Answers => call.answer(now, child),
            CalleeDoes::IsBusy => self.end(now, child, CallStatus::Busy)?,
            CalleeDoes::HangsUp => self.end(now, child, CallStatus::Completed)?,
        };
        Some((child, news))
    }

    /// It is ended by the one who dialled it; none if it has ended already.
    pub(crate) fn hang_up(&mut self, now: Duration, child: ChildId) -> Option<ChildNews> {
        let status = match self.calls.get(&child)?.answered_at {
            Some(_) => CallStatus::Completed,
            None => CallStatus::Canceled,
        };
        self.end(now, child, status)
    }

    fn end(&mut self, at: Duration, child: ChildId, status: CallStatus) -> Option<ChildNews> {
        let call = self.calls.remove(&child)?;
        let talked = call
            .answered_at
            .map_or(Duration::ZERO, |answered| at - answered);
        Some(ChildNews::Ended(ChildEnd {
            status,
            call_sid: (status != CallStatus::Failed).then(|| sid(child)),
            duration_s: u32::try_from(talked.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX),
            sip_status: None,
            reason: match status {
                CallStatus::Failed => "the script has no such callee".to_owned(),
                _ => "as the script has it".to_owned(),
            },
        }))
    }
}

impl Call {
    /// At a step of the script: at once, or after a whisper.
    fn answer(&mut self, now: Duration, child: ChildId) -> ChildNews {
        let joined_at = now + self.listens.unwrap_or_default();
        self.whispered_at = None;
        self.ends_at = self
            .limit
            .map(|limit| (joined_at + limit, CallStatus::Completed));
        if self.listens.is_some() {
            self.answers_at = Some(joined_at);
            return ChildNews::Whispering;
        }
        self.answers_at = None;
        self.answered_at = Some(now);
        ChildNews::Answered(sid(child))
    }

    fn deadline(&self) -> Option<Duration> {
        let ends_at = self.ends_at.map(|(at, _)| at);
        self.whispered_at.or(self.answers_at).or(ends_at)
    }
}

fn limit_of(call: &ChildCall) -> Option<Duration> {
    call.time_limit_s
        .map(|limit| Duration::from_secs(limit.into()))
}

fn sid(child: ChildId) -> CallSid {
    let mut bytes = [0x33; 16];
    bytes[12..].copy_from_slice(&child.0.to_be_bytes());
    CallSid::from_bytes(bytes)
}
