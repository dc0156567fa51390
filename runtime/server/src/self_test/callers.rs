//! The callers that every upload meets, and what counts as breakage.
//!
//! Nothing is around them: no web server answers, no setting is there, nobody can be dialled, every media file takes two seconds. A flow
//! that ends with an error of its own by that is no broken flow; one that traps is.

use std::time::Duration;

use harness::{Player, Run, Scene, Script, Turn};
use plugin_host::{Flow, Outcome};

use super::{Verdict, bounded};

/// How many there are.
pub(super) const CALLERS: u32 = 2;
/// The keys of the first one, and how long they think before each.
const KEYS: [&str; 4] = ["1", "2", "0", "#"];
const THINKING: Duration = Duration::from_secs(4);
/// Of the transcript, in a verdict.
const LAST_LINES: usize = 12;
const LINE_BYTES: usize = 160;

/// Plays each caller in virtual time, and says for whom the flow broke, if it did.
pub(super) fn verdict(flow: &Flow) -> Verdict {
    let callers = [
        ("a caller who presses keys and hangs up", presses_keys()),
        ("a caller who says and presses nothing", stays_silent()),
    ];
    for (who, first) in callers {
        let run = harness::play(flow, Script::new(), Caller { first });
        match breakage(&run.end.outcome) {
            Ok(None) => {}
            Ok(Some(what)) => {
                return Verdict::Failed {
                    why: told(who, &what, &run),
                };
            }
            Err(why) => return Verdict::NotRun { why },
        }
    }
    Verdict::Passed
}

/// Listens, presses some keys, and hangs up; gives up where nobody answers.
fn presses_keys() -> Turn {
    let script = KEYS.iter().fold(Script::new(), |script, keys| {
        script.wait(THINKING).press(keys)
    });
    Turn::Does(script.wait(THINKING).hang_up())
}

/// Stays for ten minutes, if the flow lets them.
const fn stays_silent() -> Turn {
    Turn::Leaves
}

/// Does one thing, and then no more.
struct Caller {
    first: Turn,
}

impl Player for Caller {
    fn turn(&mut self, _: Scene<'_>) -> Turn {
        std::mem::replace(&mut self.first, Turn::Leaves)
    }
}

/// How the flow broke, if it did, in words; an error where it was not run at all.
fn breakage(outcome: &Outcome) -> Result<Option<String>, String> {
    Ok(match outcome {
        // An error of its own: what it needs is not there.
        Outcome::Finished(_) | Outcome::Exited(0) => None,
        Outcome::NoRoom => return Err(outcome.to_string()),
        Outcome::Stopped => Some("did not end when the call was over".to_owned()),
        Outcome::Exited(_)
        | Outcome::Trapped(_)
        | Outcome::OutOfTime
        | Outcome::Stalled
        | Outcome::Exceeded(_) => Some(outcome.to_string()),
    })
}

/// At most 4 KiB.
fn told(who: &str, what: &str, run: &Run) -> String {
    let mut lines: Vec<&str> = run.transcript.lines().rev().take(LAST_LINES).collect();
    lines.reverse();
    let mut why = format!("for {who} the flow {what}");
    for line in lines {
        why.push_str("\n  ");
        why.push_str(&line[..line.floor_char_boundary(LINE_BYTES)]);
    }
    bounded(why)
}

#[cfg(test)]
mod tests {
    use plugin_host::{Engine, EngineConfig};

    use super::*;

    fn verdict_of(wasm: &[u8]) -> Verdict {
        let engine = Engine::new(EngineConfig {
            max_stories: 1,
            cache: None,
        });
        verdict(&engine.unwrap().load(wasm).unwrap())
    }

    #[test]
    fn what_works_passes_and_what_has_no_settings_too() {
        for (name, wasm) in bundled::ALL {
            assert_eq!(verdict_of(wasm), Verdict::Passed, "{name}");
        }
        for name in ["gives-up", "contradictions"] {
            assert_eq!(verdict_of(&zoo::animal(name)), Verdict::Passed, "{name}");
        }
    }

    #[test]
    fn what_a_caller_would_hear_break_fails_in_words() {
        let keys = "for a caller who presses keys and hangs up the flow ";
        for (name, words) in [
            ("unreachable", "trapped: "),
            ("trap-after-answer", "trapped: "),
            ("trap-in-start", "trapped: "),
            ("loop", "computed for too long without waiting"),
            ("loop-in-start", "computed for too long without waiting"),
            (
                "loop-after-hang-up",
                "computed for too long without waiting",
            ),
            ("hang-up-flood", "made too many host calls"),
            ("play-flood", "made too many host calls"),
            ("recursion", "trapped: "),
            ("exit", "exited with status "),
        ] {
            let Verdict::Failed { why } = verdict_of(&zoo::animal(name)) else {
                panic!("{name} passes");
            };
            let told = why.strip_prefix(keys);
            assert!(
                told.is_some_and(|told| told.starts_with(words)),
                "{name}: {why}"
            );
            assert!(why.len() <= 4_096, "{name}");
        }
    }

    #[test]
    fn a_failure_shows_the_last_lines_of_the_call() {
        let Verdict::Failed { why } = verdict_of(&zoo::animal("trap-after-answer")) else {
            panic!("it passes");
        };
        assert!(why.contains("story   play prompts/menu.wav"), "{why}");
        assert!(why.lines().count() <= 1 + LAST_LINES, "{why}");
    }

    #[test]
    fn only_a_patient_caller_finds_what_comes_late() {
        // Waits for three events, and traps where one of them does not come within five minutes.
        let wait = "(call $next-event (i32.const 1) (i32.const 300000) (i32.const 128))
                    (if (i32.eqz (i32.load8_u (i32.const 128))) (then unreachable))";
        let late = zoo::component(&format!(
            r#"(module
              (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
              (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
              (memory (export "memory") 1)
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
              (func (export "jackfield:call/story@0.1.0#run") (result i32)
                (call $answer (i32.const 128))
                {wait} {wait} {wait}
                (i32.const 64)))"#
        ));
        let Verdict::Failed { why } = verdict_of(&late.unwrap()) else {
            panic!("it passes");
        };
        let who = "for a caller who says and presses nothing the flow trapped";
        assert!(why.starts_with(who), "{why}");
    }
}
