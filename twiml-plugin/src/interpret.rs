//! Runs documents on a call, one after the other.

use jackfield_guest::{
    Call, CallError, Direction, MediaSource, Playback, RejectReason, error, warn,
};

use crate::document::Document;
use crate::documents::{Documents, Stop};
use crate::fault::{Fault, INVALID_URL, VERB_UNSUPPORTED};
use crate::fetch::{CallStatus, Parameter};
use crate::reference::{is_web_url, resolve};
use crate::verb::{Gather, Link, Prompt, Verb};

const APOLOGY: &str = "An application error has occurred. Goodbye.";

/// Runs the call that the settings describe.
///
/// # Errors
/// [`CallError::HungUp`] when the call ends first, and what the host refuses of answering and hanging up.
pub(crate) fn run(call: &Call) -> Result<(), CallError> {
    let mut interpreter = Interpreter::new(call);
    match interpreter.run() {
        Err(Stop::Call(error)) => Err(error),
        Err(Stop::Fault(fault)) => {
            error!(call, "{fault}");
            interpreter.apologise()
        }
        Ok(()) => Ok(()),
    }
}

/// Where the call goes after a document.
enum Next {
    Fetch(Link, Vec<Parameter>),
    HangUp,
    /// It was turned away: nothing is left to hang up.
    Nowhere,
}

struct Interpreter<'a> {
    call: &'a Call,
    answered: bool,
    documents: Documents<'a>,
}

impl<'a> Interpreter<'a> {
    fn new(call: &'a Call) -> Self {
        Self {
            call,
            answered: call.info().direction != Direction::Inbound,
            documents: Documents::of(call),
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        let mut document = self.documents.first(self.status())?;
        loop {
            for warning in &document.warnings {
                warn!(self.call, "{warning}");
            }
            match self.perform(&document)? {
                Next::Fetch(link, parameters) => {
                    let (base, status) = (document.url.as_deref(), self.status());
                    let next = self.documents.follow(&link, base, parameters, status)?;
                    document = next;
                }
                Next::HangUp => {
                    self.answer()?; // only Reject leaves a call unanswered
                    return Ok(self.call.hang_up()?);
                }
                Next::Nowhere => return Ok(()),
            }
        }
    }

    fn perform(&mut self, document: &Document) -> Result<Next, Stop> {
        for (index, verb) in document.verbs.iter().enumerate() {
            match verb {
                Verb::Prompt(Prompt::Pause(length)) if index == 0 && !self.answered => {
                    self.call.pause(*length)?;
                }
                Verb::Prompt(prompt) => {
                    self.answer()?;
                    self.play(prompt, document, false)?;
                }
                Verb::Gather(gather) => {
                    self.answer()?;
                    if let Some(digits) = self.gather(gather, document)? {
                        let parameters = vec![("Digits", digits)];
                        return Ok(Next::Fetch(gather.action.clone(), parameters));
                    }
                }
                Verb::Redirect(link) => return Ok(Next::Fetch(link.clone(), Vec::new())),
                Verb::Reject(reason) => return Ok(self.reject(*reason)?),
                Verb::Hangup => return Ok(Next::HangUp),
                Verb::Unsupported(name) => {
                    let message = format!("<{name}> is not supported yet");
                    return Err(Fault::new(VERB_UNSUPPORTED, message).into());
                }
            }
        }
        Ok(Next::HangUp)
    }

    /// Turns the call away, where that still can be done.
    fn reject(&mut self, reason: RejectReason) -> Result<Next, CallError> {
        if self.answered {
            return Ok(Next::HangUp);
        }
        self.call.reject(reason)?;
        Ok(Next::Nowhere)
    }

    /// The digits to be sent to `action`; none when the document goes on.
    fn gather(
        &mut self,
        gather: &Gather,
        document: &Document,
    ) -> Result<Option<String>, CallError> {
        self.call.clear_digits()?; // what was pressed before the question is no answer to it
        for prompt in &gather.prompts {
            if self.play(prompt, document, gather.barge_in)? {
                break;
            }
        }
        let digits = self.call.gather(gather.digits.clone(), gather.timeout)?;
        if !digits.is_empty() {
            self.documents.heard_a_key();
        }
        Ok((!digits.is_empty() || gather.action_on_empty_result).then_some(digits))
    }

    /// Lets a prompt be heard to its end, or until a key if it is to listen. True when a key was pressed.
    fn play(
        &self,
        prompt: &Prompt,
        document: &Document,
        listening: bool,
    ) -> Result<bool, CallError> {
        let playback = match prompt {
            Prompt::Say { speech, loops } => self.call.say_times(speech.clone(), *loops),
            Prompt::Play { url, loops } => {
                let Some(source) = source(url, document) else {
                    warn!(
                        self.call,
                        "{INVALID_URL} Play: {url:?} is not an http or https URL"
                    );
                    return Ok(false);
                };
                self.call.play_times(source, *loops)
            }
            Prompt::Pause(length) if listening => return self.call.pause_until_key(*length),
            Prompt::Pause(length) => return self.call.pause(*length).map(|()| false),
        };
        match playback {
            Ok(playback) if listening => playback.until_key(),
            Ok(playback) => playback.finish().map(|_| false),
            Err(CallError::HungUp) => Err(CallError::HungUp),
            Err(error) => {
                warn!(self.call, "a prompt is left out: {error}");
                Ok(false)
            }
        }
    }

    fn status(&self) -> CallStatus {
        match self.answered {
            true => CallStatus::InProgress,
            false => CallStatus::Ringing,
        }
    }

    fn answer(&mut self) -> Result<(), CallError> {
        if !self.answered {
            self.call.answer()?;
            self.answered = true;
        }
        Ok(())
    }

    fn apologise(&mut self) -> Result<(), CallError> {
        self.answer()?;
        match self.call.say(APOLOGY).map(Playback::finish) {
            Ok(outcome) => outcome.map(drop)?,
            Err(CallError::HungUp) => return Err(CallError::HungUp),
            Err(error) => warn!(self.call, "the apology is left out: {error}"),
        }
        self.call.hang_up()
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

#[cfg(test)]
mod tests;
