//! What reading a message allocates, counted by the allocator of this binary.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that cannot set up its case fails the test"
)]

mod shapes;

use bytes::Bytes;
use jackfield_sip::parse;

/// The most that reading one message may allocate, all in all.
const MOST_BYTES: u64 = 64 << 10;

/// A copy of the head where lines are folded, the list of fields, the box of what was read, and counters of shared memory.
const MOST_ALLOCATIONS: u64 = 8;

#[test]
fn the_largest_messages_take_64_kib_at_most() {
    for shape in shapes::ALL {
        let message = Bytes::from(shape.message(shapes::LARGEST));
        assert!(message.len() > 60_000, "{}: {}", shape.name, message.len());
        let spent = allocation_counter::measure(|| drop(parse(&message)));
        assert!(
            spent.bytes_total <= MOST_BYTES && spent.count_total <= MOST_ALLOCATIONS,
            "{}: {spent:?}",
            shape.name
        );
        assert_eq!(parse(&message).is_ok(), shape.is_valid, "{}", shape.name);
    }
}

#[test]
fn only_folded_lines_are_copied() {
    for shape in shapes::ALL.iter().filter(|shape| !shape.is_folded()) {
        let message = Bytes::from(shape.message(shapes::LARGEST));
        let spent = allocation_counter::measure(|| drop(parse(&message)));
        assert!(spent.bytes_total <= 4096, "{}: {spent:?}", shape.name);
    }
}
