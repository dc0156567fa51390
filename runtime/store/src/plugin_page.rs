//! What came of the calls of a plugin's versions, and what its stories logged: one page of the host's ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::PluginOwner;

/// Of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginPage {
    /// Whose plugin it is.
    pub owner: PluginOwner,
    /// The plugin's name.
    pub name: String,
    /// What the versions came to, by their numbers; those without a call are missing.
    pub usage: BTreeMap<u32, VersionUsage>,
    /// The last lines of its log, the oldest first.
    pub lines: Vec<PluginLogLine>,
}

/// What the calls of one version came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionUsage {
    /// Calls whose story began with it.
    pub calls: u64,
    /// Stories that it broke: traps, limits that ended it, a status other than zero.
    pub traps: u64,
    /// Guest time, in milliseconds, counted in ticks of 5 ms.
    pub cpu_ms: u64,
    /// The most linear memory that one story had, in bytes.
    pub memory_bytes: u64,
    /// Calls of the host.
    pub host_calls: u64,
    /// Lines in its log.
    pub log_lines: u64,
    /// Lines that were dropped because there were too many.
    pub log_lines_dropped: u64,
}

/// One line of a plugin's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLogLine {
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// The version whose story wrote it.
    pub version: u32,
    /// The call.
    pub call: String,
    /// `trace`, `debug`, `info`, `warn`, `error` or `critical`.
    pub level: String,
    /// What it says.
    pub message: String,
}
