//! What the media threads count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::wire::Received;

/// Upper bounds of the buckets of lateness, in microseconds; a last one has no bound.
const BOUNDS_US: [u64; 11] = [
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];

/// From here on a slot counts as late: a quarter of a frame.
const LATE_US: u64 = 5_000;

/// One thread's counters, written by it alone.
#[derive(Debug, Default)]
pub(super) struct ThreadCounters {
    pub(super) sent: AtomicU64,
    pub(super) send_errors: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) malformed: AtomicU64,
    pub(super) dropped_events: AtomicU64,
    pub(super) dropped_frames: AtomicU64,
    pub(super) relayed: AtomicU64,
    pub(super) transcoded: AtomicU64,
    pub(super) dropped_orders: AtomicU64,
    pub(super) skipped_rounds: AtomicU64,
    late_slots: AtomicU64,
    max_lateness_us: AtomicU64,
    lateness: [AtomicU64; BOUNDS_US.len() + 1],
}

/// The sum over all threads, since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MediaCounters {
    /// Legs that are open now.
    pub(crate) legs: usize,
    /// RTP packets sent.
    pub(crate) sent: u64,
    /// Packets the system did not take.
    pub(crate) send_errors: u64,
    /// RTP packets received from where they were expected.
    pub(crate) received: u64,
    /// Packets missing in received sequences.
    pub(crate) lost: u64,
    /// Datagrams from elsewhere, unexpected or of a payload type that was not negotiated.
    pub(crate) refused: u64,
    /// Datagrams that are not RTP.
    pub(crate) malformed: u64,
    /// Digits nobody took.
    pub(crate) dropped_events: u64,
    /// Frames that a listener, or the other end of a line, did not take in time.
    pub(crate) dropped_frames: u64,
    /// Packets sent on from one leg to another as they came.
    pub(crate) relayed: u64,
    /// Frames of another leg, or of a conference, that had to be coded for a leg.
    pub(crate) transcoded: u64,
    /// Orders that found the queue full.
    pub(crate) dropped_orders: u64,
    /// Rounds of 20 ms in which a thread sent nothing because it did not run.
    pub(crate) skipped_rounds: u64,
    /// Slots that began 5 ms late or later.
    pub(crate) late_slots: u64,
    /// The latest a slot began.
    pub(crate) max_lateness_us: u64,
    lateness: [u64; BOUNDS_US.len() + 1],
}

impl ThreadCounters {
    /// A datagram came, and this became of it.
    pub(super) fn took(&self, received: Received) {
        let counter = match received {
            Received::Taken => &self.received,
            Received::Refused => &self.refused,
            Received::Malformed => &self.malformed,
        };
        add(counter, 1);
    }

    /// A slot with legs in it began this late.
    pub(super) fn slot_began(&self, lateness: Duration) {
        let lateness_us = u64::try_from(lateness.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < lateness_us);
        add(&self.lateness[bucket], 1);
        self.max_lateness_us
            .fetch_max(lateness_us, Ordering::Relaxed);
        if lateness_us >= LATE_US {
            add(&self.late_slots, 1);
        }
    }

    pub(super) fn add_to(&self, sum: &mut MediaCounters) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        sum.sent += get(&self.sent);
        sum.send_errors += get(&self.send_errors);
        sum.received += get(&self.received);
        sum.lost += get(&self.lost);
        sum.refused += get(&self.refused);
        sum.malformed += get(&self.malformed);
        sum.dropped_events += get(&self.dropped_events);
        sum.dropped_frames += get(&self.dropped_frames);
        sum.relayed += get(&self.relayed);
        sum.transcoded += get(&self.transcoded);
        sum.dropped_orders += get(&self.dropped_orders);
        sum.skipped_rounds += get(&self.skipped_rounds);
        sum.late_slots += get(&self.late_slots);
        sum.max_lateness_us = sum.max_lateness_us.max(get(&self.max_lateness_us));
        for (sum, bucket) in sum.lateness.iter_mut().zip(&self.lateness) {
            *sum += get(bucket);
        }
    }
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    if count > 0 {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl MediaCounters {
    /// How late slots began at most, for this share (0 to 1) of them: the upper bound of its bucket, or the maximum
    /// when there is no bound. None before the first slot.
    pub(crate) fn lateness_us(&self, share: f64) -> Option<u64> {
        let slots: u64 = self.lateness.iter().sum();
        let wanted = (share * slots as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let bucket = self.lateness.iter().position(|count| {
            below += count;
            below >= wanted
        })?;
        Some(BOUNDS_US.get(bucket).map_or(self.max_lateness_us, |bound| {
            self.max_lateness_us.min(*bound)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lateness(slots_us: &[u64]) -> MediaCounters {
        let thread = ThreadCounters::default();
        for lateness_us in slots_us {
            thread.slot_began(Duration::from_micros(*lateness_us));
        }
        let mut sum = MediaCounters::default();
        thread.add_to(&mut sum);
        sum
    }

    #[test]
    fn shares_are_read_off_the_buckets() {
        let mut slots = vec![40; 98];
        slots.extend([900, 7_777]);
        let counters = lateness(&slots);
        for (share, expected_us) in [
            (0.0, 50),
            (0.5, 50),
            (0.98, 50),
            (0.99, 1_000),
            (1.0, 7_777),
        ] {
            assert_eq!(counters.lateness_us(share), Some(expected_us), "{share}");
        }
        assert_eq!((counters.late_slots, counters.max_lateness_us), (1, 7_777));
    }

    #[test]
    fn bounds_belong_to_their_bucket_and_the_last_has_none() {
        for (slot_us, expected_us) in [
            (0, 0),
            (50, 50),
            (51, 51),
            (100_000, 100_000),
            (9_000_000, 9_000_000),
        ] {
            assert_eq!(
                lateness(&[slot_us]).lateness_us(0.5),
                Some(expected_us),
                "{slot_us}"
            );
        }
        assert_eq!(lateness(&[]).lateness_us(0.5), None);
    }
}
