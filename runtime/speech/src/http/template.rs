//! Texts with places in braces that are filled in for each request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The unreserved characters of RFC 3986 (section 2.3) stand for themselves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Ssml,
    Language,
    Voice,
    Rate,
    Pitch,
    Secret,
}

const PLACES: [(&str, Place); 7] = [
    ("text", Place::Text),
    ("ssml", Place::Ssml),
    ("language", Place::Language),
    ("voice", Place::Voice),
    ("rate", Place::Rate),
    ("pitch", Place::Pitch),
    ("secret", Place::Secret),
];

/// How a value is written where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is.
    None,
    /// Percent-encoded: in URLs and forms.
    Percent,
    /// Inside a JSON string, which has its quotes in the template.
    Json,
    /// As text of an XML document; `{ssml}` is a part of the document.
    Xml,
}

impl Escape {
    /// What a body of a content type needs.
    pub(super) fn for_content_type(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::Percent,
            json if json == "application/json" || json.ends_with("+json") => Self::Json,
            xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Self::Xml,
            _ => Self::None,
        }
    }

    fn write(self, place: Place, value: &str, into: &mut String) {
        match self {
            Self::None => into.push_str(value),
            Self::Percent => into.extend(utf8_percent_encode(value, RESERVED)),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                into.push_str(&quoted[1..quoted.len() - 1]);
            }
            Self::Xml if place == Place::Ssml => into.push_str(value),
            Self::Xml => into.push_str(&quick_xml::escape::escape(value)),
        }
    }
}

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Place(Place),
}

impl Template {
    /// Braces around one of the names are a place; around another single word, an error; all others stand for themselves, as JSON
    /// needs them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            literal.push_str(before);
            let name = behind
                .split('}')
                .next()
                .filter(|name| name.len() < behind.len());
            let is_word = |name: &&str| {
                !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
            };
            let Some(name) = name.filter(is_word) else {
                literal.push('{');
                rest = behind;
                continue;
            };
            let Some((_, place)) = PLACES.iter().find(|(known, _)| *known == name) else {
                let known = PLACES.map(|(known, _)| format!("{{{known}}}")).join(", ");
                return Err(format!("{{{name}}} cannot be filled in; there are {known}"));
            };
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Place(*place));
            rest = &behind[name.len() + 1..];
        }
        literal.push_str(rest);
        pieces.push(Piece::Literal(literal));
        Ok(Self(pieces))
    }

    pub(super) fn has(&self, place: Place) -> bool {
        self.0.contains(&Piece::Place(place))
    }

    pub(super) fn fill<'a>(&self, escape: Escape, value: impl Fn(Place) -> &'a str) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => filled.push_str(literal),
                Piece::Place(place) => escape.write(*place, value(*place), &mut filled),
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, escape: Escape) -> String {
        let template = Template::parse(template).unwrap();
        template.fill(escape, |place| match place {
            Place::Text => "a \"b\" & <c>/é\n{voice}",
            Place::Ssml => "<speak>x</speak>",
            Place::Language => "km-KH",
            _ => "v",
        })
    }

    #[test]
    fn places_are_filled_in_as_each_context_needs_it() {
        for (template, escape, expected) in [
            (
                "http://a/?q={text}&l={language}",
                Escape::Percent,
                "http://a/?q=a%20%22b%22%20%26%20%3Cc%3E%2F%C3%A9%0A%7Bvoice%7D&l=km-KH",
            ),
            (
                r#"{"text": "{text}", "o": {"v": "{voice}"}}"#,
                Escape::Json,
                r#"{"text": "a \"b\" & <c>/é\n{voice}", "o": {"v": "v"}}"#,
            ),
            (
                "<r>{text}</r>{ssml}",
                Escape::Xml,
                "<r>a &quot;b&quot; &amp; &lt;c&gt;/é\n{voice}</r><speak>x</speak>",
            ),
            (r#""{ssml}""#, Escape::Json, r#""<speak>x</speak>""#),
            ("{text}", Escape::None, "a \"b\" & <c>/é\n{voice}"),
            ("{}{ {A} {voice", Escape::None, "{}{ {A} {voice"),
            ("{{voice}}", Escape::None, "{v}"),
        ] {
            assert_eq!(fill(template, escape), expected, "{template}");
        }
    }

    #[test]
    fn a_place_that_is_none_is_an_error() {
        let error = Template::parse("{txt}").unwrap_err();
        let expected = "{txt} cannot be filled in; there are {text}, {ssml}, {language}, {voice}, {rate}, {pitch}, {secret}";
        assert_eq!(error, expected);
    }

    #[test]
    fn the_content_type_says_how_a_body_is_escaped() {
        for (content_type, expected) in [
            ("application/json; charset=utf-8", Escape::Json),
            ("application/vnd.api+json", Escape::Json),
            ("application/ssml+xml", Escape::Xml),
            ("text/XML", Escape::Xml),
            ("application/x-www-form-urlencoded", Escape::Percent),
            ("text/plain", Escape::None),
            ("", Escape::None),
        ] {
            assert_eq!(
                Escape::for_content_type(content_type),
                expected,
                "{content_type}"
            );
        }
    }
}
