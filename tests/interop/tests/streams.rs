//! Media streams: a real WebSocket server hears a call, answers it, and goes away in the middle of it.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::helper_library;
use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::rtp_tap::RtpTap;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::stream_app::{StreamApp, audio_of};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
/// G.711 quantizes speech of usual levels 37 dB below itself; decoded and coded again it stays the same.
const LEAST_SNR_DB: f64 = 33.0;

/// The account's token, by a server that is not needed for long.
fn auth_token() -> String {
    let server = Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]));
    server.rest().auth_token
}

/// A server whose number 1000 has this document, and the application that serves it.
fn serving(document: &str) -> (Server, VoiceApp) {
    let app = VoiceApp::serve(vec![
        Page::twiml("/voice", document),
        Page::twiml("/status", ""),
        Page::twiml(
            "/next",
            "<Response><Play>goodbye.wav</Play><Hangup/></Response>",
        ),
        Page::twiml(
            "/says-support",
            "<Response><Play>support.wav</Play><Redirect>/waits</Redirect></Response>",
        ),
        Page::twiml("/waits", "<Response><Gather timeout='3600'/></Response>"),
        Page::prompt("support"),
        Page::prompt("goodbye"),
    ]);
    let flow = Flow::VoiceUrl(app.url("/voice"));
    (
        Server::start(&Tenants::with_numbers(vec![("1000", flow)])),
        app,
    )
}

/// The SNR of the median piece of 100 ms of speech. A jitter buffer may leave out quiet frames of 20 ms, or add some: each piece is where it
/// fits best.
fn piecewise_snr_db(said: &[i16], heard: &[i16], start: usize) -> f64 {
    let mut pieces = Vec::new();
    for (index, piece) in said.chunks_exact(800).enumerate() {
        if piece.iter().map(|sample| sample.unsigned_abs()).max() < Some(1_000) {
            continue;
        }
        let place = start + index * 800;
        let best = (0..=24)
            .filter_map(|shift| heard.get((place + 12 * 160).checked_sub(shift * 160)?..))
            .filter(|heard| heard.len() >= piece.len())
            .map(|heard| audio::snr_db(piece, heard))
            .fold(f64::NEG_INFINITY, f64::max);
        pieces.push(best);
    }
    assert!(pieces.len() > 10, "there is speech in it");
    pieces.sort_by(f64::total_cmp);
    pieces[pieces.len() / 2]
}

fn events(told: &[Value]) -> Vec<&str> {
    told.iter()
        .filter_map(|told| told["event"].as_str())
        .collect()
}

/// What is told of a stream has its numbers in order; media have the shape and the pace of the documentation.
fn check_order(told: &[Value], tracks: &Value) {
    assert_eq!(events(told)[..3], ["handshake", "connected", "start"]);
    assert_eq!(told[0]["signed"], json!(true));
    assert_eq!(
        (&told[1]["protocol"], &told[1]["version"]),
        (&json!("Call"), &json!("1.0.0"))
    );
    let start = &told[2]["start"];
    assert_eq!(&start["tracks"], tracks);
    let format = json!({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1});
    assert_eq!(start["mediaFormat"], format);
    let stream = &told[2]["streamSid"];
    assert!(
        stream
            .as_str()
            .is_some_and(|sid| sid.starts_with("MZ") && sid.len() == 34)
    );
    let numbered = told[2..].iter().filter(|told| told["event"] != "closed");
    for (at, message) in numbered.enumerate() {
        assert_eq!(
            message["sequenceNumber"],
            json!((at + 1).to_string()),
            "{message}"
        );
        assert_eq!(message["streamSid"], *stream, "{message}");
    }
    for track in ["inbound", "outbound"] {
        let media = told.iter().filter(|told| told["media"]["track"] == track);
        for (at, message) in media.enumerate() {
            assert_eq!(message["media"]["chunk"], json!((at + 1).to_string()));
        }
    }
}

#[test]
fn a_server_hears_the_caller_answers_and_marks_come_back() {
    on_a_steady_machine(|| {
        let streams = StreamApp::start(&auth_token());
        let document = format!(
            r#"<Response><Connect action="/next"><Stream url="{}"><Parameter name="who" value="a &amp; b"/></Stream></Connect></Response>"#,
            streams.url("/echo")
        );
        let (server, app) = serving(&document);
        // A second of silence, so that the stream is there.
        let mut says = vec![0; 8_000];
        says.extend(prompt("support"));
        let mut phone = Softphone::call(server.sip, "1000", "PCMU", &says);
        sleep(Duration::from_millis(says.len() as u64 / 8 + 2_000));
        phone.press('#');
        let told = streams.told_to_the_end("/echo", LIMIT);
        let heard = phone.finish(LIMIT);

        check_order(&told, &json!(["inbound"]));
        assert_eq!(
            told[2]["start"]["customParameters"],
            json!({"who": "a & b"})
        );
        let rest: Vec<_> = events(&told[3..])
            .into_iter()
            .filter(|event| *event != "media")
            .collect();
        assert_eq!(rest, ["dtmf", "mark", "mark", "closed"]);
        let key = told.iter().find(|told| told["event"] == "dtmf");
        assert_eq!(
            key.map(|key| &key["dtmf"]),
            Some(&json!({"track": "inbound_track", "digit": "#"}))
        );

        let said = prompt("support");
        let there = audio_of(&told, "inbound");
        let found = audio::find(&said, &there);
        assert!(found.is_heard(), "there: {found:?}");
        let snr_db = piecewise_snr_db(&said, &there, found.start);
        eprintln!("there: {snr_db:.1} dB");
        assert!(snr_db > LEAST_SNR_DB, "there: {snr_db:.1} dB");
        let parts = ["support", "goodbye"].map(|name| audio::find(&prompt(name), &heard));
        assert!(
            parts.iter().all(audio::Found::is_heard),
            "and back: {parts:?}"
        );
        let snr_db = piecewise_snr_db(&said, &heard, parts[0].start);
        eprintln!("and back: {snr_db:.1} dB");
        assert!(snr_db > LEAST_SNR_DB, "and back: {snr_db:.1} dB");
        let paths: Vec<_> = app.asked().into_iter().map(|asked| asked.path).collect();
        assert_eq!(paths[..2], ["/voice", "/next"]);
        server.stop();
    });
}

#[test]
fn a_listener_hears_both_tracks_and_its_callbacks_are_told() {
    on_a_steady_machine(|| {
        let streams = StreamApp::start(&auth_token());
        let document = format!(
            r#"<Response><Start><Stream url="{}" name="ear" track="both_tracks" statusCallback="/status"/></Start>
        <Pause/><Play>support.wav</Play><Stop><Stream name="ear"/></Stop><Play>goodbye.wav</Play><Hangup/></Response>"#,
            streams.url("/listen")
        );
        let (server, app) = serving(&document);
        let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
        let tap = RtpTap::on(caller.media_port);
        caller.succeed(LIMIT);
        let heard = tap.finish();

        let told = streams.told_to_the_end("/listen", LIMIT);
        check_order(&told, &json!(["inbound", "outbound"]));
        assert_eq!(events(&told)[told.len() - 2..], ["stop", "closed"]);
        assert_eq!(told[told.len() - 1]["code"], json!(1000));
        let (support, goodbye) = (prompt("support"), prompt("goodbye"));
        let there = audio_of(&told, "outbound");
        let found = audio::find(&support, &there);
        assert!(found.is_heard(), "{found:?}");
        let snr_db = audio::snr_db(&support, &there[found.start..]);
        eprintln!("the outbound track: {snr_db:.1} dB");
        assert!(snr_db > LEAST_SNR_DB, "{snr_db:.1} dB");
        assert!(audio::find(&goodbye, &there).is_absent(), "it was stopped");
        assert!(audio::find(&goodbye, &heard).is_heard(), "the call went on");

        let callbacks = eventually("both callbacks came", LIMIT, || {
            let asked = app.asked().into_iter();
            let told: Vec<Asked> = asked.filter(|asked| asked.path == "/status").collect();
            (told.len() == 2).then_some(told)
        });
        for (callback, event) in callbacks.iter().zip(["stream-started", "stream-stopped"]) {
            let of = |name: &str| callback.parameters[name].as_str();
            assert_eq!((of("StreamEvent"), of("StreamName")), (event, "ear"));
            assert_eq!(Some(of("StreamSid")), told[2]["streamSid"].as_str());
            assert_eq!(Some(of("CallSid")), told[2]["start"]["callSid"].as_str());
            assert!(callback.headers.contains_key("x-twilio-signature"));
            assert!(of("Timestamp").ends_with('Z'), "{}", of("Timestamp"));
        }
        server.stop();
    });
}

#[test]
fn a_call_goes_on_when_a_server_refuses_or_is_lost() {
    on_a_steady_machine(|| {
        let streams = StreamApp::start(&auth_token());
        for (path, error) in [("/kill", "connection lost"), ("/refuse", "status 403")] {
            let document = format!(
                r#"<Response><Connect><Stream url="{}" statusCallback="/status"/></Connect><Play>goodbye.wav</Play><Hangup/></Response>"#,
                streams.url(path)
            );
            let (server, app) = serving(&document);
            let phone = Softphone::call(server.sip, "1000", "PCMU", &prompt("support"));
            let heard = phone.finish(LIMIT);
            let found = audio::find(&prompt("goodbye"), &heard);
            assert!(found.is_heard(), "{path}: {found:?}");
            let told = eventually("the callback came", LIMIT, || {
                let mut asked = app.asked().into_iter();
                asked.find(|asked| {
                    asked
                        .parameters
                        .get("StreamEvent")
                        .is_some_and(|event| event == "stream-error")
                })
            });
            let why = &told.parameters["StreamError"];
            assert!(why.contains(error), "{path}: {why}");
            server.stop();
        }
    });
}

#[test]
fn an_application_begins_a_stream_of_a_call_that_is_up_and_ends_it() {
    a_stream_over_rest(|user, all| helper_library::run("live_streams.py", user, all));
}

#[test]
fn the_library_for_node_begins_and_ends_streams_too() {
    a_stream_over_rest(|user, all| helper_library::run_in_node("live_streams.mjs", user, all));
}

fn a_stream_over_rest(ask: impl Fn(&Rest, &[&str]) -> Vec<Value>) {
    on_a_steady_machine(|| {
        let streams = StreamApp::start(&auth_token());
        let (server, app) = serving("<Response><Gather timeout='3600'/></Response>");
        let phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let user = server.rest();
        let call = user.newest_call()["sid"]
            .as_str()
            .expect("a SID")
            .to_owned();
        user.wait_for(&call, "in-progress", LIMIT);
        let deed = |arguments: &[&str]| {
            let mut all = vec![call.as_str()];
            all.extend(arguments);
            ask(&user, &all).remove(0)
        };
        let (url, told_at) = (streams.url("/listen"), app.url("/status"));
        let begun = deed(&["--start", &url, "--status-callback", &told_at]);
        assert_eq!(begun["status"], "in-progress", "{begun}");
        assert_eq!(begun["call_sid"], call.as_str());
        eventually("the stream is there", LIMIT, || {
            (events(&streams.told("/listen")).len() > 3).then_some(())
        });
        let next = format!("Url={}", app.url("/says-support"));
        let (status, answer) = user.post(&format!("Calls/{call}.json"), &next);
        assert_eq!(status, 200, "{answer}");
        eventually("it was said", LIMIT, || {
            app.asked()
                .iter()
                .any(|asked| asked.path == "/waits")
                .then_some(())
        });

        let taken = deed(&["--start", &url]);
        assert_eq!(
            (&taken["refused"], &taken["code"]),
            (&json!(400), &json!(20001))
        );
        let stopped = deed(&["--stop", "ear"]);
        assert_eq!(stopped["status"], "stopped", "{stopped}");
        assert_eq!(stopped["sid"], begun["sid"]);
        let told = streams.told_to_the_end("/listen", LIMIT);
        check_order(&told, &json!(["inbound", "outbound"]));
        assert_eq!(told[2]["streamSid"], begun["sid"]);
        let there = audio_of(&told, "outbound");
        let found = audio::find(&prompt("support"), &there);
        assert!(found.is_heard(), "{found:?}");
        assert_eq!(
            told[2]["start"]["customParameters"],
            json!({"customer": "47 11"})
        );
        let sid = begun["sid"].as_str().expect("a SID");
        let gone = deed(&["--stop", sid]);
        assert_eq!(
            (&gone["refused"], &gone["code"]),
            (&json!(404), &json!(20404))
        );
        assert_eq!(user.call(&call)["status"], "in-progress", "it goes on");
        let events: Vec<String> = eventually("both callbacks came", LIMIT, || {
            let asked = app.asked().into_iter();
            let told = asked.filter(|asked| asked.path == "/status");
            let told: Vec<_> = told
                .map(|asked| asked.parameters["StreamEvent"].clone())
                .collect();
            (told.len() == 2).then_some(told)
        });
        assert_eq!(events, ["stream-started", "stream-stopped"]);
        user.end(&call);
        let _ = phone.finish(LIMIT);
        server.stop();
    });
}

/// What the application was told of streams, in order, each once.
fn stream_turns(app: &VoiceApp) -> Vec<(String, String)> {
    let mut told = app.asked();
    told.retain(|asked| asked.parameters.contains_key("StreamEvent"));
    told.dedup_by_key(|asked| asked.headers["i-twilio-idempotency-token"].clone());
    let value = |asked: &Asked, name: &str| asked.parameters.get(name).cloned().unwrap_or_default();
    told.iter()
        .map(|asked| (value(asked, "StreamEvent"), value(asked, "StreamError")))
        .collect()
}

/// A server is killed in the middle of a stream, and the next process tells the end.
#[test]
fn the_end_of_a_stream_outlives_its_server() {
    let streams = StreamApp::start(&auth_token());
    let app = VoiceApp::serve(vec![Page::twiml("/status", "")]);
    let nobody = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_wait_bye").start(nobody).listening();
    let mut server = Server::start(&Tenants::calling(callee.address));
    let document = format!(
        r#"<Response><Start><Stream url="{}" name="ear" statusCallback="{}"/></Start><Pause length="60"/></Response>"#,
        streams.url("/listen"),
        app.url("/status")
    );
    let call = server.rest().place("1000", "+15005550100", &document);
    eventually("the stream began", LIMIT, || {
        (stream_turns(&app).len() == 1).then_some(())
    });
    server.kill_and_start_again();
    let turns = eventually("its end was told", LIMIT, || {
        Some(stream_turns(&app)).filter(|turns| turns.len() == 2)
    });
    let expected = [
        ("stream-started", ""),
        ("stream-error", "the server stopped"),
    ];
    assert_eq!(
        turns,
        expected.map(|(event, why)| (event.into(), why.into()))
    );
    let shown = eventually("its events are there", LIMIT, || {
        let (_, page) = server.rest().get(&format!("Calls/{call}/Events.json"));
        Some(page).filter(|page| page["events"].as_array().is_some_and(|all| all.len() >= 2))
    });
    let newest = &shown["events"][0]["request"]["parameters"];
    assert_eq!(newest["StreamEvent"], "stream-error", "{shown}");
    server.stop();
}
