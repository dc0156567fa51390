//! `jackfield:call/conference`: calls that hear each other.

use call::{Command, ConferenceCommand, ConferenceOptions};

use crate::bindings::conference::Host;
use crate::bindings::{conference, control};
use crate::state::StoryState;

type Answer = wasmtime::Result<Result<(), control::CallError>>;

impl Host for StoryState {
    async fn join(&mut self, name: String, options: conference::ConferenceOptions) -> Answer {
        let options = match ConferenceOptions::try_from(options) {
            Ok(options) => Box::new(options),
            Err(error) => return Ok(Err(error.into())),
        };
        let command = ConferenceCommand::Join { name, options };
        self.do_simply(Command::Conference(command)).await
    }

    async fn leave(&mut self) -> Answer {
        let command = ConferenceCommand::Leave;
        self.do_simply(Command::Conference(command)).await
    }

    async fn mute(&mut self, muted: bool) -> Answer {
        let command = ConferenceCommand::Mute(muted);
        self.do_simply(Command::Conference(command)).await
    }

    async fn hold(&mut self, sound: Option<control::WaitSound>) -> Answer {
        let command = ConferenceCommand::Hold(sound.map(Into::into));
        self.do_simply(Command::Conference(command)).await
    }
}
