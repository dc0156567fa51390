//! The text of `wit/`, for those who generate code from it.

use std::path::Path;

/// The files of each package, each with its path.
pub(crate) const PACKAGES: &[&[(&str, &str)]] =
    include!(concat!(env!("OUT_DIR"), "/wit_packages.rs"));

/// A file of a WIT package that this host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WitFile {
    /// The package's folder, such as `call@0.1.0`.
    pub package: &'static str,
    /// Such as `control.wit`.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// All of them, packages behind those that they use.
pub fn wit_files() -> impl Iterator<Item = WitFile> {
    PACKAGES.iter().copied().flatten().map(|&(path, text)| {
        let path = Path::new(path);
        WitFile {
            package: last_part(path.parent()),
            name: last_part(Some(path)),
            text,
        }
    })
}

fn last_part(path: Option<&'static Path>) -> &'static str {
    path.and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .expect("each file of `wit/` is in a package's folder")
}
