//! `jackfield:rooms/conferences`: what holds for a conference as a whole.

use call::{Command, ConferenceCommand, ConferenceOptions, ConferenceTopic};

use crate::bindings::conferences::{ConferenceTerms, Host};
use crate::bindings::{conference, control};
use crate::state::StoryState;

impl Host for StoryState {
    async fn join(
        &mut self,
        name: String,
        options: conference::ConferenceOptions,
        terms: ConferenceTerms,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        let mut options = match ConferenceOptions::try_from(options) {
            Ok(options) => Box::new(options),
            Err(error) => return Ok(Err(error.into())),
        };
        match &mut options.status_callback {
            Some(told) if terms.speakers => told.topics.push(ConferenceTopic::Speaker),
            None if terms.speakers => {
                let why = "speakers: nobody is told of the conference: give a status-callback";
                return Ok(Err(control::CallError::InvalidArgument(why.to_owned())));
            }
            _ => {}
        }
        let command = ConferenceCommand::JoinWith {
            name,
            options,
            terms: Box::new(terms.into()),
        };
        self.do_simply(Command::Conference(command)).await
    }
}
