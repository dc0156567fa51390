//! What is kept of a call, and who it is, in words.

use call::{AudioCommand, AudioError, AudioReply, PinError, PinVerdict};

use super::shortened;

/// What a story asks of its account's audio, such as `audio: keep .prepared-RE….wav as flood-lo.wav`.
#[must_use]
pub fn audio(command: &AudioCommand) -> String {
    match command {
        AudioCommand::Prepare(sid) => format!("audio: prepare {sid}"),
        AudioCommand::Keep { prepared, name } => {
            format!("audio: keep {} as {}", shortened(prepared), shortened(name))
        }
    }
}

/// What it got.
#[must_use]
pub fn audio_result(result: &Result<AudioReply, AudioError>) -> String {
    match result {
        Ok(AudioReply::Prepared(name)) => name.clone(),
        Ok(AudioReply::Kept) => "done".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// What a story asks of keys that it does not see.
#[must_use]
pub fn pin(secret: &str) -> String {
    format!("pin: check {}", shortened(secret))
}

/// What it got.
#[must_use]
pub fn pin_result(result: &Result<PinVerdict, PinError>) -> String {
    match result {
        Ok(verdict) => verdict.to_string(),
        Err(error) => error.to_string(),
    }
}
