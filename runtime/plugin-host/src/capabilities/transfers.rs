//! `jackfield:transfers/transfers`: one side of a dial asks that the other be sent on.

use call::{Command, DialId, Event, TransferCommand};

use crate::bindings::control::{self, CallError};
use crate::bindings::transfers::{Host, Transfer};
use crate::state::StoryState;

impl Host for StoryState {
    async fn allow(&mut self, dial: control::DialId) -> wasmtime::Result<Result<(), CallError>> {
        let command = TransferCommand::Allow(DialId(dial));
        self.do_simply(Command::Transfer(command)).await
    }

    async fn allow_own(
        &mut self,
        dial: control::DialId,
    ) -> wasmtime::Result<Result<(), CallError>> {
        let command = TransferCommand::AllowOwn(DialId(dial));
        self.do_simply(Command::Transfer(command)).await
    }

    async fn hand_over(
        &mut self,
        dial: control::DialId,
        next: control::Continuation,
    ) -> wasmtime::Result<Result<(), CallError>> {
        let (dial, next) = (DialId(dial), next.into());
        let command = TransferCommand::HandOver { dial, next };
        self.do_simply(Command::Transfer(command)).await
    }

    /// Follows from an event, which the journal has.
    async fn asked(&mut self, dial: control::DialId) -> wasmtime::Result<Option<Transfer>> {
        self.sandbox.host_call()?;
        let wish = self.transfer.as_ref().filter(|(of, _)| *of == DialId(dial));
        let own = self.info.call_sid;
        Ok(wish.map(|(_, transfer)| Transfer::told(transfer, own)))
    }

    async fn conclude(
        &mut self,
        dial: control::DialId,
        is_taken: bool,
    ) -> wasmtime::Result<Result<(), CallError>> {
        let dial = DialId(dial);
        let command = TransferCommand::Conclude { dial, is_taken };
        self.do_simply(Command::Transfer(command)).await
    }
}

impl StoryState {
    /// Keeps the wish that an event tells of, until the next one.
    pub(super) fn note_transfer(&mut self, event: Option<&Event>) {
        if let Some(Event::DialTransferred(dial, _, transfer)) = event {
            self.transfer = Some((*dial, transfer.clone()));
        }
    }
}
