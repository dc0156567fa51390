//! Audio that accounts have uploaded: a folder for each below the data folder.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use api::{Done, MAX_MEDIA_BYTES, MAX_MEDIA_FILES, MediaError, MediaFile};
use bytes::Bytes;
use call::{AccountSid, RecordingSid};
use media::DecodeLimits;

use crate::operator::Host;
use crate::services::random;

/// After so long a file that was begun is one that nobody writes any more.
const LEFTOVER: Duration = Duration::from_hours(1);
/// What a call has prepared begins so, and goes with its story.
const PREPARED: &str = ".prepared-";

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

    /// Removes what a process that was killed left unfinished.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        let folders = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folders => folders?,
        };
        for folder in folders {
            let folder = folder?;
            // What somebody else put here is none of ours.
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(folder.path())? {
                let file = file?;
                let is_ours = file.file_name().to_string_lossy().starts_with('.');
                if is_ours && file.file_type()?.is_file() {
                    std::fs::remove_file(file.path())?;
                }
            }
        }
        Ok(())
    }

    /// Writes a file that can be played. It appears whole, or not at all.
    fn keep(&self, account: AccountSid, name: &str, bytes: &[u8]) -> Result<MediaFile, MediaError> {
        check_audio(name, bytes)?;
        let folder = self.folder(account);
        std::fs::create_dir_all(&folder)?;
        remove_leftovers(&folder)?;
        check_room(&folder, name)?;
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

    /// Writes what a call recorded where the account can play it, under a name that it cannot have given to a file.
    pub(crate) fn prepare(
        &self,
        account: AccountSid,
        recording: RecordingSid,
        bytes: &[u8],
    ) -> Result<Prepared, MediaError> {
        if bytes.len() > MAX_MEDIA_BYTES {
            return Err(MediaError::Unfit(too_large()));
        }
        let name = format!("{PREPARED}{recording}.wav");
        check_audio(&name, bytes)?;
        let folder = self.folder(account);
        std::fs::create_dir_all(&folder)?;
        let prepared = Prepared {
            path: folder.join(&name),
            recording,
            name,
        };
        std::fs::write(&prepared.path, bytes)?;
        Ok(prepared)
    }

    /// Gives a prepared file its name.
    pub(crate) fn take_over(
        &self,
        account: AccountSid,
        prepared: &Path,
        name: &str,
    ) -> Result<MediaFile, MediaError> {
        let folder = self.folder(account);
        check_room(&folder, name)?;
        place(&folder, prepared, name)
    }
}

/// A recording that can be played, for as long as this is there.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: PathBuf,
    recording: RecordingSid,
    name: String,
}

impl Prepared {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_of(&self, recording: RecordingSid) -> bool {
        self.recording == recording
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // What was kept is there no more. What cannot be removed is at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn check_audio(name: &str, bytes: &[u8]) -> Result<(), MediaError> {
    let extension = Path::new(name).extension().and_then(|end| end.to_str());
    match media::decode(bytes, extension, DecodeLimits::default()) {
        Ok(_) => Ok(()),
        Err(error) => Err(MediaError::Unfit(format!(
            "The file cannot be played: {error}"
        ))),
    }
}

fn check_room(folder: &Path, name: &str) -> Result<(), MediaError> {
    let others = list(folder)?.into_iter().filter(|file| file.name != name);
    match others.count() < MAX_MEDIA_FILES {
        true => Ok(()),
        false => Err(MediaError::Unfit(format!(
            "An account has {MAX_MEDIA_FILES} files at most: remove some"
        ))),
    }
}

/// Gives a file that was written its name. On disk when this is over.
fn place(folder: &Path, written: &Path, name: &str) -> Result<MediaFile, MediaError> {
    let path = folder.join(name);
    std::fs::File::open(written)?.sync_all()?;
    std::fs::rename(written, &path)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(of(name.to_owned(), &path.metadata()?))
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
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_unfinished = name.starts_with('.') && !name.starts_with(PREPARED);
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

/// Why a recording cannot be kept.
pub(crate) fn too_large() -> String {
    let most = MAX_MEDIA_BYTES >> 20;
    format!("The recording has more than {most} MiB: record less")
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
        if name.starts_with('.') {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) => files.push(of(name, &metadata)),
            // It was removed since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
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
        let uploads = self.services().sound_library.uploads().clone();
        Box::pin(async move {
            let keeping = move || uploads.keep(account, &name, &bytes);
            let kept = tokio::task::spawn_blocking(keeping).await;
            kept.unwrap_or_else(|_| {
                Err(MediaError::Unfit("The file breaks its decoder".to_owned()))
            })
        })
    }

    fn list(&self, account: AccountSid) -> Done<io::Result<Vec<MediaFile>>> {
        let folder = self.services().sound_library.uploads().folder(account);
        Box::pin(async move {
            let listing = tokio::task::spawn_blocking(move || list(&folder));
            listing
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
        })
    }

    fn remove(&self, account: AccountSid, name: String) -> Done<io::Result<bool>> {
        let path = self
            .services()
            .sound_library
            .uploads()
            .folder(account)
            .join(name);
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
                Some(account) => services.sound_library.has_file(account, &name).await,
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
    fn what_is_prepared_is_playable_unlisted_and_gone_unless_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path());
        let wav = include_bytes!("../prompts/apology.wav");
        let sid = |byte| RecordingSid::from_bytes([byte; 16]);
        let dropped = uploads.prepare(AC, sid(1), wav).unwrap();
        let (path, kept) = (
            dropped.path().to_owned(),
            uploads.prepare(AC, sid(2), wav).unwrap(),
        );
        assert!(path.exists() && list(&uploads.folder(AC)).unwrap().is_empty());
        drop(dropped);
        assert!(!path.exists());
        uploads.take_over(AC, kept.path(), "flood-lo.wav").unwrap();
        drop(kept);
        let own = list(&uploads.folder(AC)).unwrap();
        assert_eq!(own.len(), 1);
        assert_eq!(
            (own[0].name.as_str(), own[0].bytes),
            ("flood-lo.wav", wav.len() as u64)
        );
        assert!(uploads.prepare(AC, sid(3), b"no audio").is_err());

        // A process that was killed leaves what it had prepared.
        std::mem::forget(uploads.prepare(AC, sid(4), wav).unwrap());
        uploads.sweep().unwrap();
        let left: Vec<_> = std::fs::read_dir(uploads.folder(AC)).unwrap().collect();
        assert_eq!(left.len(), 1, "the file of the account's stays");
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
