//! When each slot is due. Without a clock: `now` is an argument.

use std::time::{Duration, Instant};

/// Slots in a round: legs are spread over the 20 ms of a frame, 1 ms apart.
pub(super) const SLOTS: usize = media::FRAME_MS as usize;

const ROUND: Duration = Duration::from_millis(media::FRAME_MS as u64);

/// Counts slots against absolute deadlines, so that lateness never adds up.
#[derive(Debug)]
pub(super) struct Pacer {
    start: Instant,
    /// Slots since the start; the one that is due next.
    next: u64,
}

/// A slot whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) slot: usize,
    /// Counts rounds of 20 ms. Jumps where whole rounds were missed.
    pub(super) round: u64,
    pub(super) lateness: Duration,
    /// Whole rounds that were missed before this turn.
    pub(super) missed_rounds: u64,
}

impl Pacer {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            start: now,
            next: 0,
        }
    }

    /// When the next slot is due.
    pub(super) fn due(&self) -> Instant {
        self.start + Duration::from_millis(self.next)
    }

    /// The turn of the next slot, which is due. When `now` is so late that slots would come round twice, whole rounds
    /// are passed over: the gap is heard once and no leg sends a burst.
    pub(super) fn begin(&mut self, now: Instant) -> Turn {
        let lateness = now.saturating_duration_since(self.due());
        let missed_rounds = (lateness.as_millis() / ROUND.as_millis()) as u64;
        self.next += missed_rounds * SLOTS as u64;
        Turn {
            slot: (self.next % SLOTS as u64) as usize,
            round: self.next / SLOTS as u64,
            lateness,
            missed_rounds,
        }
    }

    /// The turn is over: goes on to the next slot with legs in it; if there is none, to the next.
    pub(super) fn end(&mut self, is_occupied: impl Fn(usize) -> bool) {
        let ahead = (1..=SLOTS as u64)
            .find(|ahead| is_occupied(((self.next + ahead) % SLOTS as u64) as usize))
            .unwrap_or(1);
        self.next += ahead;
    }

    /// After a time without legs: the next slot is the one that is due after `now`, with nothing missed.
    pub(super) fn resume(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.start).as_millis() as u64;
        self.next = self.next.max(passed + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: fn(usize) -> bool = |_| true;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Runs through turns, each begun at its deadline or at `wake`, whichever is later; their slots and rounds.
    fn run(turns: usize, wake: Duration, is_occupied: impl Fn(usize) -> bool) -> Vec<(usize, u64)> {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        (0..turns)
            .map(|_| {
                let turn = pacer.begin(pacer.due().max(start + wake));
                pacer.end(&is_occupied);
                (turn.slot, turn.round)
            })
            .collect()
    }

    #[test]
    fn every_slot_has_its_turn_every_round() {
        let expected: Vec<(usize, u64)> = (0..50)
            .map(|tick| (tick % SLOTS, (tick / SLOTS) as u64))
            .collect();
        assert_eq!(run(50, ms(0), ALL), expected);
    }

    #[test]
    fn empty_slots_are_passed_over() {
        assert_eq!(
            run(5, ms(0), |slot| slot == 3),
            [(0, 0), (3, 0), (3, 1), (3, 2), (3, 3)]
        );
        assert_eq!(
            run(4, ms(0), |slot| slot % 10 == 0),
            [(0, 0), (10, 0), (0, 1), (10, 1)]
        );
        assert_eq!(run(3, ms(0), |_| false), [(0, 0), (1, 0), (2, 0)]);
    }

    #[test]
    fn a_late_thread_catches_up_slot_by_slot() {
        // All at 15 ms: sixteen slots are due, each of them once.
        let turns = run(17, ms(15), ALL);
        assert_eq!(turns, (0..17).map(|slot| (slot, 0)).collect::<Vec<_>>());
    }

    #[test]
    fn missed_rounds_are_not_made_up_for() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let turn = pacer.begin(start + ms(2_005));
        assert_eq!(
            turn,
            Turn {
                slot: 0,
                round: 100,
                lateness: ms(2_005),
                missed_rounds: 100
            }
        );
        // The five that are left late follow at once, and no slot comes twice.
        let slots: Vec<usize> = (0..5)
            .map(|_| {
                pacer.end(ALL);
                assert!(pacer.due() <= start + ms(2_005));
                pacer.begin(start + ms(2_005)).slot
            })
            .collect();
        assert_eq!(slots, [1, 2, 3, 4, 5]);
        pacer.end(ALL);
        assert_eq!(pacer.due(), start + ms(2_006));
    }

    #[test]
    fn deadlines_are_absolute() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        for tick in 0..1_000 {
            assert_eq!(pacer.due(), start + ms(tick));
            pacer.begin(pacer.due() + Duration::from_micros(700)); // late every time
            pacer.end(ALL);
        }
    }

    #[test]
    fn after_a_pause_nothing_was_missed() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        pacer.resume(start + ms(60_000));
        assert_eq!(pacer.due(), start + ms(60_001));
        let turn = pacer.begin(start + ms(60_001));
        assert_eq!((turn.lateness, turn.missed_rounds), (ms(0), 0));
    }
}
