//! Evening out the arrival of packets.

use crate::FRAME_SAMPLES;

/// Samples the ring holds: 256 ms, the most a packet may wait. A power of two, so that positions are timestamps masked.
const CAPACITY: usize = 2_048;
const MASK: usize = CAPACITY - 1;

/// How long the first packet waits: 60 ms, three packets' worth of jitter.
const DELAY_SAMPLES: u32 = 480;

/// The longest packet taken: 120 ms, twice what gateways use.
const MAX_PAYLOAD: usize = 960;

/// After this long without a packet the next one waits for [`DELAY_SAMPLES`] again: 200 ms.
const IDLE_SAMPLES: u32 = 1_600;

/// Plays G.711 out in even frames of 20 ms, whatever the packets' order, length and arrival.
///
/// A ring over the timestamps, one byte a sample: order and packet length (10 to 120 ms) need no bookkeeping, a
/// duplicate writes the same bytes again, and what never came is silence because what was played was wiped. Fixed size,
/// no allocation. [`Self::pop`] is called every 20 ms.
#[derive(Debug, Clone)]
pub struct JitterBuffer {
    ring: Box<[u8; CAPACITY]>,
    silence: u8,
    playout: Option<Playout>,
}

/// Where playing is. `next <= end` but for the time after the last packet.
#[derive(Debug, Clone)]
struct Playout {
    /// The timestamp of the next sample to play.
    next: u32,
    /// One after the newest sample that came.
    end: u32,
    /// Where the stream would go on if the packet that did not fit was no stray.
    stray_end: Option<u32>,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It will be played.
    Buffered,
    /// It came after its time, or far ahead of it, and was dropped. A second one in a row moves the playout to it.
    OutOfWindow,
    /// It began the playout, or moved it: what had waited was dropped.
    Restarted,
    /// It has no audio, or more than 120 ms of it.
    Unusable,
}

impl JitterBuffer {
    /// An empty buffer that plays this byte where nothing came: 0xff for µ-law, 0xd5 for A-law.
    #[must_use]
    pub fn new(silence: u8) -> Self {
        Self {
            ring: Box::new([silence; CAPACITY]),
            silence,
            playout: None,
        }
    }

    /// Takes a packet of audio.
    pub fn push(&mut self, timestamp: u32, payload: &[u8]) -> Arrival {
        if payload.is_empty() || payload.len() > MAX_PAYLOAD {
            return Arrival::Unusable;
        }
        let end = timestamp.wrapping_add(payload.len() as u32);
        let Some(playout) = self.playout.as_mut() else {
            self.restart(timestamp, payload);
            return Arrival::Restarted;
        };
        let begins_in = timestamp.wrapping_sub(playout.next).cast_signed();
        let ends_in = end.wrapping_sub(playout.next).cast_signed();
        if ends_in <= 0 || begins_in > CAPACITY as i32 - payload.len() as i32 {
            let follows_stray = playout
                .stray_end
                .is_some_and(|stray_end| timestamp.wrapping_sub(stray_end) < CAPACITY as u32);
            if follows_stray {
                self.restart(timestamp, payload);
                return Arrival::Restarted;
            }
            playout.stray_end = Some(end);
            return Arrival::OutOfWindow;
        }
        playout.stray_end = None;
        if end.wrapping_sub(playout.end).cast_signed() > 0 {
            playout.end = end;
        }
        let too_late = (-begins_in).max(0) as usize;
        self.write(
            timestamp.wrapping_add(too_late as u32),
            &payload[too_late..],
        );
        Arrival::Buffered
    }

    /// Plays the next 20 ms into `frame`; false, with silence, when nothing is playing.
    pub fn pop(&mut self, frame: &mut [u8; FRAME_SAMPLES]) -> bool {
        let Some(playout) = self.playout.as_mut() else {
            frame.fill(self.silence);
            return false;
        };
        let next = playout.next;
        playout.next = next.wrapping_add(FRAME_SAMPLES as u32);
        let idle = playout.next.wrapping_sub(playout.end).cast_signed();
        if idle >= IDLE_SAMPLES as i32 {
            self.playout = None;
        }
        self.take(next, frame);
        true
    }

    /// Forgets everything: the source changed, or the codec and with it this byte of silence.
    pub fn reset(&mut self, silence: u8) {
        self.silence = silence;
        self.ring.fill(silence);
        self.playout = None;
    }

    /// Milliseconds of audio that wait.
    #[must_use]
    pub fn depth_ms(&self) -> u32 {
        self.playout.as_ref().map_or(0, |playout| {
            playout
                .end
                .wrapping_sub(playout.next)
                .cast_signed()
                .max(0)
                .cast_unsigned()
                / 8
        })
    }

    fn restart(&mut self, timestamp: u32, payload: &[u8]) {
        self.reset(self.silence);
        self.playout = Some(Playout {
            next: timestamp.wrapping_sub(DELAY_SAMPLES),
            end: timestamp.wrapping_add(payload.len() as u32),
            stray_end: None,
        });
        self.write(timestamp, payload);
    }

    fn write(&mut self, timestamp: u32, payload: &[u8]) {
        let at = timestamp as usize & MASK;
        let (before, after) = payload.split_at(payload.len().min(CAPACITY - at));
        self.ring[at..at + before.len()].copy_from_slice(before);
        self.ring[..after.len()].copy_from_slice(after);
    }

    /// Moves a frame out of the ring and leaves silence behind.
    fn take(&mut self, timestamp: u32, frame: &mut [u8; FRAME_SAMPLES]) {
        let at = timestamp as usize & MASK;
        let (before, after) = frame.split_at_mut(FRAME_SAMPLES.min(CAPACITY - at));
        for (to, from) in [(before, at), (after, 0)] {
            let played = &mut self.ring[from..from + to.len()];
            to.copy_from_slice(played);
            played.fill(self.silence);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SILENCE: u8 = 0xff;
    const DELAY_FRAMES: usize = DELAY_SAMPLES as usize / FRAME_SAMPLES;

    /// The frames played, each by its first byte, or `.` for silence, or ` ` when nothing plays.
    fn play(buffer: &mut JitterBuffer, frames: usize) -> String {
        let mut frame = [0; FRAME_SAMPLES];
        (0..frames)
            .map(|_| match (buffer.pop(&mut frame), frame[0]) {
                (false, _) => ' ',
                (true, SILENCE) => '.',
                (true, byte) => char::from(byte),
            })
            .collect()
    }

    /// Pushes frames named by letters, `a` at timestamp `start`, in the order given.
    fn push(buffer: &mut JitterBuffer, start: u32, letters: &str) -> Vec<Arrival> {
        letters
            .bytes()
            .map(|letter| {
                let timestamp = start.wrapping_add(u32::from(letter - b'a') * 160);
                buffer.push(timestamp, &[letter; FRAME_SAMPLES])
            })
            .collect()
    }

    fn check(start: u32, letters: &str, expected: &str) {
        let mut buffer = JitterBuffer::new(SILENCE);
        push(&mut buffer, start, letters);
        let played = play(&mut buffer, expected.len());
        assert_eq!(played, expected, "{letters} from {start}");
    }

    #[test]
    fn packets_play_in_order_after_the_delay() {
        for start in [0, 1_000, 7, u32::MAX - 100, u32::MAX - 500, u32::MAX / 2] {
            check(start, "abcd", "...abcd");
            check(start, "acbd", "...abcd"); // reordered
            check(start, "aabbccdd", "...abcd"); // doubled
            check(start, "abd", "...ab.d"); // lost
            check(start, "bcad", "..abcd"); // the first came late: the second set the delay
        }
        check(0, "", "    ");
    }

    #[test]
    fn packets_of_any_length_fill_frames() {
        for packet_samples in [80, 160, 240, 320, 480, 100] {
            let mut buffer = JitterBuffer::new(SILENCE);
            for packet in 0..960 / packet_samples {
                buffer.push(
                    packet * packet_samples,
                    &vec![b'x'; packet_samples as usize],
                );
            }
            assert_eq!(play(&mut buffer, 8), "...xxxxx", "{packet_samples}");
        }
    }

    #[test]
    fn a_packet_partly_too_late_plays_its_rest() {
        let mut buffer = JitterBuffer::new(SILENCE);
        push(&mut buffer, 0, "a");
        play(&mut buffer, DELAY_FRAMES + 1);
        assert_eq!(buffer.push(80, &[b'b'; FRAME_SAMPLES]), Arrival::Buffered);
        let mut frame = [0; FRAME_SAMPLES];
        assert!(buffer.pop(&mut frame));
        assert_eq!(frame[..80], [b'b'; 80]);
        assert_eq!(frame[80..], [SILENCE; 80]);
    }

    #[test]
    fn silence_on_the_wire_keeps_time_and_a_long_one_begins_anew() {
        let mut buffer = JitterBuffer::new(SILENCE);
        push(&mut buffer, 0, "ab");
        assert_eq!(play(&mut buffer, 5), "...ab");
        push(&mut buffer, 0, "e"); // suppressed: c and d
        assert_eq!(play(&mut buffer, 3), "..e");
        assert_eq!(play(&mut buffer, 12), "..........  ");
        push(&mut buffer, 0, "z");
        assert_eq!(play(&mut buffer, 4), "...z");
    }

    #[test]
    fn one_stray_packet_is_dropped_and_a_second_moves_the_playout() {
        for jump in [
            1 << 31,
            1 << 20,
            (1 << 31) + 5,
            (0u32).wrapping_sub(100_000),
        ] {
            let mut buffer = JitterBuffer::new(SILENCE);
            push(&mut buffer, 0, "ab");
            assert_eq!(
                push(&mut buffer, jump, "x"),
                [Arrival::OutOfWindow],
                "{jump}"
            );
            assert_eq!(push(&mut buffer, 0, "c"), [Arrival::Buffered]);
            assert_eq!(play(&mut buffer, 6), "...abc");
            assert_eq!(push(&mut buffer, jump, "x"), [Arrival::OutOfWindow]);
            assert_eq!(push(&mut buffer, jump, "y"), [Arrival::Restarted]);
            assert_eq!(play(&mut buffer, 4), "...y");
        }
    }

    #[test]
    fn packets_steadily_too_late_are_given_more_time() {
        let mut buffer = JitterBuffer::new(SILENCE);
        push(&mut buffer, 0, "a");
        play(&mut buffer, 8);
        let arrivals = push(&mut buffer, 0, "bcd");
        assert_eq!(
            arrivals,
            [Arrival::OutOfWindow, Arrival::Restarted, Arrival::Buffered]
        );
        assert_eq!(play(&mut buffer, 5), "...cd");
    }

    #[test]
    fn what_holds_no_audio_or_too_much_is_unusable() {
        let mut buffer = JitterBuffer::new(SILENCE);
        assert_eq!(buffer.push(0, &[]), Arrival::Unusable);
        assert_eq!(buffer.push(0, &[0; 65_000]), Arrival::Unusable);
        assert_eq!(buffer.push(0, &[b'x'; 960]), Arrival::Restarted);
        assert_eq!(buffer.depth_ms(), 180);
    }

    proptest! {
        /// Whatever comes, each sample is played at most once, in order, and the delay stays below the ring's.
        #[test]
        fn samples_play_in_order_and_once(
            start in any::<u32>(),
            arrivals in proptest::collection::vec((0u32..40, 0usize..3), 0..200),
        ) {
            let mut buffer = JitterBuffer::new(SILENCE);
            let mut newest = None;
            let mut frame = [0; FRAME_SAMPLES];
            for (packet, pops) in arrivals {
                let arrival = buffer.push(start.wrapping_add(packet * 160), &[packet as u8; FRAME_SAMPLES]);
                if arrival == Arrival::Restarted {
                    newest = None;
                }
                for _ in 0..pops {
                    buffer.pop(&mut frame);
                    if frame[0] != SILENCE {
                        prop_assert_eq!(frame, [frame[0]; FRAME_SAMPLES]);
                        prop_assert!(newest < Some(frame[0]), "{:?} before {}", newest, frame[0]);
                        newest = Some(frame[0]);
                    }
                }
                prop_assert!(buffer.depth_ms() <= 256);
            }
        }
    }
}
