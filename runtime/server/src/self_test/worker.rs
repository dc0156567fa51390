//! `jackfield self-test-worker`: a component and its code in, a verdict out.

use std::ffi::OsString;
use std::io::{Read, Write};

use anyhow::{Context, bail};
use clap::Args;
use plugin_host::{Class, Engine, EngineConfig};

use super::{CPU_S, MEMORY_BYTES, Verdict, verdict};
use crate::compiler::jail::{self, Task};

/// Of the command line; see [`crate::cli`].
const NAME: &str = "self-test-worker";

/// What the parent says when it starts a worker.
#[derive(Debug, Args)]
pub(crate) struct SelfTestOptions {
    /// An interpreter with a program in it.
    #[arg(long)]
    interpreted: bool,
    /// Address space beyond what the engine reserves, in bytes.
    #[arg(long)]
    memory_bytes: u64,
    /// Processor time, in seconds.
    #[arg(long)]
    cpu_s: u64,
}

/// The command line of a worker.
pub(super) fn arguments(class: Class) -> Vec<OsString> {
    let mut arguments = vec![
        NAME.to_owned(),
        format!("--memory-bytes={MEMORY_BYTES}"),
        format!("--cpu-s={CPU_S}"),
    ];
    if class == Class::Interpreted {
        arguments.push("--interpreted".to_owned());
    }
    arguments.into_iter().map(OsString::from).collect()
}

/// Locks itself in, then tests what comes on standard input: the component's length in eight bytes, the lowest first,
/// the component, and its code. The verdict goes to standard output, as JSON.
pub(crate) fn run(options: &SelfTestOptions) -> anyhow::Result<()> {
    let verdict = test(options).unwrap_or_else(|error| Verdict::NotRun {
        why: format!("{error:#}"),
    });
    let mut out = std::io::stdout().lock();
    out.write_all(&serde_json::to_vec(&verdict)?)?;
    Ok(())
}

fn test(options: &SelfTestOptions) -> anyhow::Result<Verdict> {
    let engine = engine(options)?;
    let memory_bytes = address_space_bytes()?.saturating_add(options.memory_bytes);
    jail::enter(Task::Runs, memory_bytes, options.cpu_s)
        .context("this system does not let the test limit itself")?;
    let (wasm, code) = read(&mut std::io::stdin().lock())?;
    let worlds = engine
        .worlds_by(&wasm, |_| Ok(code))
        .context("the test cannot load the component")?;
    Ok(verdict::verdict(&worlds, &wasm))
}

/// With room for one story. Made before the process is locked in: it starts a thread, and reserves address space that nothing is in.
fn engine(options: &SelfTestOptions) -> anyhow::Result<Engine> {
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })?;
    Ok(match options.interpreted {
        true => engine.with_interpreters(1)?,
        false => engine,
    })
}

/// What this process has of address space.
#[cfg(target_os = "linux")]
fn address_space_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let mut lines = status.lines();
    let size = lines.find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib
        .context("/proc/self/status has no VmSize")?
        .saturating_mul(1024))
}

/// Not told by the system: all address space is taken for what the process has, so that it has no bound.
#[cfg(not(target_os = "linux"))]
fn address_space_bytes() -> anyhow::Result<u64> {
    Ok(u64::MAX)
}

fn read(input: &mut impl Read) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut wasm = Vec::new();
    input.take(length).read_to_end(&mut wasm)?;
    if wasm.len() as u64 != length {
        bail!("the component is cut off");
    }
    let mut code = Vec::new();
    input.read_to_end(&mut code)?;
    Ok((wasm, code))
}
