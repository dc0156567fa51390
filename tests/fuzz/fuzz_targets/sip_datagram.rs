//! One datagram, from a peer and from a stranger: nothing panics, what is read reads the same again, and state stays
//! bounded.

#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use jackfield_sip::{parse, Config, Endpoint, Hop, Input, IpPrefix, Message, Output};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let bytes = Bytes::copy_from_slice(datagram);
    if let Ok(message) = parse(&bytes) {
        let fields = match &message {
            Message::Request(request) => &**request,
            Message::Response(response) => &**response,
        };
        let again = parse(&fields.to_bytes().into());
        assert_eq!(again.as_ref(), Ok(&message));
    }
    let now = Instant::now();
    let mut endpoint = Endpoint::new(Config::new("10.0.0.1:5060".parse().expect("an address")), [1; 32]);
    endpoint.set_peers(["10.0.0.0/8".parse::<IpPrefix>().expect("a prefix")].into_iter().collect());
    for source in ["10.0.0.2:5060", "203.0.113.5:5060"] {
        let from = Hop::udp(source.parse().expect("an address"));
        endpoint.handle(now, Input::Received { from, bytes: bytes.clone() });
    }
    assert!(endpoint.dialogs() <= 1 && endpoint.transactions() <= 1);
    while let Some(output) = endpoint.poll() {
        if let Output::Transmit { bytes, .. } = output {
            // What we answer can be read, unless it repeats the fields of a request that could not.
            let is_refusal = bytes.starts_with(b"SIP/2.0 400 ") || bytes.starts_with(b"SIP/2.0 505 ");
            assert!(is_refusal || matches!(parse(&bytes), Ok(Message::Response(_))));
        }
    }
    endpoint.handle(now + Duration::from_secs(100), Input::Timeout);
});
