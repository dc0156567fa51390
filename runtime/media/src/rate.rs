//! The sample rates that calls have.

/// A sample rate of live audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// 8 kHz: the telephone's.
    Narrow,
    /// 16 kHz: wideband.
    Wide,
    /// 48 kHz: what sound cards and browsers have.
    Full,
}

impl Rate {
    /// Every rate, from the lowest.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Full];

    /// Samples a second.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
            Self::Full => 48_000,
        }
    }

    /// Samples in a frame of 20 ms.
    #[must_use]
    pub const fn frame_samples(self) -> usize {
        self.samples(crate::FRAME_MS)
    }

    /// Samples in this many milliseconds.
    #[must_use]
    pub const fn samples(self, ms: u32) -> usize {
        (self.hz() / 1_000 * ms) as usize
    }
}
