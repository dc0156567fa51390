//! Runs documents on a call, one after the other.

use std::time::Duration;

use jackfield_guest::{
    Call, CallError, Direction, HttpMethod, MediaSource, Playback, RejectReason, Response, debug,
    error, warn,
};

use crate::document::Document;
use crate::fault::{Fault, INVALID_URL, TOO_MANY_REDIRECTS, VERB_UNSUPPORTED};
use crate::fetch::{CallStatus, Parameter, fault_of, form, parameters_of, request};
use crate::reference::{is_web_url, resolve, without_query};
use crate::verb::{Gather, Link, Prompt, Verb};

/// A caller who presses nothing hears no more documents than this.
const MOST_DOCUMENTS: u32 = 100;
/// Between two fetches of the same URL.
const SPACING: Duration = Duration::from_millis(100);

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

/// Why a document goes no further.
enum Stop {
    /// The call is over, or refuses what every call must be able to do.
    Call(CallError),
    /// The document, or the next one, is at fault. The caller does not yet know.
    Fault(Fault),
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
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
    /// Documents since the caller last pressed a key.
    documents: u32,
    last_fetch: Option<(String, Duration)>,
}

impl<'a> Interpreter<'a> {
    fn new(call: &'a Call) -> Self {
        Self {
            call,
            answered: call.info().direction != Direction::Inbound,
            documents: 0,
            last_fetch: None,
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        let mut document = self.first()?;
        loop {
            for warning in &document.warnings {
                warn!(self.call, "{warning}");
            }
            match self.perform(&document)? {
                Next::Fetch(link, parameters) => {
                    document = self.follow(&link, document.url.as_deref(), parameters)?;
                }
                Next::HangUp => {
                    self.answer()?; // only Reject leaves a call unanswered
                    return Ok(self.call.hang_up()?);
                }
                Next::Nowhere => return Ok(()),
            }
        }
    }

    fn first(&mut self) -> Result<Document, Stop> {
        if let Some(url) = self.call.setting("voice-url") {
            let method = self.method("voice-method");
            return self.follow(&Link { url, method }, None, Vec::new());
        }
        let Some(twiml) = self.call.setting("twiml") else {
            let message = "neither the setting voice-url nor twiml is there: nothing to run";
            return Err(Fault::new(INVALID_URL, message).into());
        };
        match Document::inline(twiml.as_bytes()) {
            Ok(document) => Ok(document),
            Err(fault) => self.fall_back(fault, None),
        }
    }

    /// The method that a setting names. Twilio's API has checked it where it came through there.
    fn method(&self, setting: &str) -> HttpMethod {
        match self.call.setting(setting) {
            Some(method) if method.eq_ignore_ascii_case("GET") => HttpMethod::Get,
            _ => HttpMethod::Post,
        }
    }

    /// The document behind a link, or the fallback's in its place.
    fn follow(
        &mut self,
        link: &Link,
        base: Option<&str>,
        parameters: Vec<Parameter>,
    ) -> Result<Document, Stop> {
        let url = base.map_or_else(|| link.url.clone(), |base| resolve(base, &link.url));
        match self.fetch(link.method, &url, parameters)? {
            Ok(document) => Ok(document),
            Err(fault) => self.fall_back(fault, Some(url)),
        }
    }

    fn fall_back(&mut self, fault: Fault, url: Option<String>) -> Result<Document, Stop> {
        let Some(fallback) = self.call.setting("fallback-url") else {
            return Err(fault.into());
        };
        error!(self.call, "{fault}");
        let mut parameters = vec![("ErrorCode", fault.code.to_string())];
        parameters.extend(url.map(|url| ("ErrorUrl", url)));
        let method = self.method("fallback-method");
        Ok(self.fetch(method, &fallback, parameters)??)
    }

    fn fetch(
        &mut self,
        method: HttpMethod,
        url: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Result<Document, Fault>, CallError> {
        if !is_web_url(url) {
            let message = format!("{url:?} is not an http or https URL");
            return Ok(Err(Fault::new(INVALID_URL, message)));
        }
        self.documents += 1;
        if self.documents > MOST_DOCUMENTS {
            let message = format!("{MOST_DOCUMENTS} documents without a key from the caller");
            return Ok(Err(Fault::new(TOO_MANY_REDIRECTS, message).of(url)));
        }
        self.space_out(url)?;
        let status = match self.answered {
            true => CallStatus::InProgress,
            false => CallStatus::Ringing,
        };
        let mut all = parameters_of(self.call.info(), status);
        all.extend(parameters);
        let form = form(&all);
        let document = match self.call.http(request(method, url, &form))? {
            Ok(response) => Document::fetched(&Response {
                url: without_query(&response.url, &form),
                ..response
            }),
            Err(error) => Err(fault_of(&error, url)),
        };
        if let Ok(document) = &document {
            debug!(self.call, "{url}: {} verbs", document.verbs.len());
        }
        Ok(document)
    }

    /// Waits until the same URL may be fetched again.
    fn space_out(&mut self, url: &str) -> Result<(), CallError> {
        if let Some((last, at)) = &self.last_fetch
            && last == url
        {
            let since = self.call.elapsed().saturating_sub(*at);
            self.call.pause(SPACING.saturating_sub(since))?;
        }
        self.last_fetch = Some((url.to_owned(), self.call.elapsed()));
        Ok(())
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
            self.documents = 0;
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
