//! A document's elements, one after the other, to runs and silences.

use std::time::Duration;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::attributes::{self, LONGEST_BREAK};
use super::{MAX_ELEMENTS, MAX_LEVELS, MAX_NOTES, MAX_PARTS, MAX_SILENCE_S, SsmlError};
use crate::utterance::one_spaced;
use crate::{Language, MAX_CHARACTERS, Part, Prosody, Run, Utterance, Value, Word};

/// Heard after a sentence and a paragraph that are marked as such.
const AFTER_SENTENCE: Duration = Duration::from_millis(400);
const AFTER_PARAGRAPH: Duration = Duration::from_millis(800);
/// In place of what is not to be heard.
const BLEEP: Duration = Duration::from_millis(500);

pub(super) fn read(text: &str) -> Result<Utterance, SsmlError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break reading.finish(),
            Ok(event) => reading.take(&event)?,
            Err(error) => return Err(not_xml(error)),
        }
    }
}

fn not_xml(error: impl ToString) -> SsmlError {
    SsmlError::NotXml(error.to_string())
}

/// An element that is open, with what holds inside it.
#[derive(Debug, Clone)]
struct Level {
    kind: Kind,
    language: Option<Language>,
    prosody: Prosody,
}

/// What is done with the text of an element, and at its end.
#[derive(Debug, Clone)]
enum Kind {
    /// Spoken.
    Spoken,
    /// Spoken, with a silence before and after it.
    Apart(Duration),
    /// Gathered, and spoken as something else.
    SayAs {
        kind: String,
        format: Option<String>,
        text: String,
    },
    /// Not spoken: metadata, and what an alias stands for.
    Mute,
}

/// The document as far as it was read.
#[derive(Default)]
struct Reading {
    levels: Vec<Level>,
    has_ended: bool,
    utterance: Utterance,
    /// Text that no word was made of yet; the next piece may belong to the same word.
    text: String,
    run: Run,
    /// A silence that comes before the next run, if there is one.
    pause: Duration,
    elements: usize,
    characters: usize,
    silence: Duration,
}

impl Reading {
    fn take(&mut self, event: &Event<'_>) -> Result<(), SsmlError> {
        match event {
            Event::Start(start) => self.open(start),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolve(reference)?),
            Event::DocType(_) => Err(SsmlError::Doctype),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Empty(_) | Event::Eof => unreachable!("expanded, and the end of the loop"),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), SsmlError> {
        let Some(level) = self.levels.last_mut() else {
            return match text.trim().is_empty() {
                true => Ok(()),
                false => Err(not_xml("there is text outside of <speak>")),
            };
        };
        match &mut level.kind {
            Kind::Mute => return Ok(()),
            Kind::SayAs { text: gathered, .. } => gathered.push_str(text),
            Kind::Spoken | Kind::Apart(_) => self.text.push_str(text),
        }
        self.count(text)
    }

    fn count(&mut self, text: &str) -> Result<(), SsmlError> {
        self.characters += text.chars().count();
        match self.characters > MAX_CHARACTERS {
            true => Err(SsmlError::TooLong),
            false => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), SsmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(SsmlError::TooManyElements);
        }
        if self.levels.len() == MAX_LEVELS {
            return Err(SsmlError::TooDeep);
        }
        let tag = Tag::read(start)?;
        let Some(outer) = self.levels.last() else {
            return self.open_root(&tag);
        };
        let mut level = Level {
            kind: Kind::Spoken,
            ..outer.clone()
        };
        // Inside of these, markup changes nothing.
        if matches!(outer.kind, Kind::Mute | Kind::SayAs { .. }) {
            level.kind = outer.kind.clone();
        } else {
            self.element(&tag, &mut level)?;
        }
        self.levels.push(level);
        Ok(())
    }

    fn open_root(&mut self, tag: &Tag) -> Result<(), SsmlError> {
        if self.has_ended {
            return Err(not_xml("there is a second root element"));
        }
        if tag.name != "speak" {
            let message = format!("the root element is <{}>, not <speak>", tag.name);
            return Err(not_xml(message));
        }
        self.utterance.language = self.language(tag);
        self.levels.push(Level {
            kind: Kind::Spoken,
            language: None,
            prosody: Prosody::default(),
        });
        Ok(())
    }

    /// What an element asks for, on top of what holds around it.
    fn element(&mut self, tag: &Tag, level: &mut Level) -> Result<(), SsmlError> {
        match tag.name.as_str() {
            "p" | "paragraph" => self.set_apart(AFTER_PARAGRAPH, tag, level)?,
            "s" | "sentence" => self.set_apart(AFTER_SENTENCE, tag, level)?,
            "break" => self.pause_for(tag)?,
            "prosody" => {
                let prosody = self.prosody(tag, level.prosody);
                self.end_run_if(prosody != level.prosody)?;
                level.prosody = prosody;
            }
            "emphasis" => {
                self.end_run_if(true)?;
                level.prosody = self.emphasis(tag, level.prosody);
            }
            "say-as" => {
                self.end_word();
                level.kind = Kind::SayAs {
                    kind: tag.value("interpret-as").unwrap_or_default().to_owned(),
                    format: tag.value("format").map(str::to_owned),
                    text: String::new(),
                };
            }
            "sub" => {
                if let Some(alias) = tag.value("alias") {
                    self.text(alias)?;
                    level.kind = Kind::Mute;
                } else {
                    self.note("<sub> without `alias`: its text is spoken".to_owned());
                }
            }
            "lang" | "voice" => {
                self.end_run_if(true)?;
                if tag.value("name").is_some() {
                    self.note(
                        "<voice name> is not obeyed: name the voice with the text".to_owned(),
                    );
                }
                level.language = self.language(tag).or(level.language.take());
            }
            "meta" | "metadata" | "lexicon" | "desc" => level.kind = Kind::Mute,
            "w" | "token" | "mark" => {}
            "phoneme" => self.note("<phoneme> is not obeyed: its text is spoken".to_owned()),
            other => self.note(format!("<{other}> is not obeyed: its text is spoken")),
        }
        Ok(())
    }

    fn set_apart(
        &mut self,
        silence: Duration,
        tag: &Tag,
        level: &mut Level,
    ) -> Result<(), SsmlError> {
        self.end_run()?;
        self.pause = self.pause.max(silence);
        level.kind = Kind::Apart(silence);
        level.language = self.language(tag).or(level.language.take());
        Ok(())
    }

    fn pause_for(&mut self, tag: &Tag) -> Result<(), SsmlError> {
        let strength = tag.value("strength").unwrap_or("medium");
        let asked = match tag.value("time") {
            Some(time) => attributes::time(time),
            None => attributes::strength(strength),
        };
        let asked = asked.unwrap_or_else(|| {
            let value = tag.value("time").unwrap_or(strength);
            self.note(format!(
                "<break>: {value:?} is no length: a medium one is made"
            ));
            attributes::strength("medium").unwrap_or_default()
        });
        if asked > LONGEST_BREAK {
            let most = LONGEST_BREAK.as_secs();
            self.note(format!("<break>: more than {most} seconds are not made"));
        }
        let asked = asked.min(LONGEST_BREAK);
        if asked.is_zero() {
            return Ok(());
        }
        self.end_run()?;
        self.silence(asked)
    }

    /// A silence that is heard whatever follows.
    fn silence(&mut self, length: Duration) -> Result<(), SsmlError> {
        self.silence += length;
        if self.silence.as_secs() >= MAX_SILENCE_S {
            return Err(SsmlError::TooMuchSilence);
        }
        if let Some(Part::Silence(before)) = self.utterance.parts.last_mut() {
            *before += length;
            return Ok(());
        }
        self.part(Part::Silence(length))
    }

    fn part(&mut self, part: Part) -> Result<(), SsmlError> {
        self.utterance.parts.push(part);
        match self.utterance.parts.len() > MAX_PARTS {
            true => Err(SsmlError::TooManyParts),
            false => Ok(()),
        }
    }

    fn prosody(&mut self, tag: &Tag, around: Prosody) -> Prosody {
        let rate = self.attribute(tag, "rate", attributes::rate).unwrap_or(1.0);
        let pitch = self.attribute(tag, "pitch", attributes::pitch);
        let gain_db = self.attribute(tag, "volume", attributes::volume);
        Prosody {
            rate: (around.rate * rate).clamp(0.2, 4.0),
            pitch: (around.pitch * pitch.unwrap_or(1.0)).clamp(0.5, 2.0),
            gain_db: (around.gain_db + gain_db.unwrap_or(0.0)).min(20.0),
        }
    }

    fn emphasis(&mut self, tag: &Tag, around: Prosody) -> Prosody {
        let (rate, gain_db) = match tag.value("level").unwrap_or("moderate") {
            "strong" => (0.85, 4.0),
            "moderate" => (0.92, 2.0),
            "reduced" => (1.08, -3.0),
            "none" => (1.0, 0.0),
            other => {
                self.note(format!("<emphasis>: {other:?} is no level"));
                (1.0, 0.0)
            }
        };
        Prosody {
            rate: (around.rate * rate).clamp(0.2, 4.0),
            gain_db: (around.gain_db + gain_db).min(20.0),
            ..around
        }
    }

    fn attribute(
        &mut self,
        tag: &Tag,
        name: &str,
        read: impl Fn(&str) -> Option<f32>,
    ) -> Option<f32> {
        let text = tag.value(name)?;
        let value = read(text);
        if value.is_none() {
            self.note(format!("<{}>: {name} {text:?} is not obeyed", tag.name));
        }
        value
    }

    fn language(&mut self, tag: &Tag) -> Option<Language> {
        let text = tag.value("xml:lang")?;
        let language = Language::parse(text);
        if language.is_none() {
            self.note(format!("<{}>: {text:?} is no language", tag.name));
        }
        language
    }

    fn close(&mut self) -> Result<(), SsmlError> {
        self.before_close()?;
        // The reader has made sure that the end belongs to the innermost element.
        let closed = self.levels.pop();
        self.has_ended = self.levels.is_empty();
        match (closed.map(|level| level.kind), self.levels.last_mut()) {
            // Markup inside of it: the text goes outwards.
            (
                Some(Kind::SayAs { text, .. }),
                Some(Level {
                    kind: Kind::SayAs { text: outer, .. },
                    ..
                }),
            ) => *outer = text,
            (Some(Kind::SayAs { kind, format, text }), _) => {
                self.say_as(&kind, format.as_deref(), &text)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends what cannot go on behind the innermost element.
    fn before_close(&mut self) -> Result<(), SsmlError> {
        let [.., outer, inner] = self.levels.as_slice() else {
            return self.end_run();
        };
        let changes = outer.prosody != inner.prosody || outer.language != inner.language;
        match inner.kind {
            Kind::Apart(silence) => {
                self.end_run()?;
                self.pause = self.pause.max(silence);
                Ok(())
            }
            _ => self.end_run_if(changes),
        }
    }

    fn say_as(&mut self, kind: &str, format: Option<&str>, text: &str) -> Result<(), SsmlError> {
        let text = one_spaced(text);
        if text.is_empty() {
            return Ok(());
        }
        if matches!(kind, "expletive" | "bleep") {
            self.end_run()?;
            return self.silence(BLEEP);
        }
        match Value::read(kind, format, &text) {
            Some(value) => {
                let word = Word::SayAs { value, text };
                self.word(word);
            }
            None => {
                self.note(format!(
                    "<say-as>: {text:?} is no {kind:?}: it is spoken as it stands"
                ));
                self.text.push_str(&text);
            }
        }
        Ok(())
    }

    fn end_word(&mut self) {
        let text = one_spaced(&std::mem::take(&mut self.text));
        if !text.is_empty() {
            self.word(Word::Text(text));
        }
    }

    fn word(&mut self, word: Word) {
        if self.run.words.is_empty()
            && let Some(level) = self.levels.last()
        {
            self.run.prosody = level.prosody;
            self.run.language.clone_from(&level.language);
        }
        self.run.words.push(word);
    }

    fn end_run_if(&mut self, is_needed: bool) -> Result<(), SsmlError> {
        match is_needed {
            true => self.end_run(),
            false => Ok(()),
        }
    }

    fn end_run(&mut self) -> Result<(), SsmlError> {
        self.end_word();
        if self.run.words.is_empty() {
            return Ok(());
        }
        let run = std::mem::take(&mut self.run);
        self.set_apart_from_before()?;
        self.part(Part::Run(run))
    }

    /// What only sets apart counts into a break that is there anyway, and is not heard at the beginning.
    fn set_apart_from_before(&mut self) -> Result<(), SsmlError> {
        let pause = std::mem::take(&mut self.pause);
        let there = match self.utterance.parts.as_slice() {
            [] | [Part::Silence(_)] => return Ok(()),
            [.., Part::Silence(there)] => *there,
            [.., Part::Run(_)] => Duration::ZERO,
        };
        match pause.saturating_sub(there) {
            Duration::ZERO => Ok(()),
            more => self.silence(more),
        }
    }

    fn note(&mut self, note: String) {
        let notes = &mut self.utterance.notes;
        if notes.len() < MAX_NOTES && !notes.contains(&note) {
            notes.push(note);
        }
    }

    fn finish(self) -> Result<Utterance, SsmlError> {
        if !self.has_ended {
            return Err(not_xml("<speak> is not closed"));
        }
        Ok(self.utterance)
    }
}

/// An element's name and attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn read(start: &BytesStart<'_>) -> Result<Self, SsmlError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(not_xml)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(not_xml)?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes,
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(candidate, _)| candidate == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, SsmlError> {
    let name = || SsmlError::Entity((**reference).to_owned());
    match reference.resolve_char_ref().map_err(not_xml)? {
        Some(character) if character.is_control() && !character.is_ascii_whitespace() => {
            Err(name())
        }
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(name),
    }
}
