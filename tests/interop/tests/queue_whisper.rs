//! Who waits in a queue hears a document before who serves them, and is told of when the API takes them away.

use std::net::Ipv4Addr;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

/// Who waits calls `1000`, who serves `1001`.
fn server(app: &VoiceApp) -> Server {
    Server::start(&Tenants::with_numbers(vec![
        ("1000", Flow::VoiceUrl(app.url("/wait"))),
        ("1001", Flow::VoiceUrl(app.url("/serve"))),
    ]))
}

fn waits() -> Page {
    Page::twiml(
        "/wait",
        "<Response><Enqueue waitUrl=\"\" action=\"/waited\">support</Enqueue></Response>",
    )
}

fn hangs_up(path: &str) -> Page {
    Page::twiml(path, "<Response><Hangup/></Response>")
}

/// The request for `path`, once it is there.
fn asked(app: &VoiceApp, path: &str) -> Asked {
    eventually(path, LIMIT, || {
        app.asked().into_iter().find(|asked| asked.path == path)
    })
}

#[test]
fn who_waited_hears_the_document_alone_and_may_answer_it() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![
            waits(),
            Page::twiml(
                "/serve",
                "<Response><Dial action=\"/served\"><Queue url=\"/first\">support</Queue></Dial></Response>",
            ),
            Page::twiml(
                "/first",
                "<Response><Gather action=\"/keyed\" numDigits=\"1\" timeout=\"30\"/></Response>",
            ),
            Page::twiml("/keyed", "<Response><Play>goodbye.wav</Play></Response>"),
            Page::prompt("goodbye"),
            hangs_up("/waited"),
            hangs_up("/served"),
        ]);
        let server = server(&app);
        let call = |number: &str, says: &[i16]| {
            Softphone::call_from(Ipv4Addr::LOCALHOST, server.sip, number, "PCMU", says)
        };
        let mut waits = call("1000", &[]);
        asked(&app, "/wait");
        eventually("somebody waits", LIMIT, || {
            let (_, list) = server.rest().get("Queues.json");
            (list["queues"][0]["current_size"] == 1).then_some(())
        });
        // It is said over and over, so that some of it falls behind the whisper.
        let says: Vec<i16> = (0..20)
            .flat_map(|_| [prompt("support"), vec![0; 8_000]].concat())
            .collect();
        let mut serves = call("1001", &says);
        let first = asked(&app, "/first");
        assert_eq!(
            first.parameters["DequeingCallSid"],
            asked(&app, "/serve").parameters["CallSid"]
        );
        waits.press('5');
        let keyed = asked(&app, "/keyed");
        // 12 s each way: what is said takes 4.4 s with its pause.
        eventually("the two have talked", LIMIT, || {
            (server.metric("rtp_packets_relayed_total") > 1_200).then_some(())
        });
        serves.hang_up();
        let served = serves.finish(LIMIT);
        let heard = waits.finish(LIMIT);
        let waiting = asked(&app, "/wait").parameters;
        assert_eq!(first.parameters["CallSid"], waiting["CallSid"]);
        assert_eq!(keyed.parameters["CallSid"], waiting["CallSid"]);
        assert_eq!(keyed.parameters["Digits"], "5");
        assert_eq!(
            first.parameters["QueueSid"],
            asked(&app, "/waited").parameters["QueueSid"]
        );
        let waited: u32 = first.parameters["QueueTime"].parse().expect("seconds");
        assert!(waited < 60, "{waited}");
        assert_eq!(asked(&app, "/waited").parameters["QueueResult"], "bridged");
        let found = audio::find(&prompt("goodbye"), &heard);
        assert!(found.is_heard(), "{found:?}");
        // Of that the document has 1.8 s, and what is said in 12 s is loud for 4 s and more.
        let loud = audio::loud_seconds(&heard);
        assert!(loud > 3.5, "{loud} s, with what who serves has said");
        let found = audio::find(&prompt("goodbye"), &served);
        assert!(found.is_absent(), "{found:?}");
        server.stop();
    });
}

/// What is said over and over ends with the one who was to serve: what comes afterwards is heard.
#[test]
fn a_document_without_an_end_is_over_when_nobody_serves() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![
            waits(),
            Page::twiml(
                "/serve",
                "<Response><Dial><Queue url=\"/first\">support</Queue></Dial></Response>",
            ),
            Page::twiml(
                "/first",
                "<Response><Play loop=\"0\">goodbye.wav</Play></Response>",
            ),
            Page::prompt("goodbye"),
            Page::twiml("/waited", "<Response><Play>sales.wav</Play></Response>"),
            Page::prompt("sales"),
        ]);
        let server = server(&app);
        let call = |number: &str| {
            Softphone::call_from(Ipv4Addr::LOCALHOST, server.sip, number, "PCMU", &[])
        };
        let waits = call("1000");
        eventually("somebody waits", LIMIT, || {
            let (_, list) = server.rest().get("Queues.json");
            (list["queues"][0]["current_size"] == 1).then_some(())
        });
        let mut serves = call("1001");
        asked(&app, "/goodbye.wav");
        serves.hang_up();
        asked(&app, "/waited");
        let heard = waits.finish(LIMIT);
        let found = audio::find(&prompt("sales"), &heard);
        assert!(found.is_heard(), "{found:?}");
        server.stop();
    });
}

/// One that cannot be had keeps nobody apart.
#[test]
fn a_document_that_cannot_be_had_joins_the_two() {
    let app = VoiceApp::serve(vec![
        waits(),
        Page::twiml(
            "/serve",
            "<Response><Dial timeLimit=\"2\" action=\"/served\"><Queue url=\"/gone\">support</Queue></Dial></Response>",
        ),
        hangs_up("/waited"),
        hangs_up("/served"),
    ]);
    let server = server(&app);
    let waiting = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    asked(&app, "/wait");
    let serving = Sipp::new("uac_wait_bye").dialling("1001").start(server.sip);
    serving.succeed(LIMIT);
    waiting.succeed(LIMIT);
    assert_eq!(
        asked(&app, "/served").parameters["DialCallStatus"],
        "completed"
    );
    assert_eq!(asked(&app, "/waited").parameters["QueueResult"], "bridged");
    assert_eq!(asked(&app, "/gone").parameters["QueueTime"].len(), 1);
    let log = server.log();
    assert!(log.contains("11200") && log.contains("/gone"), "{log}");
    server.stop();
}

/// Other documents go on with the call at once, however long the server that is told takes to answer.
#[test]
fn who_is_taken_away_from_a_queue_is_told_of() {
    for (is_served, expected) in [(false, "redirected"), (true, "redirected-from-bridged")] {
        let app = VoiceApp::serve(vec![
            waits(),
            Page::twiml(
                "/serve",
                "<Response><Dial action=\"/served\"><Queue>support</Queue></Dial></Response>",
            ),
            hangs_up("/waited").after(Duration::from_secs(30)),
            hangs_up("/served"),
            hangs_up("/next"),
        ]);
        let server = server(&app);
        let waiting = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
        let sid = asked(&app, "/wait").parameters["CallSid"].clone();
        let size = |size: u32| {
            eventually("the queue has that size", LIMIT, || {
                let (_, list) = server.rest().get("Queues.json");
                (list["queues"][0]["current_size"] == size).then_some(())
            });
        };
        size(1);
        let serving = is_served.then(|| {
            let serving = Sipp::new("uac_wait_bye").dialling("1001").start(server.sip);
            size(0);
            serving
        });
        let form = format!("Url={}", app.url("/next"));
        let (status, call) = server.rest().post(&format!("Calls/{sid}.json"), &form);
        assert_eq!(status, 200, "{call}");
        waiting.succeed(Duration::from_secs(20));
        if let Some(serving) = serving {
            serving.succeed(LIMIT);
        }
        let told = asked(&app, "/waited").parameters;
        assert_eq!(told["QueueResult"], expected);
        assert_eq!(told["CallSid"], sid);
        assert_eq!(told["CallStatus"], "in-progress");
        assert!(told["QueueSid"].starts_with("QU"), "{told:?}");
        assert_eq!(
            app.asked()
                .iter()
                .filter(|asked| asked.path == "/waited")
                .count(),
            1
        );
        server.stop();
    }
}
