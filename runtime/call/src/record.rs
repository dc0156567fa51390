//! What is known of a call before, and after.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AccountSid, AnsweredBy, CallQuality, CallSid};

/// Who began the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// A caller dialled one of the account's numbers.
    Inbound,
    /// Placed through the API or by a broadcast.
    OutboundApi,
    /// Dialled by another call's story.
    OutboundDial,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::OutboundApi => "outbound-api",
            Self::OutboundDial => "outbound-dial",
        })
    }
}

/// The status of a call in Twilio's words (REST resource `Calls`, property `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallStatus {
    /// Accepted, not dialled yet.
    Queued,
    /// The other side rings, or rings at us.
    Ringing,
    /// Answered.
    InProgress,
    /// Answered, and over.
    Completed,
    /// 486 or 600.
    Busy,
    /// 408, 480, 487 by our timer, 603, or no final answer.
    NoAnswer,
    /// Cancelled by us before an answer.
    Canceled,
    /// Any other end without an answer.
    Failed,
}

impl CallStatus {
    /// No status follows this one.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }

    /// The status for an outbound call that ended unanswered with this SIP code (the default table).
    #[must_use]
    pub const fn from_sip(code: u16) -> Self {
        match code {
            486 | 600 => Self::Busy,
            408 | 480 | 487 | 603 => Self::NoAnswer,
            _ => Self::Failed,
        }
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        })
    }
}

/// What is known of a call when its story begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// This call.
    pub call_sid: CallSid,
    /// Whose call it is.
    pub account_sid: AccountSid,
    /// The caller: E.164 with plus, a short code, a SIP URI, or `anonymous`.
    pub caller: String,
    /// The called number or SIP URI.
    pub callee: String,
    /// Who began it.
    pub direction: Direction,
    /// The call whose story dialled this one.
    pub parent_call_sid: Option<CallSid>,
    /// The SIP `Call-ID` of our leg.
    pub sip_call_id: String,
}

/// How a call ended: what the core hands over for the store. [`Self::outcome`] reads it for the next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The final status.
    pub status: CallStatus,
    /// Seconds from answer to end, rounded up; zero when unanswered.
    pub duration_s: u32,
    /// The final SIP status code, sent or received; none if none was exchanged.
    pub sip_status: Option<u16>,
    /// The cause of the telephone network behind the peer (ITU-T Q.850, 1 to 127), where its `Reason` told one (RFC 3326).
    pub q850_cause: Option<u16>,
    /// How long the peer asked us to wait before another attempt, in seconds.
    pub retry_after_s: Option<u32>,
    /// In words, for the operator: the reason phrase, `no ACK`, `guest trapped`, …
    pub end_reason: String,
    /// How the other side was heard; none if it was not.
    pub quality: Option<CallQuality>,
    /// Who answered, as far as that was asked and came to be known.
    pub answered_by: Option<AnsweredBy>,
}

impl CallRecord {
    /// The end of a call that took no time and exchanged no SIP.
    #[must_use]
    pub fn new(status: CallStatus, end_reason: impl Into<String>) -> Self {
        Self {
            status,
            duration_s: 0,
            sip_status: None,
            q850_cause: None,
            retry_after_s: None,
            end_reason: end_reason.into(),
            quality: None,
            answered_by: None,
        }
    }

    /// Why the host ended it without SIP, in its own words; none if a peer had a say: a reason phrase can be anything.
    #[must_use]
    pub fn host_reason(&self) -> Option<&str> {
        let is_the_hosts = self.sip_status.is_none();
        is_the_hosts.then_some(self.end_reason.as_str())
    }
}
