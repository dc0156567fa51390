//! An account: the tenant that owns numbers, calls and components.

use std::collections::BTreeMap;
use std::path::PathBuf;

use call::{AccountSid, Grants, KeySid};
use serde::{Deserialize, Serialize};

use crate::seal::{DataKey, Secret, random_bytes};
use crate::{CarrierId, Flow, QueueDefaults, Sha256Digest};

/// The most subaccounts of one account.
pub const MAX_SUBACCOUNTS: usize = 1_000;
/// The most keys of one account.
pub const MAX_KEYS: usize = 100;
/// The most calls that may wait, of one account and of all together.
pub const MOST_WAITING: u32 = 1_000_000;

/// A tenant. [`crate::Directory`] hands it out; a tenants file, the operator's API or its parent makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its name in every key and reference.
    pub sid: AccountSid,
    /// Whose account it is.
    pub carrier: CarrierId,
    /// Its name for people; one of its kind within its carrier.
    pub name: String,
    /// The account that made this one. What the operator gave the parent (egress, outbound, fallback, media, voice, recordings, settings, grants) holds
    /// for this one too, and they share the channels and calls per second.
    pub parent: Option<AccountSid>,
    /// Whether it is in use.
    pub status: AccountStatus,
    /// Whether its outbound calls that wait, and those of its subaccounts, go on waiting whatever has room.
    pub is_queue_stopped: bool,
    /// When it was made, in milliseconds since the Unix epoch; 0 where that was not noted.
    pub created_unix_ms: u64,
    /// When it was last changed, in milliseconds since the Unix epoch; 0 where that was not noted.
    pub updated_unix_ms: u64,
    /// The password of its API user, which also signs its webhooks.
    pub auth_token: Secret,
    /// Takes the place of the token when it is promoted; until then as good for the API, and signs nothing.
    pub secondary_token: Option<Secret>,
    /// Further API users.
    pub keys: BTreeMap<KeySid, ApiKey>,
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
    /// Whether files of its recordings are fetched without credentials: whoever knows the address has the file.
    pub has_open_recordings: bool,
    /// Settings that the flows of this account may read: the runtime's own all of them, uploaded ones those that are granted.
    pub settings: BTreeMap<String, String>,
    /// What the host writes into header fields of its components' requests, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// What its components may use beyond their calls.
    pub grants: Grants,
}

/// Whether an account is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// It is.
    #[default]
    Active,
    /// Not now: no calls, and no API but for its parent and the operator, who may make it active again.
    Suspended,
    /// Never again. Its numbers are back with the carrier.
    Closed,
}

impl Account {
    /// The account with which this one shares what an account has of everything: its parent, or itself.
    #[must_use]
    pub fn payer(&self) -> AccountSid {
        self.parent.unwrap_or(self.sid)
    }
}

impl AccountStatus {
    /// As the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// A key: an API user of an account beside the one that has the account's own SID. It cannot make or change accounts, tokens and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name for people; may be empty.
    pub name: String,
    /// The hash of its secret, which is told once and has 128 random bits.
    pub secret: Sha256Digest,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
    /// When it was last renamed, in milliseconds since the Unix epoch.
    pub updated_unix_ms: u64,
}

/// A SID for a new account, with 128 random bits.
#[must_use]
pub fn random_account_sid() -> AccountSid {
    AccountSid::from_bytes(random_bytes())
}

/// A SID for a new key, with 128 random bits.
#[must_use]
pub fn random_key_sid() -> KeySid {
    KeySid::from_bytes(random_bytes())
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
    /// How many of its calls may wait, at most [`MOST_WAITING`]; those of a subaccount are counted for themselves. At least 1.
    pub max_waiting: u32,
    /// How its calls wait that say nothing of their own, and what they may say.
    pub queue: QueueDefaults,
}

impl Default for Outbound {
    /// Nobody may be called; 10 calls at once, one begun in a second, 100,000 that wait.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            max_channels: 10,
            calls_per_second: 1.0,
            max_waiting: 100_000,
            queue: QueueDefaults::default(),
        }
    }
}
