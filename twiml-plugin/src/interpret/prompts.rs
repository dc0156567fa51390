//! Prompts one after the other: the next one is made ready while one is heard, so that they join without a gap.

use std::collections::VecDeque;

use jackfield_guest::{CallError, Listening, MediaSource, Playback, PlaybackEnd, warn};

use super::Interpreter;
use crate::document::Document;
use crate::fault::{Fault, INVALID_URL, PLAY_CONTENT, RETRIEVAL_FAILED};
use crate::reference::{is_web_url, resolve};
use crate::verb::Prompt;

/// Prompts that are queued at a time: the one that is heard, and the next one.
const QUEUED: usize = 2;

/// In the host's words: it was fetched, and is nothing that can be played.
const NO_AUDIO: [&str; 4] = [
    "unsupported format",
    "unsupported sample rate",
    "malformed audio",
    "holds no audio",
];

/// What ends prompts.
#[derive(Clone, Copy)]
pub(super) enum Until<'a> {
    /// They were heard.
    Heard,
    /// A key.
    Key,
    /// What this one takes for an answer.
    Answer(&'a Listening<'a>),
}

impl<'c> Interpreter<'c> {
    /// Lets prompts be heard to their end, or until something comes that stops them all.
    pub(super) fn play(
        &self,
        prompts: &[&Prompt],
        document: &Document,
        until: Until<'_>,
    ) -> Result<(), CallError> {
        let mut waiting = prompts.iter().copied().peekable();
        let mut queued = VecDeque::new();
        loop {
            while queued.len() < QUEUED
                && let Some(prompt) = waiting.next_if(|prompt| !matches!(prompt, Prompt::Pause(_)))
            {
                queued.extend(self.queue(prompt, document)?.map(|one| (one, prompt)));
            }
            let is_answered = match queued.pop_front() {
                Some((playback, prompt)) => {
                    let end = match until {
                        Until::Heard => Some(playback.finish()?),
                        Until::Key => playback.end_before_key()?,
                        Until::Answer(listening) => playback.end_before_answer(listening)?,
                    };
                    let fault = end.as_ref().and_then(|end| fault_of_end(end, prompt));
                    if let Some(fault) = fault {
                        warn!(self.call, "{fault}");
                    }
                    end.is_none()
                }
                None => match waiting.next() {
                    Some(prompt) => self.pause(prompt, until)?,
                    None => return Ok(()),
                },
            };
            if is_answered {
                let queued = queued.into_iter();
                return queued
                    .map(|(playback, _)| playback)
                    .try_for_each(Playback::stop);
            }
        }
    }

    /// Queues a prompt behind those before it; none where it is left out.
    pub(super) fn queue(
        &self,
        prompt: &Prompt,
        document: &Document,
    ) -> Result<Option<Playback<'c>>, CallError> {
        let playback = match prompt {
            Prompt::Say { speech, loops } => self.call.say_times(speech.clone(), *loops),
            Prompt::Play { url, loops } => {
                let Some(source) = source(url, document) else {
                    warn!(
                        self.call,
                        "{INVALID_URL} Play: {url:?} is not an http or https URL"
                    );
                    return Ok(None);
                };
                self.call.play_times(source, *loops)
            }
            Prompt::Keys(keys) => self.call.press(keys),
            Prompt::Pause(_) => return Ok(None),
        };
        match playback {
            Ok(playback) => Ok(Some(playback)),
            Err(CallError::HungUp) => Err(CallError::HungUp),
            Err(error) => {
                warn!(self.call, "a prompt is left out: {error}");
                Ok(None)
            }
        }
    }

    fn pause(&self, prompt: &Prompt, until: Until<'_>) -> Result<bool, CallError> {
        let Prompt::Pause(length) = prompt else {
            return Ok(false);
        };
        match until {
            Until::Heard => self.call.pause(*length).map(|()| false),
            Until::Key => self.call.pause_until_key(*length),
            Until::Answer(listening) => self.call.pause_until_answer(*length, listening),
        }
    }
}

/// Why nothing was heard of a `<Play>`; none of what was heard, and of other prompts.
pub(super) fn fault_of_end(end: &PlaybackEnd, prompt: &Prompt) -> Option<Fault> {
    let (PlaybackEnd::Failed(why), Prompt::Play { .. }) = (end, prompt) else {
        return None;
    };
    let code = match NO_AUDIO.iter().any(|words| why.contains(words)) {
        true => PLAY_CONTENT,
        false => RETRIEVAL_FAILED,
    };
    Some(Fault::new(code, format!("Play: {why}")))
}

/// What a `<Play>` names. A document without a URL may name a file of the tenant's media folder.
fn source(url: &str, document: &Document) -> Option<MediaSource> {
    let target = match &document.url {
        Some(base) => resolve(base, url),
        None if url.contains("://") => url.to_owned(),
        None => return Some(MediaSource::File(url.to_owned())),
    };
    is_web_url(&target).then_some(MediaSource::Url(target))
}
