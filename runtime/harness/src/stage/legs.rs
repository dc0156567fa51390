//! Both ends of the simulated leg.

use std::net::SocketAddr;

use call::{InboundLeg, OutboundLeg};
use sip::DialogId;

use super::{CALLEE, CALLER};

pub(super) fn inbound_leg() -> InboundLeg {
    InboundLeg {
        dialog: DialogId(1),
        offer: Some(sdp::offer(&local(2))),
        local: local(1),
    }
}

pub(super) fn outbound_leg() -> OutboundLeg {
    OutboundLeg {
        dialog: DialogId(2),
        invite: sip::OutgoingInvite::new(
            sip::Hop::udp(address(2)),
            format!("sip:{CALLER}@192.0.2.2"),
            format!("sip:{CALLEE}@192.0.2.1"),
            format!("sip:{CALLER}@192.0.2.2"),
        ),
        outcomes: Default::default(),
        local: local(1),
    }
}

/// One of the two ends, 1 ours and 2 the caller's.
pub(super) fn local(end: u8) -> sdp::Local {
    sdp::Local {
        codecs: vec![sdp::Codec::Pcmu],
        ..sdp::Local::new(address(end), end.into())
    }
}

/// An address for documentation (RFC 5737): nothing is sent there.
fn address(end: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end], 4000))
}
