//! Prompts one after the other: the next one is made ready while one is heard, so that they join without a gap.

use std::collections::VecDeque;

use jackfield_guest::{CallError, MediaSource, Playback, warn};

use super::Interpreter;
use crate::document::Document;
use crate::fault::INVALID_URL;
use crate::reference::{is_web_url, resolve};
use crate::verb::Prompt;

/// Prompts that are queued at a time: the one that is heard, and the next one.
const QUEUED: usize = 2;

impl<'c> Interpreter<'c> {
    /// Lets prompts be heard to their end, or until a key if they are to listen. A key stops them all.
    pub(super) fn play(
        &self,
        prompts: &[&Prompt],
        document: &Document,
        listening: bool,
    ) -> Result<(), CallError> {
        let mut waiting = prompts.iter().copied().peekable();
        let mut queued = VecDeque::new();
        loop {
            while queued.len() < QUEUED
                && let Some(prompt) = waiting.next_if(|prompt| !matches!(prompt, Prompt::Pause(_)))
            {
                queued.extend(self.queue(prompt, document)?);
            }
            let pressed = match (queued.pop_front(), listening) {
                (Some(playback), true) => playback.until_key()?,
                (Some(playback), false) => playback.finish().map(|_| false)?,
                (None, _) => match waiting.next() {
                    Some(prompt) => self.pause(prompt, listening)?,
                    None => return Ok(()),
                },
            };
            if pressed {
                return queued.into_iter().try_for_each(Playback::stop);
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

    fn pause(&self, prompt: &Prompt, listening: bool) -> Result<bool, CallError> {
        match prompt {
            Prompt::Pause(length) if listening => self.call.pause_until_key(*length),
            Prompt::Pause(length) => self.call.pause(*length).map(|()| false),
            Prompt::Say { .. } | Prompt::Play { .. } | Prompt::Keys(_) => Ok(false),
        }
    }
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
