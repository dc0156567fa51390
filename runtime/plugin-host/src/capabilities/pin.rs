//! `jackfield:pin`: keys that the story does not see, compared by its port.

use call::{ConcealedKeys, PinError, PinVerdict};

use crate::bindings::pin;
use crate::journal::Entry;
use crate::meter::Limit;
use crate::state::{Halt, StoryState};

impl pin::Host for StoryState {
    async fn conceal(&mut self) -> wasmtime::Result<()> {
        self.sandbox.host_call()?;
        self.concealed = Some(ConcealedKeys::default());
        self.port.conceal_keys(true);
        Ok(())
    }

    /// Counts as a command.
    async fn check(
        &mut self,
        secret: String,
    ) -> wasmtime::Result<Result<pin::Verdict, pin::PinError>> {
        self.sandbox.host_call()?;
        let limit = self.limits.commands;
        if self.commands >= limit {
            self.sandbox.notebook.reach(Limit::Commands);
            let why = format!("{limit} commands in one story");
            return Ok(Err(pin::PinError::Unavailable(why)));
        }
        self.commands += 1;
        let concealed = self.concealed.take();
        let is_concealed = concealed.is_some();
        let keys = concealed.unwrap_or_default();
        let result = if self.grants.has_secret(&secret) {
            let asked = self.port.check_pin(secret.clone(), keys);
            let Ok(result) = tokio::time::timeout_at(self.patience, asked).await else {
                return Err(Halt::Stalled.into());
            };
            result
        } else {
            Err(PinError::NotGranted)
        };
        // Whoever was not let in may type it again before they hear so.
        match result {
            Ok(PinVerdict::Right) => self.port.conceal_keys(false),
            _ if is_concealed => self.concealed = Some(ConcealedKeys::default()),
            _ => {}
        }
        self.sandbox.budget.back_from_host();
        self.sandbox.notebook.write(&Entry::Pin {
            secret,
            result: result.clone(),
        });
        Ok(result.map(Into::into).map_err(Into::into))
    }
}
