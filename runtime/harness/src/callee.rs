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
    is_busy: bool,
}

impl Callee {
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
            is_busy: false,
        }
    }
}

/// The calls that are dialled, in virtual time since the call's beginning.
#[derive(Debug, Default)]
pub(crate) struct Callees {
    calls: BTreeMap<ChildId, Call>,
}

#[derive(Debug)]
struct Call {
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
        let gives_up = now + Duration::from_secs(call.ring_timeout_s.into());
        let (answers_at, ends_at) = match callee {
            None => (None, Some((now, CallStatus::Failed))),
            Some(callee) if callee.is_busy => (None, Some((now + BUSY_AFTER, CallStatus::Busy))),
            Some(callee) => match callee.answers_after.map(|after| now + after) {
                Some(at) if at <= gives_up => {
                    let limit = call
                        .time_limit_s
                        .map(|limit| Duration::from_secs(limit.into()));
                    let talk = callee.talks_for.into_iter().chain(limit).min();
                    (
                        Some(at),
                        talk.map(|talk| (at + talk, CallStatus::Completed)),
                    )
                }
                _ => (None, Some((gives_up, CallStatus::NoAnswer))),
            },
        };
        let call = Call {
            answers_at,
            ends_at,
            answered_at: None,
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
        if let Some(at) = call.answers_at.take() {
            call.answered_at = Some(at);
            return Some((child, ChildNews::Answered(sid(child))));
        }
        let (at, status) = call.ends_at?;
        Some((child, self.end(at, child, status)?))
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
    fn deadline(&self) -> Option<Duration> {
        self.answers_at.or(self.ends_at.map(|(at, _)| at))
    }
}

fn sid(child: ChildId) -> CallSid {
    let mut bytes = [0x33; 16];
    bytes[12..].copy_from_slice(&child.0.to_be_bytes());
    CallSid::from_bytes(bytes)
}
