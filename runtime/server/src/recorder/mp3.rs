//! A recording as MP3, by `lame`: a process of its own, so that its licence stays its own, and so do its crashes.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Processes at a time; whoever comes later waits for one to end.
const PROCESSES: usize = 2;
/// After so long one is killed: its client takes the file too slowly, or it hangs.
const LONGEST: Duration = Duration::from_mins(10);
const PIECE_BYTES: usize = 16 << 10;
/// Pieces that may wait for a slow client.
const PIECES: usize = 4;

/// Makes MP3 of WAV.
pub(super) struct Mp3Encoder {
    program: String,
    processes: Arc<Semaphore>,
}

impl Mp3Encoder {
    /// By a program that is called as `lame` is; empty for none.
    pub(super) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            processes: Arc::new(Semaphore::new(PROCESSES)),
        }
    }

    /// Begins to encode a file. None where the program is not installed.
    ///
    /// # Errors
    /// If the program cannot be started; what goes wrong later ends the pieces with an error.
    pub(super) async fn encode(
        &self,
        wav: &Path,
    ) -> io::Result<Option<mpsc::Receiver<io::Result<Bytes>>>> {
        let Some((child, permit)) = self.start(wav, Stdio::null()).await? else {
            return Ok(None);
        };
        Ok(Some(follow(child, permit)))
    }

    /// As [`Self::encode`], of a file that comes in pieces. Gives them back where the program is not installed.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub(super) async fn encode_pieces(&self, mut wav: Pieces) -> io::Result<Encoded> {
        let Some((mut child, permit)) = self.start(Path::new("-"), Stdio::piped()).await? else {
            return Ok(Encoded::NoEncoder(wav));
        };
        if let Some(mut input) = child.stdin.take() {
            tokio::spawn(async move {
                // Where a piece is missing its input ends, and so does what it makes of it.
                while let Some(Ok(piece)) = wav.recv().await {
                    if input.write_all(&piece).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Encoded::Mp3(follow(child, permit)))
    }

    /// Starts the program; none where it is not installed.
    async fn start(
        &self,
        wav: &Path,
        stdin: Stdio,
    ) -> io::Result<Option<(Child, OwnedSemaphorePermit)>> {
        if self.program.is_empty() {
            return Ok(None);
        }
        let permit = Arc::clone(&self.processes).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        let child = Command::new(&self.program)
            .args(["--quiet", "-V", "5"])
            .arg(wav)
            .arg("-")
            .stdin(stdin)
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
type Pieces = mpsc::Receiver<io::Result<Bytes>>;

/// What became of a file that came in pieces.
pub(super) enum Encoded {
    Mp3(Pieces),
    /// As it came.
    NoEncoder(Pieces),
}

/// Takes what the program makes.
fn follow(child: Child, permit: OwnedSemaphorePermit) -> Pieces {
    let (sender, pieces) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let _permit = permit;
        let passed_on = tokio::time::timeout(LONGEST, pass_on(child, &sender)).await;
        if let Err(error) = passed_on.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            // A client that is gone does not need to know.
            let _ = sender.try_send(Err(error));
        }
    });
    pieces
}

/// Passes on what a process writes, until its end or until nobody wants it any more.
async fn pass_on(mut child: Child, pieces: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let length = output.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        let piece = Bytes::copy_from_slice(&buffer[..length]);
        if pieces.send(Ok(piece)).await.is_err() {
            return Ok(());
        }
    }
    let status = child.wait().await?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "the MP3 encoder ended with {status}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed on, and whether it came to a good end; none without an encoder.
    async fn encoded(program: &str) -> Option<(String, bool)> {
        let encoder = Mp3Encoder::new(program);
        let mut pieces = encoder.encode(Path::new("/a/b.wav")).await.unwrap()?;
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
        let arguments = "--quiet -V 5 /a/b.wav -\n".to_owned();
        assert_eq!(encoded("echo").await, Some((arguments, true)));
        assert_eq!(encoded("false").await, Some((String::new(), false)));
        assert_eq!(encoded("/nowhere/lame").await, None);
        assert_eq!(encoded("").await, None);
    }

    #[tokio::test]
    async fn a_client_that_leaves_makes_room_for_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let endless = folder.path().join("endless");
        // Whoever writes a program may not be starting another one meanwhile: `install` is a process of its own.
        std::fs::write(folder.path().join("text"), "#!/bin/sh\nexec yes\n").unwrap();
        let installed = std::process::Command::new("install")
            .current_dir(&folder)
            .args(["-m", "755", "text", "endless"])
            .status();
        assert!(installed.unwrap().success());
        let encoder = Mp3Encoder::new(endless.to_str().unwrap());
        for _ in 0..=PROCESSES {
            let pieces = encoder.encode(Path::new("/a/b.wav")).await.unwrap();
            assert!(pieces.unwrap().recv().await.unwrap().is_ok());
        }
    }
}
