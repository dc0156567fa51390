//! Listens to the RTP that reaches one port, whoever holds it: `SIPp` plays recordings but keeps none.

use std::net::Ipv4Addr;

use crate::audio;
use crate::udp_tap::{Datagram, UdpTap};

/// Hears what one port hears.
#[derive(Debug)]
pub struct RtpTap(UdpTap);

impl RtpTap {
    /// Keeps the G.711 audio sent to 127.0.0.1:`port` from now on.
    #[must_use]
    pub fn on(port: u16) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, port)
    }

    /// Keeps the G.711 audio sent to `address`:`port` from now on.
    #[must_use]
    pub fn at(address: Ipv4Addr, port: u16) -> Self {
        Self(UdpTap::on(address, move |datagram| datagram.port == port))
    }

    /// What was heard, in order of arrival.
    #[must_use]
    pub fn finish(self) -> Vec<i16> {
        self.0
            .finish()
            .iter()
            .flat_map(|datagram| samples(datagram).unwrap_or_default())
            .collect()
    }
}

/// The audio of a datagram, if it is RTP of payload type 0 or 8.
fn samples(datagram: &Datagram) -> Option<Vec<i16>> {
    let (payload_type, payload) = datagram.rtp()?;
    let decode = match payload_type {
        0 => audio::mu_law,
        8 => audio::a_law,
        _ => return None,
    };
    Some(payload.iter().copied().map(decode).collect())
}
