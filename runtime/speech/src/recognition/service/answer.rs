//! Where the words are in what a service says.

use serde_json::Value;

use super::ServiceSettings;
use crate::recognition::Phrase;

/// Characters of one phrase that are taken.
const MAX_CHARACTERS: usize = 4_096;

/// JSON pointers (RFC 6901).
#[derive(Debug)]
pub(super) struct Pointers {
    text: String,
    partial: Option<String>,
    is_final: Option<String>,
    confidence: Option<String>,
}

impl Pointers {
    /// # Errors
    /// Names the key that is no pointer.
    pub(super) fn of(settings: &ServiceSettings) -> Result<Self, String> {
        let named = [
            ("text", Some(&settings.text)),
            ("partial", settings.partial.as_ref()),
            ("is_final", settings.is_final.as_ref()),
            ("confidence", settings.confidence.as_ref()),
        ];
        for (key, pointer) in named {
            if let Some(pointer) = pointer.filter(|pointer| !pointer.starts_with('/')) {
                return Err(format!(
                    "{key} is {pointer:?}: give a JSON pointer such as /result/0/text"
                ));
            }
        }
        Ok(Self {
            text: settings.text.clone(),
            partial: settings.partial.clone(),
            is_final: settings.is_final.clone(),
            confidence: settings.confidence.clone(),
        })
    }

    /// The phrase of an answer; none where it has none. One without words is a phrase, too: a service says so that it is done.
    pub(super) fn phrase(&self, answer: &Value) -> Option<Phrase> {
        let words = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let (text, is_stable) = match (words(&self.text), self.partial.as_deref()) {
            (Some(text), _) => (text, self.stays(answer)),
            (None, Some(partial)) => (words(partial)?, false),
            (None, None) => return None,
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let confidence = self.confidence.as_deref();
        let confidence = confidence.and_then(|pointer| answer.pointer(pointer)?.as_f64());
        Some(Phrase {
            text: text.chars().take(MAX_CHARACTERS).collect(),
            confidence_permille: confidence
                .map(|share| (share.clamp(0.0, 1.0) * 1_000.0).round() as u16),
            is_stable,
        })
    }

    fn stays(&self, answer: &Value) -> bool {
        let told = self.is_final.as_deref();
        told.is_none_or(|pointer| answer.pointer(pointer).and_then(Value::as_bool) == Some(true))
    }
}
