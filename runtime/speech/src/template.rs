//! Texts with places in braces that are filled in for each request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// The unreserved characters of RFC 3986 (section 2.3) stand for themselves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Text,
    Ssml,
    Language,
    Voice,
    Rate,
    Pitch,
    Secret,
    Hints,
    Model,
    ProfanityFilter,
    Audio,
}

/// How a value is written where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
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
    pub(crate) fn for_content_type(content_type: &str) -> Self {
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
            // A list, with its brackets.
            Self::Json if place == Place::Hints => into.push_str(value),
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
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Place(Place),
}

impl Template {
    /// Braces around one of the names are a place; around another single word, an error; all others stand for themselves, as JSON
    /// needs them.
    pub(crate) fn parse(text: &str, places: &[(&str, Place)]) -> Result<Self, String> {
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
            let Some((_, place)) = places.iter().find(|(known, _)| *known == name) else {
                let known: Vec<_> = places
                    .iter()
                    .map(|(known, _)| format!("{{{known}}}"))
                    .collect();
                let known = known.join(", ");
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

    /// Of a URL that was read from `text`: its scheme, one of these, and the host that requests go to, whatever is filled in.
    pub(crate) fn host(&self, text: &str, schemes: &[&str]) -> Result<(String, String), String> {
        let host = |value: &'static str| {
            let url = Url::parse(&self.fill(Escape::Percent, |_| value)).ok()?;
            let scheme = schemes.contains(&url.scheme()).then(|| url.scheme())?;
            Some((scheme.to_owned(), url.host_str()?.to_owned()))
        };
        match (host("a"), host("b")) {
            (Some(one), Some(other)) if one == other => {
                let (scheme, host) = one;
                Ok((scheme, host.trim_matches(['[', ']']).to_owned()))
            }
            (Some(_), Some(_)) => Err("nothing can be filled in in the host".to_owned()),
            _ => Err(format!("{text:?} is no {} URL", schemes.join(" or "))),
        }
    }

    pub(crate) fn has(&self, place: Place) -> bool {
        self.0.contains(&Piece::Place(place))
    }

    pub(crate) fn fill<'a>(&self, escape: Escape, value: impl Fn(Place) -> &'a str) -> String {
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

    const PLACES: [(&str, Place); 5] = [
        ("text", Place::Text),
        ("ssml", Place::Ssml),
        ("language", Place::Language),
        ("voice", Place::Voice),
        ("hints", Place::Hints),
    ];

    fn fill(template: &str, escape: Escape) -> String {
        let template = Template::parse(template, &PLACES).unwrap();
        template.fill(escape, |place| match place {
            Place::Text => "a \"b\" & <c>/é\n{voice}",
            Place::Ssml => "<speak>x</speak>",
            Place::Language => "km-KH",
            Place::Hints => r#"["a"]"#,
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
            (r#"{"h": {hints}}"#, Escape::Json, r#"{"h": ["a"]}"#),
            ("{text}", Escape::None, "a \"b\" & <c>/é\n{voice}"),
            ("{}{ {A} {voice", Escape::None, "{}{ {A} {voice"),
            ("{{voice}}", Escape::None, "{v}"),
        ] {
            assert_eq!(fill(template, escape), expected, "{template}");
        }
    }

    #[test]
    fn a_place_that_is_none_is_an_error() {
        let error = Template::parse("{txt}", &PLACES).unwrap_err();
        let expected =
            "{txt} cannot be filled in; there are {text}, {ssml}, {language}, {voice}, {hints}";
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
