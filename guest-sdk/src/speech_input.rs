//! What the other side says, in words.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use crate::digits::Entry;
use crate::inbox::Inbox;
use crate::{
    Call, CallError, Digits, ListeningId, ListeningRequest, PartialWords, SpeechEnd, SpeechEvent,
    Words, warn,
};

/// Sounds in which no word is understood are listened past this often.
const MOST_SOUNDS: u32 = 3;

impl ListeningRequest {
    /// Listens for a language (BCP 47, such as `en-US`). A second of silence ends what is said, a minute is the most of it.
    ///
    /// ```
    /// use jackfield_guest::ListeningRequest;
    ///
    /// let yes_or_no = ListeningRequest::new("en-US").hint("yes").hint("no");
    /// ```
    #[must_use]
    pub fn new(language: impl Into<String>) -> Self {
        Self {
            language: language.into(),
            hints: Vec::new(),
            end_silence_ms: None,
            max_speech_ms: 60_000,
            partial_results: false,
            model: None,
            profanity_filter: true,
        }
    }

    /// A word or phrase that is to be expected. Some recognisers understand nothing else where one is named.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// So much silence ends what is said.
    #[must_use]
    pub fn end_silence(mut self, silence: Duration) -> Self {
        self.end_silence_ms = Some(u32::try_from(silence.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Words are told as they are said, too.
    #[must_use]
    pub fn with_partial_results(mut self) -> Self {
        self.partial_results = true;
        self
    }
}

impl Words {
    /// How sure the recogniser is, 0 to 1; none where it does not say.
    #[must_use]
    pub fn confidence(&self) -> Option<f32> {
        self.confidence_permille
            .map(|permille| f32::from(permille) / 1_000.0)
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Neither a word nor a key.
    Nothing,
    /// These keys were pressed.
    Keys(String),
    /// These words were said.
    Words(Words),
}

impl Answer {
    pub(crate) fn of_keys(keys: String) -> Self {
        match keys.is_empty() {
            true => Self::Nothing,
            false => Self::Keys(keys),
        }
    }

    /// The words that were said, if any were.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Words(words) => Some(&words.text),
            Self::Nothing | Self::Keys(_) => None,
        }
    }
}

/// A listening that is under way. Made by [`Call::listen`]. Dropping it ends it.
pub struct Listening<'a> {
    call: &'a Call,
    id: ListeningId,
    request: ListeningRequest,
    takes_keys: bool,
    is_over: Cell<bool>,
}

/// What somebody who waits for an answer notices.
enum Noticed {
    Key(char),
    Speech(SpeechEvent),
}

impl Listening<'_> {
    /// Keys are no answer: they are kept for the next gather.
    #[must_use]
    pub fn words_only(mut self) -> Self {
        self.takes_keys = false;
        self
    }

    /// Whether an answer waits, or begins to come.
    pub(crate) fn is_answered(&self, inbox: &Inbox) -> bool {
        self.takes_keys && inbox.has_key() || inbox.has_speech(self.id)
    }

    /// Waits until what is said is over: the words; none where none was understood, or the recogniser failed, which is logged.
    /// Keys pressed meanwhile are kept for the next gather.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<Option<Words>, CallError> {
        loop {
            if let SpeechEvent::Ended(end) = self.next()? {
                return Ok(self.words_of(end));
            }
        }
    }

    /// The next that becomes of it, for as long as it takes. After [`SpeechEvent::Ended`] there is nothing more.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn next(&self) -> Result<SpeechEvent, CallError> {
        let event = self.call.wait_for(|inbox| inbox.take_speech(self.id))?;
        self.note(&event);
        Ok(event)
    }

    /// Waits for the answer: words or keys, whichever begin first. `timeout` is the longest wait for the first of either and for each further key;
    /// who speaks has the time that the request gives. `partial` hears the words as they are said, where the request asks for them.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn answer(
        mut self,
        digits: Digits,
        timeout: Duration,
        mut partial: impl FnMut(&PartialWords),
    ) -> Result<Answer, CallError> {
        let call = self.call;
        let mut until = call.after(timeout);
        let mut sounds = 0;
        loop {
            let noticed = call.wait_until(until, |inbox| {
                let key = self.takes_keys.then(|| inbox.take_key()).flatten();
                let speech = || inbox.take_speech(self.id).map(Noticed::Speech);
                key.map(Noticed::Key).or_else(speech)
            })?;
            let event = match noticed {
                None => return Ok(Answer::Nothing),
                Some(Noticed::Key(key)) => {
                    drop(self);
                    return keys_from(call, key, digits, timeout);
                }
                Some(Noticed::Speech(event)) => event,
            };
            self.note(&event);
            match event {
                SpeechEvent::Began => until = None, // the host ends it
                SpeechEvent::Partial(words) => partial(&words),
                SpeechEvent::Ended(SpeechEnd::NotUnderstood) if sounds < MOST_SOUNDS => {
                    sounds += 1;
                    until = call.after(timeout);
                    self.again()?;
                }
                SpeechEvent::Ended(end) => match self.words_of(end) {
                    Some(words) => return Ok(Answer::Words(words)),
                    None if self.takes_keys => {
                        let keys = call.gather(digits, timeout)?;
                        return Ok(Answer::of_keys(keys));
                    }
                    None => return Ok(Answer::Nothing),
                },
            }
        }
    }

    fn again(&mut self) -> Result<(), CallError> {
        self.id = self.call.host().listen(self.request.clone())?;
        self.call.inbox().begin_listening(self.id);
        self.is_over.set(false);
        Ok(())
    }

    fn note(&self, event: &SpeechEvent) {
        self.is_over.set(matches!(event, SpeechEvent::Ended(_)));
    }

    fn words_of(&self, end: SpeechEnd) -> Option<Words> {
        match end {
            SpeechEnd::Heard(words) => Some(words),
            SpeechEnd::NotUnderstood | SpeechEnd::Stopped => None,
            SpeechEnd::Failed(why) => {
                warn!(self.call, "speech is not understood: {why}");
                None
            }
        }
    }
}

/// The keys from the first one on.
fn keys_from(
    call: &Call,
    first: char,
    digits: Digits,
    timeout: Duration,
) -> Result<Answer, CallError> {
    let mut entry = Entry::new(digits);
    let mut key = Some(first);
    while let Some(pressed) = key {
        if entry.press(pressed) {
            break;
        }
        key = call.wait_until(call.after(timeout), Inbox::take_key)?;
    }
    Ok(Answer::of_keys(entry.into_digits()))
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if !self.is_over.get() {
            // It may have ended unheard, and the call with it.
            let _ = self.call.host().stop_listening(self.id);
        }
    }
}

impl fmt::Debug for Listening<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Listening")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Call {
    /// Begins to listen. The story may go on meanwhile; what is said waits for it.
    ///
    /// ```
    /// # use jackfield_guest::{Call, CallError, ListeningRequest, Rehearsal};
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// # call.answer()?;
    /// call.say("Tell us what you need.")?.finish()?;
    /// let said = call.listen(ListeningRequest::new("en-US"))?.finish()?;
    /// let said = said.map(|words| words.text).unwrap_or_default();
    /// call.say(format!("You said: {said}."))?.finish()?;
    /// # Ok(()) }
    /// # let caller = Rehearsal::new().says(3.0, "two blankets");
    /// # story(&Call::on(caller.clone())).unwrap();
    /// # assert_eq!(caller.transcript()[3], "say You said: two blankets.");
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer), [`CallError::Unsupported`] where no recogniser is configured,
    /// [`CallError::InvalidArgument`] for what is out of its range, [`CallError::LimitReached`] while another one is under way.
    pub fn listen(&self, request: ListeningRequest) -> Result<Listening<'_>, CallError> {
        let id = self.host().listen(request.clone())?;
        self.inbox().begin_listening(id);
        Ok(Listening {
            call: self,
            id,
            request,
            takes_keys: true,
            is_over: Cell::new(false),
        })
    }

    /// Waits for an answer in words or by keys, whichever begin first: keys that were typed ahead count. `timeout` is the longest wait
    /// for the first of either and for each further key. Without a recogniser it hears keys only, and warns in the log. To ask and
    /// listen in one, see [`Playback::ask`](crate::Playback::ask):
    ///
    /// ```
    /// # use jackfield_guest::{Answer, Call, CallError, Digits, ListeningRequest, Rehearsal};
    /// # use std::time::Duration;
    /// # fn story(call: &Call) -> Result<(), CallError> {
    /// # call.answer()?;
    /// let yes_or_no = ListeningRequest::new("en-US").hint("yes").hint("no");
    /// let question = call.say("Is the road open? Say yes or no, or press 1 or 2.")?;
    /// let is_open = match question.ask(yes_or_no, Digits::up_to(1), Duration::from_secs(5))? {
    ///     Answer::Words(words) => words.text == "yes",
    ///     Answer::Keys(keys) => keys == "1",
    ///     Answer::Nothing => return call.hang_up(),
    /// };
    /// # assert!(is_open);
    /// # Ok(()) }
    /// # let caller = Rehearsal::new().says(1.0, "yes");
    /// # story(&Call::on(caller.clone())).unwrap();
    /// # assert_eq!(caller.transcript().last().unwrap(), "stop");
    /// ```
    ///
    /// # Errors
    /// Those of [`listen`](Self::listen) but [`CallError::Unsupported`]; [`CallError::HungUp`] when the call ends first.
    pub fn ask(
        &self,
        request: ListeningRequest,
        digits: Digits,
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        match self.listen_if_possible(request)? {
            Some(listening) => listening.answer(digits, timeout, |_| {}),
            None => Ok(Answer::of_keys(self.gather(digits, timeout)?)),
        }
    }

    /// Lets time pass until an answer comes. True when one did, or begins to; it is kept for [`Listening::answer`].
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn pause_until_answer(
        &self,
        duration: Duration,
        listening: &Listening<'_>,
    ) -> Result<bool, CallError> {
        let answered = self.wait_until(self.after(duration), |inbox| {
            listening.is_answered(inbox).then_some(())
        })?;
        Ok(answered.is_some())
    }

    /// None, with a warning, where nobody understands speech.
    pub(crate) fn listen_if_possible(
        &self,
        request: ListeningRequest,
    ) -> Result<Option<Listening<'_>>, CallError> {
        match self.listen(request) {
            Ok(listening) => Ok(Some(listening)),
            Err(CallError::Unsupported(why)) => {
                warn!(self, "only keys are heard: {why}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
