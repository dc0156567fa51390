//! Components that break, and the caller who listens to them to the end.

use std::time::Duration;

use call::{CallStatus, StoryOutcome};
use harness::{Script, run};

use crate::ENGINE;

/// Nobody heard anything yet, so the call begins the story once more, and it breaks once more: the caller hears the apology.
#[test]
fn a_story_that_breaks_ends_in_an_apology() {
    for animal in ["trap-after-answer", "unreachable", "trap-in-start"] {
        let flow = ENGINE.load(&zoo::animal(animal)).unwrap();
        let run = run(&flow, Script::new()).unwrap();
        assert!(
            matches!(StoryOutcome::from(run.end.outcome), StoryOutcome::Broke(_)),
            "{animal}"
        );
        let record = run.record.unwrap();
        assert_eq!(
            record.status,
            CallStatus::Completed,
            "{animal}\n{}",
            run.transcript
        );
        assert_eq!(
            run.duration,
            Duration::from_secs(3),
            "{animal}\n{}",
            run.transcript
        );
    }
}
