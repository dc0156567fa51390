//! Components that misbehave, for the tests of those who must bear them.
//!
//! `animals/NAME.wat` are core modules, each with its one vice, which its first line names; [`animal`] makes a component of
//! one. [`giant`] makes those whose vice is their size.

pub mod giant;
mod wit;

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/animals");

/// The names of all animals in `animals/`, in alphabetical order.
///
/// # Panics
/// If the folder cannot be read.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(FOLDER)
        .expect("the animals are beside this crate")
        .map(|file| file.expect("a file can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The component of `animals/NAME.wat`.
///
/// # Panics
/// If there is none of that name, or it is no module of the world `call-flow`.
#[must_use]
pub fn animal(name: &str) -> Vec<u8> {
    let path = format!("{FOLDER}/{name}.wat");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    component(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A component of this core module, given as text.
///
/// # Errors
/// In words, where the text is no module or does not fit the world.
pub fn component(module: &str) -> Result<Vec<u8>, String> {
    let module = wat::parse_str(module).map_err(|error| error.to_string())?;
    wrap(&module)
}

/// A component of this core module.
///
/// # Errors
/// In words, where the module does not fit the world `call-flow` with what WASI 0.2 adds to it.
pub fn wrap(module: &[u8]) -> Result<Vec<u8>, String> {
    // The one resource that an animal can have of its own.
    let makes_things = contains(module, b"test:zoo/things");
    wrap_for(if makes_things { "hoarder" } else { "animal" }, module)
}

/// A component of this core module, given as text, in the world `retry-strategy`.
///
/// # Errors
/// In words, where the text is no module or does not fit the world.
pub fn strategy(module: &str) -> Result<Vec<u8>, String> {
    let module = wat::parse_str(module).map_err(|error| error.to_string())?;
    wrap_for("strategy", &module)
}

/// A component of this core module, given as text, in the world `routing-policy`.
///
/// # Errors
/// In words, where the text is no module or does not fit the world.
pub fn policy(module: &str) -> Result<Vec<u8>, String> {
    let module = wat::parse_str(module).map_err(|error| error.to_string())?;
    wrap_for("policy", &module)
}

fn wrap_for(world: &str, module: &[u8]) -> Result<Vec<u8>, String> {
    let (resolve, world) = wit::world(world);
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| format!("{error:#}"))?;
    ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))
}

/// Where the random modules are that the tests run; `tests/smith` made them.
#[must_use]
pub fn smith_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("smith.bin")
}

/// The core modules of a file that `tests/smith` made.
///
/// # Panics
/// If it cannot be read, or is cut off.
#[must_use]
pub fn modules_of(file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut modules = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (module, after) = after.split_at(length);
        modules.push(module.to_vec());
        rest = after;
    }
    modules
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
