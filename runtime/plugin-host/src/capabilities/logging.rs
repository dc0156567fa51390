//! `wasi:logging`: the tenant's log.

use crate::bindings::logging::{Host, Level};
use crate::log::LogLevel;
use crate::sandbox::Sandbox;

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
            Level::Critical => Self::Critical,
        }
    }
}

impl Host for Sandbox {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        self.host_call()?;
        self.notebook.log(level.into(), &context, &message);
        Ok(())
    }
}
