//! What the other side does when it is sent on.

use std::collections::VecDeque;
use std::time::Duration;

/// From the order to its answer, and to the first report.
const ANSWER: Duration = Duration::from_millis(100);

/// What the other side does when a story sends it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referee(Does);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Refuse(u16),
    Report(Duration, u16),
    Nothing,
}

impl Referee {
    /// Refuses with this SIP status, such as 405 or 603.
    #[must_use]
    pub const fn refuses(status: u16) -> Self {
        Self(Does::Refuse(status))
    }

    /// Does as it is asked; after so long its call has come to this SIP status, 200 or more.
    #[must_use]
    pub const fn reports(after: Duration, status: u16) -> Self {
        Self(Does::Report(after, status))
    }

    /// Accepts, and says nothing more.
    #[must_use]
    pub const fn silent() -> Self {
        Self(Does::Nothing)
    }

    fn says(self, now: Duration) -> Vec<(Duration, sip::Event)> {
        let answers = |status, is_final| {
            let answered = sip::Event::ReferAnswered { status, is_final };
            (now + ANSWER, answered)
        };
        let reports = |at, status| {
            let status_reported = sip::Event::Referred {
                status: Some(status),
                is_final: status >= 200,
            };
            (at, status_reported)
        };
        match self.0 {
            Does::Refuse(status) => vec![answers(status, true)],
            Does::Nothing => vec![answers(202, false)],
            Does::Report(after, status) => vec![
                answers(202, false),
                reports(now + ANSWER, 100),
                reports(now + after.max(ANSWER), status),
            ],
        }
    }
}

/// What the other side is still to say, in virtual time since the call's beginning.
#[derive(Debug, Default)]
pub(crate) struct Reports(VecDeque<(Duration, sip::Event)>);

impl Reports {
    /// It is sent on. Who is not in the script cannot be: 405.
    pub(crate) fn begin(&mut self, now: Duration, referee: Option<Referee>) {
        let referee = referee.unwrap_or(Referee::refuses(405));
        self.0.extend(referee.says(now));
    }

    /// When it says something.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.0.front().map(|(at, _)| *at)
    }

    /// What it says by now.
    pub(crate) fn next(&mut self, now: Duration) -> Option<sip::Event> {
        let (_, event) = self.0.pop_front_if(|(at, _)| *at <= now)?;
        Some(event)
    }
}
