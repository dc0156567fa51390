//! Any bytes at all: no panic, bounded state, and what is read reads the same again.

use proptest::prelude::*;

use crate::fuzzed;
use crate::host::{Ask, Host, INVITE};
use crate::torture::cases;

/// Datagrams that are nearly messages: pieces of real ones, put together and spoilt at a few places.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> = cases()
        .iter()
        .flat_map(|case| {
            case.bytes
                .split_inclusive(|&b| b == b'\n')
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect();
    let spoil = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (
        prop::collection::vec(prop::sample::select(lines), 1..20),
        spoil,
    )
        .prop_map(|(lines, spoil)| {
            let mut bytes = lines.concat();
            for (at, byte) in spoil {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.extend_from_slice(b"\r\n\r\n");
            bytes
        })
}

/// A whole message with some bytes changed, doubled or left out.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let whole: Vec<Vec<u8>> = cases().iter().map(|case| case.bytes.to_vec()).collect();
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3u8);
    (
        prop::sample::select(whole),
        prop::collection::vec(edit, 0..6),
    )
        .prop_map(|(mut bytes, edits)| {
            for (at, byte, what) in edits {
                let at = at.index(bytes.len());
                match what {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            bytes
        })
}

fn any_datagram() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        nearly(),
        spoilt()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_datagram_harms(datagram in any_datagram()) {
        fuzzed::datagram(&datagram);
    }

    /// What an answer repeats is what the request said.
    #[test]
    fn answers_repeat_their_request(
        user in "[a-zA-Z0-9+*#!~'()%&=$,;?/-]{1,12}",
        display in "[^\"\\\\\\x00-\\x1f\\x7f]{0,12}",
        call_id in "[!-~&&[^\"]]{1,30}",
        number in 0u32..1 << 31,
        extra in "[A-Z][a-z-]{0,12}: [ -~]{0,20}",
    ) {
        prop_assume!(!extra.starts_with("Require"));
        let text = Ask { cseq: number, fields: &format!("X-{extra}\r\n"), ..Ask::within("OPTIONS", 1, "") }
            .text()
            .replace("alice@", &format!("{}@", user.replace('%', "%25")))
            .replace("\"Alice\"", &format!("\"{display}\""))
            .replace("call-1", &call_id);
        let mut host = Host::new();
        host.receive(&text);
        let request = crate::host::parse_request(&text.into());
        let answer = crate::host::parse_response(&host.sent_text());
        prop_assert_eq!(answer.from(), request.from());
        prop_assert_eq!(answer.to().uri(), request.to().uri());
        prop_assert_eq!(answer.call_id(), request.call_id());
        prop_assert_eq!(answer.cseq(), request.cseq());
        prop_assert_eq!(answer.via(), request.via());
        prop_assert_eq!(request.from().display_name(), Some(display));
        prop_assert_eq!(request.from().uri().user(), Some(user));
    }

    /// However a known field's name is spelt, it is that field.
    #[test]
    fn names_have_many_spellings(upper in prop::collection::vec(any::<bool>(), 40), space in "[ \t]{0,3}") {
        let spell = |name: &str| -> String {
            let letters = name.chars().zip(&upper);
            letters.map(|(c, up)| if *up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
        };
        let mut text = INVITE.text();
        for name in ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Type", "Content-Length", "Max-Forwards"] {
            text = text.replace(&format!("\r\n{name}:"), &format!("\r\n{}{space}:", spell(name)));
        }
        let mut host = Host::new();
        host.receive(&text);
        prop_assert_eq!(host.sent(), "100");
        prop_assert!(host.incoming()[0].sdp.is_some());
    }
}
