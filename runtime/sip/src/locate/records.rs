//! What is asked of DNS, and what comes back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One thing to find out. Names are lower-case and complete, without the dot at their end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// NAPTR records.
    Naptr(Arc<str>),
    /// SRV records.
    Srv(Arc<str>),
    /// A and AAAA records.
    Addresses(Arc<str>),
}

impl Lookup {
    /// The name that is looked up.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Naptr(name) | Self::Srv(name) | Self::Addresses(name) => name,
        }
    }
}

/// What came of a [`Lookup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Records, in the order they came. Those of another type than asked for are passed over.
    Found {
        /// Never changed once read, hence shared.
        records: Arc<[Record]>,
        /// How long they may be kept.
        ttl: Duration,
    },
    /// There is no such name, or it has no records of the type.
    NotFound,
    /// No server answered, or one could not: whether there are records is unknown.
    Failed,
}

/// A DNS record that locating a server reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A pointer to a service (RFC 3403).
    Naptr(Naptr),
    /// A server of a service (RFC 2782).
    Srv(Srv),
    /// An A or AAAA record.
    Address(IpAddr),
}

/// A NAPTR record, without its regular expression: SIP uses none (RFC 3263 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower comes first.
    pub order: u16,
    /// Among those of one order, lower comes first.
    pub preference: u16,
    /// `s` for a name that has SRV records, in either case.
    pub flags: Box<str>,
    /// Such as `SIP+D2U`, in either case.
    pub services: Box<str>,
    /// The name to look up next.
    pub replacement: Arc<str>,
}

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower comes first.
    pub priority: u16,
    /// Among those of one priority, the share of the calls that this server gets.
    pub weight: u16,
    /// The server's port.
    pub port: u16,
    /// The server's name; `.` says that there is no such service.
    pub target: Arc<str>,
}

/// A name as [`Lookup`] has it, from one as DNS writes it: `.`, the root, becomes the empty name.
pub(super) fn plain(name: &str) -> Arc<str> {
    name.strip_suffix('.')
        .unwrap_or(name)
        .to_ascii_lowercase()
        .into()
}
