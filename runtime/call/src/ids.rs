//! Identifiers, each a type of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not a SID of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a SID: expected `{prefix}` and 32 lower-case hexadecimal digits")]
pub struct InvalidSid {
    text: String,
    prefix: &'static str,
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// The SID of these 16 bytes, which should be random.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes that the hexadecimal digits stand for.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                let digits = hex(&self.0);
                f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidSid;

            fn from_str(text: &str) -> Result<Self, InvalidSid> {
                parse_hex(text, $prefix)
                    .map(Self)
                    .ok_or_else(|| InvalidSid { text: text.to_owned(), prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidSid;

            fn try_from(text: String) -> Result<Self, InvalidSid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(sid: $name) -> Self {
                sid.to_string()
            }
        }
    };
}

sid! {
    /// One call: `CA` and 32 hexadecimal digits.
    CallSid, "CA"
}
sid! {
    /// One account, the tenant that owns calls, numbers and components: `AC` and 32 hexadecimal digits.
    AccountSid, "AC"
}
sid! {
    /// One conference, from the first call in it to the last: `CF` and 32 hexadecimal digits.
    ConferenceSid, "CF"
}
sid! {
    /// One queue, for as long as a call is at it: `QU` and 32 hexadecimal digits.
    QueueSid, "QU"
}

sid! {
    /// One media stream: `MZ` and 32 hexadecimal digits.
    StreamSid, "MZ"
}

sid! {
    /// One recording: `RE` and 32 hexadecimal digits.
    RecordingSid, "RE"
}

sid! {
    /// One text: `SM` and 32 hexadecimal digits.
    MessageSid, "SM"
}

sid! {
    /// One application of an account, which answers calls by its URLs: `AP` and 32 hexadecimal digits.
    ApplicationSid, "AP"
}

sid! {
    /// One key of an account's API users: `SK` and 32 hexadecimal digits.
    KeySid, "SK"
}

sid! {
    /// One number of an account, its own or one that it may show as the caller: `PN` and 32 hexadecimal digits.
    PhoneNumberSid, "PN"
}

sid! {
    /// One broadcast, from its draft on: `BC` and 32 hexadecimal digits.
    BroadcastSid, "BC"
}

fn parse_hex(text: &str, prefix: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix(prefix)?.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
    }
    Some(bytes)
}

/// In one piece: SIDs are written many times in a call.
fn hex(bytes: &[u8; 16]) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    digits
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// One playback of a call (a prompt or speech). Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlaybackId(pub u32);

/// One HTTP request of a call. Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub u32);

/// One dial of a call's story. Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DialId(pub u32);

/// One call that another call's story dialled, as that call names it. Counts up from 1 within the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(pub u32);
/// One recording of a call. Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordingId(pub u32);
/// One listening of a call. Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListeningId(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_its_prefix_and_32_lower_case_hex_digits() {
        let text = "CA00112233445566778899aabbccddeeff";
        assert_eq!(text.parse::<CallSid>().unwrap().to_string(), text);
        for bad in [
            "",
            "CA",
            "AC00112233445566778899aabbccddeeff",
            "CA00112233445566778899AABBCCDDEEFF",
            "CA00112233445566778899aabbccddeef",
            "CA00112233445566778899aabbccddeeff0",
            "CA00112233445566778899aabbccddeefé",
        ] {
            assert!(bad.parse::<CallSid>().is_err(), "{bad}");
        }
    }
}
