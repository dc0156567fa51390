use proptest::prelude::*;

use super::*;
use crate::random::Random;

mod simulation;

const FRAME: u32 = 160;

fn packet(sequence: u16, timestamp: u32, payload: &[u8]) -> Packet<'_> {
    Packet {
        payload_type: 0,
        marker: false,
        sequence,
        timestamp,
        ssrc: 7,
        payload,
    }
}

/// 20 ms in the codec of `buffer`: each piece by the first byte of its payload, `?` for a loss, `.` for silence. Pieces that are alike
/// are one.
fn play_frame(buffer: &mut JitterBuffer, is_quiet: bool) -> String {
    let mut left = buffer.format.frame_ticks();
    let mut played = String::new();
    while left > 0 {
        let (ticks, letter) = match buffer.pop(left, is_quiet) {
            Output::Frame { payload, ticks } => (ticks, char::from(payload[0])),
            Output::Lost { ticks, .. } => (ticks, '?'),
            Output::Silence { ticks } => (ticks, '.'),
        };
        assert!(ticks > 0);
        left = left.saturating_sub(ticks);
        if !played.ends_with(letter) {
            played.push(letter);
        }
    }
    played
}

fn play(buffer: &mut JitterBuffer, frames: usize) -> String {
    (0..frames).map(|_| play_frame(buffer, false)).collect()
}

fn buffer() -> JitterBuffer {
    JitterBuffer::new(Format::G711, DelayBounds::default())
}

/// Pushes frames named by letters, `a` with the sequence number and timestamp of `start`, in the order given.
fn push(buffer: &mut JitterBuffer, start: (u16, u32), letters: &str) -> Vec<Arrival> {
    letters
        .bytes()
        .map(|letter| {
            let n = u16::from(letter - b'a');
            let timestamp = start.1.wrapping_add(u32::from(n) * FRAME);
            buffer.push(&packet(
                start.0.wrapping_add(n),
                timestamp,
                &[letter; FRAME as usize],
            ))
        })
        .collect()
}

fn check(start: (u16, u32), letters: &str, expected: &str) {
    let mut buffer = buffer();
    push(&mut buffer, start, letters);
    let played = play(&mut buffer, expected.len());
    assert_eq!(played, expected, "{letters} from {start:?}");
}

#[test]
fn packets_play_in_order_after_the_delay() {
    for start in [
        (0, 0),
        (65_534, 1_000),
        (7, u32::MAX - 100),
        (65_535, u32::MAX / 2),
    ] {
        check(start, "abcd", "...abcd");
        check(start, "acbd", "...abcd"); // reordered
        check(start, "aabbccdd", "...abcd"); // doubled
        check(start, "abd", "...ab?d"); // lost
        check(start, "bcad", "..abcd"); // the first came late: the second set the delay
        check(start, "abcd", "...abcd???......"); // over: concealed for 60 ms, then silence
    }
    check((0, 0), "", "....");
}

#[test]
fn packets_of_10_to_60_ms_fill_frames() {
    for ptime_ms in [10, 20, 30, 40, 60] {
        let mut buffer = JitterBuffer::new(Format::G711, DelayBounds::default());
        for n in 0..120 / ptime_ms {
            let ticks = 8 * ptime_ms;
            buffer.push(&packet(n as u16, (n * ticks) as u32, &vec![b'x'; ticks]));
        }
        assert_eq!(play(&mut buffer, 9), "...xxxxxx", "{ptime_ms}");
    }
}

#[test]
fn opus_is_not_cut() {
    let mut buffer = JitterBuffer::new(Format::OPUS, DelayBounds::default());
    for n in 0..3u16 {
        let payload = [11 << 3, b'x', 1, 2]; // 60 ms
        buffer.push(&packet(n, u32::from(n) * 2_880, &payload));
    }
    for _ in 0..3 {
        assert_eq!(buffer.pop(960, false), Output::Silence { ticks: 960 });
    }
    for _ in 0..3 {
        let whole = Output::Frame {
            payload: &[11 << 3, b'x', 1, 2],
            ticks: 2_880,
        };
        assert_eq!(buffer.pop(960, false), whole);
    }
    let lost = Output::Lost {
        ticks: 960,
        next: None,
    };
    assert_eq!(buffer.pop(960, false), lost);
}

#[test]
fn the_end_of_a_gap_comes_with_the_packet_that_follows() {
    let mut buffer = JitterBuffer::new(Format::OPUS, DelayBounds::default());
    let payload = |n: u16| [1 << 3, n as u8]; // 20 ms
    for n in [0, 1, 4, 5] {
        buffer.push(&packet(n, u32::from(n) * 960, &payload(n)));
    }
    let mut heard = Vec::new();
    for _ in 0..8 {
        heard.push(match buffer.pop(960, false) {
            Output::Frame { payload, .. } => format!("{}", payload[1]),
            Output::Lost { next, .. } => {
                format!("?{}", next.map_or(0, |payload| payload[1]))
            }
            Output::Silence { .. } => ".".to_owned(),
        });
    }
    assert_eq!(heard, [".", ".", ".", "0", "1", "?0", "?4", "4"]);
}

#[test]
fn a_pause_of_the_peer_is_no_loss() {
    let mut buffer = buffer();
    push(&mut buffer, (0, 0), "ab");
    // The next in sequence, 80 ms later by its timestamp: nothing was sent between.
    buffer.push(&packet(2, 6 * FRAME, &[b'g'; FRAME as usize]));
    buffer.push(&packet(4, 8 * FRAME, &[b'i'; FRAME as usize]));
    assert_eq!(play(&mut buffer, 12), "...ab....g?i");
    assert_eq!(buffer.counts().missing, 1);
}

#[test]
fn a_late_packet_is_played_if_nothing_behind_it_was() {
    let mut buffer = buffer();
    push(&mut buffer, (0, 0), "a");
    assert_eq!(play(&mut buffer, 5), "...a?");
    assert_eq!(push(&mut buffer, (0, 0), "bc"), [Arrival::Buffered; 2]);
    assert_eq!(play(&mut buffer, 2), "bc");
    let counts = buffer.counts();
    assert_eq!((counts.grown, counts.late, counts.missing), (1, 0, 0));
    assert_eq!(buffer.delay_ms(), 80);
}

#[test]
fn a_late_packet_is_dropped_if_one_behind_it_was_played() {
    let mut buffer = buffer();
    push(&mut buffer, (0, 0), "ac");
    assert_eq!(play(&mut buffer, 6), "...a?c");
    assert_eq!(
        push(&mut buffer, (0, 0), "bde"),
        [Arrival::Late, Arrival::Buffered, Arrival::Buffered]
    );
    // Two frames late: what follows is held back for two.
    assert_eq!(play(&mut buffer, 4), "??de");
    let counts = buffer.counts();
    assert_eq!((counts.grown, counts.late, counts.missing), (1, 1, 1));
}

#[test]
fn the_delay_grows_to_its_bound_and_no_further() {
    let bounds = DelayBounds {
        min_ms: 20,
        max_ms: 100,
    };
    let mut buffer = JitterBuffer::new(Format::G711, bounds);
    push(&mut buffer, (0, 0), "a");
    assert_eq!(play(&mut buffer, 7), "...a???");
    assert_eq!(push(&mut buffer, (0, 0), "b"), [Arrival::Late]); // 60 ms late, 40 are left
    assert_eq!(push(&mut buffer, (0, 0), "cde"), [Arrival::Buffered; 3]);
    assert_eq!(play(&mut buffer, 3), "cde");
    assert_eq!(buffer.delay_ms(), 100);
    push(&mut buffer, (0, 0), "hjk");
    assert_eq!(play(&mut buffer, 5), "??h?j");
    assert_eq!(push(&mut buffer, (0, 0), "i"), [Arrival::Late]);
    assert_eq!(play(&mut buffer, 1), "k"); // not held back: the bound is reached
}

#[test]
fn a_burst_after_a_stall_is_cut_to_the_longest_delay() {
    let mut buffer = buffer();
    push(&mut buffer, (0, 0), "ab");
    play(&mut buffer, 5);
    let letters: String = ('c'..='z').collect();
    push(&mut buffer, (0, 0), &letters);
    // 24 frames came at once; 240 ms and the newest are left.
    assert_eq!(play(&mut buffer, 13), "nopqrstuvwxyz");
    assert_eq!(buffer.counts().discarded, 11);
}

#[test]
fn one_stray_packet_is_dropped_and_a_second_moves_the_playout() {
    for jump in [1 << 31, 1 << 20, (1 << 31) + 5, 0u32.wrapping_sub(100_000)] {
        let mut buffer = buffer();
        push(&mut buffer, (0, 0), "ab");
        assert_eq!(
            push(&mut buffer, (500, jump), "x"),
            [Arrival::Stray],
            "{jump}"
        );
        assert_eq!(push(&mut buffer, (0, 0), "c"), [Arrival::Buffered]);
        assert_eq!(play(&mut buffer, 6), "...abc");
        assert_eq!(push(&mut buffer, (500, jump), "x"), [Arrival::Stray]);
        assert_eq!(push(&mut buffer, (500, jump), "y"), [Arrival::Restarted]);
        assert!(play(&mut buffer, 4).contains('y'));
    }
}

#[test]
fn another_source_begins_anew_with_what_was_learned() {
    let mut buffer = buffer();
    push(&mut buffer, (0, 0), "a");
    assert_eq!(play(&mut buffer, 4), "...a");
    let other = Packet {
        ssrc: 8,
        ..packet(9, 77, &[b'z'; FRAME as usize])
    };
    assert_eq!(buffer.push(&other), Arrival::Restarted);
    assert_eq!(play(&mut buffer, 3), ".z?"); // no jitter was seen: the shortest delay
}

#[test]
fn what_holds_no_audio_or_too_much_is_unusable() {
    let mut buffer = buffer();
    for length in [0, 961, 65_000] {
        let payload = vec![0; length];
        assert_eq!(
            buffer.push(&packet(0, 0, &payload)),
            Arrival::Unusable,
            "{length}"
        );
    }
    assert_eq!(buffer.push(&packet(0, 0, &[b'x'; 960])), Arrival::Restarted);
}

proptest! {
    /// Whatever comes, each packet is played at most once and in order, and every pop gives what was asked for.
    #[test]
    fn packets_play_in_order_and_once(
        start in any::<(u16, u32)>(),
        arrivals in proptest::collection::vec((0u8..60, 0usize..3, any::<bool>()), 0..300),
    ) {
        let mut buffer = buffer();
        let mut newest = None;
        for (n, pops, is_quiet) in arrivals {
            let timestamp = start.1.wrapping_add(u32::from(n) * FRAME);
            let payload = [n + 100; FRAME as usize];
            let arrival = buffer.push(&packet(start.0.wrapping_add(n.into()), timestamp, &payload));
            if arrival == Arrival::Restarted {
                newest = None;
            }
            for _ in 0..pops {
                let frame = play_frame(&mut buffer, is_quiet);
                for played in frame.chars().filter(|played| !".?".contains(*played)) {
                    prop_assert!(newest <= Some(played), "{:?} before {}", newest, played);
                    newest = Some(played);
                }
            }
        }
    }

    /// Any timestamps and lengths at all.
    #[test]
    fn nothing_a_peer_sends_stops_the_playout(
        arrivals in proptest::collection::vec((any::<u16>(), any::<u32>(), 0usize..1_000, 0u32..3, any::<bool>()), 0..200),
        format in proptest::sample::select(vec![Format::G711, Format::OPUS]),
    ) {
        let mut buffer = JitterBuffer::new(format, DelayBounds::default());
        let payload = vec![0x5b; 1_000];
        for (sequence, timestamp, length, ssrc, is_near) in arrivals {
            let timestamp = if is_near { timestamp % 4_000 } else { timestamp };
            buffer.push(&Packet { ssrc, ..packet(sequence, timestamp, &payload[..length]) });
            play_frame(&mut buffer, is_near);
        }
    }
}
