//! Audio that accounts have uploaded: a folder for each below the data folder.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use api::{Done, MAX_MEDIA_FILES, MediaError, MediaFile};
use bytes::Bytes;
use call::AccountSid;
use media::DecodeLimits;

use crate::operator::Host;
use crate::services::random;

/// After so long a file that was begun is one that nobody writes any more.
const LEFTOVER: Duration = Duration::from_hours(1);

/// Where they are.
#[derive(Debug, Clone)]
pub(crate) struct Uploads(PathBuf);

impl Uploads {
    /// Below the data folder.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("media"))
    }

    /// The folder of an account, which may not be there.
    pub(crate) fn folder(&self, account: AccountSid) -> PathBuf {
        self.0.join(account.to_string())
    }

    /// Writes a file that can be played. It appears whole, or not at all.
    fn keep(&self, account: AccountSid, name: &str, bytes: &[u8]) -> Result<MediaFile, MediaError> {
        let extension = Path::new(name).extension().and_then(|end| end.to_str());
        media::decode(bytes, extension, DecodeLimits::default())
            .map_err(|error| MediaError::Unfit(format!("The file cannot be played: {error}")))?;
        let folder = self.folder(account);
        std::fs::create_dir_all(&folder)?;
        remove_leftovers(&folder)?;
        let others = list(&folder)?.into_iter().filter(|file| file.name != name);
        if others.count() >= MAX_MEDIA_FILES {
            return Err(MediaError::Unfit(format!(
                "An account has {MAX_MEDIA_FILES} files at most: remove some"
            )));
        }
        // No name of an account's begins with a point. Another upload of the same name has another one of these.
        let number = u64::from_ne_bytes(random());
        let (unfinished, path) = (folder.join(format!(".{number:x}")), folder.join(name));
        let written = write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, &path));
        if let Err(error) = written {
            // It failed as it is.
            let _ = std::fs::remove_file(&unfinished);
            return Err(error.into());
        }
        std::fs::File::open(&folder)?.sync_all()?;
        Ok(of(name.to_owned(), &path.metadata()?))
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes what a killed process has begun to write. Nobody writes for so long.
fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_unfinished = entry.file_name().to_string_lossy().starts_with('.');
        // What is gone meanwhile is renamed.
        let age = entry.metadata().and_then(|of| of.modified());
        let age = age.ok().and_then(|at| at.elapsed().ok());
        if is_unfinished && age.is_some_and(|age| age > LEFTOVER) {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The files of a folder, by their names; none where it is not there.
fn list(folder: &Path) -> io::Result<Vec<MediaFile>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.push(of(name, &entry.metadata()?));
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

fn of(name: String, metadata: &std::fs::Metadata) -> MediaFile {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    MediaFile {
        name,
        bytes: metadata.len(),
        updated_unix_ms: since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        }),
    }
}

impl api::Media for Host {
    fn keep(
        &self,
        account: AccountSid,
        name: String,
        bytes: Bytes,
    ) -> Done<Result<MediaFile, MediaError>> {
        let uploads = self.services().library.uploads().clone();
        Box::pin(async move {
            let keeping = move || uploads.keep(account, &name, &bytes);
            let kept = tokio::task::spawn_blocking(keeping).await;
            kept.unwrap_or_else(|_| {
                Err(MediaError::Unfit("The file breaks its decoder".to_owned()))
            })
        })
    }

    fn list(&self, account: AccountSid) -> Done<io::Result<Vec<MediaFile>>> {
        let folder = self.services().library.uploads().folder(account);
        Box::pin(async move {
            let listing = tokio::task::spawn_blocking(move || list(&folder));
            listing
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
        })
    }

    fn remove(&self, account: AccountSid, name: String) -> Done<io::Result<bool>> {
        let path = self.services().library.uploads().folder(account).join(name);
        Box::pin(async move {
            match tokio::fs::remove_file(path).await {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn is_there(&self, account: AccountSid, name: String) -> Done<bool> {
        let services = self.services();
        Box::pin(async move {
            let directory = services.store.directory();
            match directory.account(account) {
                Some(account) => services.library.has_file(account, &name).await,
                None => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AC: AccountSid = AccountSid::from_bytes([1; 16]);
    const OTHER: AccountSid = AccountSid::from_bytes([2; 16]);

    #[test]
    fn what_can_be_played_is_kept_whole_and_apart() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path());
        assert!(list(&uploads.folder(AC)).unwrap().is_empty());
        let wav = include_bytes!("../prompts/apology.wav");
        let kept = uploads.keep(AC, "flood-lo.wav", wav).unwrap();
        assert_eq!(kept.bytes, wav.len() as u64);
        let own = list(&uploads.folder(AC)).unwrap();
        assert_eq!(own, std::slice::from_ref(&kept));
        assert!(list(&uploads.folder(OTHER)).unwrap().is_empty());
        let refused = uploads.keep(AC, "flood-lo.wav", b"no audio").unwrap_err();
        assert!(
            refused.to_string().contains("cannot be played"),
            "{refused}"
        );
        assert_eq!(
            list(&uploads.folder(AC)).unwrap(),
            [kept],
            "the one before stays"
        );
    }

    #[test]
    fn an_account_has_so_many_files_and_may_replace_them() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path());
        std::fs::create_dir_all(uploads.folder(AC)).unwrap();
        for number in 0..MAX_MEDIA_FILES {
            std::fs::write(uploads.folder(AC).join(format!("{number}.wav")), "").unwrap();
        }
        let wav = include_bytes!("../prompts/apology.wav");
        let refused = uploads.keep(AC, "more.wav", wav).unwrap_err();
        assert!(
            refused.to_string().contains("200 files at most"),
            "{refused}"
        );
        uploads.keep(AC, "7.wav", wav).unwrap();
    }

    /// However many write one name at once, what is there is what one of them sent.
    #[test]
    fn uploads_of_one_name_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path());
        let wav = include_bytes!("../prompts/apology.wav").to_vec();
        let files: Vec<Vec<u8>> = (0..4_usize)
            .map(|number| {
                let mut file = wav.clone();
                file[44..].fill(number as u8);
                file
            })
            .collect();
        std::thread::scope(|scope| {
            for file in &files {
                let uploads = &uploads;
                scope.spawn(move || uploads.keep(AC, "flood.wav", file).unwrap());
            }
        });
        let kept = std::fs::read(uploads.folder(AC).join("flood.wav")).unwrap();
        assert!(files.contains(&kept));
        let left = std::fs::read_dir(uploads.folder(AC)).unwrap().count();
        assert_eq!(left, 1, "nothing unfinished is left");
    }

    #[test]
    fn what_a_killed_process_left_goes_with_the_next_upload() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path());
        std::fs::create_dir_all(uploads.folder(AC)).unwrap();
        let [old, new] = [".old", ".new"].map(|name| uploads.folder(AC).join(name));
        for path in [&old, &new] {
            std::fs::write(path, "half").unwrap();
        }
        let before = std::time::SystemTime::now() - LEFTOVER * 2;
        let file = std::fs::File::options().write(true).open(&old).unwrap();
        file.set_modified(before).unwrap();
        let wav = include_bytes!("../prompts/apology.wav");
        uploads.keep(AC, "a.wav", wav).unwrap();
        assert!(!old.exists() && new.exists(), "somebody may still write it");
    }
}
