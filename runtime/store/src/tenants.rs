//! The tenants file: what `jackfield apply FILE` loads.
//!
//! A file is complete in itself: whatever it refers to, it also names. Applying it changes what it names and leaves the
//! rest of the store alone. Unknown keys, dangling references and values out of range are errors that give the line and the fix.
//!
//! ```toml
//! [[carrier]]
//! id = "demo"                            # a-z, 0-9 and -
//! name = "Demo Telecom"                  # for people; the id if left out
//! # domain = "voice.example.org"         # the API's host name for its accounts, and the realm of its trunks' logins
//! # number_pool = ["+85512000001"]       # numbers that its accounts may take over the API
//! # calls_per_second = 20.0               # begun by all its accounts together, over all its trunks
//!
//! [[account]]
//! carrier = "demo"
//! name = "hotline"
//! # sid = "AC0123…"                      # derived from carrier and name if left out
//! # auth_token = "…"                     # at least 16 characters; if left out, made at the first apply and told once
//! media_dir = "media"                    # the folder flows play from; relative to this file
//! voice = "kal"                          # who speaks where a flow names nobody
//! open_recordings = true                 # files of recordings are fetched without credentials; with them if left out
//! settings = { greeting = "hello" }      # for every flow of the account
//! fallback = { twiml = "<Response><Say>Sorry.</Say></Response>" } # what a caller gets when a flow fails
//! egress.allow = ["127.0.0.0/8"]         # where HTTP may go beyond global addresses
//! outbound.allow = ["+855", "1294", "sip:"]  # whom it may call: number beginnings, short codes, SIP URIs at the trunks
//! outbound.max_channels = 10             # calls at once, both directions
//! outbound.calls_per_second = 1.0
//! outbound.max_waiting = 100000          # how many of its calls may wait, up to 1000000
//! outbound.priority = "normal"           # the class of calls that name none: "emergency", "normal", "bulk"
//! outbound.highest_priority = "normal"   # the most urgent class that its calls may have
//! outbound.expires_after_s = 3600        # how long a call waits at most; for ever if left out
//! outbound.window = "08:00-20:00 mon-sat Asia/Phnom_Penh" # the hours of calls that name none; at any time if left out
//! secrets = { crm-token = "8-or-more-characters" } # for header fields of its components' requests; sealed on the disk
//! [account.grants]                       # what its components may use beyond their calls; nothing if left out
//! hosts = ["api.example.org", "*.example.net"]  # HTTP and WebSocket; "*" for all
//! dial = ["+855"]                        # as in outbound.allow, which bounds it; "*" for all
//! settings = ["greeting"]                # settings of the account; "*" for all
//! secrets = ["crm-token"]                # secrets of the account; "*" for all
//! key-value = true                       # pairs that outlive calls
//!
//! [[trunk]]
//! id = "gateway"
//! carrier = "demo"
//! sources = ["127.0.0.1", "203.0.113.0/24"]  # where inbound calls come from without a password
//! targets = ["sip:sbc.example.org", "127.0.0.1:5080"]  # where outbound calls go, tried in turn; or "registered"
//! # sip_hosts = ["pbx.example.net", "*.example.org", "10.0.0.0/8"] # calls to SIP URIs of these hosts go over it; of none if left out
//! # account = "hotline"                  # the one account that has it; all of the carrier if left out
//! # prefixes = ["+85510", "+85569"]      # the numbers that outbound calls go over it to; all if left out
//! # rank = 1                             # of trunks that serve a number as well, the lowest is tried first; 0 if left out
//! max_channels = 32                      # calls at once, both directions
//! calls_per_second = 10.0                # begun by us; needed where there are targets
//! channels_by_prefix = { "+85510" = 8 }  # calls at once to and from numbers that begin so
//! reserved_for_inbound = 4               # of `max_channels`, kept free of calls that begin here
//! reserved_by_prefix = { "+85510" = 1 }  # the same of `channels_by_prefix`
//! codecs = ["opus", "G722", "PCMU", "PCMA"] # most preferred first; PCMU and PCMA if left out
//! dtmf = "auto"                          # whom to believe about keys: all, or "rfc4733", "info" or "in-band" alone
//! encryption = "optional"                # SRTP with keys over TLS: "off" (the default), "optional", "required"
//! [trunk.login]                          # what the peer proves to us
//! username = "gw1"
//! password = "8-or-more-characters"      # sealed on the disk
//! registers = true                       # the target "registered" is where it then is
//! [trunk.credentials]                    # what we prove to the peer
//! username = "jackfield"
//! password = "…"
//! # realm = "example.org"                # the one that may ask; any if left out
//! [trunk.registration]                   # we register at the peer
//! registrar = "sip:example.org"
//! # user = "jackfield"                   # as the peer knows us; the user name of the credentials if left out
//! # contact_user = "1294"                # whom its calls come for; the same if left out
//! expires_s = 600
//! [trunk.health]                         # targets are probed with OPTIONS
//! every_s = 30
//! down_after = 3
//! up_after = 2
//! [trunk.numbers]
//! country = "KH"                         # ISO 3166: national forms are read and written by it
//! dial_as = "national"                   # "e164" 85512345678, "plus" (the default), "national" 012345678, "international" 0085512345678
//! # prefix = "9"                         # before every dialled number
//! [trunk.caller_id]
//! dial_as = "plus"
//! headers = ["from", "p-asserted-identity"]  # or "p-preferred-identity", "remote-party-id"; "from" alone if left out
//! user_phone = true                      # ;user=phone behind numbers
//! trusted = true                         # what the peer asserts about its callers is believed
//! [trunk.nat]
//! force_rport = true                     # answers go to the port a request came from
//! to_source = true                       # requests of a dialog go where the peer speaks from
//! symmetric_rtp = true                   # audio goes where the peer's audio comes from
//! # advertised_sip = "203.0.113.1:5060"  # how this peer reaches us, if not as the others do
//! # advertised_media = "203.0.113.1"
//! [trunk.outcomes]
//! 603 = "failed"                         # SIP status → "busy", "no-answer", "canceled", "failed"; over the default table
//!
//! [[operator]]
//! country = "KH"
//! name = "Smart"
//! prefixes = ["+85510", "+85515"]        # a longer one of another operator goes before
//!
//! [[component]]
//! account = "hotline"                    # or "demo/hotline", where two carriers have an account of that name
//! name = "registration"
//! file = "registration.wasm"             # relative to this file
//!
//! [[number]]
//! number = "+85512345678"                # E.164 with its plus, or a short code
//! account = "hotline"
//! flow = "registration"                  # a component named here, one that was uploaded, or a bundled one
//! settings = { language = "km" }         # for this number's calls; they go before the account's
//!
//! [[number]]
//! number = "1294"
//! account = "hotline"
//! voice_url = "http://127.0.0.1:8000/voice"
//! voice_method = "POST"                  # or "GET"
//! status_callback = "http://127.0.0.1:8000/status"  # told how each of its calls ended
//! status_callback_method = "POST"        # or "GET"
//! ```

mod check;
mod file;
mod show;
#[cfg(test)]
mod tests;
mod thing;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use call::{AccountSid, Grants};
use sha2::{Digest, Sha256};

pub use self::thing::Kind;
use crate::component::Component;
use crate::{Author, Carrier, CarrierId, Egress, Flow, Number, Operator, Outbound, Secret, Trunk};

/// The largest component that an account may upload: 32 MiB, for interpreters with a program in them.
pub const MAX_COMPONENT_BYTES: u64 = 32 * 1024 * 1024;

/// What a tenants file says, checked. [`crate::Store::apply`] takes it.
#[derive(Debug, Clone)]
pub struct Tenants {
    pub(crate) operators: Vec<Operator>,
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) accounts: Vec<NewAccount>,
    pub(crate) trunks: Vec<Trunk>,
    pub(crate) components: Vec<NewComponent>,
    pub(crate) numbers: Vec<Number>,
    /// The file's own text of each table, by kind, in the order of the lists. Passwords are in it.
    pub(crate) said: BTreeMap<&'static str, Vec<Secret>>,
    /// Whether it is a change over the API, and no file.
    pub(crate) is_edit: bool,
    /// Whether it goes before what was changed otherwise since it was applied last.
    pub(crate) overwrites: bool,
    pub(crate) author: Author,
}

/// What the reader of a tenants file must know besides the file.
pub struct Surroundings<'a> {
    /// The folder that paths in the file are relative to.
    pub folder: &'a Path,
    /// The names of the flows that every account has.
    pub bundled: &'a [&'a str],
    /// Whether an account of this carrier has a plugin of this name, uploaded by itself or by the carrier.
    pub uploaded: &'a dyn Fn(&CarrierId, AccountSid, &str) -> bool,
    /// Whether these bytes are a component that can run with what its account grants; if not, says what is wrong.
    pub check_component: &'a CheckComponent<'a>,
}

/// Looks over a component's bytes, for an account that grants this.
pub type CheckComponent<'a> = dyn Fn(&[u8], &Grants) -> Result<(), String> + 'a;

/// What is wrong with a tenants file, where, and how to put it right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TenantsError {
    /// Counts from 1.
    pub line: usize,
    /// Says what is wrong and how to put it right.
    pub message: String,
}

/// An account as the file has it: the token may be missing.
#[derive(Debug, Clone)]
pub(crate) struct NewAccount {
    pub(crate) sid: AccountSid,
    pub(crate) carrier: CarrierId,
    pub(crate) name: String,
    pub(crate) auth_token: Option<Secret>,
    pub(crate) egress: Egress,
    pub(crate) outbound: Outbound,
    pub(crate) fallback: Option<Flow>,
    pub(crate) media_dir: Option<PathBuf>,
    pub(crate) voice: Option<String>,
    pub(crate) has_open_recordings: bool,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) grants: Grants,
}

/// A component's row and its bytes.
#[derive(Clone)]
pub(crate) struct NewComponent {
    pub(crate) row: Component,
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for NewComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.row, f)
    }
}

impl Tenants {
    /// Reads a tenants file and the component files it names, and checks all of it. Gives the first thing that is wrong.
    pub fn parse(text: &str, surroundings: &Surroundings<'_>) -> Result<Self, TenantsError> {
        let file = file::parse(text)?;
        let said = file::tables(text)?;
        check::check(text, file, said, surroundings)
    }

    /// The same, applied by this author, and then: when its components count as uploaded. Without it by the operator, in 1970.
    #[must_use]
    pub fn applied_by(self, author: Author) -> Self {
        Self { author, ..self }
    }

    /// The same, so that it goes before what was changed over the API since it was applied last. Without it what the file says just as
    /// it did then stays as the API has left it.
    #[must_use]
    pub fn overwriting(self, overwrites: bool) -> Self {
        Self { overwrites, ..self }
    }

    /// The rows of a kind, each with what the file says of it.
    pub(crate) fn said<'t, T>(
        &'t self,
        rows: &'t [T],
        kind: &str,
    ) -> impl Iterator<Item = (&'t T, &'t str)> {
        let texts = self.said.get(kind).map(Vec::as_slice).unwrap_or_default();
        rows.iter().zip(texts.iter().map(Secret::expose))
    }
}

/// What an account of a tenants file grants: `account` is its name, or `carrier/name`. None if there is no such account. Nothing else of the
/// file is checked.
///
/// # Errors
/// When the file is none, or the grants are not.
pub fn grants_in(text: &str, account: &str) -> Result<Option<Grants>, TenantsError> {
    let file = file::parse(text)?;
    let is_meant = |table: &&file::AccountTable| {
        let (carrier, name) = (table.carrier.get_ref(), table.name.get_ref());
        name == account || format!("{carrier}/{name}") == account
    };
    let Some(table) = file.account.iter().find(is_meant) else {
        return Ok(None);
    };
    let Some(grants) = &table.grants else {
        return Ok(Some(Grants::default()));
    };
    grants
        .get_ref()
        .check_entries()
        .map_err(|message| TenantsError {
            line: check::line_at(text, grants.span().start),
            message,
        })?;
    Ok(Some(grants.get_ref().clone()))
}

/// The SID of an account whose file names none: the same for the same carrier and name.
fn derived_sid(carrier: &CarrierId, name: &str) -> AccountSid {
    let digest: [u8; 32] = Sha256::digest(format!("jackfield account\0{carrier}\0{name}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    AccountSid::from_bytes(bytes)
}
