//! `jackfield:call/queue`: calls that wait for another one.

use call::{Command, QueueCommand};

use crate::bindings::control;
use crate::bindings::queue::Host;
use crate::state::StoryState;

type Answer = wasmtime::Result<Result<(), control::CallError>>;

impl Host for StoryState {
    async fn wait(
        &mut self,
        name: String,
        sound: control::WaitSound,
        max_size: Option<u32>,
    ) -> Answer {
        let command = QueueCommand::Wait {
            name,
            sound: sound.into(),
            max_size,
        };
        self.do_simply(Command::Queue(command)).await
    }

    async fn serve(&mut self, name: String) -> Answer {
        let command = QueueCommand::Serve { name };
        self.do_simply(Command::Queue(command)).await
    }

    async fn leave(&mut self) -> Answer {
        self.do_simply(Command::Queue(QueueCommand::Leave)).await
    }
}
