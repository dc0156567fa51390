//! When to wake whom.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::DialogId;

/// A transaction of this endpoint; ids are never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TransactionId(pub(super) u64);

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sleeper {
    Transaction(TransactionId),
    Dialog(DialogId),
    /// The INVITE client transaction whose CANCEL is given up on.
    Attempt(TransactionId),
}

/// The earliest entry a sleeper has in the schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarm {
    queued: Option<Instant>,
}

/// A heap of wake-ups. Entries are not taken out when a timer stops or moves back; their sleeper looks again and finds
/// nothing due. Each sleeper keeps its earliest entry in an [`Alarm`], so timers that only move back add none.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    heap: BinaryHeap<Reverse<(Instant, Sleeper)>>,
}

impl Schedule {
    /// Makes sure that the sleeper is woken at its deadline.
    pub(super) fn arm(&mut self, alarm: &mut Alarm, deadline: Option<Instant>, sleeper: Sleeper) {
        let Some(deadline) = deadline else { return };
        if alarm.queued.is_none_or(|queued| deadline < queued) {
            alarm.queued = Some(deadline);
            self.heap.push(Reverse((deadline, sleeper)));
        }
    }

    /// The earliest wake-up; perhaps one that finds nothing to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes a wake-up that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Instant, Sleeper)> {
        if self.deadline()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

impl Alarm {
    /// Notes that the entry of this time is gone from the schedule.
    pub(super) fn rang(&mut self, at: Instant) {
        if self.queued == Some(at) {
            self.queued = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::origin;

    const SLEEPER: Sleeper = Sleeper::Dialog(DialogId(1));

    #[test]
    fn a_timer_that_moves_back_adds_no_entry() {
        let (now, mut schedule, mut alarm) = (origin(), Schedule::default(), Alarm::default());
        let at = |seconds| now + Duration::from_secs(seconds);
        schedule.arm(&mut alarm, Some(at(5)), SLEEPER);
        schedule.arm(&mut alarm, Some(at(9)), SLEEPER);
        schedule.arm(&mut alarm, None, SLEEPER);
        assert_eq!(schedule.heap.len(), 1);
        schedule.arm(&mut alarm, Some(at(3)), SLEEPER);
        assert_eq!(schedule.deadline(), Some(at(3)));
        assert_eq!(schedule.due(at(2)), None);
        assert_eq!(schedule.due(at(4)), Some((at(3), SLEEPER)));
        alarm.rang(at(3));
        schedule.arm(&mut alarm, Some(at(9)), SLEEPER);
        assert_eq!(schedule.due(at(9)), Some((at(5), SLEEPER)));
        assert_eq!(schedule.due(at(9)), Some((at(9), SLEEPER)));
        assert_eq!(schedule.due(at(9)), None);
    }
}
