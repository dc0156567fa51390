//! Plugins: what was uploaded under a name, version by version, and which of them runs calls.

use std::fmt;

use call::AccountSid;
use serde::{Deserialize, Serialize};

use crate::{CarrierId, Scope, Sha256Digest};

/// The most versions of one plugin that are kept; the oldest that has no part to play goes first.
pub const MAX_VERSIONS: usize = 20;
/// The most plugins of one owner.
pub const MAX_PLUGINS: usize = 50;
/// The most bytes of all versions of one owner's plugins: 256 MiB.
pub const MAX_OWNED_BYTES: u64 = 256 * 1024 * 1024;
/// Who uploads when a tenants file is applied, and acts for a carrier.
pub const OPERATOR: &str = "operator";

/// Whose plugin it is. A carrier's plugins run calls of all its accounts that have none of that name of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PluginOwner {
    /// An account's own.
    Account(AccountSid),
    /// A carrier's, for its accounts.
    Carrier(CarrierId),
}

impl From<Scope> for PluginOwner {
    fn from(scope: Scope) -> Self {
        Self::Account(scope.account())
    }
}

impl fmt::Display for PluginOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "{account}"),
            Self::Carrier(carrier) => write!(f, "carrier {carrier}"),
        }
    }
}

/// Everything that is kept of one plugin but its history and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// Whose it is.
    pub owner: PluginOwner,
    /// How flows name it: 1 to 63 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// What is kept of it, the oldest first; never empty.
    pub versions: Vec<PluginVersion>,
    /// Which of them run calls.
    pub standing: Standing,
    /// The highest number that a version had.
    pub(crate) numbered: u32,
    /// How many events its history has.
    pub(crate) events: u32,
    /// What a tenants file had last under this name: applying that file again changes nothing, whatever was done meanwhile.
    pub(crate) applied: Option<Sha256Digest>,
}

impl Plugin {
    pub(crate) const fn new(owner: PluginOwner, name: String) -> Self {
        Self {
            owner,
            name,
            versions: Vec::new(),
            standing: Standing {
                active: None,
                last_good: None,
                canary: None,
            },
            numbered: 0,
            events: 0,
            applied: None,
        }
    }

    /// One version that is kept.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&PluginVersion> {
        self.versions
            .iter()
            .find(|version| version.number == number)
    }

    /// The version that new calls begin with, but for those of the canary.
    #[must_use]
    pub fn active(&self) -> Option<&PluginVersion> {
        self.version(self.standing.active?)
    }

    /// The version of these bytes, if it is kept.
    #[must_use]
    pub fn version_of(&self, sha256: Sha256Digest) -> Option<&PluginVersion> {
        self.versions
            .iter()
            .find(|version| version.sha256 == sha256)
    }
}

/// One upload. [`crate::Store::component_bytes`] gives its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginVersion {
    /// Counts from 1; no number is given twice.
    pub number: u32,
    /// What its bytes hash to.
    pub sha256: Sha256Digest,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The worlds that it runs; none where it came by a tenants file.
    pub worlds: Vec<String>,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub uploaded_unix_ms: u64,
    /// Who uploaded it.
    pub by: String,
    /// What its test came to.
    pub self_test: SelfTest,
}

/// What came of the callers, questions and cases that were played against a version when it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTest {
    /// None were played: it came by a tenants file.
    NotRun,
    /// All went well.
    Passed {
        /// How many there were.
        cases: u32,
    },
    /// It cannot become active.
    Failed {
        /// How many there were up to the one that went wrong, with it; 0 where the test was stopped.
        cases: u32,
        /// The one that went wrong, and how.
        why: String,
    },
    /// None were played, because the host could not.
    CouldNotRun {
        /// Why not, in words.
        why: String,
    },
}

/// Which versions of a plugin run calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// New calls begin with it.
    pub active: Option<u32>,
    /// The one before it, which a rollback makes active again.
    pub last_good: Option<u32>,
    /// A version on trial.
    pub canary: Option<Canary>,
}

impl Standing {
    /// Whether the version has a part to play.
    #[must_use]
    pub fn names(&self, number: u32) -> bool {
        [self.active, self.last_good]
            .into_iter()
            .flatten()
            .chain(self.canary.map(|canary| canary.version))
            .any(|named| named == number)
    }
}

/// A version that some of the new calls begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The version.
    pub version: u32,
    /// How many in a hundred calls, from 1 to 100.
    pub percent: u8,
}

/// A version that is to be kept.
#[derive(Clone)]
pub struct NewVersion {
    /// Whose it is.
    pub owner: PluginOwner,
    /// The plugin's name.
    pub name: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// The worlds that it runs.
    pub worlds: Vec<String>,
    /// What its test came to.
    pub self_test: SelfTest,
    /// Whether new calls begin with it from now on, if its self-test did not fail.
    pub activate: bool,
    /// Who uploads it.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
}

impl fmt::Debug for NewVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewVersion")
            .field("owner", &self.owner)
            .field("name", &self.name)
            .field("size_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What [`crate::Store::upload_plugin`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPlugin {
    /// The version as it is kept.
    pub version: PluginVersion,
    /// False where the same bytes were kept already: then `version` is that one.
    pub is_new: bool,
    /// How the plugin stands now.
    pub standing: Standing,
}

/// What is to become of a plugin's standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginChange {
    /// New calls begin with this version. A canary ends.
    Activate {
        /// The version.
        version: u32,
    },
    /// So many in a hundred new calls begin with this version; 0 ends the trial.
    Canary {
        /// The version.
        version: u32,
        /// From 0 to 100.
        percent: u8,
    },
    /// Back: a canary ends, or where there is none the last good version is active again.
    Rollback {
        /// The version that is to go, where the one who asks knows it: if it has no part to play any more nothing is done.
        from: Option<u32>,
        /// Why, in words.
        why: String,
    },
}

/// One line of a plugin's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginEvent {
    /// Counts from 0 within its plugin.
    pub sequence: u32,
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// Who did it: an account's SID, `operator`, or `jackfield` where the host itself did.
    pub who: String,
    /// What was done.
    pub deed: PluginDeed,
}

/// What was done to a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginDeed {
    /// A version was uploaded.
    Uploaded {
        /// Its number.
        version: u32,
    },
    /// A version became active.
    Activated {
        /// The version.
        version: u32,
    },
    /// A trial began, or its share changed.
    CanaryBegun {
        /// The version on trial.
        version: u32,
        /// How many in a hundred calls.
        percent: u8,
    },
    /// A trial ended.
    CanaryEnded {
        /// The version that was on trial.
        version: u32,
        /// Why, in words; empty where somebody ended it or the version became active.
        why: String,
    },
    /// The last good version became active again.
    RolledBack {
        /// The version that went.
        from: u32,
        /// The version that came.
        to: u32,
        /// Why, in words.
        why: String,
    },
}

impl fmt::Display for PluginDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |f: &mut fmt::Formatter<'_>, why: &str| match why {
            "" => Ok(()),
            why => write!(f, ": {why}"),
        };
        match self {
            Self::Uploaded { version } => write!(f, "uploaded version {version}"),
            Self::Activated { version } => write!(f, "activated version {version}"),
            Self::CanaryBegun { version, percent } => {
                write!(f, "gave version {version} {percent} % of new calls")
            }
            Self::CanaryEnded { version, why } => {
                write!(f, "ended the trial of version {version}")?;
                because(f, why)
            }
            Self::RolledBack { from, to, why } => {
                write!(f, "rolled back from version {from} to version {to}")?;
                because(f, why)
            }
        }
    }
}
