//! What a dialled call proves to its far end, and the terms of one target.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CallError, DialRequest};

/// Bytes of a username or a password.
const MAX_BYTES: usize = 255;

/// What is said of one target of a dial alone. Mirrors `jackfield:dial/terms@0.1.0`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTerms {
    /// What is proved to a SIP URI's server; none for what its trunk has.
    pub login: Option<SipLogin>,
}

/// A username with its password (RFC 3261 section 22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipLogin {
    /// 1 to 255 bytes.
    pub username: String,
    /// 1 to 255 bytes.
    pub password: Password,
}

/// A password: printing it with `{:?}` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password(String);

impl Password {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: to prove, never to log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Whether a request can be dialled on these terms. The message has no value in it.
pub(crate) fn check_terms(request: &DialRequest, terms: &[TargetTerms]) -> Result<(), CallError> {
    let invalid = |what: String| Err(CallError::InvalidArgument(what));
    let (targets, given) = (request.targets.len(), terms.len());
    if given > targets {
        return invalid(format!("terms of {given} targets: there are {targets}"));
    }
    for (target, terms) in request.targets.iter().zip(terms) {
        let Some(login) = &terms.login else { continue };
        let is_uri = |scheme: &str| {
            let beginning = target.to.get(..scheme.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
        };
        if !is_uri("sip:") && !is_uri("sips:") {
            return invalid(
                "credentials are for SIP URIs: to numbers and devices the trunk's own go"
                    .to_owned(),
            );
        }
        for (name, value) in [
            ("username", login.username.as_str()),
            ("password", login.password.expose()),
        ] {
            if !(1..=MAX_BYTES).contains(&value.len()) || value.contains(char::is_control) {
                return invalid(format!(
                    "the {name} of a target has 1 to {MAX_BYTES} bytes, and no control characters"
                ));
            }
        }
    }
    Ok(())
}
