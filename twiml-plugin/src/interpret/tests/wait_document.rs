//! What the log says of prompts that fail, and of documents that are heard over and over.

use jackfield_guest::{ConferenceEvent, OrderedSound, StatusCallback};

use super::*;

const PLAY: &str = "<Play>gone.mp3</Play>";
const GONE: &str = "http://app.example/voice/gone.mp3";
const TOLD: &str = "warn: 11200 Play: ";

/// How many lines of the log begin so, once the call is over.
fn lines(caller: &Rehearsal, beginning: &str) -> usize {
    let _ = run(&Call::on(caller.clone()));
    let log = complaints(caller).into_iter();
    log.filter(|line| line.starts_with(beginning)).count()
}

#[test]
fn a_prompt_that_fails_in_a_gather_has_its_code() {
    for attributes in ["", "bargeIn='false'", "input='dtmf speech'"] {
        let twiml: &'static str = format!("<Gather {attributes}>{PLAY}</Gather>").leak();
        let caller = caller(twiml, &[]).without_prompt(GONE);
        assert_eq!(lines(&caller, TOLD), 1, "{attributes}: {:#?}", caller.log());
    }
}

#[test]
fn what_is_wrong_with_a_wait_document_is_told_once() {
    let pages: &[Page] = &[
        (
            "http://app.example/wait",
            "<Say vioce='x'>Wait</Say><Play>/gone.mp3</Play><Record/><Redirect>/more</Redirect>",
        ),
        (
            "http://app.example/more",
            "<Say vioce='x' loop='x'>Wait</Say><Play>/gone.mp3</Play><Redirect>/wait</Redirect>",
        ),
    ];
    let hold = StatusCallback {
        url: "http://app.example/wait".to_owned(),
        method: HttpMethod::Post,
    };
    let held = ConferenceEvent::Held(Some(OrderedSound::Document(hold)));
    let dial = "<Dial><Conference waitUrl='/wait'>weekly</Conference></Dial>";
    let enqueue = "<Enqueue waitUrl='/wait'>support</Enqueue>";
    let hold = "<Dial><Conference>weekly</Conference></Dial>";
    for twiml in [dial, enqueue, hold] {
        let caller = || {
            let caller = caller(twiml, pages).without_prompt("http://app.example/gone.mp3");
            let caller = match twiml == hold {
                true => caller.conference_orders(2.0, held.clone()),
                false => caller.conference_begins(90.0),
            };
            caller.hang_up(60.0)
        };
        for told in [
            "warn: 12200 Say: ",
            "warn: 13510 Say: ",
            "warn: 13238 ",
            TOLD,
        ] {
            let caller = caller();
            assert_eq!(lines(&caller, told), 1, "{twiml}: {:#?}", caller.log());
            let rounds = caller.requests().len();
            assert!(rounds > 10, "it is heard over and over, not {rounds} times");
        }
    }
}

#[test]
fn a_prompt_that_fails_in_a_question_to_who_waits_has_its_code() {
    for attributes in ["", "bargeIn='false'"] {
        let wait: &'static str = format!("<Gather {attributes} timeout='1'>{PLAY}</Gather>").leak();
        let pages: &'static [Page] = vec![("http://app.example/voice/wait", wait)].leak();
        let caller = caller("<Enqueue waitUrl='wait'>support</Enqueue>", pages)
            .without_prompt(GONE)
            .hang_up(9.0);
        assert_eq!(lines(&caller, TOLD), 1, "{attributes}: {:#?}", caller.log());
    }
}

#[test]
fn no_more_is_told_of_a_wait_than_anybody_reads() {
    let caller = Rehearsal::new()
        .setting("voice-url", VOICE)
        .hang_up(300.0)
        .server(|request| {
            let twiml = match request.url == VOICE {
                true => "<Enqueue waitUrl='/wait/0'>support</Enqueue>".to_owned(),
                false => {
                    let round = request.url.rsplit('/').next().unwrap_or_default();
                    let next: u32 = round.parse::<u32>().unwrap_or_default() + 1;
                    format!("<Say n{next}=''>Wait</Say><Redirect>/wait/{next}</Redirect>")
                }
            };
            Ok(answer(request, 200, &twiml))
        });
    assert_eq!(lines(&caller, "warn: 12200 "), 50);
    assert!(caller.requests().len() > 60);
}
