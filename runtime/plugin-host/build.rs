//! Lists the packages of `wit/`, so that the host can say in what a component differs from them.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let wit = Path::new(&manifest).join("../../wit").canonicalize()?;
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut text = String::from("&[\n");
    for package in packages(&wit)? {
        text.push_str("    &[\n");
        for file in entries(&package)? {
            let path = file.display();
            text.push_str(&format!(
                "        (r\"{path}\", include_str!(r\"{path}\")),\n"
            ));
        }
        text.push_str("    ],\n");
    }
    text.push_str("]\n");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("wit_packages.rs"), text)
}

/// The folders of all packages, each behind those that it uses: what is not ours, the words that all share, the worlds.
fn packages(wit: &Path) -> io::Result<Vec<PathBuf>> {
    let mut packages = entries(&wit.join("deps"))?;
    let (types, worlds): (Vec<_>, Vec<_>) = entries(wit)?
        .into_iter()
        .filter(|folder| !folder.ends_with("deps"))
        .partition(|folder| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("types@")
        });
    packages.extend(types);
    packages.extend(worlds);
    Ok(packages)
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}
