//! A stream over a link that loses and delays, in virtual time.

use super::*;

/// What is simulated. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Link {
    seed: u64,
    packets: u64,
    lost_percent: u64,
    /// Each packet takes up to so much longer than the fastest.
    jitter_ms: u64,
    /// The jitter ends with this packet.
    calm_from: u64,
    /// The peer's clock is so many parts in a million faster than ours.
    skew_ppm: i64,
    /// Of every hundred packets so many are speech; for the others nothing is sent.
    speech_percent: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            seed: 1,
            packets: 3_000,
            lost_percent: 0,
            jitter_ms: 0,
            calm_from: u64::MAX,
            skew_ppm: 0,
            speech_percent: 100,
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    sent: u64,
    lost_on_link: u64,
    counts: PlayoutCounts,
    /// Frames that were concealed.
    concealed: u64,
    delay_ms: u32,
    longest_delay_ms: u32,
}

/// The packets as they arrive: when, and which of those sent.
fn arrivals(link: &Link, outcome: &mut Outcome) -> Vec<(u64, u16, u64)> {
    let mut random = Random::new(link.seed);
    let mut arrivals = Vec::new();
    let mut sequence = 65_000u16;
    for n in 0..link.packets {
        if n % 100 >= link.speech_percent {
            continue;
        }
        sequence = sequence.wrapping_add(1);
        outcome.sent += 1;
        if random.below(100) < link.lost_percent {
            outcome.lost_on_link += 1;
            continue;
        }
        let skew_us = n as i64 * 20_000 * link.skew_ppm / 1_000_000;
        let sent_us = (n * 20_000).saturating_add_signed(-skew_us);
        let jitter_ms = if n < link.calm_from {
            link.jitter_ms
        } else {
            0
        };
        arrivals.push((
            sent_us + 3_000 + random.below(jitter_ms * 1_000 + 1),
            sequence,
            n,
        ));
    }
    arrivals.sort_unstable();
    arrivals
}

fn run(link: Link) -> Outcome {
    let mut outcome = Outcome::default();
    let mut arrivals = arrivals(&link, &mut outcome).into_iter().peekable();
    let mut buffer = buffer();
    let mut newest = None;
    for tick in 0..link.packets + 50 {
        while let Some((_, sequence, n)) = arrivals.next_if(|(at, ..)| *at <= tick * 20_000) {
            let payload = [n.to_be_bytes(); FRAME as usize / 8].concat();
            buffer.push(&packet(
                sequence,
                (n as u32).wrapping_mul(FRAME).wrapping_sub(5_000),
                &payload,
            ));
        }
        outcome.longest_delay_ms = outcome.longest_delay_ms.max(buffer.delay_ms());
        let is_last = tick == link.packets;
        if is_last {
            outcome.delay_ms = buffer.delay_ms();
        }
        let mut left = FRAME;
        while left > 0 {
            left -= match buffer.pop(left, false) {
                Output::Frame { payload, ticks } => {
                    let n = u64::from_be_bytes(payload[payload.len() - 8..].try_into().unwrap());
                    assert!(newest <= Some(n), "{n} after {newest:?}: {link:?}");
                    newest = Some(n);
                    ticks
                }
                Output::Lost { ticks, .. } => {
                    outcome.concealed += u64::from(left == FRAME);
                    ticks
                }
                Output::Silence { ticks } => ticks,
            };
        }
    }
    outcome.counts = buffer.counts();
    outcome
}

/// Every packet that was sent was played, lost, late or discarded.
fn expect_accounted(link: Link, outcome: &Outcome) {
    let counts = &outcome.counts;
    let sum = counts.played + outcome.lost_on_link + counts.late + counts.discarded;
    assert_eq!(sum, outcome.sent, "{link:?} {outcome:?}");
}

#[test]
fn an_even_link_loses_nothing_and_the_delay_shrinks_to_what_is_needed() {
    let link = Link::default();
    let outcome = run(link);
    expect_accounted(link, &outcome);
    let counts = outcome.counts;
    assert_eq!(
        (counts.late, counts.missing, counts.grown),
        (0, counts.discarded, 0)
    );
    assert_eq!(outcome.delay_ms, 20, "{outcome:?}");
    assert_eq!(counts.shrunk, 2, "{outcome:?}");
}

#[test]
fn losses_are_concealed_and_nothing_else() {
    for seed in 0..20 {
        for lost_percent in [1, 5, 20] {
            let link = Link {
                seed,
                lost_percent,
                ..Link::default()
            };
            let outcome = run(link);
            expect_accounted(link, &outcome);
            let counts = outcome.counts;
            assert_eq!((counts.late, counts.grown), (0, 0), "{link:?}");
            let trailing = 3; // after the last packet of all
            let concealed = outcome.concealed;
            assert!(
                concealed <= outcome.lost_on_link + trailing,
                "{link:?} {outcome:?}"
            );
        }
    }
}

#[test]
fn jitter_within_the_bounds_costs_little_once_it_is_known() {
    for seed in 0..20 {
        for (jitter_ms, most_unheard, longest_ms) in
            [(10, 3, 60), (40, 4, 80), (80, 12, 120), (150, 30, 190)]
        {
            let link = Link {
                seed,
                jitter_ms,
                ..Link::default()
            };
            let outcome = run(link);
            expect_accounted(link, &outcome);
            let unheard = outcome.counts.late + outcome.counts.discarded;
            assert!(unheard <= most_unheard, "{link:?} {outcome:?}");
            assert!(
                outcome.longest_delay_ms <= longest_ms,
                "{link:?} {outcome:?}"
            );
        }
    }
}

#[test]
fn the_delay_comes_down_when_the_jitter_is_over() {
    for seed in 0..20 {
        let link = Link {
            seed,
            jitter_ms: 120,
            calm_from: 500,
            ..Link::default()
        };
        let outcome = run(link);
        expect_accounted(link, &outcome);
        assert!(outcome.longest_delay_ms >= 100, "{link:?} {outcome:?}");
        assert!(outcome.delay_ms <= 40, "{link:?} {outcome:?}");
    }
}

#[test]
fn pauses_are_where_the_delay_changes() {
    for seed in 0..20 {
        let link = Link {
            seed,
            jitter_ms: 60,
            calm_from: 1_000,
            speech_percent: 40,
            ..Link::default()
        };
        let outcome = run(link);
        expect_accounted(link, &outcome);
        let unheard = outcome.counts.late + outcome.counts.discarded;
        assert!(unheard <= 5, "{link:?} {outcome:?}");
        assert!(outcome.delay_ms <= 40, "{link:?} {outcome:?}");
    }
}

#[test]
fn beyond_the_bound_the_delay_does_not_grow() {
    for seed in 0..10 {
        let link = Link {
            seed,
            jitter_ms: 600,
            ..Link::default()
        };
        let outcome = run(link);
        assert!(outcome.longest_delay_ms <= 240, "{link:?} {outcome:?}");
        let counts = outcome.counts;
        assert!(counts.late + counts.discarded > 500, "{link:?} {outcome:?}");
        assert!(counts.played > 500, "{link:?} {outcome:?}");
    }
}

#[test]
fn a_clock_that_runs_fast_or_slow_is_followed() {
    for skew_ppm in [-500, 500] {
        let link = Link {
            packets: 30_000,
            skew_ppm,
            ..Link::default()
        };
        let outcome = run(link);
        expect_accounted(link, &outcome);
        let counts = outcome.counts;
        // 500 ppm of ten minutes are 300 ms: 15 frames.
        let steps = if skew_ppm > 0 {
            counts.shrunk
        } else {
            counts.grown
        };
        assert!((12..=20).contains(&steps), "{link:?} {outcome:?}");
        assert!(outcome.longest_delay_ms <= 80, "{link:?} {outcome:?}");
        assert_eq!(counts.late, 0, "{link:?} {outcome:?}");
    }
}
