//! Encrypted audio (SRTP) with keys over TLS: phones that insist on it, others that do without, and somebody who sends junk.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::{Login, Softphone};
use jackfield_interop::certificates::Certificates;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::ports;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";
const USER: &str = "15005550001";
const PASSWORD: &str = "a-password-of-tests";
const SUPPORT: &str = "<Response><Pause length=\"1\"/><Play>prompts/support.wav</Play></Response>";

/// A trunk on loopback that treats encryption so.
fn tenants(encryption: &str, flow: &'static str) -> Tenants {
    let trunk = format!("sources = [\"127.0.0.1\"]\nencryption = \"{encryption}\"\n");
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Component(flow))])
}

/// A trunk whose gateway registers, and which insists on encryption.
fn gateway() -> Tenants {
    let trunk = format!(
        "targets = [\"registered\"]\nencryption = \"required\"\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))])
}

/// What a caller says to the echo: nothing during its prompt, then the prompt "support".
fn speech() -> Vec<i16> {
    let mut says = vec![0; prompt("echo").len() + 16_000];
    says.extend(prompt("support"));
    says
}

/// Calls the echo, speaks, presses the hash key: the caller's own words come back between the echo's prompt and the goodbye.
fn talks_both_ways(phone: Pjsip) {
    let says = speech();
    let spoken = says.len() as f32 / 8_000.0 + 2.0;
    let conversation = phone
        .dialling("1000")
        .speaking(&says)
        .doing(&format!("{spoken},k#"), LIMIT)
        .start()
        .finish(LIMIT);
    let parts =
        ["echo", "support", "goodbye"].map(|name| audio::find(&prompt(name), &conversation.heard));
    assert!(parts.iter().all(audio::Found::is_heard), "{parts:?}");
    assert!(parts.is_sorted_by_key(|part| part.start), "{parts:?}");
}

/// The keys of the call stay out of the log, though it is kept at length.
fn stops_without_having_logged_keys(server: Server) {
    let log = server.log();
    assert!(log.contains("call.sid="), "{log}");
    assert!(!log.contains("inline:"), "{log}");
    server.stop();
}

#[test]
fn pjsip_talks_both_ways_in_each_suite_it_has() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let place = Place::on_loopback().with_tls(&certificates);
        let server = Server::start_at(place, &tenants("required", "echo"));
        let tls = server.tls.expect("the server speaks TLS");
        for suite in [SUITE, "AES_CM_128_HMAC_SHA1_32"] {
            talks_both_ways(
                Pjsip::new(tls)
                    .over_tls(&certificates.authority)
                    .encrypting(suite),
            );
        }
        stops_without_having_logged_keys(server);
    });
}

/// Hold and resume are new descriptions, with keys in them.
#[test]
fn audio_returns_after_a_hold() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let place = Place::on_loopback().with_tls(&certificates);
        let server = Server::start_at(place, &tenants("required", "echo"));
        let tls = server.tls.expect("the server speaks TLS");
        let mut says = speech();
        let seconds = |samples: usize| samples as f32 / 8_000.0;
        let first = seconds(says.len()) + 2.0;
        says.resize(says.len() + 8 * 8_000, 0);
        says.extend(prompt("sales"));
        let rest = seconds(prompt("sales").len()) + 8.0;
        let conversation = Pjsip::new(tls)
            .over_tls(&certificates.authority)
            .encrypting(SUITE)
            .dialling("1000")
            .speaking(&says)
            .doing(&format!("{first},hold,2,resume,{rest},k#"), LIMIT)
            .start()
            .finish(LIMIT);
        let parts = ["support", "sales", "goodbye"]
            .map(|name| audio::find(&prompt(name), &conversation.heard));
        assert!(parts.iter().all(audio::Found::is_heard), "{parts:?}");
        assert!(parts.is_sorted_by_key(|part| part.start), "{parts:?}");
        server.stop();
    });
}

#[test]
fn baresip_hears_the_menu_and_its_key_leads_on() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        for (trunk, phone) in [("required", "srtp-mand"), ("optional", "srtp")] {
            let place = Place::on_loopback().with_tls(&certificates);
            let server = Server::start_at(place, &tenants(trunk, "menu"));
            let tls = server.tls.expect("the server speaks TLS");
            let ca = &certificates.authority;
            let mut phone = Softphone::call_encrypted(tls, ca, "1000", "PCMU", phone);
            sleep(Duration::from_secs(6)); // the menu lasts five
            phone.press('2');
            let heard = phone.finish(LIMIT);
            let [menu, support] =
                ["menu", "support"].map(|name| audio::find(&prompt(name), &heard));
            assert!(
                menu.is_heard() && support.is_heard() && support.start > menu.start,
                "{trunk}: menu {menu:?}, support {support:?}"
            );
            server.stop();
        }
    });
}

#[test]
fn our_calls_are_encrypted_where_the_trunk_insists() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let place = Place::on_loopback().with_tls(&certificates);
        let server = Server::start_at(place.with_sip("digest = [\"MD5\"]"), &gateway());
        let tls = server.tls.expect("the server speaks TLS");
        let rest = server.rest();

        let mut phone = Pjsip::new(tls)
            .over_tls(&certificates.authority)
            .encrypting(SUITE)
            .registered("jackfield", USER, PASSWORD)
            .waiting()
            .doing("", LIMIT)
            .start();
        phone.expect("registered 200", LIMIT);
        let sid = rest.place("1000", "+15005550001", SUPPORT);
        let support = audio::find(&prompt("support"), &phone.finish(LIMIT).heard);
        assert!(support.is_heard(), "PJSIP: {support:?}");
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");

        // It takes the first suite we offer, which PJSIP does not have.
        let login = Login {
            user: USER,
            password: PASSWORD,
            ca: Some(&certificates.authority),
            encryption: Some("srtp-mand"),
        };
        let mut phone = Softphone::registered(tls, "tls", &login);
        let sid = rest.place("1000", "+15005550001", SUPPORT);
        phone.answer();
        phone.expect("SRTP is Enabled (cryptosuite=AEAD_AES_256_GCM)", LIMIT);
        let support = audio::find(&prompt("support"), &phone.finish(LIMIT));
        assert!(support.is_heard(), "baresip: {support:?}");
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
        stops_without_having_logged_keys(server);
    });
}

#[test]
fn callers_who_do_without_are_refused_where_the_trunk_insists() {
    let certificates = Certificates::of("127.0.0.1");
    let place = Place::on_loopback().with_tls(&certificates);
    let server = Server::start_at(place, &tenants("required", "menu"));
    let tls = server.tls.expect("the server speaks TLS");
    let mut phone = Pjsip::new(tls)
        .over_tls(&certificates.authority)
        .dialling("1000")
        .start();
    phone.expect("ended 488", LIMIT);
    // Over signalling that anybody can read, whatever is offered.
    let messages = Sipp::new("uac_refused")
        .with_status(488)
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    let text = messages.text();
    assert!(
        text.contains("Warning: 399 ") && text.contains("signal over TLS"),
        "{text}"
    );
    assert_eq!(server.metric("rtp_packets_sent_total"), 0);
    server.stop();
}

#[test]
fn our_calls_go_encrypted_or_not_at_all() {
    let certificates = Certificates::of("127.0.0.1");
    let place = Place::on_loopback().with_tls(&certificates);
    let server = Server::start_at(place, &gateway());
    let tls = server.tls.expect("the server speaks TLS");
    let rest = server.rest();
    let phones = [
        (Pjsip::new(tls).over_tls(&certificates.authority), true),
        (Pjsip::new(server.sip), false),
    ];
    for (phone, is_asked) in phones {
        let mut phone = phone
            .registered("jackfield", USER, PASSWORD)
            .waiting()
            .start();
        phone.expect("registered 200", LIMIT);
        let sid = rest.place("1000", "+15005550001", SUPPORT);
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "failed");
        let reason = "none of its targets is reached over TLS";
        assert_eq!(server.log().contains(reason), !is_asked);
    }
    assert_eq!(server.metric("rtp_packets_sent_total"), 0);
    server.stop();
}

/// Even where the media address is learned, so that everything from the peer's host is looked at.
#[test]
fn junk_is_dropped_and_counted_and_the_call_goes_on() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let first = ports::range(8);
        let place = Place::on_loopback()
            .with_rtp_ports((first, first + 7))
            .with_tls(&certificates);
        let trunk = "sources = [\"127.0.0.1\"]\nencryption = \"required\"\nnat = { symmetric_rtp = true }\n";
        let tenants = Tenants::over_trunk(trunk, vec![("1000", Flow::Component("echo"))]);
        let server = Server::start_at(place, &tenants);
        let tls = server.tls.expect("the server speaks TLS");
        let junk = Junk::to(first..first + 8);
        talks_both_ways(
            Pjsip::new(tls)
                .over_tls(&certificates.authority)
                .encrypting(SUITE),
        );
        let sent = junk.finish();
        assert!(sent > 200, "{sent}");
        let refused = server.metric("rtp_packets_refused_total");
        assert!(refused > 200, "{refused} of {sent} refused");
        server.stop();
    });
}

/// Somebody on the peer's host who sends to all ports of the server.
struct Junk {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<u64>,
}

impl Junk {
    fn to(ports: std::ops::Range<u16>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port for junk");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut sent = 0;
            for sequence in 0_u16.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                for port in ports.clone() {
                    for packet in packets(sequence) {
                        // A closed port answers with an error that the next packet is told.
                        sent +=
                            u64::from(socket.send_to(&packet, (Ipv4Addr::LOCALHOST, port)).is_ok());
                    }
                }
                sleep(Duration::from_millis(20));
            }
            sent
        });
        Self { stop, thread }
    }

    /// Ends it, and tells how many packets it sent.
    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the thread does not panic")
    }
}

/// Plain audio, audio with a tag of a wrong key, a report, a greeting of DTLS, and nothing at all.
fn packets(sequence: u16) -> [Vec<u8>; 5] {
    let mut audio = vec![0x2a; 12 + 160];
    audio[..2].copy_from_slice(&[0x80, 0]);
    audio[2..4].copy_from_slice(&sequence.to_be_bytes());
    let sealed = [audio.as_slice(), &[0x5a; 10]].concat();
    let report = [&[0x80, 200, 0, 6][..], &[0x2a; 38]].concat();
    let greeting = [&[22, 0xfe, 0xfd][..], &[0; 60]].concat();
    [audio, sealed, report, greeting, Vec::new()]
}
