//! `jackfield plugin build`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

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
    let component = if folder.join("Cargo.toml").is_file() {
        by_cargo(folder)?
    } else if folder.join("build.sh").is_file() {
        by_script(folder)?
    } else {
        bail!(
            "{} has neither Cargo.toml nor build.sh: name the plugin's folder with --folder, or make one with `jackfield plugin new`",
            folder.display()
        );
    };
    put_asks(&source.folder.join("plugin.toml"), &component)?;
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

/// Puts what the plugin asks for into its component. Without a file it asks for what it imports.
fn put_asks(file: &Path, component: &Path) -> anyhow::Result<()> {
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let wasm = std::fs::read(component)?;
    let asking = plugin_host::with_asks(&wasm, &text)
        .with_context(|| format!("{} is not usable", file.display()))?;
    // Cargo's file has another name too: what it built stays as it is.
    let unfinished = component.with_extension("asking");
    std::fs::write(&unfinished, asking)
        .and_then(|()| std::fs::rename(&unfinished, component))
        .with_context(|| format!("cannot write {}", component.display()))
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
