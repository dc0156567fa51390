//! Whom we expect at the far ends of our connections, and whose connections they are.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sip::{Hop, ServerId};
use store::TrunkId;

/// Servers that are known at a time. One that was not asked for longest is forgotten for another.
const MAX_SERVERS: usize = 4_096;
/// Those of them that one trunk has for itself.
const MAX_SERVERS_OF_TRUNK: usize = 256;
/// Connections of our own making that may be there at a time.
const MAX_OURS: usize = 1_024;
/// Those of them that one trunk has for itself.
pub(super) const MAX_OURS_OF_TRUNK: usize = 128;

/// Who is to be met at the far end of a connection of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// The name, or the IP address, that its certificate must be of, over TLS (RFC 5922 §4).
    pub(crate) name: Arc<str>,
    /// The trunk that has the connection for itself; none for one that all share who expect this name.
    pub(crate) owner: Option<TrunkId>,
}

impl Server {
    /// What a hop has of it: the same for the same server, and for no other.
    pub(crate) fn id(&self) -> ServerId {
        let mut digest = Sha256::new_with_prefix(self.name.as_bytes());
        if let Some(owner) = &self.owner {
            // No name has this byte.
            digest.update([0]);
            digest.update(owner.0.as_bytes());
        }
        let digest = digest.finalize();
        ServerId::new(std::array::from_fn(|at| digest[at]))
    }
}

/// The servers that requests may be sent to.
#[derive(Debug, Default)]
pub(super) struct Servers {
    known: HashMap<ServerId, Known>,
    /// Counts what was asked for.
    uses: u64,
}

#[derive(Debug)]
struct Known {
    server: Server,
    /// Where it is.
    hops: Vec<Hop>,
    /// [`Servers::uses`] when it was asked for last.
    used: u64,
}

impl Servers {
    /// From now on this server is known, and to be at these hops.
    pub(super) fn expect(&mut self, server: Server, hops: Vec<Hop>) {
        self.uses += 1;
        let (id, used) = (server.id(), self.uses);
        if let Some(known) = self.known.get_mut(&id) {
            (known.hops, known.used) = (hops, used);
            return;
        }
        let is_alike = |known: &Known| known.server.owner == server.owner;
        let alike = self.known.values().filter(|known| is_alike(known)).count();
        if server.owner.is_some() && alike >= MAX_SERVERS_OF_TRUNK {
            self.forget_one(is_alike);
        } else if self.known.len() >= MAX_SERVERS {
            self.forget_one(|_| true);
        }
        self.known.insert(id, Known { server, hops, used });
    }

    /// The server of this id; none that was forgotten.
    pub(super) fn get(&mut self, id: ServerId) -> Option<&Server> {
        self.uses += 1;
        let known = self.known.get_mut(&id)?;
        known.used = self.uses;
        Some(&known.server)
    }

    /// The shared server at this hop, of several the one that was asked for last.
    pub(super) fn at(&self, hop: Hop) -> Option<&Server> {
        let shared = self.known.values();
        let there =
            shared.filter(|known| known.server.owner.is_none() && known.hops.contains(&hop));
        let last = there.max_by_key(|known| known.used);
        last.map(|known| &known.server)
    }

    /// Forgets, of those, the one that was not asked for longest.
    fn forget_one(&mut self, among: impl Fn(&Known) -> bool) {
        let candidates = self.known.iter().filter(|(_, known)| among(known));
        let oldest = candidates.min_by_key(|(_, known)| known.used);
        if let Some(id) = oldest.map(|(id, _)| *id) {
            self.known.remove(&id);
        }
    }
}

/// The connections of our own making, in all and of each trunk that has some for itself.
#[derive(Debug, Default)]
pub(super) struct Ours {
    count: usize,
    of_trunks: HashMap<TrunkId, HashSet<Hop>>,
}

impl Ours {
    /// Whether there is room for one more, in all.
    pub(super) fn has_room(&self) -> bool {
        self.count < MAX_OURS
    }

    /// All that the owner has for itself, where it has as many as it may.
    pub(super) fn crowd(&self, owner: Option<&TrunkId>) -> Option<&HashSet<Hop>> {
        let hops = self.of_trunks.get(owner?)?;
        (hops.len() >= MAX_OURS_OF_TRUNK).then_some(hops)
    }

    pub(super) fn add(&mut self, hop: Hop, owner: Option<&TrunkId>) {
        self.count += 1;
        if let Some(owner) = owner {
            let hops = self.of_trunks.entry(owner.clone()).or_default();
            hops.insert(hop);
        }
    }

    pub(super) fn remove(&mut self, hop: Hop, owner: Option<&TrunkId>) {
        self.count -= 1;
        let Some(owner) = owner else { return };
        if let Some(hops) = self.of_trunks.get_mut(owner) {
            hops.remove(&hop);
            if hops.is_empty() {
                self.of_trunks.remove(owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, owner: Option<&str>) -> Server {
        Server {
            name: name.into(),
            owner: owner.map(|owner| TrunkId(owner.to_owned())),
        }
    }

    #[test]
    fn a_server_is_known_by_its_name_and_its_owner() {
        let all = [
            server("a.example", None),
            server("b.example", None),
            server("a.example", Some("east")),
            server("a.example", Some("west")),
        ];
        let ids: HashSet<_> = all.iter().map(Server::id).collect();
        assert_eq!(ids.len(), all.len());
        assert_eq!(all[2].id(), server("a.example", Some("east")).id());
    }

    #[test]
    fn a_trunk_with_many_names_makes_nobody_elses_forgotten() {
        let mut servers = Servers::default();
        let shared = server("sbc.example", None);
        let other = server("pbx.example", Some("west"));
        servers.expect(shared.clone(), Vec::new());
        servers.expect(other.clone(), Vec::new());
        let name = |number: usize| server(&format!("host{number}.example"), Some("east"));
        for number in 0..=MAX_SERVERS_OF_TRUNK {
            servers.expect(name(number), Vec::new());
            servers.get(name(0).id());
        }
        assert_eq!(servers.known.len(), 2 + MAX_SERVERS_OF_TRUNK);
        assert!(servers.get(name(1).id()).is_none(), "used longest ago");
        for kept in [name(0), name(2), name(MAX_SERVERS_OF_TRUNK), shared, other] {
            assert_eq!(servers.get(kept.id()), Some(&kept));
        }
    }

    #[test]
    fn a_shared_server_is_found_where_it_was_last() {
        let hop = |last: u8| Hop::new(sip::Transport::Tls, ([192, 0, 2, last], 5061).into());
        let (first, second) = (server("a.example", None), server("b.example", None));
        let mut servers = Servers::default();
        servers.expect(first.clone(), vec![hop(1)]);
        servers.expect(server("c.example", Some("east")), vec![hop(1), hop(3)]);
        assert_eq!(servers.at(hop(1)), Some(&first));
        assert_eq!(servers.at(hop(3)), None, "a trunk's own");
        servers.expect(second.clone(), vec![hop(1)]);
        assert_eq!(servers.at(hop(1)), Some(&second));
        servers.expect(second, vec![hop(2)]);
        assert_eq!(servers.at(hop(1)), Some(&first), "the other one moved");
    }

    #[test]
    fn a_trunk_has_so_many_connections_and_all_have_more() {
        let mut ours = Ours::default();
        let hop = |port: usize| Hop::new(sip::Transport::Tcp, ([192, 0, 2, 1], port as u16).into());
        let east = TrunkId("east".to_owned());
        for port in 0..MAX_OURS_OF_TRUNK {
            assert_eq!(ours.crowd(Some(&east)), None);
            ours.add(hop(port), Some(&east));
        }
        let crowd = ours.crowd(Some(&east)).map(HashSet::len);
        assert_eq!(crowd, Some(MAX_OURS_OF_TRUNK));
        assert_eq!(ours.crowd(Some(&TrunkId("west".to_owned()))), None);
        ours.remove(hop(0), Some(&east));
        assert_eq!(ours.crowd(Some(&east)), None);
        for port in MAX_OURS_OF_TRUNK..=MAX_OURS {
            assert!(ours.has_room());
            ours.add(hop(port), None);
        }
        assert_eq!((ours.has_room(), ours.crowd(None)), (false, None));
        ours.remove(hop(MAX_OURS), None);
        assert!(ours.has_room());
    }

    #[test]
    fn there_are_no_more_than_so_many() {
        let mut servers = Servers::default();
        let name = |number: usize| server(&format!("sbc{number}.example"), None);
        for number in 0..=MAX_SERVERS {
            servers.expect(name(number), Vec::new());
        }
        assert_eq!(servers.known.len(), MAX_SERVERS);
        assert!(servers.get(name(0).id()).is_none());
    }
}
