//! Compiled code on disk, so that a restart does not compile again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Bytes of the MAC that each file begins with.
const MAC_BYTES: usize = 32;

/// A directory of compiled code, each file named after the SHA-256 of its WebAssembly and the engine's compatibility
/// hash, and sealed with a MAC.
///
/// Compiled code is run as it is: who could write into the directory could run code in this process. The key keeps
/// that to who can read it; a file with a wrong MAC is compiled anew.
#[derive(Clone)]
pub struct CodeCache {
    directory: PathBuf,
    key: [u8; 32],
}

impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeCache")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl CodeCache {
    /// Keeps code in `directory`, which is made when it is first needed. `key` is a secret of this installation.
    #[must_use]
    pub fn new(directory: PathBuf, key: [u8; 32]) -> Self {
        Self { directory, key }
    }

    #[allow(unsafe_code)]
    pub(crate) fn component(&self, engine: &Engine, sha256: &[u8; 32]) -> Option<Component> {
        let code = self.read(&name(engine, sha256, "component"))?;
        // SAFETY: `read` gives only bytes whose MAC under this installation's key is right, over a name that holds the
        // engine's compatibility hash. They were written by `keep`, from `Component::serialize` of the same engine.
        unsafe { Component::deserialize(engine, code) }.ok()
    }

    #[allow(unsafe_code)]
    pub(crate) fn module(&self, engine: &Engine, sha256: &[u8; 32]) -> Option<Module> {
        let code = self.read(&name(engine, sha256, "module"))?;
        // SAFETY: as in `component`, with `Module::serialize`.
        unsafe { Module::deserialize(engine, code) }.ok()
    }

    pub(crate) fn keep_component(&self, engine: &Engine, sha256: &[u8; 32], component: &Component) {
        self.keep(&name(engine, sha256, "component"), component.serialize());
    }

    /// As [`Self::keep_component`], for code as `Component::serialize` gives it.
    pub(crate) fn keep_code(&self, engine: &Engine, sha256: &[u8; 32], code: Vec<u8>) {
        self.keep(&name(engine, sha256, "component"), Ok(code));
    }

    pub(crate) fn keep_module(&self, engine: &Engine, sha256: &[u8; 32], module: &Module) {
        self.keep(&name(engine, sha256, "module"), module.serialize());
    }

    /// A cache that cannot be written makes the next start slower, nothing else.
    fn keep(&self, name: &str, code: wasmtime::Result<Vec<u8>>) {
        let written = code
            .map_err(|error| format!("{error:#}"))
            .and_then(|code| self.write(name, &code).map_err(|error| error.to_string()));
        if let Err(error) = written {
            tracing::warn!(directory = %self.directory.display(), error, "cannot keep compiled code");
        }
    }

    /// The code in the file `name`, if it is there and its MAC is right.
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = std::fs::read(self.directory.join(name)).ok()?;
        if bytes.len() < MAC_BYTES {
            return None;
        }
        let code = bytes.split_off(MAC_BYTES);
        if self.mac(name, &code).verify_slice(&bytes).is_err() {
            tracing::warn!(file = name, "compiled code has a wrong MAC: compiling anew");
            return None;
        }
        Some(code)
    }

    /// Writes under another name first, so that a file is whole or not there.
    fn write(&self, name: &str, code: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let unfinished = self
            .directory
            .join(format!("{name}.{}.part", std::process::id()));
        let written = self.write_file(&unfinished, name, code);
        let renamed =
            written.and_then(|()| std::fs::rename(&unfinished, self.directory.join(name)));
        if renamed.is_err() {
            let _ = std::fs::remove_file(&unfinished); // whether it is there or not, the first error counts
        }
        renamed
    }

    fn write_file(&self, path: &Path, name: &str, code: &[u8]) -> std::io::Result<()> {
        let mut file = std::fs::File::create(path)?;
        file.write_all(&self.mac(name, code).finalize().into_bytes())?;
        file.write_all(code)?;
        file.sync_all()
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(name.as_bytes());
        mac.update(code);
        mac
    }
}

/// All that decides whether compiled code fits: the source, the engine's version and settings, this processor.
fn name(engine: &Engine, sha256: &[u8; 32], kind: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let source: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{source}-{:016x}.{kind}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(directory: &Path, key: u8) -> CodeCache {
        CodeCache::new(directory.join("code"), [key; 32])
    }

    #[test]
    fn what_was_kept_is_read_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let ours = cache(directory.path(), 1);
        assert_eq!(ours.read("a"), None);
        ours.write("a", b"code").unwrap();
        assert_eq!(ours.read("a").as_deref(), Some(&b"code"[..]));
        assert_eq!(cache(directory.path(), 2).read("a"), None, "another key");

        let file = directory.path().join("code/a");
        std::fs::copy(&file, directory.path().join("code/b")).unwrap();
        assert_eq!(ours.read("b"), None, "another name");

        let whole = std::fs::read(&file).unwrap();
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 1;
            std::fs::write(&file, &changed).unwrap();
            assert_eq!(ours.read("a"), None, "byte {position}");
            std::fs::write(&file, &whole[..position]).unwrap();
            assert_eq!(ours.read("a"), None, "cut at {position}");
        }
        let left: Vec<_> = std::fs::read_dir(directory.path().join("code"))
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "no unfinished files: {left:?}");
    }
}
