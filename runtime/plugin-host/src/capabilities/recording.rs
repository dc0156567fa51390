//! `jackfield:call/recording`: recordings, through the story's port.

use call::{Command, RecordingCommand, RecordingId, Reply};

use crate::bindings::control::{CallError, RecordingId as Id};
use crate::bindings::recording::{Host, PauseBehavior, RecordingOptions};
use crate::state::{Halt, StoryState};

impl Host for StoryState {
    async fn start(
        &mut self,
        options: RecordingOptions,
    ) -> wasmtime::Result<Result<Id, CallError>> {
        let start = RecordingCommand::Start(options.into());
        match self.command(Command::Recording(start)).await? {
            Ok(Reply::Recording(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn pause(
        &mut self,
        id: Id,
        behavior: PauseBehavior,
    ) -> wasmtime::Result<Result<(), CallError>> {
        let pause = RecordingCommand::Pause(RecordingId(id), behavior.into());
        self.do_simply(Command::Recording(pause)).await
    }

    async fn resume(&mut self, id: Id) -> wasmtime::Result<Result<(), CallError>> {
        let resume = RecordingCommand::Resume(RecordingId(id));
        self.do_simply(Command::Recording(resume)).await
    }

    async fn stop(&mut self, id: Id) -> wasmtime::Result<Result<(), CallError>> {
        let stop = RecordingCommand::Stop(RecordingId(id));
        self.do_simply(Command::Recording(stop)).await
    }
}
