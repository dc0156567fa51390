//! The `crypto` attribute of SDP (RFC 4568 section 4).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{MasterKey, Suite};

/// One `a=crypto:` line: what one side encrypts what it sends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Tells the lines of an offer apart; the answer repeats the one it takes.
    pub tag: u32,
    /// Suite, key and salt.
    pub key: MasterKey,
}

/// Why a `crypto` attribute cannot be used. The others of the offer still may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdesError {
    /// Not `tag suite inline:key`.
    #[error("not a crypto attribute: it must be `<tag> <suite> inline:<key>`")]
    Syntax,
    /// A suite that is not in [`Suite::ALL`].
    #[error("unknown crypto suite")]
    Suite,
    /// Not base64, or not as long as the suite's key and salt.
    #[error("the key is not base64 of the suite's length")]
    Key,
    /// More than one key, a master key identifier, or a session parameter that changes what is sent.
    #[error("several keys, an MKI, or a session parameter that changes the packets")]
    Unsupported,
}

impl Crypto {
    /// Reads the value of the attribute, what follows `a=crypto:`.
    ///
    /// A lifetime is read over: calls end before 2³¹ packets.
    ///
    /// # Errors
    /// If it cannot be used; the text says why.
    pub fn read(value: &str) -> Result<Self, SdesError> {
        let mut words = value.split_ascii_whitespace();
        let (Some(tag), Some(suite), Some(parameters)) = (words.next(), words.next(), words.next())
        else {
            return Err(SdesError::Syntax);
        };
        let is_tag = tag.len() <= 9 && tag.bytes().all(|byte| byte.is_ascii_digit());
        let tag = tag
            .parse()
            .ok()
            .filter(|_| is_tag)
            .ok_or(SdesError::Syntax)?;
        let suite = Suite::named(suite).ok_or(SdesError::Suite)?;
        if parameters.contains(';') || !words.all(changes_nothing) {
            return Err(SdesError::Unsupported);
        }
        let (method, key) = parameters.split_once(':').ok_or(SdesError::Syntax)?;
        if !method.eq_ignore_ascii_case("inline") {
            return Err(SdesError::Syntax);
        }
        let mut key = key.split('|');
        let bytes = decode(key.next().unwrap_or_default()).ok_or(SdesError::Key)?;
        if key.any(|part| part.contains(':')) {
            return Err(SdesError::Unsupported); // MKI:length
        }
        let key = MasterKey::new(suite, &bytes).ok_or(SdesError::Key)?;
        Ok(Self { tag, key })
    }
}

/// The value of the attribute, with the key: not for logs.
impl fmt::Display for Crypto {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode(self.key.bytes());
        write!(
            formatter,
            "{} {} inline:{key}",
            self.tag,
            self.key.suite().name()
        )
    }
}

/// Some leave the padding out.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// Whether a session parameter (RFC 4568 section 6.3) leaves the packets as they are without it.
fn changes_nothing(parameter: &str) -> bool {
    let parameter = parameter.to_ascii_uppercase();
    parameter == "KDR=0" || parameter.starts_with("WSH=")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 4568 section 4.1.
    const KEY: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

    #[test]
    fn attributes_are_read_and_written() {
        let long = STANDARD.encode([7; 44]);
        let short = STANDARD.encode([7; 28]);
        for (value, suite) in [
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                Suite::AesCm128HmacSha1_80,
            ),
            (
                format!("99 aes_cm_128_hmac_sha1_32 INLINE:{KEY}|2^20"),
                Suite::AesCm128HmacSha1_32,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576  KDR=0 WSH=64"),
                Suite::AesCm128HmacSha1_80,
            ),
            (
                format!("000000001 AEAD_AES_256_GCM inline:{long}"),
                Suite::AeadAes256Gcm,
            ),
            (
                format!("1 AEAD_AES_128_GCM inline:{short}"),
                Suite::AeadAes128Gcm,
            ),
            (
                format!("1 AEAD_AES_128_GCM inline:{}", short.trim_end_matches('=')),
                Suite::AeadAes128Gcm,
            ),
        ] {
            let crypto = Crypto::read(&value).unwrap();
            assert_eq!(crypto.key.suite(), suite, "{value}");
            assert_eq!(Crypto::read(&crypto.to_string()), Ok(crypto), "{value}");
        }
        let crypto = Crypto::read(&format!("7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20")).unwrap();
        assert_eq!(
            crypto.to_string(),
            format!("7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")
        );
        assert_eq!(crypto.key.bytes(), &b"=-n@%^x!Bjufr9)?,#5h\\`=&]{qiPQ"[..]);
        assert_eq!(
            format!("{crypto:?}"),
            "Crypto { tag: 7, key: MasterKey(AES_CM_128_HMAC_SHA1_80) }"
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (value, expected) in [
            (String::new(), SdesError::Syntax),
            ("1 AES_CM_128_HMAC_SHA1_80".to_owned(), SdesError::Syntax),
            (
                format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                SdesError::Syntax,
            ),
            (
                format!("+1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                SdesError::Syntax,
            ),
            (
                format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                SdesError::Syntax,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"),
                SdesError::Syntax,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}"),
                SdesError::Syntax,
            ),
            (
                format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
                SdesError::Suite,
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:".to_owned(),
                SdesError::Key,
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:$$$$".to_owned(),
                SdesError::Key,
            ),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD".to_owned(),
                SdesError::Key,
            ),
            (format!("1 AEAD_AES_128_GCM inline:{KEY}"), SdesError::Key),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
                SdesError::Unsupported,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"),
                SdesError::Unsupported,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"),
                SdesError::Unsupported,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
                SdesError::Unsupported,
            ),
            (
                format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=5"),
                SdesError::Unsupported,
            ),
        ] {
            assert_eq!(Crypto::read(&value), Err(expected), "{value}");
        }
    }
}
