//! Scripts as TOML, for authors who write no Rust.

mod read;
mod words;

use std::collections::BTreeMap;

use call::{CallError, KeyValueError, PeopleError};
use plugin_host::{Flow, Outcome};
use read::Reader;
use words::{Entry, File, World};

use crate::decisions::Tables;
use crate::registered::PersonWords;
use crate::sent::Sent;
use crate::{DecisionCase, Run, Script};

/// A script with a name.
#[derive(Debug, Clone)]
pub struct Case {
    /// As its author calls it; each in a file has another.
    pub name: String,
    /// What is played.
    pub script: Script,
    /// What the flow must have asked of web servers by its end; none where it does not matter.
    sent: Option<Vec<Sent>>,
    /// All key-value pairs that the account must have in the end; none where it does not matter.
    kept: Option<BTreeMap<String, String>>,
    /// All people whom the account must know in the end, by number; none where it does not matter.
    people: Option<BTreeMap<String, PersonWords>>,
    /// All files that must have been kept of its recordings, in seconds; none where it does not matter.
    files: Option<BTreeMap<String, f64>>,
}

impl Case {
    /// Plays it as `prepare` changes its script; tells why it is no success, if it is none.
    ///
    /// # Panics
    /// As [`crate::run`].
    pub fn play(
        &self,
        flow: &Flow,
        prepare: impl FnOnce(Script) -> Script,
    ) -> (Run, Option<String>) {
        let (run, unexpected) = match crate::run(flow, prepare(self.script.clone())) {
            Ok(run) => (run, None),
            Err(unexpected) => (*unexpected.run, Some(unexpected.why)),
        };
        let outcome = &run.end.outcome;
        let broke = match outcome {
            Outcome::Finished(Ok(()) | Err(CallError::HungUp)) => None,
            _ => Some(format!("the story {outcome}")),
        };
        let trouble = unexpected.or(broke).or_else(|| self.misses(&run));
        (run, trouble)
    }

    /// What the flow should have asked of web servers in this run and did not, or should have kept; none when all is well.
    #[must_use]
    pub fn misses(&self, run: &Run) -> Option<String> {
        let sent = self.sent.as_ref();
        let sent = sent.and_then(|sent| crate::sent::difference(sent, &run.requests));
        let kept = self.kept.as_ref();
        let people = self.people.as_ref();
        sent.or_else(|| crate::kept::difference(kept?, &run.pairs))
            .or_else(|| crate::registered::difference(people?, &run.people))
            .or_else(|| crate::kept_audio::difference(self.files.as_ref()?, &run.files))
    }
}

/// Why a file has no cases to be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It is not TOML, or says something that is not known here; shows the place.
    #[error("{0}")]
    Toml(String),
    /// There is neither `[[case]]` nor `[[route]]` nor `[[retry]]`.
    #[error("there is no [[case]] in it, and no [[route]] or [[retry]] either")]
    None,
    /// Two have the same name.
    #[error("two cases are called \"{0}\": give each a name of its own")]
    NameTaken(String),
    /// A question to a policy or a strategy is not one.
    #[error("case \"{case}\": {why}")]
    Decision {
        /// Its name.
        case: String,
        /// What is wrong with it.
        why: String,
    },
    /// A call does not start then.
    #[error(
        "case \"{case}\": starts-at = {starts_at} is no moment with an offset, as 2026-11-23T09:30:00+07:00 is"
    )]
    StartsAt {
        /// Its name.
        case: String,
        /// As written.
        starts_at: String,
    },
    /// A key-value pair is none that can be kept.
    #[error("case \"{case}\": key-value: {error}")]
    KeyValue {
        /// Its name.
        case: String,
        /// Why not.
        error: KeyValueError,
    },
    /// A person is none that can be kept.
    #[error("case \"{case}\": people: {error}")]
    People {
        /// Its name.
        case: String,
        /// Why not.
        error: PeopleError,
    },
    /// A PIN is none.
    #[error("case \"{case}\": pins: {error}")]
    Pin {
        /// Its name.
        case: String,
        /// Why not.
        error: String,
    },
    /// A duration is not one.
    #[error("case \"{case}\": {seconds} is no number of seconds from 0 to 86,400")]
    Seconds {
        /// Its name.
        case: String,
        /// As written.
        seconds: String,
    },
}

/// The cases of one file.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    /// Callers and what they do: `[[case]]`.
    pub calls: Vec<Case>,
    /// Questions to a routing policy or a retry strategy: `[[route]]` and `[[retry]]`.
    pub decisions: Vec<DecisionCase>,
}

/// Reads a file of cases.
///
/// ```toml
/// [world]                                 # what every call finds; `[case.world]` adds to it
/// prompts = { "menu.wav" = 3.5 }          # seconds
///
/// [[case]]
/// name = "One is for sales"
/// steps = [
///     { flow = "answers" },
///     { flow.plays = "menu.wav" },
///     { caller.presses = "1" },
///     { flow.plays = "sales.wav" },
///     { flow = "hangs-up" },
/// ]
/// ```
///
/// and questions to policies, each about the trunks of the file:
///
/// ```toml
/// [[trunk]]
/// id = "north"
/// prefixes = ["+855"]
///
/// [[route]]
/// name = "A trunk that is down is not tried"
/// call.callee = "+85512345678"
/// trunks.north.health = "down"
/// expect.refuse = "no trunk"
///
/// [[retry]]
/// name = "Nobody dials a number that does not exist"
/// call.callee = "+85512345678"
/// attempts = [{ started = 2026-11-23T09:30:00+07:00, outcome = "unallocated" }]
/// expect.stop = "no such number"
/// ```
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read_cases(text: &str) -> Result<Cases, CaseError> {
    let file: File = toml::from_str(text).map_err(|error| CaseError::Toml(error.to_string()))?;
    let tables = Tables {
        trunks: file.trunks,
        routes: file.routes,
        retries: file.retries,
    };
    if file.cases.is_empty() && tables.is_empty() {
        return Err(CaseError::None);
    }
    let decisions = tables.into_cases(&file.world.settings)?;
    let calls = read_calls(file.cases, &file.world)?;
    let names = calls.iter().map(|case| &case.name);
    let mut names: Vec<&String> = names
        .chain(decisions.iter().map(|case| &case.name))
        .collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(CaseError::NameTaken(pair[0].clone()));
    }
    Ok(Cases { calls, decisions })
}

fn read_calls(entries: Vec<Entry>, world: &World) -> Result<Vec<Case>, CaseError> {
    let mut cases: Vec<Case> = Vec::new();
    for entry in entries {
        let mut script = match entry {
            Entry { whisper: true, .. } => Script::whisper(),
            Entry { outbound: true, .. } => Script::outbound(),
            _ => Script::new(),
        };
        let reader = Reader { case: &entry.name };
        script = reader.surround(script, world.clone())?;
        script = reader.surround(script, entry.world)?;
        for step in entry.steps {
            script = reader.step(script, step)?;
        }
        cases.push(Case {
            name: entry.name,
            script,
            sent: entry.sent,
            kept: entry.kept,
            people: entry.people,
            files: entry.files,
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::{HttpError, HttpResponse, StreamError};

    use super::*;
    use crate::{Callee, Referee};

    #[test]
    fn what_is_wrong_is_told() {
        let case = |steps: &str| format!("[[case]]\nname = \"a\"\nsteps = [{steps}]");
        for (text, expected) in [
            (String::new(), "no [[case]]"),
            ("[[case]]\nname = \"a\"".to_owned(), "missing field `steps`"),
            (case("") + "\n" + &case(""), "two cases are called \"a\""),
            (
                case("{ flow = \"sings\" }"),
                "unknown variant `sings`, expected one of `answers`",
            ),
            (
                case("{ caller.waits = -1 }"),
                "case \"a\": -1 is no number of seconds",
            ),
            (case("{ caller.waits = \"long\" }"), "line 3"),
            (
                case("{ neighbour = \"rings\" }"),
                "expected one of `flow`, `caller`, `callee`, `other`, `api`",
            ),
            (
                "world.prompts = { \"a.wav\" = nan }\n".to_owned() + &case(""),
                "NaN is no number of seconds",
            ),
            (
                "world.starts-at = 2026-11-23T09:30:00\n".to_owned() + &case(""),
                "starts-at = 2026-11-23T09:30:00 is no moment with an offset",
            ),
            (
                "world.key-value = { \"\" = \"x\" }\n".to_owned() + &case(""),
                "case \"a\": key-value: the key has 0 bytes",
            ),
            (
                "world.pins = { pin = \"1234\" }\n".to_owned() + &case(""),
                "case \"a\": pins: the secret `pin` is no PIN: it must have 8 to 16 digits",
            ),
            (
                "world.people = { me = {} }\n".to_owned() + &case(""),
                "case \"a\": people: a person's number is E.164",
            ),
            (case("") + "\npromts = {}", "unknown field `promts`"),
            (
                case("") + "\n[world]\npromts = {}",
                "unknown field `promts`",
            ),
        ] {
            let error = read_cases(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}\n{error}");
        }
    }

    #[test]
    fn steps_are_those_of_the_builder() {
        let mut cases = read_cases(
            r##"
            [world]
            starts-at = 1970-01-01T07:00:02+07:00
            settings = { greeting = "hello" }
            key-value = { "calls/+10" = "41" }
            prompts = { "a.wav" = 1.5 }

            [[case]]
            name = "everything"
            outbound = true
            steps = [
                { flow = "answers" },
                { flow.plays = "a.wav" },
                { caller.presses = "1#" },
                { flow.dials = ["+1", "+2"] },
                { caller.waits = 0.25 },
                { flow = "records" },
                { caller.speaks = 2 },
                { flow.refers = "+3" },
                { flow.continues-with = "survey" },
                { flow.rejects = 486 },
                { flow.streams = "wss://a/" },
                { other = "joins-conference" },
                { other = "leaves-conference" },
                { other = "ends-conference" },
                { other = "gives-up-in-queue" },
                { other = "comes-to-queue" },
                { other = "hangs-up" },
                { callee.answers = "+3" },
                { callee.hangs-up = "+3" },
                { callee.is-busy = "+2" },
                { api = "hangs-up" },
                { caller = "hangs-up" },
            ]
            [case.world]
            from = "+10"
            to = "+11"
            others-in-conference = 2
            others-in-queue = 1
            streams = [{ url = "wss://a/", does = "closes", after = 5 }, { url = "wss://b/", does = "fails" }]
            missing-prompts = ["b.wav"]
            callees = { "+1" = "busy", "+2" = { answers = 3 }, "+4" = { declines = { after = 1, listens = 4 } } }
            referee = { reports = { after = 2.5, status = 486 } }
            [[case.world.http]]
            url = "http://a/"
            status = 201
            headers = { Content-Type = "text/xml" }
            body = "<Response/>"
            [[case.world.http]]
            url = "http://b/"
            unreachable = true
            [[case.world.http]]
            url = "http://c/"
            twiml = "<Response/>"
            always = true

            [[case]]
            name = "a whisper"
            whisper = true
            steps = [{ caller.presses = "1" }, { flow = "puts-through" }]
            "##,
        )
        .unwrap()
        .calls;
        let response = HttpResponse {
            status: 201,
            ..crate::xml("<Response/>")
        };
        let nobody = HttpError::Unreachable("nobody answers, as the script has it".to_owned());
        let expected = Script::outbound()
            .starts_at(2_000)
            .setting("greeting", "hello")
            .pair("calls/+10", b"41")
            .unwrap()
            .prompt("a.wav", Duration::from_millis(1_500))
            .without_prompt("b.wav")
            .respond("http://a/", Ok(response))
            .respond("http://b/", Err(nobody))
            .referee(Referee::reports(Duration::from_millis(2_500), 486))
            .always_respond("http://c/", Ok(crate::xml("<Response/>")))
            .callee("+1", Callee::busy())
            .callee("+2", Callee::answers(Duration::from_secs(3)))
            .callee(
                "+4",
                Callee::answers(Duration::from_secs(1))
                    .listens_for(Duration::from_secs(4))
                    .declines(),
            )
            .stream_closes("wss://a/", Duration::from_secs(5))
            .stream_fails(
                "wss://b/",
                Duration::ZERO,
                StreamError::Lost("as the script has it".to_owned()),
            )
            .with("+10")
            .at("+11")
            .others_in_conference(2)
            .others_in_queue(1)
            .expect_answer()
            .expect_play("a.wav")
            .press("1#")
            .expect_dial(&["+1", "+2"])
            .wait(Duration::from_millis(250))
            .expect_record()
            .speak(Duration::from_secs(2))
            .expect_refer("+3")
            .expect_continue_with("survey")
            .expect_reject(486)
            .expect_stream("wss://a/")
            .other_joins()
            .other_leaves_conference()
            .other_ends_conference()
            .other_gives_up()
            .other_comes_to_queue()
            .other_leaves_queue()
            .callee_answers("+3")
            .callee_hangs_up("+3")
            .callee_is_busy("+2")
            .api_hangs_up()
            .hang_up();
        let whisper = cases.pop().unwrap();
        let expected_whisper = Script::whisper()
            .starts_at(2_000)
            .setting("greeting", "hello")
            .pair("calls/+10", b"41")
            .unwrap()
            .prompt("a.wav", Duration::from_millis(1_500))
            .press("1")
            .expect_put_through();
        assert_eq!(
            format!("{:?}", whisper.script),
            format!("{expected_whisper:?}")
        );
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].name, "everything");
        assert_eq!(format!("{:?}", cases[0].script), format!("{expected:?}"));
    }
}
