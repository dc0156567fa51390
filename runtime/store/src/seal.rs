//! Sealing: what is secret lies on the disk only encrypted and authenticated (XChaCha20-Poly1305).
//!
//! Two levels. The operator key is a file of its own, made with mode 0600 at the first start; it seals one random data key
//! for each account, and the passwords of trunks. The data key seals what is kept for the account. Losing the operator key loses the tokens and
//! journals; deleting an account's row shreds its key. Every sealed value is bound to what it is and whose it is, so that a
//! value moved to another row does not open.
//!
//! A sealed value is a version byte (1), a random nonce of 24 bytes, and the ciphertext with its tag of 16 bytes. At 192 bits a
//! random nonce needs no counter.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::Sha256Digest;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text that must not be seen: printing it with `{:?}` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// A random secret of 32 hexadecimal digits (128 bits).
    #[must_use]
    pub fn random() -> Self {
        Self(hex(&random_bytes::<16>()))
    }

    /// The text itself: to sign or to compare with, never to log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A sealed value does not open: another key, another place, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: wrong key, or damaged")]
pub struct Unsealable;

/// What a sealed value is, which it is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    DataKey,
    AuthToken,
    SecondaryToken,
    Journal,
    KeyValue,
    Person,
    Recipient,
    PluginPage,
    AccountSecret,
    LoginPassword,
    CredentialsPassword,
    CallPassword,
    FlowToken,
    Exchange,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::DataKey => b"data-key",
            Self::AuthToken => b"auth-token",
            Self::SecondaryToken => b"secondary-token",
            Self::Journal => b"journal",
            Self::KeyValue => b"key-value",
            Self::Person => b"person",
            Self::Recipient => b"recipient",
            Self::PluginPage => b"plugin-page",
            Self::AccountSecret => b"account-secret",
            Self::LoginPassword => b"login-password",
            Self::CredentialsPassword => b"credentials-password",
            Self::CallPassword => b"call-password",
            Self::FlowToken => b"flow-token",
            Self::Exchange => b"exchange",
        }
    }
}

/// A key of 256 bits that seals.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DataKey([u8; 32]);

impl DataKey {
    pub(crate) fn random() -> Self {
        Self(random_bytes())
    }

    /// Seals `plain`, bound to what it is (`purpose`) and whose it is (`owner`).
    pub(crate) fn seal(&self, purpose: Purpose, owner: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let bound = [purpose.label(), owner].concat();
        let ciphertext = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &bound,
                },
            )
            .expect("a value in memory is shorter than the cipher's limit of 256 GiB");
        [&[VERSION][..], &nonce, &ciphertext].concat()
    }

    /// Opens what [`Self::seal`] sealed for the same purpose and owner.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        owner: &[u8; 16],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Unsealable> {
        let sealed = sealed.strip_prefix(&[VERSION]).ok_or(Unsealable)?;
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Unsealable)?;
        let bound = [purpose.label(), owner].concat();
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &bound,
                },
            )
            .map_err(|_| Unsealable)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Why the operator key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("cannot use the key file {}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read it.
    #[error("others may read the key file {0}: run `chmod 600 {0}`, and consider the key known", path.display())]
    Permissions {
        /// The key file.
        path: PathBuf,
    },
    /// It does not hold a key.
    #[error("{} holds no key (64 hexadecimal digits): restore it from a backup", path.display())]
    NoKey {
        /// The key file.
        path: PathBuf,
    },
}

/// The key that seals the accounts' keys.
#[derive(Debug, Clone)]
pub struct OperatorKey(DataKey);

impl OperatorKey {
    /// A new key that is kept nowhere.
    #[must_use]
    pub fn random() -> Self {
        Self(DataKey::random())
    }

    /// Makes a new key and keeps it at `path`, readable by its owner only. An existing file is replaced.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        let key = Self::random();
        write_owner_only(path, &format!("{}\n", hex(&key.0.0))).map_err(|source| {
            KeyFileError::Io {
                path: path.to_owned(),
                source,
            }
        })?;
        Ok(key)
    }

    /// Reads the key that [`Self::create`] kept at `path`.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Permissions {
                path: path.to_owned(),
            });
        }
        let text = fs::read_to_string(path).map_err(io)?;
        parse_key(text.trim_end()).ok_or_else(|| KeyFileError::NoKey {
            path: path.to_owned(),
        })
    }

    /// Seals what belongs to no account.
    pub(crate) fn seal(&self, purpose: Purpose, owner: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        self.0.seal(purpose, owner, plain)
    }

    /// Opens what [`Self::seal`] sealed for the same purpose and owner.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        owner: &[u8; 16],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Unsealable> {
        self.0.open(purpose, owner, sealed)
    }

    /// A hash that nobody without the key can find the text of by trying.
    pub(crate) fn keyed_digest(&self, text: &[u8]) -> Sha256Digest {
        let inner = Sha256Digest::of(text);
        let parts = [&b"jackfield keyed digest\0"[..], &self.0.0, &inner.0];
        Sha256Digest::of(&parts.concat())
    }

    pub(crate) fn seal_key(&self, owner: &[u8; 16], key: &DataKey) -> Vec<u8> {
        self.0.seal(Purpose::DataKey, owner, &key.0)
    }

    pub(crate) fn open_key(&self, owner: &[u8; 16], sealed: &[u8]) -> Result<DataKey, Unsealable> {
        let key = self.0.open(Purpose::DataKey, owner, sealed)?;
        key.try_into().map(DataKey).map_err(|_| Unsealable)
    }
}

fn parse_key(text: &str) -> Option<OperatorKey> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(OperatorKey(DataKey(key)))
}

/// Writes a file that appears whole, or not at all, and that only its owner may read.
fn write_owner_only(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_folder_of(path)
}

/// Makes a rename or a new file in `path`'s folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: [u8; 16] = [1; 16];

    #[test]
    fn what_is_sealed_opens_only_with_its_key_purpose_owner_and_bytes() {
        let key = DataKey::random();
        let sealed = key.seal(Purpose::Journal, &OWNER, b"digits: 1234");
        assert_eq!(
            key.open(Purpose::Journal, &OWNER, &sealed).unwrap(),
            b"digits: 1234"
        );
        assert_eq!(
            DataKey::random().open(Purpose::Journal, &OWNER, &sealed),
            Err(Unsealable)
        );
        assert_eq!(
            key.open(Purpose::AuthToken, &OWNER, &sealed),
            Err(Unsealable)
        );
        assert_eq!(
            key.open(Purpose::Journal, &[2; 16], &sealed),
            Err(Unsealable)
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                key.open(Purpose::Journal, &OWNER, &changed),
                Err(Unsealable),
                "byte {at}"
            );
            assert_eq!(
                key.open(Purpose::Journal, &OWNER, &sealed[..at]),
                Err(Unsealable),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn nothing_of_a_sealed_text_is_readable_and_no_two_are_alike() {
        let key = DataKey::random();
        let first = key.seal(Purpose::AuthToken, &OWNER, b"canary-token");
        assert!(!first.windows(6).any(|window| window == b"canary"));
        assert_ne!(first, key.seal(Purpose::AuthToken, &OWNER, b"canary-token"));
    }

    #[test]
    fn secrets_and_keys_do_not_print() {
        assert_eq!(
            format!("{:?}", Secret::new("canary".to_owned())),
            "Secret(…)"
        );
        assert_eq!(
            format!("{:?}", OperatorKey::random()),
            "OperatorKey(DataKey(…))"
        );
    }

    #[test]
    fn the_key_file_is_its_owners_alone_and_gives_the_key_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        let key = OperatorKey::create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(OperatorKey::load(&path).unwrap().0, key.0);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            OperatorKey::load(&path),
            Err(KeyFileError::Permissions { .. })
        ));
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.key");
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            write_owner_only(&path, bad).unwrap();
            assert!(
                matches!(OperatorKey::load(&path), Err(KeyFileError::NoKey { .. })),
                "{bad}"
            );
        }
    }
}
