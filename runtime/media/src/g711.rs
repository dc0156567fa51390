//! G.711: eight bits a sample.

/// One of the two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// µ-law, RTP's PCMU: the Americas and Japan.
    Mu,
    /// A-law, RTP's PCMA: everywhere else.
    A,
}

/// By the sample's upper 14 bits.
static MU_ENCODE: [u8; 1 << 14] = {
    let mut table = [0; 1 << 14];
    let mut index = 0;
    while index < table.len() {
        table[index] = mu_encode((index as i16) << 2 >> 2);
        index += 1;
    }
    table
};

/// By the sample's upper 13 bits.
static A_ENCODE: [u8; 1 << 13] = {
    let mut table = [0; 1 << 13];
    let mut index = 0;
    while index < table.len() {
        table[index] = a_encode((index as i16) << 3 >> 3);
        index += 1;
    }
    table
};

static MU_DECODE: [i16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        table[index] = mu_decode(index as u8);
        index += 1;
    }
    table
};

static A_DECODE: [i16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        table[index] = a_decode(index as u8);
        index += 1;
    }
    table
};

impl Law {
    /// The code of a sample.
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        let bits = usize::from(sample.cast_unsigned());
        match self {
            Self::Mu => MU_ENCODE[bits >> 2],
            Self::A => A_ENCODE[bits >> 3],
        }
    }

    /// The sample of a code.
    #[must_use]
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Self::Mu => MU_DECODE[usize::from(code)],
            Self::A => A_DECODE[usize::from(code)],
        }
    }

    /// The code of silence.
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xff,
            Self::A => 0xd5,
        }
    }
}

/// µ-law (table 2a/b of G.711) of a sample of 14 bits: sign, three bits of segment, four of interval, all inverted.
const fn mu_encode(sample: i16) -> u8 {
    const BIAS: i16 = 33;
    const CLIP: i16 = 8_158;
    let sign: u8 = if sample < 0 { 0x7f } else { 0xff };
    let magnitude = sample.unsigned_abs() as i16;
    let biased = (if magnitude > CLIP { CLIP } else { magnitude }) + BIAS;
    let segment = 10 - biased.leading_zeros() as u8; // 33..=8191 has 10 to 3 leading zeros
    let interval = (biased >> (segment + 1)) as u8 & 0x0f;
    (segment << 4 | interval) ^ sign
}

/// A-law (table 1a/b of G.711) of a sample of 13 bits, even bits inverted.
const fn a_encode(sample: i16) -> u8 {
    let sign: u8 = if sample < 0 { 0x55 } else { 0xd5 };
    let magnitude = if sample < 0 { -sample - 1 } else { sample };
    let code = if magnitude < 32 {
        magnitude >> 1
    } else {
        let segment = 11 - magnitude.leading_zeros() as i16; // 32..=4095 has 10 to 4 leading zeros
        segment << 4 | magnitude >> segment & 0x0f
    };
    code as u8 ^ sign
}

const fn mu_decode(code: u8) -> i16 {
    const BIAS: i16 = 0x84;
    let code = !code;
    let magnitude = (((code & 0x0f) as i16) << 3 | BIAS) << (code >> 4 & 7);
    if code & 0x80 == 0 {
        magnitude - BIAS
    } else {
        BIAS - magnitude
    }
}

const fn a_decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let interval = ((code & 0x0f) as i16) << 4;
    let magnitude = match code >> 4 & 7 {
        0 => interval + 8,
        segment => (interval + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: std::ops::RangeInclusive<i16> = i16::MIN..=i16::MAX;

    fn fnv_1a(bytes: impl Iterator<Item = u8>) -> u64 {
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    #[test]
    fn the_tables_are_those_of_the_reference() {
        // Hashes over all 65,536 samples and all 256 codes as Python 3.11's `audioop` (Sun's g711.c) converts them.
        for (law, encoded, decoded) in [
            (Law::Mu, 0xd5ee_23f7_d0ff_ae91, 0xb91e_65d6_8481_a1a8),
            (Law::A, 0xf030_666e_b780_cf25, 0x693a_40ca_62a3_d2a5),
        ] {
            assert_eq!(
                fnv_1a(ALL.map(|sample| law.encode(sample))),
                encoded,
                "{law:?}"
            );
            let samples = (0..=255).flat_map(|code| law.decode(code).to_le_bytes());
            assert_eq!(fnv_1a(samples), decoded, "{law:?}");
        }
    }

    #[test]
    fn known_codes() {
        for (law, code, sample) in [
            (Law::Mu, 0xff, 0),
            (Law::Mu, 0x00, -32_124),
            (Law::Mu, 0x80, 32_124),
            (Law::A, 0xd5, 8),
            (Law::A, 0x55, -8),
            (Law::A, 0xaa, 32_256),
            (Law::A, 0x2a, -32_256),
        ] {
            assert_eq!(
                (law.decode(code), law.encode(sample)),
                (sample, code),
                "{law:?}"
            );
        }
        assert_eq!(Law::Mu.encode(0), Law::Mu.silence());
        assert_eq!(Law::A.encode(0), Law::A.silence());
    }

    #[test]
    fn codes_survive_a_round_trip_and_errors_stay_below_a_step() {
        for law in [Law::Mu, Law::A] {
            for code in 0..=255 {
                let again = law.encode(law.decode(code));
                // µ-law has two zeros.
                assert!(
                    again == code || law == Law::Mu && code == 0x7f && again == 0xff,
                    "{code:#x}"
                );
            }
            for sample in ALL {
                let error = i32::from(law.decode(law.encode(sample))) - i32::from(sample);
                let step = (i32::from(sample).abs() / 16).max(16);
                assert!(error.abs() <= step, "{law:?} {sample}: {error}");
            }
        }
    }
}
