//! Whose certificates are believed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The authorities that a server may have its certificate from.
#[derive(Clone)]
pub struct Roots(Arc<ClientConfig>);

/// What is no file of authorities.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRoots {
    /// It is not PEM.
    #[error("it is no PEM file of certificates: {0}")]
    Pem(String),
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    Empty,
    /// One of its certificates cannot be an authority's.
    #[error("one of its certificates cannot be used: {0}")]
    Certificate(String),
}

impl Roots {
    /// The public ones, as Mozilla has them.
    #[must_use]
    pub fn public() -> Self {
        Self::of(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// The public ones, and those of a PEM file: an organisation's own.
    ///
    /// # Errors
    /// If the file has no certificates.
    pub fn public_and(pem: &[u8]) -> Result<Self, InvalidRoots> {
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let public = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| InvalidRoots::Pem(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| InvalidRoots::Certificate(error.to_string()))?;
        }
        match roots.len() == public {
            true => Err(InvalidRoots::Empty),
            false => Ok(Self::of(roots)),
        }
    }

    fn of(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks the versions of TLS that are safe")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(config))
    }

    /// A client that believes them.
    pub(crate) fn client(&self) -> ClientConfig {
        self.0.as_ref().clone()
    }
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_authorities_is_refused() {
        let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, expected) in [
            ("", "there is no certificate in it"),
            ("no PEM at all", "there is no certificate in it"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "it is no PEM file"),
            (rubbish, "one of its certificates cannot be used"),
        ] {
            let error = Roots::public_and(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{pem:?}: {error}");
        }
    }
}
