use super::*;
use crate::SAMPLES_8K;
use crate::synthetic::{Chance, noise, speech};
use crate::tone::sine;

type Frame = [i16; SAMPLES_8K];

fn mixer(participants: usize, loudest: Option<usize>) -> (Mixer, Vec<Seat>) {
    let mut mixer = Mixer::new(participants, 8_000, loudest);
    let seats = (0..participants).map(|_| mixer.join().unwrap()).collect();
    (mixer, seats)
}

fn heard_by(mixer: &Mixer, seat: Seat) -> Frame {
    let mut frame = [77; SAMPLES_8K];
    mixer.write(seat, None, &mut frame);
    frame
}

/// The amplitude of one frequency over a second, by Goertzel's recurrence.
fn amplitude_at(samples: &[i16], frequency_hz: f64) -> f64 {
    let cosine = (std::f64::consts::TAU * frequency_hz / 8_000.0).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (f64::from(*sample) + 2.0 * cosine * one - two, one);
    }
    let power = one * one + two * two - 2.0 * cosine * one * two;
    2.0 * power.sqrt() / samples.len() as f64
}

#[test]
fn fifty_hear_all_others_and_never_themselves() {
    const PARTICIPANTS: usize = 50;
    let frequency_hz = |n: usize| 300.0 + 60.0 * n as f64;
    let tones: Vec<Vec<i16>> = (0..PARTICIPANTS)
        .map(|n| sine(frequency_hz(n), 0.012, 2 * 8_000))
        .collect();
    let (mut mixer, seats) = mixer(PARTICIPANTS, None);
    let mut heard = vec![Vec::new(); PARTICIPANTS];
    for round in 0..100 {
        for (seat, tone) in seats.iter().zip(&tones) {
            mixer.hear(*seat, &tone[round * SAMPLES_8K..][..SAMPLES_8K]);
        }
        mixer.mix(None);
        for (seat, heard) in seats.iter().zip(&mut heard) {
            heard.extend(heard_by(&mixer, *seat));
        }
    }
    for (listener, heard) in heard.iter().enumerate() {
        for speaker in 0..PARTICIPANTS {
            let amplitude = amplitude_at(&heard[8_000..], frequency_hz(speaker));
            if speaker == listener {
                assert!(amplitude < 1.0, "{listener} hears itself: {amplitude}");
            } else {
                let expected = 0.012 * 32_768.0;
                let error = (amplitude - expected).abs();
                assert!(error < 2.0, "{listener} hears {speaker}: {amplitude}");
            }
        }
    }
}

/// Who is in a conference, and how; as [`Mixer`] should see it.
#[derive(Clone, Copy)]
struct Member {
    seat: Seat,
    voice: i16,
    muted: bool,
    held: bool,
    speaks: bool,
    coaches: Option<Seat>,
}

#[test]
fn whoever_comes_goes_mutes_holds_and_coaches_is_heard_by_whom_they_should() {
    for seed in 0..200 {
        let mut chance = Chance::new(seed);
        let mut mixer = Mixer::new(10, 8_000, None);
        let mut members: Vec<Member> = Vec::new();
        let mut gone = Vec::new();
        for step in 0..60 {
            change(&mut chance, &mut mixer, &mut members, &mut gone);
            // One round in which voices swell and fade, and one to compare.
            for _ in 0..2 {
                for member in members.iter().filter(|member| member.speaks) {
                    mixer.hear(member.seat, &[member.voice; SAMPLES_8K]);
                }
                mixer.mix(None);
            }
            for listener in &members {
                let heard = heard_by(&mixer, listener.seat);
                let expected = expected(&members, listener);
                assert_eq!(heard, [expected; SAMPLES_8K], "{seed} {step}");
            }
            for seat in &gone {
                assert_eq!(heard_by(&mixer, *seat), [0; SAMPLES_8K]);
            }
        }
    }
}

fn change(chance: &mut Chance, mixer: &mut Mixer, members: &mut Vec<Member>, gone: &mut Vec<Seat>) {
    let whom = chance.bits() as usize % members.len().max(1);
    let other = chance.bits() as usize % members.len().max(1);
    match chance.bits() % 7 {
        0 | 1 if members.len() < 10 => {
            // A voice nobody else has: who is heard can be read off the sum.
            let voice = (0..10)
                .map(|bit| 1 << bit)
                .find(|voice| members.iter().all(|member| member.voice != *voice));
            members.push(Member {
                seat: mixer.join().unwrap(),
                voice: voice.unwrap(),
                muted: false,
                held: false,
                speaks: true,
                coaches: None,
            });
        }
        0 | 1 => assert_eq!(mixer.join(), Err(ConferenceFull)),
        _ if members.is_empty() => {}
        2 => {
            let member = members.swap_remove(whom);
            mixer.leave(member.seat);
            gone.push(member.seat);
        }
        3 => {
            members[whom].muted ^= true;
            mixer.set_muted(members[whom].seat, members[whom].muted);
        }
        4 => {
            members[whom].held ^= true;
            mixer.set_held(members[whom].seat, members[whom].held);
        }
        5 => members[whom].speaks ^= true,
        _ => {
            members[whom].coaches = (whom != other).then(|| members[other].seat);
            mixer.set_coach(members[whom].seat, members[whom].coaches);
        }
    }
}

fn expected(members: &[Member], listener: &Member) -> i16 {
    if listener.held {
        return 0;
    }
    members
        .iter()
        .filter(|member| member.seat != listener.seat)
        .filter(|member| member.speaks && !member.muted && !member.held)
        .filter(|member| member.coaches.is_none_or(|seat| seat == listener.seat))
        .map(|member| member.voice)
        .sum()
}

#[test]
fn one_on_hold_hears_music() {
    let (mut mixer, seats) = mixer(2, None);
    mixer.set_held(seats[0], true);
    mixer.hear(seats[1], &[100; SAMPLES_8K]);
    mixer.mix(None);
    let mut frame = [0; SAMPLES_8K];
    mixer.write(seats[0], Some(&[5; SAMPLES_8K]), &mut frame);
    assert_eq!(frame, [5; SAMPLES_8K]);
    mixer.write(seats[1], Some(&[5; SAMPLES_8K]), &mut frame);
    assert_eq!(frame, [0; SAMPLES_8K], "others do not");
}

#[test]
fn what_is_for_all_is_heard_by_all() {
    let (mut mixer, seats) = mixer(3, None);
    mixer.set_muted(seats[1], true);
    mixer.set_held(seats[2], true);
    mixer.mix(Some(&[9; SAMPLES_8K]));
    let heard = seats.iter().map(|seat| heard_by(&mixer, *seat)[0]);
    assert_eq!(heard.collect::<Vec<_>>(), [9, 9, 0]);
    let mut whole = [0; SAMPLES_8K];
    mixer.write_whole(&mut whole);
    assert_eq!(whole, [9; SAMPLES_8K]);
    mixer.mix(None);
    assert_eq!(heard_by(&mixer, seats[0]), [0; SAMPLES_8K], "once");
}

#[test]
fn everybody_shouting_does_not_overflow() {
    let (mut mixer, seats) = mixer(250, None);
    for round in 0..2 {
        for seat in &seats {
            mixer.hear(*seat, &[i16::MIN; SAMPLES_8K]);
        }
        mixer.mix(None);
        let loudest = heard_by(&mixer, seats[3])[SAMPLES_8K - 1];
        assert!(loudest < -32_700, "{round}: {loudest}");
    }
}

#[test]
fn only_the_loudest_are_heard_where_that_is_wanted() {
    for seed in 0..20 {
        let mut chance = Chance::new(seed);
        let (mut mixer, seats) = mixer(12, Some(3));
        let mut voices: Vec<i16> = (0..12).map(|bit| 1 << bit).collect();
        for n in (1..12).rev() {
            voices.swap(n, chance.bits() as usize % (n + 1));
        }
        for _ in 0..2 {
            for (seat, voice) in seats.iter().zip(&voices) {
                mixer.hear(*seat, &[*voice; SAMPLES_8K]);
            }
            mixer.mix(None);
        }
        for (seat, voice) in seats.iter().zip(&voices) {
            let own = voice & 0b1110_0000_0000;
            assert_eq!(
                heard_by(&mixer, *seat),
                [0b1110_0000_0000 - own; SAMPLES_8K],
                "{seed}"
            );
        }
    }
}

#[test]
fn who_is_heard_stays_it_until_another_is_clearly_louder() {
    let (mut mixer, seats) = mixer(3, Some(1));
    for (voices, heard) in [
        ([1_000, 900], 1_000),
        ([1_000, 1_500], 1_000),
        ([1_000, 3_000], 3_000),
        ([4_000, 3_000], 3_000),
    ] {
        for _ in 0..2 {
            for (seat, voice) in seats.iter().zip(voices) {
                mixer.hear(*seat, &[voice; SAMPLES_8K]);
            }
            mixer.mix(None);
        }
        assert_eq!(
            heard_by(&mixer, seats[2]),
            [heard; SAMPLES_8K],
            "{voices:?}"
        );
    }
}

#[test]
fn talking_is_told_once_each_way() {
    let mut chance = Chance::new(11);
    let (mut mixer, seats) = mixer(3, None);
    mixer.set_muted(seats[1], true);
    let mut told = Vec::new();
    let said = speech(&mut chance, -24.0, 3 * 8_000);
    let quiet = noise(&mut chance, -66.0, 3 * 8_000);
    for (round, frame) in [said.clone(), quiet.clone()]
        .concat()
        .chunks_exact(SAMPLES_8K)
        .enumerate()
    {
        mixer.hear(seats[0], frame);
        mixer.hear(seats[1], frame);
        mixer.hear(seats[2], &quiet[..SAMPLES_8K]);
        mixer.mix(None);
        while let Some(talk) = mixer.poll() {
            told.push((round, talk.seat, talk.talks));
        }
    }
    let changes: Vec<_> = told
        .iter()
        .map(|(_, seat, talks)| (*seat, *talks))
        .collect();
    assert_eq!(changes, [(seats[0], true), (seats[0], false)]);
    assert!(
        told[0].0 < 15 && (160..190).contains(&told[1].0),
        "{told:?}"
    );
}

#[test]
fn nobody_clicks() {
    let (mut mixer, seats) = mixer(2, None);
    // At no frame's edge is it where it was at another one's.
    let tone = sine(523.0, 0.5, 8_000);
    let mut heard = Vec::new();
    for (round, frame) in tone.chunks_exact(SAMPLES_8K).enumerate() {
        mixer.set_muted(seats[0], round % 4 > 1);
        mixer.hear(seats[0], frame);
        mixer.mix(None);
        heard.extend(heard_by(&mixer, seats[1]));
    }
    let largest_step = |samples: &[i16]| {
        let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.max().unwrap()
    };
    assert!(largest_step(&heard) <= largest_step(&tone) + 110);
    assert!(
        heard
            .chunks_exact(SAMPLES_8K)
            .any(|frame| frame == [0; SAMPLES_8K])
    );
}
