//! Runs a WASI preview 1 command, such as a speech synthesizer, to its end: arguments in, standard output out.
//!
//! It gets no input, no environment, and no files but those of a scratch folder; what it computes depends on its arguments
//! alone.

use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::{
    InstancePre, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::engine::{Engine, TICK};
use crate::state::Halt;

/// Bytes of standard error that are kept for the error's text.
const ERROR_BYTES: usize = 4 * 1024;

/// A compiled command. Cheap to clone.
#[derive(Clone)]
pub struct CommandModule {
    engine: wasmtime::Engine,
    module: InstancePre<CommandState>,
}

impl fmt::Debug for CommandModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandModule").finish_non_exhaustive()
    }
}

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandLimits {
    /// Linear memory, in bytes. At most 64 MiB.
    pub memory_bytes: usize,
    /// CPU time, in ticks of 5 ms.
    pub cpu: Duration,
    /// Bytes of standard output.
    pub output_bytes: usize,
}

impl Default for CommandLimits {
    /// Enough for half a minute of speech as 16 kHz WAV.
    fn default() -> Self {
        Self {
            memory_bytes: 64 * 1024 * 1024,
            cpu: Duration::from_secs(5),
            output_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why a command could not be loaded or did not come to a good end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Not a module, or one that wants more than WASI preview 1.
    #[error("not a WASI preview 1 command: {0}")]
    Invalid(String),
    /// Every slot of the engine is taken.
    #[error("no room to run the command: too many stories and commands run already")]
    NoRoom,
    /// It ran into [`CommandLimits::cpu`].
    #[error("the command computed for longer than it may")]
    OutOfTime,
    /// It ended with a status other than zero.
    #[error("the command ended with status {status}: {stderr}")]
    Failed {
        /// The status.
        status: i32,
        /// The beginning of what it wrote to standard error.
        stderr: String,
    },
    /// It wrote more than [`CommandLimits::output_bytes`].
    #[error("the command wrote {0} bytes or more")]
    TooMuchOutput(usize),
    /// It did not leave the file it should have.
    #[error("the command left no output: {0}")]
    NoOutput(String),
    /// It trapped; too much memory looks like this too.
    #[error("the command trapped: {0}")]
    Trapped(String),
}

struct CommandState {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
    ticks_left: u128,
}

impl CommandModule {
    /// Compiles a command, or takes it from the engine's cache. Call it on a thread that may block.
    ///
    /// # Errors
    /// [`CommandError::Invalid`].
    pub fn load(engine: &Engine, wasm: &[u8]) -> Result<Self, CommandError> {
        let invalid = |error: wasmtime::Error| CommandError::Invalid(format!("{error:#}"));
        let sha256: [u8; 32] = Sha256::digest(wasm).into();
        let wasmtime = engine.wasmtime();
        let module = match engine
            .cache()
            .and_then(|cache| cache.module(wasmtime, &sha256))
        {
            Some(module) => module,
            None => {
                let module = Module::from_binary(wasmtime, wasm).map_err(invalid)?;
                if let Some(cache) = engine.cache() {
                    cache.keep_module(wasmtime, &sha256, &module);
                }
                module
            }
        };
        if module.get_export("_start").is_none() {
            return Err(CommandError::Invalid(
                "it does not export `_start`".to_owned(),
            ));
        }
        let mut linker = Linker::new(wasmtime);
        p1::add_to_linker_async(&mut linker, |state: &mut CommandState| &mut state.wasi)
            .map_err(invalid)?;
        let module = linker.instantiate_pre(&module).map_err(invalid)?;
        Ok(Self {
            engine: wasmtime.clone(),
            module,
        })
    }

    /// Runs the command once and gives what it wrote to standard output. `arguments` begin with the program's name.
    ///
    /// The future computes for at most 5 ms at a time, then lets others run.
    ///
    /// # Errors
    /// [`CommandError`], for every end but status zero.
    pub async fn run(
        &self,
        arguments: &[&str],
        limits: CommandLimits,
    ) -> Result<Vec<u8>, CommandError> {
        self.run_in(WasiCtxBuilder::new().args(arguments), limits)
            .await
    }

    /// As [`Self::run`], for a command that writes a file: it sees an empty folder of its own, and gives what it left there
    /// under the name `output`.
    ///
    /// # Errors
    /// [`CommandError`]; [`CommandError::NoOutput`] when there is no such file or the folder cannot be made.
    pub async fn run_to_file(
        &self,
        arguments: &[&str],
        output: &str,
        limits: CommandLimits,
    ) -> Result<Vec<u8>, CommandError> {
        let no_output = |reason: String| CommandError::NoOutput(reason);
        let folder = tempfile::tempdir().map_err(|error| no_output(error.to_string()))?;
        let mut wasi = WasiCtxBuilder::new();
        wasi.args(arguments)
            .preopened_dir(folder.path(), ".", FsPerms::ReadWrite)
            .map_err(|error| no_output(error.to_string()))?;
        self.run_in(&mut wasi, limits).await?;
        let file = folder.path().join(output);
        let size = std::fs::metadata(&file).map_err(|error| no_output(error.to_string()))?;
        if size.len() > limits.output_bytes as u64 {
            return Err(CommandError::TooMuchOutput(limits.output_bytes));
        }
        std::fs::read(&file).map_err(|error| no_output(error.to_string()))
    }

    async fn run_in(
        &self,
        wasi: &mut WasiCtxBuilder,
        limits: CommandLimits,
    ) -> Result<Vec<u8>, CommandError> {
        let stdout = MemoryOutputPipe::new(limits.output_bytes);
        let stderr = MemoryOutputPipe::new(ERROR_BYTES);
        let wasi = wasi
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build_p1();
        let state = CommandState {
            wasi,
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes)
                .memories(1)
                .instances(1)
                .build(),
            ticks_left: limits.cpu.as_nanos().div_ceil(TICK.as_nanos()),
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| {
            let state = context.data_mut();
            state.ticks_left = state.ticks_left.checked_sub(1).ok_or(Halt::OutOfTime)?;
            Ok(UpdateDeadline::Yield(1))
        });
        let result = start(&mut store, &self.module).await;
        drop(store);
        let status = result.map_or_else(|error| status(&error), |()| Ok(0))?;
        if status == 0 {
            let output = stdout.contents();
            // The command hears of a full pipe too, but need not care.
            if output.len() >= limits.output_bytes {
                return Err(CommandError::TooMuchOutput(limits.output_bytes));
            }
            return Ok(output.into());
        }
        let stderr = stderr.contents();
        let stderr = String::from_utf8_lossy(&stderr).trim_end().to_owned();
        Err(CommandError::Failed { status, stderr })
    }
}

async fn start(
    store: &mut Store<CommandState>,
    module: &InstancePre<CommandState>,
) -> wasmtime::Result<()> {
    let instance = module.instantiate_async(&mut *store).await?;
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    start.call_async(store, ()).await
}

/// The status of a command that left by `proc_exit`, or what became of it instead.
fn status(error: &wasmtime::Error) -> Result<i32, CommandError> {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Ok(*status);
    }
    Err(if error.is::<Halt>() {
        CommandError::OutOfTime
    } else if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        CommandError::NoRoom
    } else {
        CommandError::Trapped(error.root_cause().to_string())
    })
}
