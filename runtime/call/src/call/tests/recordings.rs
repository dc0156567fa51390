//! Recordings: begun, dealt with, and ended with their call.

use super::*;
use crate::{
    PauseBehavior, Recording, RecordingCommand, RecordingEnd, RecordingId, RecordingOptions,
    RecordingSid,
};

fn start(options: RecordingOptions) -> Input {
    command(Command::Recording(RecordingCommand::Start(options.into())))
}

fn recorded(id: u32, end: Result<RecordingEnd, String>) -> Input {
    let recording = Recording {
        sid: RecordingSid::from_bytes([1; 16]),
        url: String::new(),
        end,
        duration_ms: 20,
        heard_voice: true,
    };
    Input::Recorded(RecordingId(id), recording)
}

#[test]
fn a_recording_is_begun_paused_resumed_and_stopped() {
    let mut run = Run::up();
    assert_eq!(
        run.feed(start(RecordingOptions::of_verb())),
        ["record 1 Pcmu", "Recording(RecordingId(1))"]
    );
    let id = RecordingId(1);
    for deed in [
        RecordingCommand::Pause(id, PauseBehavior::Skip),
        RecordingCommand::Resume(id),
        RecordingCommand::Stop(id),
    ] {
        assert_eq!(
            run.feed(command(Command::Recording(deed))),
            ["media Recording", "Done"]
        );
    }
    let told = run.feed(recorded(1, Ok(RecordingEnd::Stopped)));
    assert!(
        told[0].starts_with("tell RecordingEnded(RecordingId(1)"),
        "{told:?}"
    );
    assert_eq!(run.feed(recorded(1, Ok(RecordingEnd::Stopped))), [""; 0]);
    assert_eq!(
        run.feed(command(Command::Recording(RecordingCommand::Stop(id)))),
        ["refused: UnknownId"]
    );
}

#[test]
fn a_hang_up_ends_recordings_and_their_ends_are_told_after_it() {
    let mut run = Run::up();
    run.feed(start(RecordingOptions::of_verb()));
    run.feed(start(RecordingOptions::of_verb()));
    assert_eq!(
        run.feed(Input::Sip(sip::Event::Bye { cause: None })),
        [
            "media Recording",
            "media Recording",
            "tell HungUp(Remote)",
            "completed"
        ]
    );
    let told = run.feed(recorded(2, Ok(RecordingEnd::HungUp)));
    assert!(
        told[0].starts_with("tell RecordingEnded(RecordingId(2)"),
        "{told:?}"
    );
    assert_eq!(
        run.feed(start(RecordingOptions::of_verb())),
        ["refused: HungUp"]
    );
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let (mut run, _) = Run::inbound(Some(OFFER));
    assert_eq!(
        run.feed(start(RecordingOptions::of_verb())),
        ["refused: NotAnswered"]
    );
    let mut run = Run::up();
    let short = Some(Duration::from_millis(99));
    for options in [
        RecordingOptions {
            silence_timeout: short,
            ..RecordingOptions::of_verb()
        },
        RecordingOptions {
            max_length: short,
            ..RecordingOptions::of_verb()
        },
        RecordingOptions {
            finish_keys: "1x".to_owned(),
            ..RecordingOptions::of_verb()
        },
    ] {
        assert_eq!(run.feed(start(options)), ["refused: InvalidArgument"]);
    }
    for _ in 0..4 {
        assert_eq!(run.feed(start(RecordingOptions::of_verb())).len(), 2);
    }
    assert_eq!(
        run.feed(start(RecordingOptions::of_verb())),
        ["refused: LimitReached"]
    );
}
