//! `<Say>`: its voice, and plain text out of SSML.

use jackfield_guest::Speech;

use super::{Node, Prompt, Reading};
use crate::fault::{NOT_IN_SCHEMA, SAY_LANGUAGE, SAY_LOOP, SAY_TEXT, SAY_TOO_LONG, SAY_VOICE};
use crate::parse::Element;

/// Twilio's limit of a text.
const MOST_CHARACTERS: usize = 4_096;

const SSML: [&str; 10] = [
    "break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
];

impl Reading {
    /// None when there is nothing to say.
    pub(super) fn say(&mut self, element: &Element) -> Option<Prompt> {
        self.know(element, &["voice", "language", "loop"]);
        let loops = self.loops(element, SAY_LOOP);
        let speech = Speech {
            voice: self.value(element, "voice", None, SAY_VOICE, voice),
            language: self.value(element, "language", None, SAY_LANGUAGE, language),
            text: self.spoken(element),
        };
        if speech.text.is_empty() {
            self.warn(SAY_TEXT, "Say: there is no text in it");
            return None;
        }
        Some(Prompt::Say { speech, loops })
    }

    fn spoken(&mut self, element: &Element) -> String {
        let mut text = String::new();
        self.flatten(element, &mut text);
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = words.char_indices().nth(MOST_CHARACTERS) {
            words.truncate(end);
            let message = format!("Say: only the first {MOST_CHARACTERS} characters are spoken");
            self.warn(SAY_TOO_LONG, message);
        }
        words
    }

    /// The text inside, with a space where an element begins and ends.
    fn flatten(&mut self, element: &Element, text: &mut String) {
        for node in &element.children {
            match node {
                Node::Text(words) => text.push_str(words),
                Node::Element(inner) => {
                    let name = &inner.name;
                    if SSML.contains(&name.as_str()) {
                        self.warn(SAY_TEXT, format!("Say: <{name}> is spoken as plain text"));
                    } else {
                        self.warn(NOT_IN_SCHEMA, format!("<{name}> in <Say> is no SSML"));
                    }
                    text.push(' ');
                    match inner.attribute("alias").filter(|_| name == "sub") {
                        Some(alias) => text.push_str(alias),
                        None => self.flatten(inner, text),
                    }
                    text.push(' ');
                }
            }
        }
    }
}

/// The provider's name of a voice. Twilio's two oldest are a man and a woman; `Basic.` is how Somleng names the plain ones.
fn voice(name: &str) -> Option<Option<String>> {
    match name {
        "man" => Some(Some("kal".to_owned())),
        "woman" | "alice" => Some(Some("slt".to_owned())),
        name => match name.split_once('.') {
            Some(("Basic", plain)) => Some(Some(plain.to_ascii_lowercase())),
            Some(_) => None, // of a provider that is not here: Polly, Google
            None if name.is_empty() => None,
            None => Some(Some(name.to_owned())),
        },
    }
}

/// Shaped like BCP 47: subtags of letters and digits.
fn language(tag: &str) -> Option<Option<String>> {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.chars().all(|c| c.is_ascii_alphanumeric())
    };
    tag.split('-').all(is_subtag).then(|| Some(tag.to_owned()))
}
