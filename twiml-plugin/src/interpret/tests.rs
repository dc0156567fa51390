mod detection;
mod dial;
mod message;
mod refer;
mod room;
mod speech_input;
mod transfer;
mod wait_document;
mod waiting;
mod whisper;

use jackfield_guest::{
    HttpError, HttpMethod, Rehearsal, Request, Response, StreamEnd, StreamError,
};

use std::time::Duration;

use super::*;

const VOICE: &str = "http://app.example/voice/start.php?id=1";

/// A document of a pretended server.
type Page = (&'static str, &'static str);

/// A call whose voice URL has that document, from a server with further ones.
fn caller(twiml: &'static str, pages: &'static [Page]) -> Rehearsal {
    serving(Rehearsal::new().setting("voice-url", VOICE), twiml, pages)
}

fn serving(caller: Rehearsal, twiml: &'static str, pages: &'static [Page]) -> Rehearsal {
    caller.server(move |request| {
        let asked = request.url.split("&CallSid=").next().unwrap_or_default();
        let page = match asked == VOICE {
            true => Some(twiml),
            false => pages
                .iter()
                .find(|(url, _)| *url == asked)
                .map(|(_, twiml)| *twiml),
        };
        Ok(page.map_or_else(
            || answer(request, 404, ""),
            |twiml| answer(request, 200, twiml),
        ))
    })
}

fn answer(request: &Request, status: u16, twiml: &str) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: format!("<Response>{twiml}</Response>").into_bytes(),
        url: request.url.clone(),
    }
}

/// Runs the call to its end: what was done to it.
#[track_caller]
fn check(caller: &Rehearsal, expected: &[&str]) {
    assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    assert_eq!(caller.transcript(), expected, "log: {:#?}", caller.log());
}

/// The errors and warnings in the log.
fn complaints(caller: &Rehearsal) -> Vec<String> {
    let mut log = caller.log();
    log.retain(|line| !line.starts_with("debug: "));
    log
}

/// What the requests asked for, with those of their parameters that are named.
fn asked(caller: &Rehearsal, names: &[&str]) -> Vec<String> {
    let requests = caller.requests();
    let lines = requests.iter().map(|request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let named = |pair: &&str| {
            names
                .iter()
                .any(|name| pair.split('=').next() == Some(name))
        };
        let parameters: Vec<&str> = body.split('&').filter(named).collect();
        format!(
            "{:?} {} {}",
            request.method,
            request.url,
            parameters.join(" ")
        )
        .trim_end()
        .to_owned()
    });
    lines.collect()
}

const SORRY: &str = "say An application error has occurred. Goodbye.";

#[test]
fn prompts_are_heard_one_after_the_other() {
    let caller = caller(
        "<Say voice='woman' language='en-GB'>Hi</Say><Play loop='2'>/hold.mp3</Play><Pause length='3'/><Play>b.wav?x=1</Play>",
        &[],
    );
    let expected = [
        "answer",
        "say Hi [woman en-GB]",
        "play http://app.example/hold.mp3 x2",
        "play http://app.example/voice/b.wav?x=1",
        "hang up",
    ];
    check(&caller, &expected);
    assert_eq!(complaints(&caller), [""; 0]);
    assert_eq!(
        caller.elapsed(),
        Duration::from_millis(100 + 2_000 + 4_000 + 3_000 + 2_000)
    );
}

#[test]
fn every_request_tells_what_the_invite_said() {
    let said = "ForwardedFrom=%2B85523111111&SipHeader_X-Ward=7+%26+8";
    let rehearsal = Rehearsal::new()
        .setting("voice-url", VOICE)
        .setting("arrival", said);
    let pages: &[Page] = &[("http://app.example/next", "<Hangup/>")];
    let caller = serving(rehearsal, "<Redirect>/next</Redirect>", pages);
    check(&caller, &["answer", "hang up"]);
    let names = ["SipCallId", "ForwardedFrom", "SipHeader_X-Ward"];
    let told =
        "SipCallId=rehearsal%40example.net ForwardedFrom=%2B85523111111 SipHeader_X-Ward=7+%26+8";
    assert_eq!(
        asked(&caller, &names),
        [
            format!("HttpMethod::Post {VOICE} {told}"),
            format!("HttpMethod::Post http://app.example/next {told}"),
        ]
    );
}

#[test]
fn keys_are_pressed_in_their_turn() {
    let twiml = "<Play>a.wav</Play><Play digits='W1294#'/><Say>Done</Say>";
    let expected = [
        "answer",
        "play http://app.example/voice/a.wav",
        "press W1294#",
        "say Done",
        "hang up",
    ];
    check(&caller(twiml, &[]), &expected);
}

#[test]
fn only_reject_leaves_a_call_unanswered() {
    check(&caller("", &[]), &["answer", "hang up"]);
    check(&caller("<Hangup/>", &[]), &["answer", "hang up"]);
    check(
        &caller("<Hangup/><Say>no</Say>", &[]),
        &["answer", "hang up"],
    );
    check(&caller("<Reject/><Say>no</Say>", &[]), &["reject declined"]);
    check(&caller("<Reject reason='busy'/>", &[]), &["reject busy"]);
    check(
        &caller("<Say>Hi</Say><Reject/>", &[]),
        &["answer", "say Hi", "hang up"],
    );
    check(&caller("<Pause/><Reject/>", &[]), &["reject declined"]);
    check(
        &caller("<Pause/><Pause/><Reject/>", &[]),
        &["answer", "hang up"],
    );
    let redirected = caller(
        "<Redirect>/no</Redirect>",
        &[("http://app.example/no", "<Reject/>")],
    );
    check(&redirected, &["reject declined"]);
    let outbound = Rehearsal::outbound().setting("twiml", "<Response><Reject/></Response>");
    check(&outbound, &["hang up"]);
}

#[test]
fn a_first_pause_delays_the_answer() {
    let caller = caller("<Pause length='4'/><Say>Hi</Say>", &[]).hang_up(3.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), [""; 0]);
}

#[test]
fn a_request_tells_of_its_call() {
    let caller = caller(
        "<Say>Hi</Say><Redirect method='GET'>next?a=b</Redirect>",
        &[],
    );
    check(&caller, &["answer", "say Hi", SORRY, "hang up"]);
    let [first, second] = &caller.requests()[..] else {
        panic!("two requests");
    };
    let body = String::from_utf8(first.body.clone()).unwrap();
    assert!(body.contains("From=%2B15550100&To=%2B15550199&"), "{body}");
    assert!(
        body.contains("&CallStatus=ringing&Direction=inbound&"),
        "{body}"
    );
    assert!(
        second
            .url
            .starts_with("http://app.example/voice/next?a=b&CallSid=CA1111"),
        "{}",
        second.url
    );
    assert!(
        second.url.contains("&CallStatus=in-progress&"),
        "{}",
        second.url
    );
    assert!(first.sign && second.sign);

    let outbound = serving(Rehearsal::outbound().setting("voice-url", VOICE), "", &[]);
    check(&outbound, &["hang up"]);
    let expected = [
        "HttpMethod::Post http://app.example/voice/start.php?id=1 CallStatus=in-progress Direction=outbound-api",
    ];
    assert_eq!(asked(&outbound, &["CallStatus", "Direction"]), expected);
}

#[test]
fn digits_go_to_the_action() {
    let menu = "<Gather numDigits='1' action='../chosen' timeout='3'><Say>Press 1</Say></Gather><Say>Nothing</Say>";
    let pages: &[Page] = &[("http://app.example/chosen", "<Say>Thanks</Say>")];
    let pressed = ["answer", "say Press 1", "say Thanks", "hang up"];
    let barged_in = ["answer", "say Press 1", "stop", "say Thanks", "hang up"];
    let silent = ["answer", "say Press 1", "say Nothing", "hang up"];
    check(&caller(menu, pages).press(1.0, "1"), &barged_in);
    check(&caller(menu, pages).press(3.0, "1"), &pressed);
    check(&caller(menu, pages).press(5.0, "1"), &pressed);
    check(&caller(menu, pages).press(5.2, "1"), &silent);
    check(&caller(menu, pages), &silent);

    let caller = caller(menu, pages).press(3.0, "1");
    check(&caller, &pressed);
    let expected = [
        "HttpMethod::Post http://app.example/voice/start.php?id=1",
        "HttpMethod::Post http://app.example/chosen Digits=1",
    ];
    assert_eq!(asked(&caller, &["Digits"]), expected);
}

#[test]
fn a_gather_ends_as_its_attributes_say() {
    let check = |attributes: &str, keys: &str, digits: Option<&str>| {
        let twiml =
            format!("<Response><Gather action='http://app.example/done' {attributes}/></Response>");
        let caller = Rehearsal::new().setting("twiml", &twiml).press(1.0, keys);
        let caller = serving(caller, "", &[("http://app.example/done", "")]);
        run(&Call::on(caller.clone())).unwrap();
        let expected: Vec<String> = digits
            .iter()
            .map(|digits| format!("HttpMethod::Post http://app.example/done Digits={digits}"))
            .collect();
        assert_eq!(asked(&caller, &["Digits"]), expected, "{attributes} {keys}");
    };
    check("", "12", Some("12"));
    check("", "12#3", Some("12"));
    check("", "", None);
    check("", "#", None);
    check("actionOnEmptyResult='true'", "", Some(""));
    check("actionOnEmptyResult='true'", "#", Some(""));
    check("finishOnKey=''", "1#2*", Some("1%232*"));
    check("finishOnKey='*'", "1#2*3", Some("1%232"));
    check("numDigits='3'", "12345", Some("123"));
    check("numDigits='3'", "12", Some("12"));
    check("numDigits='3'", "1#2", Some("1"));
}

#[test]
fn without_barge_in_a_prompt_is_heard_out() {
    let caller = caller(
        "<Gather bargeIn='false' numDigits='1'><Say>Terms</Say></Gather>",
        &[],
    )
    .press(1.0, "1")
    .hang_up(2.15);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), ["answer", "say Terms"]);
    let expected = [VOICE, VOICE].map(|url| format!("HttpMethod::Post {url}"));
    assert_eq!(
        asked(&caller, &[]),
        expected,
        "the action is the document itself"
    );
}

#[test]
fn a_key_ends_all_prompts_of_its_gather() {
    let twiml = "<Gather numDigits='1' action='/a'><Say>One</Say><Pause length='9'/><Say>Two</Say></Gather>";
    let pages: &[Page] = &[("http://app.example/a", "")];
    check(
        &caller(twiml, pages).press(1.0, "1"),
        &["answer", "say One", "stop", "hang up"],
    );
    check(
        &caller(twiml, pages).press(5.0, "1"),
        &["answer", "say One", "hang up"],
    );
    check(
        &caller(twiml, pages).press(12.0, "1"),
        &["answer", "say One", "say Two", "stop", "hang up"],
    );
    // The next one is queued before the first has ended; the third is not.
    let twiml =
        "<Gather numDigits='1' action='/a'><Say>One</Say><Say>Two</Say><Say>Three</Say></Gather>";
    check(
        &caller(twiml, pages).press(1.0, "1"),
        &["answer", "say One", "say Two", "stop", "stop", "hang up"],
    );
}

#[test]
fn the_timeout_of_a_gather_is_between_keys_and_begins_behind_its_prompts() {
    let twiml = "<Gather action='/a'><Pause length='9'/></Gather><Say>None</Say>";
    let pages: &[Page] = &[("http://app.example/a", "")];
    // Three seconds behind the prompt, then four more: each less than the five of the timeout.
    let slow = caller(twiml, pages).press(12.0, "1").press(16.0, "2");
    check(&slow, &["answer", "hang up"]);
    let expected = "HttpMethod::Post http://app.example/a Digits=12";
    assert_eq!(asked(&slow, &["Digits"])[1], expected);
    let too_slow = caller(twiml, pages).press(12.0, "1").press(17.5, "2");
    check(&too_slow, &["answer", "hang up"]);
    let expected = "HttpMethod::Post http://app.example/a Digits=1";
    assert_eq!(asked(&too_slow, &["Digits"])[1], expected);
    let too_late = caller(twiml, pages).press(14.5, "1");
    check(&too_late, &["answer", "say None", "hang up"]);
}

#[test]
fn keys_do_not_leak_into_the_next_gather() {
    let twiml = "<Say>Hi</Say><Gather numDigits='1' action='/a' timeout='2'/>";
    let pages: &[Page] = &[
        (
            "http://app.example/a",
            "<Gather numDigits='1' action='/b' timeout='2'/><Say>None</Say>",
        ),
        ("http://app.example/b", "<Say>Leaked</Say>"),
    ];
    // 12 before the first gather, 34 in it, 5 while the next document is fetched.
    let caller = caller(twiml, pages)
        .press(1.0, "12")
        .press(3.0, "34")
        .press(3.05, "5");
    check(&caller, &["answer", "say Hi", "say None", "hang up"]);
    let expected = [
        "HttpMethod::Post http://app.example/voice/start.php?id=1",
        "HttpMethod::Post http://app.example/a Digits=3",
    ];
    assert_eq!(asked(&caller, &["Digits"]), expected);
}

#[test]
fn references_resolve_against_the_final_url() {
    let caller = Rehearsal::new()
        .setting("voice-url", "http://old.example/x")
        .server(|request| {
            let moved = Response {
                url: "https://new.example/deep/y?z=1".to_owned(),
                ..answer(request, 200, "<Play>a.wav</Play><Redirect>next</Redirect>")
            };
            match request.url.as_str() {
                "http://old.example/x" => Ok(moved),
                _ => Ok(answer(request, 200, "<Hangup/>")),
            }
        });
    check(
        &caller,
        &["answer", "play https://new.example/deep/a.wav", "hang up"],
    );
    assert_eq!(
        asked(&caller, &[])[1],
        "HttpMethod::Post https://new.example/deep/next"
    );
}

#[test]
fn an_inline_document_plays_files_and_urls() {
    let inline =
        |twiml: &str| Rehearsal::new().setting("twiml", &format!("<Response>{twiml}</Response>"));
    let caller = inline("<Play>prompts/a.wav</Play><Play>http://a/b.wav</Play>");
    check(
        &caller,
        &[
            "answer",
            "play prompts/a.wav",
            "play http://a/b.wav",
            "hang up",
        ],
    );
    let caller = inline("<Play>ftp://a/b.wav</Play><Redirect>next</Redirect>");
    check(&caller, &["answer", SORRY, "hang up"]);
    let expected = [
        "warn: 11100 Play: \"ftp://a/b.wav\" is not an http or https URL",
        "error: 11100 \"next\" is not an http or https URL",
    ];
    assert_eq!(complaints(&caller), expected);
}

#[test]
fn the_voice_url_wins_over_an_inline_document() {
    let caller =
        caller("<Say>URL</Say>", &[]).setting("twiml", "<Response><Say>Inline</Say></Response>");
    check(&caller, &["answer", "say URL", "hang up"]);
}

#[test]
fn the_parameters_of_a_get_are_not_part_of_its_url() {
    let twiml =
        "<Gather numDigits='1' method='GET' timeout='1'/><Play>a</Play><Redirect method='GET'/>";
    let caller = caller(twiml, &[]).setting("voice-method", "get");
    let caller = caller.press(0.5, "1").hang_up(4.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    let played = "play http://app.example/voice/a";
    assert_eq!(caller.transcript(), ["answer", played]);
    let requests = caller.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let ours = request.url.matches("CallSid=").count();
        assert!(
            request.method == HttpMethod::Get && ours == 1,
            "{request:?}"
        );
    }
}

#[test]
fn what_cannot_be_run_is_a_spoken_apology_and_a_line_in_the_log() {
    let check = |caller: &Rehearsal, expected: &str| {
        check(caller, &["answer", SORRY, "hang up"]);
        assert_eq!(complaints(caller), [expected]);
    };
    let nothing = "error: 11100 neither the setting voice-url nor twiml is there: nothing to run";
    check(&Rehearsal::new(), nothing);
    let dead = Rehearsal::new().setting("voice-url", "http://dead.example/");
    check(
        &dead,
        "error: 11205 http://dead.example/: unreachable: http://dead.example/",
    );
    let odd = Rehearsal::new().setting("voice-url", "dead.example");
    check(
        &odd,
        "error: 11100 \"dead.example\" is not an http or https URL",
    );
    let missing = caller("<Redirect>/none</Redirect>", &[]);
    check(
        &missing,
        "error: 11200 http://app.example/none answered 404",
    );
    let broken = caller("<Say>", &[]);
    assert!(run(&Call::on(broken.clone())).is_ok());
    assert!(
        complaints(&broken)[0].starts_with("error: 12100 http://app.example/voice/"),
        "{:?}",
        complaints(&broken)
    );
    let wrong = Rehearsal::new().setting("twiml", "<html/>");
    check(
        &wrong,
        "error: 12102 the root element is <html>, not <Response>",
    );
    check(
        &caller("<Pay/><Say>no</Say>", &[]),
        "error: 13750 <Pay> is not supported yet",
    );
}

#[test]
fn an_unsupported_verb_is_met_where_it_stands() {
    let caller = caller("<Say>One moment</Say><Pay/>", &[]);
    check(&caller, &["answer", "say One moment", SORRY, "hang up"]);
}

#[test]
fn a_document_that_cannot_be_had_is_asked_of_the_fallback_once() {
    let with_fallback =
        |caller: Rehearsal| caller.setting("fallback-url", "http://b.example/f?x=1");
    let names = ["ErrorCode", "ErrorUrl"];

    let caller = with_fallback(caller(
        "<Redirect>/none</Redirect>",
        &[("http://b.example/f?x=1", "<Say>Spare</Say>")],
    ));
    check(&caller, &["answer", "say Spare", "hang up"]);
    let expected = "HttpMethod::Post http://b.example/f?x=1 ErrorCode=11200 ErrorUrl=http%3A%2F%2Fapp.example%2Fnone";
    assert_eq!(asked(&caller, &names)[2], expected);
    assert_eq!(
        complaints(&caller),
        ["error: 11200 http://app.example/none answered 404"]
    );

    let caller = with_fallback(self::caller("<Redirect>/none</Redirect>", &[]));
    check(&caller, &["answer", SORRY, "hang up"]);
    assert_eq!(caller.requests().len(), 3);
    assert_eq!(
        complaints(&caller)[1],
        "error: 11200 http://b.example/f?x=1 answered 404"
    );

    let inline = with_fallback(Rehearsal::new().setting("twiml", "oops"));
    let caller = serving(inline, "", &[("http://b.example/f?x=1", "<Hangup/>")]);
    check(&caller, &["answer", "hang up"]);
    assert_eq!(
        asked(&caller, &names),
        ["HttpMethod::Post http://b.example/f?x=1 ErrorCode=12100"]
    );
}

#[test]
fn warnings_are_logged_and_the_call_goes_on() {
    let caller = caller("<Say vioce='man' loop='x'>Hi</Say><Foo/>", &[]);
    check(&caller, &["answer", "say Hi", "hang up"]);
    let expected = [
        "warn: 12200 Say: the attribute vioce is unknown",
        "warn: 13510 Say: invalid loop \"x\": the default is used",
        "warn: 12200 <Foo> is not a verb, and is ignored",
    ];
    assert_eq!(complaints(&caller), expected);
}

#[test]
fn without_speech_the_call_goes_on() {
    let refusal = CallError::NotGranted("install a speech provider".to_owned());
    let caller = caller(
        "<Say>Hi</Say><Gather numDigits='1'><Say>One</Say><Play>a</Play></Gather>",
        &[],
    );
    let caller = caller.without_speech(refusal.clone());
    check(
        &caller,
        &["answer", "play http://app.example/voice/a", "hang up"],
    );
    assert_eq!(complaints(&caller).len(), 2);
    assert!(
        complaints(&caller)[0].contains("install a speech provider"),
        "{:?}",
        complaints(&caller)
    );

    let sorry = Rehearsal::new().without_speech(refusal);
    check(&sorry, &["answer", "hang up"]);
    assert_eq!(complaints(&sorry).len(), 2);
}

#[test]
fn a_missing_prompt_is_logged_and_the_call_goes_on() {
    let caller = caller("<Play>a.wav</Play><Say>Hi</Say>", &[]);
    let caller = caller.without_prompt("http://app.example/voice/a.wav");
    check(
        &caller,
        &[
            "answer",
            "play http://app.example/voice/a.wav",
            "say Hi",
            "hang up",
        ],
    );
    let told = complaints(&caller);
    assert!(told[0].starts_with("warn: playback 1 failed"), "{told:?}");
    assert!(told[1].starts_with("warn: 11200 Play: "), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_loop_without_a_key_ends_after_a_hundred_documents() {
    for twiml in [
        "<Redirect/>",
        "<Gather timeout='1'/><Redirect/>",
        "<Gather timeout='1' actionOnEmptyResult='true'/>",
    ] {
        let caller = caller(twiml, &[]).server_takes(0.0);
        assert_eq!(run(&Call::on(caller.clone())), Ok(()));
        assert_eq!(caller.requests().len(), 100, "{twiml}");
        let last = caller.request_times()[99];
        assert!(last >= Duration::from_millis(9_900), "{twiml}: {last:?}");
        let transcript = caller.transcript();
        assert_eq!(
            transcript[transcript.len() - 2..],
            [SORRY, "hang up"],
            "{twiml}"
        );
        let expected = format!("error: 11215 {VOICE}: 100 documents without a key from the caller");
        assert_eq!(complaints(&caller), [expected]);
    }
}

#[test]
fn two_documents_that_lead_to_each_other_keep_their_distance() {
    let back: &[Page] = &[(
        "http://app.example/pong",
        "<Redirect>/voice/start.php?id=1</Redirect>",
    )];
    let caller = caller("<Redirect>/pong</Redirect>", back).server_takes(0.001);
    assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    let last = caller.request_times()[99];
    assert!(last >= Duration::from_millis(4_900), "{last:?}");
}

#[test]
fn a_key_lets_a_loop_go_on() {
    let caller = (0..150).fold(caller("<Gather numDigits='1'/>", &[]), |caller, index| {
        caller.press(1.0 + 2.0 * index as f32, "1")
    });
    assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    assert_eq!(caller.requests().len(), 151);
    assert_eq!(complaints(&caller), [""; 0]);
}

#[test]
fn a_hang_up_ends_the_story_wherever_it_is() {
    let twiml =
        "<Say>Hi</Say><Gather timeout='2'><Pause/></Gather><Pause/><Redirect>/more</Redirect>";
    let pages: &[Page] = &[("http://app.example/more", "<Play>a</Play>")];
    for tenths in 0..82 {
        let caller = caller(twiml, pages).hang_up(0.05 + 0.1 * tenths as f32);
        assert_eq!(
            run(&Call::on(caller.clone())),
            Err(CallError::HungUp),
            "{tenths}"
        );
        assert!(!caller.transcript().contains(&"hang up".to_owned()));
        assert_eq!(complaints(&caller), [""; 0]);
    }
}

#[test]
fn a_server_that_does_not_answer_has_its_code() {
    let caller = Rehearsal::new()
        .setting("voice-url", VOICE)
        .server(|_| Err(HttpError::TimedOut("15 s".to_owned())));
    check(&caller, &["answer", SORRY, "hang up"]);
    assert_eq!(
        complaints(&caller),
        [format!("error: 11200 {VOICE}: timed out: 15 s")]
    );
}

#[test]
fn a_stream_goes_on_beside_the_document_until_it_is_stopped() {
    let twiml = "<Start><Stream url='wss://a.example/' name='ear' track='both_tracks'/></Start>\
        <Say>Hi</Say><Stop><Stream name='ear'/></Stop><Stop><Stream name='ear'/></Stop>";
    let caller = caller(twiml, &[]);
    let expected = [
        "answer",
        "stream both tracks to wss://a.example/ as ear",
        "say Hi",
        "stop stream 1",
        "hang up",
    ];
    check(&caller, &expected);
    assert_eq!(
        complaints(&caller),
        [
            "warn: 12200 Stop: these documents have begun no stream of the name \"ear\": one that the API began, it ends"
        ]
    );
}

#[test]
fn a_connected_stream_has_the_word_until_its_end_and_then_the_action() {
    let twiml = "<Connect action='/next'><Stream url='wss://a.example/'/></Connect><Say>no</Say>";
    let pages = &[("http://app.example/next", "<Say>Bye</Say>")];
    let ends = |end| {
        let caller = Rehearsal::new()
            .setting("voice-url", VOICE)
            .stream_ends(30.0, 1, end);
        serving(caller, twiml, pages)
    };
    let expected = [
        "answer",
        "stream both ways to wss://a.example/",
        "say Bye",
        "hang up",
    ];
    let closed = ends(StreamEnd::Closed);
    check(&closed, &expected);
    assert_eq!(closed.elapsed().as_secs(), 32);
    assert_eq!(complaints(&closed), [""; 0]);

    let lost = ends(StreamEnd::Failed(StreamError::Lost("reset".to_owned())));
    check(&lost, &expected);
    assert_eq!(
        complaints(&lost),
        [
            "warn: stream 1 failed: connection lost: reset",
            "error: 31921 Stream: connection lost: reset"
        ]
    );
}

#[test]
fn without_an_action_the_document_goes_on_after_a_connected_stream() {
    let twiml = "<Connect><Stream url='wss://a.example/'/></Connect><Say>Bye</Say>";
    let caller =
        Rehearsal::new()
            .setting("voice-url", VOICE)
            .stream_ends(5.0, 1, StreamEnd::Closed);
    let expected = [
        "answer",
        "stream both ways to wss://a.example/",
        "say Bye",
        "hang up",
    ];
    check(&serving(caller, twiml, &[]), &expected);
}

#[test]
fn a_recording_is_sent_to_its_action_and_a_silent_one_is_not() {
    let pages: &[Page] = &[("http://app.example/done", "<Say>Thanks</Say>")];
    let names = ["RecordingDuration", "Digits", "CallStatus"];
    let record = "<Record action='/done' finishOnKey='#'/><Say>Nothing</Say>";

    let spoken = caller(record, pages);
    check(&spoken, &["answer", "record", "say Thanks", "hang up"]);
    assert_eq!(
        asked(&spoken, &names)[1],
        "HttpMethod::Post http://app.example/done CallStatus=in-progress RecordingDuration=3 Digits="
    );

    let keyed = caller(record, pages).press(1.0, "1#");
    check(&keyed, &["answer", "record", "say Thanks", "hang up"]);
    assert_eq!(
        asked(&keyed, &names)[1],
        "HttpMethod::Post http://app.example/done CallStatus=in-progress RecordingDuration=1 Digits=%23"
    );

    let silent = caller(record, pages).without_voice();
    check(&silent, &["answer", "record", "say Nothing", "hang up"]);
}

#[test]
fn a_hang_up_in_a_recording_still_asks_its_action() {
    let record = "<Record/><Say>no</Say>";
    let caller = caller(record, &[]).hang_up(2.1);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), ["answer", "record"]);
    let names = ["RecordingSid", "Digits", "CallStatus"];
    assert_eq!(
        asked(&caller, &names)[1],
        format!(
            "HttpMethod::Post {VOICE} CallStatus=completed RecordingSid=RE{:032x} Digits=hangup",
            1
        )
    );
}

#[test]
fn keys_are_pressed_before_the_first_document_is_asked_for() {
    let caller = serving(
        Rehearsal::outbound()
            .setting("voice-url", VOICE)
            .setting("send-digits", "w12#"),
        "<Hangup/>",
        &[],
    );
    check(&caller, &["press w12#", "hang up"]);
    // It is asked for when they have been heard, which takes a rehearsal 2 seconds.
    assert_eq!(caller.request_times(), [Duration::from_secs(2)]);
}

#[test]
fn documents_that_take_the_place_of_others_find_the_call_up() {
    let caller = caller("<Hangup/>", &[]).setting("is-answered", "true");
    check(&caller, &["hang up"]);
    assert!(
        caller.requests()[0].url.contains("CallStatus=in-progress")
            || String::from_utf8_lossy(&caller.requests()[0].body)
                .contains("CallStatus=in-progress")
    );
}

#[test]
fn a_redirect_to_a_component_hands_the_call_over() {
    let caller = caller(
        "<Redirect>plugin:survey?language=km</Redirect><Say>Never</Say>",
        &[],
    );
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), ["continue with survey"]);
}

#[test]
fn a_call_is_recorded_beside_its_documents() {
    let caller = caller(
        "<Start><Recording/></Start><Say>Hello</Say><Stop><Recording/></Stop><Stop><Recording/></Stop><Say>Bye</Say>",
        &[],
    );
    check(
        &caller,
        &[
            "answer",
            "record",
            "say Hello",
            "stop recording",
            "say Bye",
            "hang up",
        ],
    );
}

#[test]
fn a_caller_hears_itself_until_it_hangs_up() {
    let caller = caller("<Echo/><Say>Never</Say>", &[]).hang_up(9.0);
    assert_eq!(run(&Call::on(caller.clone())), Err(CallError::HungUp));
    assert_eq!(caller.transcript(), ["answer", "echo on"]);
}
