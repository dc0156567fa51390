//! How often somebody may fail to prove who it is.
//!
//! Failures are counted for each pair of a source and a name, for each source, and for each name; counts shrink with time. What is counted takes a bounded
//! room. Who is known by a source and a name that have proved it lately is turned away for failures of that very pair alone: guesses
//! from elsewhere lock nobody out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Sha256Digest;

/// Sources, names and pairs that are remembered, of each kind.
const MAX_TRACKED: usize = 10_000;
/// How long a proof counts, in milliseconds.
const PROVEN_MS: u64 = 3_600_000;

/// How many failures there may be at once, and how many are forgotten in a second.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: f64,
    forgotten_per_s: f64,
}

/// One source that fails with one name: ten, and one more every six seconds.
const OF_PAIR: Limit = Limit {
    most: 10.0,
    forgotten_per_s: 1.0 / 6.0,
};
/// One source, whatever names it tries.
const OF_SOURCE: Limit = Limit {
    most: 100.0,
    forgotten_per_s: 1.0,
};
/// One name, wherever it is tried: beyond that a source has one attempt.
const OF_NAME: Limit = Limit {
    most: 100.0,
    forgotten_per_s: 1.0,
};

/// A user name by its hash, so that long ones take no more room.
type Name = [u8; 16];

/// Counts failures. Shared by all requests.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    pairs: Tracked<(IpAddr, Name)>,
    sources: Tracked<IpAddr>,
    names: Tracked<Name>,
    /// When each pair proved last who it is.
    proven: HashMap<(IpAddr, Name), u64>,
}

impl Throttle {
    /// Whether somebody may try now.
    ///
    /// # Errors
    /// In how many seconds it may try again.
    pub(crate) fn admit(&self, now_ms: u64, source: IpAddr, name: &str) -> Result<(), u64> {
        let (source, name) = (network(source), hash(name));
        let counts = self.lock();
        let pair = (source, name);
        counts.pairs.check(&pair, OF_PAIR, now_ms)?;
        let proven = counts.proven.get(&pair);
        if proven.is_some_and(|at| now_ms.saturating_sub(*at) < PROVEN_MS) {
            return Ok(());
        }
        counts.sources.check(&source, OF_SOURCE, now_ms)?;
        match counts.pairs.level(&pair, OF_PAIR, now_ms) > 0.0 {
            true => counts.names.check(&name, OF_NAME, now_ms),
            false => Ok(()),
        }
    }

    /// Somebody gave a wrong password. True where that was the last failure that its pair may have for now.
    pub(crate) fn failed(&self, now_ms: u64, source: IpAddr, name: &str) -> bool {
        let (source, name) = (network(source), hash(name));
        let mut counts = self.lock();
        counts.sources.add(source, OF_SOURCE, now_ms);
        counts.names.add(name, OF_NAME, now_ms);
        counts.pairs.add((source, name), OF_PAIR, now_ms);
        let pair = (source, name);
        counts.pairs.check(&pair, OF_PAIR, now_ms).is_err()
    }

    /// Somebody has proved who it is.
    pub(crate) fn proved(&self, now_ms: u64, source: IpAddr, name: &str) {
        let pair = (network(source), hash(name));
        let mut counts = self.lock();
        counts.pairs.0.remove(&pair);
        let proven = &mut counts.proven;
        if proven.len() >= MAX_TRACKED && !proven.contains_key(&pair) {
            proven.retain(|_, at| now_ms.saturating_sub(*at) < PROVEN_MS);
        }
        if proven.len() < MAX_TRACKED || proven.contains_key(&pair) {
            proven.insert(pair, now_ms);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures, and when they were counted.
#[derive(Debug)]
struct Tracked<K>(HashMap<K, (f64, u64)>);

impl<K> Default for Tracked<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Copy> Tracked<K> {
    fn level(&self, key: &K, limit: Limit, now_ms: u64) -> f64 {
        self.0
            .get(key)
            .map_or(0.0, |count| shrunk(*count, limit, now_ms))
    }

    fn check(&self, key: &K, limit: Limit, now_ms: u64) -> Result<(), u64> {
        let above = self.level(key, limit, now_ms) - limit.most + 1.0;
        if above <= 0.0 {
            return Ok(());
        }
        let seconds = (above / limit.forgotten_per_s).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "above 0, and a few minutes at most"
        )]
        let seconds = seconds as u64;
        Err(seconds)
    }

    fn add(&mut self, key: K, limit: Limit, now_ms: u64) {
        if self.0.len() >= MAX_TRACKED && !self.0.contains_key(&key) {
            self.make_room(limit, now_ms);
        }
        let level = self.level(&key, limit, now_ms);
        self.0.insert(key, ((level + 1.0).min(limit.most), now_ms));
    }

    /// Forgets what has shrunk to nothing, or else whoever failed least.
    fn make_room(&mut self, limit: Limit, now_ms: u64) {
        self.0
            .retain(|_, count| shrunk(*count, limit, now_ms) > 0.0);
        if self.0.len() < MAX_TRACKED {
            return;
        }
        let levels = self.0.iter();
        let levels = levels.map(|(key, count)| (*key, shrunk(*count, limit, now_ms)));
        let least = levels.min_by(|(_, one), (_, other)| one.total_cmp(other));
        if let Some((key, _)) = least {
            self.0.remove(&key);
        }
    }
}

fn shrunk((level, at_ms): (f64, u64), limit: Limit, now_ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of some hours")]
    let elapsed_s = now_ms.saturating_sub(at_ms) as f64 / 1_000.0;
    (level - elapsed_s * limit.forgotten_per_s).max(0.0)
}

fn hash(name: &str) -> Name {
    let Sha256Digest(digest) = Sha256Digest::of(name.as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    hash
}

/// Of IPv6 the first 64 bits: a host has all addresses behind them.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => {
                let bits = address.to_bits() & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from_bits(bits))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(number: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + number).into())
    }

    #[test]
    fn a_source_may_fail_ten_times_with_a_name_and_then_every_six_seconds() {
        let throttle = Throttle::default();
        for attempt in 1..=10 {
            assert_eq!(throttle.admit(0, HERE, "AC1"), Ok(()), "{attempt}");
            assert_eq!(throttle.failed(0, HERE, "AC1"), attempt == 10, "{attempt}");
        }
        assert_eq!(throttle.admit(0, HERE, "AC1"), Err(6));
        assert_eq!(throttle.admit(5_000, HERE, "AC1"), Err(1));
        assert_eq!(throttle.admit(6_000, HERE, "AC1"), Ok(()));
        assert_eq!(throttle.admit(0, HERE, "AC2"), Ok(()), "another name");
        assert_eq!(throttle.admit(0, other(1), "AC1"), Ok(()), "another source");
        throttle.proved(6_000, HERE, "AC1");
        assert_eq!(throttle.admit(6_000, HERE, "AC1"), Ok(()));
        assert!(!throttle.failed(6_000, HERE, "AC1"), "it begins anew");
    }

    #[test]
    fn a_source_that_tries_many_names_is_turned_away_but_not_who_is_known_there() {
        let throttle = Throttle::default();
        throttle.proved(0, HERE, "AC1");
        for attempt in 0..100 {
            assert_eq!(throttle.admit(0, HERE, &format!("X{attempt}")), Ok(()));
            throttle.failed(0, HERE, &format!("X{attempt}"));
        }
        assert_eq!(throttle.admit(0, HERE, "X100"), Err(1));
        assert_eq!(throttle.admit(0, HERE, "AC1"), Ok(()));
        assert_eq!(throttle.admit(PROVEN_MS, HERE, "X100"), Ok(()));
    }

    #[test]
    fn a_name_that_is_guessed_from_everywhere_is_not_locked_for_its_owner() {
        let throttle = Throttle::default();
        for source in 0..200 {
            assert_eq!(
                throttle.admit(0, other(source), "AC1"),
                Ok(()),
                "one attempt"
            );
            throttle.failed(0, other(source), "AC1");
        }
        assert!(
            throttle.admit(0, other(7), "AC1").is_err(),
            "not a second one"
        );
        assert_eq!(throttle.admit(0, HERE, "AC1"), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_are_remembered_longest() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            throttle.failed(0, HERE, "AC1");
        }
        for source in 0..10_500 {
            throttle.failed(1, other(source), "AC1");
        }
        let counts = throttle.lock();
        assert_eq!(counts.pairs.0.len(), MAX_TRACKED);
        assert_eq!(counts.sources.0.len(), MAX_TRACKED);
        assert_eq!(counts.names.0.len(), 1);
        drop(counts);
        assert!(throttle.admit(1, HERE, "AC1").is_err());
    }

    #[test]
    fn a_host_has_64_bits_of_ipv6_addresses() {
        for (address, expected) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(network(address).to_string(), expected);
        }
    }
}
