//! `<Redirect>plugin:NAME?SETTING=VALUE</Redirect>`: a component goes on with the call.

use jackfield_guest::{CallError, Continuation};

use super::{Interpreter, Stop};
use crate::fault::{Fault, INVALID_URL};

/// What a redirect to a component begins with.
const SCHEME: &str = "plugin:";

/// The component that a redirect names, with its settings; none for a document's URL.
pub(super) fn component(url: &str) -> Option<Continuation> {
    let (name, query) = url
        .strip_prefix(SCHEME)?
        .split_once('?')
        .map_or((url.strip_prefix(SCHEME)?, ""), |(name, query)| {
            (name, query)
        });
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Some(
        pairs.fold(Continuation::component(name.trim()), |next, pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            next.setting(decoded(name), decoded(value))
        }),
    )
}

impl Interpreter<'_> {
    /// Ends these documents: the component begins when the story has returned.
    pub(super) fn hand_over(&self, next: Continuation) -> Stop {
        match self.call.continue_with(next) {
            Ok(never) => match never {},
            Err(CallError::HungUp) => CallError::HungUp.into(),
            Err(refusal) => Fault::new(INVALID_URL, format!("Redirect: {refusal}")).into(),
        }
    }
}

/// What a part of a query says (WHATWG URL section 5.1). What is no UTF-8 is replaced.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match (escaped, first) {
            (Some((high, low)), _) => {
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            (None, b'+') => {
                bytes.push(b' ');
                rest = after;
            }
            (None, other) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_and_its_settings_are_read() {
        let survey = || Continuation::component("survey");
        for (url, expected) in [
            ("plugin:survey", Some(survey())),
            ("plugin: survey ", Some(survey())),
            (
                "plugin:survey?language=km&name=a+b%20%e1%9E%81&x",
                Some(
                    survey()
                        .setting("language", "km")
                        .setting("name", "a b ខ")
                        .setting("x", ""),
                ),
            ),
            (
                "plugin:survey?a=100%&b=%zz",
                Some(survey().setting("a", "100%").setting("b", "%zz")),
            ),
            ("http://a/plugin:survey", None),
            ("/next", None),
        ] {
            assert_eq!(component(url), expected, "{url}");
        }
    }
}
