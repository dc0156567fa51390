use std::time::Duration;

use call::HttpMethod;
use harness::{Script, run, xml};

use crate::TWIML;

const VOICE: &str = "http://app.example/voice";

fn calling() -> Script {
    Script::new().setting("voice-url", VOICE)
}

#[test]
fn a_webhook_is_asked_and_obeyed() {
    let script = calling()
        .respond(
            VOICE,
            Ok(xml(
                "<Response><Say>Hello</Say><Play>http://app.example/a.mp3</Play></Response>",
            )),
        )
        .expect_answer()
        .expect_say("Hello")
        .expect_play("a.mp3")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    let [request] = run.requests.as_slice() else {
        panic!("{}", run.transcript)
    };
    assert_eq!(
        (request.method, request.url.as_str(), request.sign),
        (HttpMethod::Post, VOICE, true)
    );
    let body = String::from_utf8(request.body.clone()).unwrap();
    for parameter in [
        "CallSid=CA1111",
        "AccountSid=AC2222",
        "From=%2B15550100",
        "To=%2B15550199",
        "CallStatus=ringing",
        "Direction=inbound",
    ] {
        assert!(body.contains(parameter), "{parameter}: {body}");
    }
}

#[test]
fn gathered_digits_go_to_the_action() {
    let script = calling()
        .respond(
            VOICE,
            Ok(xml(r#"<Response><Gather numDigits="2" action="/menu"><Say>Two digits, please.</Say></Gather></Response>"#)),
        )
        .respond("http://app.example/menu", Ok(xml("<Response><Say>Thanks</Say></Response>")))
        .expect_answer()
        .expect_say("Two digits")
        .wait(Duration::from_millis(500))
        .press("42")
        .expect_say("Thanks")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    let body = String::from_utf8(run.requests[1].body.clone()).unwrap();
    assert!(body.contains("Digits=42"), "{body}");
}

#[test]
fn a_dead_server_is_apologised_for() {
    let run = run(&TWIML, calling().expect_answer()).unwrap();
    assert_eq!(run.requests.len(), 1, "{}", run.transcript);
    assert!(
        run.log.iter().any(|line| line.message.starts_with("11205")),
        "{}",
        run.transcript
    );
}

#[test]
fn a_call_of_ours_is_up_when_its_document_begins() {
    let script = Script::outbound()
        .setting(
            "twiml",
            r#"<Response><Pause length="30"/><Say loop="2">Alarm</Say></Response>"#,
        )
        .expect_say("Alarm")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    assert!(run.duration > Duration::from_secs(30), "{}", run.transcript);
}

#[test]
fn a_stream_that_cannot_begin_has_the_code_of_what_is_wrong_with_it() {
    let long = "n".repeat(65);
    for (url, name, code) in [
        ("https://ear.example/", "ear", "31922 Stream: "),
        ("ear.example", "ear", "31922 Stream: "),
        ("wss://ear.example/", &*long, "31923 Stream: "),
    ] {
        let stream = format!("<Stream url=\"{url}\" name=\"{name}\"/>");
        let twiml = format!("<Response><Start>{stream}</Start></Response>");
        let script = Script::new().setting("twiml", &twiml).expect_answer();
        let script = script.expect_stream(url).expect_hang_up();
        let run = run(&TWIML, script).unwrap();
        let codes = run.log.iter().filter(|line| line.message.starts_with(code));
        assert_eq!(codes.count(), 1, "{stream}: {:?}", run.log);
    }
}

#[test]
fn a_connected_stream_hears_keys_and_its_end_leads_on() {
    let twiml = r#"<Response>
        <Start><Stream url="wss://ear.example/" track="both_tracks"/></Start>
        <Connect action="/next"><Stream url="wss://agent.example/">
            <Parameter name="who" value="7"/></Stream></Connect></Response>"#;
    let script = calling()
        .respond(VOICE, Ok(xml(twiml)))
        .respond(
            "http://app.example/next",
            Ok(xml("<Response><Say>Bye</Say></Response>")),
        )
        .stream_closes("wss://agent.example/", Duration::from_secs(60))
        .expect_answer()
        .expect_stream("wss://ear.example/")
        .expect_stream("wss://agent.example/")
        .wait(Duration::from_secs(5))
        .press("42")
        .expect_say("Bye")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    let [ear, agent] = run.streams.as_slice() else {
        panic!("{}", run.transcript)
    };
    assert!(ear.started && agent.started);
    assert_eq!((ear.keys.as_str(), agent.keys.as_str()), ("", "42"));
    assert_eq!(
        agent.request.parameters,
        [("who".to_owned(), "7".to_owned())]
    );
    // 100 ms for the document, then a minute; the other one ends with the call.
    assert_eq!(agent.ended_at, Some(Duration::from_millis(60_100)));
    assert_eq!(ear.ended_at, Some(run.duration));
}

/// A `<Record>` in virtual time, and what its action was told, as `name=value&…`.
fn recorded(script: impl FnOnce(Script) -> Script) -> String {
    let document = r##"<Response><Record action="/done" finishOnKey="#" maxLength="60"/><Say>Nothing</Say></Response>"##;
    let script = script(
        calling()
            .respond(VOICE, Ok(xml(document)))
            .respond("http://app.example/done", Ok(xml("<Response/>")))
            .expect_answer()
            .expect_record(),
    );
    let run = run(&TWIML, script).unwrap();
    let asked = run.requests.get(1).expect("the action was asked");
    String::from_utf8(asked.body.clone()).unwrap()
}

#[test]
fn a_message_is_told_to_its_action_however_it_ends() {
    let speak = |script: Script| {
        script
            .wait(Duration::from_secs(1))
            .speak(Duration::from_secs(4))
    };
    let silent = recorded(|script| speak(script).expect_hang_up());
    let keyed = recorded(|script| speak(script).press("#").expect_hang_up());
    let left = recorded(|script| speak(script).hang_up());
    let long = recorded(|script| script.speak(Duration::from_secs(60)).expect_hang_up());
    for (body, expected) in [
        (silent, ["Digits=&", "RecordingDuration=4"]),
        (keyed, ["Digits=%23", "RecordingDuration=4"]),
        (left, ["Digits=hangup", "RecordingDuration=4"]),
        (long, ["Digits=&", "RecordingDuration=60"]),
    ] {
        let body = body + "&";
        for parameter in expected
            .into_iter()
            .chain(["RecordingUrl=http", "RecordingSid=RE"])
        {
            assert!(body.contains(parameter), "{parameter}: {body}");
        }
    }
}

#[test]
fn where_nobody_speaks_the_document_goes_on() {
    let document = "<Response><Record timeout='3'/><Say>Nothing</Say></Response>";
    let script = calling()
        .respond(VOICE, Ok(xml(document)))
        .expect_answer()
        .expect_record()
        .expect_say("Nothing")
        .expect_hang_up();
    let run = run(&TWIML, script).unwrap();
    assert_eq!(run.requests.len(), 1, "{}", run.transcript);
}

#[test]
fn a_caller_is_sent_on_and_the_action_hears_of_it() {
    let document =
        "<Response><Refer action='/after'><Sip>sip:desk@pbx.example</Sip></Refer></Response>";
    for (referee, expected) in [
        (
            harness::Referee::reports(Duration::from_secs(4), 200),
            "ReferCallStatus=in-progress&ReferSipResponseCode=202&NotifySipResponseCode=200",
        ),
        (
            harness::Referee::refuses(603),
            "ReferCallStatus=failed&ReferSipResponseCode=603",
        ),
        (harness::Referee::silent(), "ReferSipResponseCode=202"),
    ] {
        let script = calling()
            .respond(VOICE, Ok(xml(document)))
            .respond("http://app.example/after", Ok(xml("<Response/>")))
            .referee(referee)
            .expect_answer()
            .expect_refer("sip:desk@pbx.example")
            .expect_hang_up();
        let run = run(&TWIML, script).unwrap();
        let body = String::from_utf8_lossy(&run.requests[1].body);
        assert!(body.ends_with(expected), "{body}\n{}", run.transcript);
    }
}

#[test]
fn a_whisper_puts_through_where_its_document_ends() {
    let screening = "<Response><Gather numDigits='1' action='/key'><Say>Press 1</Say></Gather><Hangup/></Response>";
    let whisper = || {
        Script::whisper()
            .setting("voice-url", VOICE)
            .respond(VOICE, Ok(xml(screening)))
            .expect_say("Press 1")
    };
    let takes = whisper()
        .respond("http://app.example/key", Ok(xml("<Response/>")))
        .wait(Duration::from_millis(500))
        .press("1")
        .expect_put_through();
    let taken = run(&TWIML, takes).unwrap();
    let last = taken.transcript.lines().last();
    assert!(
        last.is_some_and(|line| line.ends_with("joined to the caller")),
        "{}",
        taken.transcript
    );
    let declines = whisper().expect_hang_up();
    let declined = run(&TWIML, declines).unwrap();
    assert!(
        !declined.transcript.contains("joined"),
        "{}",
        declined.transcript
    );
    let wrong = run(&TWIML, whisper().expect_put_through()).unwrap_err();
    assert!(wrong.why.contains("`put through`"), "{}", wrong.why);
}

#[test]
fn who_is_dialled_hears_a_document_first() {
    let document = "<Response><Dial action='/done'><Number url='/w'>+1</Number></Dial></Response>";
    let callee =
        harness::Callee::answers(Duration::from_secs(3)).listens_for(Duration::from_secs(4));
    for (callee, status) in [
        (
            callee.talks_for(Duration::from_secs(5)),
            "DialCallStatus=completed",
        ),
        (callee.declines(), "DialCallStatus=no-answer"),
    ] {
        let script = calling()
            .respond(VOICE, Ok(xml(document)))
            .respond("http://app.example/done", Ok(xml("<Response/>")))
            .callee("+1", callee)
            .expect_answer()
            .expect_dial(&["+1"])
            .expect_hang_up();
        let run = run(&TWIML, script).unwrap();
        let words = "dial +1 (who hears http://app.example/w first)";
        assert!(run.transcript.contains(words), "{}", run.transcript);
        let body = String::from_utf8_lossy(&run.requests[1].body);
        assert!(body.contains(status), "{body}\n{}", run.transcript);
    }
}
