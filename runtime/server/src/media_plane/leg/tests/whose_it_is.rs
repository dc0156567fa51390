//! Whose packets a leg takes, and where its own go.

use super::*;

#[test]
fn only_the_signalled_address_and_types_are_heard() {
    let mut rig = Rig::new(false);
    let audio = |rig: &mut Rig| rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]);
    let packet = audio(&mut rig);
    for (source, expected) in [
        ("198.51.100.8:4000", Received::Refused),
        ("198.51.100.7:4002", Received::Refused),
        ("[::ffff:198.51.100.7]:4000", Received::Taken),
    ] {
        assert_eq!(
            rig.receive(address(source), packet.clone()),
            expected,
            "{source}"
        );
    }
    for (payload_type, expected) in [
        (0, Received::Taken),
        (101, Received::Taken),
        (8, Received::Refused),
        (96, Received::Refused), // the peer's number for events, not ours
        (13, Received::Refused),
    ] {
        assert_eq!(
            rig.hear(payload_type, 160, &[1; 160]),
            expected,
            "{payload_type}"
        );
    }
    assert_eq!(rig.receive(peer(), vec![0x80; 11]), Received::Malformed);
    let send_only = MediaPath {
        direction: Direction::SendOnly,
        ..path()
    };
    rig.command(MediaCommand::Connect(send_only));
    assert_eq!(rig.hear(0, 320, &[1; FRAME_SAMPLES]), Received::Refused);
}

#[test]
fn a_peer_behind_a_nat_is_learned_from_packets_with_negotiated_types() {
    const NAT: &str = "203.0.113.9:61234";
    let nat = address(NAT);
    for (types, learned) in [
        ([0, 0, 0], true),
        ([101, 0, 101], true),
        ([8, 8, 8], false),
        ([0, 0, 13], false),
    ] {
        let mut rig = Rig::latching(&[nat.ip()], false);
        assert_eq!(
            rig.sound(2),
            "..",
            "we speak first, to where the peer said it is"
        );
        let mut last = Received::Malformed;
        for payload_type in types {
            let packet = rig.packet(PEER_SSRC, payload_type, 0, &[1; FRAME_SAMPLES]);
            last = rig.receive(nat, packet.clone());
        }
        assert_eq!(last == Received::Taken, learned, "{types:?}");
        rig.sends_to = if learned { nat } else { peer() };
        assert_eq!(rig.sound(1), ".", "{types:?}");
        if learned {
            assert_eq!(rig.hear(0, 160, &[1; FRAME_SAMPLES]), Received::Refused);
            rig.command(MediaCommand::Connect(path()));
            assert_eq!(rig.sound(1), ".", "the same offer again is no gap");
        }
    }
}

#[test]
fn a_nat_that_is_not_spoken_of_is_not_learned() {
    let mut rig = Rig::new(false);
    for _ in 0..10 {
        let packet = rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]);
        let source = address("203.0.113.9:61234");
        assert_eq!(rig.receive(source, packet.clone()), Received::Refused);
        assert_eq!(rig.sound(1), ".");
    }
}

#[test]
fn learning_ends_with_its_time() {
    let nat = address("203.0.113.9:61234");
    for (ticks, learned) in [(99, true), (100, false)] {
        let mut rig = Rig::latching(&[nat.ip()], false);
        let packets: Vec<_> = (0..3)
            .map(|_| rig.packet(PEER_SSRC, 0, 0, &[1; FRAME_SAMPLES]))
            .collect();
        rig.receive(nat, packets[0].clone());
        rig.receive(nat, packets[1].clone());
        rig.sound(ticks);
        let last = rig.receive(nat, packets[2].clone());
        assert_eq!(last == Received::Taken, learned, "{ticks}");
    }
}
