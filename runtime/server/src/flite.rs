//! Flite as a WebAssembly module, in the sandbox that flows run in: no network, no files but its own output.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use plugin_host::Engine;
use plugin_host::command_module::{CommandLimits, CommandModule};
use speech::{Failure, FliteEngine};
use tokio::runtime::Handle;

/// The file that the module writes.
const OUTPUT: &str = "speech.wav";

/// Loaded at the first text: a runtime that never speaks does not pay for it.
#[derive(Clone)]
pub(crate) struct SandboxedFlite(Arc<Module>);

struct Module {
    path: PathBuf,
    engine: Engine,
    loaded: OnceLock<Result<CommandModule, Failure>>,
}

impl SandboxedFlite {
    /// The module at `path`.
    pub(crate) fn new(path: PathBuf, engine: Engine) -> Self {
        Self(Arc::new(Module {
            path,
            engine,
            loaded: OnceLock::new(),
        }))
    }
}

impl Module {
    fn loaded(&self) -> Result<&CommandModule, Failure> {
        let at = |error: String| Failure(format!("{}: {error}", self.path.display()));
        let loaded = self.loaded.get_or_init(|| {
            let wasm = std::fs::read(&self.path).map_err(|error| at(error.to_string()))?;
            CommandModule::load(&self.engine, &wasm).map_err(|error| at(error.to_string()))
        });
        loaded.as_ref().map_err(Clone::clone)
    }

    /// On a thread that may be blocked: compiling and speaking take their time.
    fn run(&self, options: &[String], text: &str) -> Result<Vec<u8>, Failure> {
        let mut arguments = vec!["flite"];
        arguments.extend(options.iter().map(String::as_str));
        arguments.extend(["-t", text, "-o", OUTPUT]);
        let module = self.loaded()?;
        let run = module.run_to_file(&arguments, OUTPUT, CommandLimits::default());
        Handle::current()
            .block_on(run)
            .map_err(|error| Failure(error.to_string()))
    }
}

impl FliteEngine for SandboxedFlite {
    fn synthesize<'a>(
        &'a self,
        options: &'a [String],
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>> {
        let module = Arc::clone(&self.0);
        let (options, text) = (options.to_vec(), text.to_owned());
        Box::pin(async move {
            let run = tokio::task::spawn_blocking(move || module.run(&options, &text));
            run.await
                .unwrap_or_else(|error| Err(Failure(error.to_string())))
        })
    }
}
