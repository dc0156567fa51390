mod conference;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use call::{MediaPath, PlaybackId};
use media::{Prompt, tone};
use sdp::{Codec, TelephoneEvent};

use super::*;

/// What a test waits for comes within milliseconds; a machine under load may take its time.
const PATIENCE: Duration = Duration::from_secs(20);

const OWN_SIP: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5060));

fn plane(port_min: u16, port_max: u16) -> MediaPlane {
    let config = Rtp {
        bind: Ipv4Addr::LOCALHOST.into(),
        port_min,
        port_max,
        threads: 2,
        ..Rtp::default()
    };
    MediaPlane::start(&config, &[OWN_SIP]).unwrap()
}

fn connect(leg: &Leg, remote: SocketAddr) {
    leg.send(MediaCommand::Connect(MediaPath {
        telephone_event: Some(TelephoneEvent {
            send: 101,
            receive: 101,
            clock_rate_hz: 8_000,
        }),
        ..MediaPath::new(remote, Codec::Pcma)
    }));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

async fn next<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    tokio::time::timeout(PATIENCE, receiver.recv())
        .await
        .expect("in time")
        .expect("open")
}

#[test]
fn two_legs_hear_each_other() {
    runtime().block_on(async {
        let plane = plane(12_100, 12_119);
        let (heard_sender, mut heard) = mpsc::channel(500);
        let mut ours = plane.open_leg(&LegSettings::default()).unwrap();
        let mut theirs = plane.open_listening_leg(heard_sender).unwrap();
        connect(&ours.leg, theirs.leg.address);
        connect(&theirs.leg, ours.leg.address);
        let prompt = Arc::new(Prompt::from_pcm(&tone::sine(1_000.0, 0.5, 1_600)));
        ours.leg.send(MediaCommand::Play {
            id: PlaybackId(1),
            prompt,
            loops: 1,
        });
        theirs.leg.send(MediaCommand::Press {
            id: PlaybackId(1),
            keys: "7".into(),
        });
        let mut events = [next(&mut ours.events).await, next(&mut ours.events).await];
        events.sort_by_key(|event| matches!(event, MediaEvent::PlaybackEnded { .. }));
        let ended = MediaEvent::PlaybackEnded {
            id: PlaybackId(1),
            stopped: false,
        };
        assert_eq!(events, [MediaEvent::Digit('7'), ended.clone()]);
        assert_eq!(next(&mut theirs.events).await, ended);
        let mut loud_samples = 0;
        while loud_samples < 1_000 {
            let frame = next(&mut heard).await;
            loud_samples += frame
                .iter()
                .filter(|sample| sample.unsigned_abs() > 5_000)
                .count();
        }
        let counters = plane.counters();
        assert!(counters.sent > 10 && counters.received > 10, "{counters:?}");
        assert_eq!(
            (counters.refused, counters.malformed, counters.lost),
            (0, 0, 0)
        );
        assert!(counters.lateness_us(0.5).is_some());
        assert!(theirs.events.try_recv().is_err());
    });
}

#[test]
fn a_dropped_leg_gives_its_port_back() {
    runtime().block_on(async {
        let plane = plane(12_120, 12_121);
        for _ in 0..3 {
            let mut open = plane.open_leg(&LegSettings::default()).unwrap();
            assert_eq!(open.leg.address.port(), 12_120);
            let error = plane
                .open_leg(&LegSettings::default())
                .err()
                .map(|error| error.kind());
            assert_eq!(error, Some(io::ErrorKind::AddrInUse));
            drop(open.leg);
            // The thread lets go of the leg, the reaper of its socket and its channel.
            let closed = tokio::time::timeout(PATIENCE, open.events.recv()).await;
            assert_eq!(closed.expect("in time"), None);
        }
        assert_eq!(plane.counters().legs, 0);
    });
}

#[test]
fn a_description_allows_loopback_to_peers_on_it() {
    let plane = plane(12_122, 12_123);
    let open = plane.open_leg(&LegSettings::default()).unwrap();
    for (peer, allow_loopback) in [
        ("127.0.0.1:5060", true),
        ("[::ffff:127.0.0.1]:5060", true),
        ("198.51.100.7:5060", false),
    ] {
        let local = describe(&open.leg, peer.parse().unwrap(), &Codec::NARROWBAND);
        assert_eq!(local.policy.allow_loopback, allow_loopback, "{peer}");
        assert_eq!(local.address, "127.0.0.1:12122".parse().unwrap());
        assert!(i64::try_from(local.session_id).is_ok());
        assert_eq!(&*local.policy.own, &[OWN_SIP]);
    }
}

#[test]
fn a_trunk_may_have_an_address_of_its_own_for_media() {
    let plane = plane(12_124, 12_125);
    let nat = LegSettings {
        advertised: Some("203.0.113.1".parse().unwrap()),
        ..LegSettings::default()
    };
    let open = plane.open_leg(&nat).unwrap();
    let local = describe(
        &open.leg,
        "198.51.100.7:5060".parse().unwrap(),
        &Codec::NARROWBAND,
    );
    assert_eq!(local.address, "203.0.113.1:12124".parse().unwrap());
}
