//! What the API asks of recordings that go on, and of the files of those that do not.

use std::io;

use bytes::Bytes;
use call::{
    AccountSid, CallSid, PauseBehavior, RecordingChannels, RecordingOf, RecordingSid,
    StartRecording,
};
use store::RecordingRow;
use tokio::sync::mpsc;

use crate::Done;

/// The recordings of calls and conferences that go on, and the files of all. None of these blocks.
pub trait LiveRecordings: Send + Sync {
    /// Begins a recording of a call that is up. Resolves once it goes on.
    fn begin(
        &self,
        account: AccountSid,
        call: CallSid,
        start: StartRecording,
    ) -> Done<Result<RecordingSid, RecordingError>>;

    /// Deals with a recording of a call that is up, or of a conference; without a SID with the latest of those that go on.
    fn change(
        &self,
        account: AccountSid,
        of: RecordingOf,
        recording: Option<RecordingSid>,
        change: RecordingChange,
    ) -> Done<Result<RecordingSid, RecordingError>>;

    /// Opens the file of a recording, in a format where that can be had, else as WAV. What is coded for it has as many channels as `channels`
    /// says; WAV comes as it is kept. None where the file is gone.
    fn open(
        &self,
        recording: &RecordingRow,
        format: RecordingFormat,
        channels: RecordingChannels,
    ) -> Done<io::Result<Option<RecordingFile>>>;

    /// Removes the files of a recording. Those that are gone already count as removed.
    fn remove(&self, recording: &RecordingRow) -> Done<io::Result<()>>;
}

/// What is done to a recording that goes on: the `Status` of Twilio's update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingChange {
    /// `paused`.
    Pause(PauseBehavior),
    /// `in-progress`.
    Resume,
    /// `stopped`.
    Stop,
}

/// What a recording is fetched as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingFormat {
    /// 16-bit PCM in WAV: as it is kept.
    Wav,
    /// MPEG-1 or 2 layer III, coded when it is asked for.
    Mp3,
}

/// A recording that is being read.
#[derive(Debug)]
pub struct RecordingFile {
    /// What it is.
    pub format: RecordingFormat,
    /// Its length, where it is known before its end.
    pub bytes: Option<u64>,
    /// Its contents, piece by piece.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// Why nothing was done to a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// The call is not up.
    #[error("the call is not in progress")]
    NotInProgress,
    /// No such recording of the call or conference goes on.
    #[error("no such recording goes on")]
    Unknown,
    /// The account or the call may not, in words.
    #[error("{0}")]
    Refused(String),
}
