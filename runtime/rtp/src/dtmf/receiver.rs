//! Receiving digits.

use super::{Digit, key_of};

/// Ticks of 20 ms without a packet of the event after which it is over though no end was seen: 160 ms, three lost
/// packets at the usual 50 ms.
const LOST_END_TICKS: u32 = 8;

/// Events remembered as reported, so that packets of theirs that come late are not taken for new ones.
const REMEMBERED: usize = 8;

/// A packet this much older than the current event belongs to an event before it. Beyond, the clock jumped.
const LATE_SECONDS: u32 = 5;

/// A segment of a long event is about this long when the next one begins (RFC 4733 section 2.5.1.3 gives 0xffff).
const SEGMENT_SAMPLES: std::ops::RangeInclusive<u32> = 0xf000..=0x1_0000;

/// Turns the packets of telephone events into digits: each event once, known by its timestamp.
///
/// The marker is not looked at (it is lost as easily as its packet), any of the three end packets ends the event, and
/// with all of them lost a later event or [`Self::tick`] does.
#[derive(Debug, Clone)]
pub struct DigitReceiver {
    clock_rate_hz: u32,
    current: Option<Current>,
    reported: [Option<u32>; REMEMBERED],
    next_reported: usize,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    key: char,
    timestamp: u32,
    /// Of the segments before this one.
    earlier_samples: u32,
    duration_samples: u32,
    silent_ticks: u32,
}

/// The fields of the payload (RFC 4733 section 2.3) that matter.
struct Report {
    key: char,
    is_end: bool,
    duration_samples: u32,
}

impl Default for DigitReceiver {
    /// At 8 kHz.
    fn default() -> Self {
        Self::new(8_000)
    }
}

impl DigitReceiver {
    /// For events whose payload type has this clock rate, in Hz: 8000, 16000 or 48000. It is that of the audio beside them (RFC 4733
    /// section 2.5.1), unless the peer knows no such events. Their payload type is that of our own description, whatever ours are sent
    /// with.
    #[must_use]
    pub const fn new(clock_rate_hz: u32) -> Self {
        Self {
            clock_rate_hz,
            current: None,
            reported: [None; REMEMBERED],
            next_reported: 0,
        }
    }

    /// What durations count.
    #[must_use]
    pub const fn clock_rate_hz(&self) -> u32 {
        self.clock_rate_hz
    }

    /// Takes the payload of one event packet. Yields up to two digits: an event before it whose ends were all lost, and
    /// its own if it ends one.
    pub fn handle(
        &mut self,
        timestamp: u32,
        payload: &[u8],
    ) -> impl Iterator<Item = Digit> + use<> {
        let (earlier, ended) = match read(payload) {
            Some(report) if !self.reported.contains(&Some(timestamp)) => {
                self.take(timestamp, &report)
            }
            _ => (None, None),
        };
        earlier.into_iter().chain(ended)
    }

    /// Every 20 ms: the digit whose ends were all lost.
    pub fn tick(&mut self) -> Option<Digit> {
        let current = self.current.as_mut()?;
        current.silent_ticks += 1;
        if current.silent_ticks < LOST_END_TICKS {
            return None;
        }
        self.finish()
    }

    /// The source changed: ends the event under way and forgets the timestamps, which begin anew.
    pub fn restart(&mut self) -> Option<Digit> {
        let unfinished = self.finish();
        *self = Self::new(self.clock_rate_hz);
        unfinished
    }

    fn take(&mut self, timestamp: u32, report: &Report) -> (Option<Digit>, Option<Digit>) {
        let mut earlier = None;
        match self.current {
            Some(current) if current.timestamp == timestamp => {}
            Some(current) if current.is_after(timestamp, self.clock_rate_hz) => {
                return (None, report.is_end.then(|| self.late(timestamp, report)));
            }
            Some(current) if current.goes_on_in(timestamp, report.key) => {
                self.remember(current.timestamp);
                self.current = Some(current.next_segment(timestamp));
            }
            _ => {
                earlier = self.finish();
                self.current = Some(Current::new(timestamp, report.key));
            }
        }
        if let Some(current) = &mut self.current {
            current.duration_samples = current.duration_samples.max(report.duration_samples);
            current.silent_ticks = 0;
        }
        (earlier, if report.is_end { self.finish() } else { None })
    }

    /// An event that began and ended before the current one, all of whose packets come late.
    fn late(&mut self, timestamp: u32, report: &Report) -> Digit {
        self.remember(timestamp);
        Digit {
            key: report.key,
            duration_ms: self.to_ms(report.duration_samples),
        }
    }

    fn finish(&mut self) -> Option<Digit> {
        let current = self.current.take()?;
        self.remember(current.timestamp);
        let samples = current
            .earlier_samples
            .saturating_add(current.duration_samples);
        Some(Digit {
            key: current.key,
            duration_ms: self.to_ms(samples),
        })
    }

    fn to_ms(&self, samples: u32) -> u32 {
        samples / (self.clock_rate_hz / 1_000).max(1)
    }

    fn remember(&mut self, timestamp: u32) {
        self.reported[self.next_reported] = Some(timestamp);
        self.next_reported = (self.next_reported + 1) % REMEMBERED;
    }
}

impl Current {
    fn new(timestamp: u32, key: char) -> Self {
        Self {
            key,
            timestamp,
            earlier_samples: 0,
            duration_samples: 0,
            silent_ticks: 0,
        }
    }

    fn is_after(self, timestamp: u32, clock_rate_hz: u32) -> bool {
        (1..LATE_SECONDS * clock_rate_hz).contains(&self.timestamp.wrapping_sub(timestamp))
    }

    /// The event is longer than the duration field holds and has a new timestamp (RFC 4733 section 2.5.1.3).
    fn goes_on_in(self, timestamp: u32, key: char) -> bool {
        self.key == key && SEGMENT_SAMPLES.contains(&timestamp.wrapping_sub(self.timestamp))
    }

    fn next_segment(self, timestamp: u32) -> Self {
        let segment = timestamp.wrapping_sub(self.timestamp);
        Self {
            timestamp,
            earlier_samples: self.earlier_samples.saturating_add(segment),
            duration_samples: 0,
            ..self
        }
    }
}

/// Reads the payload of RFC 4733 section 2.3: event, end bit and volume, duration. None for what is no key.
fn read(payload: &[u8]) -> Option<Report> {
    let [event, flags, high, low, ..] = *payload else {
        return None;
    };
    Some(Report {
        key: key_of(event)?,
        is_end: flags & 0x80 != 0,
        duration_samples: u32::from(u16::from_be_bytes([high, low])),
    })
}

#[cfg(test)]
mod tests;
