//! Identifiers that nobody can guess: tags, branches, Call-IDs.

use std::hash::{DefaultHasher, Hasher};

use bytes::Bytes;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::via::MAGIC_COOKIE;

/// Five bits a letter.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes identifiers from one secret seed: the same seed gives the same identifiers in the same order.
pub(crate) struct Identifiers {
    random: ChaCha12Rng,
    secret: [u8; 16],
}

impl Identifiers {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut random = ChaCha12Rng::from_seed(seed);
        let mut secret = [0; 16];
        random.fill_bytes(&mut secret);
        Self { random, secret }
    }

    /// A secret for other uses.
    pub(crate) fn secret(&mut self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.random.fill_bytes(&mut secret);
        secret
    }

    /// A tag of 80 random bits.
    pub(crate) fn tag(&mut self) -> Bytes {
        let mut tag = Vec::with_capacity(16);
        self.letters(&mut tag, 16);
        tag.into()
    }

    /// A branch of 80 random bits behind RFC 3261's cookie.
    pub(crate) fn branch(&mut self) -> Bytes {
        let mut branch = Vec::with_capacity(MAGIC_COOKIE.len() + 16);
        branch.extend_from_slice(MAGIC_COOKIE);
        self.letters(&mut branch, 16);
        branch.into()
    }

    /// A Call-ID of 130 random bits.
    pub(crate) fn call_id(&mut self) -> Bytes {
        let mut call_id = Vec::with_capacity(26);
        self.letters(&mut call_id, 26);
        call_id.into()
    }

    /// The tag of an answer that leaves no state: the same for every copy of one request (RFC 3261 §8.2.7), and of no
    /// use to who does not know the secret.
    pub(crate) fn stateless_tag(&self, parts: [&[u8]; 3]) -> Bytes {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.secret);
        for part in parts {
            hasher.write(part);
            hasher.write_u8(0);
        }
        Bytes::from(format!("{:016x}", hasher.finish()))
    }

    /// A number below `bound`, any as likely as the other.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = u64::from(self.random.next_u32()) * u64::from(bound);
        (product >> 32) as u32
    }

    fn letters(&mut self, out: &mut Vec<u8>, count: usize) {
        let mut bytes = [0; 32];
        self.random.fill_bytes(&mut bytes[..count]);
        out.extend(
            bytes[..count]
                .iter()
                .map(|byte| LETTERS[usize::from(byte & 31)]),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_seed_decides() {
        let three = |seed| {
            let mut ids = Identifiers::new([seed; 32]);
            (
                ids.tag(),
                ids.branch(),
                ids.call_id(),
                ids.stateless_tag([b"a", b"b", b"c"]),
            )
        };
        assert_eq!(three(1), three(1));
        assert_ne!(three(1), three(2));
    }

    #[test]
    fn no_two_alike() {
        let mut ids = Identifiers::new([7; 32]);
        let seen: HashSet<_> = (0..1000)
            .flat_map(|_| [ids.tag(), ids.branch(), ids.call_id()])
            .collect();
        assert_eq!(seen.len(), 3000);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut ids = Identifiers::new([7; 32]);
        let mut counts = [0; 10];
        for _ in 0..1000 {
            counts[ids.below(10) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (60..140).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn stateless_tags_tell_requests_apart() {
        let ids = Identifiers::new([7; 32]);
        assert_ne!(
            ids.stateless_tag([b"ab", b"c", b""]),
            ids.stateless_tag([b"a", b"bc", b""])
        );
    }
}
