//! What a call recorded, kept as audio of its account's own, as its stories reach it.

use std::sync::Arc;
use std::time::Duration;

use api::{MAX_MEDIA_BYTES, MediaError};
use call::{AudioCommand, AudioError, AudioReply, CallInfo, RecordingSid};
use store::{Scope, Store, StoreError};
use tracing::error;

use crate::recorder::Studio;
use crate::uploads::{Prepared, Uploads, too_large};

/// A bucket has so long to give a file back: less than a story may wait for a command.
const FETCHING: Duration = Duration::from_secs(5);

/// One call's recordings, and its account's files.
pub(crate) struct AudioDesk {
    store: Arc<dyn Store>,
    studio: Arc<Studio>,
    uploads: Uploads,
    info: Arc<CallInfo>,
    /// What was prepared and not kept: its file goes with this.
    prepared: Vec<Prepared>,
}

impl AudioDesk {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        studio: Arc<Studio>,
        uploads: Uploads,
        info: Arc<CallInfo>,
    ) -> Self {
        Self {
            store,
            studio,
            uploads,
            info,
            prepared: Vec::new(),
        }
    }

    /// Does what a story asks. What is kept is on disk when this is over.
    pub(crate) async fn obey(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        command.check()?;
        match command {
            AudioCommand::Prepare(sid) => self.prepare(sid).await,
            AudioCommand::Keep { prepared, name } => self.keep(&prepared, name).await,
        }
    }

    async fn prepare(&mut self, sid: RecordingSid) -> Result<AudioReply, AudioError> {
        if let Some(before) = self.prepared.iter().find(|one| one.is_of(sid)) {
            return Ok(AudioReply::Prepared(before.name().to_owned()));
        }
        let row = self.row(sid).await?;
        let row = row.filter(|row| row.of.call() == Some(self.info.call_sid) && row.has_media());
        let row = row.ok_or_else(|| {
            let why = format!("{sid} is no recording of this call that has ended with audio");
            AudioError::Invalid(why)
        })?;
        // Known before it is in memory.
        if row.file_bytes > MAX_MEDIA_BYTES as u64 {
            return Err(AudioError::LimitReached(too_large()));
        }
        let audio = self.studio.audio(row.account, sid);
        let audio = tokio::time::timeout(FETCHING, audio).await;
        let audio = audio.map_err(|error| broken(&error))?;
        let audio = audio.map_err(|error| broken(&error))?;
        let audio = audio
            .ok_or_else(|| AudioError::Invalid(format!("{sid} has no file: it was deleted")))?;
        let (uploads, account) = (self.uploads.clone(), row.account);
        let prepared = blocking(move || uploads.prepare(account, sid, &audio)).await?;
        let name = prepared.name().to_owned();
        self.prepared.push(prepared);
        Ok(AudioReply::Prepared(name))
    }

    async fn keep(&mut self, prepared: &str, name: String) -> Result<AudioReply, AudioError> {
        let place = self.prepared.iter().position(|one| one.name() == prepared);
        let Some(place) = place else {
            let why = "that was not prepared in this call, or is kept already".to_owned();
            return Err(AudioError::Invalid(why));
        };
        let (uploads, account) = (self.uploads.clone(), self.info.account_sid);
        let path = self.prepared[place].path().to_owned();
        blocking(move || uploads.take_over(account, &path, &name)).await?;
        self.prepared.remove(place);
        Ok(AudioReply::Kept)
    }

    async fn row(&self, sid: RecordingSid) -> Result<Option<store::RecordingRow>, AudioError> {
        let (store, scope) = (
            Arc::clone(&self.store),
            Scope::of_host(self.info.account_sid),
        );
        // The row may have to come from the disk.
        let reading = tokio::task::spawn_blocking(move || store.recording(scope, sid));
        let row = reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())));
        row.map_err(|error| broken(&error))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, AudioError> {
    let done = tokio::task::spawn_blocking(work).await;
    match done.map_err(|error| broken(&error))? {
        Ok(value) => Ok(value),
        Err(MediaError::Unfit(why)) => Err(AudioError::LimitReached(why)),
        Err(MediaError::Io(error)) => Err(broken(&error)),
    }
}

fn broken(error: &dyn std::fmt::Display) -> AudioError {
    error!("cannot keep what a call recorded: {error}");
    AudioError::Unavailable("its files cannot be reached".to_owned())
}
