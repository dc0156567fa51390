//! `jackfield plugin replay`.

use std::io::Write;

use anyhow::{Context, bail};
use plugin_host::ReplayError;
use plugin_host::journal::Journal;

use super::{ReplayOptions, component, journal, load};

/// Steps that are shown before a difference.
const CONTEXT: usize = 5;

/// Runs a story again. Fails where it does something else.
pub(super) fn replay(options: &ReplayOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let journals = journal::read(&options.journal)?;
    let number = options.story;
    let written = number.checked_sub(1).and_then(|index| journals.get(index));
    let written = written.with_context(|| {
        let count = journals.len();
        format!("there is no story {number}: the call had {count}")
    })?;
    let lines: Vec<_> = Journal::read(written)?.lines().collect();
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
    let first = if options.steps {
        0
    } else {
        same.saturating_sub(CONTEXT)
    };
    let shown = |step: usize| (first + 1..=same).contains(&step);
    if options.steps || replayed.is_err() {
        for line in lines.iter().filter(|line| line.step.is_some_and(shown)) {
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
        let file = journal.with_file_name("component.wasm");
        std::fs::write(&file, component).unwrap();
        let options = ReplayOptions {
            source: Source { folder: ".".into() },
            component: Some(file),
            journal: journal.to_owned(),
            story,
            steps: false,
        };
        let mut out = Vec::new();
        let result = replay(&options, &mut out);
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
        journal::show(&written(folder.path()), &mut out).unwrap();
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
        let error = format!("{:#}", journal::show(&none, &mut Vec::new()).unwrap_err());
        assert!(error.contains("is no journal of a call"), "{error}");
    }
}
