//! Which connections there are: the endpoint's thread keeps this, and sends over them.

use std::collections::HashMap;

use bytes::Bytes;
use sip::{Hop, PeerSet, Transport};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error};

use super::accept::{self, Reception};
use super::connection::{Closed, Link, News, Outgoing, link};
use super::dial;
use super::seats::Seats;
use crate::config::Bound;

/// News of all connections that may wait for the endpoint; connections wait while it is full.
const NEWS: usize = 1_024;
/// Connections of our own making that may be there at a time.
const MAX_OURS: usize = 1_024;

/// The connections, by their remote ends.
pub(crate) struct Connections {
    links: HashMap<Hop, Link>,
    peers: watch::Sender<PeerSet>,
    news: mpsc::Sender<News>,
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
        runtime: Handle,
    ) -> (Self, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(NEWS);
        let (peers, known) = watch::channel(PeerSet::default());
        let reception = Reception {
            news: news.clone(),
            peers: known,
            seats: Seats::new(max_connections),
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
            news,
            runtime,
            bound,
        };
        (connections, heard)
    }

    /// From now on these peers have more room than others.
    pub(crate) fn set_peers(&self, peers: PeerSet) {
        self.peers.send_replace(peers);
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
        if to.transport != Transport::Tcp || ours >= MAX_OURS {
            return Err(to);
        }
        let (link, ends) = link(to, true, self.news.clone());
        link.queue
            .try_send(out)
            .expect("a new queue has room for one");
        let from = dial::source_for(to.address, &self.bound.plain);
        self.runtime.spawn(dial::open(to, from, ends));
        self.links.insert(to, link);
        Ok(())
    }
}
