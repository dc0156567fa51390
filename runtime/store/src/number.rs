//! Numbers, and what happens when somebody calls one.

use std::collections::BTreeMap;

use call::{AccountSid, StatusCallback};
use numbers::PhoneNumber;
use serde::{Deserialize, Serialize};

use crate::CarrierId;

/// A number of a carrier, given to one of its accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The number; one of its kind within its carrier.
    pub number: PhoneNumber,
    /// Whose trunks bring its calls.
    pub carrier: CarrierId,
    /// Whose number it is.
    pub account: AccountSid,
    /// What a call to it does.
    pub flow: Flow,
    /// Settings that the flow may read; they go before the account's settings of the same name.
    pub settings: BTreeMap<String, String>,
    /// Who is told how its calls end.
    pub status_callback: Option<StatusCallback>,
}

/// What a call does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flow {
    /// Runs the account's component of this name, or else the bundled one.
    Component(String),
    /// Fetches `TwiML` from a web server.
    VoiceUrl {
        /// `http` or `https`.
        url: String,
        /// How the first document is asked for.
        method: WebhookMethod,
    },
    /// Runs this `TwiML` document.
    Twiml(String),
}

/// How a webhook is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body.
    #[default]
    Post,
}
