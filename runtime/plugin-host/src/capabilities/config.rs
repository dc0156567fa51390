//! `wasi:config/store`: the flow's settings, as the call's journal has them.

use crate::bindings::config::{Error, Host};
use crate::sandbox::Sandbox;

impl Host for Sandbox {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        self.host_call()?;
        Ok(Ok(self.settings.get(&key).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        self.host_call()?;
        Ok(Ok(self
            .settings
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()))
    }
}
