use allocation_counter::measure;
use proptest::prelude::*;

use super::*;
use crate::testing::{snr_db, speech, sweep};

fn built_in() -> impl Iterator<Item = Codec> {
    Codec::ALL.into_iter().filter(|codec| codec.is_built_in())
}

/// The audio after encoder and decoder.
fn through(codec: Codec, redundant: bool, samples: &[i16]) -> Vec<i16> {
    let mut encoder = Encoder::new(codec, redundant).unwrap();
    let mut decoder = Decoder::new(codec).unwrap();
    let (mut payload, mut buffer) = ([0; MAX_FRAME_BYTES], [0; MAX_PACKET_SAMPLES]);
    let mut heard = Vec::new();
    for frame in samples.chunks_exact(codec.rate().frame_samples()) {
        let length = encoder.encode(frame, &mut payload);
        let count = decoder.decode(&payload[..length], &mut buffer).unwrap();
        assert_eq!(count, frame.len(), "{codec:?}");
        heard.extend_from_slice(&buffer[..count]);
    }
    heard
}

#[test]
fn speech_and_sweeps_keep_their_shape() {
    for (codec, redundant, speech_db, sweep_db) in [
        (Codec::Pcmu, false, 36.0, 36.0),
        (Codec::Pcma, false, 36.0, 36.0),
        (Codec::G722, false, 31.0, 26.0),
        (Codec::Opus, false, 9.5, 20.0),
        (Codec::Opus, true, 8.5, 17.0),
    ] {
        if !codec.is_built_in() {
            continue;
        }
        let rate = codec.rate();
        for (name, samples, least_db) in [
            ("speech", speech(rate, 3_000), speech_db),
            ("sweep", sweep(rate, 3_000), sweep_db),
        ] {
            let heard = through(codec, redundant, &samples);
            let snr_db = snr_db(&samples, &heard, rate.samples(30));
            assert!(
                snr_db >= least_db,
                "{codec:?} {redundant} {name}: {snr_db:.1} dB"
            );
        }
    }
}

#[test]
fn silence_stays_silent_and_full_scale_does_no_harm() {
    for codec in built_in() {
        let frames = 25 * codec.rate().frame_samples();
        let heard = through(codec, false, &vec![0; frames]);
        let loudest = heard.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(loudest <= Some(16), "{codec:?}: {loudest:?}");
        let square: Vec<i16> = (0..frames)
            .map(|n| if n / 20 % 2 == 0 { i16::MAX } else { i16::MIN })
            .collect();
        let heard = through(codec, false, &square);
        assert!(
            heard.iter().any(|sample| sample.unsigned_abs() > 20_000),
            "{codec:?}"
        );
    }
}

#[test]
fn packets_of_10_to_60_ms_are_decoded() {
    for codec in built_in().filter(|codec| *codec != Codec::Opus) {
        for ms in [10, 20, 30, 40, 60] {
            let mut buffer = [0; MAX_PACKET_SAMPLES];
            let payload = vec![0x55; 8 * ms as usize];
            let count = Decoder::new(codec).unwrap().decode(&payload, &mut buffer);
            assert_eq!(count, Ok(codec.rate().samples(ms)), "{codec:?} {ms}");
        }
    }
}

#[test]
fn what_is_no_payload_is_refused() {
    for codec in built_in() {
        let mut decoder = Decoder::new(codec).unwrap();
        let mut buffer = [0; MAX_PACKET_SAMPLES];
        assert_eq!(
            decoder.decode(&[], &mut buffer),
            Err(BadPayload),
            "{codec:?}"
        );
        let too_long = [0xff; MAX_PACKET_SAMPLES + 1];
        assert_eq!(
            decoder.decode(&too_long, &mut buffer),
            Err(BadPayload),
            "{codec:?}"
        );
    }
}

#[test]
fn only_opus_allocates() {
    for codec in built_in().filter(|codec| *codec != Codec::Opus) {
        let mut encoder = Encoder::new(codec, false).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        let frame = &speech(codec.rate(), 20);
        let (mut payload, mut buffer) = ([0; MAX_FRAME_BYTES], [0; MAX_PACKET_SAMPLES]);
        let allocations = measure(|| {
            let length = encoder.encode(frame, &mut payload);
            let count = decoder.decode(&payload[..length], &mut buffer).unwrap();
            decoder.conceal(None, &mut buffer[..count]);
            decoder.decode(&payload[..length], &mut buffer).unwrap();
        });
        assert_eq!(allocations.count_total, 0, "{codec:?}");
    }
}

#[test]
fn what_is_built_in_can_be_made_and_knows_its_name() {
    for codec in Codec::ALL {
        let made = Encoder::new(codec, false).map(|encoder| encoder.codec());
        let expected = codec
            .is_built_in()
            .then_some(codec)
            .ok_or(NotBuiltIn(codec));
        assert_eq!(made, expected);
        assert_eq!(Decoder::new(codec).map(|decoder| decoder.codec()), expected);
    }
}

/// Not for decoders: for the thread that has none of its time for it.
#[cfg(feature = "opus")]
#[test]
fn long_silence_in_opus_costs_nothing_and_is_over_at_once() {
    let rate = Codec::Opus.rate();
    let silence = vec![0; rate.frame_samples()];
    let mut encoder = Encoder::new(Codec::Opus, true).unwrap();
    let mut payload = [0; MAX_FRAME_BYTES];
    for frame in speech(rate, 200).chunks_exact(rate.frame_samples()) {
        encoder.encode(frame, &mut payload);
    }
    for _ in 0..10 {
        encoder.encode(&silence, &mut payload);
    }
    let allocations = measure(|| {
        encoder.encode(&silence, &mut payload);
    });
    assert_eq!(allocations.count_total, 0);

    let said = [vec![0; rate.samples(600)], speech(rate, 3_000)].concat();
    let heard = through(Codec::Opus, false, &said);
    let snr_db = snr_db(
        &said[rate.samples(600)..],
        &heard[rate.samples(600)..],
        rate.samples(30),
    );
    assert!(snr_db >= 9.0, "{snr_db:.1} dB");
}

/// Frames of speech, some of them lost; the decoder conceals these, with the next packet at hand or without.
#[cfg(feature = "opus")]
fn opus_with_losses(redundant: bool, looks_ahead: bool) -> f64 {
    let samples = speech(Rate::Wide, 4_000);
    let mut encoder = Encoder::new(Codec::Opus, redundant).unwrap();
    let packets: Vec<Vec<u8>> = samples
        .chunks_exact(320)
        .map(|frame| {
            let mut payload = [0; MAX_FRAME_BYTES];
            let length = encoder.encode(frame, &mut payload);
            payload[..length].to_vec()
        })
        .collect();
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let mut buffer = [0; MAX_PACKET_SAMPLES];
    let mut heard = Vec::new();
    for (n, packet) in packets.iter().enumerate() {
        if n % 5 == 4 {
            let next = packets.get(n + 1).filter(|_| looks_ahead);
            decoder.conceal(next.map(Vec::as_slice), &mut buffer[..320]);
        } else {
            assert_eq!(decoder.decode(packet, &mut buffer), Ok(320));
        }
        heard.extend_from_slice(&buffer[..320]);
    }
    snr_db(&samples, &heard, 480)
}

#[cfg(feature = "opus")]
#[test]
fn redundant_opus_brings_lost_frames_back() {
    let (guessed, copied) = (opus_with_losses(true, false), opus_with_losses(true, true));
    assert!(copied > guessed + 1.5, "{guessed:.1} dB, {copied:.1} dB");
    let without = opus_with_losses(false, true);
    assert!(copied > without + 0.5, "{without:.1} dB, {copied:.1} dB");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever comes, a decoder goes on, and decodes what is good afterwards.
    #[test]
    fn any_payload_is_decoded_or_refused(
        which in 0..Codec::ALL.len(),
        payloads in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..400), 1..8),
    ) {
        let codec = Codec::ALL[which];
        prop_assume!(codec.is_built_in());
        let mut decoder = Decoder::new(codec).unwrap();
        let mut buffer = [0; MAX_PACKET_SAMPLES];
        for (n, payload) in payloads.iter().enumerate() {
            if let Ok(count) = decoder.decode(payload, &mut buffer) {
                prop_assert!((1..=MAX_PACKET_SAMPLES).contains(&count));
            }
            if n % 2 == 1 {
                let frame = &mut buffer[..codec.rate().frame_samples()];
                decoder.conceal(payloads.get(n + 1).map(Vec::as_slice), frame);
            }
        }
        let mut good = [0; MAX_FRAME_BYTES];
        let mut encoder = Encoder::new(codec, false).unwrap();
        let length = encoder.encode(&vec![100; codec.rate().frame_samples()], &mut good);
        prop_assert_eq!(
            decoder.decode(&good[..length], &mut buffer),
            Ok(codec.rate().frame_samples())
        );
    }
}
