//! The programs that the tests need, and which package brings each.

use std::path::{Path, PathBuf};

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate lies in tests/interop")
}

/// Finds `program` on the `PATH`, or where the administrator's programs are. Panics with the Debian `package` that has it.
#[must_use]
pub fn program(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed: `./test` installs it, or: apt-get install {package}"
            )
        })
}

/// A file that a package installs. Panics with the Debian `package` that has it.
#[must_use]
pub fn file(candidates: &[&str], package: &str) -> PathBuf {
    candidates
        .iter()
        .map(PathBuf::from)
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| {
            panic!("none of {candidates:?} exists: they come with the package {package}")
        })
}

/// The Python that has the packages of `python/requirements.txt`.
#[must_use]
pub fn test_python() -> PathBuf {
    let python = workspace().join("var/test-venv/bin/python");
    assert!(
        python.is_file(),
        "{} is not there: `./test` makes it (python3 -m venv var/test-venv, then \
         var/test-venv/bin/pip install -r tests/interop/python/requirements.txt)",
        python.display()
    );
    python
}

/// The folder that has the packages of `node/package-lock.json`.
#[must_use]
pub fn test_node_modules() -> PathBuf {
    let modules = workspace().join("var/test-node/node_modules");
    assert!(
        modules.is_dir(),
        "{} is not there: `./test` makes it (npm ci in a copy of tests/interop/node at var/test-node)",
        modules.display()
    );
    modules
}
