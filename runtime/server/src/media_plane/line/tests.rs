//! What goes through a line, and what does not.

use super::*;

/// A sine of 400 Hz, sample by sample, loud enough for every jump to show.
struct Tone {
    rate: Rate,
    at: u32,
}

impl Tone {
    fn frame(&mut self) -> Vec<i16> {
        let step = std::f64::consts::TAU * 400.0 / f64::from(self.rate.hz());
        (0..self.rate.frame_samples())
            .map(|_| {
                self.at += 1;
                (10_000.0 * (f64::from(self.at) * step).sin()) as i16
            })
            .collect()
    }
}

/// Two ends in virtual time.
struct Pair {
    says: LineEnd,
    hears: LineEnd,
    tone: Tone,
    rate: Rate,
    heard: Vec<i16>,
}

impl Pair {
    fn new(from: Rate, to: Rate) -> Self {
        let (says, hears) = line();
        Self {
            says,
            hears,
            tone: Tone { rate: from, at: 0 },
            rate: to,
            heard: Vec::new(),
        }
    }

    fn say(&mut self) {
        let frame = self.tone.frame();
        self.says.say(self.tone.rate, &frame);
    }

    fn hear(&mut self) {
        let mut frame = vec![1; self.rate.frame_samples()];
        self.hears.hear(self.rate, &mut frame);
        self.heard.extend(frame);
    }

    /// `s`: it is said, `h`: it is heard.
    fn run(&mut self, ticks: &str) {
        for tick in ticks.chars() {
            match tick {
                's' => self.say(),
                _ => self.hear(),
            }
        }
    }

    /// The largest step from one sample to the next, in parts of what the tone itself makes at most.
    fn roughness(&self) -> f64 {
        let step = std::f64::consts::TAU * 400.0 / f64::from(self.rate.hz());
        let largest = self
            .heard
            .windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max();
        f64::from(largest.unwrap_or(0)) / (10_000.0 * step)
    }

    fn is_silent(&self) -> bool {
        self.heard.iter().all(|sample| *sample == 0)
    }
}

const RATES: [(Rate, Rate); 4] = [
    (Rate::Narrow, Rate::Narrow),
    (Rate::Narrow, Rate::Wide),
    (Rate::Wide, Rate::Narrow),
    (Rate::Wide, Rate::Wide),
];

#[test]
fn what_is_said_is_heard_sample_for_sample() {
    for rate in [Rate::Narrow, Rate::Wide] {
        let mut pair = Pair::new(rate, rate);
        let mut said = Vec::new();
        for _ in 0..20 {
            let frame = pair.tone.frame();
            pair.says.say(rate, &frame);
            said.extend(frame);
            pair.hear();
        }
        let frame = rate.frame_samples();
        // One frame of slack, and the first one fades in.
        assert_eq!(pair.heard[2 * frame..], said[frame..19 * frame], "{rate:?}");
        assert!(pair.heard[..frame].iter().all(|sample| *sample == 0));
    }
}

#[test]
fn a_tone_goes_on_without_a_click_whatever_the_phases() {
    for (from, to) in RATES {
        for ticks in [
            "sh",
            "hs",
            "shhs",
            "hssh",
            "sshh", // one end is early, late, or both by turns
            "shshshhssh",
        ] {
            let mut pair = Pair::new(from, to);
            pair.run("ss");
            for _ in 0..60 {
                pair.run(ticks);
            }
            let roughness = pair.roughness();
            assert!(roughness < 1.1, "{from:?} {to:?} {ticks}: {roughness}");
            let frame = to.frame_samples();
            let loud = |frame: &[i16]| frame.iter().any(|sample| *sample > 9_000);
            assert!(
                pair.heard.chunks(frame).skip(1).all(loud),
                "{from:?} {to:?} {ticks}: a gap"
            );
            assert_eq!(pair.says.take_dropped(), 0, "{ticks}");
        }
    }
}

#[test]
fn a_gap_fades_out_and_in() {
    for (from, to) in RATES {
        let mut pair = Pair::new(from, to);
        pair.run(&"sh".repeat(10));
        pair.run("hhhhhh");
        let frame = to.frame_samples();
        let silent = pair.heard[pair.heard.len() - 2 * frame..].iter();
        assert!(silent.clone().all(|sample| *sample == 0), "{from:?} {to:?}");
        pair.run(&"sh".repeat(10));
        let roughness = pair.roughness();
        assert!(roughness < 1.3, "{from:?} {to:?}: {roughness}");
    }
}

#[test]
fn who_stood_still_is_soon_up_to_date_again() {
    for (from, to) in RATES {
        let mut pair = Pair::new(from, to);
        pair.run(&"sh".repeat(10));
        pair.run("sssss"); // 100 ms
        assert_eq!(pair.hears.incoming.frames.len(), 6);
        pair.run(&"sh".repeat(6 * SETTLED as usize));
        assert_eq!(pair.hears.incoming.frames.len(), 1, "{from:?} {to:?}");
        let roughness = pair.roughness();
        assert!(roughness < 1.3, "{from:?} {to:?}: {roughness}");
        assert_eq!(pair.says.take_dropped(), 0);
    }
}

#[test]
fn the_oldest_is_dropped_and_counted_where_nobody_listens() {
    let mut pair = Pair::new(Rate::Narrow, Rate::Narrow);
    pair.run(&"s".repeat(WAITING + 5));
    assert_eq!(pair.says.take_dropped(), 0, "nobody is there yet");
    pair.run("h");
    // Who listens late hears what is new.
    assert_eq!(pair.hears.incoming.frames.len(), 1);
    pair.run(&"s".repeat(WAITING + 5));
    // One was left of the slack.
    assert_eq!((pair.says.take_dropped(), pair.says.take_dropped()), (6, 0));
    assert_eq!(pair.hears.incoming.frames.len(), WAITING);
}

#[test]
fn it_goes_both_ways_and_ends_in_silence() {
    let (mut ours, mut theirs) = line();
    let (mut heard_here, mut heard_there) = ([0; 160], [0; 160]);
    for _ in 0..3 {
        ours.say(Rate::Narrow, &[1_000; 160]);
        theirs.say(Rate::Narrow, &[2_000; 160]);
        ours.hear(Rate::Narrow, &mut heard_here);
        theirs.hear(Rate::Narrow, &mut heard_there);
    }
    assert_eq!((heard_here, heard_there), ([2_000; 160], [1_000; 160]));
    drop(theirs);
    for _ in 0..3 {
        ours.say(Rate::Narrow, &[1_000; 160]);
        ours.hear(Rate::Narrow, &mut heard_here);
    }
    assert_eq!(heard_here, [0; 160]);
}

#[test]
fn nobody_speaks_before_the_other_end_does() {
    let mut pair = Pair::new(Rate::Narrow, Rate::Wide);
    pair.run("hhh");
    assert!(pair.is_silent());
}

#[test]
fn packets_go_to_whoever_understands_them() {
    let (ours, theirs) = line();
    let takes = |codec| Takes {
        codec,
        events: true,
        noise: false,
    };
    assert_eq!(ours.way(Codec::Pcma, 20), BridgeWay::Transcode);
    for codec in Codec::ALL {
        theirs.take_packets(Some(takes(codec)));
        assert_eq!(ours.taken(), Some(takes(codec)));
        for (from, ms, expected) in [
            (codec, 20, BridgeWay::Forward),
            (codec, 10, BridgeWay::Forward),
            (codec, 30, BridgeWay::Transcode),
            (other(codec), 20, BridgeWay::Transcode),
        ] {
            assert_eq!(ours.way(from, ms), expected, "{codec:?} {from:?} {ms}");
        }
    }
    theirs.take_packets(None);
    assert_eq!(ours.taken(), None);
}

fn other(codec: Codec) -> Codec {
    if codec == Codec::Pcmu {
        Codec::Pcma
    } else {
        Codec::Pcmu
    }
}

#[test]
fn ends_work_on_threads_of_their_own() {
    let (mut ours, mut theirs) = line();
    let is_heard = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&is_heard);
    let says = std::thread::spawn(move || {
        while !stop.load(Ordering::Acquire) {
            ours.say(Rate::Narrow, &[500; 160]);
        }
    });
    let mut frame = [0; 160];
    while frame != [500; 160] {
        theirs.hear(Rate::Narrow, &mut frame);
        assert!(frame.iter().all(|sample| (0..=500).contains(sample)));
    }
    is_heard.store(true, Ordering::Release);
    says.join().unwrap();
}
