//! What is measured of a leg: written by its thread, read by whoever ends the call.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use call::CallQuality;
use media::Codec;
use rtp::{Impairment, Measured};

/// The figures of one leg. Each is whole for itself; they are of the same 20 ms, or of two that follow each other.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    received: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
    jitter_us: AtomicU64,
    /// 0: not measured.
    round_trip_us: AtomicU64,
    buffered_ms: AtomicU32,
    /// 0: the peer has not reported; else one more than what it lost of ours.
    peer_lost: AtomicU32,
    /// The place in [`Codec::ALL`].
    codec: AtomicU32,
}

/// What a leg tells of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) measured: Measured,
    /// Of the packets we sent; none if the peer does not report.
    pub(super) peer_lost: Option<u32>,
    pub(super) codec: Codec,
}

impl Measurements {
    pub(super) fn write(&self, figures: &Figures) {
        let measured = &figures.measured;
        let us = |duration: Duration| duration.as_micros() as u64;
        self.received.store(measured.received, Relaxed);
        self.lost.store(measured.lost, Relaxed);
        self.late.store(measured.late, Relaxed);
        self.jitter_us.store(us(measured.jitter), Relaxed);
        let round_trip = measured
            .round_trip
            .map_or(0, |round_trip| us(round_trip).max(1));
        self.round_trip_us.store(round_trip, Relaxed);
        let buffered = measured.buffered.as_millis() as u32;
        self.buffered_ms.store(buffered, Relaxed);
        let peer_lost = figures.peer_lost.map_or(0, |lost| lost.saturating_add(1));
        self.peer_lost.store(peer_lost, Relaxed);
        let codec = Codec::ALL.iter().position(|codec| *codec == figures.codec);
        self.codec.store(codec.unwrap_or(0) as u32, Relaxed);
    }

    /// How the call was so far; none if nothing was heard of the peer.
    pub(super) fn quality(&self) -> Option<CallQuality> {
        let us = |cell: &AtomicU64| Duration::from_micros(cell.load(Relaxed));
        let measured = Measured {
            received: self.received.load(Relaxed),
            lost: self.lost.load(Relaxed),
            late: self.late.load(Relaxed),
            jitter: us(&self.jitter_us),
            round_trip: Some(us(&self.round_trip_us)).filter(|time| !time.is_zero()),
            buffered: Duration::from_millis(self.buffered_ms.load(Relaxed).into()),
        };
        let codec = Codec::ALL[self.codec.load(Relaxed) as usize];
        let peer_lost = self.peer_lost.load(Relaxed).checked_sub(1);
        CallQuality::of(&measured, impairment(codec), peer_lost)
    }
}

const fn impairment(codec: Codec) -> Impairment {
    match codec {
        Codec::Pcmu | Codec::Pcma => Impairment::G711_CONCEALED,
        Codec::G722 => Impairment::G722,
        _ => Impairment::OPUS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let measurements = Measurements::default();
        assert_eq!(measurements.quality(), None);
        let measured = Measured {
            received: 970,
            lost: 30,
            late: 20,
            jitter: Duration::from_micros(7_300),
            round_trip: Some(Duration::from_millis(450)),
            buffered: Duration::from_millis(80),
        };
        for (codec, peer_lost) in Codec::ALL
            .into_iter()
            .zip([None, Some(0), Some(7), Some(1)])
        {
            measurements.write(&Figures {
                measured,
                peer_lost,
                codec,
            });
            let expected = CallQuality::of(&measured, impairment(codec), peer_lost);
            assert!(expected.is_some());
            assert_eq!(measurements.quality(), expected);
        }
    }
}
