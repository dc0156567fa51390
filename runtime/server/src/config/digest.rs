//! Which hashes passwords are proved by.

use serde::Deserialize;
use sip::digest::{Algorithm, Hash};

/// Hashes that are offered to who must prove a password, most preferred first, and taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct DigestAlgorithms(pub(crate) Vec<Hash>);

impl Default for DigestAlgorithms {
    fn default() -> Self {
        Self(Hash::ALL.to_vec())
    }
}

impl TryFrom<Vec<String>> for DigestAlgorithms {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let mut hashes = Vec::new();
        for name in names {
            let known = Algorithm::of(name.as_bytes()).filter(|algorithm| !algorithm.is_session);
            let hash = known.ok_or_else(|| {
                format!(
                    "{name:?} is no digest algorithm: write \"SHA-256\", \"SHA-512-256\" or \"MD5\""
                )
            })?;
            if hashes.contains(&hash.hash) {
                return Err(format!("{name} is named twice"));
            }
            hashes.push(hash.hash);
        }
        if hashes.is_empty() {
            return Err("no digest algorithm is named: nobody could log in".to_owned());
        }
        Ok(Self(hashes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_by_their_names() {
        let read = |names: &[&str]| {
            DigestAlgorithms::try_from(names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        for (names, hashes) in [
            (&["MD5"][..], &[Hash::Md5][..]),
            (&["sha-256", "MD5"], &[Hash::Sha256, Hash::Md5]),
        ] {
            assert_eq!(read(names).unwrap().0, hashes);
        }
        for (names, message) in [
            (&[][..], "nobody could log in"),
            (&["MD4"], "is no digest algorithm"),
            (&["MD5-sess"], "is no digest algorithm"),
            (&["MD5", "md5"], "named twice"),
        ] {
            let error = read(names).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
