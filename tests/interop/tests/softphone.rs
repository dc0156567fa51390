//! What a softphone hears: baresip calls, and its recording is compared with what was to be played.

use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};
use jackfield_interop::{audio, ports};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn menu_is_heard_and_a_key_leads_on() {
    on_a_steady_machine(|| {
        for codec in ["PCMU", "PCMA"] {
            let server = Server::start(&Tenants::with_numbers(vec![(
                "1000",
                Flow::Component("menu"),
            )]));
            let mut phone = Softphone::call(server.sip, "1000", codec, &[]);
            sleep(Duration::from_secs(6)); // the menu lasts five; the flow then waits five more for a key
            phone.press('2');
            let heard = phone.finish(LIMIT);

            let menu = audio::find(&prompt("menu"), &heard);
            let support = audio::find(&prompt("support"), &heard);
            let sales = audio::find(&prompt("sales"), &heard);
            assert!(menu.is_heard(), "{codec}: menu {menu:?}");
            assert!(
                support.is_heard() && support.start > menu.start,
                "{codec}: menu {menu:?}, support {support:?}"
            );
            assert!(sales.is_absent(), "{codec}: sales {sales:?}");
            server.stop();
        }
    });
}

#[test]
fn echo_returns_what_the_caller_says() {
    on_a_steady_machine(|| {
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Component("echo"),
        )]));
        // The caller speaks once the echo's own prompt is over.
        let mut says = vec![0; prompt("echo").len() + 16_000];
        says.extend(prompt("support"));
        let mut phone = Softphone::call(server.sip, "1000", "PCMU", &says);
        sleep(Duration::from_millis(says.len() as u64 / 8 + 2_000));
        phone.press('#');
        let heard = phone.finish(LIMIT);

        let parts = ["echo", "support", "goodbye"].map(|name| audio::find(&prompt(name), &heard));
        assert!(parts.iter().all(|part| part.is_heard()), "{parts:?}");
        assert!(parts.is_sorted_by_key(|part| part.start), "{parts:?}");
    });
}

#[test]
fn a_web_application_plays_and_asks() {
    on_a_steady_machine(|| {
        let welcome = r#"<Response><Gather numDigits="1" timeout="5" action="/pressed"><Play>welcome.wav</Play></Gather></Response>"#;
        let app = VoiceApp::serve(vec![
            Page::twiml("/voice", welcome),
            Page::twiml(
                "/pressed",
                "<Response><Play>goodbye.wav</Play><Hangup/></Response>",
            ),
            Page::prompt("welcome"),
            Page::prompt("goodbye"),
        ]);
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::VoiceUrl(app.url("/voice")),
        )]));
        let mut phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
        sleep(Duration::from_secs(3));
        phone.press('7');
        let heard = phone.finish(LIMIT);

        let parts = ["welcome", "goodbye"].map(|name| audio::find(&prompt(name), &heard));
        assert!(parts.iter().all(audio::Found::is_heard), "{parts:?}");
        let asked: Vec<_> = app
            .asked()
            .into_iter()
            .filter(|asked| !asked.path.ends_with(".wav"))
            .collect();
        assert_eq!(
            asked
                .iter()
                .map(|asked| asked.path.as_str())
                .collect::<Vec<_>>(),
            ["/voice", "/pressed"]
        );
        assert_eq!(asked[1].parameters["Digits"], "7");
        assert_eq!(
            asked[0].parameters["CallSid"],
            asked[1].parameters["CallSid"]
        );
    });
}

#[test]
fn say_speaks_with_the_voice_that_the_set_up_fetched() {
    on_a_steady_machine(|| {
        // The prompts were spoken by the same Flite with the same voice, so the same words sound the same.
        let document =
            r#"<Response><Say voice="slt">Thank you for calling. Goodbye.</Say></Response>"#;
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Twiml(document.to_owned()),
        )]));
        let heard = Softphone::call(server.sip, "1000", "PCMU", &[]).finish(LIMIT);
        let [said, other] = ["goodbye", "support"].map(|name| audio::find(&prompt(name), &heard));
        assert!(
            said.is_heard() && other.is_absent(),
            "said {said:?}, other {other:?}"
        );
    });
}

#[test]
fn a_dead_voice_url_is_apologised_for_and_logged() {
    on_a_steady_machine(|| {
        let nobody = format!("http://127.0.0.1:{}/voice", ports::free());
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::VoiceUrl(nobody),
        )]));
        let heard = Softphone::call(server.sip, "1000", "PCMU", &[]).finish(LIMIT);
        assert!(
            audio::loud_seconds(&heard) > 1.0,
            "only {} s of sound",
            audio::loud_seconds(&heard)
        );

        let call = server.rest().newest_call();
        let sid = call["sid"].as_str().expect("a call has a SID");
        let log = server.log();
        assert!(
            log.lines()
                .any(|line| line.contains(sid) && line.contains("11205")),
            "no line for {sid} in\n{log}"
        );
    });
}
