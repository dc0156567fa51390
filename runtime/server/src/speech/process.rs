//! A speech program of the machine, run as a process of its own: its licence stays its own, and so do its crashes.

use std::io::Write;
use std::process::{Command, Stdio};

use call::Speech;

use super::{Provider, SpeechError};

/// `flite` or `espeak-ng`, found on the machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum Program {
    Flite,
    EspeakNg,
}

impl Program {
    /// Those that can be run here, the better voice first.
    pub(super) fn installed() -> impl Iterator<Item = Self> {
        [Self::Flite, Self::EspeakNg].into_iter().filter(|program| {
            let probe = Command::new(program.name())
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            probe.is_ok()
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Flite => "flite",
            Self::EspeakNg => "espeak-ng",
        }
    }

    fn command(self, speech: &Speech) -> Command {
        let mut command = Command::new(self.name());
        match self {
            Self::Flite => {
                command.args(["-f", "/dev/stdin", "-o", "/dev/stdout"]);
                if let Some(voice) = &speech.voice {
                    command.args(["-voice", voice]);
                }
            }
            Self::EspeakNg => {
                command.args(["--stdin", "--stdout"]);
                if let Some(voice) = speech.voice.as_ref().or(speech.language.as_ref()) {
                    command.args(["-v", voice]);
                }
            }
        }
        command
    }
}

impl Provider for Program {
    fn speak(&self, speech: &Speech) -> Result<Vec<i16>, SpeechError> {
        let failed = |reason: String| SpeechError::Failed {
            provider: self.name(),
            reason,
        };
        let english = speech
            .language
            .as_ref()
            .is_none_or(|language| language.starts_with("en"));
        if matches!(self, Self::Flite) && !english {
            let language = speech.language.clone().unwrap_or_default();
            return Err(SpeechError::Language {
                provider: self.name(),
                language,
            });
        }
        let mut child = self
            .command(speech)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(speech.text.as_bytes())
                .map_err(|error| failed(error.to_string()))?;
        }
        let output = child
            .wait_with_output()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(
                String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            ));
        }
        media::decode(&output.stdout, Some("wav"), media::DecodeLimits::default())
            .map_err(|error| failed(error.to_string()))
    }
}
