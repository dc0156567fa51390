//! Passwords of SIP accounts get into no journal: what a story was told and what it asked for is written down without them.
//!
//! A document has them as `password` of `<Sip>` and of `<Uri>`, a dial in its terms. What stands in their place is always the same, so that a
//! replay, which reads the document without them, asks for the same that the journal has.

use std::borrow::Cow;
use std::ops::Range;

use call::{
    Command, Continuation, DialRequest, Event, Password, StoryFlow, TransferCommand, Whisper,
};

use crate::journal::{Entry, Header};

/// In the place of every password.
const CONCEALED: &str = "********";
/// Elements that have one.
const ELEMENTS: [&[u8]; 2] = [b"<Sip", b"<Uri"];
/// Its attribute.
const ATTRIBUTE: &[u8] = b"password";
/// As many attributes of a tag are looked at: they have fewer than ten, and text that only looks like tags is not to be read over and over.
const MAX_ATTRIBUTES: usize = 64;

/// As it is written down.
pub(crate) fn entry(entry: &Entry) -> Cow<'_, Entry> {
    match entry {
        Entry::Command {
            command:
                asked @ (Command::Dial(_)
                | Command::DialWith { .. }
                | Command::ContinueWith(_)
                | Command::Transfer(TransferCommand::HandOver { .. })),
            result,
        } => Cow::Owned(Entry::Command {
            command: command(asked.clone()),
            result: result.clone(),
        }),
        Entry::Next {
            timeout_ms,
            event: Some(Event::HttpResponse(id, Ok(response))),
            now_unix_ms,
        } => match concealed(&response.body) {
            Some(body) => {
                let mut response = response.clone();
                response.body = body;
                Cow::Owned(Entry::Next {
                    timeout_ms: *timeout_ms,
                    event: Some(Event::HttpResponse(*id, Ok(response))),
                    now_unix_ms: *now_unix_ms,
                })
            }
            None => Cow::Borrowed(entry),
        },
        entry => Cow::Borrowed(entry),
    }
}

/// As it is written down: a number's document is one of its settings.
pub(crate) fn header(header: &Header) -> Header {
    let mut header = header.clone();
    for value in header.settings.values_mut() {
        conceal(value);
    }
    header
}

/// As it stands in a journal.
pub(crate) fn command(mut command: Command) -> Command {
    match &mut command {
        Command::Dial(request) => dial(request),
        Command::DialWith { request, terms } => {
            dial(request);
            for login in terms.iter_mut().filter_map(|terms| terms.login.as_mut()) {
                login.password = Password::new(CONCEALED.to_owned());
            }
        }
        Command::ContinueWith(Continuation { story, settings })
        | Command::Transfer(TransferCommand::HandOver {
            next: Continuation { story, settings },
            ..
        }) => told(story, settings),
        _ => {}
    }
    command
}

fn dial(request: &mut DialRequest) {
    let whispers = request.targets.iter_mut();
    for Whisper { story, settings } in whispers.filter_map(|target| target.whisper.as_mut()) {
        told(story, settings);
    }
}

fn told(story: &mut StoryFlow, settings: &mut [(String, String)]) {
    if let StoryFlow::Twiml(document) = story {
        conceal(document);
    }
    for (_, value) in settings {
        conceal(value);
    }
}

fn conceal(text: &mut String) {
    if let Some(concealed) = concealed(text.as_bytes()) {
        *text = String::from_utf8(concealed).expect("between quotes stood whole characters");
    }
}

/// The text with something else in the place of each password; none where it has none.
fn concealed(text: &[u8]) -> Option<Vec<u8>> {
    let mut concealed = Vec::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text[at..].iter().position(|byte| *byte == b'<') {
        at += found;
        let element = ELEMENTS.iter().find(|name| text[at..].starts_with(name));
        // What looks like a tag may stand in a comment and hold the next one, so the search goes on behind its `<`.
        at += element.map_or(1, |name| name.len());
        for value in element.iter().flat_map(|_| passwords(text, at)) {
            if value.start >= kept {
                concealed.extend_from_slice(&text[kept..value.start]);
                concealed.extend_from_slice(CONCEALED.as_bytes());
                kept = value.end;
            }
        }
    }
    (kept > 0).then(|| {
        concealed.extend_from_slice(&text[kept..]);
        concealed
    })
}

/// Where the passwords of the tag that goes on at `at` stand.
fn passwords(text: &[u8], at: usize) -> impl Iterator<Item = Range<usize>> {
    let first = next_attribute(text, at);
    let attributes = std::iter::successors(first, |attribute| {
        next_attribute(text, attribute.value.end + 1)
    });
    let passwords = attributes
        .take(MAX_ATTRIBUTES)
        .filter(|attribute| attribute.name == ATTRIBUTE);
    passwords.map(|attribute| attribute.value)
}

struct Attribute<'t> {
    name: &'t [u8],
    /// Where its value stands, without the quotes.
    value: Range<usize>,
}

/// The next attribute of the tag that goes on at `at`.
fn next_attribute(text: &[u8], at: usize) -> Option<Attribute<'_>> {
    let skip = |at: usize| {
        let rest = text.get(at..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        Some(at + blanks.count())
    };
    let start = skip(at)?;
    let is_name = |byte: &&u8| !byte.is_ascii_whitespace() && !b"=<>/\"'".contains(byte);
    let end = start + text.get(start..)?.iter().take_while(is_name).count();
    let equals = skip(end)?;
    let quote_at = skip(equals + 1)?;
    let quote = *text.get(quote_at)?;
    if end == start || text.get(equals) != Some(&b'=') || !b"\"'".contains(&quote) {
        return None;
    }
    let value = quote_at + 1;
    let length = text.get(value..)?.iter().position(|byte| *byte == quote)?;
    Some(Attribute {
        name: &text[start..end],
        value: value..value + length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_a_document_is_left() {
        for (text, expected) in [
            (
                "<Dial><Sip username='a' password='b'>sip:c@d</Sip></Dial>",
                Some("<Dial><Sip username='a' password='********'>sip:c@d</Sip></Dial>"),
            ),
            (
                "<Sip\n password = \"b'>\" url='/w'/><Uri password=''>x</Uri>",
                Some("<Sip\n password = \"********\" url='/w'/><Uri password='********'>x</Uri>"),
            ),
            (
                "<!-- <Sip a=' --><Sip url='/w' password='b'>x</Sip>",
                Some("<!-- <Sip a=' --><Sip url='/w' password='********'>x</Sip>"),
            ),
            (
                "<!-- <Sip password=' --><Sip password='b'/>",
                Some("<!-- <Sip password='********'********'/>"),
            ),
            ("<Sip url='password='>password='b'</Sip>", None),
            ("<Say>password='b'</Say><Uri username='u'>x</Uri>", None),
            ("<Siprec password='b'/>", None),
            ("<Sip password='b", None),
            ("<Sip password", None),
            ("<Sip", None),
            ("", None),
        ] {
            let concealed = concealed(text.as_bytes());
            let concealed = concealed.map(|text| String::from_utf8(text).unwrap());
            assert_eq!(concealed.as_deref(), expected, "{text}");
        }
    }
}
