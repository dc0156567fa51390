//! How good a call sounded, by the E-model (ITU-T G.107), from what RTP and RTCP tell.
//!
//! Of the E-model everything but codec, loss and delay is at its default value (G.107 table 3), which leaves
//!
//! - `R = 93.2 - Idd - Ie,eff`, where 93.2 is `Ro - Is` of the default values;
//! - `Ie,eff = Ie + (95 - Ie) · Ppl / (Ppl / BurstR + Bpl)`, Ppl in percent, `BurstR` 1: losses by chance (G.107 section 7.5);
//! - `Idd = 25 · ((1 + X⁶)^(1/6) - 3 · (1 + (X/3)⁶)^(1/6) + 2)`, `X = log2(Ta / 100 ms)`, 0 up to 100 ms (G.107 section 7.4);
//! - `MOS = 1 + 0.035 · R + R · (R - 60) · (100 - R) · 7 · 10⁻⁶` (G.107 annex B).
//!
//! Echo is taken for cancelled. It is the narrow-band scale throughout: wide-band speech sounds better than its figure here.

use std::time::Duration;

/// R of a perfect call at the default values.
const MAX_R: f64 = 93.2;

/// What a codec and loss do to speech (ITU-T G.113 appendix I).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impairment {
    /// Ie, without loss: 0 for G.711.
    pub equipment: f64,
    /// Bpl: the higher, the less loss is heard.
    pub loss_robustness: f64,
}

impl Impairment {
    /// G.711 whose gaps are concealed by its appendix I (G.113 table I.4).
    pub const G711_CONCEALED: Self = Self::new(0.0, 25.1);
    /// G.722 at 64 kbit/s with its gaps concealed. The narrow-band scale has no row for it: as G.711, which it is not worse than.
    pub const G722: Self = Self::new(0.0, 25.1);
    /// Opus. ITU-T has no row for it: as G.711, with the robustness of a concealment that is as good.
    pub const OPUS: Self = Self::new(0.0, 25.1);

    const fn new(equipment: f64, loss_robustness: f64) -> Self {
        Self {
            equipment,
            loss_robustness,
        }
    }

    /// Ie,eff at this loss in percent.
    fn effective(self, loss_percent: f64) -> f64 {
        self.equipment
            + (95.0 - self.equipment) * loss_percent / (loss_percent + self.loss_robustness)
    }
}

/// What was counted and measured of what one side heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// Packets that came, without duplicates.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came too late to be played.
    pub late: u64,
    /// The interarrival jitter at its highest (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// To the peer and back; none if the peer sends no reports.
    pub round_trip: Option<Duration>,
    /// How long audio waits with us: the jitter buffer's delay and the length of a packet.
    pub buffered: Duration,
}

/// How good it sounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Packets that were not heard, lost or late, in percent of those that were sent.
    pub loss_percent: f64,
    /// From mouth to ear as far as it is known: half the round trip and what is buffered.
    pub delay: Duration,
    /// The E-model's rating, 0 to 93.2. Above 80 users are satisfied, below 60 nearly all are not (ITU-T G.109).
    pub r_factor: f64,
    /// The estimated mean opinion, 1 to 4.41.
    pub mos: f64,
}

impl Quality {
    /// Rates a call. None if nothing was sent to us.
    #[must_use]
    pub fn rate(measured: &Measured, impairment: Impairment) -> Option<Self> {
        let sent = measured.received.saturating_add(measured.lost);
        let unheard = measured.lost.saturating_add(measured.late).min(sent);
        if sent == 0 {
            return None;
        }
        let loss_percent = 100.0 * unheard as f64 / sent as f64;
        let delay = measured.round_trip.unwrap_or_default() / 2 + measured.buffered;
        let r_factor = (MAX_R - delay_impairment(delay) - impairment.effective(loss_percent))
            .clamp(0.0, MAX_R);
        Some(Self {
            loss_percent,
            delay,
            r_factor,
            mos: mos(r_factor),
        })
    }
}

/// Idd of an absolute delay.
fn delay_impairment(delay: Duration) -> f64 {
    let x = (delay.as_secs_f64() / 0.1).max(1.0).log2();
    let sixth = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (sixth(x) - 3.0 * sixth(x / 3.0) + 2.0)
}

/// The mean opinion of a rating. 1 up to where the polynomial, which dips below 1 there, is above it.
fn mos(r: f64) -> f64 {
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G.711 whose gaps stay silent (G.113 table I.4).
    const SILENT_GAPS: Impairment = Impairment::new(0.0, 4.3);
    /// GSM full rate: Ie of G.113 table I.1; that table has no Bpl for it, so it is that of its successor, GSM EFR.
    const GSM: Impairment = Impairment::new(20.0, 10.0);

    fn near(value: f64, expected: f64, tolerance: f64, what: &str) {
        assert!(
            (value - expected).abs() <= tolerance,
            "{what}: {value}, not {expected}"
        );
    }

    #[test]
    fn opinions_are_those_of_g_107_table_b_1() {
        for (r, expected) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            near(mos(r), expected, 0.007, &format!("R {r}"));
        }
        assert_eq!((mos(0.0), mos(3.0), mos(100.0)), (1.0, 1.0, 4.5));
    }

    #[test]
    fn delay_costs_what_g_107_says() {
        for (delay_ms, expected) in [
            (0, 0.0),
            (100, 0.0),
            (150, 0.16),
            (200, 3.04),
            (250, 8.92),
            (300, 14.76),
            (400, 24.07),
            (500, 30.64),
        ] {
            let impairment = delay_impairment(Duration::from_millis(delay_ms));
            near(impairment, expected, 0.01, &format!("{delay_ms} ms"));
        }
    }

    #[test]
    fn loss_costs_what_g_113_says() {
        for (impairment, loss_percent, expected) in [
            (SILENT_GAPS, 0.0, 0.0),
            (SILENT_GAPS, 1.0, 17.9),
            (SILENT_GAPS, 5.0, 51.1),
            (Impairment::G711_CONCEALED, 1.0, 3.6),
            (Impairment::G711_CONCEALED, 5.0, 15.8),
            (GSM, 0.0, 20.0),
            (GSM, 10.0, 57.5),
        ] {
            let what = format!("{impairment:?} {loss_percent} %");
            near(impairment.effective(loss_percent), expected, 0.05, &what);
        }
    }

    #[test]
    fn a_call_is_rated_by_all_that_was_measured() {
        let perfect = Measured {
            received: 1_000,
            buffered: Duration::from_millis(60),
            ..Measured::default()
        };
        let far = Measured {
            round_trip: Some(Duration::from_millis(450)),
            ..perfect
        };
        let lossy = Measured {
            received: 950,
            lost: 50,
            ..perfect
        };
        let late = Measured {
            late: 50,
            ..perfect
        };
        let nothing_heard = Measured {
            late: 2_000,
            ..perfect
        };
        for (measured, impairment, loss_percent, delay_ms, r_factor, mos) in [
            (perfect, SILENT_GAPS, 0.0, 60, 93.2, 4.41),
            (perfect, GSM, 0.0, 60, 73.2, 3.75),
            (far, SILENT_GAPS, 0.0, 285, 80.1, 4.03),
            (lossy, Impairment::G711_CONCEALED, 5.0, 60, 77.4, 3.93),
            (late, Impairment::G711_CONCEALED, 5.0, 60, 77.4, 3.93),
            (nothing_heard, SILENT_GAPS, 100.0, 60, 2.1, 1.0),
        ] {
            let quality = Quality::rate(&measured, impairment).unwrap();
            let what = format!("{measured:?} {impairment:?}: {quality:?}");
            near(quality.loss_percent, loss_percent, 1e-9, &what);
            assert_eq!(quality.delay, Duration::from_millis(delay_ms), "{what}");
            near(quality.r_factor, r_factor, 0.5, &what);
            near(quality.mos, mos, 0.02, &what);
        }
        assert_eq!(Quality::rate(&Measured::default(), SILENT_GAPS), None);
    }
}
