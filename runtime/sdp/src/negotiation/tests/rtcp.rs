//! Where RTCP goes.

use super::*;

fn muxing() -> Local {
    Local {
        rtcp_mux: true,
        ..local()
    }
}

#[test]
fn rtcp_has_a_place() {
    for (lines, mux, expected) in [
        ("", false, Some("198.51.100.7:4001")),
        ("a=rtcp:5000\n", false, Some("198.51.100.7:5000")),
        (
            "a=rtcp:5000 IN IP4 198.51.100.7\n",
            false,
            Some("198.51.100.7:5000"),
        ),
        // Somebody else's address is not believed.
        (
            "a=rtcp:5000 IN IP4 203.0.113.99\n",
            false,
            Some("198.51.100.7:5000"),
        ),
        ("a=rtcp:x\n", false, Some("198.51.100.7:4001")),
        ("a=rtcp\n", false, Some("198.51.100.7:4001")),
        ("a=rtcp:99999\n", false, Some("198.51.100.7:4001")),
        // Nobody has RTCP on the port of DNS.
        ("a=rtcp:53\n", false, None),
        ("a=rtcp:0\n", false, None),
        ("a=rtcp-mux\n", true, Some("198.51.100.7:4000")),
        ("a=rtcp:4000\na=RTCP-mux\n", true, Some("198.51.100.7:4000")),
        ("c=IN IP4 0.0.0.0\n", false, None),
        ("c=IN IP4 0.0.0.0\na=rtcp-mux\n", true, None),
    ] {
        let offer = from_peer(&format!("m=audio 4000 RTP/AVP 0\n{lines}"));
        let negotiated = answer(&offer, &muxing()).unwrap();
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(
            (negotiated.rtcp_mux, negotiated.remote_rtcp),
            (mux, expected),
            "{lines}"
        );
        let text = String::from_utf8_lossy(&negotiated.description).into_owned();
        assert_eq!(text.contains("a=rtcp-mux\r\n"), mux, "{lines}");
    }
    let last_port = from_peer("m=audio 65535 RTP/AVP 0\n");
    assert_eq!(answer(&last_port, &local()).unwrap().remote_rtcp, None);
}

#[test]
fn rtcp_shares_the_port_only_where_both_want_it() {
    let lines = "m=audio 4000 RTP/AVP 0\na=rtcp-mux\n";
    for (ours, expected) in [(local(), false), (muxing(), true)] {
        assert_eq!(answer(&from_peer(lines), &ours).unwrap().rtcp_mux, expected);
        assert_eq!(accept(&from_peer(lines), &ours).unwrap().rtcp_mux, expected);
        let text = String::from_utf8_lossy(&offer(&ours)).into_owned();
        assert_eq!(text.contains("a=rtcp-mux\r\n"), expected);
    }
    let plain = from_peer("m=audio 4000 RTP/AVP 0\n");
    assert!(!accept(&plain, &muxing()).unwrap().rtcp_mux);
}
