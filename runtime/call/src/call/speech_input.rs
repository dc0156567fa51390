//! What the story listens to.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Call;
use crate::{
    CallError, Effect, Event, ListenOrder, ListenRequest, ListeningId, Reply, SpeechEnd,
    SpeechEvent,
};

/// Hints of one listening, and the characters of one (Twilio's limits).
const MAX_HINTS: usize = 500;
const MAX_HINT_CHARS: usize = 100;
/// The longest language tag that RFC 5646 section 4.4.1 asks to have room for.
const MAX_LANGUAGE_CHARS: usize = 35;
const MAX_MODEL_CHARS: usize = 64;
const END_SILENCE_MS: RangeInclusive<u128> = 100..=60_000;
const MAX_SPEECH_MS: RangeInclusive<u128> = 1_000..=60_000;

/// The listening that goes on, if one does.
#[derive(Debug, Default)]
pub(super) struct Listenings {
    going_on: Option<ListeningId>,
    last: u32,
}

impl Call {
    pub(super) fn listen(&mut self, request: ListenRequest) -> Result<Reply, CallError> {
        check(&request).map_err(CallError::InvalidArgument)?;
        if !self.limits.has_recogniser {
            let missing = "no recogniser is configured: speech is not understood here";
            return Err(CallError::Unsupported(missing.to_owned()));
        }
        if self.listenings.going_on.is_some() {
            let message = "one listening at a time: stop the other one first".to_owned();
            return Err(CallError::LimitReached(message));
        }
        self.listenings.last += 1;
        let id = ListeningId(self.listenings.last);
        self.listenings.going_on = Some(id);
        self.emit(Effect::Listen(id, ListenOrder::Begin(request)));
        Ok(Reply::Listening(id))
    }

    pub(super) fn stop_listening(&mut self, id: ListeningId) -> Result<Reply, CallError> {
        if self.listenings.going_on != Some(id) {
            return Err(CallError::UnknownId);
        }
        self.forget_listening();
        self.tell(Event::Speech(id, SpeechEvent::Ended(SpeechEnd::Stopped)));
        Ok(Reply::Done)
    }

    /// News of a listening that was ended meanwhile come too late.
    pub(super) fn speech(&mut self, id: ListeningId, event: SpeechEvent) {
        if self.listenings.going_on != Some(id) {
            return;
        }
        if matches!(event, SpeechEvent::Ended(_)) {
            self.listenings.going_on = None;
        }
        self.tell(Event::Speech(id, event));
    }

    /// Nobody waits for words any more.
    pub(super) fn forget_listening(&mut self) {
        if let Some(id) = self.listenings.going_on.take() {
            self.emit(Effect::Listen(id, ListenOrder::Stop));
        }
    }
}

/// Says what is wrong with it, and what would be right.
fn check(request: &ListenRequest) -> Result<(), String> {
    let language = request.language.chars().count();
    if !(1..=MAX_LANGUAGE_CHARS).contains(&language) {
        return Err(format!(
            "the language has {language} characters: give a tag as in en-US"
        ));
    }
    if request.hints.len() > MAX_HINTS {
        return Err(format!("more than {MAX_HINTS} hints"));
    }
    let is_long = |hint: &&String| hint.chars().count() > MAX_HINT_CHARS;
    if let Some(hint) = request.hints.iter().find(is_long) {
        let beginning: String = hint.chars().take(20).collect();
        return Err(format!(
            "the hint {beginning:?}… has more than {MAX_HINT_CHARS} characters"
        ));
    }
    if let Some(silence) = request.end_silence {
        check_length("the silence at the end", silence, END_SILENCE_MS)?;
    }
    check_length("the longest speech", request.max_speech, MAX_SPEECH_MS)?;
    let model = request
        .model
        .as_ref()
        .map_or(1, |name| name.chars().count());
    if !(1..=MAX_MODEL_CHARS).contains(&model) {
        return Err(format!(
            "the model's name has {model} characters: give 1 to {MAX_MODEL_CHARS}, or none"
        ));
    }
    Ok(())
}

fn check_length(
    what: &str,
    length: Duration,
    range_ms: RangeInclusive<u128>,
) -> Result<(), String> {
    let ms = length.as_millis();
    if range_ms.contains(&ms) {
        return Ok(());
    }
    let (least, most) = (range_ms.start(), range_ms.end());
    Err(format!("{what} is {ms} ms: give {least} to {most}"))
}
