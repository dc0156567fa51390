//! What is left of a dialog whose endpoint is gone: enough to end it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::ask::Within;
use crate::digest::Credentials;
use crate::{Ask, Hop, Method};

/// How far the number of a goodbye is beyond the last one that is known: what was sent since then is not. Numbers need only grow (RFC 3261
/// §12.2.1.1).
const BEYOND: u32 = 100_000;

/// A dialog, as far as its BYE needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The `Call-ID`.
    pub call_id: String,
    /// Our address with our tag.
    pub from: String,
    /// The peer's address with its tag.
    pub to: String,
    /// The peer's target.
    pub target: String,
    /// `Route` values in the order that our requests have.
    pub routes: Vec<String>,
    /// The number of our last request.
    pub cseq: u32,
    /// The hosts that our credentials were for: those of the INVITE's targets, and none of a call that came in.
    pub proved_to: Vec<IpAddr>,
    /// Where our requests go; the second one where the first is a connection that is gone.
    pub hops: Vec<Hop>,
}

impl Remains {
    /// The BYE, from another endpoint at the same place. `advertised` and `credentials` as in [`Ask`]; where it goes to another host than the
    /// INVITE did, because the peer said so, nothing is proved.
    #[must_use]
    pub fn bye(self, advertised: Option<SocketAddr>, credentials: Option<Arc<Credentials>>) -> Ask {
        let is_known = |hop: &Hop| self.proved_to.contains(&hop.address.ip().to_canonical());
        let credentials = credentials.filter(|_| self.hops.iter().all(is_known));
        Ask {
            method: Method::Bye,
            targets: self.hops,
            routes: self.routes,
            advertised,
            from: self.target.clone(),
            to: self.target.clone(),
            request_uri: self.target,
            call_id: Some(self.call_id),
            cseq: self.cseq.saturating_add(BEYOND),
            headers: Vec::new(),
            credentials,
            within: Some(Within {
                from: self.from,
                to: self.to,
            }),
        }
    }
}
