//! What a trunk's owner says about numbers on it.

use serde::{Deserialize, Serialize};

use crate::form::write;
use crate::{Country, Form, PhoneNumber};

/// How a trunk writes the numbers it dials, and reads those it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRules {
    /// Where the trunk ends: national forms are read and written by this country. None: only international forms and short
    /// codes are understood.
    pub country: Option<Country>,
    /// The form of a dialled number.
    pub dial_as: Form,
    /// What stands before a dialled number, whatever its form: an access code, or the group of SIM cards of a gateway. Digits,
    /// `*` and `#`.
    pub prefix: String,
}

impl NumberRules {
    /// A number as this trunk dials it.
    #[must_use]
    pub fn dialled(&self, number: &PhoneNumber) -> String {
        format!(
            "{}{}",
            self.prefix,
            write(number, self.dial_as, self.country)
        )
    }
}

/// How a trunk shows who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdRules {
    /// The form of the caller's number.
    pub dial_as: Form,
    /// Which header fields carry it.
    pub headers: Vec<IdentityHeader>,
    /// URIs with a number in them say `;user=phone` (RFC 3261 section 19.1.1).
    pub user_phone: bool,
    /// What the peer says in `P-Asserted-Identity` and its like is believed (RFC 3325 section 9.1).
    pub trusted: bool,
}

impl Default for CallerIdRules {
    /// The number with its plus, in `From` alone; the peer is not trusted.
    fn default() -> Self {
        Self {
            dial_as: Form::default(),
            headers: vec![IdentityHeader::From],
            user_phone: false,
            trusted: false,
        }
    }
}

/// A header field that says who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityHeader {
    /// `From` (RFC 3261 section 20.20).
    From,
    /// `P-Asserted-Identity` (RFC 3325 section 9.1).
    PAssertedIdentity,
    /// `P-Preferred-Identity` (RFC 3325 section 9.2).
    PPreferredIdentity,
    /// `Remote-Party-ID` (draft-ietf-sip-privacy-04), which older switches want.
    RemotePartyId,
}
