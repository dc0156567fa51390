//! Which packet it is: the rollover counter, and whether it came before (RFC 3711 section 3.3).

use super::SrtpError;

/// Packets before the newest that are told apart. RFC 3711 section 3.3.2 wants 64.
const WINDOW: u64 = 128;

/// The index of an RTP packet, 48 bits, most likely (RFC 3711 section 3.3.1 and appendix A): that of its sequence number which is
/// nearest to the highest one so far.
pub(super) const fn nearest(highest: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(highest as u16).cast_signed() as i64;
    match highest.checked_add_signed(ahead) {
        Some(index) => index,
        None => sequence as u64, // before the first: the first turn anyway
    }
}

/// The packets seen of one source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    highest: u64,
    /// Bit n: the packet n before `highest` has come.
    seen: u128,
}

impl Window {
    /// Nothing seen but this packet, which is proved.
    pub(super) const fn new(index: u64) -> Self {
        Self {
            highest: index,
            seen: 1,
        }
    }

    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether this index may still come.
    pub(super) const fn check(&self, index: u64) -> Result<(), SrtpError> {
        if index > self.highest {
            return Ok(());
        }
        let behind = self.highest - index;
        if behind >= WINDOW || self.seen >> behind & 1 != 0 {
            return Err(SrtpError::Replayed);
        }
        Ok(())
    }

    /// Takes the index of a packet that is proved.
    pub(super) const fn take(&mut self, index: u64) {
        if index > self.highest {
            let ahead = index - self.highest;
            self.seen = if ahead >= WINDOW {
                1
            } else {
                self.seen << ahead | 1
            };
            self.highest = index;
        } else if self.highest - index < WINDOW {
            self.seen |= 1 << (self.highest - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_index_is_guessed() {
        for (highest, sequence, expected) in [
            (0, 0, 0),
            (0, 5, 5),
            (0, 0x7fff, 0x7fff),
            (0, 0xffff, 0xffff), // nothing before the first turn
            (10, 0xfff0, 0xfff0),
            (0xffff, 0, 0x1_0000),
            (0xfff0, 5, 0x1_0005),
            (0x1_0005, 0xfff0, 0xfff0), // late, from the turn before
            (0x1_0005, 0x7000, 0x1_7000),
            (0x1_8000, 0xffff, 0x1_ffff),
            (0x2_ffff, 0x7ffe, 0x3_7ffe),
            (0x2_ffff, 0x8000, 0x2_8000),
        ] {
            assert_eq!(
                nearest(highest, sequence),
                expected,
                "{highest:#x} {sequence:#x}"
            );
        }
    }

    #[test]
    fn each_index_is_taken_once_within_the_window() {
        let mut window = Window::new(1_000);
        for (index, expected) in [
            (1_000, Err(SrtpError::Replayed)),
            (1_001, Ok(())),
            (1_001, Err(SrtpError::Replayed)),
            (1_100, Ok(())),
            (973, Ok(())), // 127 behind
            (973, Err(SrtpError::Replayed)),
            (972, Err(SrtpError::Replayed)), // 128 behind
            (1_099, Ok(())),
            (2_000, Ok(())),
            (1_100, Err(SrtpError::Replayed)),
            (1_873, Ok(())),
            (1 << 47, Ok(())),
            ((1 << 47) - 1, Ok(())),
        ] {
            assert_eq!(window.check(index), expected, "{index}");
            if expected.is_ok() {
                window.take(index);
            }
        }
    }
}
