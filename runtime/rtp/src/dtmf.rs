//! Digits: telephone events (RFC 4733 section 2) both ways, and one press out of what several sources say of it.

mod digits;
mod receiver;
mod sender;

pub use digits::{DigitPolicy, DigitSource, Digits};
pub use receiver::DigitReceiver;
pub use sender::{DigitSender, EventPacket};

/// The keys of the events 0 to 15 (RFC 4733 section 3.2).
const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// A key the other side pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    /// One of `0123456789*#ABCD`.
    pub key: char,
    /// How long it was held, in milliseconds, as far as packets told.
    pub duration_ms: u32,
}

/// The key of an event; none for flash hook, tones and everything else beyond 15.
fn key_of(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).map(|key| char::from(*key))
}

/// The event of a key, in either case.
fn event_of(key: char) -> Option<u8> {
    let key = u8::try_from(key).ok()?.to_ascii_uppercase();
    KEYS.iter()
        .position(|known| *known == key)
        .map(|event| event as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_events_are_each_others_inverse() {
        for event in 0..16 {
            assert_eq!(key_of(event).and_then(event_of), Some(event));
        }
        assert_eq!((key_of(16), key_of(255)), (None, None));
        assert_eq!(
            (event_of('a'), event_of('E'), event_of('é'), event_of('٣')),
            (Some(12), None, None, None)
        );
    }
}
