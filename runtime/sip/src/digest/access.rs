//! Credentials and whom they are for: nobody else is ever proved anything.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::{Credentials, Login};
use crate::Hop;
use crate::field::Name;
use crate::message::Fields;

/// What requests of ours prove to the hosts that they were meant for.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    credentials: Arc<Credentials>,
    hosts: Arc<[IpAddr]>,
    login: Login,
}

impl Access {
    /// Credentials for the hosts of these hops, whatever the port and transport.
    pub(crate) fn new(credentials: Arc<Credentials>, targets: &[Hop]) -> Self {
        let hosts = targets.iter().map(|hop| host(*hop)).collect();
        Self {
            credentials,
            hosts,
            login: Login::default(),
        }
    }

    /// The hosts that proofs are for.
    pub(crate) fn hosts(&self) -> &[IpAddr] {
        &self.hosts
    }

    /// Takes the 401 or 407 that a request to that hop got. True: send it again.
    pub(crate) fn challenged(&mut self, hop: Hop, response: &Fields, cnonce: &Bytes) -> bool {
        self.hosts.contains(&host(hop))
            && self.login.challenged(&self.credentials, response, cnonce)
    }

    /// Another host is asked now: it has questions of its own.
    pub(crate) fn start_anew(&mut self) {
        self.login = Login::default();
    }

    /// A request was answered by something else than a challenge.
    pub(crate) fn settled(&mut self) {
        self.login.settled();
    }

    /// The header fields that prove a request to that hop; none where it is for others.
    pub(crate) fn fields(
        &mut self,
        hop: Hop,
        method: &[u8],
        uri: &[u8],
        body: &[u8],
    ) -> Vec<(Name, Vec<u8>)> {
        if !self.hosts.contains(&host(hop)) {
            return Vec::new();
        }
        self.login.fields(&self.credentials, method, uri, body)
    }
}

fn host(hop: Hop) -> IpAddr {
    hop.address.ip().to_canonical()
}
