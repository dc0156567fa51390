//! No attribute that Twilio's libraries know is passed over in silence: it changes what a document means, or a warning names it.

use std::collections::BTreeSet;

use super::*;

/// On each line the elements around one, its name, and its attributes.
const VOCABULARIES: [&str; 2] = [
    include_str!("../../../../tests/vectors/twiml-vocabulary.txt"),
    include_str!("../../../../tests/vectors/twiml-vocabulary-node.txt"),
];

/// Of one element: with the second, the first has no effect.
const IN_PLACE_OF: [(&str, &str); 2] = [
    ("loop", "digits"),
    ("eventCallbackUrl", "recordingStatusCallback"),
];

/// Something that an attribute may be and is not without being said.
fn value(element: &str, attribute: &str) -> &'static str {
    match (element, attribute) {
        ("Stream", "url") => "wss://a.example/",
        (_, "method") => "GET",
        (_, name) if name.ends_with("Method") => "GET",
        (_, "recordingStatusCallbackEvent") => "absent",
        ("Conference", "statusCallbackEvent") => "join",
        (_, "statusCallbackEvent") => "answered",
        (_, "action" | "statusCallback" | "recordingStatusCallback" | "transcribeCallback")
        | (_, "partialResultCallback" | "amdStatusCallback") => "http://app.example/a",
        (_, name) if name.to_lowercase().ends_with("url") => "http://app.example/a",
        ("Conference", "record") => "record-from-start",
        (_, "record") => "record-from-answer-dual",
        ("Conference" | "Record", "trim") => "do-not-trim",
        (_, "trim") => "trim-silence",
        ("Recording", "track") | (_, "recordingTrack") => "inbound",
        (_, "track") => "both_tracks",
        (_, "channels") => "mono",
        (_, "beep" | "startConferenceOnEnter" | "bargeIn" | "playBeep" | "profanityFilter") => {
            "false"
        }
        (_, "muted" | "endConferenceOnExit" | "answerOnBridge" | "sequential" | "hangupOnStar")
        | (_, "actionOnEmptyResult" | "copyParentTo" | "debug" | "enhanced" | "transcribe") => {
            "true"
        }
        (_, "machineDetection") => "DetectMessageEnd",
        (_, "machineDetectionTimeout") => "10",
        (_, "machineDetectionSpeechThreshold") => "2000",
        (_, "machineDetectionSpeechEndThreshold") => "1000",
        (_, "machineDetectionSilenceTimeout") => "4000",
        (_, "input") => "dtmf speech",
        (_, "language" | "xml:lang") => "km-KH",
        (_, "digits" | "sendDigits" | "finishOnKey") => "1",
        (_, "callerId") => "+85512345679",
        (_, "from" | "to") => "+85512345679",
        (_, "reason") => "busy",
        (_, "speechTimeout") => "3", // without it, that of `timeout`
        ("Header", "name") => "X-Ward",
        (_, "ringTone") => "us",
        (_, "speechModel") => "phone_call",
        _ => "7",
    }
}

/// What stands in an element that needs something.
fn inside(element: &str) -> &'static str {
    match element {
        "Dial" | "Number" => "+85512345678",
        "Sip" | "Uri" => "sip:a@b.example",
        "Application" | "ApplicationSid" => "AP00000000000000000000000000000001",
        "Play" | "Redirect" => "http://app.example/a.mp3",
        "Connect" => "<Stream url=\"wss://a.example/\"/>",
        "Refer" => "<Sip>sip:a@b.example</Sip>",
        "Gather" | "Pause" | "Hangup" | "Stream" | "Start" | "Stop" => "",
        _ => "hello",
    }
}

/// What stands beside an element, in the one around it.
fn beside(outer: &str, inner: &str) -> &'static str {
    match (outer, inner) {
        ("Application", "Parameter") => {
            "<ApplicationSid>AP00000000000000000000000000000001</ApplicationSid>"
        }
        ("Client", "Parameter") => "<Identity>alice</Identity>",
        ("Sip", "Headers") => "sip:a@b.example",
        ("Sip", "Uri") => {
            "<Uri priority='3' weight='9'>sip:c@b.example</Uri><Uri priority='7' weight='3'>sip:d@b.example</Uri>"
        }
        _ => "",
    }
}

/// The element with these attributes, in those around it.
fn document(path: &[&str], attributes: &[&str]) -> String {
    let (element, around) = path.split_last().unwrap();
    let written = |name: &&str| format!(" {name}=\"{}\"", value(element, name));
    let attributes: String = attributes.iter().map(written).collect();
    let innermost = format!("<{element}{attributes}>{}</{element}>", inside(element));
    let mut inner_name = element;
    let document = around.iter().rev().fold(innermost, |inner, outer| {
        let needs = match *outer {
            "Stream" => " url=\"wss://a.example/\"",
            _ => "",
        };
        let beside = beside(outer, inner_name);
        inner_name = outer;
        format!("<{outer}{needs}>{inner}{beside}</{outer}>")
    });
    format!("<Response>{document}</Response>")
}

fn meaning(document: &str) -> (Vec<Verb>, Vec<Fault>) {
    read(&crate::parse::parse(document.as_bytes()).unwrap()).unwrap()
}

/// Whether nothing of the element is there, which the table of elements says.
fn is_not_there(path: &[&str]) -> bool {
    let (verbs, warnings) = meaning(&document(path, &[]));
    let is_unsupported = verbs
        .iter()
        .any(|verb| matches!(verb, Verb::Unsupported(_)));
    let names_one = |warning: &Fault| {
        let mut elements = path.iter();
        elements.any(|element| warning.to_string().contains(&format!("<{element}>")))
    };
    is_unsupported || warnings.iter().any(names_one)
}

#[test]
fn each_attribute_means_something_or_is_warned_of() {
    let (mut checked, mut silent) = (0, Vec::new());
    let mut rows = BTreeSet::new();
    for line in VOCABULARIES.iter().flat_map(|text| text.lines()) {
        rows.extend((!line.starts_with('#')).then_some(line));
    }
    for row in rows {
        let mut words = row.split(' ');
        let path: Vec<&str> = words.next().unwrap().split('/').skip(1).collect();
        let attributes: Vec<&str> = words.collect();
        if path.is_empty() || is_not_there(&path) {
            continue;
        }
        for tried in &attributes {
            let stays = |other: &&&str| !IN_PLACE_OF.contains(&(*tried, **other));
            let with: Vec<&str> = attributes.iter().filter(stays).copied().collect();
            let without: Vec<&str> = with
                .iter()
                .filter(|other| *other != tried)
                .copied()
                .collect();
            let [with, without] = [with, without].map(|names| meaning(&document(&path, &names)));
            checked += 1;
            if with == without {
                silent.push(format!("{} {tried}", path.join("/")));
            }
        }
    }
    assert_eq!(silent, [""; 0]);
    assert!(checked > 200, "{checked}");
}
