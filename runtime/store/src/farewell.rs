//! What ends the SIP dialog of a call whose process is gone.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use sip::{Hop, Remains};

/// A dialog, as it is kept from its answer until its call is over, or its peer was told so. See [`Remains`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    call_id: String,
    from: String,
    to: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
    proved_to: Vec<IpAddr>,
    /// Each a transport by its name in URIs, and an address.
    hops: Vec<(String, SocketAddr)>,
}

impl From<Remains> for Farewell {
    fn from(remains: Remains) -> Self {
        let hops = remains.hops.iter();
        Self {
            hops: hops
                .map(|hop| (hop.transport.to_string(), hop.address))
                .collect(),
            call_id: remains.call_id,
            from: remains.from,
            to: remains.to,
            target: remains.target,
            routes: remains.routes,
            cseq: remains.cseq,
            proved_to: remains.proved_to,
        }
    }
}

impl From<Farewell> for Remains {
    /// A hop of a transport that this program does not know is left out.
    fn from(farewell: Farewell) -> Self {
        let hops = farewell.hops.iter();
        let known = hops
            .filter_map(|(transport, address)| Some(Hop::new(transport.parse().ok()?, *address)));
        Self {
            hops: known.collect(),
            call_id: farewell.call_id,
            from: farewell.from,
            to: farewell.to,
            target: farewell.target,
            routes: farewell.routes,
            cseq: farewell.cseq,
            proved_to: farewell.proved_to,
        }
    }
}
