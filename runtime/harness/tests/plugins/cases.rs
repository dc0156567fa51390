//! The first-party components' cases in TOML, as their authors play them.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{read_cases, run};
use plugin_host::Flow;

use crate::{ECHO, MENU, TWIML};

/// Verbs, and elements in them, with the attributes that each takes: all that the TwiML component runs.
const TWIML_ATTRIBUTES: [(&str, &[&str]); 19] = [
    ("Say", &["voice", "language", "loop"]),
    ("Play", &["loop", "digits"]),
    ("Pause", &["length"]),
    (
        "Gather",
        &[
            "action",
            "method",
            "timeout",
            "numDigits",
            "finishOnKey",
            "actionOnEmptyResult",
            "bargeIn",
            "input",
        ],
    ),
    (
        "Record",
        &[
            "action",
            "method",
            "timeout",
            "finishOnKey",
            "maxLength",
            "playBeep",
            "trim",
        ],
    ),
    ("Redirect", &["method"]),
    ("Reject", &["reason"]),
    ("Hangup", &[]),
    ("Leave", &[]),
    ("Start", &[]),
    ("Stop", &[]),
    ("Connect", &["action", "method"]),
    (
        "Stream",
        &[
            "url",
            "name",
            "track",
            "statusCallback",
            "statusCallbackMethod",
        ],
    ),
    ("Parameter", &["name", "value"]),
    (
        "Dial",
        &[
            "action",
            "method",
            "timeout",
            "timeLimit",
            "callerId",
            "hangupOnStar",
            "answerOnBridge",
            "sequential",
            "ringTone",
        ],
    ),
    ("Number", &[]),
    ("Sip", &[]),
    (
        "Conference",
        &[
            "muted",
            "beep",
            "startConferenceOnEnter",
            "endConferenceOnExit",
            "maxParticipants",
            "participantLabel",
            "waitUrl",
            "waitMethod",
            "coach",
        ],
    ),
    (
        "Enqueue",
        &[
            "action",
            "method",
            "maxQueueSize",
            "waitUrl",
            "waitUrlMethod",
        ],
    ),
];

fn scripts(component: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join(component).join("scripts");
    let entries = fs::read_dir(&folder).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

/// Plays all cases; how many there were.
fn play(flow: &Flow, component: &str) -> usize {
    let mut troubles = Vec::new();
    let mut played = 0;
    for file in scripts(component) {
        let text = fs::read_to_string(&file).unwrap();
        let cases = read_cases(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in cases.calls {
            played += 1;
            let place = format!("{}: {}", file.display(), case.name);
            match run(flow, case.script.clone()) {
                Err(unexpected) => troubles.push(format!("{place}\n{unexpected}")),
                Ok(run) => troubles.extend(
                    case.misses(&run)
                        .map(|why| format!("{place}\n{why}\n{}", run.transcript)),
                ),
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
    played
}

#[test]
fn the_cases_of_each_component_go_as_written() {
    for (flow, component, at_least) in [
        (&*ECHO, "plugins/echo", 2),
        (&*MENU, "plugins/menu", 4),
        (&*TWIML, "twiml-plugin", 45),
    ] {
        let played = play(flow, component);
        assert!(played >= at_least, "{component}: {played}");
    }
}

#[test]
fn every_verb_and_attribute_of_twiml_has_a_case() {
    let texts: String = scripts("twiml-plugin")
        .into_iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let has = |element: &str, attribute: Option<&str>| {
        let begin = format!("<{element}");
        let mut tags = texts.split(&begin).skip(1);
        tags.any(|rest| {
            let (tag, _) = rest.split_once('>').unwrap_or((rest, ""));
            let is_element = tag.is_empty() || tag.starts_with([' ', '/']);
            is_element && attribute.is_none_or(|name| tag.contains(&format!(" {name}=")))
        })
    };
    let mut missing = Vec::new();
    for (element, attributes) in TWIML_ATTRIBUTES {
        missing.extend((!has(element, None)).then(|| element.to_owned()));
        let without = attributes.iter().filter(|name| !has(element, Some(name)));
        missing.extend(without.map(|name| format!("{element} {name}")));
    }
    assert_eq!(missing, Vec::<String>::new());
}
