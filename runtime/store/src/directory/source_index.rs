//! Trunks by the addresses their calls come from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use crate::{IpPrefix, Trunk};

/// Every prefix with its trunks. A look-up costs one probe for each prefix length in use.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceIndex {
    /// The longest first.
    by_length: BTreeMap<Reverse<u8>, HashMap<IpPrefix, Vec<Arc<Trunk>>>>,
}

impl SourceIndex {
    pub(super) fn new<'t>(trunks: impl Iterator<Item = &'t Arc<Trunk>>) -> Self {
        let mut index = Self::default();
        for trunk in trunks {
            for prefix in &trunk.sources {
                let of_length = index.by_length.entry(Reverse(prefix.length())).or_default();
                of_length
                    .entry(*prefix)
                    .or_default()
                    .push(Arc::clone(trunk));
            }
        }
        index
    }

    /// Each trunk once, the one with the longest prefix around `source` first; of equal length, in their given order.
    pub(super) fn trunks(&self, source: IpAddr) -> Vec<&Arc<Trunk>> {
        let mut found: Vec<&Arc<Trunk>> = Vec::new();
        for (Reverse(length), prefixes) in &self.by_length {
            let around = IpPrefix::around(source, *length);
            for trunk in around
                .and_then(|prefix| prefixes.get(&prefix))
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
