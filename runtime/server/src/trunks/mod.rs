//! The trunks as they are now: whether their targets answer, whether we are registered, where gateways are.

pub(crate) mod admission;
mod keeper;
mod route;
pub(crate) mod status;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sip::{Contacts, Hop, registration};
use store::{Directory, Trunk, TrunkId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::endpoint::EndpointHandle;
use crate::resolver::Resolver;
use keeper::{Keeper, Tools};
pub(crate) use route::{NoRoute, Stop};

/// How a trunk stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Our registration at its provider.
    pub(crate) registration: Option<registration::State>,
    /// Servers of its targets that do not answer.
    pub(crate) down: BTreeSet<Hop>,
    /// How many servers its targets have that are probed.
    pub(crate) servers: usize,
}

impl Standing {
    /// Whether none of its servers answers.
    fn is_down(&self) -> bool {
        !self.down.is_empty() && self.down.len() >= self.servers
    }
}

/// How a keeper leaves its trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// The trunk is gone: the provider is told.
    Farewell,
    /// The trunk changed, and another keeper takes over: a farewell could overtake its greeting.
    Silent,
}

/// All trunks of the directory that is in force.
pub(crate) struct Trunks {
    tools: Tools,
    /// Held for a step at a time, never while waiting.
    kept: Mutex<BTreeMap<TrunkId, Kept>>,
}

/// A trunk and its keeper.
struct Kept {
    trunk: Arc<Trunk>,
    standing: watch::Receiver<Standing>,
    parting: watch::Sender<Option<Parting>>,
    /// None for a trunk that needs no keeping.
    task: Option<JoinHandle<()>>,
}

impl Trunks {
    /// The trunks of which no server answers.
    pub(crate) fn down(&self) -> BTreeSet<TrunkId> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let down = kept
            .iter()
            .filter(|(_, kept)| kept.standing.borrow().is_down());
        down.map(|(trunk, _)| trunk.clone()).collect()
    }

    pub(crate) fn new(endpoint: EndpointHandle, resolver: Resolver, contacts: Contacts) -> Self {
        Self {
            tools: Tools {
                endpoint,
                resolver: Arc::new(resolver),
                contacts,
            },
            kept: Mutex::default(),
        }
    }

    /// Keeps the trunks of this directory from now on. One that did not change goes on as it was.
    pub(crate) fn set_directory(&self, directory: &Directory) {
        let mut kept = self.lock();
        kept.retain(|id, kept| {
            let parting = match directory.trunk(id) {
                Some(trunk) if *trunk == kept.trunk => return true,
                Some(_) => Parting::Silent,
                None => Parting::Farewell,
            };
            kept.parting.send_replace(Some(parting));
            false
        });
        for trunk in directory.trunks() {
            if !kept.contains_key(&trunk.id) {
                kept.insert(trunk.id.clone(), self.keep(trunk));
            }
        }
    }

    /// Takes all registrations back. Resolves when that is done, or given up.
    pub(crate) async fn stop(&self) {
        let all = std::mem::take(&mut *self.lock());
        let tasks: Vec<_> = all
            .into_values()
            .filter_map(|kept| {
                kept.parting.send_replace(Some(Parting::Farewell));
                kept.task
            })
            .collect();
        for task in tasks {
            if let Err(error) = task.await {
                warn!("a trunk's keeper broke: {error}");
            }
        }
    }

    /// How a trunk stands; one that is unknown stands as if nothing were known of it.
    pub(crate) fn standing(&self, id: &TrunkId) -> Standing {
        let kept = self.lock();
        kept.get(id)
            .map(|kept| kept.standing.borrow().clone())
            .unwrap_or_default()
    }

    fn keep(&self, trunk: &Arc<Trunk>) -> Kept {
        let (told, standing) = watch::channel(Standing::default());
        let (parting, parted) = watch::channel(None);
        let task =
            Keeper::new(&self.tools, trunk, told).map(|keeper| tokio::spawn(keeper.run(parted)));
        Kept {
            trunk: Arc::clone(trunk),
            standing,
            parting,
            task,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TrunkId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What we prove to a trunk's peer.
pub(crate) fn credentials(trunk: &Trunk) -> Option<Arc<sip::digest::Credentials>> {
    let ours = trunk.credentials.as_ref()?;
    let made = sip::digest::Credentials::new(
        ours.username.as_str(),
        ours.password.expose(),
        ours.realm.clone(),
    );
    made.inspect_err(|error| warn!(trunk = %trunk.id, "unusable credentials: {error}"))
        .ok()
        .map(Arc::new)
}
