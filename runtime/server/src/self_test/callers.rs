//! The callers that every call flow meets, and what counts as breakage.
//!
//! Nothing is around them but the settings that the component's `plugin.toml` has for them: no web server answers, nobody can be dialled,
//! every media file takes two seconds. A flow that ends with an error of its own by that is no broken flow; one that traps is.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{Player, Scene, Script, Turn};
use plugin_host::{Flow, Outcome};

use super::verdict::{Tally, Trouble, told};

/// The keys of the first one, and how long they think before each.
const KEYS: [&str; 4] = ["1", "2", "0", "#"];
const THINKING: Duration = Duration::from_secs(4);

/// Plays each caller in virtual time, and says for whom the flow broke, if it did.
pub(super) fn play(
    flow: &Flow,
    settings: &BTreeMap<String, String>,
    tally: &mut Tally,
) -> Result<(), Trouble> {
    let callers = [
        ("a caller who presses keys and hangs up", presses_keys()),
        ("a caller who says and presses nothing", stays_silent()),
    ];
    for (who, first) in callers {
        tally.count();
        let found = settings.iter().fold(Script::new(), |found, (name, value)| {
            found.setting(name, value)
        });
        let run = harness::play(flow, found, Caller { first });
        if let Some(what) = breakage(&run.end.outcome)? {
            let why = format!("for {who} the flow {what}");
            return Err(Trouble::Broken(told(why, &run.transcript)));
        }
    }
    Ok(())
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

/// How the flow broke, if it did, in words.
fn breakage(outcome: &Outcome) -> Result<Option<String>, Trouble> {
    Ok(match outcome {
        // An error of its own: what it needs is not there.
        Outcome::Finished(_) | Outcome::Exited(0) => None,
        Outcome::NoRoom => return Err(Trouble::NotRun(outcome.to_string())),
        Outcome::Stopped => Some("did not end when the call was over".to_owned()),
        Outcome::Exited(_)
        | Outcome::Trapped(_)
        | Outcome::OutOfTime
        | Outcome::Stalled
        | Outcome::Exceeded(_) => Some(outcome.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::verdict::LAST_LINES;
    use super::super::verdict::tests::verdict_of;

    const PASSED: Verdict = Verdict::Passed { cases: 2 };

    #[test]
    fn what_works_passes_and_what_has_no_settings_too() {
        for (name, wasm) in bundled::ALL {
            assert_eq!(verdict_of(wasm), PASSED, "{name}");
        }
        for name in ["gives-up", "contradictions"] {
            assert_eq!(verdict_of(&zoo::animal(name)), PASSED, "{name}");
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
            let Verdict::Failed { cases: 1, why } = verdict_of(&zoo::animal(name)) else {
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
    fn callers_find_the_settings_that_are_for_them() {
        // Traps where it has no settings: the list of them has no entries.
        let needs_one = zoo::component(
            r#"(module
              (import "wasi:config/store@0.2.0-rc.1" "get-all" (func $get-all (param i32)))
              (memory (export "memory") 1)
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
              (func (export "jackfield:call/story@0.1.0#run") (result i32)
                (call $get-all (i32.const 128))
                (if (i32.ne (i32.load (i32.const 136)) (i32.const 1)) (then unreachable))
                (i32.const 64)))"#,
        )
        .unwrap();
        let without = verdict_of(&needs_one);
        assert!(matches!(without, Verdict::Failed { .. }), "{without:?}");
        let manifest = "[self-test]\nsettings = { greeting = \"hello\" }\n";
        let with = plugin_host::with_asks(&needs_one, manifest).unwrap();
        assert_eq!(verdict_of(&with), PASSED);
    }

    #[test]
    fn a_failure_shows_the_last_lines_of_the_call() {
        let Verdict::Failed { cases: 1, why } = verdict_of(&zoo::animal("trap-after-answer"))
        else {
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
        let Verdict::Failed { cases: 2, why } = verdict_of(&late.unwrap()) else {
            panic!("it passes");
        };
        let who = "for a caller who says and presses nothing the flow trapped";
        assert!(why.starts_with(who), "{why}");
    }
}
