use proptest::prelude::*;

use super::*;
use crate::{Lie, LocalSecurity, OurKeys, answer_again, offer, offer_again};

fn local() -> Local {
    Local {
        version: 7,
        ..Local::new("192.0.2.1:20000".parse().unwrap(), 42)
    }
}

/// A description of the peer at 198.51.100.7 with these lines after the session's.
fn from_peer(lines: &str) -> Vec<u8> {
    let head = "v=0\no=- 1 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\n";
    format!("{head}{lines}").replace('\n', "\r\n").into_bytes()
}

/// What an answer may vary in: codec, payload type sent, telephone event sent, direction.
type Facts = (Codec, u8, Option<u8>, Direction);

fn facts(negotiated: &Negotiated) -> Facts {
    (
        negotiated.codec,
        negotiated.send_payload_type,
        negotiated.telephone_event.map(|event| event.send),
        negotiated.direction,
    )
}

fn check(lines: &str, expected: Facts) -> Negotiated {
    let negotiated =
        answer(&from_peer(lines), &local()).unwrap_or_else(|error| panic!("{lines}: {error}"));
    assert_eq!(facts(&negotiated), expected, "{lines}");
    negotiated
}

fn media_lines(description: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(description).unwrap();
    text.lines()
        .filter(|line| line.starts_with("m="))
        .map(str::to_owned)
        .collect()
}

use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

#[test]
fn our_offer_reads_as_the_rfcs_write_it() {
    let expected = "v=0\r\no=- 42 7 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    assert_eq!(std::str::from_utf8(&offer(&local())).unwrap(), expected);
}

#[test]
fn the_answer_has_one_codec_and_the_offers_numbers() {
    let negotiated = check(
        "m=audio 4000 RTP/AVP 8 0 96\na=rtpmap:96 telephone-event/8000\na=fmtp:96 0-16\n",
        (Codec::Pcma, 8, Some(96), SendRecv),
    );
    let expected = "v=0\r\no=- 42 7 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    assert_eq!(
        std::str::from_utf8(&negotiated.description).unwrap(),
        expected
    );
    assert_eq!(negotiated.remote, "198.51.100.7:4000".parse().unwrap());
    assert_eq!(negotiated.receive_payload_type, 8);
    assert_eq!(
        negotiated.telephone_event,
        Some(TelephoneEvent {
            send: 96,
            receive: 96,
            clock_rate_hz: 8_000,
        })
    );
}

#[test]
fn codecs_are_found_by_map_and_by_static_number() {
    let audio = |payload_type, codec| (codec, payload_type, None, SendRecv);
    for (lines, expected) in [
        ("m=audio 4000 RTP/AVP 0\n", audio(0, Codec::Pcmu)),
        ("m=audio 4000 RTP/AVP 8\n", audio(8, Codec::Pcma)),
        ("m=audio 4000 RTP/AVP 18 3 8 0\n", audio(8, Codec::Pcma)),
        (
            "m=audio 4000 RTP/AVP 0\na=rtpmap:0 pcmu/8000/1\n",
            audio(0, Codec::Pcmu),
        ),
        (
            "m=audio 4000 RTP/AVP 97\na=rtpmap:97 PCMA/8000\n",
            audio(97, Codec::Pcma),
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\na=rtpmap:0 G726-32/8000\n",
            audio(8, Codec::Pcma),
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\na=rtpmap:0 PCMU/16000\n",
            audio(8, Codec::Pcma),
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\na=rtpmap:0 PCMU/8000/2\n",
            audio(8, Codec::Pcma),
        ),
        (
            "m=audio 4000 RTP/AVP 0 8\na=rtpmap:rubbish\n",
            audio(0, Codec::Pcmu),
        ),
        ("m=audio 4000 RTP/AVP x 0\n", audio(0, Codec::Pcmu)),
        ("m=AUDIO 4000 rtp/avp 0\n", audio(0, Codec::Pcmu)),
        ("m=audio 4000/2 RTP/AVP 0\n", audio(0, Codec::Pcmu)),
    ] {
        check(lines, expected);
    }
}

#[test]
fn telephone_events_are_found_whatever_their_number() {
    for (maps, expected) in [
        ("a=rtpmap:101 telephone-event/8000\n", Some(101)),
        ("a=rtpmap:101 TELEPHONE-EVENT/8000 \n", Some(101)),
        ("a=rtpmap:96 telephone-event/8000\n", Some(96)),
        (
            "a=rtpmap:96 telephone-event/48000\na=rtpmap:101 telephone-event/8000\n",
            Some(101),
        ),
        ("a=rtpmap:96 telephone-event/16000\n", None),
        ("a=rtpmap:110 telephone-event/8000\n", None), // a map of a number that is not on the m= line
        ("", None),
    ] {
        let lines = format!("m=audio 4000 RTP/AVP 0 96 101\n{maps}");
        check(&lines, (Codec::Pcmu, 0, expected, SendRecv));
    }
}

#[test]
fn the_answers_direction_mirrors_the_offers() {
    for (session, stream, expected) in [
        ("", "", SendRecv),
        ("", "a=sendrecv\n", SendRecv),
        ("", "a=sendonly\n", RecvOnly),
        ("", "a=recvonly\n", SendOnly),
        ("", "a=inactive\n", Inactive),
        ("a=sendonly\n", "", RecvOnly),
        ("a=inactive\n", "a=sendrecv\n", SendRecv),
        ("", "c=IN IP4 0.0.0.0\n", RecvOnly),
        ("", "c=IN IP4 0.0.0.0\na=sendonly\n", RecvOnly),
        ("", "c=IN IP4 0.0.0.0\na=recvonly\n", Inactive),
        ("", "c=IN IP4 0.0.0.0\na=inactive\n", Inactive),
    ] {
        let lines = format!("{session}m=audio 4000 RTP/AVP 0\n{stream}");
        let negotiated = check(&lines, (Codec::Pcmu, 0, None, expected));
        let line = format!("a={}\r\n", expected.name());
        assert!(negotiated.description.ends_with(line.as_bytes()), "{lines}");
    }
}

#[test]
fn extra_streams_are_refused_in_order() {
    let audio = "m=audio 20000 RTP/AVP 0";
    for (lines, expected) in [
        (
            "m=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 31 34\n",
            vec![audio, "m=video 0 RTP/AVP 31 34"],
        ),
        (
            "m=image 4002 udptl t38\nm=audio 4000 RTP/AVP 0\n",
            vec!["m=image 0 udptl t38", audio],
        ),
        (
            "m=audio 0 RTP/AVP 0\nm=audio 4000 RTP/AVP 0\n",
            vec!["m=audio 0 RTP/AVP 0", audio],
        ),
        (
            "m=audio 4000 RTP/SAVP 0\nm=audio 4002 RTP/AVP 0\n",
            vec!["m=audio 0 RTP/SAVP 0", audio],
        ),
        (
            "m=audio 4000 RTP/AVP 18\nm=audio 4002 RTP/AVP 0\n",
            vec!["m=audio 0 RTP/AVP 18", audio],
        ),
        (
            "m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/AVP 8\n",
            vec![audio, "m=audio 0 RTP/AVP 8"],
        ),
    ] {
        let negotiated = answer(&from_peer(lines), &local()).unwrap();
        assert_eq!(media_lines(&negotiated.description), expected, "{lines}");
    }
}

#[test]
fn the_streams_own_address_wins_and_mapped_ones_are_unwrapped() {
    for (stream, expected) in [
        ("", "198.51.100.7:4000"),
        ("c=IN IP4 203.0.113.9\n", "203.0.113.9:4000"),
        ("c=IN IP4 203.0.113.9/127\n", "203.0.113.9:4000"),
        ("c=IN IP6 ::ffff:203.0.113.9\n", "203.0.113.9:4000"),
    ] {
        let negotiated = answer(
            &from_peer(&format!("m=audio 4000 RTP/AVP 0\n{stream}")),
            &local(),
        )
        .unwrap();
        assert_eq!(negotiated.remote, expected.parse().unwrap(), "{stream}");
    }
}

#[test]
fn what_cannot_be_used_says_why() {
    let refused = |address: &str, lie| SdpError::Refused {
        address: address.parse().unwrap(),
        lie,
    };
    let no_codec = |offered: &str| SdpError::NoCommonCodec {
        offered: offered.to_owned(),
    };
    let profile = |name: &str| SdpError::Profile(name.to_owned());
    let name = |text: &str| SdpError::NotAnIpAddress(text.to_owned());
    for (lines, expected) in [
        ("", SdpError::NoAudio),
        ("m=video 4000 RTP/AVP 31\n", SdpError::NoAudio),
        ("m=audio 0 RTP/AVP 0\n", SdpError::NoAudio),
        ("m=audio 4000 RTP/SAVP 0\n", SdpError::Encrypted),
        ("m=audio 4000 RTP/AVPF 0\n", profile("RTP/AVPF")),
        ("m=audio 4000 RTP/SAVPF 0\n", profile("RTP/SAVPF")),
        (
            "m=audio 4000 UDP/TLS/RTP/SAVPF 111 0\n",
            profile("UDP/TLS/RTP/SAVPF"),
        ),
        ("m=audio 4000 udp 0\n", profile("udp")),
        ("m=audio 4000 RTP/AVP 18 101\n", no_codec("18 101")),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP4 127.0.0.1\n",
            refused("127.0.0.1:4000", Lie::Loopback),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP4 169.254.169.254\n",
            refused("169.254.169.254:4000", Lie::LinkLocal),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP4 224.2.1.1/127\n",
            refused("224.2.1.1:4000", Lie::Multicast),
        ),
        (
            "m=audio 53 RTP/AVP 0\n",
            refused("198.51.100.7:53", Lie::WellKnownPort),
        ),
        (
            "m=audio 20000 RTP/AVP 0\nc=IN IP4 192.0.2.1\n",
            refused("192.0.2.1:20000", Lie::OurOwn),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP6 ::\n",
            refused("[::]:4000", Lie::Unspecified),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP6 ::ffff:0.0.0.0\n",
            refused("[::ffff:0.0.0.0]:4000", Lie::Unspecified),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::1\n",
            SdpError::OtherIpVersion("2001:db8::1".parse().unwrap()),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=IN IP4 media.example.net\n",
            name("media.example.net"),
        ),
        (
            "m=audio 4000 RTP/AVP 0\nc=ATM NSAP 47.0091\n",
            name("47.0091"),
        ),
    ] {
        let error = answer(&from_peer(lines), &local()).unwrap_err();
        assert_eq!(error, expected, "{lines}");
        assert_eq!(error.status(), 488, "{lines}");
    }
}

#[test]
fn what_is_not_sdp_is_a_bad_request() {
    let too_long = from_peer(&"a=x\n".repeat(5_000));
    let too_many = from_peer(&"m=audio 4000 RTP/AVP 0\n".repeat(33));
    let bad: [&[u8]; 7] = [
        b"",
        b"hello",
        b"v=1\r\n",
        b"v=0\r\nm=audio\r\n",
        b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
        &too_long,
        &too_many,
    ];
    for bytes in bad {
        let error = answer(bytes, &local()).unwrap_err();
        assert_eq!(error.status(), 400, "{error}");
    }
    let no_address = b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(
        answer(no_address, &local()).unwrap_err(),
        SdpError::NoAddress
    );
}

#[test]
fn real_peers_sloppiness_is_forgiven() {
    let latin_1 = b"v=0\no=- 1 1 IN IP4 198.51.100.7\ns=caf\xe9\nc=IN IP4 198.51.100.7\n\
        m=audio 4000 RTP/AVP 0\n";
    assert!(answer(latin_1, &local()).is_ok());
    let no_times_bare_lf = b"v=0\nc=IN IP4 198.51.100.7\nm=audio 4000 RTP/AVP 0";
    assert!(answer(no_times_bare_lf, &local()).is_ok());
}

#[test]
fn packet_lengths_are_wishes() {
    for (line, expected_ms) in [
        ("", 20),
        ("a=ptime:30\n", 30),
        ("a=ptime: 10 \n", 10),
        ("a=ptime:0\n", 20),
        ("a=ptime:100000\n", 20),
        ("a=ptime:x\n", 20),
        ("a=maxptime:150\n", 20),
        ("a=ptime:60\n", 60),
        ("a=ptime:120\n", 60),
        ("a=ptime:5\n", 10),
        ("a=ptime:25\n", 20),
        ("a=maxptime:10\n", 10),
        ("a=ptime:40\na=maxptime:30\n", 30),
        ("a=ptime:30\na=maxptime:0\n", 30),
    ] {
        let lines = format!("m=audio 4000 RTP/AVP 0\n{line}");
        assert_eq!(
            answer(&from_peer(&lines), &local()).unwrap().ptime_ms,
            expected_ms,
            "{line}"
        );
    }
}

#[test]
fn an_answer_gives_the_numbers_to_send_and_ours_stay_to_receive() {
    for (lines, codec, send, event) in [
        (
            "m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\n",
            Codec::Pcma,
            8,
            Some((101, 101)),
        ),
        (
            "m=audio 4000 RTP/AVP 0 8 96\na=rtpmap:96 telephone-event/8000\n",
            Codec::Pcmu,
            0,
            Some((96, 101)),
        ),
        (
            "m=audio 4000 RTP/AVP 98\na=rtpmap:98 PCMU/8000\n",
            Codec::Pcmu,
            98,
            None,
        ),
    ] {
        let negotiated = accept(&from_peer(lines), &local()).unwrap();
        assert_eq!(
            (negotiated.codec, negotiated.send_payload_type),
            (codec, send),
            "{lines}"
        );
        assert_eq!(
            negotiated.receive_payload_type,
            codec.payload_type(),
            "{lines}"
        );
        let expected = event.map(|(send, receive)| TelephoneEvent {
            send,
            receive,
            clock_rate_hz: 8_000,
        });
        assert_eq!(negotiated.telephone_event, expected, "{lines}");
        assert!(negotiated.description.is_empty(), "{lines}");
    }
}

#[test]
fn an_answer_must_take_what_we_offered() {
    let only_pcma = Local {
        codecs: vec![Codec::Pcma],
        ..local()
    };
    let error = accept(&from_peer("m=audio 4000 RTP/AVP 0\n"), &only_pcma).unwrap_err();
    assert_eq!(
        error,
        SdpError::NoCommonCodec {
            offered: "0".to_owned()
        }
    );
    for lines in [
        "m=audio 0 RTP/AVP 8\n",
        "",
        "m=video 4000 RTP/AVP 8\nm=audio 4002 RTP/AVP 8\n",
    ] {
        assert_eq!(
            accept(&from_peer(lines), &only_pcma),
            Err(SdpError::NoAudio),
            "{lines}"
        );
    }
}

#[test]
fn two_of_us_agree() {
    let theirs = Local {
        address: "198.51.100.7:4000".parse().unwrap(),
        ..local()
    };
    let answered = answer(&offer(&theirs), &local()).unwrap();
    let accepted = accept(&answered.description, &theirs).unwrap();
    assert_eq!(facts(&answered), (Codec::Pcmu, 0, Some(101), SendRecv));
    assert_eq!(facts(&accepted), facts(&answered));
    assert_eq!(
        (answered.remote, accepted.remote),
        (theirs.address, local().address)
    );
}

#[test]
fn the_version_grows_only_on_change() {
    let mut local = local();
    let offer_with = |direction: &str| from_peer(&format!("m=audio 4000 RTP/AVP 0\n{direction}"));
    let first = answer(&offer_with(""), &local).unwrap().description;
    let same = answer_again(&offer_with("a=sendrecv\n"), &mut local, &first)
        .unwrap()
        .description;
    assert_eq!((&same, local.version), (&first, 7));
    let held = answer_again(&offer_with("a=sendonly\n"), &mut local, &same)
        .unwrap()
        .description;
    assert_eq!(local.version, 8);
    assert!(
        held.windows(11).any(|window| window == b"o=- 42 8 IN"),
        "the new version is sent"
    );
    let resumed = answer_again(&offer_with(""), &mut local, &held)
        .unwrap()
        .description;
    assert_eq!(local.version, 9);
    let refused = answer_again(b"v=0\r\n", &mut local, &resumed);
    assert_eq!((refused, local.version), (Err(SdpError::NoAudio), 9));
    let offered = offer_again(&mut local, &resumed);
    assert_eq!(
        local.version, 10,
        "our offer has more codecs than the answer had"
    );
    assert_eq!(offer_again(&mut local, &offered), offered);
    assert_eq!(local.version, 10);
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = answer(&bytes, &local());
    }

    /// Lines of real descriptions in any order and number: whatever is answered is honest and answers every stream.
    #[test]
    fn any_lines_are_answered_with_as_many_streams(lines in proptest::collection::vec(line(), 0..12)) {
        let offer = from_peer(&lines.concat());
        let ours = Local {
            codecs: Codec::ALL.to_vec(),
            comfort_noise: true,
            rtcp_mux: true,
            security: LocalSecurity {
                policy: Security::Offer,
                signalling_is_secure: true,
                keys: OurKeys::new([9; OurKeys::RANDOM_BYTES]),
            },
            ..local()
        };
        if let Ok(negotiated) = answer(&offer, &ours) {
            prop_assert!(negotiated.remote_rtcp.is_none_or(|address| address.ip() == negotiated.remote.ip()));
            prop_assert_eq!(media_lines(&negotiated.description).len(), media_lines(&offer).len());
            prop_assert!(!negotiated.remote.ip().is_loopback());
            prop_assert!(negotiated.direction.sends() <= !negotiated.remote.ip().is_unspecified());
            let ours = media_lines(&negotiated.description);
            prop_assert_eq!(ours.iter().filter(|line| !line.starts_with("m=audio 0 ") && !line.starts_with("m=video 0 ") && !line.starts_with("m=image 0 ")).count(), 1);
        }
    }
}

fn line() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "m=audio 4000 RTP/AVP 0 8 101\n",
        "m=audio 4000 RTP/AVP 8 96\n",
        "m=audio 0 RTP/AVP 0\n",
        "m=audio 4000 RTP/SAVP 0\n",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 111\n",
        "m=audio 4000 RTP/AVP 18 9 111 13 110\n",
        "a=rtpmap:111 opus/48000/2\n",
        "a=rtpmap:110 telephone-event/48000\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "a=crypto:2 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==|2^31\n",
        "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31|1:1\n",
        "a=rtcp-mux\n",
        "a=rtcp:53 IN IP4 127.0.0.1\n",
        "a=maxptime:20\n",
        "m=video 4002 RTP/AVP 31\n",
        "m=image 4002 udptl t38\n",
        "a=rtpmap:96 telephone-event/8000\n",
        "a=rtpmap:101 telephone-event/8000\n",
        "a=rtpmap:8 PCMA/8000\n",
        "a=rtpmap:0 G729/8000\n",
        "a=sendonly\n",
        "a=inactive\n",
        "a=ptime:60\n",
        "c=IN IP4 0.0.0.0\n",
        "c=IN IP4 127.0.0.1\n",
        "c=IN IP6 ::1\n",
    ])
}

mod codecs;
mod encryption;
mod rtcp;
