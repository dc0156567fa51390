use proptest::prelude::*;

use super::derivation::{Label, Protocol, derive};
use super::*;
use crate::{HEADER_BYTES, MAX_PACKET_BYTES, Sender};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn master(suite: Suite) -> MasterKey {
    let bytes: Vec<u8> = (1..=suite.master_bytes() as u8).collect();
    MasterKey::new(suite, &bytes).unwrap()
}

/// RTP packets of 20 ms, one after the other.
struct Stream {
    sender: Sender,
    srtp: SrtpSender,
}

impl Stream {
    fn new(suite: Suite, ssrc: u32, sequence: u16) -> Self {
        Self {
            sender: Sender::new(ssrc, sequence, 0),
            srtp: SrtpSender::new(&master(suite)),
        }
    }

    /// A packet in the clear and as it is sent.
    fn next(&mut self) -> (Vec<u8>, Vec<u8>) {
        let mut packet = [0; MAX_PACKET_BYTES];
        let length = self.sender.frame(&mut packet, 8, false, &[0x55; 160], 160);
        let clear = packet[..length].to_vec();
        let mut sealed = [clear.as_slice(), &[0; MAX_OVERHEAD_BYTES]].concat();
        let length = self.srtp.protect(&mut sealed, length).unwrap();
        sealed.truncate(length);
        (clear, sealed)
    }
}

/// What comes out of an unprotected packet.
fn open(receiver: &mut SrtpReceiver, sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut packet = sealed.to_vec();
    let length = receiver.unprotect(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

/// RFC 3711 appendix B.3.
#[test]
fn session_keys_are_those_of_the_rfc() {
    let master = bytes("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master = MasterKey::new(Suite::AesCm128HmacSha1_80, &master).unwrap();
    for (label, expected) in [
        (Label::Encryption, "C61E7A93744F39EE10734AFE3FF7A087"),
        (Label::Salt, "30CBBC08863D8C85D49DB34A9AE1"),
        (
            Label::Authentication,
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F9\
             4A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
        ),
    ] {
        let expected = bytes(expected);
        let mut key = vec![0; expected.len()];
        derive(&master, Protocol::Rtp, label, &mut key);
        assert_eq!(key, expected, "{label:?}");
    }
}

/// The packets that libsrtp tests itself with.
#[test]
fn packets_are_those_of_libsrtp() {
    let master = bytes("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let master = MasterKey::new(Suite::AesCm128HmacSha1_80, &master).unwrap();
    let (mut sender, mut receiver) = (SrtpSender::new(&master), SrtpReceiver::new(&master));

    let clear = [bytes("800f1234 decafbad cafebabe"), vec![0xab; 16]].concat();
    let mut packet = [clear.as_slice(), &[0; MAX_OVERHEAD_BYTES]].concat();
    let length = sender.protect(&mut packet, clear.len()).unwrap();
    let sealed = bytes(
        "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb",
    );
    assert_eq!(packet[..length], sealed);
    assert_eq!(open(&mut receiver, &sealed), Ok(clear));

    let clear = [bytes("81c8000b cafebabe"), vec![0xab; 16]].concat();
    let mut packet = [clear.as_slice(), &[0; MAX_OVERHEAD_BYTES]].concat();
    let length = sender.protect_rtcp(&mut packet, clear.len()).unwrap();
    let sealed = bytes(
        "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798",
    );
    assert_eq!(packet[..length], sealed);
    let length = receiver.unprotect_rtcp(&mut packet[..length]).unwrap();
    assert_eq!(packet[..length], clear);
}

#[test]
fn what_is_sent_is_received_once_across_wraps() {
    for suite in Suite::ALL {
        let mut stream = Stream::new(suite, 7, 65_000);
        let mut receiver = SrtpReceiver::new(&master(suite));
        for _ in 0..70_000
            / if suite == Suite::AesCm128HmacSha1_80 {
                1
            } else {
                50
            }
        {
            let (clear, sealed) = stream.next();
            assert_eq!(
                open(&mut receiver, &sealed).as_ref(),
                Ok(&clear),
                "{suite:?}"
            );
        }
        assert_eq!(receiver.rejected(), Rejected::default());
        let (clear, sealed) = stream.next();
        assert!(open(&mut receiver, &sealed).is_ok());
        assert_eq!(open(&mut receiver, &sealed), Err(SrtpError::Replayed));
        let overhead = sealed.len() - clear.len();
        let expected = match suite {
            Suite::AesCm128HmacSha1_80 => 10,
            Suite::AesCm128HmacSha1_32 => 4,
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => 16,
        };
        assert_eq!(overhead, expected, "{suite:?}");
    }
}

#[test]
fn lost_and_reordered_packets_around_a_wrap_are_opened() {
    let mut stream = Stream::new(Suite::AesCm128HmacSha1_32, 7, 65_500);
    let mut packets: Vec<_> = (0..100).map(|_| stream.next()).collect();
    packets.chunks_mut(10).for_each(<[_]>::reverse);
    let mut receiver = SrtpReceiver::new(&master(Suite::AesCm128HmacSha1_32));
    let mut opened = 0;
    for (n, (clear, sealed)) in packets.iter().enumerate() {
        if n % 3 != 0 {
            assert_eq!(open(&mut receiver, sealed).as_ref(), Ok(clear), "{n}");
            opened += 1;
        }
    }
    assert_eq!(opened, 66);
}

#[test]
fn junk_is_dropped_and_counted() {
    for suite in Suite::ALL {
        let mut stream = Stream::new(suite, 7, 100);
        let mut receiver = SrtpReceiver::new(&master(suite));
        let (clear, sealed) = stream.next();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&mut receiver, &changed).is_err(), "{suite:?} {bit}");
        }
        for length in 0..sealed.len() {
            assert!(
                open(&mut receiver, &sealed[..length]).is_err(),
                "{suite:?} {length}"
            );
        }
        assert!(open(&mut receiver, &clear).is_err()); // in the clear: no downgrade
        let rejected = receiver.rejected();
        let sum = rejected.forged + rejected.malformed;
        assert_eq!(
            sum,
            (sealed.len() * 8 + sealed.len() + 1) as u64,
            "{suite:?}"
        );
        assert_eq!((rejected.replayed, rejected.sources), (0, 0));
        // None of it did harm.
        assert_eq!(open(&mut receiver, &sealed), Ok(clear));
    }
}

#[test]
fn forged_sources_take_no_place_and_a_key_has_16() {
    let suite = Suite::AesCm128HmacSha1_80;
    let mut receiver = SrtpReceiver::new(&master(suite));
    for ssrc in 0..1_000u32 {
        let (_, mut sealed) = Stream::new(suite, ssrc, 1).next();
        sealed[20] ^= 1;
        assert_eq!(open(&mut receiver, &sealed), Err(SrtpError::Forged));
    }
    let results: Vec<_> = (0..20)
        .map(|ssrc| open(&mut receiver, &Stream::new(suite, ssrc, 1).next().1).err())
        .collect();
    assert_eq!(results[..16], [None; 16]);
    assert_eq!(results[16..], [Some(SrtpError::Sources); 4]);
    assert_eq!(receiver.rejected().sources, 4);
    let (_, again) = Stream::new(suite, 3, 1).next();
    assert_eq!(open(&mut receiver, &again), Err(SrtpError::Replayed));
}

#[test]
fn reports_are_opened_once_and_never_in_the_clear() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = (
            SrtpSender::new(&master(suite)),
            SrtpReceiver::new(&master(suite)),
        );
        let clear = bytes("80c90001 00000007 81ca0002 00000007 01026162 00000000");
        for index in 1..300u32 {
            let mut packet = [clear.as_slice(), &[0; MAX_OVERHEAD_BYTES]].concat();
            let length = sender.protect_rtcp(&mut packet, clear.len()).unwrap();
            let sealed = packet[..length].to_vec();
            let mut in_the_clear = sealed.clone();
            let flag = length
                - if sealed.len() == clear.len() + 20 {
                    4
                } else {
                    14
                };
            assert_eq!(
                in_the_clear[flag..flag + 4],
                (1 << 31 | index).to_be_bytes()
            );
            in_the_clear[flag] &= 0x7f;
            assert_eq!(
                receiver.unprotect_rtcp(&mut in_the_clear),
                Err(SrtpError::Forged)
            );
            let opened = receiver.unprotect_rtcp(&mut packet[..length]).unwrap();
            assert_eq!(packet[..opened], clear);
            let replayed = receiver.unprotect_rtcp(&mut sealed.clone());
            assert_eq!(replayed, Err(SrtpError::Replayed), "{suite:?} {index}");
        }
        for length in 0..30 {
            let malformed = receiver.unprotect_rtcp(&mut vec![0x80; length]);
            assert!(malformed.is_err(), "{length}");
        }
    }
}

#[test]
fn headers_with_sources_and_extension_stay_in_the_clear() {
    for (first, header_bytes) in [(0x80, 12), (0x82, 20), (0x90, 20), (0xb1, 24)] {
        let mut packet = vec![0; header_bytes + 32];
        packet[..4].copy_from_slice(&[first, 8, 0, 1]);
        if first & 0x10 != 0 {
            let extension = 12 + 4 * usize::from(first & 0x0f);
            packet[extension + 3] = 1;
        }
        let clear = packet.clone();
        packet.resize(clear.len() + MAX_OVERHEAD_BYTES, 0);
        let suite = Suite::AeadAes128Gcm;
        let length = SrtpSender::new(&master(suite))
            .protect(&mut packet, clear.len())
            .unwrap();
        assert_eq!(packet[..header_bytes], clear[..header_bytes], "{first:#x}");
        assert_ne!(
            packet[header_bytes..clear.len()],
            clear[header_bytes..],
            "{first:#x}"
        );
        let opened = open(&mut SrtpReceiver::new(&master(suite)), &packet[..length]);
        assert_eq!(opened, Ok(clear), "{first:#x}");
    }
}

#[test]
fn a_sender_never_uses_a_key_stream_twice() {
    let mut sender = SrtpSender::new(&master(Suite::AesCm128HmacSha1_80));
    let packet = |sequence: u16| {
        let mut packet = vec![0; HEADER_BYTES + 4 + MAX_OVERHEAD_BYTES];
        packet[0] = 0x80;
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet
    };
    for (sequence, expected) in [
        (10, Ok(26)),
        (10, Err(SrtpError::Replayed)),
        (9, Err(SrtpError::Replayed)),
        (12, Ok(26)),
        (11, Err(SrtpError::Replayed)),
    ] {
        assert_eq!(
            sender.protect(&mut packet(sequence), HEADER_BYTES + 4),
            expected,
            "{sequence}"
        );
    }
    assert_eq!(
        sender.protect(&mut packet(13)[..30], 16),
        Err(SrtpError::NoRoom)
    );
    assert_eq!(
        sender.protect(&mut [0x80; 40], 11),
        Err(SrtpError::Malformed)
    );
    assert_eq!(sender.protect(&mut [0; 40], 14), Err(SrtpError::Malformed));
    assert_eq!(
        sender.protect_rtcp(&mut [0x80; 40], 7),
        Err(SrtpError::Malformed)
    );
    assert_eq!(
        sender.protect_rtcp(&mut [0x80; 40], 41),
        Err(SrtpError::NoRoom)
    );
}

proptest! {
    #[test]
    fn any_datagram_is_refused(
        mut datagram in proptest::collection::vec(any::<u8>(), 0..300),
        suite in proptest::sample::select(Suite::ALL.to_vec()),
    ) {
        if let Some(first) = datagram.first_mut() {
            *first = *first & 0x3f | 0x80;
        }
        let mut receiver = SrtpReceiver::new(&master(suite));
        prop_assert!(receiver.unprotect(&mut datagram.clone()).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut datagram).is_err());
        let rejected = receiver.rejected();
        prop_assert_eq!(rejected.forged + rejected.malformed, 2);
    }
}
