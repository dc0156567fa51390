//! Tenants to dial for, and time that passes as it is told.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{AccountSid, CallSid};
use jackfield_dial::{CallRequest, Now};
use store::tenants::Surroundings;
use store::{
    AccountStore, Author, CarrierId, Directory, MemoryStore, OperatorEdit, QueueTerms, Store,
    Tenants,
};

/// Limits of an account or a trunk: calls at once, calls begun in a second.
pub(crate) type Limits = (u32, f32);

/// One carrier with these trunks and accounts, all of which may call `+855…` and SIP URIs.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Trunk `t0` takes the calls to numbers; each takes those to its own `sip:` target, and those to the [`Self::prefixes`] it has.
    pub(crate) trunks: Vec<Limits>,
    pub(crate) accounts: Vec<Limits>,
    /// Channels of `t0` for numbers that begin so.
    pub(crate) parts: Vec<(&'static str, u32)>,
    /// The prefixes of trunks behind `t0`; without it they serve a number that nobody calls.
    pub(crate) prefixes: Vec<&'static str>,
    /// Trunks behind `t0` that serve all numbers as it does.
    pub(crate) everything: Vec<usize>,
    /// What outbound calls leave free of `t0`, and of its parts.
    pub(crate) reserved: u32,
    pub(crate) reserved_parts: Vec<(&'static str, u32)>,
    /// Calls that all accounts together may begin in a second.
    pub(crate) carrier_rate: Option<f32>,
    /// What stands in every account's `outbound` besides.
    pub(crate) outbound: &'static str,
    /// Accounts whose queues are stopped.
    pub(crate) stopped: Vec<usize>,
    /// Whether account 0 may call at all.
    pub(crate) first_may_call: bool,
}

impl World {
    pub(crate) fn new(trunks: &[Limits], accounts: &[Limits]) -> Self {
        Self {
            trunks: trunks.to_vec(),
            accounts: accounts.to_vec(),
            parts: Vec::new(),
            prefixes: Vec::new(),
            everything: Vec::new(),
            reserved: 0,
            reserved_parts: Vec::new(),
            carrier_rate: None,
            outbound: "",
            stopped: Vec::new(),
            first_may_call: true,
        }
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        let mut text = "[[carrier]]\nid = \"east\"\n".to_owned();
        if let Some(rate) = self.carrier_rate {
            writeln!(text, "calls_per_second = {rate:?}").unwrap();
        }
        for (at, (channels, rate)) in self.trunks.iter().enumerate() {
            let target = target(at);
            writeln!(
                text,
                "[[trunk]]\nid = \"t{at}\"\ncarrier = \"east\"\ntarget = \"{target}\"\nmax_channels = {channels}\ncalls_per_second = {rate:?}"
            )
            .unwrap();
            let narrow = at.checked_sub(1).filter(|_| !self.everything.contains(&at));
            if let Some(others) = narrow {
                let prefix = self.prefixes.get(others).unwrap_or(&"+999");
                writeln!(text, "prefixes = [\"{prefix}\"]").unwrap();
            }
            if at == 0 {
                writeln!(text, "reserved_for_inbound = {}", self.reserved).unwrap();
                for (table, parts) in [
                    ("channels_by_prefix", &self.parts),
                    ("reserved_by_prefix", &self.reserved_parts),
                ] {
                    writeln!(text, "[trunk.{table}]").unwrap();
                    for (prefix, channels) in parts {
                        writeln!(text, "\"{prefix}\" = {channels}").unwrap();
                    }
                }
            }
        }
        for (at, (channels, rate)) in self.accounts.iter().enumerate() {
            let allow = if at > 0 || self.first_may_call {
                "\"+855\", \"sip:\""
            } else {
                ""
            };
            writeln!(
                text,
                "[[account]]\ncarrier = \"east\"\nname = \"a{at}\"\nsid = \"{}\"\noutbound = {{ allow = [{allow}], max_channels = {channels}, calls_per_second = {rate:?}{} }}",
                account(at),
                self.outbound
            )
            .unwrap();
            writeln!(
                text,
                "[[number]]\nnumber = \"{}\"\naccount = \"a{at}\"\nflow = \"menu\"",
                number(at)
            )
            .unwrap();
        }
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &["menu"],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let store = MemoryStore::new();
        store
            .apply(Tenants::parse(&text, &surroundings).unwrap())
            .wait()
            .unwrap();
        for at in &self.stopped {
            let stop = OperatorEdit::StopQueue(account(*at), true);
            store.administer(stop, Author::operator(0)).wait().unwrap();
        }
        assert!(
            store
                .directory()
                .carrier(&CarrierId("east".to_owned()))
                .is_some()
        );
        store.directory()
    }
}

/// The target of trunk `at`.
pub(crate) fn target(at: usize) -> String {
    format!("203.0.113.{}:5060", at + 1)
}

/// The SID of account `at`.
pub(crate) fn account(at: usize) -> AccountSid {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(at as u64).to_be_bytes());
    AccountSid::from_bytes(bytes)
}

fn number(at: usize) -> String {
    format!("+8551{at:07}")
}

/// The SID of call `at`.
pub(crate) fn call(at: u64) -> CallSid {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&at.to_be_bytes());
    CallSid::from_bytes(bytes)
}

/// Call `at` of an account, to a number: over trunk `t0`.
pub(crate) fn request(at: u64, of: usize) -> CallRequest {
    CallRequest {
        call: call(at),
        account: account(of),
        from: number(of),
        to: "+85599999999".to_owned(),
        terms: QueueTerms::default(),
        tried: Vec::new(),
        plan: None,
    }
}

/// Call `at` of an account, to this number.
pub(crate) fn request_to(at: u64, of: usize, to: &str) -> CallRequest {
    CallRequest {
        to: to.to_owned(),
        ..request(at, of)
    }
}

/// Call `at` of an account, to a SIP URI of a trunk.
pub(crate) fn request_over(at: u64, of: usize, trunk: usize) -> CallRequest {
    CallRequest {
        to: format!("sip:1000@{}", target(trunk)),
        ..request(at, of)
    }
}

/// An instant, and a time on the wall that is of no account.
pub(crate) fn at(instant: Instant) -> Now {
    Now {
        instant,
        unix_ms: 0,
    }
}

/// An instant to count virtual time from.
#[allow(clippy::disallowed_methods, reason = "only differences matter")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
