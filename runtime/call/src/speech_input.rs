//! What the other side says, in words. Mirrors `jackfield:call/speech-input@0.1.0`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So much silence ends what is said, where the story does not say.
pub const DEFAULT_END_SILENCE: Duration = Duration::from_secs(1);

/// What a story wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenRequest {
    /// BCP 47, such as `en-US`.
    pub language: String,
    /// Words and phrases to be expected.
    pub hints: Vec<String>,
    /// So much silence ends what is said; [`DEFAULT_END_SILENCE`] without it.
    pub end_silence: Option<Duration>,
    /// What is said is heard for so long.
    pub max_speech: Duration,
    /// [`SpeechEvent::Partial`] is wanted.
    pub partial_results: bool,
    /// What a service calls the model to be used.
    pub model: Option<String>,
    /// Swear words are not wanted.
    pub profanity_filter: bool,
}

/// What is to be done about a listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenOrder {
    /// Begin it.
    Begin(ListenRequest),
    /// End it; nothing more of it is to be told.
    Stop,
}

/// What becomes of a listening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpeechEvent {
    /// Somebody speaks.
    Began,
    /// The words so far.
    Partial(PartialWords),
    /// It is over.
    Ended(SpeechEnd),
}

/// What was understood while it is still being said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialWords {
    /// These stay.
    pub stable: String,
    /// What follows them; may change.
    pub unstable: String,
}

/// What came of a listening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpeechEnd {
    /// Somebody spoke, then was silent.
    Heard(Words),
    /// Somebody spoke, and no word was understood.
    NotUnderstood,
    /// By the story. The end of the call is told by [`crate::Event::HungUp`] alone.
    Stopped,
    /// Nobody understands the language, or the recogniser broke, or has too much to do; says which.
    Failed(String),
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// As the recogniser writes it.
    pub text: String,
    /// How sure it is, 0 to 1,000; none where it does not say.
    pub confidence_permille: Option<u16>,
}
