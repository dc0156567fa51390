//! `<Gather>`: a question, and the answer to it by keys or in words.

use jackfield_guest::{Answer, CallError, Listening, PartialWords, Words, warn};

use super::Interpreter;
use super::prompts::Until;
use crate::document::Document;
use crate::fault::GATHER_INPUT;
use crate::fetch::Parameter;
use crate::verb::{Gather, Prompt, SpeechInput};

impl<'c> Interpreter<'c> {
    /// What is sent to `action`; none when the document goes on.
    pub(super) fn gather(
        &mut self,
        gather: &Gather,
        document: &Document,
    ) -> Result<Option<Vec<Parameter>>, CallError> {
        self.call.clear_digits()?; // what was pressed before the question is no answer to it
        let answer = match &gather.speech {
            Some(speech) => self.ask(gather, speech, document)?,
            None => self.ask_for_keys(gather, document)?,
        };
        let words_only = gather.speech.as_ref().filter(|speech| !speech.or_keys);
        let parameters = match answer {
            Answer::Nothing => {
                let name = words_only.map_or("Digits", |_| "SpeechResult");
                let nothing = vec![(name, String::new())];
                return Ok(gather.action_on_empty_result.then_some(nothing));
            }
            Answer::Keys(digits) => vec![("Digits", digits)],
            Answer::Words(words) => said(words, gather.speech.as_ref()),
        };
        self.documents.heard_a_key();
        Ok(Some(parameters))
    }

    fn ask_for_keys(&self, gather: &Gather, document: &Document) -> Result<Answer, CallError> {
        let until = if gather.barge_in {
            Until::Key
        } else {
            Until::Heard
        };
        self.play_all(gather, document, until)?;
        self.keys(gather)
    }

    fn keys(&self, gather: &Gather) -> Result<Answer, CallError> {
        let digits = self.call.gather(gather.digits.clone(), gather.timeout)?;
        Ok(match digits.is_empty() {
            true => Answer::Nothing,
            false => Answer::Keys(digits),
        })
    }

    /// Words that are to be heard out are not spoken over: where nobody may barge in, the listening begins behind the prompts.
    fn ask(
        &self,
        gather: &Gather,
        speech: &SpeechInput,
        document: &Document,
    ) -> Result<Answer, CallError> {
        if !gather.barge_in {
            self.play_all(gather, document, Until::Heard)?;
        }
        let Some(listening) = self.listen(speech)? else {
            return match gather.barge_in {
                true => self.ask_for_keys(gather, document),
                false => self.keys(gather),
            };
        };
        if gather.barge_in {
            self.play_all(gather, document, Until::Answer(&listening))?;
        }
        let mut sequence = 0_u32;
        listening.answer(gather.digits.clone(), gather.timeout, |words| {
            if let Some(callback) = &speech.partial {
                let parameters = so_far(words, sequence, speech);
                let base = document.url.as_deref();
                self.documents
                    .tell(callback, base, parameters, self.status());
            }
            sequence += 1;
        })
    }

    fn play_all(
        &self,
        gather: &Gather,
        document: &Document,
        until: Until<'_>,
    ) -> Result<(), CallError> {
        let prompts: Vec<&Prompt> = gather.prompts.iter().collect();
        self.play(&prompts, document, until)
    }

    /// None where only keys can be heard.
    fn listen(&self, speech: &SpeechInput) -> Result<Option<Listening<'c>>, CallError> {
        match self.call.listen(speech.request.clone()) {
            Ok(listening) if speech.or_keys => Ok(Some(listening)),
            Ok(listening) => Ok(Some(listening.words_only())),
            Err(CallError::HungUp) => Err(CallError::HungUp),
            Err(error) => {
                warn!(
                    self.call,
                    "{GATHER_INPUT} Gather: only keys are heard: {error}"
                );
                Ok(None)
            }
        }
    }
}

fn said(words: Words, speech: Option<&SpeechInput>) -> Vec<Parameter> {
    let confidence = words
        .confidence_permille
        .map(|permille| format!("{:?}", f64::from(permille) / 1_000.0));
    let language = speech.map(|speech| speech.request.language.clone());
    let mut parameters = vec![("SpeechResult", words.text)];
    parameters.extend(confidence.map(|confidence| ("Confidence", confidence)));
    parameters.extend(language.map(|language| ("Language", language)));
    parameters
}

fn so_far(words: &PartialWords, sequence: u32, speech: &SpeechInput) -> Vec<Parameter> {
    vec![
        ("StableSpeechResult", words.stable.clone()),
        ("UnstableSpeechResult", words.unstable.clone()),
        ("SequenceNumber", sequence.to_string()),
        ("Language", speech.request.language.clone()),
    ]
}
