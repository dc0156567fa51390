//! Outbound calls that wait, and attempts to reach somebody: what [`crate::routing`] and [`crate::retry`] ask about. The words of
//! `jackfield:types/attempts`.

use call::Outcome;
use serde::{Deserialize, Serialize};

/// An outbound call that waits to be dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OutboundCall {
    /// `CA` and 32 lower-case hexadecimal digits.
    pub call_sid: String,
    /// `AC` and 32 lower-case hexadecimal digits.
    pub account_sid: String,
    /// The number that the account wants to show.
    pub caller: String,
    /// Who is called: an E.164 number with its plus, a short code, or a SIP URI.
    pub callee: String,
    /// The network operator that `callee` was given to, where that is known.
    #[serde(default)]
    pub operator: Option<Operator>,
    /// How much it matters beside others.
    #[serde(default)]
    pub priority: Priority,
    /// What it is for, in the words of who placed it.
    #[serde(default)]
    pub purpose: Option<String>,
}

/// A network operator: one of its name in its country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Two capital letters of ISO 3166-1.
    pub country: String,
    /// As people call it.
    pub name: String,
}

/// How much a call matters beside others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Before all others.
    Urgent,
    /// As most calls.
    #[default]
    Ordinary,
    /// When nothing else is to be done.
    Low,
}

/// One attempt that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attempt {
    /// The trunk that it went over.
    pub trunk: String,
    /// When it was begun, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// When it was over, in milliseconds since 1970.
    pub ended_unix_ms: u64,
    /// What the API says that it came to.
    pub status: Status,
    /// The same, as finely as it matters for the next attempt.
    pub outcome: Outcome,
    /// The final SIP status, where one came.
    #[serde(default)]
    pub sip_code: Option<u16>,
    /// Seconds that the other side asked us to wait.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
    /// Seconds between the answer and the end.
    #[serde(default)]
    pub duration_s: u32,
    /// Whether a machine answered, where that is known.
    #[serde(default)]
    pub answered_by_machine: Option<bool>,
}

/// What the API says of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "Twilio's words")]
pub enum Status {
    Completed,
    Busy,
    NoAnswer,
    Canceled,
    Failed,
}
