//! What the TwiML component makes of every verb, noun and attribute that Twilio's library knows; `docs/book/twiml-table.md` is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use harness::{Callee, Player, Run, Scene, Script, Turn};

use crate::TWIML;
use crate::twiml_meanings::{MEANINGS, Meaning};

/// What `twiml_vocabulary.py` and `.mjs` in `tests/interop` printed: on each line the elements around one, its name, and its attributes.
const VOCABULARIES: [&str; 2] = [
    include_str!("../../../../tests/vectors/twiml-vocabulary.txt"),
    include_str!("../../../../tests/vectors/twiml-vocabulary-node.txt"),
];
/// The page that is made of it.
const PAGE: &str = include_str!("../../../../docs/book/twiml-table.md");
const PAGE_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/book/twiml-table.md"
);
/// Writes the page anew.
const WRITE: &str = "JACKFIELD_TABLE";

/// What becomes of an element or an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Supported,
    /// The log's words, which begin with Twilio's code.
    Told(String),
    /// It stands where whatever stands there is passed over.
    Silent,
}

/// Stays for as long as the document lasts.
struct Patient;

impl Player for Patient {
    fn turn(&mut self, _: Scene<'_>) -> Turn {
        Turn::Leaves
    }
}

fn run(document: &str) -> Run {
    let script = Script::new()
        .setting("twiml", &format!("<Response>{document}</Response>"))
        .callee("+85512345678", Callee::busy());
    harness::play(&TWIML, script, Patient)
}

/// The lines of the tenant's log when a document is this.
fn log_of(document: &str) -> Vec<String> {
    let lines = run(document).log.into_iter();
    lines.map(|line| line.message).collect()
}

/// The first line that says of the element, or of its attribute, that it is not there.
fn fate(log: &[String], element: &str, attribute: Option<&str>) -> Fate {
    let told = |line: &&String| match attribute {
        Some(name) => {
            line.contains(&format!("the attribute {name} is unknown"))
                || line.contains(&format!("{name} is not supported"))
                || line.contains(&format!("{name} has no effect"))
        }
        None => {
            line.contains(&format!("<{element}>"))
                && (line.contains("is ignored")
                    || line.contains("is no SSML")
                    || line.contains("is not supported"))
        }
    };
    log.iter()
        .find(told)
        .map_or(Fate::Supported, |line| Fate::Told(line.clone()))
}

/// Something that an attribute may be.
fn value(attribute: &str) -> &'static str {
    match attribute {
        name if name.to_lowercase().ends_with("url") => "http://app.example/a",
        "action" | "statusCallback" | "recordingStatusCallback" | "partialResultCallback" => {
            "http://app.example/a"
        }
        "amdStatusCallback" => "http://app.example/a",
        name if name.to_lowercase().ends_with("method") => "POST",
        name if name.ends_with("CallbackEvent") => "completed",
        "beep" | "muted" | "bargeIn" | "answerOnBridge" | "sequential" | "hangupOnStar" => "true",
        "playBeep" | "actionOnEmptyResult" | "profanityFilter" | "copyParentTo" => "true",
        "debug" | "enhanced" | "transcribe" => "true",
        "input" => "dtmf speech",
        "language" | "xml:lang" => "en-US",
        "digits" | "sendDigits" | "finishOnKey" => "1",
        "trim" => "do-not-trim",
        "record" => "do-not-record",
        "callerId" => "+85512345679",
        "interpret-as" => "digits",
        "reason" => "busy",
        _ => "2",
    }
}

/// What stands in an element that needs something.
fn inside(element: &str) -> &'static str {
    match element {
        "Say" | "emphasis" | "lang" | "p" | "phoneme" | "prosody" | "s" | "say-as" | "sub"
        | "w" => "hello",
        "Dial" | "Number" => "+85512345678",
        "Sip" | "Uri" => "sip:a@b.example",
        "Client" | "Identity" => "alice",
        "Application" | "ApplicationSid" => "AP00000000000000000000000000000001",
        "Play" | "Redirect" => "http://app.example/a.wav",
        "Conference" | "Enqueue" | "Queue" | "Sms" => "help",
        _ => "",
    }
}

/// The element, in those around it.
fn document(path: &[&str], attribute: Option<&str>) -> String {
    let (element, around) = path.split_last().unwrap();
    let written = |name: &str| format!(" {name}=\"{}\"", value(name));
    // How a callback is made has no effect without one.
    let callback = attribute
        .and_then(|name| name.strip_suffix("Method").or(name.strip_suffix("Event")))
        .filter(|name| name.to_lowercase().ends_with("callback"))
        .map_or_else(String::new, written);
    // Neither has an effect without the other.
    let other = match attribute {
        Some("username") => written("password"),
        Some("password") => written("username"),
        _ => String::new(),
    };
    let attribute = attribute.map_or_else(String::new, written) + &callback + &other;
    let innermost = format!("<{element}{attribute}>{}</{element}>", inside(element));
    around.iter().rev().fold(innermost, |inner, outer| {
        let needs_url = matches!(*outer, "Stream").then_some(" url=\"wss://ear.example/\"");
        let needs_url = needs_url.unwrap_or_default();
        format!("<{outer}{needs_url}>{inner}</{outer}>")
    })
}

/// Whether what nobody knows is not told of either in this place.
fn is_passed_over(path: &[&str]) -> bool {
    let nonsense = [&path[..path.len() - 1], &["Nonsense"]].concat();
    let log = log_of(&document(&nonsense, None));
    !log.iter()
        .any(|line| line.contains("<Nonsense>") || line.contains("is not supported"))
}

/// What any of the libraries knows: rows, the outer elements first, and their attributes.
fn vocabulary() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut rows: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let lines = VOCABULARIES.iter().flat_map(|text| text.lines());
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let row = words.next().unwrap().trim_start_matches("Response/");
        rows.entry(row).or_default().extend(words);
    }
    rows
}

/// What becomes of each row: of the element, then of its attributes.
fn fates() -> BTreeMap<String, (Fate, BTreeMap<String, Fate>)> {
    let mut rows: BTreeMap<String, (Fate, BTreeMap<String, Fate>)> = BTreeMap::new();
    for (row, attributes) in vocabulary() {
        let path: Vec<&str> = row.split('/').collect();
        let element = path.last().unwrap();
        // What is in something that is not there is not there either.
        let parent = row
            .rsplit_once('/')
            .and_then(|(parent, _)| rows.get(parent));
        let own = match parent {
            Some((told @ (Fate::Told(_) | Fate::Silent), _)) => told.clone(),
            _ if is_passed_over(&path) => Fate::Silent,
            _ => fate(&log_of(&document(&path, None)), element, None),
        };
        let attributes = attributes.into_iter().map(|name| {
            let told = match &own {
                Fate::Supported => fate(&log_of(&document(&path, Some(name))), element, Some(name)),
                told => told.clone(),
            };
            (name.to_owned(), told)
        });
        let attributes = attributes.collect();
        rows.insert(row.to_owned(), (own, attributes));
    }
    rows
}

/// The words about an element that is taken. Panics where there are none, or they are not about the attributes that are taken.
fn meaning(row: &str, attributes: &BTreeMap<String, Fate>) -> &'static Meaning {
    let found = MEANINGS.iter().find(|meaning| meaning.row == row);
    let found = found.unwrap_or_else(|| panic!("say in twiml_meanings.rs what {row} does"));
    let own = found.own.iter().map(|(name, _)| *name);
    let mut said: Vec<&str> = found.as_twilio.split_whitespace().chain(own).collect();
    said.sort_unstable();
    let taken = attributes
        .iter()
        .filter(|(_, fate)| **fate == Fate::Supported);
    let taken: Vec<&str> = taken.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        said, taken,
        "say in twiml_meanings.rs what the attributes of {row} do"
    );
    found
}

fn page(rows: &BTreeMap<String, (Fate, BTreeMap<String, Fate>)>) -> String {
    let libraries = VOCABULARIES.map(|text| text.lines().next().unwrap().trim_start_matches("# "));
    let [python, node] = libraries;
    let mut page = format!(
        "# Every verb and attribute of TwiML\n\n\
         Made by a test, from what `{python}` and `{node}` can write: each line was played by the TwiML component. What has no effect is told in the tenant's log, \
         with the code in the last column; the call goes on. What is refused ends it with an apology. More about what the rest does is in [TwiML](twiml.md).\n\n\
         | element | what it does here | attributes that do what they do at Twilio | the others | no effect, and the log says |\n|---|---|---|---|---|\n"
    );
    for (row, (own, attributes)) in rows {
        let name = row.replace('/', " › ");
        match own {
            Fate::Told(line) if code(line) == "13750" => {
                writeln!(page, "| {name} | refused with 13750 | | | |")
            }
            Fate::Told(line) => writeln!(page, "| {name} | no effect | | | {} |", code(line)),
            Fate::Silent => writeln!(page, "| {name} | no effect | | | nothing |"),
            Fate::Supported => {
                let meaning = meaning(row, attributes);
                let as_twilio = meaning.as_twilio.replace(' ', ", ");
                let others: Vec<String> = meaning
                    .own
                    .iter()
                    .map(|(name, words)| format!("`{name}`: {words}"))
                    .collect();
                let told = told(attributes);
                let others = others.join("; ");
                writeln!(
                    page,
                    "| {name} | {} | {as_twilio} | {others} | {told} |",
                    meaning.does
                )
            }
        }
        .unwrap();
    }
    page
}

/// The attributes that are not there, with the code of each.
fn told(attributes: &BTreeMap<String, Fate>) -> String {
    let told = attributes.iter().filter_map(|(name, fate)| match fate {
        Fate::Told(line) => Some(format!("{name} ({})", code(line))),
        Fate::Supported | Fate::Silent => None,
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Twilio's, which begins the line.
fn code(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

#[test]
fn each_verb_and_attribute_is_obeyed_or_told_with_its_code_and_the_page_says_which() {
    let rows = fates();
    assert!(rows.len() > 80, "{}", rows.len());
    for (row, (own, attributes)) in &rows {
        for told in attributes.values().chain([own]) {
            if let Fate::Told(line) = told {
                let code = code(line);
                let is_code = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit());
                assert!(is_code, "{row}: {line}");
            }
        }
    }
    let silent: Vec<&str> = rows
        .iter()
        .filter(|(_, (own, _))| *own == Fate::Silent)
        .map(|(row, _)| row.as_str())
        .collect();
    assert_eq!(silent, [""; 0], "nothing is passed over without a word");
    // The verbs that a call lives by, so that a parser that tells nothing at all is found out.
    for (row, attribute) in [
        ("Say", "voice"),
        ("Gather", "numDigits"),
        ("Dial/Number", "url"),
    ] {
        assert_eq!(rows[row].1[attribute], Fate::Supported, "{row} {attribute}");
    }
    let unknown = log_of("<Say volume=\"2\">hello</Say>");
    assert!(matches!(
        fate(&unknown, "Say", Some("volume")),
        Fate::Told(_)
    ));

    let page = page(&rows);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(PAGE_FILE, page).unwrap();
        return;
    }
    assert!(
        page == PAGE,
        "docs/book/twiml-table.md is not up to date: run this test with {WRITE}=1 and look at what changes"
    );
}

/// What the log says to have no effect has none: the story asks for the same with and without it. SSML goes on to who speaks it.
#[test]
fn what_is_said_to_have_no_effect_has_none() {
    let mut count = 0;
    for (row, (_, attributes)) in fates() {
        let path: Vec<&str> = row.split('/').collect();
        for (name, fate) in attributes {
            let is_told = matches!(&fate, Fate::Told(line) if line.contains("has no effect"));
            if !is_told || path[0] == "Say" {
                continue;
            }
            let [with, without] = [Some(&*name), None].map(|name| run(&document(&path, name)));
            assert_eq!(with.commands, without.commands, "{row} {name}");
            assert!(!with.commands.is_empty(), "{row} does something");
            count += 1;
        }
    }
    assert_eq!(count, 7);
}
