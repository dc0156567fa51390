//! A question to somebody who waits in a queue.

use jackfield_guest::Queue;

use super::Interpreter;
use super::wait_document::Warned;
use crate::document::Document;
use crate::documents::Stop;
use crate::fetch::Parameter;
use crate::verb::{Gather, Prompt};

/// What came of it.
pub(super) enum Asked {
    /// What is sent to `action`.
    Answered(Vec<Parameter>),
    /// The document goes on.
    Nothing,
    /// Somebody came, or the waiting is over.
    Over,
}

impl Interpreter<'_> {
    /// Asks, as long as nobody comes. Only keys answer.
    pub(super) fn gather_waiting(
        &mut self,
        queue: &Queue<'_>,
        gather: &Gather,
        document: &Document,
        warned: &mut Warned,
    ) -> Result<Asked, Stop> {
        self.call.clear_digits()?; // what was pressed before the question is no answer to it
        for prompt in &gather.prompts {
            if !self.ask_waiting(queue, prompt, gather.barge_in, document, warned)? {
                return Ok(Asked::Over);
            }
        }
        let Some(digits) = queue.gather(gather.digits.clone(), gather.timeout)? else {
            return Ok(Asked::Over);
        };
        if digits.is_empty() && !gather.action_on_empty_result {
            return Ok(Asked::Nothing);
        }
        self.documents.heard_a_key();
        Ok(Asked::Answered(vec![("Digits", digits)]))
    }

    /// False when somebody came meanwhile, or the waiting is over.
    fn ask_waiting(
        &self,
        queue: &Queue<'_>,
        prompt: &Prompt,
        barge_in: bool,
        document: &Document,
        warned: &mut Warned,
    ) -> Result<bool, Stop> {
        if let Prompt::Pause(length) = prompt {
            return Ok(queue.still_waits(*length)?);
        }
        let Some(playback) = self.queue(prompt, document)? else {
            return Ok(true);
        };
        let end = match barge_in {
            true => queue.ask(playback)?,
            false => queue.hear(playback)?,
        };
        if let Some(end) = &end {
            self.warn_of_end(warned, end, prompt);
        }
        Ok(end.is_some())
    }
}
