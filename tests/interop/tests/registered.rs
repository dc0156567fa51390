//! Phones and gateways that register with us by password, from an address that is no trunk's: they call, and are called.

use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::{Login, Softphone};
use jackfield_interop::broadcasts::number;
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::certificates::Certificates;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

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

/// Of an account that may ring it, by the API and by another's call.
#[test]
fn a_device_is_called_by_its_name() {
    on_a_steady_machine(|| {
        let dial = format!(
            "<Response><Dial><Client><Identity>{USER}</Identity><Parameter name=\"ward\" value=\"7 b\"/></Client></Dial></Response>"
        );
        let mut tenants = gateway();
        tenants.numbers = vec![("1000", Flow::Twiml(dial))];
        let trunk = tenants.trunk.unwrap_or_default();
        tenants.trunk = Some(format!(
            "{trunk}\n[[trunk]]\nid = \"callers\"\ncarrier = \"interop\"\nsources = [\"127.0.0.1\"]\nmax_channels = 5\ncalls_per_second = 5.0\n"
        ));
        let server = Server::start(&tenants);
        let rest = server.rest();
        let ready = || {
            let mut phone = Pjsip::new(server.sip)
                .over_tcp()
                .registered(REALM, USER, PASSWORD)
                .speaking(&prompt("goodbye"))
                .waiting()
                .doing("4", Duration::from_secs(1))
                .start();
            phone.expect("registered 200", LIMIT);
            phone
        };
        let phone = ready();
        let document = "<Response><Pause length=\"1\"/><Play>prompts/support.wav</Play></Response>";
        let to = format!("client:{USER}?X-Ward=8");
        let sid = rest.place("1000", &to, document);
        let log = phone.finish(LIMIT).log;
        assert_eq!(rest.ended(&sid, LIMIT)["status"], "completed");
        assert!(log.contains("field X-Ward: 8\n"), "{log}");

        let phone = ready();
        let caller = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let log = phone.finish(LIMIT).log;
        assert!(log.contains("field X-ward: 7 b\n"), "{log}");
        let goodbye = audio::find(&prompt("goodbye"), &caller.finish(LIMIT));
        assert!(goodbye.is_heard(), "{goodbye:?}");

        let (status, refused) = rest.post(
            "Calls.json",
            "From=1000&To=client:gateway-2&Twiml=%3CResponse/%3E",
        );
        assert_eq!((status, refused["code"].as_u64()), (400, Some(21215)));
        server.stop();
    });
}

/// The application hears of a call for a device, also of one that sleeps, and of no other call.
#[test]
fn the_application_is_asked_to_wake_a_device() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![Page::twiml("/wake", "")]);
        let server = Server::start(&gateway());
        let rest = server.rest();
        let place = |to: &str| {
            let wake = app.url("/wake");
            let form =
                format!("From=1000&To={to}&Twiml=%3CResponse/%3E&ClientNotificationUrl={wake}");
            let (status, call) = rest.post("Calls.json", &form);
            assert_eq!(status, 201, "{call}");
            call["sid"].as_str().expect("a SID").to_owned()
        };
        let device = format!("client:{USER}");
        let sleeping = place(&device);
        assert_eq!(rest.ended(&sleeping, LIMIT)["status"], "failed");
        let number = place("%2B15005550001");
        assert_eq!(rest.ended(&number, LIMIT)["status"], "failed");

        let mut phone = Pjsip::new(server.sip)
            .over_tcp()
            .registered(REALM, USER, PASSWORD)
            .waiting()
            .doing("", LIMIT)
            .start();
        phone.expect("registered 200", LIMIT);
        let awake = place(&device);
        assert_eq!(rest.ended(&awake, LIMIT)["status"], "completed");
        drop(phone.finish(LIMIT));
        eventually("the application was asked twice", LIMIT, || {
            (app.asked().len() >= 2).then_some(())
        });
        server.stop();

        let asked = app.asked();
        let of: Vec<_> = asked
            .iter()
            .map(|asked| asked.parameters["CallSid"].as_str())
            .collect();
        assert_eq!(of, [&sleeping, &awake]);
        for asked in &asked {
            assert_eq!(asked.method, "POST");
            assert_eq!(asked.parameters["CallStatus"], "initiated");
            assert_eq!(asked.parameters["To"], device);
            assert!(asked.headers.contains_key("x-twilio-signature"));
        }
        let token = |nth: usize| &asked[nth].headers["i-twilio-idempotency-token"];
        assert_ne!(token(0), token(1));
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

/// Eight SIM cards: whatever waits, it never has nine calls, and all are made.
#[test]
fn a_gateway_of_eight_channels_never_has_a_ninth_call() {
    const CHANNELS: u64 = 8;
    const CALLS: u64 = 30;
    let trunk = format!(
        "targets = [\"registered\"]\nmax_channels = {CHANNELS}\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n"
    );
    let place = Place::on_loopback().with_sip("digest = [\"MD5\"]"); // SIPp knows no other
    let tenants = Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))]);
    let server = Server::start_at(place, &tenants);
    let registers = Sipp::new("uac_registers")
        .registering(USER, PASSWORD)
        .start(server.sip);
    let address = registers.address;
    drop(registers.succeed(LIMIT));
    let callees = Callees::at(address, |_, _| Manner::Answers);

    let rest = server.rest();
    let document = "<Response><Pause length=\"1\"/></Response>";
    let calls: Vec<_> = (0..CALLS as usize)
        .map(|of| rest.place("1000", &number(of), document))
        .collect();
    let in_use = "trunk_channels_in_use{trunk=\"peer\",prefix=\"\"}";
    let mut most = 0;
    eventually("all calls are over", LIMIT, || {
        most = most.max(server.metric(in_use));
        let waiting = server.metric("queue_calls{priority=\"normal\",state=\"due\"}");
        (waiting == 0 && server.metric("calls") == 0).then_some(())
    });
    for sid in &calls {
        assert_eq!(rest.ended(sid, LIMIT)["status"], "completed");
    }
    let arrivals = callees.arrivals();
    let taken = arrivals.iter().map(|arrival| arrival.lines_taken as u64);
    assert_eq!(
        (arrivals.len() as u64, taken.max()),
        (CALLS, Some(CHANNELS))
    );
    assert_eq!(most, CHANNELS, "what it tells is what it does");
    assert_eq!(
        server.metric("trunk_channels_max{trunk=\"peer\",prefix=\"\"}"),
        CHANNELS
    );
    assert_eq!(server.metric("outbound_attempts_total"), CALLS);
    assert_eq!(server.metric("outbound_congested_total"), 0);
    server.stop();
}
