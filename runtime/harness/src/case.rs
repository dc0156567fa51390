//! Scripts as TOML, for authors who write no Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{AnsweredBy, HttpError, HttpResponse};
use serde::Deserialize;

use crate::sent::Sent;
use crate::{Callee, Run, Script};

/// A script with a name.
#[derive(Debug, Clone)]
pub struct Case {
    /// As its author calls it; each in a file has another.
    pub name: String,
    /// What is played.
    pub script: Script,
    /// What the flow must have asked of web servers by its end; none where it does not matter.
    sent: Option<Vec<Sent>>,
}

impl Case {
    /// What the flow should have asked of web servers in this run and did not; none when all is well.
    #[must_use]
    pub fn misses(&self, run: &Run) -> Option<String> {
        crate::sent::difference(self.sent.as_ref()?, &run.requests)
    }
}

/// Why a file has no cases to be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It is not TOML, or says something that is not known here; shows the place.
    #[error("{0}")]
    Toml(String),
    /// There is no `[[case]]`.
    #[error("there is no [[case]] in it")]
    None,
    /// Two have the same name.
    #[error("two cases are called \"{0}\": give each a name of its own")]
    NameTaken(String),
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
    /// A duration is not one.
    #[error("case \"{case}\": {seconds} is no number of seconds from 0 to 86,400")]
    Seconds {
        /// Its name.
        case: String,
        /// As written.
        seconds: String,
    },
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
/// # Errors
/// The first thing that is wrong with it.
pub fn read_cases(text: &str) -> Result<Vec<Case>, CaseError> {
    let file: File = toml::from_str(text).map_err(|error| CaseError::Toml(error.to_string()))?;
    if file.cases.is_empty() {
        return Err(CaseError::None);
    }
    let mut cases: Vec<Case> = Vec::new();
    for entry in file.cases {
        if cases.iter().any(|case| case.name == entry.name) {
            return Err(CaseError::NameTaken(entry.name));
        }
        let mut script = match entry.outbound {
            true => Script::outbound(),
            false => Script::new(),
        };
        let seconds = Seconds { case: &entry.name };
        script = seconds.surround(script, file.world.clone())?;
        script = seconds.surround(script, entry.world)?;
        for step in entry.steps {
            script = seconds.step(script, step)?;
        }
        cases.push(Case {
            name: entry.name,
            script,
            sent: entry.sent,
        });
    }
    Ok(cases)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    world: World,
    #[serde(default, rename = "case")]
    cases: Vec<Entry>,
}

/// What surrounds a call: of all cases of a file, and of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct World {
    starts_at: Option<toml::value::Datetime>,
    settings: BTreeMap<String, String>,
    /// Seconds.
    prompts: BTreeMap<String, f64>,
    missing_prompts: Vec<String>,
    http: Vec<Answer>,
    callees: BTreeMap<String, CalleeWords>,
    answered_by: Option<AnsweredByWords>,
}

/// Who answered, as far as a flow asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnsweredByWords {
    who: AnsweredBy,
    /// Seconds until that is known.
    after: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    outbound: bool,
    steps: Vec<StepWords>,
    sent: Option<Vec<Sent>>,
    #[serde(default)]
    world: World,
}

/// What a web server says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Answer {
    url: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// Nobody answers.
    #[serde(default)]
    unreachable: bool,
}

const fn ok() -> u16 {
    200
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CalleeWords {
    Busy,
    NeverAnswers,
    /// After so many seconds.
    Answers(f64),
    AnswersAndTalks {
        after: f64,
        talks: f64,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StepWords {
    Flow(FlowDoes),
    Caller(CallerDoes),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FlowDoes {
    Answers,
    /// With this SIP status.
    Rejects(u16),
    HangsUp,
    Plays(String),
    Says(String),
    Presses(String),
    Echoes(bool),
    Joins(String),
    WaitsInQueue(String),
    ServesQueue(String),
    Dials(Vec<String>),
    Records,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CallerDoes {
    Presses(String),
    /// Seconds, as the next one.
    Speaks(f64),
    Waits(f64),
    HangsUp,
}

/// Reads durations of a case.
struct Seconds<'a> {
    case: &'a str,
}

impl Seconds<'_> {
    fn read(&self, seconds: f64) -> Result<Duration, CaseError> {
        const DAY: f64 = 86_400.0;
        if (0.0..=DAY).contains(&seconds) {
            return Ok(Duration::from_secs_f64(seconds));
        }
        Err(CaseError::Seconds {
            case: self.case.to_owned(),
            seconds: seconds.to_string(),
        })
    }

    fn surround(&self, mut script: Script, world: World) -> Result<Script, CaseError> {
        if let Some(starts_at) = world.starts_at {
            script = script.starts_at(self.unix_ms(starts_at)?);
        }
        for (name, value) in &world.settings {
            script = script.setting(name, value);
        }
        for (source, seconds) in &world.prompts {
            script = script.prompt(source, self.read(*seconds)?);
        }
        for source in &world.missing_prompts {
            script = script.without_prompt(source);
        }
        for answer in world.http {
            let url = answer.url.clone();
            script = script.respond(&url, answer.into_response());
        }
        if let Some(answered) = world.answered_by {
            script = script.answered_by(answered.who, self.read(answered.after)?);
        }
        for (target, words) in world.callees {
            script = script.callee(&target, self.callee(&words)?);
        }
        Ok(script)
    }

    fn unix_ms(&self, moment: toml::value::Datetime) -> Result<u64, CaseError> {
        let timestamp = moment.to_string().parse::<jiff::Timestamp>().ok();
        timestamp
            .and_then(|timestamp| u64::try_from(timestamp.as_millisecond()).ok())
            .ok_or_else(|| CaseError::StartsAt {
                case: self.case.to_owned(),
                starts_at: moment.to_string(),
            })
    }

    fn callee(&self, words: &CalleeWords) -> Result<Callee, CaseError> {
        Ok(match words {
            CalleeWords::Busy => Callee::busy(),
            CalleeWords::NeverAnswers => Callee::never(),
            CalleeWords::Answers(after) => Callee::answers(self.read(*after)?),
            CalleeWords::AnswersAndTalks { after, talks } => {
                Callee::answers(self.read(*after)?).talks_for(self.read(*talks)?)
            }
        })
    }

    fn step(&self, script: Script, step: StepWords) -> Result<Script, CaseError> {
        Ok(match step {
            StepWords::Flow(does) => expect(script, &does),
            StepWords::Caller(CallerDoes::Presses(keys)) => script.press(&keys),
            StepWords::Caller(CallerDoes::Speaks(seconds)) => script.speak(self.read(seconds)?),
            StepWords::Caller(CallerDoes::Waits(seconds)) => script.wait(self.read(seconds)?),
            StepWords::Caller(CallerDoes::HangsUp) => script.hang_up(),
        })
    }
}

fn expect(script: Script, does: &FlowDoes) -> Script {
    match does {
        FlowDoes::Answers => script.expect_answer(),
        FlowDoes::Rejects(status) => script.expect_reject(*status),
        FlowDoes::HangsUp => script.expect_hang_up(),
        FlowDoes::Plays(name) => script.expect_play(name),
        FlowDoes::Says(words) => script.expect_say(words),
        FlowDoes::Presses(keys) => script.expect_press(keys),
        FlowDoes::Echoes(on) => script.expect_echo(*on),
        FlowDoes::Joins(name) => script.expect_join(name),
        FlowDoes::WaitsInQueue(name) => script.expect_enqueue(name),
        FlowDoes::ServesQueue(name) => script.expect_serve(name),
        FlowDoes::Dials(targets) => {
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            script.expect_dial(&targets)
        }
        FlowDoes::Records => script.expect_record(),
    }
}

impl Answer {
    fn into_response(self) -> Result<HttpResponse, HttpError> {
        if self.unreachable {
            let why = "nobody answers, as the script has it".to_owned();
            return Err(HttpError::Unreachable(why));
        }
        let headers = self.headers.into_iter();
        Ok(HttpResponse {
            status: self.status,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
            body: self.body.into_bytes(),
            url: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                "expected `flow` or `caller`",
            ),
            (
                "world.prompts = { \"a.wav\" = nan }\n".to_owned() + &case(""),
                "NaN is no number of seconds",
            ),
            (
                "world.starts-at = 2026-11-23T09:30:00\n".to_owned() + &case(""),
                "starts-at = 2026-11-23T09:30:00 is no moment with an offset",
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
        let cases = read_cases(
            r##"
            [world]
            starts-at = 1970-01-01T07:00:02+07:00
            settings = { greeting = "hello" }
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
                { flow.rejects = 486 },
                { caller = "hangs-up" },
            ]
            [case.world]
            missing-prompts = ["b.wav"]
            callees = { "+1" = "busy", "+2" = { answers = 3 } }
            [[case.world.http]]
            url = "http://a/"
            status = 201
            headers = { Content-Type = "text/xml" }
            body = "<Response/>"
            [[case.world.http]]
            url = "http://b/"
            unreachable = true
            "##,
        )
        .unwrap();
        let response = HttpResponse {
            status: 201,
            ..crate::xml("<Response/>")
        };
        let nobody = HttpError::Unreachable("nobody answers, as the script has it".to_owned());
        let expected = Script::outbound()
            .starts_at(2_000)
            .setting("greeting", "hello")
            .prompt("a.wav", Duration::from_millis(1_500))
            .without_prompt("b.wav")
            .respond("http://a/", Ok(response))
            .respond("http://b/", Err(nobody))
            .callee("+1", Callee::busy())
            .callee("+2", Callee::answers(Duration::from_secs(3)))
            .expect_answer()
            .expect_play("a.wav")
            .press("1#")
            .expect_dial(&["+1", "+2"])
            .wait(Duration::from_millis(250))
            .expect_record()
            .speak(Duration::from_secs(2))
            .expect_reject(486)
            .hang_up();
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].name, "everything");
        assert_eq!(format!("{:?}", cases[0].script), format!("{expected:?}"));
    }
}
