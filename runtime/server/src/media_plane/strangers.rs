//! Where the audio of hosts may be that are not the operator's.

use std::net::IpAddr;
use std::sync::Arc;

use store::Trunk;

/// For a call to a host of the trunk's `sip_hosts`, whose signalling comes from these addresses: audio goes to public addresses, to
/// those that the operator names there, and to where the signalling comes from. Where the trunk has symmetric RTP, a host that names
/// another of its own is behind a NAT, and is taken to be where its signalling is.
pub(crate) fn strangers(trunk: &Trunk, signals_from: &[IpAddr]) -> sdp::Strangers {
    let signals_from: Vec<_> = signals_from.iter().map(IpAddr::to_canonical).collect();
    let instead = signals_from.first().copied();
    let hosts = trunk.sip_hosts.clone();
    let inside = move |address: IpAddr| {
        let is_theirs = signals_from.contains(&address);
        let is_named = || hosts.iter().any(|host| host.has_address(address));
        egress::special(address).filter(|_| !is_theirs && !is_named())
    };
    sdp::Strangers {
        inside: Arc::new(inside),
        instead: instead.filter(|_| trunk.nat.symmetric_rtp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trunks::testing::calling;

    #[test]
    fn audio_goes_outside_or_where_the_operator_says() {
        let trunk = calling("[\"pbx.example.net\", \"10.20.0.0/16\"]");
        let from = ["10.9.0.1".parse().unwrap(), "1.0.0.1".parse().unwrap()];
        let strangers_of = |trunk: &Trunk| strangers(trunk, &from);
        for (address, expected) in [
            ("1.1.1.1", None),
            ("10.20.3.4", None),
            ("10.9.0.1", None),
            ("10.9.0.2", Some("a private address")),
            ("192.168.0.1", Some("a private address")),
            ("100.64.0.1", Some("a carrier-grade NAT address")),
            ("fd00::1", Some("a private address")),
        ] {
            let inside = (strangers_of(&trunk).inside)(address.parse().unwrap());
            assert_eq!(inside, expected, "{address}");
        }
        assert_eq!(strangers_of(&trunk).instead, None);
        let mut behind_nat = Trunk::clone(&trunk);
        behind_nat.nat.symmetric_rtp = true;
        assert_eq!(strangers_of(&behind_nat).instead, Some(from[0]));
    }
}
