//! Speech: a text or SSML goes in, audio comes out; mono, 16 bits, at [`RATE`]. [`Recognition`] goes the other way.
//!
//! SSML is read into [`Utterance`]: runs of words with the way they are spoken, and silences. Silences and loudness are
//! made here, so that they are exact whoever speaks; a [`Provider`] speaks one run. [`Speaker`] chooses the provider by
//! language and voice, and takes the next when one fails.

mod error;
mod espeak;
mod flite;
mod http;
mod language;
mod program;
mod provider;
mod recognition;
mod recorded;
mod say_as;
mod secret;
mod settings;
mod speaker;
mod ssml;
mod template;
#[cfg(test)]
mod testing;
mod twilio_voice;
mod utterance;
mod words;

pub use self::http::{HttpService, HttpSettings, Method};
pub use error::SpeechError;
pub use espeak::EspeakNg;
pub use flite::{Flite, FliteEngine, InstalledFlite};
pub use language::Language;
pub use provider::{Failure, Gender, Provider, Speaking, VoiceName};
pub use recognition::{
    Channels, Phrase, PocketSphinx, Recogniser, Recognition, RecognitionSettings, Service,
    ServiceSettings, SpokenFrame, Task, Understanding,
};
pub use recorded::{Recorded, RecordedSettings};
pub use say_as::Value;
pub use settings::{InvalidSettings, Settings};
pub use speaker::{Request, Speaker, Spoken};
pub use ssml::{SsmlError, write as to_ssml};
pub use utterance::{Part, Prosody, Run, Utterance, Word};
pub use words::text as plain_text;

/// The rate of all that is spoken: enough for the wideband codecs of telephones.
pub const RATE: media::Rate = media::Rate::Wide;

/// Characters that one text may have, without the markup of SSML (Twilio error 13521).
pub const MAX_CHARACTERS: usize = 4_096;
