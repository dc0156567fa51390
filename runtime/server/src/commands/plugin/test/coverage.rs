//! `--coverage`: what the cases heard, and what none of them did.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use harness::Coverage;

#[derive(Debug, Default, Args)]
pub(crate) struct CoverageOptions {
    /// Tells what the calls heard, pressed and asked for, and how often. With a file it is kept there as JSON, and what an earlier
    /// run reached and this one did not is named; delete the file to begin anew.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) coverage: Option<Option<PathBuf>>,
    /// With --coverage: names the prompts of this folder that no call played.
    #[arg(long, value_name = "DIR", requires = "coverage")]
    pub(crate) media: Option<PathBuf>,
}

impl CoverageOptions {
    /// What is to be reached; none where nobody asks.
    pub(super) fn begin(&self) -> anyhow::Result<Option<Coverage>> {
        let Some(file) = &self.coverage else {
            return Ok(None);
        };
        let mut coverage = Coverage::new();
        if let Some(file) = file.as_deref().filter(|file| file.exists()) {
            coverage.expect(&read(file)?);
        }
        Ok(Some(coverage))
    }

    /// Writes it where it is kept, and tells of it.
    pub(super) fn tell(&self, heard: &Coverage, out: &mut impl Write) -> anyhow::Result<()> {
        if let Some(file) = self.coverage.iter().flatten().next() {
            let json = serde_json::to_string_pretty(heard.counts())?;
            fs::write(file, json + "\n")
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let mut told = heard.clone();
        if let Some(folder) = &self.media {
            for prompt in unplayed(folder, heard)? {
                told.expect_one("plays", &prompt);
            }
        }
        write!(out, "{told}")?;
        Ok(())
    }
}

fn read(file: &Path) -> anyhow::Result<Coverage> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let counts = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no coverage of an earlier run: delete it, or name another file",
            file.display()
        )
    })?;
    Ok(Coverage::of(counts))
}

/// The prompts of a folder, by their paths in it, that were not played.
fn unplayed(folder: &Path, heard: &Coverage) -> anyhow::Result<Vec<String>> {
    let mut prompts = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(within) = folders.pop() {
        let entries = fs::read_dir(&within)
            .with_context(|| format!("cannot read the folder {}", within.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path);
                prompts.push(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let is_played = |prompt: &String| {
        let mut played = heard
            .all()
            .filter(|(kind, _, count)| *kind == "plays" && *count > 0);
        played.any(|(_, name, _)| name == prompt)
    };
    prompts.retain(|prompt| !is_played(prompt));
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use plugin_host::{Engine, EngineConfig};

    use super::*;

    #[test]
    fn what_was_reached_is_kept_and_what_is_reached_no_more_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("prompts")).unwrap();
        for prompt in ["prompts/menu.wav", "prompts/unused.wav"] {
            fs::write(folder.path().join(prompt), "").unwrap();
        }
        let config = EngineConfig {
            max_stories: 1,
            cache: None,
        };
        let flow = Engine::new(config).unwrap().load(bundled::MENU).unwrap();
        let keeping = tempfile::tempdir().unwrap();
        let kept = keeping.path().join("coverage.json");
        let options = CoverageOptions {
            coverage: Some(Some(kept.clone())),
            media: Some(folder.path().to_owned()),
        };
        let told = |key: &str| {
            let mut heard = options.begin().unwrap().unwrap();
            let script = harness::Script::new()
                .expect_answer()
                .expect_play("menu.wav")
                .press(key);
            heard.add(&harness::run(&flow, script).unwrap()).unwrap();
            let mut out = Vec::new();
            options.tell(&heard, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let first = told("1");
        assert!(
            first.contains("     1  plays    prompts/sales.wav\n"),
            "{first}"
        );
        let (_, missed) = first.split_once("In none of them (1):\n").unwrap();
        assert_eq!(missed, "        plays    prompts/unused.wav\n");
        let second = told("2");
        let (_, missed) = second.split_once("In none of them").unwrap();
        assert!(
            missed.contains("        plays    prompts/sales.wav\n"),
            "{second}"
        );
        assert!(
            missed.contains("        keys     prompts/menu.wav: 1\n"),
            "{second}"
        );
        let json = fs::read_to_string(&kept).unwrap();
        assert!(json.contains("\"prompts/sales.wav\": 0"), "{json}");

        fs::write(&kept, "[]").unwrap();
        let error = options.begin().unwrap_err().to_string();
        assert!(error.contains("delete it, or name another file"), "{error}");
    }
}
