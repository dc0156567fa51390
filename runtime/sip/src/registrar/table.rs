//! All bindings, found by user, by hop and by what is due.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::binding::{Binding, BindingId};
use crate::Hop;
use crate::digest::User;

/// The indexes follow each change.
#[derive(Debug, Default)]
pub(super) struct Table {
    users: HashMap<User, Vec<Binding>>,
    owners: HashMap<BindingId, User>,
    hops: BTreeSet<(Hop, BindingId)>,
    agenda: BTreeSet<(Instant, BindingId)>,
    last_id: u64,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn of(&self, user: &User) -> &[Binding] {
        self.users.get(user).map_or(&[], Vec::as_slice)
    }

    pub(super) fn new_id(&mut self) -> BindingId {
        self.last_id += 1;
        BindingId(self.last_id)
    }

    pub(super) fn insert(&mut self, user: &User, binding: Binding) {
        self.owners.insert(binding.id, user.clone());
        self.index(&binding);
        self.users.entry(user.clone()).or_default().push(binding);
    }

    /// Changes a binding; gives it as it is then.
    pub(super) fn change(
        &mut self,
        id: BindingId,
        change: impl FnOnce(&mut Binding),
    ) -> Option<(User, Binding)> {
        let user = self.owners.get(&id)?.clone();
        let bindings = self.users.get_mut(&user)?;
        let binding = bindings.iter_mut().find(|binding| binding.id == id)?;
        self.hops.remove(&(binding.hop, id));
        self.agenda.remove(&(binding.wakes_at(), id));
        change(binding);
        let binding = binding.clone();
        self.index(&binding);
        Some((user, binding))
    }

    pub(super) fn remove(&mut self, id: BindingId) -> Option<(User, Binding)> {
        let user = self.owners.remove(&id)?;
        let bindings = self.users.get_mut(&user)?;
        let position = bindings.iter().position(|binding| binding.id == id)?;
        let binding = bindings.remove(position);
        if bindings.is_empty() {
            self.users.remove(&user);
        }
        self.hops.remove(&(binding.hop, id));
        self.agenda.remove(&(binding.wakes_at(), id));
        Some((user, binding))
    }

    /// The bindings that came from a hop.
    pub(super) fn at(&self, hop: Hop) -> impl Iterator<Item = BindingId> {
        let all = (hop, BindingId(0))..=(hop, BindingId(u64::MAX));
        self.hops.range(all).map(|(_, id)| *id)
    }

    /// The bindings of users for whom `wanted` does not hold.
    pub(super) fn of_others(&self, wanted: impl Fn(&User) -> bool) -> Vec<BindingId> {
        let unwanted = self.users.iter().filter(|(user, _)| !wanted(user));
        unwanted
            .flat_map(|(_, bindings)| bindings.iter().map(Binding::id))
            .collect()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// A binding that is to be looked after.
    pub(super) fn due(&self, now: Instant) -> Option<BindingId> {
        let (at, id) = self.agenda.first()?;
        (*at <= now).then_some(*id)
    }

    fn index(&mut self, binding: &Binding) {
        self.hops.insert((binding.hop, binding.id));
        self.agenda.insert((binding.wakes_at(), binding.id));
    }
}
