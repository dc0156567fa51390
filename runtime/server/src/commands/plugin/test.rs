//! `jackfield plugin test`.

mod coverage;
mod junit;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use harness::{Case, Coverage, DecisionCase, Script};
use plugin_host::{Flow, Worlds};

use super::{TestOptions, build, component, load_worlds};
use coverage::CoverageOptions;

/// What came of a case.
struct Played {
    name: String,
    /// Virtual.
    duration: Duration,
    transcript: String,
    /// Why it is no success.
    trouble: Option<String>,
}

/// The cases of one file.
struct Suite {
    file: PathBuf,
    cases: Vec<Played>,
}

/// How scripts are played, and what is told of them.
#[derive(Debug, Default, Args)]
pub(crate) struct Playing {
    /// Shows every call, not only those that went wrong.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Writes the results as JUnit's XML too.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) coverage: CoverageOptions,
}

/// Changes a case's script before it is played.
pub(super) type Prepare<'a> = &'a dyn Fn(Script) -> Script;

/// A file of scripts.
pub(super) struct Scripts {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

/// Plays all scripts, tells of each, and fails if one does.
pub(super) fn test(options: &TestOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let folder = &options.source.folder;
    if options.component.is_none() {
        build::check_is_plugin(folder)?;
    }
    let scripts = match (&options.component, folder.join("scripts")) {
        (Some(component), folder) if options.scripts.is_empty() && !folder.is_dir() => {
            brought(component)?
        }
        (_, folder) => scripts(&options.scripts, &folder)?,
    };
    let component = component(options.component.as_deref(), &options.source, out)?;
    let worlds = load_worlds(&component)?;
    let asks = worlds.asks.clone();
    // Under what it asks for, so that what `plugin.toml` lacks is found here and not by a caller.
    let prepare = |script: Script| script.granting(asks.clone());
    play_all(&worlds, scripts, &options.playing, &prepare, out)
}

/// The files that were named, or else those of the folder.
pub(super) fn scripts(named: &[PathBuf], folder: &Path) -> anyhow::Result<Vec<Scripts>> {
    let files = match named {
        [] => scripts_in(folder)?,
        named => named.to_vec(),
    };
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Ok(Scripts { file, text })
        })
        .collect()
}

/// Those that a component brings with it.
fn brought(component: &Path) -> anyhow::Result<Vec<Scripts>> {
    let wasm =
        fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let files = plugin_host::cases(&wasm)?;
    if files.is_empty() {
        bail!(
            "{} brings no cases of its own: name a file of scripts, or the plugin's folder with --folder",
            component.display()
        );
    }
    let scripts = files.into_iter().map(|file| Scripts {
        file: file.name.into(),
        text: file.text,
    });
    Ok(scripts.collect())
}

/// Plays the cases of all files, tells of each, and fails if one does.
pub(super) fn play_all(
    worlds: &Worlds,
    scripts: Vec<Scripts>,
    playing: &Playing,
    prepare: Prepare<'_>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut suites = Vec::new();
    let mut heard = playing.coverage.begin()?;
    for scripts in scripts {
        suites.push(play(
            worlds,
            scripts,
            playing.verbose,
            prepare,
            &mut heard,
            out,
        )?);
    }
    if let Some(path) = &playing.junit {
        fs::write(path, junit::report(&suites)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(heard) = heard {
        playing.coverage.tell(&heard, out)?;
    }
    sum_up(&suites, began.elapsed(), out)
}

/// The `.toml` files of a folder, by name.
pub(super) fn scripts_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| {
        format!(
            "there are no scripts in {}: name a file of scripts, or make the folder",
            folder.display()
        )
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("there is no .toml file in {}", folder.display());
    }
    files.sort();
    Ok(files)
}

fn play(
    worlds: &Worlds,
    scripts: Scripts,
    verbose: bool,
    prepare: Prepare<'_>,
    heard: &mut Option<Coverage>,
    out: &mut impl Write,
) -> anyhow::Result<Suite> {
    let Scripts { file, text } = scripts;
    let cases =
        harness::read_cases(&text).with_context(|| format!("{} is not usable", file.display()))?;
    writeln!(out, "{}", file.display())?;
    let mut played = Vec::new();
    for case in cases.calls {
        let result = play_case(worlds.call_flow.as_ref(), case, prepare, heard)?;
        tell(&result, verbose, out)?;
        played.push(result);
    }
    for case in cases.decisions {
        let result = decide(worlds, case);
        tell(&result, verbose, out)?;
        played.push(result);
    }
    Ok(Suite {
        file,
        cases: played,
    })
}

fn decide(worlds: &Worlds, case: DecisionCase) -> Played {
    let verdict = case.play(worlds);
    Played {
        name: case.name,
        duration: Duration::ZERO,
        transcript: verdict.transcript,
        trouble: verdict.trouble,
    }
}

fn play_case(
    flow: Option<&Flow>,
    case: Case,
    prepare: Prepare<'_>,
    heard: &mut Option<Coverage>,
) -> anyhow::Result<Played> {
    let Some(flow) = flow else {
        return Ok(Played {
            name: case.name,
            duration: Duration::ZERO,
            transcript: String::new(),
            trouble: Some("the component is no call flow".to_owned()),
        });
    };
    let (run, trouble) = case.play(flow, prepare);
    if let Some(heard) = heard {
        heard.add(&run)?;
    }
    Ok(Played {
        name: case.name,
        duration: run.duration,
        transcript: run.transcript,
        trouble,
    })
}

fn tell(played: &Played, verbose: bool, out: &mut impl Write) -> std::io::Result<()> {
    let word = if played.trouble.is_some() {
        "FAILED"
    } else {
        "ok"
    };
    let seconds = played.duration.as_secs_f64();
    writeln!(out, "  {word:<7} {} ({seconds:.1} s of call)", played.name)?;
    if let Some(trouble) = &played.trouble {
        writeln!(out, "          {trouble}")?;
    }
    if verbose || played.trouble.is_some() {
        for line in played.transcript.lines() {
            writeln!(out, "          {line}")?;
        }
    }
    Ok(())
}

fn sum_up(suites: &[Suite], took: Duration, out: &mut impl Write) -> anyhow::Result<()> {
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let count = cases().count();
    let failed = cases().filter(|case| case.trouble.is_some()).count();
    let virtual_time: Duration = cases().map(|case| case.duration).sum();
    writeln!(
        out,
        "{count} cases, {failed} failed: {:.1} s of calls in {:.2} s",
        virtual_time.as_secs_f64(),
        took.as_secs_f64()
    )?;
    if failed > 0 {
        bail!("{failed} of {count} cases failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    const GOOD: &str = r#"
        [[case]]
        name = "One & two"
        steps = [
            { flow = "answers" },
            { flow.plays = "menu.wav" },
            { caller.presses = "1" },
            { flow.plays = "sales.wav" },
            { flow = "hangs-up" },
        ]
    "#;

    const BAD: &str = r#"
        [[case]]
        name = "Two is for sales"
        steps = [
            { flow = "answers" },
            { flow.plays = "menu.wav" },
            { caller.presses = "2" },
            { flow.plays = "sales.wav" },
        ]
    "#;

    /// Plays these files of scripts against the bundled menu; what was written, and JUnit's report.
    fn tested(scripts: &[&str]) -> (anyhow::Result<()>, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let component = folder.path().join("menu.wasm");
        fs::write(&component, bundled::MENU).unwrap();
        fs::create_dir(folder.path().join("scripts")).unwrap();
        for (number, script) in scripts.iter().enumerate() {
            let name = format!("scripts/{number}.toml");
            fs::write(folder.path().join(name), script).unwrap();
        }
        let junit = folder.path().join("junit.xml");
        let options = TestOptions {
            source: Source {
                folder: folder.path().to_owned(),
            },
            component: Some(component),
            scripts: Vec::new(),
            playing: Playing {
                junit: Some(junit.clone()),
                ..Playing::default()
            },
        };
        let mut out = Vec::new();
        let result = test(&options, &mut out);
        let report = fs::read_to_string(junit).unwrap_or_default();
        (result, String::from_utf8(out).unwrap(), report)
    }

    #[test]
    fn a_case_that_goes_as_written_is_ok() {
        let (result, out, report) = tested(&[GOOD]);
        result.unwrap();
        assert!(out.contains("ok      One & two (2.0 s of call)"), "{out}");
        assert!(out.contains("1 cases, 0 failed"), "{out}");
        assert!(!out.contains("story   answer"), "{out}");
        let testcase = r#"<testcase name="One &amp; two" classname="0" time="2.000"/>"#;
        assert!(report.contains(testcase), "{report}");
    }

    #[test]
    fn a_case_that_does_not_shows_the_call() {
        let (result, out, report) = tested(&[GOOD, BAD]);
        assert_eq!(result.unwrap_err().to_string(), "1 of 2 cases failed");
        for part in [
            "FAILED  Two is for sales",
            "play …sales.wav",
            "support.wav",
            "caller  press",
        ] {
            assert!(out.contains(part), "{part}: {out}");
        }
        assert!(
            report.contains(r#"<testsuite name="1" tests="1" failures="1">"#),
            "{report}"
        );
        assert!(report.contains("<failure message="), "{report}");
    }

    #[test]
    fn a_component_alone_is_played_what_it_brings() {
        let folder = tempfile::tempdir().unwrap();
        let component = folder.path().join("menu.wasm");
        let options = |component: Option<&Path>| TestOptions {
            source: Source {
                folder: folder.path().to_owned(),
            },
            component: component.map(Path::to_owned),
            scripts: Vec::new(),
            playing: Playing::default(),
        };
        let file = |name: &str, text: &str| plugin_host::CaseFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let files = [file("good.toml", GOOD), file("bad.toml", BAD)];
        let bringing = plugin_host::with_cases(bundled::MENU, &files).unwrap();
        fs::write(&component, bringing).unwrap();
        let mut out = Vec::new();
        let error = test(&options(Some(&component)), &mut out).unwrap_err();
        assert_eq!(error.to_string(), "1 of 2 cases failed");
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.contains("bad.toml\n  FAILED  Two is for sales"),
            "{out}"
        );
        fs::write(&component, bundled::MENU).unwrap();
        for (options, told) in [
            (options(Some(&component)), "brings no cases of its own"),
            (options(None), "jackfield plugin new"),
        ] {
            let error = test(&options, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn scripts_that_are_not_there_or_not_usable_are_named() {
        let (result, ..) = tested(&[]);
        assert!(format!("{:#}", result.unwrap_err()).contains("no .toml file"));
        let (result, ..) = tested(&["[[case]]"]);
        let error = format!("{:#}", result.unwrap_err());
        assert!(
            error.contains("0.toml is not usable: ") && error.contains("missing field"),
            "{error}"
        );
    }
}
