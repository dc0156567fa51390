//! `jackfield plugin replay`.

use std::io::{BufRead, Write};

use anyhow::{Context, bail};
use plugin_host::ReplayError;
use plugin_host::journal::{Journal, Line};

use super::{ReplayOptions, component, journal, load};

/// Steps that are shown before a difference.
const CONTEXT: usize = 5;

/// Said of a redacted journal before anything else.
const REDACTED: &str = "This journal is redacted and does not replay exactly: digits, numbers and texts in it are placeholders, \
    and a component that depends on them goes another way.";

/// Runs a story again. Fails where it does something else. Steps wait for a line of `input` each.
pub(super) fn replay(
    options: &ReplayOptions,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let journals = journal::read(&options.journal)?;
    let number = options.story;
    let written = number.checked_sub(1).and_then(|index| journals.get(index));
    let written = written.with_context(|| {
        let count = journals.len();
        format!("there is no story {number}: the call had {count}")
    })?;
    let journal = Journal::read(written)?;
    if journal.is_redacted() {
        writeln!(out, "{REDACTED}")?;
    }
    let lines: Vec<_> = journal.lines().collect();
    let component = component(options.component.as_deref(), &options.source, out)?;
    let flow = load(&component)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let replayed = runtime.block_on(plugin_host::replay(&flow, written));
    let same = match &replayed {
        Ok(replay) => replay.steps,
        Err(ReplayError::Differs(difference)) => difference.step,
        Err(_) => 0,
    };
    let upto_here = |line: &&Line| line.step.is_some_and(|step| step <= same);
    if options.steps {
        step_through(lines.iter().filter(upto_here), input, out)?;
    } else if replayed.is_err() {
        let before = same.saturating_sub(CONTEXT);
        let near = lines.iter().filter(upto_here);
        for line in near.filter(|line| line.step > Some(before)) {
            writeln!(out, "{line}")?;
        }
    }
    match replayed {
        Ok(replay) => {
            let which = match replay.same_component {
                true => "the component that wrote it",
                false => "another component than the one that wrote it",
            };
            writeln!(
                out,
                "All {} steps are the same, by {which}; the story {}.",
                replay.steps, replay.outcome
            )?;
            Ok(())
        }
        Err(ReplayError::Differs(difference)) => bail!(
            "step {} differs: the journal has `{}`, the component `{}`",
            difference.step + 1,
            difference.journal,
            difference.component
        ),
        Err(error) => Err(error.into()),
    }
}

/// Shows a line for each line of input; all that are left where there is no more of it, and none after a `q`.
fn step_through<'a>(
    lines: impl Iterator<Item = &'a Line>,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut answer = String::new();
    let mut is_asking = true;
    for line in lines {
        writeln!(out, "{line}")?;
        out.flush()?;
        if is_asking {
            answer.clear();
            is_asking = input.read_line(&mut answer)? > 0;
        }
        if answer.trim() == "q" {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use harness::Script;
    use plugin_host::journal::bundle;

    use super::super::{Source, engine};
    use super::*;

    /// The journal of a call to the bundled menu, in a file.
    fn written(folder: &Path) -> PathBuf {
        let flow = engine().unwrap().load(bundled::MENU).unwrap();
        let script = Script::new()
            .expect_answer()
            .expect_play("menu.wav")
            .press("1");
        let run = harness::run(&flow, script).unwrap();
        let file = folder.join("call.journal");
        std::fs::write(&file, bundle(&[run.end.journal])).unwrap();
        file
    }

    fn replayed(journal: &Path, component: &[u8], story: usize) -> (String, anyhow::Result<()>) {
        stepped(journal, component, story, None)
    }

    fn stepped(
        journal: &Path,
        component: &[u8],
        story: usize,
        input: Option<&str>,
    ) -> (String, anyhow::Result<()>) {
        let file = journal.with_file_name("component.wasm");
        std::fs::write(&file, component).unwrap();
        let options = ReplayOptions {
            source: Source { folder: ".".into() },
            component: Some(file),
            journal: journal.to_owned(),
            story,
            steps: input.is_some(),
        };
        let mut out = Vec::new();
        let result = replay(
            &options,
            &mut input.unwrap_or_default().as_bytes(),
            &mut out,
        );
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn the_same_component_does_the_same_and_another_is_shown_where_it_differs() {
        let folder = tempfile::tempdir().unwrap();
        let journal = written(folder.path());
        let (said, result) = replayed(&journal, bundled::MENU, 1);
        result.unwrap();
        assert!(
            said.contains("by the component that wrote it; the story finished"),
            "{said}"
        );

        let (said, result) = replayed(&journal, bundled::ECHO, 1);
        let error = result.unwrap_err().to_string();
        assert!(said.contains("    1     0.00 s  answer: done"), "{said}");
        assert!(
            error.contains("step 2 differs: the journal has `play prompts/menu.wav`"),
            "{error}"
        );

        let (_, result) = replayed(&journal, bundled::MENU, 2);
        let error = result.unwrap_err().to_string();
        assert!(
            error.contains("there is no story 2: the call had 1"),
            "{error}"
        );
    }

    #[test]
    fn a_journal_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        journal::show(&written(folder.path()), false, None, &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        for part in [
            "story 1 of 1: call CA",
            "play prompts/menu.wav: playback 1",
            "digit 1",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let none = folder.path().join("none");
        std::fs::write(&none, "nothing").unwrap();
        let error = format!(
            "{:#}",
            journal::show(&none, false, None, &mut Vec::new()).unwrap_err()
        );
        assert!(error.contains("is no journal of a call"), "{error}");
    }

    #[test]
    fn steps_are_shown_one_by_one_as_long_as_somebody_asks() {
        let folder = tempfile::tempdir().unwrap();
        let journal = written(folder.path());
        let all = |said: &str| said.lines().filter(|line| line.contains(" s  ")).count();
        let (said, result) = stepped(&journal, bundled::MENU, 1, Some(""));
        result.unwrap();
        let steps = all(&said);
        assert!(
            said.contains(&format!("All {steps} steps are the same")),
            "{said}"
        );
        let (said, _) = stepped(&journal, bundled::MENU, 1, Some("\n\nq\n"));
        assert_eq!(all(&said), 3, "{said}");
        let (said, result) = stepped(&journal, bundled::ECHO, 1, Some("\n"));
        assert!(result.is_err());
        assert_eq!(all(&said), 1, "{said}");
    }

    #[test]
    fn a_redacted_journal_hides_the_key_and_says_that_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("redacted.journal");
        let mut out = Vec::new();
        journal::show(&written(folder.path()), true, Some(&copy), &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains("from +00000000 to +00000000"), "{said}");
        assert!(said.contains("it does not replay exactly"), "{said}");
        assert!(
            said.contains("digit 0") && !said.contains("digit 1"),
            "{said}"
        );
        let (said, result) = replayed(&copy, bundled::MENU, 1);
        assert!(said.starts_with("This journal is redacted"), "{said}");
        let error = result.unwrap_err().to_string();
        assert!(error.contains("differs: the journal has"), "{error}");
    }
}
