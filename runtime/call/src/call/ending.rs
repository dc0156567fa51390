//! How a call comes to its end, and what is written down of it.

use std::time::{Duration, Instant};

use super::{Call, GRACE, State};
use crate::{CallRecord, CallStatus, Effect, Event, HangUpCause, RejectReason};

/// The `end_reason` of a call that was up until its story ended it: whoever listened has heard all.
pub const HUNG_UP_BY_US: &str = "hung up by us";
/// The `end_reason` of a call that was up for as long as it may be.
pub const LIMIT_REACHED: &str = "ended at its limit";
/// The `end_reason` of a call from which neither RTP nor RTCP came any more.
pub const NOT_HEARD: &str = "nothing was heard of the other side any more";
/// The `end_reason` of a call whose ACK never came.
pub const NOT_CONFIRMED: &str = "no ACK: the answer was never confirmed";

/// What is known when a call ends.
pub(super) struct Ending {
    status: CallStatus,
    cause: HangUpCause,
    /// Zero for none.
    sip_status: u16,
    q850_cause: Option<u16>,
    retry_after_s: Option<u32>,
    reason: String,
}

impl Ending {
    pub(super) fn new(
        status: CallStatus,
        cause: HangUpCause,
        sip_status: u16,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            status,
            cause,
            sip_status,
            q850_cause: None,
            retry_after_s: None,
            reason: reason.into(),
        }
    }

    /// With what the network behind the peer says.
    pub(super) fn told(mut self, reason: Option<sip::Reason>) -> Self {
        self.q850_cause = reason
            .filter(|reason| reason.protocol == sip::ReasonProtocol::Q850)
            .map(|reason| reason.cause);
        self
    }

    /// With the peer's wish when to be tried again; a part of a second counts as a whole one.
    pub(super) fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after_s =
            wait.map(|wait| u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX));
        self
    }

    pub(super) fn failed(sip_status: u16, reason: String) -> Self {
        Self::new(CallStatus::Failed, HangUpCause::Lost, sip_status, reason)
    }
}

impl Call {
    /// No RTP and no RTCP: the peer's BYE was lost, or the peer.
    pub(super) fn peer_is_gone(&mut self, now: Instant) {
        self.emit(Effect::Sip(sip::Command::Bye {
            dialog: self.leg.dialog,
            cause: None,
        }));
        self.over(
            now,
            Ending::new(CallStatus::Completed, HangUpCause::Lost, 200, NOT_HEARD),
        );
    }

    pub(super) fn reject(&mut self, now: Instant, reason: RejectReason) {
        self.refuse(reason.status(), None);
        let status = match reason {
            RejectReason::Busy => CallStatus::Busy,
            RejectReason::Declined => CallStatus::NoAnswer,
            RejectReason::NotFound | RejectReason::Unavailable => CallStatus::Failed,
        };
        self.over(
            now,
            Ending::new(
                status,
                HangUpCause::Local,
                reason.status(),
                "turned away by its story",
            ),
        );
    }

    pub(super) fn refuse(&mut self, status: u16, warning: Option<sip::Warning>) {
        let dialog = self.leg.dialog;
        self.emit(Effect::Sip(sip::Command::Reject {
            dialog,
            status,
            reason: None,
            retry_after: None,
            cause: None,
            warning,
        }));
    }

    pub(super) fn hang_up(&mut self, now: Instant, cause: HangUpCause) {
        let dialog = self.leg.dialog;
        match self.state {
            State::Incoming => {
                let status = if cause == HangUpCause::Shutdown {
                    503
                } else {
                    RejectReason::Declined.status()
                };
                self.refuse(status, None);
                self.over(
                    now,
                    Ending::new(
                        CallStatus::NoAnswer,
                        cause,
                        status,
                        "ended before an answer",
                    ),
                );
            }
            State::Calling => {
                self.state = State::Cancelling(cause);
                self.emit(Effect::Sip(sip::Command::Cancel {
                    dialog,
                    cause: None,
                }));
            }
            State::Up => {
                self.emit(Effect::Sip(sip::Command::Bye {
                    dialog,
                    cause: None,
                }));
                self.over(
                    now,
                    Ending::new(CallStatus::Completed, cause, 200, self.why_by_us(cause)),
                );
            }
            State::Cancelling(_) | State::Over => {}
        }
    }

    /// Why we hang up a call that is up.
    const fn why_by_us(&self, cause: HangUpCause) -> &'static str {
        match cause {
            HangUpCause::Api => "ended over the API",
            HangUpCause::Limit => LIMIT_REACHED,
            HangUpCause::Shutdown => "ended because the server stopped",
            _ if self.story.apology.is_some() => "ended by an apology",
            _ if self.story.fell_back => "hung up by us, after the fallback took over",
            _ if self.story.missed => "hung up by us, though a prompt could not be played",
            _ => HUNG_UP_BY_US,
        }
    }

    pub(super) fn end_for_media(&mut self, now: Instant, reason: &str) {
        self.emit(Effect::Sip(sip::Command::Bye {
            dialog: self.leg.dialog,
            cause: None,
        }));
        self.over(
            now,
            Ending::failed(200, format!("no common media: {reason}")),
        );
    }

    /// Its longest time is another one from now on; one that is over already ends it.
    pub(super) fn limit_to(&mut self, now: Instant, longest: Duration) {
        self.limits.max_duration = longest;
        if let Some(dialled) = &mut self.dialled {
            dialled.time_limit = None;
        }
        if self.state == State::Up
            && let Some(answered) = self.answered_at
        {
            self.deadline = Some((answered + longest).max(now));
        }
    }

    /// How long it may last: from its answer on, or from when it is put through.
    pub(super) fn longest(&self) -> Duration {
        let talk = self.dialled.and_then(|dialled| dialled.time_limit);
        let longest = self.limits.max_duration;
        talk.map_or(longest, |limit| limit.min(longest))
    }

    /// Seconds from its answer until now, rounded up.
    pub(super) fn answered_for_s(&self, now: Instant) -> u32 {
        let answered_for = self
            .answered_at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        u32::try_from(answered_for.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    pub(super) fn status_when_lost(&self) -> CallStatus {
        if self.answered_at.is_some() {
            CallStatus::Completed
        } else {
            CallStatus::Failed
        }
    }

    pub(super) fn over(&mut self, now: Instant, ending: Ending) {
        self.state = State::Over;
        self.leave_room();
        self.playlist.clear();
        self.drop_dial();
        self.close_streams();
        self.forget_listening();
        self.stop_recordings();
        self.referring = None;
        let record = CallRecord {
            status: ending.status,
            duration_s: self.answered_for_s(now),
            sip_status: (ending.sip_status != 0).then_some(ending.sip_status),
            q850_cause: ending.q850_cause,
            retry_after_s: ending.retry_after_s,
            end_reason: ending.reason,
            quality: None,
            answered_by: self.answered_by,
        };
        self.tell_parent_of_end(&record);
        self.record = Some(record);
        self.deadline = self.story.running.map(|_| now + GRACE);
        self.tell(Event::HungUp(ending.cause));
        self.emit(Effect::Status(ending.status));
    }
}
