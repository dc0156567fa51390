//! Which connections there are: the endpoint's thread keeps this, and sends over them.

use std::collections::HashMap;

use bytes::Bytes;
use sip::{Hop, PeerSet, Transport};
use store::TrunkId;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error};

use super::accept::{self, Reception};
use super::connection::{Closed, ConnectionEvent, Link, Outgoing, link};
use super::dial::{self, Dial};
use super::seats::Seats;
use super::servers::{Ours, Server, Servers};
use super::tls::Tls;
use crate::config::Bound;

/// Events of all connections that may wait for the endpoint; connections wait while it is full.
const EVENTS: usize = 1_024;

/// The connections, by their remote ends. Who is met there is part of it: a connection is for the server that was proved to be
/// at its end, and for no other (RFC 3261 §26.3.2.1).
pub(crate) struct Connections {
    links: HashMap<Hop, Link>,
    peers: watch::Sender<PeerSet>,
    servers: Servers,
    ours: Ours,
    /// Counts what is sent.
    sent: u64,
    events: mpsc::Sender<ConnectionEvent>,
    tls: Tls,
    /// Where the connections run.
    runtime: Handle,
    bound: Bound,
}

impl Connections {
    /// Begins to take connections. Returns what they will tell, too, for [`Self::opened`] and [`Self::closed`].
    pub(crate) fn start(
        listeners: Vec<(Transport, std::net::TcpListener)>,
        bound: Bound,
        max_connections: usize,
        tls: Tls,
        runtime: Handle,
    ) -> (Self, mpsc::Receiver<ConnectionEvent>) {
        let (events, heard) = mpsc::channel(EVENTS);
        let (peers, known) = watch::channel(PeerSet::default());
        let reception = Reception {
            events: events.clone(),
            peers: known,
            seats: Seats::new(max_connections),
            tls: tls.clone(),
        };
        for (transport, listener) in listeners {
            let accepting = accept::accept(listener, transport, reception.clone());
            runtime.spawn(async move {
                if let Err(error) = accepting.await {
                    error!(%transport, "SIP connections are not taken: {error}");
                }
            });
        }
        let connections = Self {
            links: HashMap::new(),
            peers,
            servers: Servers::default(),
            ours: Ours::default(),
            sent: 0,
            events,
            tls,
            runtime,
            bound,
        };
        (connections, heard)
    }

    /// From now on these peers have more room than others.
    pub(crate) fn set_peers(&self, peers: PeerSet) {
        self.peers.send_replace(peers);
    }

    /// From now on connections can be opened to this server, which is at these hops.
    pub(crate) fn expect(&mut self, server: Server, hops: Vec<Hop>) {
        self.servers.expect(server, hops);
    }

    /// Sends over the connection to `to`. Where there is none, one is opened to `otherwise`, or else to `to`.
    ///
    /// # Errors
    ///
    /// The hop that no connection can be opened to.
    pub(crate) fn send(
        &mut self,
        to: Hop,
        otherwise: Option<Hop>,
        bytes: Bytes,
    ) -> Result<(), Hop> {
        let out = Outgoing {
            bytes,
            otherwise,
            is_retry: false,
        };
        let Some(out) = self.send_over_existing(to, out) else {
            return Ok(());
        };
        let Some(otherwise) = otherwise else {
            return self.open(to, out);
        };
        let out = Outgoing {
            otherwise: None,
            ..out
        };
        match self.send_over_existing(otherwise, out) {
            None => Ok(()),
            Some(out) => self.open(otherwise, out),
        }
    }

    /// A peer connected. A connection that it had from the same port is one it has forgotten.
    pub(crate) fn opened(&mut self, link: Link) {
        self.insert(link);
    }

    /// Whether there is a connection with this remote end, or one is being made.
    pub(crate) fn has(&self, hop: Hop) -> bool {
        self.links.contains_key(&hop)
    }

    /// A connection is over. Returns the hops that could not be reached, for each message that was not sent.
    pub(crate) fn closed(&mut self, closed: Closed) -> Vec<Hop> {
        let Closed {
            id,
            hop,
            is_ours,
            unsent,
        } = closed;
        if self.links.get(&hop).is_some_and(|link| link.id == id) {
            self.remove(hop);
        }
        let mut unreachable = Vec::new();
        for out in unsent {
            let failed = match out.otherwise {
                Some(otherwise) => self.send(otherwise, None, out.bytes).err(),
                // What a connection took that its peer had given up meanwhile deserves one that is new.
                None if is_ours && !out.is_retry => {
                    let is_retry = true;
                    let out = Outgoing { is_retry, ..out };
                    match self.send_over_existing(hop, out) {
                        None => None,
                        Some(out) => self.open(hop, out).err(),
                    }
                }
                None => Some(hop),
            };
            unreachable.extend(failed.filter(|hop| !unreachable.contains(hop)));
        }
        unreachable
    }

    /// Gives the message back where there is no connection that takes it.
    fn send_over_existing(&mut self, to: Hop, out: Outgoing) -> Option<Outgoing> {
        let Some(link) = self.links.get_mut(&to) else {
            return Some(out);
        };
        self.sent += 1;
        link.used = self.sent;
        match link.queue.try_send(out) {
            Ok(()) => None,
            Err(TrySendError::Closed(out)) => {
                self.remove(to);
                Some(out)
            }
            Err(TrySendError::Full(out)) => {
                debug!(%to, "a SIP connection is closed: its peer does not read");
                self.remove(to);
                Some(out)
            }
        }
    }

    fn open(&mut self, to: Hop, out: Outgoing) -> Result<(), Hop> {
        let can_open = matches!(to.transport, Transport::Tcp | Transport::Tls);
        if !can_open {
            return Err(to);
        }
        let server = match to.server {
            // Who is met under a name that was forgotten could be anybody.
            Some(id) => Some(self.servers.get(id).ok_or(to)?),
            // One that connected to us, and has to be connected to now.
            None => self.servers.at(to),
        };
        let (name, owner) = match server.cloned() {
            Some(Server { name, owner }) => (Some(name), owner),
            None => (None, None),
        };
        self.make_room(owner.as_ref());
        if !self.ours.has_room() {
            return Err(to);
        }
        let (mut link, ends) = link(to, true, self.events.clone());
        self.sent += 1;
        link.used = self.sent;
        link.owner = owner;
        link.queue
            .try_send(out)
            .expect("a new queue has room for one");
        let dial = Dial {
            to,
            from: dial::source_for(to.address, &self.bound.plain),
            name,
            tls: self.tls.clone(),
        };
        self.runtime.spawn(dial.run(ends));
        self.insert(link);
        Ok(())
    }

    /// Closes the connection that was sent over longest ago, of an owner that has as many as it may.
    fn make_room(&mut self, owner: Option<&TrunkId>) {
        let Some(crowd) = self.ours.crowd(owner) else {
            return;
        };
        let used = |hop: &&Hop| self.links.get(hop).map(|link| link.used);
        let oldest = crowd.iter().min_by_key(used).copied();
        if let Some(oldest) = oldest {
            debug!(to = %oldest, "a SIP connection makes room for another of its trunk");
            self.remove(oldest);
        }
    }

    fn insert(&mut self, link: Link) {
        self.remove(link.hop);
        if link.is_ours {
            self.ours.add(link.hop, link.owner.as_ref());
        }
        self.links.insert(link.hop, link);
    }

    /// Drops a link: its connection is closed.
    fn remove(&mut self, hop: Hop) {
        let removed = self.links.remove(&hop);
        if let Some(link) = removed.filter(|link| link.is_ours) {
            self.ours.remove(hop, link.owner.as_ref());
        }
    }
}
