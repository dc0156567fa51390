//! Trunks by the addresses their calls come from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::Trunk;

/// Every prefix with its trunks. A look-up costs one probe for each prefix length in use.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceIndex {
    /// The longest first.
    by_length: BTreeMap<Reverse<u8>, HashMap<IpNet, Vec<Arc<Trunk>>>>,
}

impl SourceIndex {
    pub(super) fn new<'t>(trunks: impl Iterator<Item = &'t Arc<Trunk>>) -> Self {
        let mut index = Self::default();
        for trunk in trunks {
            for source in &trunk.sources {
                let network = source.network();
                let length = Reverse(network.prefix_len());
                let of_length = index.by_length.entry(length).or_default();
                of_length
                    .entry(network)
                    .or_default()
                    .push(Arc::clone(trunk));
            }
        }
        index
    }

    /// Each trunk once, the one with the longest prefix around `source` first; of equal length, in their given order. An
    /// IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub(super) fn trunks(&self, source: IpAddr) -> Vec<&Arc<Trunk>> {
        let source = source.to_canonical();
        let mut found: Vec<&Arc<Trunk>> = Vec::new();
        for (Reverse(length), networks) in &self.by_length {
            let around = IpNet::new(source, *length).ok();
            for trunk in around
                .and_then(|around| networks.get(&around.trunc()))
                .into_iter()
                .flatten()
            {
                if !found.iter().any(|known| Arc::ptr_eq(known, trunk)) {
                    found.push(trunk);
                }
            }
        }
        found
    }
}
