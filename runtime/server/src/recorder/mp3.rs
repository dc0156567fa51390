//! A recording as MP3, by `lame`: a process of its own, so that its licence stays its own, and so do its crashes.

mod spool;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use call::RecordingChannels;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Processes at a time; whoever comes later waits for one to end. They work as fast as they can, however slow their clients are.
const PROCESSES: usize = 2;

/// Makes MP3 of WAV.
pub(super) struct Mp3Encoder {
    program: String,
    /// Where what clients have not taken yet lies, under no name.
    folder: PathBuf,
    processes: Arc<Semaphore>,
}

impl Mp3Encoder {
    /// By a program that is called as `lame` is; empty for none. What clients have not taken yet lies in `folder`.
    pub(super) fn new(program: &str, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            processes: Arc::new(Semaphore::new(PROCESSES)),
        }
    }

    /// Begins to encode an open file, which may be removed meanwhile. None where the program is not installed.
    ///
    /// # Errors
    /// If the program cannot be started; what goes wrong later ends the pieces with an error.
    pub(super) async fn encode(
        &self,
        wav: std::fs::File,
        channels: RecordingChannels,
    ) -> io::Result<Option<Pieces>> {
        let Some((child, permit)) = self.start(wav.into(), channels).await? else {
            return Ok(None);
        };
        spool::follow(child, permit, Arc::default(), &self.folder).map(Some)
    }

    /// As [`Self::encode`], of a file that comes in pieces. Gives them back where the program is not installed.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub(super) async fn encode_pieces(
        &self,
        mut wav: Pieces,
        channels: RecordingChannels,
    ) -> io::Result<Encoded> {
        let Some((mut child, permit)) = self.start(Stdio::piped(), channels).await? else {
            return Ok(Encoded::NoEncoder(wav));
        };
        let is_cut = Arc::new(AtomicBool::new(false));
        if let Some(mut input) = child.stdin.take() {
            let is_cut = Arc::clone(&is_cut);
            tokio::spawn(async move {
                while let Some(piece) = wav.recv().await {
                    // Known before its input ends, and with that what it makes of it.
                    let Ok(piece) = piece else {
                        return is_cut.store(true, Ordering::Release);
                    };
                    if input.write_all(&piece).await.is_err() {
                        return;
                    }
                }
            });
        }
        spool::follow(child, permit, is_cut, &self.folder).map(Encoded::Mp3)
    }

    /// Starts the program; none where it is not installed.
    async fn start(
        &self,
        wav: Stdio,
        channels: RecordingChannels,
    ) -> io::Result<Option<(Child, OwnedSemaphorePermit)>> {
        if self.program.is_empty() {
            return Ok(None);
        }
        // `m` mixes what has two channels; `j` is what `lame` does with two without being asked.
        let mode = match channels {
            RecordingChannels::Mono => "m",
            RecordingChannels::Dual => "j",
        };
        let permit = Arc::clone(&self.processes).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let child = Command::new(&self.program)
            .args(["--quiet", "-V", "5", "-m", mode, "-", "-"])
            .stdin(wav)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        match child {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            child => Ok(Some((child?, permit))),
        }
    }
}

/// A file, piece by piece.
pub(super) type Pieces = mpsc::Receiver<io::Result<Bytes>>;

/// What became of a file that came in pieces.
pub(super) enum Encoded {
    Mp3(Pieces),
    /// As it came.
    NoEncoder(Pieces),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of that text, in a folder that lives as long as it is wanted.
    fn program(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program").display().to_string();
        // Whoever writes a program may not be starting another one meanwhile: `install` is a process of its own.
        std::fs::write(folder.path().join("text"), text).unwrap();
        let installed = std::process::Command::new("install")
            .current_dir(&folder)
            .args(["-m", "755", "text", "program"])
            .status();
        assert!(installed.unwrap().success());
        (folder, path)
    }

    /// What is passed on, and whether it came to a good end; none without an encoder.
    async fn encoded(program: &str, channels: RecordingChannels) -> Option<(String, bool)> {
        let encoder = Mp3Encoder::new(program, &std::env::temp_dir());
        let mut pieces = encoder
            .encode(tempfile::tempfile().unwrap(), channels)
            .await
            .unwrap()?;
        let mut text = String::new();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Ok(piece) => text.push_str(std::str::from_utf8(&piece).unwrap()),
                Err(_) => return Some((text, false)),
            }
        }
        Some((text, true))
    }

    #[tokio::test]
    async fn what_the_program_writes_is_passed_on_and_its_failure_too() {
        let arguments = |mode| format!("--quiet -V 5 -m {mode} - -\n");
        for (channels, mode) in [
            (RecordingChannels::Mono, "m"),
            (RecordingChannels::Dual, "j"),
        ] {
            let echoed = encoded("echo", channels).await;
            assert_eq!(echoed, Some((arguments(mode), true)));
        }
        let mono = async |program| encoded(program, RecordingChannels::Mono).await;
        assert_eq!(mono("false").await, Some((String::new(), false)));
        assert_eq!(mono("/nowhere/lame").await, None);
        assert_eq!(mono("").await, None);
    }

    /// What was fetched only in part is no whole file of another kind.
    #[tokio::test]
    async fn a_file_that_breaks_off_is_an_error() {
        let (_folder, copies) = program("#!/bin/sh\nexec cat\n");
        for breaks_off in [false, true] {
            let (sender, wav) = mpsc::channel(2);
            sender.send(Ok(Bytes::from_static(b"RIFF"))).await.unwrap();
            if breaks_off {
                let reset = io::ErrorKind::ConnectionReset;
                sender.send(Err(reset.into())).await.unwrap();
            }
            drop(sender);
            let encoder = Mp3Encoder::new(&copies, &std::env::temp_dir());
            let encoded = encoder.encode_pieces(wav, RecordingChannels::Mono).await;
            let Encoded::Mp3(mut pieces) = encoded.unwrap() else {
                panic!("there is a program");
            };
            let mut last = None;
            while let Some(piece) = pieces.recv().await {
                last = Some(piece.is_err());
            }
            assert_eq!(last, Some(breaks_off));
        }
    }

    #[tokio::test]
    async fn a_client_that_leaves_makes_room_for_the_next_one() {
        let (_folder, endless) = program("#!/bin/sh\nexec yes\n");
        let encoder = Mp3Encoder::new(&endless, &std::env::temp_dir());
        for _ in 0..=PROCESSES {
            let wav = tempfile::tempfile().unwrap();
            let pieces = encoder.encode(wav, RecordingChannels::Dual).await.unwrap();
            assert!(pieces.unwrap().recv().await.unwrap().is_ok());
        }
    }

    /// The program is done before anybody has taken its file, and the next one's turn comes.
    #[tokio::test]
    async fn a_client_that_takes_nothing_holds_up_no_other() {
        let (_folder, large) = program("#!/bin/sh\nexec head -c 3000000 /dev/zero\n");
        let encoder = Mp3Encoder::new(&large, &std::env::temp_dir());
        let mut slow = Vec::new();
        for _ in 0..2 * PROCESSES {
            let wav = tempfile::tempfile().unwrap();
            let pieces = encoder.encode(wav, RecordingChannels::Mono).await.unwrap();
            slow.push(pieces.unwrap());
        }
        for mut pieces in slow {
            let mut bytes = 0;
            while let Some(piece) = pieces.recv().await {
                bytes += piece.unwrap().len();
            }
            assert_eq!(bytes, 3_000_000);
        }
    }
}
