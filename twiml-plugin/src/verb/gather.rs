//! `<Gather>`: prompts, and how an answer to them ends.

use std::time::Duration;

use jackfield_guest::Digits;

use super::attribute::{at_least_one, boolean};
use super::{Link, Prompt, Reading, SpeechInput};
use crate::fault::{
    GATHER_ACTION_ON_EMPTY_RESULT, GATHER_BARGE_IN, GATHER_FINISH_ON_KEY, GATHER_INPUT,
    GATHER_METHOD, GATHER_NESTED_VERB, GATHER_NUM_DIGITS, GATHER_TIMEOUT, NOT_IN_SCHEMA,
};
use crate::parse::Element;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gather {
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) action: Link,
    /// The longest wait for each key, from the end of the prompts.
    pub(crate) timeout: Duration,
    pub(crate) digits: Digits,
    /// Where words are an answer.
    pub(crate) speech: Option<SpeechInput>,
    pub(crate) action_on_empty_result: bool,
    /// Whether the answer stops the prompts.
    pub(crate) barge_in: bool,
}

const ATTRIBUTES: [&str; 18] = [
    "action",
    "actionOnEmptyResult",
    "bargeIn",
    "debug",
    "enhanced",
    "finishOnKey",
    "hints",
    "input",
    "language",
    "maxSpeechTime",
    "method",
    "numDigits",
    "partialResultCallback",
    "partialResultCallbackMethod",
    "profanityFilter",
    "speechModel",
    "speechTimeout",
    "timeout",
];

impl Reading {
    pub(super) fn gather(&mut self, element: &Element) -> Gather {
        self.know(element, &ATTRIBUTES);
        self.without_effect(element, &["debug", "enhanced"]);
        let (takes_keys, takes_words) = self.input(element);
        let timeout = self.value(element, "timeout", 5, GATHER_TIMEOUT, at_least_one);
        let empty = GATHER_ACTION_ON_EMPTY_RESULT;
        Gather {
            action: Link {
                url: element
                    .attribute("action")
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
                method: self.method(element, GATHER_METHOD),
            },
            timeout: Duration::from_secs(u64::from(timeout)),
            digits: self.digits(element),
            speech: takes_words.then(|| self.speech_input(element, timeout, takes_keys)),
            action_on_empty_result: self.value(
                element,
                "actionOnEmptyResult",
                false,
                empty,
                boolean,
            ),
            barge_in: self.value(element, "bargeIn", true, GATHER_BARGE_IN, boolean),
            prompts: self.prompts(element),
        }
    }

    /// Whether keys are an answer, and whether words are.
    fn input(&mut self, element: &Element) -> (bool, bool) {
        self.value(element, "input", (true, false), GATHER_INPUT, |input| {
            let kinds: Vec<&str> = input.split_whitespace().collect();
            let is_known = |kind: &&str| matches!(*kind, "dtmf" | "speech");
            let is_fine = !kinds.is_empty() && kinds.iter().all(is_known);
            is_fine.then(|| (kinds.contains(&"dtmf"), kinds.contains(&"speech")))
        })
    }

    fn digits(&mut self, element: &Element) -> Digits {
        let count = self.value(element, "numDigits", None, GATHER_NUM_DIGITS, |number| {
            at_least_one(number).map(Some)
        });
        let digits = match count.and_then(|count| usize::try_from(count).ok()) {
            Some(count) => Digits::up_to(count),
            None => Digits::any(),
        };
        let finishing = self.value(
            element,
            "finishOnKey",
            "#".to_owned(),
            GATHER_FINISH_ON_KEY,
            |keys| {
                let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
                keys.chars().all(is_key).then(|| keys.to_owned())
            },
        );
        finishing.chars().fold(digits, Digits::until)
    }

    fn prompts(&mut self, element: &Element) -> Vec<Prompt> {
        if !element.text().is_empty() {
            self.warn(NOT_IN_SCHEMA, "Gather: text outside of a verb is ignored");
        }
        let mut prompts = Vec::new();
        for inner in element.elements() {
            match self.prompt(inner) {
                Some(prompt) => prompts.extend(prompt),
                None => {
                    let message =
                        format!("Gather: <{}> cannot be in it, and is ignored", inner.name);
                    self.warn(GATHER_NESTED_VERB, message);
                }
            }
        }
        prompts
    }
}
