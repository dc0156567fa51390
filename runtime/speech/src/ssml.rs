//! SSML (W3C, version 1.1) as Twilio takes it, read leniently: what is not obeyed is noted, and its text is spoken all
//! the same. What could do harm is refused: declared entities, depth, number and length without bound.

mod attributes;
mod reader;
mod writer;

pub use writer::write;

use crate::{MAX_CHARACTERS, Utterance};

/// Bytes of a document with its markup.
const MAX_BYTES: usize = 64 * 1024;
/// Elements inside one another.
const MAX_LEVELS: usize = 32;
/// Elements of a document.
const MAX_ELEMENTS: usize = 2_000;
/// Runs and silences of a document: each run is a process or a request of its own.
const MAX_PARTS: usize = 200;
/// Silence in a document, in seconds.
const MAX_SILENCE_S: u64 = 300;
/// Notes that are kept; a document may have thousands of elements that nobody knows.
const MAX_NOTES: usize = 10;

/// Why a text that begins as SSML cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SsmlError {
    /// It is not well-formed.
    #[error("{0}")]
    NotXml(String),
    /// It declares a document type, which is where entities are declared.
    #[error("a DOCTYPE is not accepted: leave it out")]
    Doctype,
    /// An entity that XML does not know by itself.
    #[error("the entity &{0}; is not declared: write the character itself")]
    Entity(String),
    /// More bytes than are read.
    #[error("it has {0} bytes, more than {MAX_BYTES}")]
    TooManyBytes(usize),
    /// More characters than are spoken.
    #[error("its text has more than {MAX_CHARACTERS} characters")]
    TooLong,
    /// Elements inside one another, too many.
    #[error("elements are more than {MAX_LEVELS} deep")]
    TooDeep,
    /// Too many elements.
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    /// Too many runs and silences.
    #[error("it falls into more than {MAX_PARTS} parts: use fewer breaks and changes of prosody")]
    TooManyParts,
    /// Too much silence.
    #[error("its breaks are longer than {MAX_SILENCE_S} seconds together")]
    TooMuchSilence,
}

/// Reads a document.
///
/// # Errors
/// If it is no well-formed XML with the root `<speak>`, or exceeds a bound.
pub(crate) fn read(text: &str) -> Result<Utterance, SsmlError> {
    if text.len() > MAX_BYTES {
        return Err(SsmlError::TooManyBytes(text.len()));
    }
    reader::read(text)
}

#[cfg(test)]
mod tests;
