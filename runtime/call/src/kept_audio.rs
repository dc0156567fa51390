//! What a call recorded, kept as audio of its account's own. Mirrors `jackfield:media@0.1.0`.

use serde::{Deserialize, Serialize};

use crate::RecordingSid;

/// Bytes of a file's name, at most.
const NAME_BYTES: usize = 100;

/// What a story asks of its account's audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioCommand {
    /// Makes a recording of this call something that can be played.
    Prepare(RecordingSid),
    /// Keeps what was prepared. Is durable when it is answered.
    Keep {
        /// As [`AudioReply::Prepared`] called it.
        prepared: String,
        /// By which it is played from now on.
        name: String,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioReply {
    /// To [`AudioCommand::Prepare`]: what a playback of this call takes as a file's name.
    Prepared(String),
    /// To [`AudioCommand::Keep`]: it is on disk.
    Kept,
}

/// Why nothing was prepared or kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The account keeps no audio for this story.
    #[error("not granted: media")]
    NotGranted,
    /// What was given is no such thing; says what.
    #[error("{0}")]
    Invalid(String),
    /// A limit; says which.
    #[error("{0}")]
    LimitReached(String),
    /// Nothing can be read or kept at present; says why.
    #[error("the account's audio is out of reach: {0}")]
    Unavailable(String),
}

impl AudioCommand {
    /// Checks everything that does not depend on what is there.
    ///
    /// # Errors
    /// [`AudioError::Invalid`], which says what is wrong.
    pub fn check(&self) -> Result<(), AudioError> {
        match self {
            Self::Prepare(_) => Ok(()),
            Self::Keep { name, .. } => check_audio_name(name).map_err(AudioError::Invalid),
        }
    }
}

/// Checks the name of a file of an account's own audio.
///
/// # Errors
/// In words that say what a name is.
pub fn check_audio_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = (1..=NAME_BYTES).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(is_plain);
    match is_name {
        true => Ok(()),
        false => Err(format!(
            "A file's name has 1 to {NAME_BYTES} of letters, digits, `-`, `_` and `.`, and does not begin with a point"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        let longest = "a".repeat(NAME_BYTES);
        for (name, is_name) in [
            ("flood-lo.wav", true),
            (longest.as_str(), true),
            (&format!("{longest}a"), false),
            ("", false),
            (".hidden.wav", false),
            ("../flood.wav", false),
            ("flood/lo.wav", false),
            ("ນໍ້າຖ້ວມ.wav", false),
        ] {
            let command = AudioCommand::Keep {
                prepared: "x".to_owned(),
                name: name.to_owned(),
            };
            assert_eq!(command.check().is_ok(), is_name, "{name}");
        }
    }
}
