//! SIP over connections: real peers call over TCP and TLS, and others do what nobody should.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::certificates::Certificates;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);

fn menu() -> Tenants {
    Tenants::with_numbers(vec![("1000", Flow::Component("menu"))])
}

/// The caller hears the menu, presses a key, and hears where it leads.
fn heard_menu_and_support(heard: &[i16]) {
    let menu = audio::find(&prompt("menu"), heard);
    let support = audio::find(&prompt("support"), heard);
    assert!(
        menu.is_heard() && support.is_heard() && support.start > menu.start,
        "menu {menu:?}, support {support:?}"
    );
}

#[test]
fn baresip_calls_over_tcp() {
    on_a_steady_machine(|| {
        let server = Server::start(&menu());
        let mut phone = Softphone::call_over_tcp(server.sip, "1000", "PCMU", &[]);
        sleep(Duration::from_secs(6)); // the menu lasts five
        phone.press('2');
        heard_menu_and_support(&phone.finish(LIMIT));
        server.stop();
    });
}

#[test]
fn baresip_calls_over_tls() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let server = Server::start_at(Place::on_loopback().with_tls(&certificates), &menu());
        let tls = server.tls.expect("the server says where it speaks TLS");
        let mut phone = Softphone::call_over_tls(tls, &certificates.authority, "1000", "PCMU", &[]);
        sleep(Duration::from_secs(6)); // the menu lasts five
        phone.press('2');
        heard_menu_and_support(&phone.finish(LIMIT));
        server.stop();
    });
}

#[test]
fn pjsip_calls_over_tcp_and_tls() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let server = Server::start_at(Place::on_loopback().with_tls(&certificates), &menu());
        let tls = server.tls.expect("the server says where it speaks TLS");
        for phone in [
            Pjsip::new(server.sip).over_tcp(),
            Pjsip::new(tls).over_tls(&certificates.authority),
        ] {
            let conversation = phone
                .dialling("1000")
                .doing("6,k2", LIMIT)
                .start()
                .finish(LIMIT);
            heard_menu_and_support(&conversation.heard);
        }
        server.stop();
    });
}

#[test]
fn sipp_calls_over_tcp_whoever_ends_the_call() {
    let server = Server::start(&Tenants::with_numbers(vec![
        ("1000", Flow::Component("menu")),
        (
            "1001",
            Flow::Twiml("<Response><Pause length=\"1\"/></Response>".to_owned()),
        ),
    ]));
    let messages = Sipp::new("uac_bye")
        .over_tcp()
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    // Over TCP nothing is sent twice.
    assert_eq!(messages.count_received("SIP/2.0 200 OK", "INVITE"), 1);
    // Our BYE comes over the caller's connection, whatever port its Contact has.
    let _ = Sipp::new("uac_wait_bye")
        .over_tcp()
        .dialling("1001")
        .start(server.sip)
        .succeed(LIMIT);
    server.stop();
}

/// Closes with a reset, as an attacker or a dying host does.
fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .expect("a socket can be reset");
}

fn answers_over_tcp(server: SocketAddr) {
    let messages = Sipp::new("uac_options")
        .with_status(200)
        .over_tcp()
        .start(server)
        .succeed(LIMIT);
    assert_eq!(messages.count_received("SIP/2.0 200 OK", "OPTIONS"), 1);
}

#[test]
fn ten_thousand_half_messages_leave_nothing_behind() {
    const HALF: &[u8] = b"INVITE sip:1000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;bra";
    let server = Server::start(&menu());
    let before = server.open_files();
    for round in 0..10_000 {
        let mut stream = TcpStream::connect(server.sip).expect("the server takes connections");
        // Where it has no seat left for us, it has closed already.
        let _ = stream.write_all(&HALF[..round % HALF.len()]);
        if round % 2 == 0 {
            reset(stream);
        }
    }
    eventually("all files are closed", LIMIT, || {
        (server.open_files() <= before).then_some(())
    });
    answers_over_tcp(server.sip);
    server.stop();
}

#[test]
fn without_file_descriptors_the_server_waits_for_some() {
    let server = Server::start(&menu());
    let before = server.open_files();
    server.limit_open_files(before + 10);
    let held: Vec<_> = (0..40)
        .map(|_| TcpStream::connect(server.sip).expect("the kernel takes connections"))
        .collect();
    eventually("the server has no more", LIMIT, || {
        server
            .log()
            .contains("no SIP connections can be accepted")
            .then_some(())
    });
    drop(held);
    eventually("they are closed", LIMIT, || {
        (server.open_files() <= before + 1).then_some(())
    });
    answers_over_tcp(server.sip);
    server.stop();
}
