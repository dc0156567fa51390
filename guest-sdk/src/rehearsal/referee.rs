//! What the other side does when it is sent on.

use std::time::Duration;

use super::stage::Stage;
use crate::{CallError, Event, ReferRequest, Referral};

/// What the other side does when a story sends it on. See [`Rehearsal::referee`](crate::Rehearsal::referee).
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
}

impl Stage {
    pub(super) fn refer(&mut self, request: &ReferRequest) -> Result<(), CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        if self.is_referring {
            return Err(CallError::LimitReached("one referral at a time".to_owned()));
        }
        self.is_referring = true;
        self.note(format!("refer to {}", request.target));
        let patience = Duration::from_secs(request.timeout_s.into());
        let now = self.now;
        match self.referee.0 {
            Does::Refuse(status) => self.told_of_referral(now, status, None, "refused"),
            Does::Report(after, status) if after <= patience => {
                self.told_of_referral(now, 202, None, "");
                let reason = if status < 300 {
                    ""
                } else {
                    "as the script has it"
                };
                self.told_of_referral(now + after, 202, Some(status), reason);
            }
            Does::Report(..) | Does::Nothing => {
                self.told_of_referral(now, 202, None, "");
                self.told_of_referral(now + patience, 202, None, "no last report came in time");
            }
        }
        Ok(())
    }

    fn told_of_referral(
        &mut self,
        at: Duration,
        refer_status: u16,
        call_status: Option<u16>,
        reason: &str,
    ) {
        let referral = Referral {
            refer_status: Some(refer_status),
            call_status,
            is_over: call_status.is_some() || !reason.is_empty(),
            reason: reason.to_owned(),
        };
        self.happens(at, Event::Referred(referral));
    }

    /// Whether a referral is under way, once this is told of it.
    pub(super) fn in_referral(&mut self, event: &Event) {
        if let Event::Referred(referral) = event {
            self.is_referring = !referral.is_over;
        }
    }
}
