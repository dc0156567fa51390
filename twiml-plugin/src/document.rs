//! A server's response to a document.

use jackfield_guest::Response;

use crate::fault::{Fault, NOT_XML, RETRIEVAL_FAILED, WRONG_CONTENT_TYPE};
use crate::parse::{Element, Node, parse};
use crate::verb::{self, Verb};

/// What a call does next, and where that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// What its relative references resolve against. An inline document has none.
    pub(crate) url: Option<String>,
    pub(crate) verbs: Vec<Verb>,
    pub(crate) warnings: Vec<Fault>,
}

/// The media types that Twilio plays, then hanging up; and Ogg, which this host decodes too.
const AUDIO: [&str; 13] = [
    "audio/mpeg",
    "audio/mp3",
    "audio/wav",
    "audio/wave",
    "audio/x-wav",
    "audio/aiff",
    "audio/x-aifc",
    "audio/x-aiff",
    "audio/x-gsm",
    "audio/gsm",
    "audio/ulaw",
    "audio/ogg",
    "application/ogg",
];

impl Document {
    /// A document out of its text.
    ///
    /// # Errors
    /// Those of [`parse`] and [`verb::read`].
    pub(crate) fn inline(twiml: &[u8]) -> Result<Self, Fault> {
        let (verbs, warnings) = verb::read(&parse(twiml)?)?;
        Ok(Self {
            url: None,
            verbs,
            warnings,
        })
    }

    /// A document out of what a server answered.
    ///
    /// # Errors
    /// 11200 for a status other than 2xx, 12300 for a content type that is not TwiML, text or audio, and those of
    /// [`Document::inline`].
    pub(crate) fn fetched(response: &Response) -> Result<Self, Fault> {
        let url = &response.url;
        if !response.is_success() {
            let message = format!("{url} answered {}", response.status);
            return Err(Fault::new(RETRIEVAL_FAILED, message));
        }
        let content_type = response.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        let root = match media_type.as_str() {
            "text/xml" | "application/xml" | "text/html" => parse(&response.body),
            "text/plain" => parse_or_speak(response),
            audio if AUDIO.contains(&audio) => Ok(response_with("Play", url)),
            "" => Err(Fault::new(WRONG_CONTENT_TYPE, "there is no content type")),
            other => Err(Fault::new(
                WRONG_CONTENT_TYPE,
                format!("the content type {other} is neither TwiML nor audio"),
            )),
        };
        let (verbs, warnings) = root
            .and_then(|root| verb::read(&root))
            .map_err(|fault| fault.of(url))?;
        Ok(Self {
            url: Some(url.clone()),
            verbs,
            warnings,
        })
    }
}

/// Plain text that is no TwiML is spoken.
fn parse_or_speak(response: &Response) -> Result<Element, Fault> {
    match parse(&response.body) {
        Ok(root) if root.name == "Response" => Ok(root),
        Err(fault) if fault.code != NOT_XML => Err(fault),
        _ => Ok(response_with("Say", &response.text())),
    }
}

/// `<Response>` with one verb in it.
fn response_with(verb: &str, text: &str) -> Element {
    Element::of("Response", Node::Element(Element::of_text(verb, text)))
}

#[cfg(test)]
mod tests;
