//! What a provider's 2xx says (RFC 3261 §10.2.4, RFC 3608, RFC 7315 §4.1).

use std::time::Duration;

use bytes::Bytes;

use crate::field::Name;
use crate::uri_equivalence::equivalent;
use crate::{NameAddr, Response, Uri, lex};

/// The contacts a registrar knows, and for how long.
#[derive(Debug)]
pub(super) struct Grant {
    contacts: Vec<(Uri, Option<Duration>)>,
    expires: Option<Duration>,
}

impl Grant {
    pub(super) fn read(response: &Response) -> Self {
        let contact = |item: &[u8]| {
            let contact = NameAddr::parse(&Bytes::copy_from_slice(item)).ok()?;
            let expires = contact.param("expires").and_then(|value| seconds(&value));
            Some((contact.uri().clone(), expires))
        };
        Self {
            contacts: response
                .head
                .items(Name::Contact)
                .filter_map(contact)
                .collect(),
            expires: response.header("Expires").and_then(|value| seconds(&value)),
        }
    }

    /// How long we are known: what our contact says, else the whole response, else what we asked for. A provider that
    /// writes another address into our contact, for a NAT between us, is understood where it lists one contact only.
    pub(super) fn time(&self, ours: &Uri, asked: Duration) -> Duration {
        let by_name = self.contacts.iter().find(|(uri, _)| equivalent(uri, ours));
        let only = match &self.contacts[..] {
            [only] => Some(only),
            _ => None,
        };
        let listed = by_name.or(only).and_then(|(_, expires)| *expires);
        listed.or(self.expires).unwrap_or(asked)
    }

    pub(super) fn lists(&self, contact: &Uri) -> bool {
        self.contacts
            .iter()
            .any(|(uri, _)| equivalent(uri, contact))
    }
}

fn seconds(value: &str) -> Option<Duration> {
    lex::number(value.as_bytes()).map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_response;

    #[test]
    fn times() {
        let ours = Uri::parse(&Bytes::from_static(b"sip:us@10.0.0.1:5060")).unwrap();
        for (fields, expected) in [
            ("", 600),
            ("Expires: 300\r\n", 300),
            (
                "Contact: <sip:us@10.0.0.1:5060>;expires=120\r\nExpires: 300\r\n",
                120,
            ),
            ("Contact: <sip:us@10.0.0.1:5060>\r\nExpires: 300\r\n", 300),
            (
                "Contact: <sip:other@10.0.0.9>;expires=9, \"Us\" <sip:us@10.0.0.1:5060;transport=udp>;q=1;expires=120\r\n",
                120,
            ),
            // Ours as the provider sees it.
            ("Contact: <sip:us@203.0.113.9:40001>;expires=60\r\n", 60),
            // None of several is ours: the response's time.
            (
                "Contact: <sip:a@h>;expires=1, <sip:b@h>;expires=2\r\nExpires: 300\r\n",
                300,
            ),
            ("Contact: <sip:us@10.0.0.1:5060>;expires=never\r\n", 600),
            ("Contact: ???\r\n", 600),
        ] {
            let text = format!(
                "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
                 Call-ID: x\r\nCSeq: 1 REGISTER\r\n{fields}\r\n"
            );
            let grant = Grant::read(&parse_response(&text));
            assert_eq!(
                grant.time(&ours, Duration::from_secs(600)),
                Duration::from_secs(expected),
                "{fields}"
            );
        }
    }
}
