//! Calls to SIP URIs whose host no trunk has as a target: where the operator names it, found by DNS, and nowhere else. Those who are called are
//! `SIPp`, DNS is dnsmasq.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use jackfield_interop::certificates::Certificates;
use jackfield_interop::dns::Dns;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::udp_tap::UdpTap;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "pbx.voice.test";

/// Somebody who waits for a call.
fn callee(sipp: Sipp) -> RunningSipp {
    sipp.start(SocketAddr::from(([127, 0, 0, 1], 9)))
        .listening()
}

/// A server that calls these hosts. Its number 1000 asks this application.
fn server(hosts: &str, dns: &Dns, app: &VoiceApp) -> Server {
    let trunk = format!("sources = [\"127.0.0.1\"]\nsip_hosts = {hosts}\n");
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let tenants = Tenants::over_trunk(&trunk, numbers);
    Server::start_at(Place::on_loopback().asking(dns.address), &tenants)
}

/// An application whose callers are joined to this URI.
fn app(uri: &str) -> VoiceApp {
    let first = format!("<Response><Dial action=\"/done\"><Sip>{uri}</Sip></Dial></Response>");
    VoiceApp::serve(vec![
        Page::twiml("/voice", &first),
        Page::twiml("/done", "<Response><Hangup/></Response>"),
    ])
}

/// What `action` heard of the one dial.
fn outcome(app: &VoiceApp) -> (String, Option<String>) {
    let mut asked = app.asked();
    asked.retain(|asked| asked.path == "/done");
    assert_eq!(asked.len(), 1);
    let parameters = &mut asked[0].parameters;
    let status = parameters.remove("DialCallStatus").expect("a status");
    (status, parameters.remove("DialCallSid"))
}

#[test]
fn a_host_that_the_operator_names_is_called() {
    let callee = callee(Sipp::new("uas_bye"));
    let dns = Dns::with_sip_servers(NAME, &[callee.address.port()]);
    let app = app("sip:ward@PBX.voice.test?X-Ward=7");
    let server = server("[\"*.voice.test\", \"127.0.0.1\"]", &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);
    let (status, sid) = outcome(&app);
    assert_eq!(status, "completed");
    let sid = sid.expect("the call was made");
    let (_, call) = server.rest().get(&format!("Calls/{sid}.json"));
    assert_eq!(call["to"], "sip:ward@PBX.voice.test?X-Ward=7");
    server.stop();
}

#[test]
fn the_transport_of_the_uri_is_taken() {
    let callee = callee(Sipp::new("uas_bye").over_tcp());
    let dns = Dns::with_sip_servers(NAME, &[]);
    let app = app(&format!("sip:ward@{};transport=tcp", callee.address));
    let server = server("[\"127.0.0.0/8\"]", &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    callee.succeed(LIMIT);
    caller.succeed(LIMIT);
    assert_eq!(outcome(&app).0, "completed");
    server.stop();
}

/// A name of somebody's that leads inside is no way inside, nor is a host that the operator does not name, and REST says so at once.
#[test]
fn what_is_not_named_is_not_called() {
    let dns = Dns::with_sip_servers(NAME, &[9]);
    let app = app(&format!("sip:ward@{NAME}"));
    let server = server(&format!("[\"{NAME}\"]"), &dns, &app);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    caller.succeed(LIMIT);
    let (status, _) = outcome(&app);
    assert_eq!(status, "failed");
    let why = "is at 127.0.0.1, a loopback address: the operator allows it by naming that address";
    assert!(server.log().contains(why), "{}", server.log());

    let rest = server.rest();
    for (to, code) in [
        ("sip:ward@elsewhere.test", 21214),
        ("sip:ward@127.0.0.1", 21214),
        ("sip:ward@pbx.voice.test;edge=dublin", 21211),
        ("sip:ward@pbx.voice.test;secure=true;transport=udp", 21211),
    ] {
        let form = format!("From=1000&To={to}&Twiml=%3CResponse/%3E");
        let (status, refusal) = rest.post("Calls.json", &form);
        assert_eq!(
            (status, refusal["code"].as_u64()),
            (400, Some(code)),
            "{to}"
        );
    }
    assert_eq!(
        rest.calls().len(),
        2,
        "the caller's and the one that failed"
    );
    server.stop();
}

/// Who is called says where the audio goes: to an address that the operator names, or to where the signalling comes from, and not to another one inside.
#[test]
fn audio_is_sent_inside_only_where_the_operator_says() {
    const THEIRS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    let dns = Dns::with_sip_servers(NAME, &[]);
    let plain = "[\"127.0.0.1\"]";
    let behind_nat = "[\"127.0.0.1\"]\nnat = { symmetric_rtp = true }";
    for (hosts, status, heard_at) in [
        (plain, "failed", None),
        (behind_nat, "completed", Some(Ipv4Addr::LOCALHOST)),
        ("[\"127.0.0.0/8\"]", "completed", Some(THEIRS)),
    ] {
        let hold = Duration::from_secs(1);
        let callee = callee(
            Sipp::new("uas_bye")
                .holding(hold)
                .with_media_at("127.0.0.2"),
        );
        let port = callee.media_port;
        let taps = [Ipv4Addr::LOCALHOST, THEIRS].map(|address| {
            let tap = UdpTap::on(address, move |datagram| datagram.port == port);
            (address, tap)
        });
        let app = app("sip:nobody@127.0.0.1");
        let server = server(hosts, &dns, &app);
        let to = format!("sip:ward@{}", callee.address);
        let play = "<Response><Play>prompts/menu.wav</Play></Response>";
        let sid = server.rest().place("1000", &to, play);
        let call = server.rest().ended(&sid, LIMIT);
        assert_eq!(call["status"], status, "{hosts}: {call}");
        for (address, tap) in taps {
            let heard = tap.finish();
            let is_heard = heard.iter().any(|datagram| datagram.rtp().is_some());
            assert_eq!(is_heard, heard_at == Some(address), "{hosts}: {address}");
        }
        if heard_at.is_none() {
            let why = "is refused: a loopback address, which the trunk's `sip_hosts` does not name";
            assert!(server.log().contains(why), "{}", server.log());
        }
        server.stop();
    }
}

/// A way to a server that counts the connections that are made by it.
struct Relay {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
}

impl Relay {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        thread::spawn(move || {
            for theirs in listener.incoming() {
                let theirs = theirs.expect("a connection");
                counter.fetch_add(1, Ordering::SeqCst);
                let ours = TcpStream::connect(server).expect("the server listens");
                for (mut from, mut to) in [
                    (
                        theirs.try_clone().expect("a stream"),
                        ours.try_clone().expect("a stream"),
                    ),
                    (ours, theirs),
                ] {
                    thread::spawn(move || {
                        // One that breaks off is over as well.
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { address, taken }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

/// RFC 5922: a connection is for the name that was proved at its end.
#[test]
fn two_names_at_one_address_have_a_connection_each() {
    let certificates = Certificates::of_all(&["a.voice.test", "b.voice.test"]);
    let document = "<Response><Pause length=\"1\"/><Hangup/></Response>";
    let numbers = vec![("1000", Flow::Twiml(document.to_owned()))];
    let far = Server::start_at(
        Place::on_loopback().with_tls(&certificates),
        &Tenants::over_trunk("sources = [\"127.0.0.1\"]\n", numbers),
    );
    let relay = Relay::to(far.tls.expect("the server speaks TLS"));
    let names = ["a.voice.test", "b.voice.test", "c.voice.test"];
    let dns = Dns::with_hosts("voice.test", &names);
    let near = Server::start_at(
        Place::on_loopback()
            .with_tls(&certificates)
            .asking(dns.address),
        &Tenants::over_trunk(
            "sources = [\"127.0.0.9\"]\nsip_hosts = [\"*.voice.test\", \"127.0.0.1\"]\n",
            vec![("1000", Flow::Component("menu"))],
        ),
    );
    let call = |name: &str| {
        let to = format!("sip:1000@{name}:{};transport=tls", relay.address.port());
        let wait = "<Response><Pause length=\"60\"/></Response>";
        let sid = near.rest().place("1000", &to, wait);
        near.rest().ended(&sid, LIMIT)["status"].clone()
    };
    for (name, status, connections) in [
        ("a.voice.test", "completed", 1),
        ("b.voice.test", "completed", 2),
        ("a.voice.test", "completed", 2),
        ("b.voice.test", "completed", 2),
        // Its certificate is not for this one.
        ("c.voice.test", "failed", 3),
        ("a.voice.test", "completed", 3),
    ] {
        let became = call(name);
        assert_eq!(
            (became.as_str(), relay.taken()),
            (Some(status), connections),
            "{name}"
        );
    }
    near.stop();
    far.stop();
}
