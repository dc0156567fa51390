//! Where a store is, and why one could not be opened.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use redb::Database;

use super::tables;
use crate::StoreError;
use crate::seal::{KeyFileError, OperatorKey};

/// Where a store keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The database file.
    pub database: PathBuf,
    /// The operator's key file; best kept apart from backups of the database.
    pub key_file: PathBuf,
    /// The folder of uploaded components.
    pub components: PathBuf,
}

impl Places {
    /// The usual names in one folder: `jackfield.redb`, `operator.key`, `components/`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            database: folder.join("jackfield.redb"),
            key_file: folder.join("operator.key"),
            components: folder.join("components"),
        }
    }
}

/// Why a store could not be opened.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("{} is in use: a server is running on it; stop it first, or ask it through its API", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// A folder could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database file cannot be read, or is damaged.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<redb::Error>,
    },
    /// A version of this program from before the first release wrote the database; nothing is carried over.
    #[error("{} has layout {found}, and this program reads {} alone: name another data folder and apply the tenants file anew, or use the version that wrote it", path.display(), tables::LAYOUT)]
    EarlierLayout {
        /// The database file.
        path: PathBuf,
        /// The layout it has.
        found: u32,
    },
    /// A later version of this program wrote the database.
    #[error("{} has layout {found}, and this program reads {} alone: use the version that wrote it, or a later one", path.display(), tables::LAYOUT)]
    LaterLayout {
        /// The database file.
        path: PathBuf,
        /// The layout it has.
        found: u32,
    },
    /// The key file is gone, and without it no account's token can be read.
    #[error("the key file {} is missing, and the database is sealed with it: restore it from a backup", path.display())]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A row cannot be read, or the key is not the one that sealed it.
    #[error("cannot read the database")]
    Rows(#[source] StoreError),
}

pub(super) fn make_folder(folder: Option<&Path>) -> Result<(), OpenError> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })
}

pub(super) fn cannot_open(places: &Places, error: impl Into<redb::Error>) -> OpenError {
    let path = places.database.clone();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => OpenError::InUse { path },
        source => OpenError::Database {
            path,
            source: Box::new(source),
        },
    }
}

/// The operator's key: made for a new database, and never for one that is sealed already.
pub(super) fn operator_key(database: &Database, places: &Places) -> Result<OperatorKey, OpenError> {
    let layout = tables::layout(database).map_err(|error| cannot_open(places, error))?;
    let path = places.database.clone();
    match layout {
        Some(found) if found < tables::LAYOUT => Err(OpenError::EarlierLayout { path, found }),
        Some(found) if found > tables::LAYOUT => Err(OpenError::LaterLayout { path, found }),
        _ if places.key_file.exists() => Ok(OperatorKey::load(&places.key_file)?),
        Some(_) => Err(OpenError::KeyMissing {
            path: places.key_file.clone(),
        }),
        None => {
            make_folder(places.key_file.parent())?;
            Ok(OperatorKey::create(&places.key_file)?)
        }
    }
}
