use jackfield_guest::Callee;

use super::*;

fn called(twiml: &'static str, pages: &'static [Page]) -> Rehearsal {
    serving(
        Rehearsal::whisper().setting("voice-url", VOICE),
        twiml,
        pages,
    )
}

#[test]
fn the_end_of_a_whisper_is_no_hang_up() {
    let caller = called("<Say>A call for you</Say>", &[]);
    check(&caller, &["say A call for you"]);
    let names = ["Direction", "CallStatus", "ParentCallSid"];
    assert_eq!(
        asked(&caller, &names),
        [format!(
            "HttpMethod::Post {VOICE} CallStatus=in-progress Direction=outbound-dial ParentCallSid=CA{}",
            "3".repeat(32)
        )]
    );
}

#[test]
fn who_presses_nothing_does_not_take_the_call() {
    let screening = "<Gather numDigits='1' action='/key'><Say>Press 1</Say></Gather><Hangup/>";
    let pages: &[Page] = &[("http://app.example/key", "<Say>Here they are</Say>")];
    let takes = called(screening, pages).press(1.0, "1");
    check(&takes, &["say Press 1", "stop", "say Here they are"]);
    let declines = called(screening, pages);
    check(&declines, &["say Press 1", "hang up"]);
}

#[test]
fn the_keys_for_a_switchboard_come_before_the_whisper() {
    let caller = called("<Say>A call for you</Say>", &[]).setting("send-digits", "ww12#");
    check(&caller, &["press ww12#", "say A call for you"]);
}

#[test]
fn other_verbs_are_left_out() {
    let caller = called(
        "<Say>a</Say><Dial>+1</Dial><Enqueue>q</Enqueue><Say>b</Say>",
        &[],
    );
    check(&caller, &["say a", "say b"]);
    assert_eq!(
        complaints(&caller),
        [
            "warn: 13201 Dial: whoever is dialled dials nobody: it is ignored",
            "warn: 12200 a document for somebody who is dialled has Say, Play, Pause, Gather, Redirect and Hangup: the rest is ignored"
        ]
    );
}

#[test]
fn who_has_left_whoever_dialled_them_hears_whole_documents() {
    let caller = called("<Say>a</Say><Dial>+1</Dial><Say>b</Say>", &[])
        .setting("is-answered", "true")
        .setting("is-own", "true")
        .callee(
            "+1",
            Callee::answers(Duration::from_secs(1)).talks_for(Duration::from_secs(1)),
        );
    check(&caller, &["say a", "dial +1", "say b", "hang up"]);
    assert_eq!(complaints(&caller), [""; 0]);
}

#[test]
fn who_is_dialled_hears_a_document_relative_to_this_one() {
    let dial = "<Dial action='/done'><Number url='w.xml'>+1</Number></Dial>";
    let pages: &[Page] = &[("http://app.example/done", "<Hangup/>")];
    let second = Duration::from_secs(1);
    let callee = Callee::answers(second)
        .listens_for(second)
        .talks_for(second);
    for (callee, status) in [(callee, "completed"), (callee.declines(), "no-answer")] {
        let caller = caller(dial, pages).callee("+1", callee);
        check(&caller, &["answer", "dial +1", "hang up"]);
        let targets = caller.dialled();
        assert_eq!(
            targets[0].whisper,
            Some(jackfield_guest::Whisper::voice_url(
                "http://app.example/voice/w.xml",
                HttpMethod::Post
            ))
        );
        assert!(asked(&caller, &["DialCallStatus"])[1].ends_with(status));
    }
}
