//! In which order servers are tried.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::records::Srv;

/// Chance for one name: the same seed and name give the same order, whichever answers came before.
pub(super) fn chance(seed: u64, name: &str) -> ChaCha12Rng {
    let mut hasher = DefaultHasher::new();
    (seed, name).hash(&mut hasher);
    ChaCha12Rng::seed_from_u64(hasher.finish())
}

/// The first `limit` servers: by priority, and by weight among those of one priority (RFC 2782, "Weight").
pub(super) fn servers<'a>(
    records: impl Iterator<Item = &'a Srv>,
    limit: usize,
    mut chance: impl Rng,
) -> Vec<&'a Srv> {
    let mut waiting: Vec<_> = records.collect();
    // Those of weight 0 first, so that they have a small chance beside others; in any order, so an equal one among themselves.
    shuffle(&mut waiting, &mut chance);
    waiting.sort_by_key(|srv| (srv.priority, srv.weight != 0));
    let mut ordered = Vec::with_capacity(waiting.len().min(limit));
    while let Some(first) = waiting.first()
        && ordered.len() < limit
    {
        let priority = first.priority;
        let equals = waiting.iter().take_while(|srv| srv.priority == priority);
        let weights: Vec<_> = equals.map(|srv| u64::from(srv.weight)).collect();
        let drawn = up_to(&mut chance, weights.iter().sum());
        let mut sum = 0;
        let next = weights.iter().position(|weight| {
            sum += weight;
            sum >= drawn
        });
        ordered.push(waiting.remove(next.expect("the last sum is the greatest that is drawn")));
    }
    ordered
}

/// The addresses of one server: families in turn, beginning with IPv6, so that a family that leads nowhere costs one
/// attempt and not all (as in RFC 8305 §4); within a family by chance, because an answer that is kept has one order for
/// all calls.
pub(super) fn addresses(mut found: Vec<IpAddr>, mut chance: impl Rng) -> Vec<IpAddr> {
    shuffle(&mut found, &mut chance);
    let (v6, v4): (Vec<_>, Vec<_>) = found.into_iter().partition(IpAddr::is_ipv6);
    let mut ordered = Vec::with_capacity(v6.len() + v4.len());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    loop {
        let before = ordered.len();
        ordered.extend(v6.next());
        ordered.extend(v4.next());
        if ordered.len() == before {
            return ordered;
        }
    }
}

fn shuffle<T>(items: &mut [T], chance: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        let other = up_to(chance, last as u64);
        items.swap(last, usize::try_from(other).expect("no more than `last`"));
    }
}

/// A number from 0 to `greatest`, both included. The bias of the remainder is below 2⁻³² for what is drawn here.
fn up_to(chance: &mut impl Rng, greatest: u64) -> u64 {
    chance.next_u64() % (greatest + 1)
}
