//! `<Say>`: its voice, and SSML out of what is inside it.

use std::fmt::Write as _;

use jackfield_guest::Speech;

use super::{Node, Prompt, Reading};
use crate::fault::{NOT_IN_SCHEMA, SAY_LANGUAGE, SAY_LOOP, SAY_TEXT, SAY_TOO_LONG, SAY_VOICE};
use crate::parse::Element;

/// Twilio's limit of a text.
const MOST_CHARACTERS: usize = 4_096;

/// The elements of SSML that Twilio takes, with their attributes.
const SSML: [(&str, &[&str]); 10] = [
    ("break", &["strength", "time"]),
    ("emphasis", &["level"]),
    ("lang", &["xml:lang"]),
    ("p", &[]),
    ("phoneme", &["alphabet", "ph"]),
    ("prosody", &["volume", "rate", "pitch"]),
    ("s", &[]),
    ("say-as", &["interpret-as", "format", "role"]),
    ("sub", &["alias"]),
    ("w", &["role"]),
];

impl Reading {
    /// None when there is nothing to say.
    pub(super) fn say(&mut self, element: &Element) -> Option<Prompt> {
        self.know(element, &["voice", "language", "loop"]);
        let loops = self.loops(element, SAY_LOOP);
        let (voice, language) = (
            self.value(element, "voice", None, SAY_VOICE, voice),
            self.value(element, "language", None, SAY_LANGUAGE, language),
        );
        let Some(text) = self.spoken(element) else {
            self.warn(SAY_TEXT, "Say: there is no text in it");
            return None;
        };
        let speech = Speech {
            text,
            voice,
            language,
        };
        Some(Prompt::Say { speech, loops })
    }

    /// Plain text as it is, and SSML where there are elements, or where a text would be taken for it.
    fn spoken(&mut self, element: &Element) -> Option<String> {
        let plain = element.text();
        if element.elements().next().is_none() && !plain.starts_with("<speak") {
            let mut words = one_spaced(&plain);
            if let Some((end, _)) = words.char_indices().nth(MOST_CHARACTERS) {
                words.truncate(end);
                self.is_too_long();
            }
            return (!words.is_empty()).then_some(words);
        }
        let mut writing = Writing::default();
        self.write(element, &mut writing);
        if writing.is_cut {
            self.is_too_long();
        }
        let Writing {
            ssml, is_audible, ..
        } = writing;
        is_audible.then(|| format!("<speak>{}</speak>", ssml.trim()))
    }

    fn is_too_long(&mut self) {
        let message = format!("Say: only the first {MOST_CHARACTERS} characters are spoken");
        self.warn(SAY_TOO_LONG, message);
    }

    /// The inside of an element. What is no SSML loses its tags, and its text stays.
    fn write(&mut self, element: &Element, writing: &mut Writing) {
        for node in &element.children {
            match node {
                Node::Text(text) => writing.text(text),
                Node::Element(inner) => self.write_element(inner, writing),
            }
        }
    }

    fn write_element(&mut self, element: &Element, writing: &mut Writing) {
        let name = &element.name;
        let Some((_, attributes)) = SSML.iter().find(|(known, _)| known == name) else {
            self.warn(NOT_IN_SCHEMA, format!("<{name}> in <Say> is no SSML"));
            writing.text(" ");
            self.write(element, writing);
            writing.text(" ");
            return;
        };
        self.know(element, attributes);
        if name == "w" {
            self.without_effect(element, &["role"]);
        }
        writing.is_audible |= name == "break";
        let _ = write!(writing.ssml, "<{name}");
        for attribute in *attributes {
            if let Some(value) = element.attribute(attribute) {
                let value = writing.fitting(value);
                let _ = write!(writing.ssml, " {attribute}=\"{}\"", escaped(&value));
            }
        }
        writing.ssml.push('>');
        self.write(element, writing);
        let _ = write!(writing.ssml, "</{name}>");
    }
}

/// SSML as far as it was written.
#[derive(Default)]
struct Writing {
    ssml: String,
    /// Characters so far: of texts, and of attributes, one of which is spoken in place of a text.
    characters: usize,
    /// There is a text or a break in it.
    is_audible: bool,
    is_cut: bool,
}

impl Writing {
    fn text(&mut self, text: &str) {
        let words = one_spaced(text);
        self.is_audible |= !words.is_empty();
        let (begins, ends) = (
            text.starts_with(char::is_whitespace),
            text.ends_with(char::is_whitespace),
        );
        let fitting = self.fitting(&words);
        if begins && !self.ssml.ends_with(' ') {
            self.ssml.push(' ');
        }
        self.ssml.push_str(&escaped(&fitting));
        if ends && !self.ssml.ends_with(' ') {
            self.ssml.push(' ');
        }
    }

    /// As much of a text as there is room for.
    fn fitting(&mut self, text: &str) -> String {
        let room = MOST_CHARACTERS - self.characters;
        let fitting: String = text.chars().take(room).collect();
        self.characters += fitting.chars().count();
        self.is_cut |= fitting.len() < text.len();
        fitting
    }
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// The name of a voice, which the host understands. `Basic.` is how Somleng names the plain ones.
fn voice(name: &str) -> Option<Option<String>> {
    match name.split_once('.') {
        Some(("Basic", plain)) => Some(Some(plain.to_ascii_lowercase())),
        _ if name.is_empty() => None,
        _ => Some(Some(name.to_owned())),
    }
}

/// Shaped like BCP 47: subtags of letters and digits.
fn language(tag: &str) -> Option<Option<String>> {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.chars().all(|c| c.is_ascii_alphanumeric())
    };
    tag.split('-').all(is_subtag).then(|| Some(tag.to_owned()))
}
