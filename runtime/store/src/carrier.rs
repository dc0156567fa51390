//! A carrier: who runs trunks and has accounts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names a carrier: 1 to 63 of `a-z`, `0-9` and `-`, chosen by the operator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CarrierId(pub String);

impl fmt::Display for CarrierId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A telephone company, or whoever stands for one: it owns trunks and accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    /// Its name in every key and reference.
    pub id: CarrierId,
    /// Its name for people.
    pub name: String,
    /// The host name under which its accounts reach the API, where it has one of its own.
    pub domain: Option<String>,
}

/// Whether `text` may be an id that the operator chooses: 1 to 63 of `a-z`, `0-9` and `-`.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
