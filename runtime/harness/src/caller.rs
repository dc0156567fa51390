//! The story's port into the simulated world.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call::{
    AudioCommand, AudioError, AudioReply, CallError, Command, ConcealedKeys, KeyValueCommand,
    KeyValueError, KeyValueReply, PeopleCommand, PeopleError, PeopleReply, PinError, PinVerdict,
    Reply,
};
use plugin_host::{CallPort, Next};

use crate::stage::Stage;

/// The stage, shared between the story's port and whoever looks at it afterwards.
#[derive(Clone)]
pub(crate) struct SharedStage(Arc<Mutex<Stage>>);

impl SharedStage {
    pub(crate) fn new(stage: Stage) -> Self {
        Self(Arc::new(Mutex::new(stage)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallPort for SharedStage {
    async fn command(&mut self, command: Command) -> Result<Reply, CallError> {
        let reply = self.lock().command(command);
        match reply {
            Some(reply) => reply,
            None => pending().await, // until the story is stopped
        }
    }

    async fn next_event(&mut self, timeout: Option<Duration>) -> Next {
        let waited = {
            let mut stage = self.lock();
            stage.wait(timeout).map(|event| Next {
                event,
                now_unix_ms: stage.now_unix_ms(),
            })
        };
        match waited {
            Some(next) => next,
            None => pending().await, // until the story is stopped
        }
    }

    async fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Result<KeyValueReply, KeyValueError> {
        self.lock().key_value(command)
    }

    async fn people(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        self.lock().people(command)
    }

    async fn audio(&mut self, command: AudioCommand) -> Result<AudioReply, AudioError> {
        self.lock().audio(command)
    }

    async fn check_pin(
        &mut self,
        secret: String,
        keys: ConcealedKeys,
    ) -> Result<PinVerdict, PinError> {
        self.lock().check_pin(&secret, &keys)
    }
}
