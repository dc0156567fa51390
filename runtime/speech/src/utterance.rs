//! What is to be heard, whoever speaks it.

use std::time::Duration;

use crate::{Language, MAX_CHARACTERS, SpeechError, Value, ssml};

/// Words and silences in the order they are heard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Utterance {
    /// The language that the text itself names (`xml:lang` of its root).
    pub language: Option<Language>,
    /// One after the other.
    pub parts: Vec<Part>,
    /// What of its markup is not obeyed, for the author of the text.
    pub notes: Vec<String>,
}

/// A part of an [`Utterance`].
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Nothing is heard for so long.
    Silence(Duration),
    /// Words that are spoken in one breath.
    Run(Run),
}

/// Words in one language, spoken in one way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// Other than the text's.
    pub language: Option<Language>,
    /// How they are spoken.
    pub prosody: Prosody,
    /// Never empty.
    pub words: Vec<Word>,
}

/// Words as they stand, or something that each language says in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Without white space around it.
    Text(String),
    /// What `say-as` marks.
    SayAs {
        /// What it means.
        value: Value,
        /// As it was written.
        text: String,
    },
}

/// How words are spoken, relative to the voice's own way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prosody {
    /// 1 is the voice's own, 2 twice as fast; 0.2 to 4.
    pub rate: f32,
    /// 1 is the voice's own, 2 an octave above it; 0.5 to 2.
    pub pitch: f32,
    /// In dB; 0 is the voice's own, at most 20, negative infinity silent.
    pub gain_db: f32,
}

impl Default for Prosody {
    fn default() -> Self {
        Self {
            rate: 1.0,
            pitch: 1.0,
            gain_db: 0.0,
        }
    }
}

impl Utterance {
    /// Reads a text. One that begins with `<speak` is SSML, any other is spoken as it stands.
    ///
    /// # Errors
    /// If it is too long, has nothing to be heard in it, or is SSML that cannot be read.
    pub fn read(text: &str) -> Result<Self, SpeechError> {
        let utterance = if is_ssml(text) {
            ssml::read(text)?
        } else {
            Self::plain(text)?
        };
        if utterance.parts.is_empty() {
            return Err(SpeechError::Empty);
        }
        Ok(utterance)
    }

    fn plain(text: &str) -> Result<Self, SpeechError> {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(SpeechError::TooLong { characters });
        }
        let text = one_spaced(text);
        let run = |text| Run {
            words: vec![Word::Text(text)],
            ..Run::default()
        };
        let parts = (!text.is_empty()).then(|| Part::Run(run(text)));
        Ok(Self {
            parts: parts.into_iter().collect(),
            ..Self::default()
        })
    }
}

/// Whether a text is SSML and not to be spoken as it stands.
fn is_ssml(text: &str) -> bool {
    let after = text.trim_start().strip_prefix("<speak");
    after.is_some_and(|rest| rest.starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace()))
}

/// The text with one space where it has any white space.
pub(crate) fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_ssml_is_ssml() {
        for (text, expected) in [
            ("<speak>a</speak>", true),
            (" \n<speak xml:lang='km'>a</speak>", true),
            ("<speak/>", true),
            ("<speaker>a</speaker>", false),
            ("say <speak>", false),
            ("<b>", false),
            ("", false),
        ] {
            assert_eq!(is_ssml(text), expected, "{text}");
        }
    }

    #[test]
    fn plain_text_is_one_run() {
        let utterance = Utterance::read(" 1 < 2 &amp;\n\t3 ").unwrap();
        let [Part::Run(run)] = utterance.parts.as_slice() else {
            panic!("{utterance:?}");
        };
        assert_eq!(run.words, [Word::Text("1 < 2 &amp; 3".to_owned())]);
        assert!(matches!(Utterance::read(" \n"), Err(SpeechError::Empty)));
        assert!(Utterance::read(&"é".repeat(MAX_CHARACTERS)).is_ok());
        let error = Utterance::read(&"é".repeat(MAX_CHARACTERS + 1)).unwrap_err();
        assert!(
            matches!(error, SpeechError::TooLong { characters } if characters == MAX_CHARACTERS + 1)
        );
    }
}
