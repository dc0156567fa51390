//! What callers say: a softphone says what Flite spoke, PocketSphinx understands it, and the web application gets the words.

use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use jackfield_interop::{audio, needs};

const LIMIT: Duration = Duration::from_secs(120);
/// Samples in a millisecond.
const MS: usize = 8;

/// Numbers that speak: 1000 says yes, 1001 one, 1002 two.
const WORDS: [(&str, &str); 3] = [("1000", "Yes."), ("1001", "One."), ("1002", "Two.")];

/// A server whose number 1003 asks as this says, and its application, which takes the words at `/heard` and those so far at `/so-far`.
fn asking(gather: &str) -> (Server, VoiceApp) {
    let _sphinx = needs::program("pocketsphinx_continuous", "pocketsphinx pocketsphinx-en-us");
    asking_at(Place::on_loopback(), gather)
}

/// The same, there.
fn asking_at(place: Place, gather: &str) -> (Server, VoiceApp) {
    let document = |inside: &str| Flow::Twiml(format!("<Response>{inside}</Response>"));
    let app = VoiceApp::serve(vec![
        Page::prompt("welcome"),
        Page::prompt("menu"),
        Page::twiml("/heard", "<Response><Pause length=\"1\"/></Response>"),
        Page::twiml("/so-far", "<Response/>"),
        Page::twiml("/nothing", "<Response><Pause length=\"1\"/></Response>"),
    ]);
    let mut numbers: Vec<_> = WORDS
        .iter()
        .map(|(number, word)| {
            let say = format!("<Say voice=\"slt\">{word}</Say><Pause length=\"1\"/>");
            (*number, document(&say))
        })
        .collect();
    numbers.push(("1003", document(&gather.replace("APP", &app.url("")))));
    (
        Server::start_at(place, &Tenants::with_numbers(numbers)),
        app,
    )
}

/// What that number says, without the silence around it.
fn word(server: &Server, number: &str) -> Vec<i16> {
    let heard = Softphone::call(server.sip, number, "PCMU", &[]).finish(LIMIT);
    let is_loud = |sample: &i16| sample.abs() > 200;
    let first = heard.iter().position(is_loud).expect("somebody speaks");
    let last = heard.iter().rposition(is_loud).expect("somebody speaks");
    let margin = 100 * MS;
    heard[first.saturating_sub(margin)..(last + margin).min(heard.len())].to_vec()
}

fn quiet(ms: usize) -> Vec<i16> {
    vec![0; ms * MS]
}

/// What was asked at that path, as soon as it was.
fn asked_at(app: &VoiceApp, path: &str) -> Asked {
    eventually(path, LIMIT, || {
        let asked = app.asked();
        asked.into_iter().find(|asked| asked.path == path)
    })
}

#[test]
fn a_word_stops_the_prompt_and_goes_to_the_application() {
    on_a_steady_machine(|| {
        let (server, app) = asking(
            "<Gather input=\"speech\" hints=\"yes, no\" speechTimeout=\"1\" timeout=\"20\" action=\"APP/heard\">\
         <Play>APP/welcome.wav</Play><Play>APP/menu.wav</Play></Gather>",
        );
        let says = [quiet(1_000), word(&server, "1000"), quiet(500)].concat();
        let phone = Softphone::call(server.sip, "1003", "PCMU", &says);
        let asked = asked_at(&app, "/heard");
        assert_eq!(asked.parameters["SpeechResult"], "yes");
        let confidence: f64 = asked.parameters["Confidence"].parse().expect("a number");
        assert!((0.0..=1.0).contains(&confidence), "{confidence}");
        assert_eq!(asked.parameters["Language"], "en-US");
        assert_eq!(asked.parameters.get("Digits"), None);
        let heard = phone.finish(LIMIT);
        let menu = audio::find(&prompt("menu"), &heard);
        assert!(menu.is_absent(), "the prompts were stopped: {menu:?}");
        server.stop();
    });
}

#[test]
fn words_are_told_while_more_are_said() {
    on_a_steady_machine(|| {
        let (server, app) = asking(
            "<Gather input=\"dtmf speech\" hints=\"one, two, three\" speechTimeout=\"3\" timeout=\"20\" \
         partialResultCallback=\"APP/so-far\" action=\"APP/heard\"/>",
        );
        let [one, two] = ["1001", "1002"].map(|number| word(&server, number));
        let says = [quiet(500), one, quiet(1_500), two, quiet(500)].concat();
        let phone = Softphone::call(server.sip, "1003", "PCMU", &says);
        let so_far = asked_at(&app, "/so-far");
        assert_eq!(so_far.parameters["SequenceNumber"], "0");
        assert_eq!(so_far.parameters["StableSpeechResult"], "one");
        assert_eq!(so_far.parameters["UnstableSpeechResult"], "");
        assert_eq!(so_far.parameters.get("SpeechResult"), None);
        assert!(so_far.headers.contains_key("x-twilio-signature"));
        let asked = asked_at(&app, "/heard");
        assert_eq!(asked.parameters["SpeechResult"], "one two");
        let _ = phone.finish(LIMIT);
        server.stop();
    });
}

#[test]
fn a_service_over_http_hears_what_was_said() {
    on_a_steady_machine(|| {
        let service = VoiceApp::serve(vec![Page::json(
            "/recognise",
            r#"{"results": [{"transcript": "yes please", "confidence": 0.75}]}"#,
        )]);
        let place = Place::on_loopback().with_speech(&format!(
        "[speech.input.service.test]\nurl = \"{}?lang={{language}}\"\nheaders.x-hints = \"{{hints}}\"\n\
         languages = [\"km-KH\"]\nrate_hz = 8000\n\
         text = \"/results/0/transcript\"\nconfidence = \"/results/0/confidence\"\n",
        service.url("/recognise")
    ));
        let (server, app) = asking_at(
            place,
            "<Gather input=\"speech\" language=\"km-KH\" hints=\"yes, no\" speechTimeout=\"1\" timeout=\"20\" action=\"APP/heard\"/>",
        );
        let said = word(&server, "1000");
        let says = [quiet(1_000), said.clone(), quiet(500)].concat();
        let phone = Softphone::call(server.sip, "1003", "PCMU", &says);
        let heard = asked_at(&app, "/heard");
        assert_eq!(heard.parameters["SpeechResult"], "yes please");
        assert_eq!(heard.parameters["Confidence"], "0.75");
        assert_eq!(heard.parameters["Language"], "km-KH");
        let _ = phone.finish(LIMIT);

        let asked = service.asked();
        assert_eq!(asked.len(), 1, "one utterance");
        assert_eq!(asked[0].parameters["lang"], "km-KH");
        let folder = tempfile::tempdir().expect("a folder for the utterance");
        let file = folder.path().join("utterance.wav");
        std::fs::write(&file, &asked[0].body).expect("it can be written");
        let utterance = audio::read_wav(&file);
        let found = audio::find(&said, &utterance);
        assert!(found.is_heard(), "what was said came to it: {found:?}");
        server.stop();
    });
}

#[test]
fn who_says_nothing_hears_what_follows() {
    on_a_steady_machine(|| {
        let (server, app) = asking(
            "<Gather input=\"speech\" timeout=\"2\" action=\"APP/heard\"/><Redirect>APP/nothing</Redirect>",
        );
        let phone = Softphone::call(server.sip, "1003", "PCMU", &quiet(500));
        let _ = asked_at(&app, "/nothing");
        let _ = phone.finish(LIMIT);
        let paths: Vec<String> = app.asked().into_iter().map(|asked| asked.path).collect();
        assert_eq!(paths, ["/nothing"]);
        server.stop();
    });
}

#[test]
fn a_language_that_nobody_understands_is_named() {
    on_a_steady_machine(|| {
        let (server, app) = asking(
            "<Gather input=\"speech\" language=\"km-KH\" timeout=\"2\" action=\"APP/heard\"/><Redirect>APP/nothing</Redirect>",
        );
        let _ = Softphone::call(server.sip, "1003", "PCMU", &[]).finish(LIMIT);
        let _ = asked_at(&app, "/nothing");
        let log = server.log();
        let told = "no recogniser understands km-KH; there are en-US";
        assert!(log.contains(told), "{log}");
    });
}
