//! Counting what one source sent us (RFC 3550 section 6.4.1 and appendix A.1, A.3).

/// A jump forward beyond this many packets is a sequence that began anew (`MAX_DROPOUT` of appendix A.1).
const MAX_DROPOUT: u16 = 3_000;

/// Packets of one source: received, lost, doubled. Begins anew when the source or its sequence does.
#[derive(Debug, Clone, Default)]
pub struct Reception {
    source: Option<Source>,
    received: u64,
    lost: u64,
    duplicates: u64,
    restarts: u64,
}

/// What a packet's sequence number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequenced {
    /// Not seen before.
    New,
    /// Seen before: drop it.
    Duplicate,
    /// The first of a new source or of a new sequence: what was buffered belongs to the old one.
    Restart,
}

#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    highest: u16,
    /// Bit n: the packet n before `highest` has come. Also says which of the last 64 a late packet may still be.
    seen: u64,
}

impl Reception {
    /// Takes a packet's source and sequence number.
    pub fn take(&mut self, ssrc: u32, sequence: u16) -> Sequenced {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) else {
            return self.restart(ssrc, sequence);
        };
        let ahead = sequence.wrapping_sub(source.highest);
        if (1..=MAX_DROPOUT).contains(&ahead) {
            source.highest = sequence;
            source.seen = source.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.lost += u64::from(ahead - 1);
            self.received += 1;
            return Sequenced::New;
        }
        let behind = u32::from(source.highest.wrapping_sub(sequence));
        let Some(bit) = 1u64.checked_shl(behind) else {
            return self.restart(ssrc, sequence);
        };
        if source.seen & bit != 0 {
            self.duplicates += 1;
            return Sequenced::Duplicate;
        }
        source.seen |= bit;
        self.lost = self.lost.saturating_sub(1);
        self.received += 1;
        Sequenced::New
    }

    fn restart(&mut self, ssrc: u32, sequence: u16) -> Sequenced {
        self.restarts += u64::from(self.source.is_some());
        // What came before the first packet was never lost: all its bits are set.
        self.source = Some(Source {
            ssrc,
            highest: sequence,
            seen: u64::MAX,
        });
        self.received += 1;
        Sequenced::Restart
    }

    /// The source heard last.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// Packets, without duplicates.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Packets missing in the sequences; one that comes late is no longer missing.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Packets that had come before.
    #[must_use]
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// How often a new source or sequence took over.
    #[must_use]
    pub const fn restarts(&self) -> u64 {
        self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds one source; expects received, lost, duplicates, restarts.
    fn check(sequences: impl IntoIterator<Item = u16>, expected: [u64; 4]) {
        let mut reception = Reception::default();
        let sequences: Vec<u16> = sequences.into_iter().collect();
        for sequence in &sequences {
            reception.take(1, *sequence);
        }
        let counts = [
            reception.received(),
            reception.lost(),
            reception.duplicates(),
            reception.restarts(),
        ];
        assert_eq!(counts, expected, "{sequences:?}");
    }

    #[test]
    fn sequences_are_counted() {
        check([], [0, 0, 0, 0]);
        check([10, 11, 12], [3, 0, 0, 0]);
        check([65_534, 65_535, 0, 1], [4, 0, 0, 0]);
        check([10, 13], [2, 2, 0, 0]);
        check([65_535, 2], [2, 2, 0, 0]);
        check([10, 12, 11, 13], [4, 0, 0, 0]); // reordered: not lost after all
        check([65_535, 1, 0], [3, 0, 0, 0]);
        check([10, 11, 11, 10, 12], [3, 0, 2, 0]);
        check([10, 74, 11], [3, 62, 0, 0]); // the 63rd before the newest still counts
        check([10, 75, 11], [3, 64, 0, 1]); // the 64th: a new sequence
        check([10, 9], [1, 0, 1, 0]); // before the first: as good as seen
        check([10, 3_010], [2, 2_999, 0, 0]);
        check([10, 3_011], [2, 0, 0, 1]); // too far ahead: a new sequence
        check([40_000, 100, 101], [3, 0, 0, 1]); // far behind: a new sequence
        check((0..=65_535).chain(0..100), [65_636, 0, 0, 0]);
    }

    #[test]
    fn another_source_begins_anew() {
        let mut reception = Reception::default();
        assert_eq!(reception.take(1, 10), Sequenced::Restart);
        assert_eq!(reception.take(1, 11), Sequenced::New);
        assert_eq!(reception.take(2, 11), Sequenced::Restart);
        assert_eq!(reception.take(2, 11), Sequenced::Duplicate);
        assert_eq!(reception.ssrc(), Some(2));
        for flip in 0..1_000 {
            assert_eq!(reception.take(3 + flip % 2, 20), Sequenced::Restart);
        }
        assert_eq!((reception.received(), reception.lost()), (1_003, 0));
    }
}
