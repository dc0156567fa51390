//! A conference of real RTP: fifty legs on the plane, and their peers.

use std::f64::consts::TAU;

use media::SAMPLES_8K;

use super::*;

const LEGS: usize = 50;
const SPACING_HZ: usize = 50;
const AMPLITUDE: f64 = 300.0;
/// A second: every tone is whole in it.
const FRAMES: usize = 50;

/// One who takes part: our leg, and its peer.
struct Participant {
    _ours: OpenLeg,
    _theirs: OpenLeg,
    heard: mpsc::Receiver<HeardFrame>,
    chair: Chair,
    frequency_hz: usize,
}

impl Participant {
    fn join(plane: &MediaPlane, mix: &mut Mix, number: usize) -> Self {
        let (sender, heard) = mpsc::channel(500);
        let ours = plane.open_leg(&LegSettings::default()).unwrap();
        let theirs = plane.open_listening_leg(sender).unwrap();
        connect(&ours.leg, theirs.leg.address);
        connect(&theirs.leg, ours.leg.address);
        let (end, other) = line();
        ours.leg.join(end);
        let chair = mix.seat(other, media::Rate::Narrow);
        let frequency_hz = 300 + number * SPACING_HZ;
        let second: Vec<i16> = (0..FRAMES * SAMPLES_8K)
            .map(|n| (AMPLITUDE * (TAU * (frequency_hz * n) as f64 / 8_000.0).sin()) as i16)
            .collect();
        theirs.leg.send(MediaCommand::Play {
            id: PlaybackId(1),
            prompt: Arc::new(Prompt::from_pcm(&second)),
            loops: 1_000,
        });
        Self {
            _ours: ours,
            _theirs: theirs,
            heard,
            chair,
            frequency_hz,
        }
    }

    /// Forgets what its peer has heard.
    fn forget(&mut self) {
        while self.heard.try_recv().is_ok() {}
    }

    /// The next second of what its peer hears.
    async fn second(&mut self) -> Vec<i16> {
        let mut samples = Vec::new();
        for _ in 0..FRAMES {
            samples.extend(next(&mut self.heard).await);
        }
        samples
    }
}

/// How loud a tone is, in parts of how loud it is said.
fn level(samples: &[i16], frequency_hz: usize) -> f64 {
    let step = TAU * frequency_hz as f64 / 8_000.0;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (sine, cosine) = (step * n as f64).sin_cos();
        real += f64::from(*sample) * cosine;
        imaginary += f64::from(*sample) * sine;
    }
    2.0 * f64::hypot(real, imaginary) / (samples.len() as f64 * AMPLITUDE)
}

/// Listens until each of these hears exactly those. A machine under load loses frames, which smears the tones: so who heard something
/// else listens again. Who hears itself, or does not hear another, does so in every second.
async fn hear_exactly(all: &mut [Participant], mut expected: Vec<(usize, Vec<usize>)>) {
    let tones: Vec<usize> = all.iter().map(|one| one.frequency_hz).collect();
    let mut heard = Vec::new();
    for _ in 0..10 {
        all.iter_mut().for_each(Participant::forget);
        let mut missed = Vec::new();
        for (listener, those) in expected {
            let second = all[listener].second().await;
            let is_heard = |at: &usize| level(&second, tones[*at]) > 0.5;
            heard = (0..tones.len()).filter(is_heard).collect();
            if heard != those {
                missed.push((listener, those));
            }
        }
        if missed.is_empty() {
            return;
        }
        expected = missed;
    }
    panic!("not {expected:?}: the last one hears {heard:?}");
}

fn all_but(gone: &[usize]) -> Vec<usize> {
    (0..LEGS).filter(|at| !gone.contains(at)).collect()
}

#[test]
fn each_of_fifty_legs_hears_all_others_and_never_itself() {
    runtime().block_on(async {
        let plane = plane(12_200, 12_499);
        let mut mix = plane
            .open_mix(LEGS, tokio::sync::mpsc::channel(1).0)
            .unwrap();
        let mut all: Vec<_> = (0..LEGS)
            .map(|number| Participant::join(&plane, &mut mix, number))
            .collect();
        let others = (0..LEGS).map(|at| (at, all_but(&[at]))).collect();
        hear_exactly(&mut all, others).await;

        let hear = |chair, hearing| mix.hear(chair, hearing);
        let (muted, held, coach) = (7, 11, 13);
        hear(
            all[muted].chair,
            MixHearing {
                is_muted: true,
                ..MixHearing::default()
            },
        );
        hear(
            all[held].chair,
            MixHearing {
                is_held: true,
                ..MixHearing::default()
            },
        );
        let coaches = Some(all[0].chair);
        hear(
            all[coach].chair,
            MixHearing {
                coaches,
                ..MixHearing::default()
            },
        );
        let expected = vec![
            (muted, all_but(&[muted, held, coach])),
            (held, Vec::new()),
            (coach, all_but(&[muted, held, coach])),
            (0, all_but(&[0, muted, held])),
            (1, all_but(&[1, muted, held, coach])),
        ];
        hear_exactly(&mut all, expected).await;

        mix.unseat(all[1].chair);
        let expected = vec![(1, Vec::new()), (2, all_but(&[1, 2, muted, held, coach]))];
        hear_exactly(&mut all, expected).await;
        drop(mix);
        hear_exactly(&mut all, vec![(2, Vec::new())]).await;
        assert_eq!(plane.counters().refused, 0);
        drop(all);
    });
}
