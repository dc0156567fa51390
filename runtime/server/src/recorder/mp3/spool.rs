//! What an encoder has made and its client has not taken yet: a file without a name, written as fast as it is made and read as slowly as it
//! is taken.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::timeout;

use super::Pieces;

/// After so long the encoder is killed, and a client that has not taken all of the file gets no more of it.
const LONGEST: Duration = Duration::from_mins(10);
/// Bytes of a file: more than ten hours of speech have.
const MOST_BYTES: u64 = 256 << 20;
const PIECE_BYTES: usize = 16 << 10;
/// Pieces that may wait for a slow client, besides what lies in the file.
const PIECES: usize = 4;

/// How far the file has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    bytes: u64,
    end: Option<End>,
}

#[derive(Debug, Clone)]
enum End {
    Whole,
    Broken(String),
}

/// Takes what the encoder makes. `permit` is given back when it has ended; `is_cut`: that it did not get all.
///
/// # Errors
/// If the file cannot be made.
pub(super) fn follow(
    child: Child,
    permit: OwnedSemaphorePermit,
    is_cut: Arc<AtomicBool>,
    folder: &Path,
) -> io::Result<Pieces> {
    let spool = NamedTempFile::new_in(folder)?;
    let reader = File::from_std(spool.reopen()?);
    let writer = File::from_std(spool.into_file()); // has no name from here on
    let (sender, pieces) = mpsc::channel(PIECES);
    let (written, progress) = watch::channel(Progress::default());
    let client = sender.clone();
    tokio::spawn(async move {
        let _permit = permit;
        let made = tokio::select! {
            made = timeout(LONGEST, write_down(child, writer, &written)) => made,
            // Nobody wants it any more.
            () = client.closed() => return,
        };
        let end = match made {
            Ok(Ok(())) if is_cut.load(Ordering::Acquire) => {
                End::Broken("the recording broke off".to_owned())
            }
            Ok(Ok(())) => End::Whole,
            Ok(Err(error)) => End::Broken(error.to_string()),
            Err(_) => End::Broken("the MP3 encoder took too long".to_owned()),
        };
        written.send_modify(|progress| progress.end = Some(end));
    });
    tokio::spawn(async move {
        let given = timeout(LONGEST, give_out(reader, progress, &sender)).await;
        let given = given.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if let Err(error) = given {
            // A client that is gone does not need to know.
            let _ = sender.send(Err(error)).await;
        }
    });
    Ok(pieces)
}

/// Writes what the encoder makes into the file, until its end.
async fn write_down(
    mut child: Child,
    mut file: File,
    written: &watch::Sender<Progress>,
) -> io::Result<()> {
    let mut output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut buffer = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let length = output.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        file.write_all(&buffer[..length]).await?;
        // What is told of can be read.
        file.flush().await?;
        bytes += length as u64;
        if bytes > MOST_BYTES {
            return Err(io::Error::other("the MP3 file is too large"));
        }
        written.send_modify(|progress| progress.bytes = bytes);
    }
    let status = child.wait().await?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "the MP3 encoder ended with {status}"
        ))),
    }
}

/// Passes on what is in the file, until its end or until nobody wants it any more.
async fn give_out(
    mut file: File,
    mut progress: watch::Receiver<Progress>,
    pieces: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut given = 0;
    loop {
        let Progress { bytes, end } = progress.borrow_and_update().clone();
        while given < bytes {
            let length = usize::try_from(bytes - given).unwrap_or(usize::MAX);
            let mut piece = vec![0; length.min(PIECE_BYTES)];
            file.read_exact(&mut piece).await?;
            given += piece.len() as u64;
            if pieces.send(Ok(piece.into())).await.is_err() {
                return Ok(());
            }
        }
        match end {
            Some(End::Whole) => return Ok(()),
            Some(End::Broken(why)) => return Err(io::Error::other(why)),
            None => {}
        }
        if progress.changed().await.is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
}
