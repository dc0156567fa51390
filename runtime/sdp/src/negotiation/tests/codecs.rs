//! What offers of all kinds agree on.

use super::*;

/// What telephones speak, and before it what many speak and sounds better.
const WIDEBAND: [Codec; 3] = [Codec::G722, Codec::Pcmu, Codec::Pcma];

fn with(codecs: &[Codec]) -> Local {
    Local {
        codecs: codecs.to_vec(),
        comfort_noise: true,
        ..local()
    }
}

/// Codec, payload type, telephone event, comfort noise: of an answer to these lines by someone who speaks everything.
fn agreed(lines: &str) -> Option<(Codec, u8, Option<u8>, Option<u8>)> {
    let negotiated = answer(&from_peer(lines), &with(&Codec::ALL)).ok()?;
    Some((
        negotiated.codec,
        negotiated.send_payload_type,
        negotiated.telephone_event.map(|event| event.send),
        negotiated.comfort_noise,
    ))
}

#[test]
fn odd_offers_are_answered_from_their_middle() {
    use Codec::{G722, Opus, Pcma, Pcmu};
    for (lines, expected) in [
        // What carriers send: G.729 before all else.
        (
            "m=audio 4000 RTP/AVP 18 8 0 101\na=rtpmap:18 G729/8000\na=fmtp:18 annexb=no\n\
             a=rtpmap:101 telephone-event/8000\n",
            Some((Pcma, 8, Some(101), None)),
        ),
        (
            "m=audio 4000 RTP/AVP 4 18 3 0 13\n",
            Some((Pcmu, 0, None, Some(13))),
        ),
        // Names nobody knows.
        (
            "m=audio 4000 RTP/AVP 96 97 8\na=rtpmap:96 EVS/16000\na=rtpmap:97 AMR-WB/16000\n",
            Some((Pcma, 8, None, None)),
        ),
        ("m=audio 4000 RTP/AVP 96 8\n", Some((Pcma, 8, None, None))),
        // G.722 by number, by name, with the rate that is meant.
        ("m=audio 4000 RTP/AVP 9 0\n", Some((G722, 9, None, None))),
        (
            "m=audio 4000 RTP/AVP 9\na=rtpmap:9 G722/8000\n",
            Some((G722, 9, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 9\na=rtpmap:9 G722/16000\n",
            Some((G722, 9, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 96\na=rtpmap:96 g722/8000/1\n",
            Some((G722, 96, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 9 0\na=rtpmap:9 G722/32000\n",
            Some((Pcmu, 0, None, None)),
        ),
        // Another codec under G.722's number.
        (
            "m=audio 4000 RTP/AVP 9 0\na=rtpmap:9 G7221/16000\n",
            Some((Pcmu, 0, None, None)),
        ),
        // Opus, as it must be and as some write it.
        (
            "m=audio 4000 RTP/AVP 107\na=rtpmap:107 opus/48000/2\n",
            Some((Opus, 107, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 107\na=rtpmap:107 OPUS/48000\n",
            Some((Opus, 107, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 107 0\na=rtpmap:107 opus/16000\n",
            Some((Pcmu, 0, None, None)),
        ),
        // Ours is no static number: without a map it means nothing in an offer.
        (
            "m=audio 4000 RTP/AVP 111 101 0\n",
            Some((Pcmu, 0, None, None)),
        ),
        // Telephone events at the codec's clock rate, whichever comes first.
        (
            "m=audio 4000 RTP/AVP 107 101 102\na=rtpmap:107 opus/48000/2\n\
             a=rtpmap:101 telephone-event/8000\na=rtpmap:102 telephone-event/48000\n",
            Some((Opus, 107, Some(102), None)),
        ),
        (
            "m=audio 4000 RTP/AVP 0 107 102 101\na=rtpmap:107 opus/48000/2\n\
             a=rtpmap:101 telephone-event/8000\na=rtpmap:102 telephone-event/48000\n",
            Some((Pcmu, 0, Some(101), None)),
        ),
        (
            "m=audio 4000 RTP/AVP 9 101\na=rtpmap:101 telephone-event/8000\n",
            Some((G722, 9, Some(101), None)),
        ),
        // Comfort noise by number and by name, for codecs that count 8,000.
        (
            "m=audio 4000 RTP/AVP 8 13\na=rtpmap:13 CN/8000\n",
            Some((Pcma, 8, None, Some(13))),
        ),
        (
            "m=audio 4000 RTP/AVP 8 98\na=rtpmap:98 cn/8000\n",
            Some((Pcma, 8, None, Some(98))),
        ),
        (
            "m=audio 4000 RTP/AVP 8 98\na=rtpmap:98 CN/16000\n",
            Some((Pcma, 8, None, None)),
        ),
        (
            "m=audio 4000 RTP/AVP 107 13\na=rtpmap:107 opus/48000/2\n",
            Some((Opus, 107, None, None)),
        ),
        // A number used twice: its first map counts.
        (
            "m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMA/8000\na=rtpmap:96 opus/48000/2\n",
            Some((Pcma, 96, None, None)),
        ),
        ("m=audio 4000 RTP/AVP 18 4 3\n", None),
        ("m=audio 4000 RTP/AVP 256 -1 1000\n", None),
        (
            "m=audio 4000 RTP/AVP 13 101\na=rtpmap:101 telephone-event/8000\n",
            None,
        ),
    ] {
        assert_eq!(agreed(lines), expected, "{lines}");
    }
}

/// What a softphone has that knows no other events; and what it answers with.
#[test]
fn opus_goes_with_events_of_8_khz_where_there_are_no_others() {
    let lines = "m=audio 4000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\n\
        a=rtpmap:101 telephone-event/8000\n";
    let everything = with(&Codec::ALL);
    let answered = answer(&from_peer(lines), &everything).unwrap();
    let accepted = accept(&from_peer(lines), &everything).unwrap();
    for negotiated in [&answered, &accepted] {
        let event = TelephoneEvent {
            send: 101,
            receive: 101,
            clock_rate_hz: 8_000,
        };
        assert_eq!(negotiated.codec, Codec::Opus);
        assert_eq!(negotiated.telephone_event, Some(event));
    }
    let text = String::from_utf8_lossy(&answered.description);
    assert!(
        text.contains("a=rtpmap:101 telephone-event/8000\r\n"),
        "{text}"
    );
}

#[test]
fn only_what_is_allowed_is_agreed_on() {
    let lines = "m=audio 4000 RTP/AVP 107 9 8 0\na=rtpmap:107 opus/48000/2\n";
    for (allowed, expected) in [
        (Codec::ALL.to_vec(), Codec::Opus),
        (WIDEBAND.to_vec(), Codec::G722),
        (Codec::NARROWBAND.to_vec(), Codec::Pcma),
        (vec![Codec::Pcmu], Codec::Pcmu),
    ] {
        let negotiated = answer(&from_peer(lines), &with(&allowed)).unwrap();
        assert_eq!(negotiated.codec, expected);
    }
}

#[test]
fn comfort_noise_is_only_agreed_on_where_we_can_make_it() {
    let offer = from_peer("m=audio 4000 RTP/AVP 0 13\n");
    assert_eq!(answer(&offer, &local()).unwrap().comfort_noise, None);
    let negotiated = answer(&offer, &with(&Codec::NARROWBAND)).unwrap();
    assert_eq!(
        media_lines(&negotiated.description),
        ["m=audio 20000 RTP/AVP 0 13"]
    );
}

#[test]
fn our_offer_of_everything() {
    let text = offer(&with(&[Codec::Opus, Codec::G722, Codec::Pcma]));
    let expected = "m=audio 20000 RTP/AVP 111 9 8 13 101 110\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1\r\n\
        a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
        a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    assert!(
        text.ends_with(expected.as_bytes()),
        "{}",
        String::from_utf8_lossy(&text)
    );
    assert!(text.len() < 600, "an INVITE with it fits into a datagram");
    let opus_alone = with(&[Codec::Opus]);
    assert_eq!(
        media_lines(&offer(&opus_alone)),
        ["m=audio 20000 RTP/AVP 111 110"]
    );
}

#[test]
fn an_answers_numbers_may_be_others_or_without_maps() {
    for (lines, codec, send, event, noise) in [
        (
            "m=audio 4000 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\n\
             a=rtpmap:97 telephone-event/48000\n",
            Codec::Opus,
            96,
            Some((97, 110)),
            None,
        ),
        (
            "m=audio 4000 RTP/AVP 111 110\n",
            Codec::Opus,
            111,
            Some((110, 110)),
            None,
        ),
        (
            "m=audio 4000 RTP/AVP 9 13 101\n",
            Codec::G722,
            9,
            Some((101, 101)),
            Some(13),
        ),
        (
            "m=audio 4000 RTP/AVP 8 99\na=rtpmap:99 CN/8000\n",
            Codec::Pcma,
            8,
            None,
            Some(13),
        ),
    ] {
        let negotiated = accept(&from_peer(lines), &with(&Codec::ALL)).unwrap();
        let events = negotiated
            .telephone_event
            .map(|event| (event.send, event.receive));
        assert_eq!(
            (
                negotiated.codec,
                negotiated.send_payload_type,
                events,
                negotiated.comfort_noise
            ),
            (codec, send, event, noise),
            "{lines}"
        );
        assert_eq!(
            negotiated.receive_payload_type,
            codec.payload_type(),
            "{lines}"
        );
    }
}

#[test]
fn redundancy_is_for_opus_peers_that_say_so() {
    for (lines, expected) in [
        ("a=fmtp:107 useinbandfec=1\n", true),
        ("a=fmtp:107 minptime=10; UseInbandFEC=1 ;stereo=0\n", true),
        ("a=fmtp:107 useinbandfec=0\n", false),
        ("a=fmtp:108 useinbandfec=1\n", false),
        ("a=fmtp:107\n", false),
        ("", false),
    ] {
        let lines = format!("m=audio 4000 RTP/AVP 107\na=rtpmap:107 opus/48000/2\n{lines}");
        let negotiated = answer(&from_peer(&lines), &with(&Codec::ALL)).unwrap();
        assert_eq!(negotiated.redundancy, expected, "{lines}");
    }
}

#[test]
fn two_of_us_agree_on_the_first_of_each_set() {
    for codecs in [&[Codec::Opus][..], &WIDEBAND, &[Codec::Pcma, Codec::Opus]] {
        let theirs = Local {
            address: "198.51.100.7:4000".parse().unwrap(),
            ..with(codecs)
        };
        let answered = answer(&offer(&theirs), &with(&Codec::ALL)).unwrap();
        let accepted = accept(&answered.description, &theirs).unwrap();
        assert_eq!(answered.codec, codecs[0]);
        assert_eq!(facts(&accepted), facts(&answered));
        assert!(answered.telephone_event.is_some());
        let is_opus = codecs[0] == Codec::Opus;
        assert_eq!(
            (accepted.redundancy, accepted.comfort_noise.is_none()),
            (is_opus, is_opus)
        );
    }
}
