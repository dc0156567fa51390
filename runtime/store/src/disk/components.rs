//! The bytes of uploaded components, in files named after their hash.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::seal::sync_folder_of;
use crate::{Sha256Digest, StoreError};

/// A folder of files `<sha256>.wasm`. A file is whole and right, or it is not there.
#[derive(Debug, Clone)]
pub(super) struct ComponentFolder {
    folder: PathBuf,
}

impl ComponentFolder {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, sha256: Sha256Digest) -> PathBuf {
        self.folder.join(format!("{sha256}.wasm"))
    }

    /// Keeps `bytes`, which hash to `sha256`, durably. What is there already is left alone.
    pub(super) fn keep(&self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError> {
        if self.read(sha256).is_ok() {
            return Ok(());
        }
        let path = self.path(sha256);
        write_whole(&path, bytes)
            .map_err(|error| StoreError::ComponentNotKept(format!("{}: {error}", path.display())))
    }

    /// Removes the file. One that stays because the disk fails takes up room, and does no other harm.
    pub(super) fn forget(&self, sha256: Sha256Digest) {
        let path = self.path(sha256);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(%error, "cannot remove {}", path.display());
        }
    }

    pub(super) fn read(&self, sha256: Sha256Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path(sha256);
        let corrupt = |why: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!(
                "component {}: {why}; apply the tenants file again",
                path.display()
            ))
        };
        let bytes = fs::read(&path).map_err(|error| corrupt(&error))?;
        if Sha256Digest::of(&bytes) == sha256 {
            Ok(bytes)
        } else {
            Err(corrupt(&"its bytes have changed"))
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_folder_of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_reported_and_healed_by_keeping_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let components = ComponentFolder::new(folder.path().to_owned());
        let sha256 = Sha256Digest::of(b"\0asm");
        assert!(matches!(
            components.read(sha256),
            Err(StoreError::Corrupt(_))
        ));
        components.keep(sha256, b"\0asm").unwrap();
        assert_eq!(components.read(sha256).unwrap(), b"\0asm");

        fs::write(components.path(sha256), b"\0as").unwrap();
        assert!(matches!(
            components.read(sha256),
            Err(StoreError::Corrupt(_))
        ));
        components.keep(sha256, b"\0asm").unwrap();
        assert_eq!(components.read(sha256).unwrap(), b"\0asm");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
