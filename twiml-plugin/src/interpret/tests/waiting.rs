//! What is asked of those who wait, and how long a conversation lasts.

use super::*;

const WAIT: &str = "http://app.example/wait";

/// A caller who waits with this document, after which `/answer` is asked.
fn waiting(document: &'static str) -> Rehearsal {
    let pages: &'static [Page] = vec![
        (WAIT, document),
        ("http://app.example/answer", "<Say>Thanks</Say>"),
        ("http://app.example/leave", "<Leave/>"),
    ]
    .leak();
    let twiml = "<Enqueue waitUrl='/wait' action='/done'>support</Enqueue>";
    caller(twiml, pages)
}

/// The levels and codes of the log.
fn codes(caller: &Rehearsal) -> Vec<String> {
    let first_words = |line: String| {
        let words: Vec<&str> = line.split(' ').take(2).collect();
        words.join(" ")
    };
    complaints(caller).into_iter().map(first_words).collect()
}

/// The paths that were asked for, with these parameters.
fn paths(caller: &Rehearsal, names: &[&str]) -> Vec<String> {
    let short = |line: String| line.replace("HttpMethod::Post http://app.example/", "");
    asked(caller, names)
        .into_iter()
        .skip(1)
        .map(short)
        .collect()
}

#[test]
fn a_question_is_answered_while_somebody_waits() {
    let ask = "<Gather action='/leave' numDigits='1' timeout='3'><Say>One leaves</Say></Gather><Play>m.ogg</Play>";
    // The key comes while the second round asks.
    let caller = waiting(ask).press(10.0, "1");
    let _ = run(&Call::on(caller.clone()));
    let asked = paths(&caller, &["Digits", "QueuePosition", "QueueResult"]);
    assert_eq!(
        asked,
        [
            "wait QueuePosition=1",
            "wait QueuePosition=1",
            "leave QueuePosition=1 Digits=1",
            "done QueueResult=leave",
        ]
    );
}

#[test]
fn what_an_answer_leads_to_is_heard_once() {
    let ask = "<Gather action='/answer' numDigits='1' timeout='1'/>";
    let caller = waiting(ask)
        .press(0.5, "7")
        .queue_answers(9.0)
        .queue_ends(10.0);
    let _ = run(&Call::on(caller.clone()));
    let asked = paths(&caller, &["Digits"]);
    assert_eq!(asked[..3], ["wait", "answer Digits=7", "wait"]);
    let answers = asked.iter().filter(|path| path.starts_with("answer"));
    assert_eq!(answers.count(), 1);
    let thanks = caller.transcript().into_iter();
    assert_eq!(thanks.filter(|line| line == "say Thanks").count(), 1);
}

#[test]
fn a_wait_document_may_hang_up() {
    let caller = waiting("<Say>Nobody is there</Say><Hangup/>");
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    let transcript = caller.transcript();
    assert_eq!(
        transcript[2..],
        ["say Nobody is there", "hang up"],
        "{transcript:?}"
    );
    assert_eq!(
        paths(&caller, &["QueueResult"]),
        ["wait", "done QueueResult=hangup"]
    );
}

#[test]
fn a_question_in_a_conference_is_ignored() {
    let pages: &[Page] = &[(WAIT, "<Gather/>")];
    let dial = "<Dial><Conference waitUrl='/wait'>weekly</Conference></Dial>";
    let caller = caller(dial, pages)
        .conference_begins(2.0)
        .conference_ends(3.0);
    let _ = run(&Call::on(caller.clone()));
    assert!(codes(&caller).contains(&"warn: 13238".to_owned()));
}

#[test]
fn a_conversation_lasts_no_longer_than_it_may() {
    for (noun, end) in [
        ("<Conference>weekly</Conference>", "leave conference"),
        ("<Queue>support</Queue>", "leave queue"),
    ] {
        let twiml: &'static str =
            format!("<Dial timeLimit='20'>{noun}</Dial><Say>Bye</Say>").leak();
        let caller = caller(twiml, &[])
            .conference_begins(0.0)
            .conference_ends(90.0)
            .queue_answers(5.0)
            .queue_ends(90.0);
        check(
            &caller,
            &["answer", &caller_line(noun), end, "say Bye", "hang up"],
        );
        let longest = Duration::from_secs(28);
        assert!(caller.elapsed() < longest, "{noun}: {:?}", caller.elapsed());
    }
}

fn caller_line(noun: &str) -> String {
    match noun.contains("Queue") {
        true => "serve queue support".to_owned(),
        false => "join conference weekly".to_owned(),
    }
}

#[test]
fn the_conversation_with_one_who_waited_is_recorded() {
    let pages: &[Page] = &[("http://app.example/done", "<Hangup/>")];
    let twiml = "<Dial record='record-from-answer' action='/done'><Queue>support</Queue></Dial>";
    let caller = caller(twiml, pages).queue_answers(5.0).queue_ends(9.0);
    let _ = run(&Call::on(caller.clone()));
    let transcript = caller.transcript();
    assert!(
        transcript.iter().any(|line| line.starts_with("record")),
        "{transcript:?}"
    );
    let done = &paths(&caller, &["RecordingSid", "DialCallStatus"])[0];
    assert!(done.contains("DialCallStatus=completed"), "{done}");
    assert!(done.contains("RecordingSid=RE"), "{done}");
}

#[test]
fn a_conference_is_not_recorded_by_its_dial() {
    let dial = "<Dial record='record-from-answer'><Conference>weekly</Conference></Dial>";
    let caller = caller(dial, &[]).conference_ends(9.0);
    check(&caller, &["answer", "join conference weekly", "hang up"]);
    assert_eq!(codes(&caller), ["warn: 13217"]);
}

/// Each code of what cannot be fetched or dialled.
#[test]
fn what_goes_wrong_has_its_code() {
    let failing = |error: fn() -> HttpError| {
        let caller = Rehearsal::new().setting("voice-url", VOICE);
        let caller = caller.server(move |_| Err(error()));
        let _ = run(&Call::on(caller.clone()));
        codes(&caller)
    };
    let unreachable = || {
        HttpError::Unreachable(
            "app.example: failed to lookup address information: not known".to_owned(),
        )
    };
    assert_eq!(failing(unreachable), ["error: 11210"]);
    let refused = || HttpError::Unreachable("app.example: Connection refused".to_owned());
    assert_eq!(failing(refused), ["error: 11205"]);
    let expired = || HttpError::Protocol("u: invalid peer certificate: Expired".to_owned());
    assert_eq!(failing(expired), ["error: 11236"]);
    let another = || {
        HttpError::Protocol(
            "u: invalid peer certificate: certificate not valid for name".to_owned(),
        )
    };
    assert_eq!(failing(another), ["error: 11235"]);
    let unknown = || HttpError::Protocol("u: invalid peer certificate: UnknownIssuer".to_owned());
    assert_eq!(failing(unknown), ["error: 11237"]);
    let handshake = || HttpError::Protocol("u: received fatal alert: HandshakeFailure".to_owned());
    assert_eq!(failing(handshake), ["error: 11220"]);
    let http = || HttpError::Protocol("u: invalid HTTP version".to_owned());
    assert_eq!(failing(http), ["error: 11206"]);
    for (twiml, code) in [
        ("<Dial>+9</Dial>", "warn: 13224"),
        ("<Dial callerId='sales'>+1</Dial>", "warn: 13214"),
        ("<Dial>sales</Dial>", "warn: 13223"),
        (
            "<Dial><Number sendDigits='x'>+1</Number></Dial>",
            "warn: 13222",
        ),
        ("<Play digits='x'/>", "warn: 13430"),
        ("<Play>gone.mp3</Play>", "warn: 11200"),
    ] {
        let caller = caller(twiml, &[]).without_prompt("http://app.example/voice/gone.mp3");
        let _ = run(&Call::on(caller.clone()));
        let codes = codes(&caller);
        assert!(codes.contains(&code.to_owned()), "{twiml}: {codes:?}");
    }
    let whisper = serving(
        Rehearsal::whisper().setting("voice-url", VOICE),
        "<Dial>+1</Dial>",
        &[],
    );
    assert_eq!(run(&Call::on(whisper.clone())), Ok(()));
    assert_eq!(codes(&whisper), ["warn: 13201", "warn: 12200"]);
}

#[test]
fn a_document_that_came_along_with_a_url_is_warned_of_once() {
    let caller = caller(
        "<Redirect>/two</Redirect>",
        &[("http://app.example/two", "<Say>Two</Say>")],
    )
    .setting("twiml-ignored", "true");
    check(&caller, &["answer", "say Two", "hang up"]);
    assert_eq!(codes(&caller), ["warn: 32019"]);
}
