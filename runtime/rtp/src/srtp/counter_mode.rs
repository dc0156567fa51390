//! AES in counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1).

use aes::Aes128;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::cipher::{ENCRYPTED, Nonce};
use super::derivation::{Label, Protocol, apply_key_stream, derive};
use super::{MasterKey, RTCP_HEADER_BYTES, SrtpError, Suite};

/// Session keys of one protocol.
#[derive(Clone)]
pub(super) struct CounterMode {
    aes: Aes128,
    salt: [u8; 14],
    hmac: Hmac<Sha1>,
    /// Of SRTP.
    tag_bytes: usize,
}

impl CounterMode {
    /// SRTCP has 80 bits whatever SRTP has (RFC 4568 section 6.2.2).
    pub(super) const RTCP_TAG_BYTES: usize = 10;

    pub(super) fn new(master: &MasterKey, protocol: Protocol) -> Self {
        let (mut key, mut salt, mut authentication) = ([0; 16], [0; 14], [0; 20]);
        derive(master, protocol, Label::Encryption, &mut key);
        derive(master, protocol, Label::Salt, &mut salt);
        derive(master, protocol, Label::Authentication, &mut authentication);
        Self {
            aes: Aes128::new(&key.into()),
            salt,
            hmac: Hmac::new_from_slice(&authentication).expect("HMAC takes a key of any length"),
            tag_bytes: match master.suite() {
                Suite::AesCm128HmacSha1_32 => 4,
                _ => 10,
            },
        }
    }

    pub(super) const fn tag_bytes(&self) -> usize {
        self.tag_bytes
    }

    pub(super) fn seal_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
        length: usize,
    ) -> usize {
        self.crypt(nonce, &mut packet[clear..length]);
        let tag = self.mac(&[&packet[..length], &rollover(nonce)]).finalize();
        let end = length + self.tag_bytes;
        packet[length..end].copy_from_slice(&tag.as_bytes()[..self.tag_bytes]);
        end
    }

    pub(super) fn open_rtp(
        &self,
        nonce: Nonce,
        packet: &mut [u8],
        clear: usize,
    ) -> Result<usize, SrtpError> {
        let length = packet.len() - self.tag_bytes;
        let (sealed, tag) = packet.split_at_mut(length);
        self.prove(&[sealed, &rollover(nonce)], tag)?;
        self.crypt(nonce, &mut sealed[clear..]);
        Ok(length)
    }

    pub(super) fn seal_rtcp(&self, nonce: Nonce, packet: &mut [u8], length: usize) -> usize {
        self.crypt(nonce, &mut packet[RTCP_HEADER_BYTES..length]);
        let index = ENCRYPTED | nonce.index as u32;
        packet[length..length + 4].copy_from_slice(&index.to_be_bytes());
        let tag = self.mac(&[&packet[..length + 4]]).finalize();
        let end = length + 4 + Self::RTCP_TAG_BYTES;
        packet[length + 4..end].copy_from_slice(&tag.as_bytes()[..Self::RTCP_TAG_BYTES]);
        end
    }

    pub(super) fn open_rtcp(&self, nonce: Nonce, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let end = packet.len() - Self::RTCP_TAG_BYTES;
        let (sealed, tag) = packet.split_at_mut(end);
        self.prove(&[sealed], tag)?;
        let length = end - 4;
        self.crypt(nonce, &mut sealed[RTCP_HEADER_BYTES..length]);
        Ok(length)
    }

    /// Encrypts or decrypts: `IV = (salt · 2¹⁶) xor (SSRC · 2⁶⁴) xor (index · 2¹⁶)`.
    fn crypt(&self, nonce: Nonce, data: &mut [u8]) {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        add(&mut counter[4..8], &nonce.ssrc.to_be_bytes());
        add(&mut counter[8..14], &nonce.index.to_be_bytes()[2..]);
        apply_key_stream(&self.aes, counter, data);
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha1> {
        let mut mac = self.hmac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }

    fn prove(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), SrtpError> {
        self.mac(parts)
            .verify_truncated_left(tag)
            .map_err(|_| SrtpError::Forged)
    }
}

/// What is authenticated behind an RTP packet: how often its sequence number wrapped.
fn rollover(nonce: Nonce) -> [u8; 4] {
    ((nonce.index >> 16) as u32).to_be_bytes()
}

/// Adds without carry.
pub(super) fn add(to: &mut [u8], bytes: &[u8]) {
    for (to, byte) in to.iter_mut().zip(bytes) {
        *to ^= byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_key_stream_is_that_of_the_rfc() {
        let key: [u8; 16] = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
            0x4f, 0x3c,
        ];
        let mut counter: [u8; 16] = std::array::from_fn(|n| 0xf0 + n as u8);
        counter[14..].fill(0);
        let aes = Aes128::new(&key.into());
        let mut stream = vec![0; 0xff02 * 16];
        apply_key_stream(&aes, counter, &mut stream);
        let block = |number: usize| -> String {
            stream[number * 16..][..16]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        for (number, expected) in [
            (0, "e03ead0935c95e80e166b16dd92b4eb4"),
            (1, "d23513162b02d0f72a43a2fe4a5f97ab"),
            (2, "41e95b3bb0a2e8dd477901e4fca894c0"),
            (0xfeff, "ec8cdf7398607cb0f2d21675ea9ea1e4"),
            (0xff00, "362b7c3c6773516318a077d7fc5073ae"),
            (0xff01, "6a2cc3787889374fbeb4c81b17ba6c44"),
        ] {
            assert_eq!(block(number), expected, "{number:#x}");
        }
    }
}
