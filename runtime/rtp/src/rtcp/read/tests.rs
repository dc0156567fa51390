use proptest::prelude::*;

use super::*;

/// A packet with its length filled in.
fn packet(first: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let words = (body.len() / 4) as u16;
    [&[first, kind][..], &words.to_be_bytes(), body].concat()
}

/// A block about this source whose other fields count up from 1.
fn block(ssrc: u8) -> Vec<u8> {
    let mut block = vec![0, 0, 0, ssrc];
    block.extend([64, 0xff, 0xff, 0xfe]);
    for field in 1..=4u32 {
        block.extend(field.to_be_bytes());
    }
    block
}

/// What is in a datagram, in short.
fn shape(datagram: &[u8]) -> String {
    let compound = match read(datagram) {
        Ok(compound) => compound,
        Err(error) => return format!("{error:?}"),
    };
    let packets: Vec<String> = compound
        .map(|packet| match packet {
            RtcpPacket::SenderReport { ssrc, blocks, .. } => format!("SR{ssrc}+{}", blocks.count()),
            RtcpPacket::ReceiverReport { ssrc, blocks } => format!("RR{ssrc}+{}", blocks.count()),
            RtcpPacket::Description(chunks) => {
                let names: Vec<String> = chunks
                    .map(|(ssrc, name)| {
                        format!("{ssrc}={}", String::from_utf8_lossy(name.unwrap_or(b"-")))
                    })
                    .collect();
                format!("SDES({})", names.join(","))
            }
            RtcpPacket::Goodbye(sources) => format!("BYE{:?}", sources.collect::<Vec<_>>()),
            RtcpPacket::Other(kind) => format!("{kind}"),
        })
        .collect();
    packets.join(" ")
}

#[test]
fn packets_are_told_apart() {
    let sender = [&[0, 0, 0, 7][..], &[0; 20]].concat();
    let two_blocks = [&sender[..], &block(1), &block(2)].concat();
    let goodbye = packet(0x82, 203, &[0, 0, 0, 7, 0, 0, 0, 8, 3, b'b', b'y', b'e']);
    for (datagram, expected) in [
        (packet(0x80, 201, &[0, 0, 0, 7]), "RR7+0"),
        (packet(0x80, 200, &sender), "SR7+0"),
        (packet(0x82, 200, &two_blocks), "SR7+2"),
        (packet(0x81, 200, &two_blocks), "SR7+1"), // what follows is a profile's extension
        (packet(0x80, 204, &[0; 8]), "204"),
        (packet(0x80, 206, &[]), "206"), // feedback alone (RFC 5506)
        (goodbye.clone(), "BYE[7, 8]"),
        (packet(0x80, 203, &[]), "BYE[]"),
        (
            [packet(0x80, 201, &[0, 0, 0, 7]), goodbye].concat(),
            "RR7+0 BYE[7, 8]",
        ),
        (packet(0xa0, 201, &[0, 0, 0, 7, 0, 0, 0, 4]), "RR7+0"), // padded
    ] {
        assert_eq!(shape(&datagram), expected, "{datagram:?}");
    }
}

#[test]
fn descriptions_name_their_sources() {
    for (count, body, expected) in [
        (1, b"\0\0\0\x07\x01\x03a@b\0\0\0".as_slice(), "SDES(7=a@b)"),
        (1, b"\0\0\0\x07\x01\x01a\0", "SDES(7=a)"), // the zero ends the word
        (1, b"\0\0\0\x07\x02\x01n\x01\x01a\0\0", "SDES(7=a)"),
        (
            2,
            b"\0\0\0\x07\x01\x01a\0\0\0\0\x08\0\0\0\0",
            "SDES(7=a,8=-)",
        ),
        (1, b"\0\0\0\x07\x01\x02ab\0\0\0\0", "SDES(7=ab)"),
        (0, b"", "SDES()"),
        (31, b"", "SDES()"),
        (1, b"\0\0\0\x07\x01\xffa\0", "SDES()"), // the item is longer than its packet
        (1, b"\0\0\0\x07\x01\x02ab", "SDES()"),  // nothing ends the list
    ] {
        assert_eq!(
            shape(&packet(0x80 | count, 202, body)),
            expected,
            "{body:?}"
        );
    }
}

#[test]
fn lies_about_lengths_are_refused() {
    for (datagram, expected) in [
        (vec![], "Truncated"),
        (vec![0x80, 201, 0], "Truncated"),
        (vec![0x80, 201, 0, 1], "Truncated"),
        (vec![0x80, 201, 0xff, 0xff, 0, 0, 0, 7], "Truncated"),
        (packet(0x80, 201, &[]), "Truncated"),
        (packet(0x80, 200, &[0; 20]), "Truncated"),
        (packet(0x81, 201, &[0; 24]), "Truncated"), // a block cut short
        (packet(0x9f, 203, &[0; 120]), "Truncated"), // 31 sources in 30 words
        (packet(0x00, 201, &[0; 4]), "Version"),
        (packet(0xc0, 201, &[0; 4]), "Version"),
        ([packet(0x80, 201, &[0; 4]), vec![0; 4]].concat(), "Version"),
        (
            [packet(0x80, 201, &[0; 4]), vec![0x80]].concat(),
            "Truncated",
        ),
        (packet(0xa0, 201, &[0; 8]), "Padding"),
        (packet(0xa0, 201, &[0, 0, 0, 0, 0, 0, 0, 3]), "Padding"),
        (packet(0xa0, 201, &[0, 0, 0, 0, 0, 0, 0, 12]), "Padding"),
        (packet(0xa0, 201, &[0, 0, 0, 8]), "Padding"),
        (packet(0xa0, 201, &[0, 0, 0, 0, 0, 0, 0, 8]), "Truncated"), // nothing is left
        (
            [
                packet(0xa0, 201, &[0, 0, 0, 0, 0, 0, 0, 4]),
                packet(0x80, 203, &[]),
            ]
            .concat(),
            "Padding", // before the last
        ),
    ] {
        assert_eq!(shape(&datagram), expected, "{datagram:?}");
    }
}

#[test]
fn the_fields_of_a_report_are_read() {
    let mut body = vec![0, 0, 0, 7];
    body.extend(1..=20);
    body.extend(block(9));
    let datagram = packet(0x81, SENDER_REPORT, &body);
    let Some(RtcpPacket::SenderReport {
        info, mut blocks, ..
    }) = read(&datagram).unwrap().next()
    else {
        panic!("no sender report");
    };
    let expected = SenderInfo {
        ntp: 0x0102_0304_0506_0708,
        timestamp: 0x090a_0b0c,
        packets: 0x0d0e_0f10,
        octets: 0x1112_1314,
    };
    assert_eq!(info, expected);
    let expected = ReportBlock {
        ssrc: 9,
        fraction_lost: 64,
        cumulative_lost: -2,
        highest_sequence: 1,
        jitter: 2,
        last_sender_report: 3,
        delay_since: 4,
    };
    assert_eq!((blocks.next(), blocks.next()), (Some(expected), None));
}

#[test]
fn rtcp_is_known_by_its_second_byte() {
    for (second, expected) in [
        (0, false),
        (101, false),
        (128, false), // PCMU with the marker
        (191, false), // dynamic RTP types 96 to 127 without, 0 to 63 with the marker
        (192, true),
        (200, true),
        (223, true),
        (224, false), // type 96 with the marker
    ] {
        assert_eq!(is_rtcp(&[0x80, second]), expected, "{second}");
    }
    assert!(!is_rtcp(&[0x80]) && !is_rtcp(&[]));
}

proptest! {
    #[test]
    fn any_datagram_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!shape(&bytes).is_empty());
    }

    /// Bytes that begin like RTCP get further.
    #[test]
    fn any_packet_is_read_or_refused(
        first in 0x80u8..0xc0,
        kind in 198u8..208,
        mut body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        body.truncate(body.len() / 4 * 4);
        prop_assert!(!shape(&packet(first, kind, &body)).is_empty());
    }
}
