//! Which compiled versions new calls begin with.

use std::collections::HashMap;

use call::{CallSid, Grants};
use plugin_host::{Flow, Worlds};
use sha2::{Digest, Sha256};
use store::{Account, Canary, PluginOwner, Sha256Digest};

/// All versions that have a part to play, compiled. A change of any makes a new shelf; who holds an old one keeps it.
#[derive(Default)]
pub(super) struct Shelf {
    plugins: HashMap<PluginOwner, HashMap<String, Serving>>,
}

/// One plugin's versions that have a part to play.
#[derive(Default)]
pub(super) struct Serving {
    pub(super) active: Option<Loaded>,
    /// Ready for a rollback.
    pub(super) last_good: Option<Loaded>,
    pub(super) canary: Option<(Loaded, Canary)>,
}

/// A version, compiled.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) number: u32,
    /// Of its bytes.
    pub(super) sha256: Sha256Digest,
    /// All that it runs.
    pub(super) worlds: Worlds,
}

impl Shelf {
    pub(super) fn put(&mut self, owner: PluginOwner, name: String, serving: Serving) {
        self.plugins.entry(owner).or_default().insert(name, serving);
    }

    pub(super) fn get(&self, owner: &PluginOwner, name: &str) -> Option<&Serving> {
        self.plugins.get(owner)?.get(name)
    }

    /// What a call of this account begins with under this name, and whose it is: the account's own plugin, or else its carrier's. A plugin
    /// that runs no calls is none here.
    pub(super) fn choose(
        &self,
        account: &Account,
        name: &str,
        call: CallSid,
    ) -> Option<Chosen<'_>> {
        let owners = [
            PluginOwner::Account(account.sid),
            PluginOwner::Carrier(account.carrier.clone()),
        ];
        owners.into_iter().find_map(|owner| {
            let loaded = self.get(&owner, name)?.choose(name, call)?;
            Some(Chosen {
                owner,
                number: loaded.number,
                flow: loaded.worlds.call_flow.as_ref()?,
            })
        })
    }

    /// What decides about this call of this account in one of the worlds of decisions: the first by name of the account's own plugins that run it, or
    /// else of its carrier's.
    pub(super) fn decider<T>(
        &self,
        account: &Account,
        call: CallSid,
        of: fn(&Worlds) -> Option<&T>,
    ) -> Option<Deciding<'_, T>> {
        let owners = [
            PluginOwner::Account(account.sid),
            PluginOwner::Carrier(account.carrier.clone()),
        ];
        owners.iter().find_map(|owner| {
            let (owner, plugins) = self.plugins.get_key_value(owner)?;
            let deciding = plugins.iter().filter_map(|(name, serving)| {
                let loaded = serving.choose(name, call)?;
                Some(Deciding {
                    owner,
                    name,
                    number: loaded.number,
                    asks: &loaded.worlds.asks,
                    decider: of(&loaded.worlds)?,
                })
            });
            deciding.min_by_key(|one| one.name)
        })
    }

    /// The compiled code of these bytes, if some version has them.
    pub(super) fn worlds(&self, sha256: Sha256Digest) -> Option<Worlds> {
        let serving = self.plugins.values().flat_map(HashMap::values);
        let loaded = serving.flat_map(Serving::loaded);
        loaded
            .into_iter()
            .find(|one| one.sha256 == sha256)
            .map(|one| one.worlds.clone())
    }
}

/// What a call begins with.
pub(super) struct Chosen<'s> {
    /// Whose plugin it is.
    pub(super) owner: PluginOwner,
    /// Its version.
    pub(super) number: u32,
    pub(super) flow: &'s Flow,
}

/// A version that decides.
pub(super) struct Deciding<'s, T> {
    /// Whose plugin it is.
    pub(super) owner: &'s PluginOwner,
    /// Its name.
    pub(super) name: &'s str,
    /// Its version.
    pub(super) number: u32,
    /// What it asks for.
    pub(super) asks: &'s Grants,
    pub(super) decider: &'s T,
}

impl Serving {
    fn choose(&self, name: &str, call: CallSid) -> Option<&Loaded> {
        match &self.canary {
            Some((loaded, canary)) if is_among(canary.percent, name, call) => Some(loaded),
            _ => self.active.as_ref(),
        }
    }

    fn loaded(&self) -> impl Iterator<Item = &Loaded> {
        let canary = self.canary.as_ref().map(|(loaded, _)| loaded);
        [self.active.as_ref(), self.last_good.as_ref(), canary]
            .into_iter()
            .flatten()
    }
}

/// Whether the call is among so many in a hundred. The same call always is or is not, and one that is among few is among more.
fn is_among(percent: u8, name: &str, call: CallSid) -> bool {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([0])
        .chain_update(call.as_bytes())
        .finalize();
    let drawn = u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
    drawn % 100 < u64::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> impl Iterator<Item = CallSid> {
        (0..10_000_u64).map(|number| {
            let mut bytes = [0; 16];
            bytes[8..].copy_from_slice(&number.to_be_bytes());
            CallSid::from_bytes(bytes)
        })
    }

    #[test]
    fn a_share_of_calls_is_about_as_large_as_asked_for() {
        for (percent, least, most) in [
            (0, 0, 0),
            (1, 60, 140),
            (10, 900, 1_100),
            (50, 4_800, 5_200),
            (100, 10_000, 10_000),
        ] {
            let count = calls()
                .filter(|call| is_among(percent, "survey", *call))
                .count();
            assert!((least..=most).contains(&count), "{percent} %: {count}");
        }
    }

    #[test]
    fn a_call_stays_in_a_share_that_grows_and_is_drawn_for_each_plugin_anew() {
        for call in calls().filter(|call| is_among(10, "survey", *call)) {
            assert!(is_among(20, "survey", call), "{call}");
        }
        let both = calls()
            .filter(|call| is_among(50, "survey", *call) && is_among(50, "menu", *call))
            .count();
        assert!((2_300..=2_700).contains(&both), "{both}");
    }
}
