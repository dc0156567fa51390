//! Log lines to standard error, which leaves standard output to results.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts logging for the whole process.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).with_context(|| {
        format!(
            "log.filter `{}` is not one; try `info` or `jackfield=debug,warn`",
            log.filter
        )
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = if log.json {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
