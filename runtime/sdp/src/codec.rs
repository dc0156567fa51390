//! The audio codecs we speak.

/// An audio codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.722 at 64 kbit/s.
    G722,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// Opus (RFC 7587).
    Opus,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::G722, Self::Pcmu, Self::Pcma, Self::Opus];

    /// What every telephone speaks.
    pub const NARROWBAND: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// The payload type we give it: that of RFC 3551 section 6, where it has one, with or without an `a=rtpmap` line.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The codec that a payload type without an `a=rtpmap` line means.
    #[must_use]
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.is_static() && codec.payload_type() == payload_type)
    }

    /// The codec of an encoding name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The encoding name of the `a=rtpmap` line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// RTP timestamps a second. G.722 has 16,000 samples and counts 8,000, by an old mistake (RFC 3551 section 4.5.2).
    #[must_use]
    pub const fn clock_rate_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// Whether RFC 3551 gives it a number.
    const fn is_static(self) -> bool {
        !matches!(self, Self::Opus)
    }

    /// Whether an `a=rtpmap` line with this clock rate and these channels means the codec of its name.
    pub(crate) fn is_mapped_so(self, clock_rate_hz: u32, channels: Option<&str>) -> bool {
        let channels = channels.map_or("1", str::trim);
        match self {
            Self::Pcmu | Self::Pcma => clock_rate_hz == 8_000 && channels == "1",
            // Some write the rate of the samples.
            Self::G722 => matches!(clock_rate_hz, 8_000 | 16_000) && channels == "1",
            // RFC 7587 section 7 has two channels whatever is sent; some write one, or none.
            Self::Opus => clock_rate_hz == 48_000 && matches!(channels, "1" | "2"),
        }
    }
}
