//! Sending the other side on: the order, what is said to it, and the reports on the call that the other side makes.

use std::time::{Duration, Instant};

use super::{Call, State};
use crate::{CallError, Effect, Event, ReferRequest, Referral, Reply};

/// Seconds that the last report may be waited for.
const MAX_WAIT_S: u32 = 600;
/// What a report says that comes before the answer: the order was accepted (RFC 6665 section 4.1.2.4).
const ACCEPTED: u16 = 202;

/// A referral that is under way.
#[derive(Debug)]
pub(super) struct Referring {
    known: Referral,
    /// When its last report is waited for no longer; none once that is so. The other side may go on reporting.
    deadline: Option<Instant>,
}

impl Call {
    pub(super) fn refer(
        &mut self,
        now: Instant,
        request: ReferRequest,
    ) -> Result<Reply, CallError> {
        let seconds = request.timeout_s;
        if !(1..=MAX_WAIT_S).contains(&seconds) {
            let what = format!("timeout-s is {seconds}: give 1 to {MAX_WAIT_S}");
            return Err(CallError::InvalidArgument(what));
        }
        if self.referring.is_some() {
            let what = "one referral at a time, and the other side still reports on one";
            return Err(CallError::LimitReached(what.to_owned()));
        }
        // Who was sent on would be so again if the story began anew.
        self.story.heard = true;
        self.referring = Some(Referring {
            known: Referral {
                refer_status: None,
                call_status: None,
                is_over: false,
                reason: String::new(),
            },
            deadline: Some(now + Duration::from_secs(seconds.into())),
        });
        self.emit(Effect::Refer(request.target));
        Ok(Reply::Done)
    }

    /// The URI that the other side is to call, or why it is not to.
    pub(super) fn refer_to(&mut self, found: Result<String, String>) {
        if self.state != State::Up || self.referring.is_none() {
            return;
        }
        match found {
            Ok(to) => self.emit(Effect::Sip(sip::Command::Refer {
                dialog: self.leg.dialog,
                to,
            })),
            Err(reason) => self.referral_news(true, |known| known.reason = reason),
        }
    }

    pub(super) fn refer_answered(&mut self, status: u16, is_final: bool) {
        self.referral_news(is_final, |known| {
            known.refer_status = Some(status);
            if status >= 300 {
                known.reason = format!("the other side answered {status}");
            }
        });
    }

    pub(super) fn referred(&mut self, status: Option<u16>, is_final: bool) {
        self.referral_news(is_final, |known| {
            known.refer_status.get_or_insert(ACCEPTED);
            known.call_status = status.or(known.call_status);
            known.reason = match known.call_status {
                Some(status @ 300..) => format!("the call of the other side ended with {status}"),
                Some(200..) => String::new(),
                _ if is_final => "the other side ceased to report".to_owned(),
                _ => String::new(),
            };
        });
    }

    pub(super) fn referral_deadline(&self) -> Option<Instant> {
        self.referring.as_ref()?.deadline
    }

    /// The last report did not come in time.
    pub(super) fn referral_timed_out(&mut self, now: Instant) {
        if self
            .referral_deadline()
            .is_none_or(|deadline| now < deadline)
        {
            return;
        }
        let Some(referring) = &mut self.referring else {
            return;
        };
        referring.deadline = None;
        let known = Referral {
            is_over: true,
            reason: "no last report came in time".to_owned(),
            ..referring.known.clone()
        };
        self.tell(Event::Referred(known));
    }

    /// The story that asked for it is gone.
    pub(super) fn forget_referral(&mut self) {
        if let Some(referring) = &mut self.referring {
            referring.deadline = None;
        }
    }

    /// Takes news in, and tells them unless nobody waits any more.
    fn referral_news(&mut self, is_final: bool, change: impl FnOnce(&mut Referral)) {
        let Some(referring) = &mut self.referring else {
            return;
        };
        change(&mut referring.known);
        referring.known.is_over = is_final;
        let known = referring.known.clone();
        let is_awaited = referring.deadline.is_some();
        if is_final {
            self.referring = None;
        }
        if is_awaited {
            self.tell(Event::Referred(known));
        }
    }
}
