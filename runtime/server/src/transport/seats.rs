//! Who may hold how many connections.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};

/// Connections that one source may hold: a trunk's, or anybody's.
const LISTED_PER_SOURCE: usize = 256;
const UNLISTED_PER_SOURCE: usize = 64;

/// The seats that connections to us take.
#[derive(Debug)]
pub(super) struct Seats {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    unlisted: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// One connection's seat; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    source: IpAddr,
    is_listed: bool,
}

impl Seats {
    /// `max` seats in all, of which sources that are no trunk's get half.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            taken: Mutex::default(),
        })
    }

    /// A seat for a connection from `source`; none when it, its kind, or everybody has as many as may be.
    pub(super) fn take(self: &Arc<Self>, source: IpAddr, is_listed: bool) -> Option<Seat> {
        let source = network(source);
        let mut taken = self.taken();
        let (per_source, has_room) = if is_listed {
            (LISTED_PER_SOURCE, taken.all < self.max)
        } else {
            let has_room = taken.all < self.max && taken.unlisted < self.max.div_ceil(2);
            (UNLISTED_PER_SOURCE, has_room)
        };
        let of_source = taken.by_source.get(&source).copied().unwrap_or(0);
        if !has_room || of_source >= per_source {
            return None;
        }
        taken.all += 1;
        taken.unlisted += usize::from(!is_listed);
        taken.by_source.insert(source, of_source + 1);
        drop(taken);
        Some(Seat {
            seats: Arc::clone(self),
            source,
            is_listed,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken
            .lock()
            .expect("nothing panics while it counts seats")
    }
}

impl Seat {
    /// Whether it is held by a trunk's address.
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all -= 1;
        taken.unlisted -= usize::from(!self.is_listed);
        if let Some(of_source) = taken.by_source.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

/// Whom an address belongs to: one IPv6 host has a whole /64.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many connections of these sources, one after the other, find a seat.
    fn seated(max: usize, sources: impl IntoIterator<Item = (String, bool)>) -> usize {
        let seats = Seats::new(max);
        let taken: Vec<_> = sources
            .into_iter()
            .filter_map(|(source, is_listed)| seats.take(source.parse().unwrap(), is_listed))
            .collect();
        let count = taken.len();
        drop(taken);
        let left = seats.taken();
        assert_eq!(
            (left.all, left.unlisted, left.by_source.len()),
            (0, 0, 0),
            "all are free again"
        );
        count
    }

    #[test]
    fn bounds() {
        let one = |is_listed| (0..1_000).map(move |_| ("192.0.2.1".to_owned(), is_listed));
        let many = |is_listed| (0..200).map(move |host| (format!("192.0.2.{host}"), is_listed));
        let of_one_network = (0..200).map(|host| (format!("2001:db8::{host:x}"), false));
        assert_eq!(seated(10_000, one(true)), LISTED_PER_SOURCE);
        assert_eq!(seated(10_000, one(false)), UNLISTED_PER_SOURCE);
        assert_eq!(seated(10_000, of_one_network), UNLISTED_PER_SOURCE);
        assert_eq!(seated(100, many(true)), 100);
        assert_eq!(seated(100, many(false)), 50);
        assert_eq!(seated(101, many(false).chain(many(true))), 101);
    }
}
