//! Where recordings lie, and how a file becomes whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use call::{AccountSid, RecordingSid};
use media::{WavEnd, WavRepairError, repair_wav};

/// Bytes that the longest header of ours has.
const HEADER_BYTES: u64 = 58;

/// A folder for each account, in it a file for each recording: `RE….part` while it goes on, `RE….wav` then.
#[derive(Debug, Clone)]
pub(super) struct Files {
    folder: PathBuf,
}

/// What is known of a file that was made whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) duration_ms: u64,
    pub(super) file_bytes: u64,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn path(&self, account: AccountSid, sid: RecordingSid, extension: &str) -> PathBuf {
        self.folder
            .join(account.to_string())
            .join(format!("{sid}.{extension}"))
    }

    /// A new file for a recording, readable by this user alone.
    pub(super) fn create(&self, account: AccountSid, sid: RecordingSid) -> io::Result<File> {
        let path = self.path(account, sid, "part");
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Makes the file of a recording whole that ended in order; none where nothing was heard, and then there is none.
    pub(super) fn finish(
        &self,
        account: AccountSid,
        sid: RecordingSid,
        file: &File,
        end: &WavEnd,
        rate_hz: u32,
    ) -> io::Result<Option<Whole>> {
        let part = self.path(account, sid, "part");
        if end.samples == 0 {
            fs::remove_file(part)?;
            return Ok(None);
        }
        file.write_all_at(end.header.as_bytes(), 0)?;
        file.set_len(end.file_bytes)?;
        file.sync_all()?;
        let whole = self.path(account, sid, "wav");
        fs::rename(part, &whole)?;
        if let Some(folder) = whole.parent() {
            File::open(folder)?.sync_all()?; // the new name
        }
        Ok(Some(Whole {
            duration_ms: end.samples * 1_000 / u64::from(rate_hz),
            file_bytes: end.file_bytes,
        }))
    }

    /// Makes the file of a recording whole that was cut off, whenever that was; none where nothing was heard.
    ///
    /// # Errors
    /// Of the disk; `InvalidData` if the file is no recording. It is left alone then.
    pub(super) fn repair(
        &self,
        account: AccountSid,
        sid: RecordingSid,
    ) -> io::Result<Option<Whole>> {
        let part = self.path(account, sid, "part");
        let whole = self.path(account, sid, "wav");
        if !part.exists() && whole.exists() {
            fs::rename(&whole, &part)?; // it was whole, and nobody was told
        }
        let mut file = match OpenOptions::new().read(true).write(true).open(&part) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut head = Vec::new();
        (&mut file).take(HEADER_BYTES).read_to_end(&mut head)?;
        match repair_wav(&head, file.metadata()?.len()) {
            Ok(end) => {
                let rate = head.get(24..).and_then(<[u8]>::first_chunk);
                let rate_hz = rate.map_or(1, |rate| u32::from_le_bytes(*rate));
                self.finish(account, sid, &file, &end, rate_hz)
            }
            Err(WavRepairError::NoAudio) => fs::remove_file(part).map(|()| None),
            Err(error @ WavRepairError::NotOurs) => {
                Err(io::Error::new(ErrorKind::InvalidData, error))
            }
        }
    }

    /// Removes every file of a recording; those that are not there are none the less gone. How many bytes they had together.
    pub(super) fn remove(&self, account: AccountSid, sid: RecordingSid) -> io::Result<u64> {
        let mut freed = 0;
        for extension in ["wav", "part"] {
            let path = self.path(account, sid, extension);
            let removed =
                fs::metadata(&path).and_then(|about| fs::remove_file(&path).map(|()| about.len()));
            match removed {
                Ok(bytes) => freed += bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(freed)
    }

    /// The recordings whose files are complete.
    pub(super) fn complete(&self) -> io::Result<Vec<(AccountSid, RecordingSid)>> {
        let mut complete = Vec::new();
        for (account, _) in self.usage()? {
            for file in fs::read_dir(self.folder.join(account.to_string()))? {
                let name = file?.file_name();
                let sid = name.to_str().and_then(|name| name.strip_suffix(".wav"));
                if let Some(sid) = sid.and_then(|sid| sid.parse().ok()) {
                    complete.push((account, sid));
                }
            }
        }
        Ok(complete)
    }

    /// The accounts that have a folder, and the bytes of their files.
    pub(super) fn usage(&self) -> io::Result<Vec<(AccountSid, u64)>> {
        let folders = match fs::read_dir(&self.folder) {
            Ok(folders) => folders,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut usage = Vec::new();
        for folder in folders {
            let folder = folder?;
            let name = folder.file_name();
            if let Some(account) = name.to_str().and_then(|name| name.parse().ok()) {
                usage.push((account, bytes_in(&folder.path())?));
            }
        }
        Ok(usage)
    }
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?
        .map(|file| Ok(file?.metadata()?.len()))
        .sum()
}

#[cfg(test)]
mod tests {
    use media::{WavEncoding, WavFile, WavFormat};

    use super::*;

    const FORMAT: WavFormat = WavFormat {
        rate_hz: 8_000,
        channels: 1,
        encoding: WavEncoding::Pcm16,
    };

    fn sids() -> (AccountSid, RecordingSid) {
        (
            AccountSid::from_bytes([1; 16]),
            RecordingSid::from_bytes([2; 16]),
        )
    }

    /// A file that was cut off after so many bytes of 100 ms of audio.
    fn cut(files: &Files, bytes: usize) {
        let (account, sid) = sids();
        let mut wav = WavFile::new(FORMAT);
        wav.push(&[7; 800]).unwrap();
        let file = files.create(account, sid).unwrap();
        file.write_all_at(&wav.unwritten().1[..bytes], 0).unwrap();
    }

    #[test]
    fn a_file_that_was_cut_off_is_made_whole_once_and_again() {
        let (account, sid) = sids();
        for (bytes, expected) in [
            (0, None),
            (44, None),
            (44 + 801, Some(50)),
            (1_644, Some(100)),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let files = Files::new(folder.path().to_owned());
            cut(&files, bytes);
            let found = files.repair(account, sid).unwrap();
            assert_eq!(found.map(|whole| whole.duration_ms), expected, "{bytes}");
            assert!(!files.path(account, sid, "part").exists());
            assert_eq!(files.path(account, sid, "wav").exists(), expected.is_some());
            assert_eq!(files.repair(account, sid).unwrap(), found, "told again");
        }
    }

    #[test]
    fn what_is_no_recording_is_left_alone() {
        let (account, sid) = sids();
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned());
        let file = files.create(account, sid).unwrap();
        file.write_all_at(&[b'x'; 100], 0).unwrap();
        let error = files.repair(account, sid).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(files.path(account, sid, "part").exists());
    }

    #[test]
    fn files_are_counted_and_removed() {
        let (account, sid) = sids();
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("recordings"));
        assert_eq!(files.usage().unwrap(), []);
        cut(&files, 1_000);
        assert_eq!(files.usage().unwrap(), [(account, 1_000)]);
        assert_eq!(files.remove(account, sid).unwrap(), 1_000);
        assert_eq!(files.remove(account, sid).unwrap(), 0, "once");
        assert_eq!(files.usage().unwrap(), [(account, 0)]);
    }
}
