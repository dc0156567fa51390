//! `jackfield:dialled/signalling`: what passed in SIP with whoever was dialled.

use call::Event;

use crate::bindings::dialled::{Host, Signals};
use crate::state::StoryState;

impl Host for StoryState {
    /// Follows from an event, which the journal has.
    async fn last(&mut self) -> wasmtime::Result<Option<Signals>> {
        self.sandbox.host_call()?;
        Ok(self.signalled.as_ref().map(Into::into))
    }
}

impl StoryState {
    /// Keeps what passed on the leg by which a dial ended, until the next one ends.
    pub(super) fn note_signalled(&mut self, event: Option<&Event>) {
        match event {
            Some(Event::DialEndedBy(_, _, signalled)) => {
                self.signalled = Some(signalled.clone());
            }
            Some(Event::DialEnded(..) | Event::DialTransferred(..)) => self.signalled = None,
            _ => {}
        }
    }
}
