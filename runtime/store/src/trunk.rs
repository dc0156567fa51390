//! A trunk: a SIP peer of a carrier.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{CarrierId, IpPrefix};

/// Names a trunk: 1 to 63 of `a-z`, `0-9` and `-`, one of its kind in the whole runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrunkId(pub String);

impl fmt::Display for TrunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SIP peer: where a carrier's calls come from, and where they are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    /// Its name in every key and reference.
    pub id: TrunkId,
    /// Whose trunk it is.
    pub carrier: CarrierId,
    /// The addresses that inbound calls may come from; none for a trunk that only takes outbound calls.
    pub sources: Vec<IpPrefix>,
    /// Where outbound calls are sent; none for a trunk that only brings inbound calls.
    pub target: Option<SocketAddr>,
    /// How many calls it carries at once, both directions together. At least 1.
    pub max_channels: u32,
    /// How many outbound calls may be begun in a second. Above 0.
    pub calls_per_second: f32,
}
