//! Who changed what, when and from where.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::rows::Rows;
use crate::{OPERATOR, StoreError};

/// How many entries are kept; the oldest goes first.
pub const MAX_AUDIT_ENTRIES: u64 = 100_000;

/// Who asks for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// An account's or a key's SID, or [`OPERATOR`].
    pub who: String,
    /// Where the request came from; none for a command on the server's own machine.
    pub source: Option<IpAddr>,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// The names of the fields that were given. Never their values.
    pub fields: Vec<String>,
}

impl Author {
    /// The operator, on the server's own machine.
    #[must_use]
    pub fn operator(at_unix_ms: u64) -> Self {
        Self {
            who: OPERATOR.to_owned(),
            source: None,
            at_unix_ms,
            fields: Vec::new(),
        }
    }
}

/// One change of tenants' data. It says what was changed, never to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts up from 1.
    pub id: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// An account's or a key's SID, or [`OPERATOR`].
    pub who: String,
    /// Where the request came from; none for a command on the server's own machine.
    pub source: Option<IpAddr>,
    /// A kind of thing and what was done, such as `number.update`.
    pub deed: String,
    /// The thing, such as `number +85512345678 of carrier demo`.
    pub thing: String,
    /// The names of the fields that were given.
    pub fields: Vec<String>,
}

/// Writes down a change, in the transaction of the change.
pub(crate) fn note(
    rows: &mut dyn Rows,
    author: &Author,
    deed: &str,
    thing: String,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        id: 0,
        at_unix_ms: author.at_unix_ms,
        who: author.who.clone(),
        source: author.source,
        deed: deed.to_owned(),
        thing,
        fields: author.fields.clone(),
    };
    rows.add_audit(entry)
}
