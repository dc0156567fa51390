use proptest::prelude::*;

use super::*;

/// A second of noise as this payload describes it, after a second in which it settled.
fn noise(payload: &[u8]) -> Vec<i16> {
    let mut noise = ComfortNoise::new(7);
    noise.describe(payload);
    let mut samples = vec![0; 16_000];
    for frame in samples.chunks_mut(160) {
        noise.fill(frame);
    }
    samples.split_off(8_000)
}

fn level_dbov(samples: &[i16]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    10.0 * (sum / samples.len() as f64 / 32_767f64.powi(2)).log10()
}

/// How much a sample is like the one before: 1 for a rumble, 0 for white noise, -1 for a hiss.
fn likeness(samples: &[i16]) -> f64 {
    let product = |lag: usize| -> f64 {
        let pairs = samples[lag..].iter().zip(samples);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    product(1) / product(0)
}

/// The index of a reflection coefficient (section 3.2).
fn index(reflection: f64) -> u8 {
    (127.0 + reflection * 32_768.0 / 258.0).round() as u8
}

#[test]
fn the_level_is_the_one_described() {
    for payload in [
        vec![30],
        vec![50],
        vec![70],
        vec![40, index(-0.9)],
        vec![40, index(0.6), index(-0.3), index(0.2)],
        vec![0x80 | 50], // the reserved bit
    ] {
        let expected = -f64::from(payload[0] & 0x7f);
        let level = level_dbov(&noise(&payload));
        assert!(
            (level - expected).abs() < 1.0,
            "{payload:?}: {level:.1} dBov"
        );
    }
}

#[test]
fn the_spectrum_is_the_one_described() {
    for (reflections, expected) in [
        (vec![], 0.0),
        (vec![-0.9], 0.9),
        (vec![0.5], -0.5),
        (vec![-0.5, 0.3], 0.5),
    ] {
        let mut payload = vec![30];
        payload.extend(reflections.iter().map(|reflection| index(*reflection)));
        let likeness = likeness(&noise(&payload));
        assert!(
            (likeness - expected).abs() < 0.05,
            "{reflections:?}: {likeness:.2}"
        );
    }
}

#[test]
fn it_is_silent_until_described_and_an_empty_payload_changes_nothing() {
    let mut noise = ComfortNoise::new(0);
    let mut samples = [1; 160];
    noise.describe(&[]);
    noise.fill(&mut samples);
    assert_eq!(samples, [0; 160]);
    noise.describe(&[40]);
    noise.fill(&mut samples);
    noise.describe(&[]);
    noise.fill(&mut samples);
    assert!(level_dbov(&samples) > -42.0);
    noise.describe(&[127]);
    noise.fill(&mut samples);
    noise.fill(&mut samples);
    assert_eq!(samples, [0; 160]);
}

#[test]
fn levels_change_without_a_step() {
    let mut noise = ComfortNoise::new(3);
    let mut samples = [0; 160];
    noise.describe(&[20]);
    noise.fill(&mut samples);
    assert!(level_dbov(&samples[..16]) < level_dbov(&samples[144..]) - 10.0);
}

#[test]
fn making_noise_allocates_nothing() {
    let mut noise = ComfortNoise::new(1);
    let mut samples = [0; 320];
    let allocations = allocation_counter::measure(|| {
        noise.describe(&[40, 90, 200, 127]);
        noise.fill(&mut samples);
    });
    assert_eq!(allocations.count_total, 0);
}

proptest! {
    /// However odd the spectra and however they change, the noise keeps within bounds: it dies away once they are gone.
    #[test]
    fn any_description_can_be_followed(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..10)) {
        let mut noise = ComfortNoise::new(9);
        let mut samples = [0; 160];
        for payload in payloads {
            noise.describe(&payload);
            noise.fill(&mut samples);
        }
        noise.describe(&[127]);
        for _ in 0..2 {
            noise.fill(&mut samples);
        }
        prop_assert!(samples.iter().all(|sample| sample.abs() <= 1), "{:?}", samples);
    }
}
