//! What the REST API asks of recordings.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use api::{Done, LiveRecordings, RecordingChange, RecordingError, RecordingFile, RecordingFormat};
use bytes::Bytes;
use call::{AccountSid, CallError, CallSid, RecordingOf, RecordingSid, StartRecording};
use store::RecordingRow;
use tokio::sync::{mpsc, oneshot};

use crate::call_actor::{Message, RecordingDeed, RecordingRequest};
use crate::operator::Host;

/// Bytes of a file that are read at a time.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that may wait for a slow client.
const PIECES: usize = 4;

impl LiveRecordings for Host {
    fn begin(
        &self,
        account: AccountSid,
        call: CallSid,
        start: StartRecording,
    ) -> Done<Result<RecordingSid, RecordingError>> {
        self.ask(account, call, RecordingDeed::Start(start))
    }

    fn change(
        &self,
        account: AccountSid,
        of: RecordingOf,
        recording: Option<RecordingSid>,
        change: RecordingChange,
    ) -> Done<Result<RecordingSid, RecordingError>> {
        match of {
            RecordingOf::Call(call) => {
                let deed = RecordingDeed::Change(recording, change);
                self.ask(account, call, deed)
            }
            RecordingOf::Conference(conference) => {
                let services = self.services();
                Box::pin(async move {
                    services
                        .conferences
                        .change_recording(account, conference, recording, change)
                        .await
                })
            }
        }
    }

    fn open(
        &self,
        recording: &RecordingRow,
        format: RecordingFormat,
    ) -> Done<io::Result<Option<RecordingFile>>> {
        let services = self.services();
        let desk = &services.studio.desk;
        let path = desk.files.path(recording.account, recording.sid, "wav");
        let encoder = Arc::clone(&desk.encoder);
        Box::pin(async move {
            let opened = open(path.clone()).await;
            let (file, bytes) = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            };
            if format == RecordingFormat::Mp3
                && let Some(pieces) = encoder.encode(&path).await?
            {
                return Ok(Some(RecordingFile {
                    format,
                    bytes: None,
                    pieces,
                }));
            }
            let (sender, pieces) = mpsc::channel(PIECES);
            tokio::task::spawn_blocking(move || read(file, &sender));
            Ok(Some(RecordingFile {
                format: RecordingFormat::Wav,
                bytes: Some(bytes),
                pieces,
            }))
        })
    }

    fn remove(&self, recording: &RecordingRow) -> Done<io::Result<()>> {
        let services = self.services();
        let row = recording.clone();
        let removed = tokio::task::spawn_blocking(move || {
            let desk = &services.studio.desk;
            desk.files.remove(row.account, row.sid)?;
            desk.usage.deleted(row.account, row.file_bytes);
            Ok(())
        });
        Box::pin(async move { removed.await.map_err(io::Error::other)? })
    }
}

impl Host {
    fn ask(
        &self,
        account: AccountSid,
        call: CallSid,
        deed: RecordingDeed,
    ) -> Done<Result<RecordingSid, RecordingError>> {
        let inbox = self.services().live.inbox(account, call);
        Box::pin(async move {
            let inbox = inbox.ok_or(RecordingError::NotInProgress)?;
            let (reply, answer) = oneshot::channel();
            let request = RecordingRequest { deed, reply };
            // An actor that is gone means a call that is gone.
            inbox
                .send(Message::Recording(request))
                .await
                .map_err(|_| RecordingError::NotInProgress)?;
            let answer = answer.await.map_err(|_| RecordingError::NotInProgress)?;
            answer.map_err(|error| match error {
                CallError::NotAnswered | CallError::HungUp => RecordingError::NotInProgress,
                CallError::UnknownId => RecordingError::Unknown,
                other => RecordingError::Refused(other.to_string()),
            })
        })
    }
}

/// Opens a file, and tells its length.
async fn open(path: PathBuf) -> io::Result<(File, u64)> {
    let opened = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    });
    opened.await.map_err(io::Error::other)?
}

/// Reads a file piece by piece, until its end or until nobody wants it any more.
fn read(mut file: File, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let piece = match file.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&buffer[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if pieces.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}
