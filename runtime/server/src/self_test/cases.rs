//! The cases that a component brings with it: its author's own, played as `jackfield plugin test` plays them.

use plugin_host::{CaseFile, Outcome, Worlds};

use super::bounded;
use super::verdict::{Tally, Trouble, told};

/// Plays all cases of all files, calls first in each; says which does not go as written, and the first difference.
pub(super) fn play(worlds: &Worlds, files: &[CaseFile], tally: &mut Tally) -> Result<(), Trouble> {
    for CaseFile { name: file, text } in files {
        let cases = harness::read_cases(text)
            .map_err(|error| Trouble::Broken(bounded(format!("{file} is not usable: {error}"))))?;
        let broken = |case: &str, why: &str, transcript: &str| {
            Trouble::Broken(told(
                format!("case \"{case}\" of {file}: {why}"),
                transcript,
            ))
        };
        for case in cases.calls {
            tally.count();
            let Some(flow) = &worlds.call_flow else {
                return Err(broken(&case.name, "the component is no call flow", ""));
            };
            let (run, trouble) = case.play(flow, |script| script.granting(worlds.asks.clone()));
            if run.end.outcome == Outcome::NoRoom {
                return Err(Trouble::NotRun(run.end.outcome.to_string()));
            }
            if let Some(why) = trouble {
                return Err(broken(&case.name, &why, &run.transcript));
            }
        }
        for case in cases.decisions {
            tally.count();
            let verdict = case.play(worlds);
            if let Some(why) = verdict.trouble {
                return Err(broken(&case.name, &why, &verdict.transcript));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::verdict::tests::verdict_of;
    use super::*;

    const CASE: &str = r#"
        [[case]]
        name = "One is for sales"
        steps = [
            { flow = "answers" },
            { flow.plays = "menu.wav" },
            { caller.presses = "1" },
            { flow.plays = "sales.wav" },
            { flow = "hangs-up" },
        ]
    "#;

    fn verdict_with(files: &[(&str, &str)]) -> Verdict {
        let files: Vec<CaseFile> = files
            .iter()
            .map(|(name, text)| CaseFile {
                name: (*name).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        verdict_of(&plugin_host::with_cases(bundled::MENU, &files).unwrap())
    }

    #[test]
    fn cases_that_go_as_written_are_counted_with_the_callers() {
        let two = CASE.to_owned() + &CASE.replace("One is", "Sales again, one is");
        let verdict = verdict_with(&[("calls.toml", &two), ("more.toml", CASE)]);
        assert_eq!(verdict, Verdict::Passed { cases: 2 + 3 });
    }

    #[test]
    fn the_first_case_that_does_not_is_named_with_the_difference() {
        let wrong = CASE.replace("sales.wav", "support.wav");
        let verdict = verdict_with(&[("calls.toml", CASE), ("more.toml", &wrong)]);
        let Verdict::Failed { cases: 4, why } = verdict else {
            panic!("{verdict:?}");
        };
        let head = "case \"One is for sales\" of more.toml: step 4: ";
        assert!(why.starts_with(head), "{why}");
        for part in ["support.wav", "sales.wav", "caller  press"] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }

    #[test]
    fn what_is_no_case_or_for_another_world_fails() {
        let route = "[[route]]\nname = \"a\"\ncall.callee = \"+1\"\nexpect.refuse = \"x\"\n";
        for (text, told) in [
            ("[[case]]", "calls.toml is not usable: "),
            (
                route,
                "case \"a\" of calls.toml: the component is no routing policy",
            ),
        ] {
            let verdict = verdict_with(&[("calls.toml", text)]);
            let Verdict::Failed { why, .. } = &verdict else {
                panic!("{verdict:?}");
            };
            assert!(why.starts_with(told), "{why}");
        }
    }
}
