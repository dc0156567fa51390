//! An account: the tenant that owns numbers, calls and components.

use std::collections::BTreeMap;
use std::path::PathBuf;

use call::{AccountSid, Grants};
use serde::{Deserialize, Serialize};

use crate::seal::{DataKey, Secret};
use crate::{CarrierId, Flow};

/// A tenant. [`crate::Directory`] hands it out; only applying a tenants file makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its name in every key and reference.
    pub sid: AccountSid,
    /// Whose account it is.
    pub carrier: CarrierId,
    /// Its name for people; one of its kind within its carrier.
    pub name: String,
    /// The password of its API user, which also signs its webhooks.
    pub auth_token: Secret,
    /// Seals what is kept for it: the token and the journals of its calls.
    pub(crate) key: DataKey,
    /// Where its webhooks and prompts may be fetched from beyond global addresses.
    pub egress: Egress,
    /// Whom it may call, and how fast.
    pub outbound: Outbound,
    /// What a caller gets when a flow of this account fails.
    pub fallback: Option<Flow>,
    /// The folder its flows play files from.
    pub media_dir: Option<PathBuf>,
    /// The voice that speaks where a flow names none.
    pub voice: Option<String>,
    /// Settings that the flows of this account may read: the runtime's own all of them, uploaded ones those that are granted.
    pub settings: BTreeMap<String, String>,
    /// What the host writes into header fields of its components' requests, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// What its components may use beyond their calls.
    pub grants: Grants,
}

/// Where an account's HTTP requests may go beyond global addresses, which are always allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Egress {
    /// Host names and IP prefixes, such as `rapidpro.example.org` or `127.0.0.0/8`.
    pub allow: Vec<String>,
}

/// Whom an account may call, and how fast. By default nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outbound {
    /// Beginnings of E.164 numbers (`+855`, or `+` for all), whole short codes (`1294`), or `sip:` for SIP URIs at the
    /// carrier's trunks. An emergency number is allowed only by its whole self. Empty: no outbound calls.
    pub allow: Vec<String>,
    /// How many calls it may have at once, both directions together. At least 1.
    pub max_channels: u32,
    /// How many outbound calls may be begun in a second. Above 0.
    pub calls_per_second: f32,
}

impl Default for Outbound {
    /// Nobody may be called; 10 calls at once, one begun in a second.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            max_channels: 10,
            calls_per_second: 1.0,
        }
    }
}
