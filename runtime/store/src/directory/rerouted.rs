//! What a new directory changes for calls that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use call::AccountSid;

use super::Directory;
use crate::{Account, CarrierId};

impl Directory {
    /// The accounts whose outbound calls may go other ways than by `before`, or no more at all. Things count as changed where they were taken
    /// in anew, whatever is in them; what a carrier or a trunk has become concerns the accounts of that carrier.
    #[must_use]
    pub fn rerouted_since(&self, before: &Self) -> BTreeSet<AccountSid> {
        let trunks = changed(&self.trunks, &before.trunks).map(|trunk| &trunk.carrier);
        let carriers = changed(&self.carriers, &before.carriers).map(|carrier| &carrier.id);
        let networks: BTreeSet<&CarrierId> = trunks.chain(carriers).collect();
        let is_in_one = |account: &&Arc<Account>| networks.contains(&account.carrier);
        let of_networks = self.accounts.values().filter(is_in_one);
        let of_networks: Vec<_> = of_networks.map(|account| account.sid).collect();
        let mut rerouted: BTreeSet<AccountSid> = changed(&self.accounts, &before.accounts)
            .map(|account| account.sid)
            .collect();
        for (carrier, numbers) in &self.numbers {
            let (none, old) = (BTreeMap::new(), before.numbers.get(carrier));
            rerouted.extend(changed(numbers, old.unwrap_or(&none)).map(|number| number.account));
        }
        let gone = |carrier| !self.numbers.contains_key(carrier);
        let gone = before.numbers.iter().filter(|(carrier, _)| gone(*carrier));
        rerouted.extend(gone.flat_map(|(_, old)| old.values().map(|number| number.account)));
        let caller_ids = changed(&self.caller_ids, &before.caller_ids);
        rerouted.extend(caller_ids.map(|caller_id| caller_id.account));
        // What is their parent's is theirs.
        let of_parents = self.accounts.values().filter(|account| {
            let parent = account.parent;
            parent.is_some_and(|parent| rerouted.contains(&parent))
        });
        let of_parents: Vec<_> = of_parents.map(|account| account.sid).collect();
        rerouted.extend(of_parents);
        rerouted.extend(of_networks);
        rerouted
    }
}

/// What is new, as it is; what was, where it is another one or gone.
fn changed<'d, K: Ord, T>(
    new: &'d BTreeMap<K, Arc<T>>,
    old: &'d BTreeMap<K, Arc<T>>,
) -> impl Iterator<Item = &'d Arc<T>> {
    let differs = |key: &K, value: &Arc<T>, other: &BTreeMap<K, Arc<T>>| {
        other
            .get(key)
            .is_none_or(|other| !Arc::ptr_eq(other, value))
    };
    let came = new
        .iter()
        .filter(move |(key, value)| differs(key, value, old));
    let went = old
        .iter()
        .filter(move |(key, value)| differs(key, value, new));
    came.chain(went).map(|(_, value)| value)
}
