//! What reading a message costs, counted: each byte is looked at a bounded number of times, whatever shape the message has.

use bytes::Bytes;

use crate::lex::visits;
use crate::parse;

#[path = "../tests/cost/shapes.rs"]
mod shapes;

/// How often each byte is looked at, at most: a host in `From`, once each as a part of the head, a line, a value, an address,
/// a URI (three times), and a host.
const VISITS_A_BYTE: usize = 8;

/// What does not grow with the message.
const VISITS_AT_ALL: usize = 2048;

#[test]
fn each_byte_is_looked_at_a_bounded_number_of_times() {
    for shape in shapes::ALL {
        for size in [4 << 10, 16 << 10, shapes::LARGEST] {
            let message = Bytes::from(shape.message(size));
            let visits = visits::of(|| drop(parse(&message)));
            assert!(
                visits <= VISITS_AT_ALL + VISITS_A_BYTE * message.len(),
                "{} of {size} bytes: {visits}",
                shape.name
            );
            let fault = parse(&message).err();
            assert_eq!(fault.is_none(), shape.is_valid, "{}: {fault:?}", shape.name);
        }
    }
}
