//! A story dials an application of its account: the two stories' calls hear each other, and each is told of the other.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::ports;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const HANG_UP: &str = "<Response><Hangup/></Response>";

/// A server whose `1000` asks at `/voice`, and an application that asks at `/app`; both are at one web server, which begins when the SID of
/// the application is known.
struct Stage {
    server: Server,
    app: VoiceApp,
    sid: String,
}

impl Stage {
    /// `pages`: what the web server has, made of the SID.
    fn set(pages: impl FnOnce(&str) -> Vec<Page>) -> Self {
        Self::with(Tenants::with_numbers(Vec::new()), pages)
    }

    /// The same, with what else these tenants have.
    fn with(tenants: Tenants, pages: impl FnOnce(&str) -> Vec<Page>) -> Self {
        let port = ports::range(1);
        let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
        let numbers = vec![("1000", Flow::VoiceUrl(url("/voice")))];
        let server = Server::start(&Tenants { numbers, ..tenants });
        let form = format!("FriendlyName=ward&VoiceUrl={}", url("/app"));
        let (status, made) = server.rest().post("Applications.json", &form);
        assert_eq!(status, 201, "{made}");
        let sid = made["sid"].as_str().expect("it has a SID").to_owned();
        let app = VoiceApp::serve_at(port, pages(&sid));
        Self { server, app, sid }
    }

    /// What was asked for at `path`.
    fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.app.asked().into_iter();
        asked.filter(|asked| asked.path == path).collect()
    }

    /// The one request for `path`, once it is there.
    fn asked_once(&self, path: &str) -> Asked {
        let asked = eventually(path, LIMIT, || {
            Some(self.asked(path)).filter(|asked| !asked.is_empty())
        });
        assert_eq!(asked.len(), 1, "{path}: {asked:?}");
        asked.into_iter().next().expect("there is one")
    }

    /// The calls of applications, once so many are over.
    fn over(&self, count: usize) -> Vec<Value> {
        eventually("the calls are over", LIMIT, || {
            let calls = self.server.rest().calls().into_iter();
            let inner: Vec<Value> = calls
                .filter(|call| call["parent_call_sid"].is_string() && call["end_time"].is_string())
                .collect();
            (inner.len() == count).then_some(inner)
        })
    }
}

/// A document that dials the application, and then goes on at `/after`.
fn dials(sid: &str, timeout: &str) -> Page {
    let document = format!(
        "<Response><Dial action=\"/after\"{timeout}><Application customerId=\"clinic\"><ApplicationSid>{sid}</ApplicationSid>\
         <Parameter name=\"ward\" value=\"7 &amp; 8\"/></Application></Dial></Response>"
    );
    Page::twiml("/voice", &document)
}

#[test]
fn the_caller_hears_the_application_and_presses_keys_for_it() {
    on_a_steady_machine(|| {
        let stage = Stage::set(|sid| {
            vec![
                dials(sid, ""),
                Page::twiml(
                    "/app",
                    "<Response><Play>support.wav</Play><Redirect>/ask</Redirect></Response>",
                ),
                Page::twiml(
                    "/ask",
                    "<Response><Gather action=\"/keyed\" numDigits=\"1\" timeout=\"30\"/></Response>",
                ),
                Page::twiml("/keyed", "<Response><Play>goodbye.wav</Play></Response>"),
                Page::twiml("/after", "<Response><Play>sales.wav</Play></Response>"),
                Page::prompt("support"),
                Page::prompt("goodbye"),
                Page::prompt("sales"),
            ]
        });
        let mut caller =
            Softphone::call_from(Ipv4Addr::LOCALHOST, stage.server.sip, "1000", "PCMU", &[]);
        let app = stage.asked_once("/app");
        let ask = stage.asked_once("/ask");
        caller.press('5');
        let keyed = stage.asked_once("/keyed");
        let after = stage.asked_once("/after");
        let heard = caller.finish(LIMIT);
        for name in ["support", "goodbye", "sales"] {
            let found = audio::find(&prompt(name), &heard);
            assert!(found.is_heard(), "{name}: {found:?}");
        }
        assert_eq!(keyed.parameters["Digits"], "5");
        let voice = stage.asked_once("/voice");
        let told = |name: &str| app.parameters.get(name).map(String::as_str);
        assert_eq!(told("To"), Some(stage.sid.as_str()));
        assert_eq!(told("From"), Some(voice.parameters["From"].as_str()));
        assert_eq!(told("Direction"), Some("inbound"));
        assert_eq!(
            told("ParentCallSid"),
            Some(voice.parameters["CallSid"].as_str())
        );
        assert_eq!(told("customerId"), Some("clinic"));
        assert_eq!(told("Param_ward"), Some("7 & 8"));
        assert!(!ask.parameters.contains_key("Param_ward"));
        assert_eq!(after.parameters["DialCallStatus"], "completed");
        assert_eq!(after.parameters["DialBridged"], "true");
        assert_eq!(after.parameters["DialCallSid"], app.parameters["CallSid"]);
        assert_eq!(after.parameters["CallSid"], voice.parameters["CallSid"]);
        let inner = stage.over(1);
        assert_eq!(inner[0]["status"], "completed");
        assert_eq!(inner[0]["sid"], *app.parameters["CallSid"]);
        stage.server.stop();
    });
}

/// What an application that does not talk comes to, and what `action` hears of one that is nobody's.
#[test]
fn an_application_may_turn_the_call_away_or_never_answer_or_not_be_there() {
    let rows = [
        ("<Reject reason=\"busy\"/>", "", "busy", Some("busy")),
        ("<Reject/>", "", "no-answer", Some("no-answer")),
        (
            "<Pause length=\"60\"/><Say>late</Say>",
            " timeout=\"5\"",
            "no-answer",
            Some("no-answer"),
        ),
        ("", "", "failed", None),
    ];
    for (document, timeout, expected, status) in rows {
        let stage = Stage::set(|sid| {
            let nobodys = format!("AP{}", "0".repeat(32));
            let dialled = if document.is_empty() { &nobodys } else { sid };
            vec![
                dials(dialled, timeout),
                Page::twiml("/app", &format!("<Response>{document}</Response>")),
                Page::twiml("/after", HANG_UP),
            ]
        });
        let caller = Sipp::new("uac_wait_bye")
            .dialling("1000")
            .start(stage.server.sip);
        caller.succeed(LIMIT);
        let after = stage.asked_once("/after").parameters;
        assert_eq!(after["DialCallStatus"], expected, "{document}");
        assert_eq!(after["DialBridged"], "false", "{document}");
        assert_eq!(
            after.contains_key("DialCallSid"),
            status.is_some(),
            "{document}"
        );
        let inner = stage.over(usize::from(status.is_some()));
        assert_eq!(
            inner.first().and_then(|call| call["status"].as_str()),
            status
        );
        if status.is_none() {
            let log = stage.server.log();
            assert!(
                log.contains("the account has no application `AP000"),
                "{log}"
            );
        }
        stage.server.stop();
    }
}

/// One that dials itself is stopped, and all of its calls end with the caller's.
#[test]
fn applications_that_dial_one_another_are_bounded() {
    let stage = Stage::set(|sid| {
        let again = format!(
            "<Response><Dial action=\"/after\"><Application>{sid}</Application></Dial></Response>"
        );
        vec![
            Page::twiml("/voice", &again),
            Page::twiml("/app", &again),
            Page::twiml("/after", HANG_UP),
        ]
    });
    let caller = Sipp::new("uac_wait_bye")
        .dialling("1000")
        .start(stage.server.sip);
    caller.succeed(LIMIT);
    let inner = stage.over(5);
    assert!(inner.iter().all(|call| call["status"] == "completed"));
    assert_eq!(stage.asked("/app").len(), 5);
    let ends: Vec<String> = stage
        .asked("/after")
        .iter()
        .map(|asked| asked.parameters["DialCallStatus"].clone())
        .collect();
    assert_eq!(
        ends.iter().filter(|end| *end == "failed").count(),
        1,
        "{ends:?}"
    );
    assert_eq!(
        ends.iter().filter(|end| *end == "completed").count(),
        5,
        "{ends:?}"
    );
    let log = stage.server.log();
    assert!(log.contains("5 deep"), "{log}");
    stage.server.stop();
}

/// The caller who hangs up ends the application's call; one that is answered with the caller rings until then.
#[test]
fn the_end_of_the_caller_is_the_end_of_the_application_s_call() {
    let stage = Stage::set(|sid| {
        let document = format!(
            "<Response><Dial answerOnBridge=\"true\"><Application copyParentTo=\"true\" statusCallback=\"/told\" \
             statusCallbackEvent=\"initiated ringing answered completed\">{sid}</Application></Dial></Response>"
        );
        vec![
            Page::twiml("/voice", &document),
            Page::twiml(
                "/app",
                "<Response><Say>Hello</Say><Pause length=\"60\"/></Response>",
            ),
            Page::twiml("/told", ""),
        ]
    });
    let caller = Sipp::new("uac_bye")
        .dialling("1000")
        .holding(Duration::from_secs(2))
        .start(stage.server.sip);
    caller.succeed(LIMIT);
    let inner = stage.over(1);
    assert_eq!(inner[0]["status"], "completed");
    assert_eq!(stage.asked_once("/app").parameters["To"], "1000");
    let told = eventually("all turns are told", LIMIT, || {
        Some(stage.asked("/told")).filter(|told| told.len() == 4)
    });
    let mut turns: Vec<[&str; 2]> = told
        .iter()
        .map(|told| ["SequenceNumber", "CallStatus"].map(|name| told.parameters[name].as_str()))
        .collect();
    turns.sort_unstable();
    assert_eq!(
        turns,
        [
            ["0", "initiated"],
            ["1", "ringing"],
            ["2", "in-progress"],
            ["3", "completed"]
        ]
    );
    stage.server.stop();
}

#[test]
fn whom_an_application_dials_is_shown_the_accounts_number() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_bye").holding(Duration::from_millis(300));
    let callee = callee.start(nobody).listening();
    let calling = Tenants::calling(callee.address);
    let dials_on = "<Response><Dial>+15005550100</Dial></Response>";
    let stage = Stage::with(calling, |sid| {
        vec![
            dials(sid, ""),
            Page::twiml("/app", dials_on),
            Page::twiml("/after", HANG_UP),
        ]
    });
    let caller = Sipp::new("uac_wait_bye").dialling("1000");
    let caller = caller.start(stage.server.sip);
    callee.succeed(LIMIT);
    let after = stage.asked_once("/after");
    assert_eq!(after.parameters["DialCallStatus"], "completed");
    caller.succeed(LIMIT);
    let calls = stage.over(2);
    let mut dialled = calls.iter().filter(|call| call["to"] == "+15005550100");
    let dialled = dialled.next().expect("somebody was dialled");
    assert_eq!(
        (&dialled["from"], &dialled["status"]),
        (&"1000".into(), &"completed".into())
    );
    stage.server.stop();
}
