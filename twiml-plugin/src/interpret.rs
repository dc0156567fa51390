//! Runs documents on a call, one after the other.

mod detection;
mod dial;
mod gather;
mod hand_over;
mod message;
mod prompts;
mod record;
mod refer;
mod room;
mod streams;
mod transfer;
mod wait_document;
mod waiting;
mod whisper;

use std::collections::HashMap;
use std::iter;
use std::time::Duration;

use jackfield_guest::{
    Call, CallError, Direction, Playback, Recording, RejectReason, Stream, error, warn,
};

use crate::document::Document;
use crate::documents::{Documents, Stop};
use crate::fault::{Fault, VERB_UNSUPPORTED};
use crate::fetch::{CallStatus, Parameter};
use crate::verb::{Link, Prompt, Verb};

use prompts::Until;

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
            match interpreter.is_for_who_waited() {
                true => Ok(()), // on to who serves them
                false => interpreter.apologise(),
            }
        }
        Ok(()) => Ok(()),
    }
}

/// A pause as any other.
const A_WHILE: Duration = Duration::from_secs(3600);

/// Where the call goes after a document.
enum Next {
    Fetch(Link, Vec<Parameter>),
    Perform(Document),
    HangUp,
    /// It was turned away, or a whisper is over: nothing is to be hung up.
    Nowhere,
}

struct Interpreter<'a> {
    call: &'a Call,
    answered: bool,
    /// Another call's story dialled this one, or serves its queue: its documents are heard before the two are joined.
    is_whisper: bool,
    documents: Documents<'a>,
    /// The streams that have a name.
    streams: HashMap<String, Stream<'a>>,
    /// Those of `<Start>` that these documents have not stopped.
    recordings: Vec<Recording<'a>>,
    /// How many texts it has sent.
    messages: u16,
}

impl<'a> Interpreter<'a> {
    fn new(call: &'a Call) -> Self {
        Self {
            call,
            answered: call.info().direction != Direction::Inbound
                || call.setting("is-answered").is_some(),
            is_whisper: call.setting("is-whisper").is_some()
                || (call.info().direction == Direction::OutboundDial
                    && call.setting("is-own").is_none()),
            documents: Documents::of(call),
            streams: HashMap::new(),
            recordings: Vec::new(),
            messages: 0,
        }
    }

    /// The documents are heard by one who waited in a queue, before who serves them.
    fn is_for_who_waited(&self) -> bool {
        self.is_whisper && self.call.info().direction != Direction::OutboundDial
    }

    fn run(&mut self) -> Result<(), Stop> {
        let parameters = self.who_answered()?;
        if let Some(keys) = self.call.setting("send-digits") {
            self.call.press(keys)?.finish()?;
        }
        let mut document = self.documents.first(self.status(), parameters)?;
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
                Next::Perform(next) => document = next,
                Next::HangUp => {
                    self.answer()?; // only Reject leaves a call unanswered
                    return Ok(self.call.hang_up()?);
                }
                Next::Nowhere => return Ok(()),
            }
        }
    }

    fn perform(&mut self, document: &Document) -> Result<Next, Stop> {
        let heard = self.heard_in_whisper(document);
        let mut verbs = heard.as_deref().unwrap_or(&document.verbs);
        if let [Verb::Prompt(Prompt::Pause(length)), rest @ ..] = verbs
            && !self.answered
        {
            self.call.pause(*length)?;
            verbs = rest;
        }
        while let [verb, rest @ ..] = verbs {
            verbs = rest;
            match verb {
                Verb::Prompt(first) => {
                    self.answer()?;
                    let following = rest.iter().map_while(Verb::prompt);
                    let prompts: Vec<&Prompt> = iter::once(first).chain(following).collect();
                    verbs = &rest[prompts.len() - 1..];
                    self.play(&prompts, document, Until::Heard)?;
                }
                Verb::Gather(gather) => {
                    self.answer()?;
                    if let Some(parameters) = self.gather(gather, document)? {
                        return Ok(Next::Fetch(gather.action.clone(), parameters));
                    }
                }
                Verb::Dial(dial) => {
                    if let Some(next) = self.dial(dial, document)? {
                        return Ok(next);
                    }
                }
                Verb::Record(record) => {
                    self.answer()?;
                    if let Some(parameters) = self.record(record, document)? {
                        return Ok(Next::Fetch(record.action.clone(), parameters));
                    }
                }
                Verb::Refer(refer) => {
                    self.answer()?;
                    if let Some(next) = self.refer(refer, document)? {
                        return Ok(next);
                    }
                }
                Verb::Message(message) => {
                    self.answer()?;
                    if let Some(next) = self.send_message(message, document)? {
                        return Ok(next);
                    }
                }
                Verb::Redirect(link) => {
                    return match hand_over::component(&link.url) {
                        Some(next) => Err(self.hand_over(next)),
                        None => Ok(Next::Fetch(link.clone(), Vec::new())),
                    };
                }
                Verb::Reject(reason) => return Ok(self.reject(*reason)?),
                Verb::Hangup | Verb::Leave => return Ok(Next::HangUp),
                Verb::Echo => {
                    self.answer()?;
                    self.call.echo(true)?;
                    self.until_the_end()?;
                }
                Verb::Room(dial) => {
                    self.answer()?;
                    if let Some(next) = self.dial_room(dial, document)? {
                        return Ok(next);
                    }
                }
                Verb::Enqueue(enqueue) => {
                    self.answer()?;
                    if let Some(next) = self.enqueue(enqueue, document)? {
                        return Ok(next);
                    }
                }
                Verb::StartStream(stream) => {
                    self.answer()?;
                    self.start_stream(stream, document)?;
                }
                Verb::StartRecording(options) => {
                    self.answer()?;
                    self.start_recording(options, document)?;
                }
                Verb::StopRecording => self.stop_recording()?,
                Verb::StopStream(name) => self.stop_stream(name)?,
                Verb::Connect { stream, action } => {
                    self.answer()?;
                    self.connect(stream, document)?;
                    if let Some(action) = action {
                        return Ok(Next::Fetch(action.clone(), Vec::new()));
                    }
                }
                Verb::Unsupported(name) => {
                    let message = format!("<{name}> is not supported yet");
                    return Err(Fault::new(VERB_UNSUPPORTED, message).into());
                }
            }
        }
        Ok(match self.is_whisper {
            true => Next::Nowhere, // on to the caller
            false => Next::HangUp,
        })
    }

    /// Waits for the hang-up, or for other documents.
    fn until_the_end(&self) -> Result<(), CallError> {
        loop {
            self.call.pause(A_WHILE)?;
        }
    }

    /// Turns the call away, where that still can be done.
    fn reject(&mut self, reason: RejectReason) -> Result<Next, CallError> {
        if self.answered {
            return Ok(Next::HangUp);
        }
        self.call.reject(reason)?;
        Ok(Next::Nowhere)
    }

    fn status(&self) -> CallStatus {
        match (self.answered, self.call.hang_up_cause()) {
            (true, Some(_)) => CallStatus::Completed,
            (true, None) => CallStatus::InProgress,
            (false, _) => CallStatus::Ringing,
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

#[cfg(test)]
mod tests;
