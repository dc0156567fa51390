//! AES in Galois/counter mode (RFC 7714).

use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce as Iv, Tag};

use super::cipher::{ENCRYPTED, Nonce};
use super::counter_mode::add;
use super::derivation::{Label, Protocol, derive};
use super::{MasterKey, RTCP_HEADER_BYTES, SrtpError, Suite};

/// Session keys of one protocol.
#[derive(Clone)]
pub(super) struct Gcm {
    aes: Key,
    salt: [u8; 12],
}

#[derive(Clone)]
enum Key {
    Aes128(AesGcm<Aes128, U12>),
    Aes256(AesGcm<Aes256, U12>),
}

impl Gcm {
    pub(super) const TAG_BYTES: usize = 16;

    pub(super) fn new(master: &MasterKey, protocol: Protocol) -> Self {
        let mut key = [0; 32];
        let key = &mut key[..master.suite().key_bytes()];
        let mut salt = [0; 12];
        derive(master, protocol, Label::Encryption, key);
        derive(master, protocol, Label::Salt, &mut salt);
        Self::with(master.suite(), key, salt)
    }

    fn with(suite: Suite, key: &[u8], salt: [u8; 12]) -> Self {
        let aes = if suite == Suite::AeadAes256Gcm {
            Key::Aes256(AesGcm::new_from_slice(key).expect("a key of 32 bytes"))
        } else {
            Key::Aes128(AesGcm::new_from_slice(key).expect("a key of 16 bytes"))
        };
        Self { aes, salt }
    }

    pub(super) fn seal_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
        length: usize,
    ) -> usize {
        let (header, payload) = packet.split_at_mut(clear);
        let tag = self.seal(self.rtp_iv(nonce), header, &mut payload[..length - clear]);
        let end = length + Self::TAG_BYTES;
        packet[length..end].copy_from_slice(&tag);
        end
    }

    pub(super) fn open_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
    ) -> Result<usize, SrtpError> {
        let length = packet.len() - Self::TAG_BYTES;
        let (sealed, tag) = packet.split_at_mut(length);
        let (header, payload) = sealed.split_at_mut(clear);
        self.open(self.rtp_iv(nonce), header, payload, tag)?;
        Ok(length)
    }

    /// The index stands behind the tag, and is authenticated behind the header (RFC 7714 section 9.2).
    pub(super) fn seal_rtcp(&self, nonce: Nonce, packet: &mut [u8], length: usize) -> usize {
        let index = ENCRYPTED | nonce.index as u32;
        let (header, payload) = packet.split_at_mut(RTCP_HEADER_BYTES);
        let clear = clear_of_rtcp(header, index);
        let payload = &mut payload[..length - RTCP_HEADER_BYTES];
        let tag = self.seal(self.rtcp_iv(nonce), &clear, payload);
        let end = length + Self::TAG_BYTES;
        packet[length..end].copy_from_slice(&tag);
        packet[end..end + 4].copy_from_slice(&index.to_be_bytes());
        end + 4
    }

    pub(super) fn open_rtcp(&self, nonce: Nonce, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let length = packet.len() - Self::TAG_BYTES - 4;
        let (sealed, behind) = packet.split_at_mut(length);
        let tag = &behind[..Self::TAG_BYTES];
        let (header, payload) = sealed.split_at_mut(RTCP_HEADER_BYTES);
        let clear = clear_of_rtcp(header, ENCRYPTED | nonce.index as u32);
        self.open(self.rtcp_iv(nonce), &clear, payload, tag)?;
        Ok(length)
    }

    /// 16 zero bits, SSRC, rollover counter and sequence number (RFC 7714 section 8.1).
    fn rtp_iv(&self, nonce: Nonce) -> [u8; 12] {
        let mut iv = self.salt;
        add(&mut iv[2..6], &nonce.ssrc.to_be_bytes());
        add(&mut iv[6..12], &nonce.index.to_be_bytes()[2..]);
        iv
    }

    /// 16 zero bits, SSRC, 16 zero bits and the index (RFC 7714 section 9.1).
    fn rtcp_iv(&self, nonce: Nonce) -> [u8; 12] {
        let mut iv = self.salt;
        add(&mut iv[2..6], &nonce.ssrc.to_be_bytes());
        add(&mut iv[8..12], &(nonce.index as u32).to_be_bytes());
        iv
    }

    fn seal(&self, iv: [u8; 12], clear: &[u8], payload: &mut [u8]) -> [u8; Self::TAG_BYTES] {
        const FITS: &str = "a packet is shorter than what one nonce may encrypt";
        match &self.aes {
            Key::Aes128(aes) => {
                let tag = aes.encrypt_inout_detached(
                    &Iv::<AesGcm<Aes128, U12>>::from(iv),
                    clear,
                    payload.into(),
                );
                tag.expect(FITS).into()
            }
            Key::Aes256(aes) => {
                let tag = aes.encrypt_inout_detached(
                    &Iv::<AesGcm<Aes256, U12>>::from(iv),
                    clear,
                    payload.into(),
                );
                tag.expect(FITS).into()
            }
        }
    }

    fn open(
        &self,
        iv: [u8; 12],
        clear: &[u8],
        payload: &mut [u8],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        let tag: [u8; Self::TAG_BYTES] = tag.try_into().map_err(|_| SrtpError::Malformed)?;
        let opened = match &self.aes {
            Key::Aes128(aes) => aes.decrypt_inout_detached(
                &Iv::<AesGcm<Aes128, U12>>::from(iv),
                clear,
                payload.into(),
                &Tag::<AesGcm<Aes128, U12>>::from(tag),
            ),
            Key::Aes256(aes) => aes.decrypt_inout_detached(
                &Iv::<AesGcm<Aes256, U12>>::from(iv),
                clear,
                payload.into(),
                &Tag::<AesGcm<Aes256, U12>>::from(tag),
            ),
        };
        opened.map_err(|_| SrtpError::Forged)
    }
}

/// What SRTCP authenticates in the clear.
fn clear_of_rtcp(header: &[u8], index: u32) -> [u8; 12] {
    let mut clear = [0; 12];
    clear[..8].copy_from_slice(header);
    clear[8..].copy_from_slice(&index.to_be_bytes());
    clear
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// RFC 7714 section 16.1.1 and 16.2.1: session keys as given, one packet.
    #[test]
    fn packets_are_those_of_the_rfc() {
        let clear = bytes(
            "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573",
        );
        let nonce = Nonce {
            ssrc: 0x5501_a0b2,
            index: 0xf17b,
        };
        for (suite, key, expected) in [
            (
                Suite::AeadAes128Gcm,
                "000102030405060708090a0b0c0d0e0f",
                "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 \
                 899d7f27 beb16a91 52cf765e e4390cce",
            ),
            (
                Suite::AeadAes256Gcm,
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b \
                 7aa3db36 dfffd6b0 f9bb7878 d7a76c13",
            ),
        ] {
            let gcm = Gcm::with(suite, &bytes(key), *b"Quid pro quo");
            let mut packet = [clear.as_slice(), &[0; 16]].concat();
            let length = gcm.seal_rtp(nonce, &mut packet, 12, clear.len());
            assert_eq!(
                (length, &packet),
                (packet.len(), &bytes(expected)),
                "{suite:?}"
            );
            assert_eq!(gcm.open_rtp(nonce, &mut packet, 12), Ok(clear.len()));
            assert_eq!(packet[..clear.len()], clear);
        }
    }
}
