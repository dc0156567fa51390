//! What is counted, reported and measured of a call, and whether its peer is still there.

use rtp::rtcp::MAX_RTCP_BYTES;

use super::*;

#[test]
fn lost_packets_are_told_once() {
    let mut rig = Rig::new(false);
    rig.hear(0, 0, &[1; FRAME_SAMPLES]);
    rig.sequence += 3;
    rig.hear(0, 640, &[1; FRAME_SAMPLES]);
    assert_eq!((rig.core.take_lost(), rig.core.take_lost()), (3, 0));
}

#[test]
fn a_peer_that_is_silent_for_too_long_is_told_of() {
    let seconds = |seconds: usize| seconds * 50;
    let mut rig = Rig::new(false);
    rig.sound(seconds(59));
    rig.hear(0, 0, &[1; FRAME_SAMPLES]);
    rig.sound(seconds(59));
    // Reports are a sign of life, too.
    let report = reports_of_the_peer(&mut rig);
    assert_eq!(rig.receive(peer(), report), Received::Taken);
    rig.sound(seconds(59));
    assert_eq!(rig.events(), []);
    rig.sound(seconds(2));
    assert_eq!(rig.events(), [MediaEvent::PeerSilent]);
    rig.command(MediaCommand::Connect(MediaPath {
        direction: Direction::SendOnly,
        ..path()
    }));
    rig.sound(seconds(1_799));
    assert_eq!(rig.events(), [], "a held peer has nothing to say");
    rig.sound(seconds(2));
    assert_eq!(rig.events(), [MediaEvent::PeerSilent]);
}

/// A report of the peer's, of a stream that it did not send yet.
fn reports_of_the_peer(rig: &mut Rig) -> Vec<u8> {
    let mut buffer = [0; MAX_RTCP_BYTES];
    let length = rtcp(rig.now, PEER_SSRC).goodbye(rig.now, &mut buffer);
    buffer[..length].to_vec()
}

#[test]
fn reports_go_out_every_few_seconds_where_the_peer_wants_them() {
    for (rtcp_mux, remote, expected) in [
        (true, None, Some((PEER, true))),
        (
            false,
            Some("198.51.100.7:4001"),
            Some(("198.51.100.7:4001", false)),
        ),
        (false, None, None),
    ] {
        let mut rig = Rig::new(false);
        rig.command(MediaCommand::Connect(MediaPath {
            rtcp_mux,
            remote_rtcp: remote.map(address),
            ..path()
        }));
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        let mut reports = Vec::new();
        for _ in 0..60 * 50 {
            rig.tick();
            reports.extend(rig.core.report(&mut datagram));
        }
        reports.extend(rig.core.goodbye(&mut datagram));
        let told: Vec<_> = reports
            .iter()
            .map(|report| (report.to, report.is_muxed))
            .collect();
        let Some((to, is_muxed)) = expected else {
            assert_eq!(told, []);
            continue;
        };
        assert!((8..=25).contains(&told.len()), "{} in a minute", told.len());
        assert!(told.iter().all(|sent| *sent == (address(to), is_muxed)));
    }
}

#[test]
fn reports_on_their_own_port_are_the_peers_only() {
    let mut rig = Rig::new(false);
    let mut report = reports_of_the_peer(&mut rig);
    let now = rig.now;
    for (source, expected) in [
        ("198.51.100.8:4001", Received::Refused),
        ("198.51.100.7:9999", Received::Taken), // a NAT chose the port
    ] {
        let received = rig.core.receive_report(now, address(source), &mut report);
        assert_eq!(received, expected, "{source}");
    }
    let received = rig.core.receive_report(now, peer(), &mut [1; 30]);
    assert_eq!(received, Received::Malformed);
    rig.sound(500);
    let sent = rig.core.goodbye(&mut [0; MAX_DATAGRAM_BYTES]).unwrap();
    assert_eq!(
        sent.to,
        address("198.51.100.7:9999"),
        "reports go where they come from"
    );
}

#[test]
fn what_is_measured_is_told() {
    let mut rig = Rig::new(false);
    let measurements = rig.core.measurements();
    rig.tick();
    assert_eq!(measurements.quality(), None);
    for number in 0..100 {
        if number % 10 == 5 {
            rig.sequence += 1;
        } else {
            rig.hear(0, number * 160, &[1; FRAME_SAMPLES]);
        }
        rig.tick();
    }
    let quality = measurements.quality().unwrap();
    assert_eq!((quality.received, quality.lost), (90, 10));
    assert_eq!(quality.round_trip_ms, None);
    assert!(quality.mos() < 4.0, "{}", quality.mos());
}
