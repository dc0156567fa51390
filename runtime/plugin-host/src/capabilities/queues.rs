//! `jackfield:queues/queues`: whispers for those who wait, and redirects out of a queue.

use call::{Command, Event, QueueCommand};

use crate::bindings::control::CallError;
use crate::bindings::dial::Whisper;
use crate::bindings::queues::{Departure, Host};
use crate::state::StoryState;

impl Host for StoryState {
    async fn serve(
        &mut self,
        name: String,
        whisper: Whisper,
    ) -> wasmtime::Result<Result<(), CallError>> {
        let whisper = whisper.into();
        let command = QueueCommand::ServeWith { name, whisper };
        self.do_simply(Command::Queue(command)).await
    }

    /// Follows from an event, which the journal has.
    async fn taken_away(&mut self) -> wasmtime::Result<Option<Departure>> {
        self.sandbox.host_call()?;
        Ok(self.taken_away.as_ref().map(Into::into))
    }
}

impl StoryState {
    /// Keeps how the call was taken away, which an event tells.
    pub(super) fn note_taken_away(&mut self, event: Option<&Event>) {
        if let Some(Event::TakenFromQueue(exit)) = event {
            self.taken_away = Some(*exit);
        }
    }
}
