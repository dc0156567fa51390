//! `jackfield:dial/terms`: what is said of one target alone.

use call::{Command, Reply};

use crate::bindings::control::{CallError, DialId};
use crate::bindings::dial::DialRequest;
use crate::bindings::dial_terms::{Host, TargetTerms};
use crate::state::{Halt, StoryState};

impl Host for StoryState {
    async fn dial(
        &mut self,
        request: DialRequest,
        terms: Vec<TargetTerms>,
    ) -> wasmtime::Result<Result<DialId, CallError>> {
        let command = Command::DialWith {
            request: request.into(),
            terms: terms.into_iter().map(Into::into).collect(),
        };
        match self.command(command).await? {
            Ok(Reply::Dial(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }
}
