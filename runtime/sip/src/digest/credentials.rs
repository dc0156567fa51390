//! What we prove to a peer that asks.

use std::fmt;

/// A username and its password, for one realm or for any.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) realm: Option<String>,
}

/// A username that cannot stand in a header field: it is empty, or holds control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a username must not be empty or hold control characters")]
pub struct InvalidUsername;

impl Credentials {
    /// With a `realm` only challenges of exactly that realm are answered; without one, those of every realm that the peer
    /// whom they are for names.
    ///
    /// # Errors
    ///
    /// [`InvalidUsername`].
    pub fn new(
        username: impl Into<String>,
        password: impl Into<String>,
        realm: Option<String>,
    ) -> Result<Self, InvalidUsername> {
        let username = username.into();
        if !is_username(&username) {
            return Err(InvalidUsername);
        }
        Ok(Self {
            username,
            password: password.into(),
            realm,
        })
    }
}

/// Says nothing that a log must not hold.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

pub(super) fn is_username(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown() {
        let credentials = Credentials::new("gw1", "secret", Some("carrier".into())).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials");
    }

    #[test]
    fn usernames_fit_a_header_field() {
        for (username, is_valid) in [
            ("gw1", true),
            ("Jäsøn \"Doe\"", true),
            ("", false),
            ("a\r\nVia: x", false),
            ("a\u{0}", false),
        ] {
            assert_eq!(
                Credentials::new(username, "", None).is_ok(),
                is_valid,
                "{username:?}"
            );
        }
    }
}
