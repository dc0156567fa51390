//! Nonces that prove themselves: nothing is kept of those that were given out (RFC 7616 §3.3, §5.4).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const SALT: usize = 6;
const SEAL: usize = 14;
const LENGTH: usize = 4 + SALT + SEAL;

/// When and for what a nonce was made. The order is that of their making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Nonce {
    /// Seconds since the guard's first request.
    pub(super) second: u32,
    salt: [u8; SALT],
}

/// Makes nonces and knows its own.
pub(super) struct Mint {
    secret: [u8; 32],
}

impl Mint {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// A nonce for a request from there. Copies of one request get the same within a second, two requests never: each
    /// starts its own nonce count.
    pub(super) fn make(&self, second: u32, source: IpAddr, request: &[&[u8]]) -> String {
        let mut mac = self.mac(b"salt");
        for part in request {
            mac.update(part);
            mac.update(b"\n");
        }
        let salt = first(&mac);
        let nonce = Nonce { second, salt };
        let bytes = [&second.to_be_bytes()[..], &salt, &self.seal(nonce, source)].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a nonce that was made here for that source; none for any other.
    pub(super) fn read(&self, text: &[u8], source: IpAddr) -> Option<Nonce> {
        let mut bytes = [0; LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (second, rest) = bytes.split_first_chunk().filter(|_| length == LENGTH)?;
        let (salt, seal) = rest.split_first_chunk()?;
        let nonce = Nonce {
            second: u32::from_be_bytes(*second),
            salt: *salt,
        };
        bool::from(self.seal(nonce, source).ct_eq(seal)).then_some(nonce)
    }

    /// A hash that only this mint makes, for tables that nobody outside shall be able to aim at.
    pub(super) fn slot(&self, parts: &[&[u8]]) -> u32 {
        let mut mac = self.mac(b"slot");
        for part in parts {
            mac.update(part);
            mac.update(b"\n");
        }
        u32::from_be_bytes(first(&mac))
    }

    fn seal(&self, nonce: Nonce, source: IpAddr) -> [u8; SEAL] {
        let source = match source {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut mac = self.mac(b"seal");
        mac.update(&nonce.second.to_be_bytes());
        mac.update(&nonce.salt);
        mac.update(&source.octets());
        first(&mac)
    }

    fn mac(&self, purpose: &[u8; 4]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(purpose);
        mac
    }
}

fn first<const N: usize>(mac: &Hmac<Sha256>) -> [u8; N] {
    let bytes = mac.clone().finalize().into_bytes();
    let mut first = [0; N];
    first.copy_from_slice(&bytes[..N]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_for_one_source_and_of_one_mint() {
        let mint = Mint::new([1; 32]);
        let source: IpAddr = "192.0.2.7".parse().unwrap();
        let nonce = mint.make(17, source, &[b"call", b"branch"]);
        assert_eq!(nonce.len(), 32);
        assert_eq!(mint.read(nonce.as_bytes(), source).unwrap().second, 17);
        let mapped = "::ffff:192.0.2.7".parse().unwrap();
        assert!(mint.read(nonce.as_bytes(), mapped).is_some());
        let other = "192.0.2.8".parse().unwrap();
        assert_eq!(mint.read(nonce.as_bytes(), other), None);
        assert_eq!(Mint::new([2; 32]).read(nonce.as_bytes(), source), None);
        for at in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(mint.read(&forged, source), None, "{at}");
        }
        for text in [
            &b""[..],
            b"x",
            &nonce.as_bytes()[..31],
            &[b'A'; 64],
            b"\xff",
        ] {
            assert_eq!(mint.read(text, source), None);
        }
    }

    #[test]
    fn requests_have_their_own_nonces() {
        let mint = Mint::new([1; 32]);
        let source: IpAddr = "192.0.2.7".parse().unwrap();
        let make = |second, parts: &[&[u8]]| mint.make(second, source, parts);
        assert_eq!(make(1, &[b"a", b"b"]), make(1, &[b"a", b"b"]));
        assert_ne!(make(1, &[b"a", b"b"]), make(1, &[b"a", b"c"]));
        assert_ne!(make(1, &[b"a", b"b"]), make(1, &[b"ab"]));
        assert_ne!(make(1, &[b"a", b"b"]), make(2, &[b"a", b"b"]));
    }
}
