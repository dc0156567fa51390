//! A trunk: a SIP peer of a carrier.

mod sip_host;
mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use call::{AccountSid, Outcomes};
use numbers::{CallerIdRules, NumberRules, PhoneNumber};
use rtp::dtmf::DigitPolicy;
use serde::{Deserialize, Serialize};

pub use sip_host::{InvalidHost, SipHost};
pub use target::{InvalidTarget, Target, TargetUri};

use crate::{Account, CarrierId, IpPrefix, Secret};

/// The highest rank of a trunk.
pub const MAX_RANK: u32 = 99;

/// Names a trunk: 1 to 63 of `a-z`, `0-9` and `-`, one of its kind in the whole runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrunkId(pub String);

impl fmt::Display for TrunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SIP peer: where a carrier's calls come from, and where they are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Trunk {
    /// Its name in every key and reference.
    pub id: TrunkId,
    /// Whose trunk it is.
    pub carrier: CarrierId,
    /// The one account of the carrier that has it, with its subaccounts: nobody else's calls go over it or come in there. None: all accounts of the
    /// carrier have it.
    pub account: Option<AccountSid>,
    /// The addresses that inbound calls may come from without a password.
    pub sources: Vec<IpPrefix>,
    /// What the peer proves to us, wherever it calls from.
    pub login: Option<Login>,
    /// Where outbound calls are sent, tried in turn; empty for a trunk that only brings inbound calls.
    pub targets: Vec<Target>,
    /// Hosts that calls to SIP URIs go to over it, wherever DNS says that they are; no others but its targets.
    pub sip_hosts: Vec<SipHost>,
    /// What we prove to the peer when it challenges us.
    pub credentials: Option<Credentials>,
    /// Where we register, so that the peer finds us.
    pub registration: Option<Registration>,
    /// How the targets are probed; none: they are believed to be up.
    pub health: Option<Health>,
    /// Beginnings of the numbers that outbound calls go over it to; empty for all. Of trunks that serve a number the one with the longest
    /// is tried first.
    pub prefixes: Vec<String>,
    /// Of trunks that serve a number as well, those with the lowest are tried first; at most [`MAX_RANK`].
    pub rank: u32,
    /// How many calls it carries at once, both directions together. At least 1.
    pub max_channels: u32,
    /// How many outbound calls may be begun in a second. Above 0.
    pub calls_per_second: f32,
    /// How many outbound calls it carries at once to numbers that begin so: the lines of one operator behind it. A call that comes in from
    /// such a number has one of these lines, too.
    pub channels_by_prefix: ChannelsByPrefix,
    /// What outbound calls leave free for those that come in.
    pub reserved: Reserved,
    /// How it writes and reads numbers.
    pub numbers: NumberRules,
    /// How it shows who calls.
    pub caller_id: CallerIdRules,
    /// What stands between the peer and us.
    pub nat: Nat,
    /// What its final answers mean.
    pub outcomes: Outcomes,
    /// What is spoken with it, most preferred first. Never empty.
    pub codecs: Vec<sdp::Codec>,
    /// Who is believed about the keys that are pressed there.
    pub dtmf: DigitPolicy,
    /// Whether audio is encrypted.
    pub encryption: Encryption,
}

impl Trunk {
    /// Whether calls of this account may go over it, or come in there.
    #[must_use]
    pub fn is_for(&self, account: &Account) -> bool {
        self.account.is_none() || self.is_own(account)
    }

    /// Whether it is this account's alone, or its parent's.
    #[must_use]
    pub fn is_own(&self, account: &Account) -> bool {
        self.account == Some(account.sid)
            || self.account.is_some_and(|own| account.parent == Some(own))
    }

    /// Whether outbound calls can go over it.
    #[must_use]
    pub fn is_outbound(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Whether calls to SIP URIs of this host may go over it: a name in lower case, or an address without brackets.
    #[must_use]
    pub fn has_sip_host(&self, host: &str) -> bool {
        match host.parse() {
            Ok(address) => self.has_sip_address(address),
            Err(_) => self.sip_hosts.iter().any(|known| known.has_name(host)),
        }
    }

    /// Whether this address is named as one that they may go to.
    #[must_use]
    pub fn has_sip_address(&self, address: IpAddr) -> bool {
        self.sip_hosts
            .iter()
            .any(|known| known.has_address(address))
    }
}

/// Whether a trunk's audio is encrypted: SRTP (RFC 3711), its keys in descriptions that go over TLS (RFC 4568).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Never.
    #[default]
    Off,
    /// Where the peer does it too.
    Optional,
    /// Always: there is no call without.
    Required,
}

impl Encryption {
    /// The same for offers and answers.
    #[must_use]
    pub const fn policy(self) -> sdp::Security {
        match self {
            Self::Off => sdp::Security::None,
            Self::Optional => sdp::Security::Offer,
            Self::Required => sdp::Security::Require,
        }
    }
}

/// What a peer proves by digest (RFC 3261 section 22, RFC 8760). The realm is its carrier's: [`crate::Directory::realm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// One of its kind in its realm.
    pub username: String,
    /// Sealed on the disk.
    pub password: Secret,
    /// The peer may register, and [`Target::Registered`] is where it then is.
    pub registers: bool,
}

/// What we prove by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// As the peer gave it out.
    pub username: String,
    /// Sealed on the disk.
    pub password: Secret,
    /// The one realm that may ask; none: any realm of the peer.
    pub realm: Option<String>,
}

/// Our registration at a provider (RFC 3261 section 10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Whom we register with; its host is that of our address of record.
    pub registrar: TargetUri,
    /// The user part of our address of record: whom the provider knows.
    pub user: String,
    /// The user part of our contact. The provider's calls come for it, so it is a number of an account.
    pub contact_user: String,
    /// How long a registration is asked to hold, in seconds; 60 to 86,400.
    pub expires_s: u32,
}

/// How targets are probed with OPTIONS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// From probe to probe, in seconds; 5 to 3,600.
    pub every_s: u32,
    /// After so many probes without an answer a target is down. At least 1.
    pub down_after: u32,
    /// After so many answered probes it is up again. At least 1.
    pub up_after: u32,
}

impl Default for Health {
    /// A probe every 30 s; down after 3, up after 2.
    fn default() -> Self {
        Self {
            every_s: 30,
            down_after: 3,
            up_after: 2,
        }
    }
}

/// What stands between a peer and us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nat {
    /// Responses go to the port a request came from, even if the peer does not ask for it (RFC 3581).
    pub force_rport: bool,
    /// Requests within a dialog go where the peer speaks from, not to its `Contact`.
    pub to_source: bool,
    /// RTP goes where the peer's RTP comes from.
    pub symmetric_rtp: bool,
    /// The address that the peer reaches our SIP at, where it is not the server's usual one.
    pub advertised_sip: Option<SocketAddr>,
    /// The address that the peer reaches our RTP at, where it is not the server's usual one.
    pub advertised_media: Option<IpAddr>,
}

/// Channels that outbound calls leave free, so that people get through during an emergency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Of the whole trunk; less than it has.
    pub channels: u32,
    /// Of the lines of one operator; less than these are.
    pub by_prefix: ChannelsByPrefix,
}

/// Channel limits for parts of a trunk, by the beginning of the called number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelsByPrefix(BTreeMap<String, u32>);

impl ChannelsByPrefix {
    /// The longest prefix that the number begins with, and how many calls it carries at once.
    #[must_use]
    pub fn limit(&self, number: &PhoneNumber) -> Option<(&str, u32)> {
        let text = number.as_str();
        let longest_first = (1..=text.len()).rev();
        longest_first
            .filter_map(|length| self.0.get_key_value(&text[..length]))
            .map(|(prefix, channels)| (prefix.as_str(), *channels))
            .next()
    }

    /// The limit of this very prefix.
    #[must_use]
    pub fn of(&self, prefix: &str) -> Option<u32> {
        self.0.get(prefix).copied()
    }

    /// All prefixes with their limits.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0
            .iter()
            .map(|(prefix, channels)| (prefix.as_str(), *channels))
    }
}

impl FromIterator<(String, u32)> for ChannelsByPrefix {
    fn from_iter<I: IntoIterator<Item = (String, u32)>>(limits: I) -> Self {
        Self(limits.into_iter().collect())
    }
}
