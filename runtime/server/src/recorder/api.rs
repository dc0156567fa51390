//! What the REST API asks of recordings.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::{Done, LiveRecordings, RecordingChange, RecordingError, RecordingFile, RecordingFormat};
use bytes::Bytes;
use call::{
    AccountSid, CallError, CallSid, RecordingChannels, RecordingOf, RecordingSid, StartRecording,
};
use store::RecordingRow;
use tokio::sync::{mpsc, oneshot};

use super::bucket::Bucket;
use super::mp3::{Encoded, Mp3Encoder};
use crate::call_actor::{Message, RecordingDeed, RecordingRequest};
use crate::operator::Host;

/// How long a deletion waits for a file that is being sent to the bucket: for one part.
const SENDING: Duration = Duration::from_secs(60);
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
        channels: RecordingChannels,
    ) -> Done<io::Result<Option<RecordingFile>>> {
        let services = self.services();
        let desk = &services.studio.desk;
        let path = desk.files.path(recording.account, recording.sid, "wav");
        let encoder = Arc::clone(&desk.encoder);
        let (account, sid) = (recording.account, recording.sid);
        let bucket = desk.bucket.clone();
        Box::pin(async move {
            let opened = open(path.clone()).await;
            let (file, bytes) = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let Some(bucket) = bucket else {
                        return Ok(None);
                    };
                    return of_bucket(&bucket, (account, sid), format, &encoder, channels).await;
                }
                opened => opened?,
            };
            if format == RecordingFormat::Mp3
                && let Some(pieces) = encoder.encode(file.try_clone()?, channels).await?
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
        Box::pin(async move {
            let desk = Arc::clone(&services.studio.desk);
            let (account, sid) = (row.account, row.sid);
            // Nobody sends it meanwhile: what is gone from the bucket stays away.
            let claim = desk.claims.take_to_delete(sid);
            let claim = tokio::time::timeout(SENDING, claim).await;
            let _claim = claim.map_err(|_| io::Error::other("it is being sent to the bucket"))?;
            let files = desk.files.clone();
            // Whoever asks second, or for what is in the bucket, frees nothing here.
            let freed = tokio::task::spawn_blocking(move || files.remove(account, sid))
                .await
                .map_err(io::Error::other)??;
            desk.usage.removed(account, freed);
            if let Some(bucket) = &desk.bucket {
                let removed = bucket.remove(account, sid).await;
                removed.map_err(io::Error::other)?;
            }
            Ok(())
        })
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

/// The file as it is in the bucket; none where it is not there.
async fn of_bucket(
    bucket: &Bucket,
    (account, sid): (AccountSid, RecordingSid),
    format: RecordingFormat,
    encoder: &Mp3Encoder,
    channels: RecordingChannels,
) -> io::Result<Option<RecordingFile>> {
    let Some((bytes, wav)) = bucket.get(account, sid).await? else {
        return Ok(None);
    };
    if format == RecordingFormat::Wav {
        return Ok(Some(RecordingFile {
            format,
            bytes: Some(bytes),
            pieces: wav,
        }));
    }
    let file = match encoder.encode_pieces(wav, channels).await? {
        Encoded::Mp3(pieces) => RecordingFile {
            format,
            bytes: None,
            pieces,
        },
        Encoded::NoEncoder(pieces) => RecordingFile {
            format: RecordingFormat::Wav,
            bytes: Some(bytes),
            pieces,
        },
    };
    Ok(Some(file))
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
