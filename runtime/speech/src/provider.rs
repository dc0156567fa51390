//! Who turns words into audio.

use std::fmt;
use std::pin::Pin;

use crate::{Language, Run};

/// Audio that is being made: mono, 16 bits, at [`crate::RATE`].
pub type Speaking<'a> = Pin<Box<dyn Future<Output = Result<Vec<i16>, Failure>> + Send + 'a>>;

/// One way to turn words into audio.
pub trait Provider: Send + Sync {
    /// Names it in the configuration, in logs, and as a voice.
    fn name(&self) -> &str;

    /// The languages it speaks, as BCP 47 tags; for an error that says what there is.
    fn languages(&self) -> Vec<String>;

    /// The names of its voices; for an error that says what there is. Where there are too many to name, the one it begins with.
    fn voices(&self) -> Vec<String>;

    /// The voice it speaks a language with. None if it does not speak it.
    fn voice_for(&self, language: &Language, gender: Option<Gender>) -> Option<VoiceName>;

    /// The languages of its voice of that name, its own first. None if it has no such voice.
    fn languages_of(&self, voice: &str) -> Option<Vec<Language>>;

    /// Speaks words in a language with one of its own voices. Loudness is not its part.
    fn speak<'a>(&'a self, run: &'a Run, language: &'a Language, voice: &'a str) -> Speaking<'a>;
}

/// A provider's own name of a voice.
pub type VoiceName = String;

/// What Twilio's `man` and `woman` and the names of its voices say of a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// `woman`.
    Woman,
    /// `man`.
    Man,
}

/// Why a provider did not speak. The text goes into the tenant's log, behind the provider's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Decodes what a provider gave, off the threads that serve others.
pub(crate) async fn decode(audio: Vec<u8>, hint: &str) -> Result<Vec<i16>, Failure> {
    let hint = hint.to_owned();
    let decoded = tokio::task::spawn_blocking(move || {
        media::decode_at(
            &audio,
            Some(&hint),
            media::DecodeLimits::default(),
            crate::RATE,
        )
    });
    let decoded = decoded
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    decoded.map_err(|error| Failure::new(format!("what it gave is no audio: {error}")))
}
