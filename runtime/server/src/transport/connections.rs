//! Which connections there are: the endpoint's thread keeps this, and sends over them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sip::{Hop, PeerSet, Transport};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error};

use super::accept::{self, Reception};
use super::connection::{Closed, ConnectionEvent, Link, Outgoing, link};
use super::dial::{self, Dial};
use super::seats::Seats;
use super::tls::Tls;
use crate::config::Bound;

/// Events of all connections that may wait for the endpoint; connections wait while it is full.
const EVENTS: usize = 1_024;
/// Connections of our own making that may be there at a time.
const MAX_OURS: usize = 1_024;
/// Names of servers that are kept.
const MAX_NAMES: usize = 4_096;

/// The connections, by their remote ends.
pub(crate) struct Connections {
    links: HashMap<Hop, Link>,
    peers: watch::Sender<PeerSet>,
    /// Who is to be met at a hop over TLS.
    names: HashMap<Hop, Arc<str>>,
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
            names: HashMap::new(),
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

    /// Over TLS, only a server with a certificate of this name (or IP address) is spoken to at this hop. One that was met under
    /// another name is left.
    pub(crate) fn expect(&mut self, hop: Hop, name: Arc<str>) {
        if self.names.len() >= MAX_NAMES {
            // Names come from DNS, and what it said before may be over. Those in use are needed to open a connection again.
            let links = &self.links;
            self.names.retain(|hop, _| links.contains_key(hop));
        }
        let is_another = |link: &Link| link.name.as_ref() != Some(&name);
        if hop.transport.is_secure() && self.links.get(&hop).is_some_and(is_another) {
            self.links.remove(&hop);
        }
        self.names.insert(hop, name);
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
        self.links.insert(link.hop, link);
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
            self.links.remove(&hop);
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
        let Some(link) = self.links.get(&to) else {
            return Some(out);
        };
        // Who connected to us from there has proved nothing.
        let is_unproved = to.transport.is_secure() && !link.is_ours;
        if is_unproved && self.names.contains_key(&to) {
            return Some(out);
        }
        match link.queue.try_send(out) {
            Ok(()) => None,
            Err(TrySendError::Closed(out)) => {
                self.links.remove(&to);
                Some(out)
            }
            Err(TrySendError::Full(out)) => {
                debug!(%to, "a SIP connection is closed: its peer does not read");
                self.links.remove(&to);
                Some(out)
            }
        }
    }

    fn open(&mut self, to: Hop, out: Outgoing) -> Result<(), Hop> {
        let ours = self.links.values().filter(|link| link.is_ours).count();
        let can_open = matches!(to.transport, Transport::Tcp | Transport::Tls);
        if !can_open || ours >= MAX_OURS {
            return Err(to);
        }
        let (mut link, ends) = link(to, true, self.events.clone());
        link.name = self.names.get(&to).cloned();
        link.queue
            .try_send(out)
            .expect("a new queue has room for one");
        let dial = Dial {
            to,
            from: dial::source_for(to.address, &self.bound.plain),
            name: link.name.clone(),
            tls: self.tls.clone(),
        };
        self.runtime.spawn(dial.run(ends));
        self.links.insert(to, link);
        Ok(())
    }
}
