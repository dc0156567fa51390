//! The other side is asked to call somebody else (REFER: RFC 3515, RFC 5589).

use serde::{Deserialize, Serialize};

/// Whom the other side is to call. Mirrors `jackfield:call/referral@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferRequest {
    /// An E.164 number, a short code or a SIP URI.
    pub target: String,
    /// Seconds that its last report is waited for, 1 to 600.
    pub timeout_s: u32,
}

/// What is known of a referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The other side's answer to the REFER, 200 to 699; none until it is there.
    pub refer_status: Option<u16>,
    /// What its call got so far, 100 to 699; none until it has said so.
    pub call_status: Option<u16>,
    /// Nothing more will be told of it.
    pub is_over: bool,
    /// Why it came to nothing, in words; empty otherwise.
    pub reason: String,
}
