//! `jackfield:media`: the account's own audio, through the story's port.

use call::{AudioCommand, AudioError, AudioReply};

use crate::bindings::files;
use crate::journal::Entry;
use crate::meter::Limit;
use crate::state::{Halt, StoryState};

type Answer<T> = wasmtime::Result<Result<T, files::FileError>>;

impl files::Host for StoryState {
    async fn prepare(&mut self, recording_sid: String) -> Answer<String> {
        let Ok(sid) = recording_sid.parse() else {
            let why = "a recording is named by its SID: RE and 32 digits".to_owned();
            return Ok(Err(files::FileError::InvalidArgument(why)));
        };
        match self.audio(AudioCommand::Prepare(sid)).await? {
            Ok(AudioReply::Prepared(name)) => Ok(Ok(name)),
            Ok(AudioReply::Kept) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn keep(&mut self, prepared: String, name: String) -> Answer<()> {
        match self.audio(AudioCommand::Keep { prepared, name }).await? {
            Ok(AudioReply::Kept) => Ok(Ok(())),
            Ok(AudioReply::Prepared(_)) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }
}

impl StoryState {
    /// Asks the port, and writes down what it said. Counts as a command: so many of both a story may give.
    async fn audio(
        &mut self,
        command: AudioCommand,
    ) -> wasmtime::Result<Result<AudioReply, AudioError>> {
        self.sandbox.host_call()?;
        let limit = self.limits.commands;
        if self.commands >= limit {
            self.sandbox.notebook.reach(Limit::Commands);
            let why = format!("{limit} commands in one story");
            return Ok(Err(AudioError::LimitReached(why)));
        }
        self.commands += 1;
        let result = if self.grants.media {
            let asked = self.port.audio(command.clone());
            let Ok(result) = tokio::time::timeout_at(self.patience, asked).await else {
                return Err(Halt::Stalled.into());
            };
            result
        } else {
            Err(AudioError::NotGranted)
        };
        self.sandbox.budget.back_from_host();
        self.sandbox.notebook.write(&Entry::Audio {
            command,
            result: result.clone(),
        });
        Ok(result)
    }
}
