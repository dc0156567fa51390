//! Phones and gateways that register with us by password, from an address that is no trunk's: they call, and are called.

use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::{Login, Softphone};
use jackfield_interop::certificates::Certificates;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "gateway-1";
const PASSWORD: &str = "a-password-of-tests";
const REALM: &str = "jackfield";

/// A trunk without an address: whoever knows the password is its gateway.
fn gateway() -> Tenants {
    registering(USER)
}

fn registering(user: &str) -> Tenants {
    let trunk = format!(
        "targets = [\"registered\"]\n\
         nat = {{ to_source = true, symmetric_rtp = true }}\n\
         [trunk.login]\nusername = \"{user}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))])
}

fn heard_menu_then_support(heard: &[i16]) {
    let menu = audio::find(&prompt("menu"), heard);
    let support = audio::find(&prompt("support"), heard);
    assert!(
        menu.is_heard() && support.is_heard(),
        "{menu:?} {support:?}"
    );
    assert!(support.start > menu.start, "{menu:?} {support:?}");
}

#[test]
fn pjsip_registers_and_calls_over_udp_and_tcp() {
    on_a_steady_machine(|| {
        let server = Server::start(&gateway());
        for phone in [Pjsip::new(server.sip), Pjsip::new(server.sip).over_tcp()] {
            let conversation = phone
                .registered(REALM, USER, PASSWORD)
                .dialling("1000")
                .doing("6,k2", LIMIT)
                .start()
                .finish(LIMIT);
            heard_menu_then_support(&conversation.heard);
        }
        server.stop();
    });
}

#[test]
fn pjsip_registers_and_calls_over_tls() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let server = Server::start_at(Place::on_loopback().with_tls(&certificates), &gateway());
        let tls = server.tls.expect("the server speaks TLS");
        let conversation = Pjsip::new(tls)
            .over_tls(&certificates.authority)
            .registered(REALM, USER, PASSWORD)
            .dialling("1000")
            .doing("6,k2", LIMIT)
            .start()
            .finish(LIMIT);
        heard_menu_then_support(&conversation.heard);
        server.stop();
    });
}

/// Old software that gives up where anything but MD5 is offered, and takes calls for its own user name only.
#[test]
fn baresip_registers_calls_and_is_called() {
    on_a_steady_machine(|| {
        let certificates = Certificates::of("127.0.0.1");
        let place = Place::on_loopback().with_tls(&certificates);
        let number = "15005550001";
        let place = place.with_sip("digest = [\"MD5\"]");
        let server = Server::start_at(place, &registering(number));
        let rest = server.rest();
        let tls = server.tls.expect("the server speaks TLS");
        for (transport, address) in [("udp", server.sip), ("tcp", server.sip), ("tls", tls)] {
            let login = Login {
                user: number,
                password: PASSWORD,
                ca: (transport == "tls").then_some(&certificates.authority),
                encryption: None,
            };
            let mut phone = Softphone::registered(address, transport, &login);
            phone.dial(&format!("sip:1000@{address};transport={transport}"));
            std::thread::sleep(Duration::from_secs(6)); // the menu lasts five; the flow then waits five more for a key
            phone.press('2');
            heard_menu_then_support(&phone.finish(LIMIT));

            let mut phone = Softphone::registered(address, transport, &login);
            let document =
                "<Response><Pause length=\"1\"/><Play>prompts/support.wav</Play></Response>";
            let sid = rest.place("1000", "+15005550001", document);
            phone.answer();
            let support = audio::find(&prompt("support"), &phone.finish(LIMIT));
            assert!(support.is_heard(), "{transport}: {support:?}");
            assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
        }
        server.stop();
    });
}

/// A call of ours reaches a gateway where it registered, over the connection that it opened.
#[test]
fn gateways_are_called_where_they_registered() {
    on_a_steady_machine(|| {
        let server = Server::start(&gateway());
        let rest = server.rest();
        for phone in [Pjsip::new(server.sip), Pjsip::new(server.sip).over_tcp()] {
            let mut phone = phone
                .registered(REALM, USER, PASSWORD)
                .waiting()
                .doing("", LIMIT)
                .start();
            phone.expect("registered 200", LIMIT);
            let document =
                "<Response><Pause length=\"1\"/><Play>prompts/support.wav</Play></Response>";
            let sid = rest.place("1000", "+15005550001", document);
            let conversation = phone.finish(LIMIT);
            assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
            let support = audio::find(&prompt("support"), &conversation.heard);
            assert!(support.is_heard(), "{support:?}");
            assert!(
                conversation.log.contains("incoming"),
                "{}",
                conversation.log
            );
        }
    });
}

#[test]
fn a_wrong_password_registers_nobody() {
    let server = Server::start(&gateway());
    let mut phone = Pjsip::new(server.sip)
        .registered(REALM, USER, "another-password")
        .waiting()
        .start();
    phone.expect("no registration", LIMIT);
}
