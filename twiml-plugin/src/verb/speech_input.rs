//! The attributes of `<Gather>` that are about speech.

use jackfield_guest::ListeningRequest;

use super::attribute::{at_least_one, boolean};
use super::{Link, Reading};
use crate::fault::{
    GATHER_HINTS, GATHER_LANGUAGE, GATHER_MAX_SPEECH_TIME, GATHER_PARTIAL_METHOD,
    GATHER_PROFANITY_FILTER, GATHER_SPEECH_MODEL, GATHER_SPEECH_TIMEOUT,
};
use crate::parse::Element;

/// What may be asked of a listening: hints, and the characters of a hint, a language and a model.
const MAX_HINTS: usize = 500;
const MAX_HINT_CHARS: usize = 100;
const MAX_LANGUAGE_CHARS: usize = 35;
const MAX_MODEL_CHARS: usize = 64;
/// Silence and speech of more seconds than this are not waited for.
const MAX_SECONDS: u32 = 60;

/// How a `<Gather>` listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpeechInput {
    pub(crate) request: ListeningRequest,
    /// Where the words go while they are said.
    pub(crate) partial: Option<Link>,
    /// Keys are an answer too.
    pub(crate) or_keys: bool,
}

impl Reading {
    /// `timeout_s` of the `<Gather>` is its default for the silence at the end.
    pub(super) fn speech_input(
        &mut self,
        element: &Element,
        timeout_s: u32,
        or_keys: bool,
    ) -> SpeechInput {
        let partial = element.attribute("partialResultCallback");
        let partial = partial.map(str::trim).filter(|url| !url.is_empty());
        let partial = partial.map(|url| Link {
            url: url.to_owned(),
            method: self.method_named(
                element,
                "partialResultCallbackMethod",
                GATHER_PARTIAL_METHOD,
            ),
        });
        let named = |most: usize| {
            move |text: &str| {
                (1..=most)
                    .contains(&text.chars().count())
                    .then(|| text.to_owned())
            }
        };
        let language = self.value(
            element,
            "language",
            "en-US".to_owned(),
            GATHER_LANGUAGE,
            named(MAX_LANGUAGE_CHARS),
        );
        let model = self.value(element, "speechModel", None, GATHER_SPEECH_MODEL, |text| {
            named(MAX_MODEL_CHARS)(text).map(Some)
        });
        let request = ListeningRequest {
            hints: self.hints(element),
            end_silence_ms: self.end_silence(element, timeout_s),
            max_speech_ms: 1_000 * self.max_speech(element),
            partial_results: partial.is_some(),
            model: model.filter(|model| model != "default"),
            profanity_filter: self.value(
                element,
                "profanityFilter",
                true,
                GATHER_PROFANITY_FILTER,
                boolean,
            ),
            ..ListeningRequest::new(language)
        };
        SpeechInput {
            request,
            partial,
            or_keys,
        }
    }

    fn hints(&mut self, element: &Element) -> Vec<String> {
        let hints = element.attribute("hints").unwrap_or_default();
        let hints = hints.split(',').map(str::trim);
        let (mut fitting, long): (Vec<&str>, Vec<&str>) = hints
            .filter(|hint| !hint.is_empty())
            .partition(|hint| hint.chars().count() <= MAX_HINT_CHARS);
        if fitting.len() > MAX_HINTS || !long.is_empty() {
            let message = format!(
                "Gather: {MAX_HINTS} hints of {MAX_HINT_CHARS} characters each are taken, the others are left out"
            );
            self.warn(GATHER_HINTS, message);
        }
        fitting.truncate(MAX_HINTS);
        fitting.into_iter().map(str::to_owned).collect()
    }

    /// None lets the host choose: `auto`.
    fn end_silence(&mut self, element: &Element, timeout_s: u32) -> Option<u32> {
        let default = Some(timeout_s);
        let code = GATHER_SPEECH_TIMEOUT;
        let seconds = self.value(element, "speechTimeout", default, code, |text| match text {
            "auto" => Some(None),
            number => at_least_one(number).map(Some),
        });
        seconds.map(|seconds| 1_000 * seconds.min(MAX_SECONDS))
    }

    fn max_speech(&mut self, element: &Element) -> u32 {
        let (default, code) = (MAX_SECONDS, GATHER_MAX_SPEECH_TIME);
        let seconds = self.value(element, "maxSpeechTime", default, code, at_least_one);
        seconds.min(MAX_SECONDS)
    }
}
