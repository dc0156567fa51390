//! Bytes to elements: XML as TwiML needs it, from a server that nobody vouches for.
//!
//! Comments and processing instructions are skipped, CDATA is text, the five predefined entities and character
//! references are resolved. A DOCTYPE is refused: it is where entities that blow up or reach out are declared.

use std::borrow::Cow;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::fault::{EMPTY, Fault, NOT_XML, TOO_LARGE, WRONG_XML_VERSION};

/// Twilio's limit of a document.
const MOST_BYTES: usize = 64 * 1024;
/// The deepest that TwiML nests, with SSML in a Say in a Gather, is about eight.
const MOST_LEVELS: usize = 32;
/// Elements and stretches of text. As many short verbs as 64 KB hold in practice.
const MOST_NODES: usize = 5_000;

/// An element with what is inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// An element with a text in it.
    pub(crate) fn of_text(name: &str, text: &str) -> Self {
        Self::of(name, Node::Text(text.to_owned()))
    }

    /// An element with one thing in it.
    pub(crate) fn of(name: &str, child: Node) -> Self {
        Self {
            name: name.to_owned(),
            attributes: Vec::new(),
            children: vec![child],
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The text directly inside, without the white space around it.
    pub(crate) fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect::<String>().trim().to_owned()
    }
}

/// The root element of a document.
///
/// # Errors
/// 11750 beyond 64 KB, 11770 with nothing in it, 12101 for an XML version that is not 1.0 or 1.1, 12100 for all else.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, Fault> {
    if bytes.len() > MOST_BYTES {
        let message = format!("the document has {} bytes, more than 64 KB", bytes.len());
        return Err(Fault::new(TOO_LARGE, message));
    }
    let text = decode(bytes)?;
    if text.trim().is_empty() {
        return Err(Fault::new(EMPTY, "the document is empty"));
    }
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = Tree::default();
    let outcome = loop {
        match reader.read_event() {
            Ok(Event::Eof) => break tree.finish(),
            Ok(event) => {
                if let Err(fault) = tree.take(&event) {
                    break Err(fault);
                }
            }
            Err(error) => break Err(error.into()),
        }
    };
    let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    outcome.map_err(|fault| fault.of(&format!("line {}", line_at(&text, position))))
}

/// UTF-8, with or without a byte order mark; what is not is ISO-8859-1, whose declaration nobody then needs to read.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Fault::new(
            NOT_XML,
            "the document is UTF-16: send it as UTF-8",
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

fn not_xml(message: impl Into<String>) -> Fault {
    Fault::new(NOT_XML, message)
}

impl From<quick_xml::Error> for Fault {
    fn from(error: quick_xml::Error) -> Self {
        not_xml(error.to_string())
    }
}

impl From<AttrError> for Fault {
    fn from(error: AttrError) -> Self {
        not_xml(error.to_string())
    }
}

fn line_at(text: &str, position: usize) -> usize {
    let before = text.as_bytes().iter().take(position);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The document as far as it was read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(start) => self.open(start),
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolve(reference)?),
            Event::Decl(declaration) => check_version(declaration),
            Event::DocType(_) => Err(not_xml("a DOCTYPE is not accepted")),
            Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Empty(_) | Event::Eof => unreachable!("expanded, and the end of the loop"),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.root.is_some() {
            return Err(not_xml("a second root element"));
        }
        if self.open.len() == MOST_LEVELS {
            return Err(not_xml(format!("more than {MOST_LEVELS} levels")));
        }
        self.count()?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(Element {
            name: start.name().as_ref().to_owned(),
            attributes,
            children: Vec::new(),
        });
        Ok(())
    }

    /// The reader has made sure that the end belongs to the innermost element.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        let Some(parent) = self.open.last_mut() else {
            return match text.trim().is_empty() {
                true => Ok(()),
                false => Err(not_xml("text outside the root element")),
            };
        };
        if let Some(Node::Text(before)) = parent.children.last_mut() {
            before.push_str(text);
            return Ok(());
        }
        parent.children.push(Node::Text(text.to_owned()));
        self.count()
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        match self.nodes > MOST_NODES {
            true => Err(not_xml(format!(
                "more than {MOST_NODES} elements and texts"
            ))),
            false => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<Element, Fault> {
        if let Some(element) = self.open.last() {
            return Err(not_xml(format!("<{}> is not closed", element.name)));
        }
        self.root
            .take()
            .ok_or_else(|| not_xml("there is no element"))
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, Fault> {
    match reference.resolve_char_ref()? {
        Some(character) if character.is_control() && !character.is_ascii_whitespace() => Err(
            not_xml(format!("&{}; is not a character of XML", &**reference)),
        ),
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| not_xml(format!("the entity &{}; is not declared", &**reference))),
    }
}

fn check_version(declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    let version = declaration.version()?;
    match version.as_ref() {
        "1.0" | "1.1" => Ok(()),
        other => Err(Fault::new(
            WRONG_XML_VERSION,
            format!("XML version {other:?} is not 1.0"),
        )),
    }
}

#[cfg(test)]
mod tests;
