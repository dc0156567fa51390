//! Inbound calls from `SIPp`: who ends them, and what keys do.

use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::process::eventually;
use jackfield_interop::rtp_tap::RtpTap;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

fn menu() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

/// Waits until the account's one call is over, and returns its status.
fn only_call_ends(server: &Server) -> String {
    let rest = server.rest();
    eventually("the call is over", Duration::from_secs(10), || {
        let calls = rest.calls();
        assert!(calls.len() <= 1, "{calls:?}");
        let status = calls.first()?["status"].as_str()?.to_owned();
        (!["queued", "ringing", "in-progress"].contains(&status.as_str())).then_some(status)
    })
}

fn caller_of_the_only_call(server: &Server) -> String {
    let call = server.rest().newest_call();
    let caller = call["from"].as_str().expect("a call has a caller");
    assert!(caller.len() > 5, "{caller} is a number");
    caller.to_owned()
}

#[test]
fn caller_hangs_up_during_the_prompt() {
    on_a_steady_machine(|| {
        let server = menu();
        let messages = Sipp::new("uac_bye")
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
        assert_eq!(
            messages.received().first(),
            Some(&("SIP/2.0 100 Trying", "INVITE")),
            "{}",
            messages.text()
        );
        assert_eq!(
            messages.count_received("SIP/2.0 180 Ringing", "INVITE"),
            1,
            "{}",
            messages.text()
        );
        assert_eq!(
            messages.count_received("SIP/2.0 200 OK", "INVITE"),
            1,
            "{}",
            messages.text()
        );
        assert_eq!(only_call_ends(&server), "completed");
        server.stop();
    });
}

#[test]
fn a_key_reaches_the_flow_and_the_flow_hangs_up() {
    on_a_steady_machine(|| {
        let server = menu();
        let caller = Sipp::new("uac_digit")
            .pressing('1')
            .holding(Duration::from_secs(2))
            .dialling("1000")
            .start(server.sip);
        let tap = RtpTap::on(caller.media_port);
        let messages = caller.succeed(LIMIT);
        let heard = tap.finish();

        // The key cut the menu short, so only its beginning was heard, and then what belongs to key 1.
        let welcome = audio::find(&prompt("menu")[..12_000], &heard);
        let sales = audio::find(&prompt("sales"), &heard);
        let support = audio::find(&prompt("support"), &heard);
        assert!(
            welcome.is_heard() && sales.is_heard(),
            "welcome {welcome:?}, sales {sales:?}"
        );
        assert!(
            welcome.start < sales.start,
            "welcome {welcome:?}, sales {sales:?}"
        );
        assert!(support.is_absent(), "support {support:?}");
        assert_eq!(
            messages.count_sent("SIP/2.0 200 OK"),
            1,
            "one BYE came: {}",
            messages.text()
        );
        assert_eq!(only_call_ends(&server), "completed");
        // Who called is the tenant's business: the process's log names the call and no number.
        let (log, caller) = (server.log(), caller_of_the_only_call(&server));
        assert!(log.contains("call.sid=CA"), "{log}");
        assert!(!log.contains(&caller), "the log names {caller}: {log}");
    });
}

#[test]
fn each_key_of_the_pad_reaches_a_web_application_as_itself() {
    let app = VoiceApp::serve(vec![Page::twiml(
        "/pressed",
        "<Response><Hangup/></Response>",
    )]);
    let gather = format!(
        r#"<Response><Gather numDigits="1" finishOnKey="" timeout="10" action="{}"/></Response>"#,
        app.url("/pressed")
    );
    let server = Server::start(&Tenants::with_numbers(vec![("1000", Flow::Twiml(gather))]));
    for key in "0123456789*#".chars() {
        Sipp::new("uac_digit")
            .pressing(key)
            .dialling("1000")
            .start(server.sip)
            .succeed(LIMIT);
    }
    let pressed: String = app
        .asked()
        .iter()
        .map(|asked| asked.parameters["Digits"].as_str())
        .collect();
    assert_eq!(pressed, "0123456789*#");
    assert_eq!(app.asked()[0].parameters["From"], "+85512345678");
    assert!(
        app.asked()
            .iter()
            .all(|asked| asked.headers.contains_key("x-twilio-signature"))
    );
}

#[test]
fn caller_gives_up_while_it_rings() {
    // Nothing answers the call before the document is there.
    let slow = Page::twiml("/voice", "<Response><Say>Too late.</Say></Response>")
        .after(Duration::from_secs(5));
    let app = VoiceApp::serve(vec![slow]);
    let server = Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::VoiceUrl(app.url("/voice")),
    )]));
    let messages = Sipp::new("uac_cancel")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    assert_eq!(
        messages.count_received("SIP/2.0 200 OK", "INVITE"),
        0,
        "{}",
        messages.text()
    );
    assert_eq!(only_call_ends(&server), "no-answer");
    server.stop();
}

#[test]
fn late_offer_is_answered_in_the_ack() {
    on_a_steady_machine(|| {
        let server = menu();
        let caller = Sipp::new("uac_late_offer")
            .holding(Duration::from_secs(3))
            .dialling("1000")
            .start(server.sip);
        let tap = RtpTap::on(caller.media_port);
        caller.succeed(LIMIT);
        let menu = audio::find(&prompt("menu")[..12_000], &tap.finish());
        assert!(menu.is_heard(), "{menu:?}");
    });
}
