//! How a call was heard.

use std::time::Duration;

use rtp::{Impairment, Measured, Quality};
use serde::{Deserialize, Serialize};

/// How the peer was heard here, and as far as it tells, we there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallQuality {
    /// Packets that came, without duplicates.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came too late to be heard.
    pub late: u64,
    /// The interarrival jitter at its highest, in milliseconds (RFC 3550 section 6.4.1).
    pub max_jitter_ms: u32,
    /// The mean time to the peer and back, in milliseconds; none if it sends no RTCP.
    pub round_trip_ms: Option<u32>,
    /// Packets of ours that the peer missed; none if it sends no RTCP.
    pub peer_lost: Option<u32>,
    /// The mean opinion that the E-model expects (ITU-T G.107), in hundredths: 100 to 441.
    pub mos_hundredths: u16,
}

impl CallQuality {
    /// Rates what was measured. None if nothing came.
    #[must_use]
    pub fn of(measured: &Measured, impairment: Impairment, peer_lost: Option<u32>) -> Option<Self> {
        let quality = Quality::rate(measured, impairment)?;
        let ms = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        Some(Self {
            received: measured.received,
            lost: measured.lost,
            late: measured.late,
            max_jitter_ms: ms(measured.jitter),
            round_trip_ms: measured.round_trip.map(ms),
            peer_lost,
            mos_hundredths: (quality.mos * 100.0).round() as u16,
        })
    }

    /// The mean opinion, 1 to 4.41.
    #[must_use]
    pub fn mos(&self) -> f64 {
        f64::from(self.mos_hundredths) / 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_rated_by_what_came() {
        let clean = Measured {
            received: 1_000,
            buffered: Duration::from_millis(80),
            ..Measured::default()
        };
        let rate = |measured: Measured| {
            CallQuality::of(&measured, Impairment::G711_CONCEALED, None)
                .map(|quality| quality.mos_hundredths)
        };
        assert_eq!(rate(Measured::default()), None);
        let best = rate(clean).unwrap();
        assert!((435..=441).contains(&best), "{best}");
        let lossy = rate(Measured { lost: 50, ..clean }).unwrap();
        let late = rate(Measured { late: 50, ..clean }).unwrap();
        let far = Measured {
            round_trip: Some(Duration::from_millis(800)),
            ..clean
        };
        let far = rate(far).unwrap();
        assert!(
            lossy < best && late < best && far < best,
            "{lossy} {late} {far}"
        );
        assert!(late <= lossy, "{late} {lossy}");
    }
}
