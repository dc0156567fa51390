//! How the servers of applications are reached.

use std::path::PathBuf;

use ::egress::Roots;
use anyhow::Context as _;
use serde::Deserialize;

/// What webhooks, documents, prompts and media streams have in common.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Egress {
    /// PEM file of authorities that are believed besides the public ones: an organisation's own. Read at the start.
    pub(crate) extra_tls_roots: Option<PathBuf>,
}

impl Egress {
    /// The authorities that a server may have its certificate from.
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificates.
    pub(crate) fn roots(&self) -> anyhow::Result<Roots> {
        let Some(path) = &self.extra_tls_roots else {
            return Ok(Roots::public());
        };
        let of = || format!("{} (egress.extra_tls_roots)", path.display());
        let pem = std::fs::read(path).with_context(|| format!("cannot read {}", of()))?;
        Roots::public_and(&pem).with_context(of)
    }
}
