//! The keys of a description as those of its packets.

use rtp::srtp::{MasterKey, Suite};
use sdp::CryptoSuite;

/// A negotiated key, as packets are encrypted with it.
pub(super) fn master_key(key: &sdp::MasterKey) -> MasterKey {
    let suite = match key.suite() {
        CryptoSuite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
        CryptoSuite::AeadAes128Gcm => Suite::AeadAes128Gcm,
        CryptoSuite::AeadAes256Gcm => Suite::AeadAes256Gcm,
    };
    MasterKey::new(suite, key.bytes()).expect("both say how long the keys of a suite are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_its_key() {
        for suite in CryptoSuite::ALL {
            let key = sdp::MasterKey::new(suite, &vec![7; suite.master_bytes()]).unwrap();
            assert_eq!(master_key(&key).suite().name(), suite.name());
        }
    }
}
