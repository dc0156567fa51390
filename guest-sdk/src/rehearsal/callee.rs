//! Those whom a story dials.

use std::time::Duration;

use super::stage::Stage;
use crate::{
    CallError, DialId, DialRequest, DialStatus, Dialed, Event, Signals, Target, TargetTerms,
};

/// How long it takes to hear that somebody is busy.
const BUSY_AFTER: Duration = Duration::from_secs(1);

/// What somebody does when a story dials them. See [`Rehearsal::callee`](crate::Rehearsal::callee).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callee {
    answers_after: Option<Duration>,
    talks_for: Option<Duration>,
    /// How long a whisper to them takes.
    listens_for: Duration,
    /// Does not take the call after a whisper.
    declines: bool,
    /// Says so after a second.
    is_busy: bool,
}

impl Callee {
    /// Answers after so long, and talks until the caller ends it.
    #[must_use]
    pub fn answers(after: Duration) -> Self {
        Self {
            answers_after: Some(after),
            ..Self::never()
        }
    }

    /// Hangs up so long after the answer.
    #[must_use]
    pub fn talks_for(mut self, time: Duration) -> Self {
        self.talks_for = Some(time);
        self
    }

    /// A whisper to them takes so long. Two seconds, where nothing is said.
    #[must_use]
    pub fn listens_for(mut self, time: Duration) -> Self {
        self.listens_for = time;
        self
    }

    /// A whisper to them ends with a hang-up.
    #[must_use]
    pub fn declines(mut self) -> Self {
        self.declines = true;
        self
    }

    /// Is busy, as one hears after a second.
    #[must_use]
    pub fn busy() -> Self {
        Self {
            is_busy: true,
            ..Self::never()
        }
    }

    /// Rings and never answers.
    #[must_use]
    pub fn never() -> Self {
        Self {
            answers_after: None,
            talks_for: None,
            listens_for: Duration::from_secs(2),
            declines: false,
            is_busy: false,
        }
    }

    /// Whether somebody answers or not, and when that is known.
    fn outcome(this: Option<&Self>, patience: Duration, whispers: bool) -> (Duration, DialStatus) {
        let Some(callee) = this else {
            return (Duration::ZERO, DialStatus::Failed);
        };
        match callee.answers_after {
            _ if callee.is_busy => (BUSY_AFTER, DialStatus::Busy),
            Some(after) if after <= patience && whispers => match callee.declines {
                true => (after + callee.listens_for, DialStatus::NoAnswer),
                false => (after + callee.listens_for, DialStatus::Completed),
            },
            Some(after) if after <= patience => (after, DialStatus::Completed),
            _ => (patience, DialStatus::NoAnswer),
        }
    }
}

/// A dial that is under way.
pub(super) struct Rehearsed {
    id: DialId,
    ends_on_star: bool,
    joined_at: Option<Duration>,
}

impl Stage {
    /// What is proved to somebody is noted by the username alone.
    pub(super) fn dial(
        &mut self,
        request: &DialRequest,
        terms: &[TargetTerms],
    ) -> Result<DialId, CallError> {
        self.up()?;
        if !self.answered && !request.answer_on_bridge {
            return Err(CallError::NotAnswered);
        }
        if self.dial.is_some() {
            return Err(CallError::LimitReached("one dial at a time".to_owned()));
        }
        let named = |(at, target): (usize, &Target)| {
            let credentials = terms.get(at).and_then(|terms| terms.credentials.as_ref());
            let proved = credentials.map(|proved| format!(" as {}", proved.username));
            format!("{}{}", target.to, proved.unwrap_or_default())
        };
        let targets: Vec<String> = request.targets.iter().enumerate().map(named).collect();
        self.note(format!("dial {}", targets.join(", ")));
        self.dialled.extend_from_slice(&request.targets);
        self.dials += 1;
        let id = self.dials;
        self.dial = Some(Rehearsed {
            id,
            ends_on_star: request.hang_up_on_star,
            joined_at: None,
        });
        let (after, status, callee) = self.foresee(request);
        let at = self.now + after;
        if status != DialStatus::Completed {
            self.happens(
                at,
                Event::DialEnded((id, ended(id, status, Duration::ZERO))),
            );
            return Ok(id);
        }
        for target in &request.targets {
            let own = &self.info.call_sid;
            self.wishes.foresee(id, &target.to, sid(id), own);
        }
        self.happens(at, Event::DialAnswered((id, sid(id))));
        let limit = request
            .time_limit_s
            .map(|seconds| Duration::from_secs(seconds.into()));
        let talk = callee.and_then(|callee| callee.talks_for);
        if let Some(talk) = talk.into_iter().chain(limit).min() {
            self.happens(at + talk, Event::DialEnded((id, ended(id, status, talk))));
        }
        Ok(id)
    }

    /// What a dial comes to, after how long, and who answers.
    fn foresee(&self, request: &DialRequest) -> (Duration, DialStatus, Option<Callee>) {
        let patience = Duration::from_secs(request.ring_timeout_s.into());
        let outcomes = request.targets.iter().map(|target| {
            let callee = self.callees.get(&target.to);
            let whispers = target.whisper.is_some();
            let (after, status) = Callee::outcome(callee, patience, whispers);
            (after, status, callee.copied())
        });
        let mut spent = Duration::ZERO;
        let outcomes: Vec<_> = outcomes
            .map(|(after, status, callee)| {
                let at = if request.in_turn {
                    spent + after
                } else {
                    after
                };
                spent = spent.max(at);
                (at, status, callee)
            })
            .collect();
        let answers = outcomes
            .iter()
            .filter(|(_, status, _)| *status == DialStatus::Completed);
        if let Some(first) = answers.min_by_key(|(at, ..)| *at) {
            return *first;
        }
        let statuses = outcomes.iter().map(|(_, status, _)| *status);
        let furthest = statuses.max_by_key(|status| match status {
            DialStatus::NoAnswer => 2,
            DialStatus::Busy => 1,
            _ => 0,
        });
        (spent, furthest.unwrap_or(DialStatus::Failed), None)
    }

    pub(super) fn stop_dial(&mut self, id: DialId) -> Result<(), CallError> {
        self.up()?;
        if self.dial.as_ref().is_none_or(|dial| dial.id != id) {
            return Err(CallError::UnknownId);
        }
        self.note("stop dial");
        let end = self.cut_dial(id);
        let now = self.now;
        self.happens(now, end);
        Ok(())
    }

    /// What becomes of an event of the script when its time has come.
    pub(super) fn in_dial(&mut self, event: Event) -> Event {
        let now = self.now;
        match (&event, &mut self.dial) {
            (Event::DialAnswered(_), Some(dial)) => {
                dial.joined_at = Some(now);
                self.answered = true;
            }
            (Event::DialEnded((_, end)), _) => {
                self.signalled = self.signals(end);
                self.dial = None;
            }
            (Event::Digit('*'), Some(dial)) if dial.ends_on_star && dial.joined_at.is_some() => {
                let id = dial.id;
                let end = self.cut_dial(id);
                self.dial = None;
                return end;
            }
            _ => {}
        }
        event
    }

    /// What those who were dialled say in SIP; nothing where no INVITE left.
    fn signals(&self, end: &Dialed) -> Option<Signals> {
        let sid = end.call_sid.as_ref()?;
        let dialled = self.dialled.iter().rev();
        let mut fields = dialled.filter_map(|target| self.own_fields.get(&target.to));
        Some(Signals {
            sip_call_id: format!("{sid}@example.net"),
            fields: fields.next().cloned().unwrap_or_default(),
        })
    }

    /// Takes out what the script still had of a dial: how it ends now.
    fn cut_dial(&mut self, id: DialId) -> Event {
        self.script.retain(|(_, event)| {
            !matches!(event, Event::DialAnswered((of, _)) | Event::DialEnded((of, _)) if *of == id)
        });
        let joined_at = self.dial.as_ref().and_then(|dial| dial.joined_at);
        let end = match joined_at {
            Some(at) => ended(id, DialStatus::Completed, self.now.saturating_sub(at)),
            None => ended(id, DialStatus::Canceled, Duration::ZERO),
        };
        Event::DialEnded((id, end))
    }
}

fn sid(id: DialId) -> String {
    format!("CA{id:032x}")
}

fn ended(id: DialId, status: DialStatus, talked: Duration) -> Dialed {
    Dialed {
        status,
        call_sid: (status != DialStatus::Failed).then(|| sid(id)),
        duration_s: u32::try_from(talked.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX),
        sip_status: None,
        reason: "as the script has it".to_owned(),
    }
}
