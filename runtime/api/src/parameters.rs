//! The parameters of a request: a form body, or a query.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use call::HttpMethod;
use url::Url;

use crate::problem::Problem;

/// Parameters by name, none of them twice but lists, and none of them unknown.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// Lists: each value is a parameter of its own.
const REPEATED: [&str; 5] = [
    "Area",
    "ConferenceStatusCallbackEvent",
    "Field",
    "RecordingStatusCallbackEvent",
    "StatusCallbackEvent",
];

/// Which parameters a request may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    /// What this server acts on.
    pub(crate) supported: &'static [&'static str],
    /// What Twilio has besides. Given with a value it is refused: a parameter that is accepted and has no effect would be
    /// found out too late.
    pub(crate) unsupported: &'static [&'static str],
}

/// Whether a URL can be asked for over HTTP.
pub(crate) fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

impl Parameters {
    /// The parameters of a form body.
    pub(crate) fn of_form(
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
        vocabulary: Vocabulary,
    ) -> Result<Self, Problem> {
        Self::parse(&form(headers, body)?, vocabulary, |_| false)
    }

    /// The parameters of a form body that may have [`Self::numbered`] ones besides.
    pub(crate) fn of_numbered_form(
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
        vocabulary: Vocabulary,
    ) -> Result<Self, Problem> {
        Self::parse(&form(headers, body)?, vocabulary, |name| {
            number(name).is_some()
        })
    }

    /// The `Parameter1.Name` and `Parameter1.Value` to `Parameter99`, as pairs in the order of their numbers.
    pub(crate) fn numbered(&self) -> Result<Vec<(String, String)>, Problem> {
        let mut pairs = Vec::new();
        for number in NUMBERS {
            let name = self.get(&format!("Parameter{number}.Name"));
            let value = self.raw(&format!("Parameter{number}.Value"));
            match (name, value) {
                (Some(name), value) => {
                    pairs.push((name.to_owned(), value.unwrap_or_default().to_owned()));
                }
                (None, Some(_)) => {
                    return Err(Problem::bad_parameter(format!(
                        "`Parameter{number}.Value` has no effect without `Parameter{number}.Name`"
                    )));
                }
                (None, None) => {}
            }
        }
        Ok(pairs)
    }

    /// Those of a request that can have none.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// The parameters of a query.
    pub(crate) fn of_query(query: Option<&str>, vocabulary: Vocabulary) -> Result<Self, Problem> {
        let query = query.unwrap_or_default().as_bytes();
        Self::parse(query, vocabulary, |_| false)
    }

    fn parse(
        encoded: &[u8],
        vocabulary: Vocabulary,
        is_known_besides: fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        let mut parameters = Self(Vec::new());
        for (name, value) in url::form_urlencoded::parse(encoded) {
            if !is_known_besides(&name) {
                vocabulary.check(&name, &value)?;
            }
            let is_known = parameters.0.iter().any(|(known, _)| *known == name);
            if is_known && !REPEATED.contains(&&*name) {
                return Err(Problem::bad_parameter(format!(
                    "`{name}` is given more than once"
                )));
            }
            parameters.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(parameters)
    }

    /// The value of a parameter; none if it is missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a parameter, which may be empty; none if it is missing.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// How a URL is to be asked for: `GET` or `POST`, which it is where nothing is said. Twilio's 21209 for anything else.
    pub(crate) fn method(&self, name: &str) -> Result<HttpMethod, Problem> {
        match self.get(name).map(str::to_ascii_uppercase).as_deref() {
            None | Some("POST") => Ok(HttpMethod::Post),
            Some("GET") => Ok(HttpMethod::Get),
            Some(_) => {
                let message = format!("`{name}` must be `GET` or `POST`");
                Err(Problem::bad(21209, message))
            }
        }
    }

    /// Refuses another value than the one that these parameters can have here: what they ask for is so in any case.
    pub(crate) fn only(&self, names: &[(&str, &str)]) -> Result<(), Problem> {
        let wrong =
            |(name, only): &&(&str, &str)| self.get(name).is_some_and(|value| value != *only);
        match names.iter().find(wrong) {
            Some((name, only)) => Err(Problem::bad_parameter(format!(
                "`{name}` can only be `{only}` on this server"
            ))),
            None => Ok(()),
        }
    }

    /// The names of what is given.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Those of these names that have a value, for the links of a list's pages.
    pub(crate) fn given<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(&'a str, &'a str)> {
        let value = |name| Some((name, self.get(name)?));
        names.into_iter().filter_map(value).collect()
    }

    /// All that is given, in its order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self.0.iter();
        given.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of a list whose values may have spaces; empty ones are missing.
    pub(crate) fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let given = self.pairs().filter(move |(known, _)| *known == name);
        given
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }

    /// The values of a list, which may also be written in one, with spaces between them.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let given = self.0.iter().filter(move |(known, _)| known == name);
        given.flat_map(|(_, value)| value.split_ascii_whitespace())
    }
}

/// What `Parameter1.Name` may have in place of the 1.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=99;

/// The number of a `Parameter7.Name` or `Parameter7.Value`.
fn number(name: &str) -> Option<u32> {
    let (number, part) = name.strip_prefix("Parameter")?.split_once('.')?;
    let is_plain = !number.starts_with(['0', '+']);
    let number = number
        .parse()
        .ok()
        .filter(|number| NUMBERS.contains(number));
    number.filter(|_| is_plain && matches!(part, "Name" | "Value"))
}

/// A body that is a form, or empty.
fn form(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let body = body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(),
        _ => Problem::bad_parameter("The body could not be read"),
    })?;
    let is_form = headers.get(CONTENT_TYPE).is_none_or(|value| {
        value
            .as_bytes()
            .to_ascii_lowercase()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form && !body.is_empty() {
        let message = "The body must be `application/x-www-form-urlencoded`";
        return Err(Problem::bad_parameter(message));
    }
    Ok(body)
}

impl Vocabulary {
    fn check(&self, name: &str, value: &str) -> Result<(), Problem> {
        let supported = self.supported.join(", ");
        if self.supported.contains(&name) {
            Ok(())
        } else if self.unsupported.contains(&name) {
            let refusal =
                format!("`{name}` is not supported by this server yet; supported: {supported}");
            if value.is_empty() {
                Ok(())
            } else {
                Err(Problem::bad_parameter(refusal))
            }
        } else {
            let shown: String = name.chars().take(64).collect();
            let refusal = format!("Unknown parameter `{shown}`; supported: {supported}");
            Err(Problem::bad_parameter(refusal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Vocabulary = Vocabulary {
        supported: &["To", "Url"],
        unsupported: &["Record"],
    };

    #[test]
    fn known_parameters_are_taken_and_others_are_refused_by_name() {
        let read = |query| Parameters::of_query(Some(query), WORDS);
        let read_well = read("To=%2B1+2&Url=&Record=").unwrap();
        assert_eq!(read_well.get("To"), Some("+1 2"));
        assert_eq!(read_well.get("Url"), None, "empty is missing");
        for (query, named) in [
            ("Record=true", "`Record` is not supported"),
            ("Tо=1", "Unknown parameter `Tо`"),
            ("to=1", "Unknown parameter `to`"),
            ("To=1&To=1", "`To` is given more than once"),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!((problem.status.as_u16(), problem.code), (400, 20001));
            assert!(problem.message.contains(named), "{}", problem.message);
        }
    }
}
