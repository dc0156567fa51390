//! `jackfield plugin build`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use plugin_host::CaseFile;
use serde::Deserialize;

use super::test::scripts_in;
use super::{Source, load_worlds};

const TARGET: &str = "wasm32-wasip2";

/// A line of `cargo build --message-format=json`: what was made, among others.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Where a folder's `build.sh` puts the component.
const BUILT: &str = "build/component.wasm";

/// Builds a folder's component, says what came of it, and returns where it is.
pub(super) fn build(source: &Source, out: &mut impl Write) -> anyhow::Result<PathBuf> {
    let folder = &source.folder;
    check_is_plugin(folder)?;
    let component = match has_manifest(folder) {
        true => by_cargo(folder)?,
        false => by_script(folder)?,
    };
    complete(folder, &component)?;
    let worlds = load_worlds(&component)?;
    let bytes = std::fs::metadata(&component)?.len();
    writeln!(
        out,
        "{} ({} KiB) runs {}",
        component.display(),
        bytes.div_ceil(1_024),
        worlds.names().join(", ")
    )?;
    Ok(component)
}

fn has_manifest(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
}

/// Fails where nothing can be built, and says what to do.
pub(super) fn check_is_plugin(folder: &Path) -> anyhow::Result<()> {
    if has_manifest(folder) || folder.join("build.sh").is_file() {
        return Ok(());
    }
    bail!(
        "{} has neither Cargo.toml nor build.sh: name the plugin's folder with --folder, or make one with `jackfield plugin new`",
        folder.display()
    )
}

fn by_cargo(folder: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(folder)
        .args(["build", "--release", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo; Rust is installed by https://rustup.rs")?;
    if !built.status.success() {
        bail!(
            "the plugin does not build; where the target is missing, `rustup target add {TARGET}` adds it"
        );
    }
    component_of(&String::from_utf8_lossy(&built.stdout)).context(
        "cargo made no component: Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`",
    )
}

/// Runs the folder's own script. It finds this program as `$JACKFIELD`, for `plugin wit`.
fn by_script(folder: &Path) -> anyhow::Result<PathBuf> {
    let built = Command::new("bash")
        .current_dir(folder)
        .arg("build.sh")
        .env("JACKFIELD", std::env::current_exe()?)
        .status()
        .context("cannot start bash, which runs build.sh")?;
    if !built.success() {
        bail!("the plugin does not build: build.sh ended with {built}");
    }
    let component = folder.join(BUILT);
    if !component.is_file() {
        bail!("build.sh made no component: it has to be {BUILT} in the plugin's folder");
    }
    Ok(component)
}

/// Puts what the plugin asks for, and its cases, into its component. Without a `plugin.toml` it asks for what it imports.
fn complete(folder: &Path, component: &Path) -> anyhow::Result<()> {
    let built = std::fs::read(component)?;
    let file = folder.join("plugin.toml");
    let asking = match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => built.clone(),
        read => {
            let text = read.with_context(|| format!("cannot read {}", file.display()))?;
            plugin_host::with_asks(&built, &text)
                .with_context(|| format!("{} is not usable", file.display()))?
        }
    };
    let cases = cases_in(&folder.join("scripts"))?;
    let complete = plugin_host::with_cases(&asking, &cases)
        .with_context(|| format!("{} does not fit", component.display()))?;
    if complete == built {
        return Ok(());
    }
    // Cargo's file has another name too: what it built stays as it is. Another build of the same plugin writes its own.
    let unfinished = component.with_extension(format!("unfinished-{}", std::process::id()));
    std::fs::write(&unfinished, complete)
        .and_then(|()| std::fs::rename(&unfinished, component))
        .with_context(|| format!("cannot write {}", component.display()))
}

/// The files of a plugin's `scripts`, which a server plays before calls begin with the component; none where there is no such folder.
fn cases_in(folder: &Path) -> anyhow::Result<Vec<CaseFile>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    scripts_in(folder)?
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            harness::read_cases(&text)
                .with_context(|| format!("{} is not usable", file.display()))?;
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.with_context(|| format!("{} has no name in UTF-8", file.display()))?;
            Ok(CaseFile {
                name: name.to_owned(),
                text,
            })
        })
        .collect()
}

/// The last component that cargo tells of.
fn component_of(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .flat_map(|message| message.filenames)
        .rfind(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_among_what_cargo_tells() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","filenames":["/t/libdep.rlib","/t/libdep.rmeta"]}"#,
            "\nnot JSON\n",
            r#"{"reason":"build-script-executed","filenames":["/t/no.wasm"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/my_flow.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(component_of(messages), Some("/t/my_flow.wasm".into()));
        assert_eq!(component_of(r#"{"reason":"build-finished"}"#), None);
    }

    #[test]
    fn a_folder_without_a_plugin_is_refused_with_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let source = Source {
            folder: empty.path().to_owned(),
        };
        let error = build(&source, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("jackfield plugin new"), "{error}");
    }

    #[test]
    fn a_component_brings_the_cases_of_its_folder() {
        const CASE: &str = "[[case]]\nname = \"one\"\nsteps = []\n";
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let scripts = path("scripts");
        std::fs::create_dir(&scripts).unwrap();
        std::fs::write(path("menu.wasm"), bundled::MENU).unwrap();
        std::fs::write(path("plugin.toml"), "key-value = true").unwrap();
        std::fs::write(scripts.join("b.toml"), CASE).unwrap();
        std::fs::write(scripts.join("a.toml"), CASE).unwrap();
        std::fs::write(scripts.join("README.md"), "no case").unwrap();
        let component = path("menu.wasm");
        for _again in 0..2 {
            complete(folder.path(), &component).unwrap();
            let wasm = std::fs::read(&component).unwrap();
            let cases = plugin_host::cases(&wasm).unwrap();
            let names: Vec<_> = cases.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(names, ["a.toml", "b.toml"]);
            assert_eq!(cases[0].text, CASE);
            assert!(plugin_host::asks(&wasm).unwrap().key_value);
        }
        std::fs::write(scripts.join("b.toml"), "[[case]]").unwrap();
        let error = complete(folder.path(), &component).unwrap_err();
        assert!(
            error.to_string().contains("b.toml is not usable"),
            "{error}"
        );
    }

    /// What comes of a folder with this `build.sh`, beside a component that fits.
    fn built_by(script: &str) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("menu.wasm"), bundled::MENU).unwrap();
        std::fs::write(folder.path().join("build.sh"), script).unwrap();
        let source = Source {
            folder: folder.path().to_owned(),
        };
        let mut out = Vec::new();
        build(&source, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_script_builds_what_is_not_in_rust() {
        let said =
            built_by("mkdir build; cp menu.wasm build/component.wasm; [ -x \"$JACKFIELD\" ]");
        let said = said.unwrap();
        assert!(said.contains("jackfield:call/call-flow@0.1.0"), "{said}");
        for (script, why) in [
            ("exit 3", "exit status: 3"),
            ("true", "build/component.wasm"),
            ("mkdir build; echo no >build/component.wasm", "does not fit"),
        ] {
            let error = built_by(script).unwrap_err().to_string();
            assert!(error.contains(why), "{script}: {error}");
        }
    }
}
