//! Calls over a line as those of satellites and crowded mobile networks: 450 ms there and back, one packet of twenty lost.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jackfield_interop::bad_line::{BadLine, Trouble};
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(90);
/// Where the server is, and where its peers find it.
const BACK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);
const FRONT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);
const RTP: (u16, u16) = (16_384, 16_399);
const TROUBLE: Trouble = Trouble {
    delay: Duration::from_millis(200),
    jitter: Duration::from_millis(50),
    loss_percent: 5,
};

#[test]
fn every_key_arrives_once_and_in_order() {
    const KEYS: [&str; 2] = ["1234567890*#001122", "3344556677889900**##"];
    let keys = KEYS.concat();
    let app = VoiceApp::serve(vec![Page::twiml(
        "/pressed",
        "<Response><Hangup/></Response>",
    )]);
    let gather = format!(
        r#"<Response><Gather numDigits="{}" finishOnKey="" timeout="20" action="{}"/></Response>"#,
        keys.len(),
        app.url("/pressed")
    );
    let tenants = Tenants::with_numbers(vec![("1000", Flow::Twiml(gather))])
        .from_source(FRONT)
        .with_nat("force_rport = true, to_source = true");
    let place = Place::at(BACK).known_as(FRONT).with_rtp_ports(RTP);
    let server = Server::start_at(place, &tenants);
    let line = BadLine::start(FRONT, BACK, &[5_060..=5_060, RTP.0..=RTP.1], TROUBLE);

    let phones: Vec<_> = (0..3)
        .map(|_| {
            Pjsip::new(SocketAddr::from((FRONT, 5_060)))
                .dialling("1000")
                .doing(&format!("4,k{},6,k{}", KEYS[0], KEYS[1]), LIMIT)
                .start()
        })
        .collect();
    for phone in phones {
        let _ = phone.finish(LIMIT);
    }
    let done = line.finish();

    let pressed: Vec<_> = app
        .asked()
        .into_iter()
        .map(|asked| asked.parameters["Digits"].clone())
        .collect();
    assert_eq!(pressed, [&keys[..]; 3], "{done:?}");
    assert!(done.lost > 100 && done.overtaking > 20, "{done:?}");
    let log = server.log();
    let measured = |name: &str| {
        let (_, behind) = log.rsplit_once(name)?;
        behind.split_whitespace().next()?.parse::<f64>().ok()
    };
    let (round_trip, lost) = (measured("rtp.round_trip_ms="), measured("rtp.lost="));
    assert!(
        lost > Some(20.0),
        "{lost:?} packets of 1 in 20 lost:\n{log}"
    );
    assert!(
        (Some(380.0)..Some(700.0)).contains(&round_trip),
        "{round_trip:?} ms, where the line takes 400 to 500"
    );
    server.stop();
}
