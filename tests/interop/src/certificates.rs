//! An authority and what it issues, in files.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A certificate, its key, and the authority that vouches for it, in PEM.
#[derive(Debug)]
pub struct Certificates {
    /// The authority's own certificate.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    _folder: TempDir,
}

impl Certificates {
    /// A certificate of this host name or IP address, by an authority of its own.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::of_all(&[name])
    }

    /// A certificate of all these host names and IP addresses, by an authority of its own.
    #[must_use]
    pub fn of_all(names: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "an authority of the tests");
        let key = KeyPair::generate().expect("a key can be made");
        let authority = params.self_signed(&key).expect("an authority signs itself");
        let issuer = Issuer::new(params, key);

        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let params = CertificateParams::new(names).expect("names and addresses");
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params
            .signed_by(&key, &issuer)
            .expect("the authority signs");

        let folder = tempfile::tempdir().expect("a folder for certificates");
        let write = |name: &str, pem: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, pem)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            path
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            certificate: write("certificate.pem", certificate.pem()),
            key: write("key.pem", key.serialize_pem()),
            _folder: folder,
        }
    }
}
