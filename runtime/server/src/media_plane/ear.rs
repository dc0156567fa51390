//! What a leg hears: packets in, frames of 20 ms out, whatever was lost, late, or never sent between them.

use std::time::Duration;

use media::codec::MAX_PACKET_SAMPLES;
use media::{Codec, ComfortNoise, Decoder, Rate};
use rtp::{DelayBounds, Format, JitterBuffer, Output, Packet};

/// Samples of a frame at the highest rate that a codec has here.
pub(super) const MAX_FRAME_SAMPLES: usize = Rate::Wide.frame_samples();

/// Below this mean of squares a frame may be left out unheard: -50 dBov.
const QUIET: i64 = 10_000;

/// The receiving side of one leg. Making one, or changing its codec, allocates; using it does not.
#[derive(Debug)]
pub(super) struct Ear {
    jitter: JitterBuffer,
    decoder: Decoder,
    noise: ComfortNoise,
    /// What is decoded and not heard yet, for packets need not be as long as frames.
    samples: Box<[i16; MAX_FRAME_SAMPLES + MAX_PACKET_SAMPLES]>,
    decoded: usize,
    is_quiet: bool,
}

impl Ear {
    /// An ear for a codec of this build.
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            jitter: JitterBuffer::new(format(codec), DelayBounds::default()),
            decoder: decoder(codec),
            noise: ComfortNoise::new(1),
            samples: Box::new([0; MAX_FRAME_SAMPLES + MAX_PACKET_SAMPLES]),
            decoded: 0,
            is_quiet: true,
        }
    }

    /// The codec it understands.
    pub(super) fn codec(&self) -> Codec {
        self.decoder.codec()
    }

    /// Forgets what it heard; from now on for this codec.
    pub(super) fn reset(&mut self, codec: Codec) {
        self.jitter.reset(format(codec));
        self.decoder = decoder(codec);
        self.noise = ComfortNoise::new(1);
        self.decoded = 0;
        self.is_quiet = true;
    }

    /// Packets that came too late to be heard.
    pub(super) fn late(&self) -> u64 {
        self.jitter.counts().late
    }

    /// How long packets wait here.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.jitter.delay_ms().into())
    }

    /// Takes a packet of audio that is no duplicate.
    pub(super) fn take(&mut self, packet: &Packet<'_>) {
        self.jitter.push(packet);
    }

    /// Takes what a packet says of the peer's silence (RFC 3389).
    pub(super) fn take_noise(&mut self, payload: &[u8]) {
        self.noise.describe(payload);
    }

    /// The frame whose turn it is, 20 ms at the codec's rate.
    pub(super) fn frame(&mut self) -> &[i16] {
        let length = self.codec().rate().frame_samples();
        // A frame was given away in the last round: it lies before what is left.
        while self.decoded < length {
            self.decode_more(length - self.decoded);
        }
        self.is_quiet = is_quiet(&self.samples[..length]);
        self.samples[..self.decoded].rotate_left(length);
        self.decoded -= length;
        // Rotated to behind what is left.
        &self.samples[self.decoded..self.decoded + length]
    }

    /// Decodes the next packet, or fills what is missing of it.
    fn decode_more(&mut self, wanted: usize) {
        let codec = self.codec();
        let samples_a_frame = codec.rate().frame_samples();
        let ticks_a_frame = codec.timestamps_a_frame() as usize;
        let samples = |ticks: u32| ticks as usize * samples_a_frame / ticks_a_frame;
        let wanted_ticks = (wanted * ticks_a_frame / samples_a_frame) as u32;
        let free = self.samples[self.decoded..].first_chunk_mut();
        let free: &mut [i16; MAX_PACKET_SAMPLES] = free.expect("less than a frame waits");
        self.decoded += match self.jitter.pop(wanted_ticks, self.is_quiet) {
            Output::Frame { payload, ticks } => match self.decoder.decode(payload, free) {
                Ok(decoded) => decoded,
                Err(_) => {
                    self.decoder.conceal(None, &mut free[..samples(ticks)]);
                    samples(ticks)
                }
            },
            Output::Lost { ticks, next } => {
                self.decoder.conceal(next, &mut free[..samples(ticks)]);
                samples(ticks)
            }
            Output::Silence { ticks } => {
                self.noise.fill(&mut free[..samples(ticks)]);
                samples(ticks)
            }
        };
    }
}

fn decoder(codec: Codec) -> Decoder {
    Decoder::new(codec).expect("only codecs of this build are negotiated")
}

/// How long its payloads are.
pub(super) fn format(codec: Codec) -> Format {
    match codec {
        Codec::Opus => Format::OPUS,
        Codec::G722 => Format::G722,
        _ => Format::G711,
    }
}

fn is_quiet(frame: &[i16]) -> bool {
    let squares: i64 = frame.iter().map(|sample| i64::from(*sample).pow(2)).sum();
    squares < QUIET * frame.len() as i64
}

#[cfg(test)]
mod tests {
    use media::Encoder;
    use media::codec::MAX_FRAME_BYTES;

    use super::*;

    fn packet(sequence: u16, payload: &[u8]) -> Packet<'_> {
        Packet {
            marker: sequence == 0,
            payload_type: 0,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 7,
            payload,
        }
    }

    fn tone(codec: Codec, frames: usize) -> Vec<i16> {
        let rate = codec.rate();
        (0..frames * rate.frame_samples())
            .map(|at| {
                let radians = at as f32 * 440.0 * std::f32::consts::TAU / rate.hz() as f32;
                (radians.sin() * 8_000.0) as i16
            })
            .collect()
    }

    fn power(frame: &[i16]) -> i64 {
        frame
            .iter()
            .map(|sample| i64::from(*sample).pow(2))
            .sum::<i64>()
            / frame.len() as i64
    }

    /// One packet of the tone in each of so many rounds; what is heard in each. Packets whose number is in `lost` do not come.
    fn heard(codec: Codec, rounds: u16, lost: &[u16]) -> Vec<Vec<i16>> {
        let tone = tone(codec, rounds.into());
        let encoder = Encoder::new(codec, false).unwrap();
        heard_of(&tone, encoder, lost)
    }

    /// The same of other samples.
    fn heard_of(samples: &[i16], mut encoder: Encoder, lost: &[u16]) -> Vec<Vec<i16>> {
        let codec = encoder.codec();
        let mut ear = Ear::new(codec);
        let mut frames = samples.chunks(codec.rate().frame_samples());
        (0..frames.len() as u16)
            .map(|round| {
                let mut payload = [0; MAX_FRAME_BYTES];
                let length = encoder.encode(frames.next().unwrap(), &mut payload);
                if !lost.contains(&round) {
                    ear.take(&Packet {
                        timestamp: u32::from(round) * codec.timestamps_a_frame(),
                        ..packet(round, &payload[..length])
                    });
                }
                ear.frame().to_vec()
            })
            .collect()
    }

    #[test]
    fn a_tone_is_heard_in_each_codec() {
        for codec in Codec::ALL {
            let heard = heard(codec, 50, &[]);
            for frame in &heard {
                assert_eq!(frame.len(), codec.rate().frame_samples());
            }
            let expected = power(&tone(codec, 20));
            for frame in &heard[10..] {
                let ratio = power(frame) as f64 / expected as f64;
                assert!((0.8..1.25).contains(&ratio), "{codec:?}: {ratio}");
            }
            assert_eq!(power(&heard[0]), 0, "the first one waits for others");
        }
    }

    #[test]
    fn a_lost_packet_is_filled_with_something_like_it() {
        for codec in [Codec::Pcmu, Codec::G722] {
            let whole = heard(codec, 50, &[]);
            let torn = heard(codec, 50, &[30]);
            let gap = (30..40).find(|round| whole[*round] != torn[*round]);
            let gap = gap.expect("it is missed");
            let ratio = power(&torn[gap]) as f64 / power(&whole[gap]) as f64;
            assert!((0.25..2.0).contains(&ratio), "{codec:?}: {ratio}");
        }
    }

    #[test]
    fn opus_brings_a_lost_beginning_back_from_the_packet_behind_it() {
        let silence = vec![0; 25 * Codec::Opus.rate().frame_samples()];
        let samples = [silence, tone(Codec::Opus, 25)].concat();
        let back = [false, true].map(|redundant| {
            let encoder = || Encoder::new(Codec::Opus, redundant).unwrap();
            let whole = heard_of(&samples, encoder(), &[]);
            let torn = heard_of(&samples, encoder(), &[25]);
            let gap = whole.iter().position(|frame| power(frame) > 1_000_000);
            let gap = gap.expect("the tone is heard");
            power(&torn[gap]) as f64 / power(&whole[gap]) as f64
        });
        assert!(back[0] < 0.1 && back[1] > 0.5, "{back:?}");
    }

    #[test]
    fn packets_need_not_be_as_long_as_frames() {
        for milliseconds in [10, 30, 40, 60] {
            let mut ear = Ear::new(Codec::Pcmu);
            let bytes = milliseconds * 8;
            let codes = vec![media::Law::Mu.encode(1_000); bytes];
            let mut loud = 0;
            for sequence in 0..60_u16 {
                ear.take(&Packet {
                    timestamp: u32::from(sequence) * bytes as u32,
                    ..packet(sequence, &codes)
                });
                let due = (usize::from(sequence) + 1) * milliseconds / 20
                    - usize::from(sequence) * milliseconds / 20;
                for _ in 0..due {
                    loud += usize::from(power(ear.frame()) > 500_000);
                }
            }
            let rounds = 60 * milliseconds / 20;
            assert!(loud > rounds - 20, "{milliseconds} ms: {loud} of {rounds}");
        }
    }

    #[test]
    fn the_peers_silence_sounds_as_it_says() {
        let mut ear = Ear::new(Codec::Pcmu);
        assert_eq!(power(ear.frame()), 0);
        ear.take_noise(&[40]);
        ear.frame();
        let level = power(ear.frame());
        // 40 dB below overload: (32767 / 100) squared.
        assert!((50_000..200_000).contains(&level), "{level}");
    }
}
