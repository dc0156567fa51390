//! Why nothing was spoken.

use crate::{MAX_CHARACTERS, SsmlError};

/// Why nothing was spoken. Each text says what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The text is too long.
    #[error("the text has {characters} characters, at most {MAX_CHARACTERS} are spoken")]
    TooLong {
        /// Of the text.
        characters: usize,
    },
    /// There is nothing in the text that could be heard.
    #[error("there is nothing to say: the text is empty")]
    Empty,
    /// It begins as SSML, and is none.
    #[error("the SSML cannot be read: {0}")]
    Ssml(#[from] SsmlError),
    /// The language is no BCP 47 tag.
    #[error("{0:?} is no language: give a BCP 47 tag such as `en-US` or `km`")]
    NotALanguage(String),
    /// No provider is there at all.
    #[error(
        "nobody speaks: run the set-up again with npm present (Flite), install `espeak-ng`, or name a provider in the \
         configuration ([speech.http.NAME])"
    )]
    NoProvider,
    /// No provider speaks the language.
    #[error("nobody speaks `{language}`: {known}; {help}")]
    Language {
        /// What was asked for.
        language: String,
        /// Who speaks what, and the nearest to it.
        known: String,
        /// What would help.
        help: String,
    },
    /// All that speak the language failed; the text names each with its reason.
    #[error("{0}")]
    Failed(String),
}
