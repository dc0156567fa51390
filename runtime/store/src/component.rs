//! Components by their hash, and as a tenants file has them.

use std::fmt;

use call::AccountSid;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{OPERATOR, PluginVersion, SelfTest};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sha256Digest(pub [u8; 32]);

impl Sha256Digest {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A component of a tenants file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    /// Whose component it is.
    pub(crate) account: AccountSid,
    /// How the account's flows name it: 1 to 63 of `a-z`, `0-9` and `-`.
    pub(crate) name: String,
    /// What its bytes hash to.
    pub(crate) sha256: Sha256Digest,
    /// How many bytes it has.
    pub(crate) size_bytes: u64,
}

impl Component {
    /// As a version of a plugin that the operator uploaded, still without its number.
    pub(crate) fn into_version(self, at_unix_ms: u64) -> PluginVersion {
        PluginVersion {
            number: 0,
            sha256: self.sha256,
            size_bytes: self.size_bytes,
            worlds: Vec::new(),
            uploaded_unix_ms: at_unix_ms,
            by: OPERATOR.to_owned(),
            self_test: SelfTest::NotRun,
        }
    }
}
