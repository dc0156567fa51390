//! `jackfield compile-worker`: one component in, its code or a refusal out.

use std::ffi::OsString;
use std::io::{Read, Write};

use anyhow::Context;
use clap::Args;
use plugin_host::compile::{self, CompileLimits};
use plugin_host::{Class, MemoryLayout};

use super::jail::{self, Task};

/// Of the command line; see [`crate::cli`].
const NAME: &str = "compile-worker";

/// What the parent says when it starts a worker.
#[derive(Debug, Args)]
pub(crate) struct WorkerOptions {
    /// Code for the host's own layout of memories.
    #[arg(long)]
    narrow: bool,
    /// An interpreter with a program in it.
    #[arg(long)]
    interpreted: bool,
    /// Address space, in bytes.
    #[arg(long)]
    memory_bytes: u64,
    /// Processor time, in seconds.
    #[arg(long)]
    cpu_s: u64,
}

/// The command line of a worker.
pub(super) fn arguments(
    class: Class,
    layout: MemoryLayout,
    limits: &CompileLimits,
) -> Vec<OsString> {
    let mut arguments = vec![
        NAME.to_owned(),
        format!("--memory-bytes={}", limits.memory_bytes),
        format!("--cpu-s={}", limits.cpu.as_secs()),
    ];
    if layout == MemoryLayout::Narrow {
        arguments.push("--narrow".to_owned());
    }
    if class == Class::Interpreted {
        arguments.push("--interpreted".to_owned());
    }
    arguments.into_iter().map(OsString::from).collect()
}

/// Locks itself in, then compiles what comes on standard input. The answer goes to standard output.
pub(crate) fn run(options: &WorkerOptions) -> anyhow::Result<()> {
    jail::enter(Task::Compiles, options.memory_bytes, options.cpu_s)
        .context("this system does not let the compiler limit itself")?;
    let layout = if options.narrow {
        MemoryLayout::Narrow
    } else {
        MemoryLayout::Wide
    };
    let class = if options.interpreted {
        Class::Interpreted
    } else {
        Class::Native
    };
    let mut wasm = Vec::new();
    std::io::stdin().lock().read_to_end(&mut wasm)?;
    std::io::stdout()
        .lock()
        .write_all(&compile::answer(class, layout, &wasm))?;
    Ok(())
}
