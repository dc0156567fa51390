//! Header fields that are for the application behind a peer, not for SIP.

use crate::Fields;

/// The one of them that has a standard's name (RFC 7433).
const USER_TO_USER: &str = "User-to-User";
/// Fields that are read, and bytes of one.
const MOST_FIELDS: usize = 20;
const LONGEST_FIELD: usize = 1_024;
const LONGEST_NAME: usize = 128;

impl Fields {
    /// `User-to-User` and what begins with `X-`: names and values, as they were sent. 20 at most; one of more than 1,024 bytes, or whose name has more than 128, is left
    /// out.
    #[must_use]
    pub fn own_fields(&self) -> Vec<(String, String)> {
        self.own_fields_and(&[])
    }

    /// The same, and fields of these names.
    pub(crate) fn own_fields_and(&self, others: &[&str]) -> Vec<(String, String)> {
        let is_read = |name: &str, value: &str| {
            let is_own = name.len() > 2 && name.as_bytes()[..2].eq_ignore_ascii_case(b"X-");
            let mut known = others.iter().chain([&USER_TO_USER]);
            let is_known = known.any(|known| known.eq_ignore_ascii_case(name));
            (is_own || is_known) && name.len() <= LONGEST_NAME && value.len() <= LONGEST_FIELD
        };
        self.headers()
            .filter(|(name, value)| is_read(name, value))
            .take(MOST_FIELDS)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }
}
