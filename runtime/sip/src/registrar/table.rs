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

    /// Puts a binding behind the user's others.
    pub(super) fn put_last(&mut self, id: BindingId) {
        let user = self.owners.get(&id);
        if let Some(bindings) = user.and_then(|user| self.users.get_mut(user))
            && let Some(position) = bindings.iter().position(|binding| binding.id() == id)
        {
            bindings[position..].rotate_left(1);
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::binding::Registration;
    use super::super::liveness::Liveness;
    use super::*;
    use crate::testing::{origin, parse_request};
    use crate::{Transport, Uri};

    /// What is done to a table.
    #[derive(Clone, Debug)]
    enum Deed {
        Insert { user: u8, hop: u8, seconds: u64 },
        Change { which: usize, hop: u8, seconds: u64 },
        PutLast { which: usize },
        Remove { which: usize },
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let times = 1..100u64;
        prop_oneof![
            (0..3u8, 0..4u8, times.clone()).prop_map(|(user, hop, seconds)| Deed::Insert {
                user,
                hop,
                seconds
            }),
            (0..20usize, 0..4u8, times).prop_map(|(which, hop, seconds)| Deed::Change {
                which,
                hop,
                seconds
            }),
            (0..20usize).prop_map(|which| Deed::PutLast { which }),
            (0..20usize).prop_map(|which| Deed::Remove { which }),
        ]
    }

    fn login(name: u8) -> User {
        User {
            realm: "r".into(),
            name: name.to_string().into(),
        }
    }

    /// Half of them connections.
    fn hop(number: u8) -> Hop {
        let transport = if number.is_multiple_of(2) {
            Transport::Udp
        } else {
            Transport::Tcp
        };
        Hop::new(transport, ([192, 0, 2, number], 5060).into())
    }

    fn binding(id: BindingId, start: Instant, at: u8, seconds: u64) -> Binding {
        let request = parse_request(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n\
             CSeq: 1 REGISTER\r\n\r\n",
        );
        let contact = Uri::parse(&Bytes::from_static(b"sip:a@h")).unwrap();
        let common = Registration::new(&request, hop(at), Vec::new());
        let liveness = Liveness::new(start, hop(at), Duration::from_secs(25));
        let expires_at = start + Duration::from_secs(seconds);
        Binding::new(id, contact, expires_at, &common, liveness)
    }

    /// The indexes say what the bindings are.
    fn check(table: &Table, ids: &[BindingId]) {
        let all: Vec<_> = table.users.values().flatten().collect();
        let mut held: Vec<_> = all.iter().map(|binding| binding.id()).collect();
        held.sort();
        assert_eq!((&held[..], table.len()), (ids, ids.len()));
        let agenda = all.iter().map(|binding| (binding.wakes_at(), binding.id()));
        assert_eq!(table.agenda, agenda.collect());
        let hops = all.iter().map(|binding| (binding.hop, binding.id()));
        assert_eq!(table.hops, hops.collect());
        assert!(table.users.values().all(|bindings| !bindings.is_empty()));
        for (user, bindings) in &table.users {
            assert!(
                bindings
                    .iter()
                    .all(|binding| table.owners[&binding.id()] == *user)
            );
        }
    }

    proptest! {
        #[test]
        fn the_indexes_follow(deeds in prop::collection::vec(deed(), 0..60)) {
            let start = origin();
            let mut table = Table::default();
            let mut ids = Vec::new();
            for deed in deeds {
                match deed {
                    Deed::Insert { user, hop, seconds } => {
                        let id = table.new_id();
                        table.insert(&login(user), binding(id, start, hop, seconds));
                        ids.push(id);
                    }
                    Deed::Change { which, hop, seconds } => {
                        if let Some(id) = ids.get(which) {
                            let changed = table.change(*id, |known| *known = binding(*id, start, hop, seconds));
                            prop_assert!(changed.is_some());
                        }
                    }
                    Deed::PutLast { which } => {
                        if let Some(id) = ids.get(which) {
                            table.put_last(*id);
                            prop_assert_eq!(table.of(&table.owners[id]).last().map(Binding::id), Some(*id));
                        }
                    }
                    Deed::Remove { which } => {
                        if which < ids.len() {
                            let id = ids.remove(which);
                            prop_assert!(table.remove(id).is_some());
                            prop_assert!(table.remove(id).is_none());
                        }
                    }
                }
                check(&table, &ids);
            }
        }
    }
}
