//! TLS: who we are and whom we trust, read again when the files change.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use sip::Transport;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tracing::{error, info, warn};

use crate::config::Sip;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often a certificate that ends soon is warned of.
const WARN: Duration = Duration::from_secs(24 * 3_600);
/// What counts as soon.
const SOON_DAYS: i64 = 14;
const DAY_S: i64 = 24 * 3_600;

/// TLS as the files say it is to be. New connections take what is there; those that are up go on as they began.
#[derive(Debug, Clone)]
pub(crate) struct Tls(watch::Receiver<Contexts>);

#[derive(Debug, Clone)]
struct Contexts {
    /// For SIP; none without a certificate.
    sip: Option<Arc<ServerConfig>>,
    /// For `WebSockets`: browsers have no certificate to show.
    web: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or holds nothing usable. The text names its setting.
    pub(crate) fn load(settings: &Sip) -> anyhow::Result<(Self, Keeper)> {
        let files = Files::of(settings);
        let seen = files.read()?;
        let contexts = seen.contexts()?;
        let (current, tls) = watch::channel(contexts);
        let keeper = Keeper {
            files,
            seen,
            current,
        };
        Ok((Self(tls), keeper))
    }

    /// The server's side of a handshake.
    pub(super) async fn accept(
        &self,
        transport: Transport,
        stream: TcpStream,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        let config = {
            let contexts = self.0.borrow();
            match transport {
                Transport::Wss => contexts.web.clone(),
                _ => contexts.sip.clone(),
            }
        };
        let config = config.ok_or_else(|| io::Error::other("there is no certificate"))?;
        TlsAcceptor::from(config).accept(stream).await
    }

    /// The client's side: the server must prove to be `name`.
    pub(super) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.borrow().client);
        TlsConnector::from(config).connect(name, stream).await
    }
}

/// Keeps [`Tls`] as the files say.
#[derive(Debug)]
pub(crate) struct Keeper {
    files: Files,
    seen: Contents,
    current: watch::Sender<Contexts>,
}

impl Keeper {
    /// Looks at the files until nobody uses TLS any more.
    pub(crate) async fn run(self) {
        self.run_every(LOOK).await;
    }

    pub(super) async fn run_every(mut self, interval: Duration) {
        self.tell_end();
        let mut told_end = Instant::now();
        let mut last_failure = String::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = self.current.closed() => return,
            }
            if told_end.elapsed() >= WARN {
                told_end = Instant::now();
                self.tell_end();
            }
            match self.look() {
                Ok(()) => last_failure.clear(),
                Err(failure) => {
                    // A file may be away while it is replaced, and stay away.
                    let failure = format!("{failure:#}");
                    if failure != last_failure {
                        warn!("TLS goes on with the files as they were: {failure}");
                        last_failure = failure;
                    }
                }
            }
        }
    }

    /// Takes the files over when they have changed and are usable.
    fn look(&mut self) -> anyhow::Result<()> {
        let contents = self.files.read()?;
        if contents == self.seen {
            return Ok(());
        }
        self.current.send_replace(contents.contexts()?);
        self.seen = contents;
        info!("the TLS files have changed and were read again");
        self.tell_end();
        Ok(())
    }

    fn tell_end(&self) {
        let Some(end) = self.seen.end_of_certificate() else {
            return;
        };
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
        match (end - now).div_euclid(DAY_S) {
            ..0 => error!("our TLS certificate (sip.tls_certificate) has expired"),
            days @ 0..=SOON_DAYS => warn!(
                days,
                "our TLS certificate (sip.tls_certificate) expires soon"
            ),
            _ => {}
        }
    }
}

#[derive(Debug)]
struct Files {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    roots: Option<PathBuf>,
}

/// What is in the files, as it is.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
    roots: Option<Vec<u8>>,
}

impl Files {
    fn of(settings: &Sip) -> Self {
        Self {
            certificate: settings.tls_certificate.clone(),
            key: settings.tls_key.clone(),
            client_ca: settings.tls_client_ca.clone(),
            roots: settings.tls_roots.clone(),
        }
    }

    fn read(&self) -> anyhow::Result<Contents> {
        let read = |setting: &str, file: &Option<PathBuf>| {
            let Some(path) = file else { return Ok(None) };
            let bytes = std::fs::read(path)
                .with_context(|| format!("cannot read {} (sip.{setting})", path.display()))?;
            anyhow::Ok(Some(bytes))
        };
        Ok(Contents {
            certificate: read("tls_certificate", &self.certificate)?,
            key: read("tls_key", &self.key)?,
            client_ca: read("tls_client_ca", &self.client_ca)?,
            roots: read("tls_roots", &self.roots)?,
        })
    }
}

/// The key is in there.
impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

impl Contents {
    fn contexts(&self) -> anyhow::Result<Contexts> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client_ca = self.client_ca.as_deref();
        let client_ca = client_ca
            .map(|pem| roots_of(pem).context("sip.tls_client_ca"))
            .transpose()?;
        let us = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some(Identity::read(certificate, key)?),
            _ => None,
        };
        let serve = |client_ca| {
            us.as_ref()
                .map(|us| us.server(&provider, client_ca))
                .transpose()
        };
        Ok(Contexts {
            web: serve(None)?,
            sip: serve(client_ca)?,
            client: self.client(&provider, us.as_ref())?,
        })
    }

    fn client(
        &self,
        provider: &Arc<CryptoProvider>,
        us: Option<&Identity>,
    ) -> anyhow::Result<Arc<ClientConfig>> {
        let roots = match &self.roots {
            Some(pem) => roots_of(pem).context("sip.tls_roots")?,
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match us {
            Some(us) => config.with_client_auth_cert(us.chain.clone(), us.key.clone_key())?,
            None => config.with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }

    /// When our certificate ends, in Unix seconds; none where there is none, or it cannot be told.
    fn end_of_certificate(&self) -> Option<i64> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_deref()?).ok()?;
        not_after(&certificate)
    }
}

/// A certificate, what it was issued by, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn read(certificate: &[u8], key: &[u8]) -> anyhow::Result<Self> {
        let chain = certificates_of(certificate).context("sip.tls_certificate")?;
        let key =
            PrivateKeyDer::from_pem_slice(key).context("sip.tls_key is no private key in PEM")?;
        Ok(Self { chain, key })
    }

    fn server(
        &self,
        provider: &Arc<CryptoProvider>,
        client_ca: Option<RootCertStore>,
    ) -> anyhow::Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()?;
        let config = match client_ca {
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                );
                config.with_client_cert_verifier(verifier.build().context("sip.tls_client_ca")?)
            }
            None => config.with_no_client_auth(),
        };
        let config = config
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .context("sip.tls_certificate and sip.tls_key do not belong together")?;
        Ok(Arc::new(config))
    }
}

fn roots_of(pem: &[u8]) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(pem)? {
        roots
            .add(certificate)
            .context("a certificate of an authority cannot be read")?;
    }
    Ok(roots)
}

fn certificates_of(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    anyhow::ensure!(!certificates.is_empty(), "no certificate in PEM is in it");
    Ok(certificates)
}

/// The end of a certificate's validity, in Unix seconds.
///
/// It is had from the verifier, which looks at validity before anything else: at the end of time every certificate has
/// expired, and the refusal says since when.
fn not_after(certificate: &CertificateDer<'_>) -> Option<i64> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let any_roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(any_roots), provider)
        .build()
        .ok()?;
    let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX / 2));
    let name = ServerName::try_from("localhost").ok()?;
    match verifier.verify_server_cert(certificate, &[], &name, &[], end_of_time) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => i64::try_from(not_after.as_secs()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
