//! Whose packets one stream takes, and where it sends: the signalled address, or one that was learned (RFC 7362).

use std::net::{IpAddr, SocketAddr};

use crate::Packet;

/// Packets in a row that prove a sender: more than a stray one, and 60 ms of audio. RFC 3550 appendix A.1 is content with two.
const PROOF: u8 = 3;

/// Ticks of 20 ms between the first packet that may be learned from and the end of learning: 2 s.
const WINDOW_TICKS: u8 = 100;

/// The peer's address of one stream.
///
/// By default it is the signalled one, and a packet from anywhere else is refused. Behind a NAT the peer cannot know the address that
/// its packets come from; where the operator says so, it is learned from them, once after each offer and answer:
///
/// - from the IP addresses that the peer's signalling comes from, or the signalled address itself, and from nowhere else;
/// - by three packets of one address, one SSRC and consecutive sequence numbers, with nothing of another sender between them;
/// - within 2 s of the first of them. After that the address stays what it was.
///
/// Until it is learned packets go to the signalled address, so that a peer that learns too has something to learn from.
#[derive(Debug, Clone)]
pub struct Latch {
    learns_from: Box<[IpAddr]>,
    signalled: Option<SocketAddr>,
    peer: Option<SocketAddr>,
    learning: Option<Learning>,
}

/// One chance to learn.
#[derive(Debug, Clone, Default)]
struct Learning {
    run: Option<Run>,
    /// Since the first packet.
    ticks: u8,
}

/// Packets in a row.
#[derive(Debug, Clone)]
struct Run {
    source: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
    length: u8,
}

impl Latch {
    /// Takes nothing before [`Self::agree`]. `learns_from`: the addresses that the peer's signalling comes from if its media address
    /// is to be learned; none to keep to the signalled one.
    #[must_use]
    pub fn new(learns_from: &[IpAddr]) -> Self {
        Self {
            learns_from: learns_from.iter().map(IpAddr::to_canonical).collect(),
            signalled: None,
            peer: None,
            learning: None,
        }
    }

    /// An offer was answered: the peer wants its media at `signalled`. Learning begins anew. If the peer named the same address
    /// before, what was learned then stays in use until something else is.
    pub fn agree(&mut self, signalled: SocketAddr) {
        let signalled = canonical(signalled);
        if self.signalled.replace(signalled) != Some(signalled) {
            self.peer = Some(signalled);
        }
        self.learning = (!self.learns_from.is_empty()).then(Learning::default);
    }

    /// Where to send; none before the first [`Self::agree`].
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Whether a packet from `source` could be taken or learned from. If not, it need not be read.
    #[must_use]
    pub fn considers(&self, source: SocketAddr) -> bool {
        let source = canonical(source);
        self.peer == Some(source) || self.learns_from(source)
    }

    /// Whether this packet is the peer's. Give it only packets with a payload type that was negotiated.
    pub fn take(&mut self, source: SocketAddr, packet: &Packet<'_>) -> bool {
        let source = canonical(source);
        if self.learns_from(source)
            && let Some(learning) = &mut self.learning
            && learning.is_proved_by(source, packet)
        {
            self.peer = Some(source);
            self.learning = None;
        }
        self.peer == Some(source)
    }

    /// 20 ms passed.
    pub fn tick(&mut self) {
        if let Some(learning) = &mut self.learning
            && learning.run.is_some()
        {
            learning.ticks += 1;
            if learning.ticks >= WINDOW_TICKS {
                self.learning = None;
            }
        }
    }

    fn learns_from(&self, source: SocketAddr) -> bool {
        self.learning.is_some()
            && (self.learns_from.contains(&source.ip()) || self.signalled == Some(source))
    }
}

impl Learning {
    fn is_proved_by(&mut self, source: SocketAddr, packet: &Packet<'_>) -> bool {
        let length = match &self.run {
            Some(run)
                if (run.source, run.ssrc, run.next_sequence)
                    == (source, packet.ssrc, packet.sequence) =>
            {
                run.length + 1
            }
            _ => 1,
        };
        self.run = Some(Run {
            source,
            ssrc: packet.ssrc,
            next_sequence: packet.sequence.wrapping_add(1),
            length,
        });
        length >= PROOF
    }
}

/// IPv4 as such, also where a socket for both versions maps it into IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests;
