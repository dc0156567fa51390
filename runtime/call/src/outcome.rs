//! What the end of an unanswered call means.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CallRecord, CallStatus};

/// The table from final SIP status to call status: the default one ([`CallStatus::from_sip`]), and over it what one trunk
/// means by its codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes(BTreeMap<u16, CallStatus>);

impl Outcomes {
    /// The status of an outbound call that ended unanswered with this SIP code, 300 to 699.
    #[must_use]
    pub fn status(&self, code: u16) -> CallStatus {
        self.0
            .get(&code)
            .copied()
            .unwrap_or_else(|| CallStatus::from_sip(code))
    }

    /// The rows over the default table.
    pub fn iter(&self) -> impl Iterator<Item = (u16, CallStatus)> {
        self.0.iter().map(|(code, status)| (*code, *status))
    }
}

impl FromIterator<(u16, CallStatus)> for Outcomes {
    /// The default table with these rows over it.
    fn from_iter<I: IntoIterator<Item = (u16, CallStatus)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

/// How an attempt to reach somebody ended, as finely as it matters for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Somebody answered.
    Answered,
    /// The called party is on the telephone.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// We took the call back.
    Canceled,
    /// A trunk, or a network on the way, has no room just now: the same attempt may work a moment later.
    Congestion,
    /// The called party, or a network on the way, is switched off or out of order.
    Unreachable,
    /// The called party or a network will not take this call.
    Rejected,
    /// Nobody has that number: trying again is in vain.
    Unallocated,
    /// Anything else, such as an answer that tells of a fault of ours.
    Failed,
}

impl Outcome {
    /// Reads an end: the cause of the telephone network (ITU-T Q.850) says more than its status, and the SIP code says more where
    /// the status is no more than failed.
    fn of(status: CallStatus, code: Option<u16>, q850: Option<u16>) -> Self {
        match (status, q850.and_then(Self::of_cause)) {
            (CallStatus::Completed | CallStatus::InProgress, _) => Self::Answered,
            (CallStatus::Canceled, _) => Self::Canceled,
            (_, Some(outcome)) => outcome,
            (CallStatus::Busy, None) => Self::Busy,
            (CallStatus::NoAnswer, None) => Self::NoAnswer,
            (_, None) => code.map_or(Self::Failed, Self::of_code),
        }
    }

    /// A cause value of Q.850 table 1; none for those that leave it open, such as 16 (normal clearing) and 31 (unspecified).
    fn of_cause(cause: u16) -> Option<Self> {
        Some(match cause {
            1 | 22 | 28 => Self::Unallocated,
            17 => Self::Busy,
            18 | 19 => Self::NoAnswer,
            2 | 3 | 20 | 27 => Self::Unreachable,
            21 | 50 | 55 | 57 | 63 | 87 => Self::Rejected,
            34 | 38 | 41 | 42 | 44 | 46 | 47 => Self::Congestion,
            _ => return None,
        })
    }

    /// A final status from 300 to 699 (RFC 3261 section 21, and the registry since).
    fn of_code(code: u16) -> Self {
        match code {
            404 | 410 | 484 | 485 | 604 => Self::Unallocated,
            401..=403 | 407 | 433 | 603 | 607 | 608 => Self::Rejected,
            408 | 430 | 480 | 502 | 504 => Self::Unreachable,
            486 | 600 => Self::Busy,
            487 => Self::NoAnswer,
            503 => Self::Congestion,
            _ => Self::Failed,
        }
    }
}

impl CallRecord {
    /// Whether another trunk may do what this one did not: the attempt timed out, met with congestion or with a fault on the way, and nothing is
    /// known of the called party. What a trunk's own table calls busy is busy.
    #[must_use]
    pub fn may_go_another_way(&self) -> bool {
        let is_undecided = matches!(self.status, CallStatus::Failed | CallStatus::NoAnswer);
        let is_of_the_way = matches!(self.sip_status, Some(408 | 500 | 502..=504));
        // No route (2, 3), the network out of order (38), no channel.
        let cause = self
            .q850_cause
            .map(|cause| (cause, Outcome::of_cause(cause)));
        let is_of_the_network = match cause {
            None | Some((2 | 3, _) | (_, Some(Outcome::Congestion) | None)) => true,
            Some(_) => false,
        };
        is_undecided && is_of_the_way && is_of_the_network
    }

    /// How the call ended, for whoever decides about another attempt.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.status, self.sip_status, self.q850_cause)
    }
}
