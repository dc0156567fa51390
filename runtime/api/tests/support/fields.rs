//! What Twilio's resources have: `tests/vectors/twilio-fields.txt`, and whether an answer is so.

use std::collections::BTreeMap;

use jiff::fmt::strtime;
use serde_json::Value;

const VECTOR: &str = include_str!("../../../../tests/vectors/twilio-fields.txt");

/// A resource by its properties, and the name of its list.
#[derive(Debug, Default)]
pub(crate) struct Resource {
    pub(crate) list: &'static str,
    fields: BTreeMap<&'static str, &'static str>,
}

/// All of them by their names.
pub(crate) fn resources() -> BTreeMap<&'static str, Resource> {
    let mut resources: BTreeMap<&str, Resource> = BTreeMap::new();
    let mut current = "";
    let lines = VECTOR.lines().filter(|line| !line.starts_with('#'));
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some(head) = line.strip_prefix('[') {
            let (name, list) = head.split_once(']').unwrap();
            current = name;
            let list = list.trim();
            let before = resources.insert(
                name,
                Resource {
                    list,
                    ..Resource::default()
                },
            );
            assert!(before.is_none(), "{name} is there twice");
        } else {
            let (name, kind) = line.split_once(' ').unwrap();
            let resource = resources.get_mut(current).unwrap();
            assert!(resource.fields.insert(name, kind).is_none(), "{line}");
        }
    }
    resources
}

impl Resource {
    /// What is wrong with one; `own` are properties that are not Twilio's.
    pub(crate) fn complaints(&self, one: &Value, own: &[&str]) -> Vec<String> {
        let Some(object) = one.as_object() else {
            return vec![format!("{one} is no object")];
        };
        let fields = self.fields.iter();
        let mut complaints: Vec<_> = fields
            .filter_map(|(name, kind)| match object.get(*name) {
                None => Some(format!("`{name}` is missing")),
                Some(value) if fits(kind, value) => None,
                Some(value) => Some(format!("`{name}` is {value}, not {kind}")),
            })
            .collect();
        let known = |name: &&String| self.fields.contains_key(name.as_str());
        let unknown = object.keys().filter(|name| !known(name));
        let unknown = unknown.filter(|name| !own.contains(&name.as_str()));
        complaints.extend(unknown.map(|name| format!("`{name}` is not Twilio's")));
        complaints
    }
}

/// Whether a value is what the vector's word says.
pub(crate) fn fits(kind: &str, value: &Value) -> bool {
    let (kind, is_optional) = match kind.strip_suffix('?') {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    match (kind, value) {
        (_, Value::Null) => is_optional,
        ("boolean", value) => value.is_boolean(),
        ("integer", value) => value.is_u64() || value.is_i64(),
        ("number", value) => value.is_number(),
        ("object", value) => value.is_object(),
        ("uris", Value::Object(uris)) => uris.values().all(|uri| fits("uri", uri)),
        (kind, Value::String(text)) => is_text(kind, text),
        _ => false,
    }
}

fn is_text(kind: &str, text: &str) -> bool {
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    if let Some(words) = kind.strip_prefix("one-of:") {
        return words.split('|').any(|word| word == text);
    }
    match kind {
        "text" => true,
        "digits" => are_digits(text),
        "seconds" => text == "-1" || are_digits(text),
        "phone" => are_digits(text.strip_prefix('+').unwrap_or(text)),
        "method" => matches!(text, "GET" | "POST"),
        "url" => text.is_empty() || text.starts_with("http://") || text.starts_with("https://"),
        "uri" => text.starts_with("/2010-04-01/"),
        "currency" => text.len() == 3 && text.bytes().all(|one| one.is_ascii_uppercase()),
        "country" => text.len() == 2 && text.bytes().all(|one| one.is_ascii_uppercase()),
        "day" => is_written_as("%Y-%m-%d", text),
        "date" => text.ends_with(" +0000") && is_written_as("%a, %d %b %Y %H:%M:%S %z", text),
        prefix => is_sid(prefix, text),
    }
}

fn is_sid(prefix: &str, text: &str) -> bool {
    assert!(
        prefix.len() == 2 && prefix.bytes().all(|one| one.is_ascii_uppercase()),
        "the vector's word {prefix:?} is none that is known"
    );
    let is_hex = |digits: &str| {
        let mut digits = digits.bytes();
        digits.all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'))
    };
    text.len() == 34 && text.strip_prefix(prefix).is_some_and(is_hex)
}

/// Read and written again, it is the same.
fn is_written_as(format: &str, text: &str) -> bool {
    let read = strtime::parse(format, text);
    read.is_ok_and(|read| read.to_string(format).is_ok_and(|again| again == text))
}
