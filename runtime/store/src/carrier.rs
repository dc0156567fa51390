//! A carrier: who runs trunks and has accounts.

use std::collections::BTreeSet;
use std::fmt;

use numbers::PhoneNumber;
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// Its name in every key and reference.
    pub id: CarrierId,
    /// Its name for people.
    pub name: String,
    /// The host name under which its accounts reach the API, where it has one of its own; also the realm of its trunks' logins.
    pub domain: Option<String>,
    /// Numbers that accounts may take; free is which of them no account has.
    pub number_pool: BTreeSet<PhoneNumber>,
    /// How many outbound calls all its accounts together may begin in a second, above 0; none: as many as accounts and trunks may.
    pub calls_per_second: Option<f32>,
}

/// The realm of the logins of carriers that have no domain.
pub const DEFAULT_REALM: &str = "jackfield";

impl Carrier {
    /// The digest realm in which its trunks' peers have their user names (RFC 3261 section 22.1).
    #[must_use]
    pub fn realm(&self) -> &str {
        self.domain.as_deref().unwrap_or(DEFAULT_REALM)
    }
}

/// Whether `text` may be an id that the operator chooses: 1 to 63 of `a-z`, `0-9` and `-`.
pub(crate) fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
