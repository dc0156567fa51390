//! Compiles the first-party guests to components.
//!
//! A cargo inside a cargo: it gets a target folder of its own (`guest`, below this workspace's), because the outer one holds
//! the lock of the other, and an environment without what the outer one is told about the host's compilation.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-wasip2";
const GUESTS: [&str; 3] = ["echo", "menu", "twiml"];

/// What the guests are made of, below the workspace.
const SOURCES: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "fault-codes",
    "guest-sdk",
    "plugins/echo",
    "plugins/menu",
    "twiml-plugin",
    "wit",
];

/// What the outer cargo or its user says about the host's compilation: none of it holds for the guests'. The wrapper for
/// workspace crates is how `cargo clippy` makes a compiler that emits no code.
const NOT_FOR_GUESTS: [&str; 7] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = path_from("OUT_DIR")?;
    let workspace = path_from("CARGO_MANIFEST_DIR")?.join("../..");
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    require_target()?;

    let target_dir = outer_target_dir(&out)?.join("guest");
    compile(&workspace, &target_dir)?;
    for guest in GUESTS {
        let name = format!("{guest}.wasm");
        let built = target_dir.join(TARGET).join("guest").join(&name);
        std::fs::copy(&built, out.join(&name))
            .map_err(|error| format!("no component at {}: {error}", built.display()))?;
    }
    Ok(())
}

/// Says what to do when the toolchain cannot compile for the target, before the compiler says less.
fn require_target() -> Result<(), String> {
    let output = Command::new(path_from("RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("rustc does not run: {error}"))?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!(
        "the target {TARGET} is not installed, and the bundled components are built for it; \
         add it with `rustup target add {TARGET}`"
    ))
}

/// The target folder of the outer cargo, which every layout has above a folder `build`:
/// `target/[triple/]profile/build/package-hash/out`.
fn outer_target_dir(out: &Path) -> Result<PathBuf, String> {
    let profile = out
        .ancestors()
        .find(|folder| folder.ends_with("build"))
        .and_then(Path::parent);
    let target_dir = match profile.and_then(Path::parent) {
        Some(folder) if folder.ends_with(env::var("TARGET").unwrap_or_default()) => folder.parent(),
        folder => folder,
    };
    target_dir
        .map(Path::to_owned)
        .ok_or_else(|| format!("no target folder above {}", out.display()))
}

fn compile(workspace: &Path, target_dir: &Path) -> Result<(), String> {
    let mut cargo = Command::new(path_from("CARGO")?);
    cargo
        .current_dir(workspace)
        .args([
            "build",
            "--locked",
            "--profile",
            "guest",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(target_dir);
    for guest in GUESTS {
        cargo.args(["--package", guest]);
    }
    for name in NOT_FOR_GUESTS {
        cargo.env_remove(name);
    }
    let status = cargo
        .status()
        .map_err(|error| format!("cargo does not run: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "the bundled components do not build ({status}); see above"
        )),
    }
}

fn path_from(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set: build with cargo"))
}
