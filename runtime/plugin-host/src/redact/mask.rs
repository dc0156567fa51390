//! Texts, numbers and addresses with placeholders of the same kind and length.

use call::StatusCallback;

/// Header fields whose values say nothing of anybody.
const PLAIN_HEADERS: [&str; 5] = [
    "accept",
    "content-length",
    "content-type",
    "date",
    "user-agent",
];
/// A part of a path that is longer is rather a token than a name.
const LONGEST_NAME: usize = 24;

pub(super) fn callback(callback: StatusCallback) -> StatusCallback {
    StatusCallback {
        url: url(&callback.url),
        ..callback
    }
}

pub(super) fn headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let masked = |(name, value): (String, String)| {
        let is_plain = PLAIN_HEADERS
            .iter()
            .any(|plain| name.eq_ignore_ascii_case(plain));
        let value = if is_plain { value } else { text(&value) };
        (name, value)
    };
    headers.into_iter().map(masked).collect()
}

/// Text stays text of the same length in characters; anything else becomes zeros.
pub(super) fn body(body: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(words) => text(words).into_bytes(),
        Err(_) => vec![0; body.len()],
    }
}

pub(super) fn text(text: &str) -> String {
    let masked = |character: char| match character {
        '0'..='9' => '0',
        'A'..='Z' => 'X',
        'a'..='z' => 'x',
        character if character.is_ascii() => character,
        _ => 'x',
    };
    text.chars().map(masked).collect()
}

pub(super) fn digits(text: &str) -> String {
    let masked = |character: char| match character {
        '0'..='9' => '0',
        character => character,
    };
    text.chars().map(masked).collect()
}

/// `*` and `#` end what is typed: they tell nothing, and the story may wait for them.
pub(super) const fn digit(key: char) -> char {
    match key {
        '0'..='9' => '0',
        'A'..='D' => 'A',
        key => key,
    }
}

/// A number, or a SIP URI.
pub(super) fn target(target: &str) -> String {
    match target.split_once(':') {
        Some((scheme @ ("sip" | "sips"), rest)) => format!("{scheme}:{}", text(rest)),
        _ => text(target),
    }
}

/// Of a URL the server, the plain words of its path and the names in its query stay. What is none is text.
pub(super) fn url(url: &str) -> String {
    let Some((scheme @ ("http" | "https" | "ws" | "wss"), rest)) = url.split_once("://") else {
        return text(url);
    };
    let (place, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let server = match place.rsplit_once('@') {
        Some((user, server)) => format!("{}@{server}", text(user)),
        None => place.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(word).collect();
    let query = query.split_inclusive(['?', '&', '#']).map(parameter);
    format!(
        "{scheme}://{server}{}{}",
        path.join("/"),
        query.collect::<String>()
    )
}

/// A part of a path.
fn word(part: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '.');
    match part.len() <= LONGEST_NAME && part.chars().all(is_plain) {
        true => part.to_owned(),
        false => text(part),
    }
}

/// `name=value`, with the sign that follows it.
fn parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) => format!("{name}={}", text(value)),
        None => text(parameter),
    }
}
