//! Who answered.

use call::{AnsweredBy, Detection, MachineDetectionOptions};

use super::*;

/// A frame that is loud for so many rounds, then silence: the rounds until it is known who answered, and the answer.
fn answer(rig: &mut Rig, loud: u32, codes: [u8; FRAME_SAMPLES]) -> (u32, Vec<MediaEvent>) {
    for round in 0..600 {
        let payload = if round < loud {
            codes
        } else {
            [0xff; FRAME_SAMPLES]
        };
        rig.hear(0, round * 160, &payload);
        rig.tick();
        if rig.core.has_event() {
            return (round + 1, rig.events());
        }
    }
    (600, rig.events())
}

/// What a calling fax machine sends, from its beginning in each frame: 20 ms are 22 periods.
fn calling_tone() -> [u8; FRAME_SAMPLES] {
    std::array::from_fn(|at| {
        let radians = at as f64 * 1_100.0 * std::f64::consts::TAU / 8_000.0;
        Law::Mu.encode((radians.sin() * 8_000.0) as i16)
    })
}

fn detected(answered_by: AnsweredBy, duration_ms: u32) -> MediaEvent {
    MediaEvent::MachineDetected(Detection {
        answered_by,
        duration_ms,
    })
}

#[test]
fn silence_is_nobodys() {
    let mut rig = Rig::new(false);
    rig.command(MediaCommand::DetectMachine(
        MachineDetectionOptions::default(),
    ));
    let heard = answer(&mut rig, 0, [0xff; FRAME_SAMPLES]);
    assert_eq!(heard, (250, vec![detected(AnsweredBy::Unknown, 5_000)]));
    let later = answer(&mut rig, 0, [0xff; FRAME_SAMPLES]);
    assert_eq!(later, (600, vec![]), "told once");
}

#[test]
fn a_fax_machine_is_heard_by_a_leg_that_nobody_else_listens_to() {
    let mut rig = Rig::new(false);
    rig.command(MediaCommand::DetectMachine(
        MachineDetectionOptions::default(),
    ));
    let (rounds, events) = answer(&mut rig, 100, calling_tone());
    assert_eq!(events, [detected(AnsweredBy::Fax, rounds * 20)]);
    assert!((17..30).contains(&rounds), "{rounds}");
}

#[test]
fn another_question_takes_the_place_of_one() {
    let mut rig = Rig::new(false);
    for _ in 0..2 {
        rig.command(MediaCommand::DetectMachine(
            MachineDetectionOptions::default(),
        ));
        rig.sound(100);
    }
    let heard = answer(&mut rig, 0, [0xff; FRAME_SAMPLES]);
    assert_eq!(heard, (150, vec![detected(AnsweredBy::Unknown, 5_000)]));
}
