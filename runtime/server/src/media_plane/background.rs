//! What a leg says over and over while it has nothing else to say.

use std::sync::Arc;

use media::{Rate, RateConverter, SAMPLES_8K};

/// A sound in rounds, such as a ringback tone. Making one allocates; hearing it does not.
#[derive(Debug)]
pub(super) struct Background {
    /// 8 kHz, whole frames.
    samples: Arc<[i16]>,
    /// The next frame.
    place: usize,
    rate: Rate,
    converter: RateConverter,
}

impl Background {
    /// A sound from its beginning, for a codec of this rate; none of a sound without a whole frame.
    pub(super) fn new(samples: Arc<[i16]>, rate: Rate) -> Option<Self> {
        (samples.len() >= SAMPLES_8K).then(|| Self {
            samples,
            place: 0,
            rate,
            converter: RateConverter::new(Rate::Narrow, rate),
        })
    }

    /// Goes on at another rate.
    pub(super) fn change(&mut self, rate: Rate) {
        if self.rate != rate {
            self.rate = rate;
            self.converter = RateConverter::new(Rate::Narrow, rate);
        }
    }

    /// Fills the next 20 ms, at its rate.
    pub(super) fn frame(&mut self, frame: &mut [i16]) {
        let (frames, _) = self.samples.as_chunks::<SAMPLES_8K>();
        self.converter.convert(&frames[self.place], frame);
        self.place = (self.place + 1) % frames.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_round_in_whole_frames_at_any_rate() {
        let samples: Vec<i16> =
            [vec![100; SAMPLES_8K], vec![-100; SAMPLES_8K], vec![7; 5]].concat();
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut background = Background::new(samples.clone().into(), Rate::Narrow).unwrap();
            background.change(rate);
            let mut frame = vec![0; rate.frame_samples()];
            let middles: Vec<i16> = (0..4)
                .map(|_| {
                    background.frame(&mut frame);
                    frame[frame.len() / 2]
                })
                .collect();
            let near = |expected: [i16; 4]| {
                let pairs = middles.iter().zip(expected);
                pairs
                    .into_iter()
                    .all(|(heard, expected)| (heard - expected).abs() <= 2)
            };
            assert!(near([100, -100, 100, -100]), "{rate:?} {middles:?}");
        }
        assert!(Background::new(vec![1; 159].into(), Rate::Narrow).is_none());
    }
}
