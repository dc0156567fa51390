//! Flite as a WebAssembly module, in the sandbox that flows run in: no network, no files but its own output.

use std::path::PathBuf;
use std::sync::OnceLock;

use call::Speech;
use plugin_host::Engine;
use plugin_host::command_module::{CommandLimits, CommandModule};
use tokio::runtime::Handle;

use super::{Provider, SpeechError};

const NAME: &str = "flite";
/// The voices inside the module; the first speaks where none is named.
const VOICES: [&str; 5] = ["slt", "kal", "kal16", "awb", "rms"];

/// Loaded at the first text: a runtime that never speaks does not pay for it.
pub(super) struct Flite {
    path: PathBuf,
    engine: Engine,
    module: OnceLock<Result<CommandModule, String>>,
}

impl Flite {
    /// The module at `path`.
    pub(super) fn new(path: PathBuf, engine: Engine) -> Self {
        Self {
            path,
            engine,
            module: OnceLock::new(),
        }
    }

    fn module(&self) -> Result<&CommandModule, SpeechError> {
        let module = self.module.get_or_init(|| {
            let wasm = std::fs::read(&self.path)
                .map_err(|error| format!("{}: {error}", self.path.display()))?;
            CommandModule::load(&self.engine, &wasm)
                .map_err(|error| format!("{}: {error}", self.path.display()))
        });
        module.as_ref().map_err(|reason| failed(reason.clone()))
    }
}

impl Provider for Flite {
    fn speak(&self, speech: &Speech) -> Result<Vec<i16>, SpeechError> {
        if let Some(language) = speech
            .language
            .as_ref()
            .filter(|language| !language.starts_with("en"))
        {
            return Err(SpeechError::Language {
                provider: NAME,
                language: language.clone(),
            });
        }
        let voice = voice(speech.voice.as_deref())?;
        let arguments = [
            "flite",
            "-voice",
            voice,
            "-t",
            &speech.text,
            "-o",
            "speech.wav",
        ];
        let wav = Handle::current()
            .block_on(self.module()?.run_to_file(
                &arguments,
                "speech.wav",
                CommandLimits::default(),
            ))
            .map_err(|error| failed(error.to_string()))?;
        media::decode(&wav, Some("wav"), media::DecodeLimits::default())
            .map_err(|error| failed(error.to_string()))
    }
}

/// Twilio's `man` and `woman` are voices too.
fn voice(name: Option<&str>) -> Result<&'static str, SpeechError> {
    match name {
        None | Some("woman" | "alice") => Ok("slt"),
        Some("man") => Ok("kal"),
        Some(name) => VOICES
            .into_iter()
            .find(|voice| *voice == name)
            .ok_or_else(|| SpeechError::Voice {
                provider: NAME,
                voice: name.to_owned(),
                known: VOICES.join(", "),
            }),
    }
}

fn failed(reason: String) -> SpeechError {
    SpeechError::Failed {
        provider: NAME,
        reason,
    }
}
