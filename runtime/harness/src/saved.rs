//! A call that was played, as a case to be played again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use call::{Command, Event, HttpError, HttpResponse, Reply, RequestId};
use plugin_host::journal::{Entry, Journal};

use crate::Run;
use crate::callee::CalleeDoes;
use crate::rooms::Other;
use crate::script::{BETWEEN_KEYS, Expectation, Kind, Others, Step, length_of_words};

/// What was done in a call, at which time since it came, and what it found.
#[derive(Debug, Clone)]
pub(crate) struct Deeds {
    pub(crate) kind: Kind,
    pub(crate) parties: [Option<String>; 2],
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) others: Others,
    pub(crate) steps: Vec<(Duration, Step)>,
}

/// Whoever speaks has ended so long before the story does something: at the same moment it might be either that comes first.
const BREATH: Duration = Duration::from_millis(20);

/// An answer of a web server, and to which URL.
type Answered = (String, Result<HttpResponse, HttpError>);

impl Run {
    /// The call as a case for [`crate::read_cases`]: what was done, and what web servers answered, so that it needs none of them.
    #[must_use]
    pub fn to_case(&self, name: &str) -> String {
        let mut case = format!("[[case]]\nname = {}\n", text(name));
        case.push_str(match self.deeds.kind {
            Kind::Inbound => "",
            Kind::Outbound => "outbound = true\n",
            Kind::Whisper => "whisper = true\n",
        });
        case.push_str("steps = [\n");
        for step in steps(&self.deeds.steps) {
            writeln!(case, "    {{ {step} }},").expect("a String takes every text");
        }
        case.push_str("]\n");
        case.push_str(&self.deeds.world());
        case.extend(answers(&self.end.journal).iter().map(answer));
        case
    }
}

impl Deeds {
    fn world(&self) -> String {
        let mut world = String::new();
        let [from, to] = &self.parties;
        for (key, number) in [("from", from), ("to", to)] {
            if let Some(number) = number {
                world.push_str(&format!("{key} = {}\n", text(number)));
            }
        }
        let Others {
            in_conference,
            in_queue,
        } = self.others;
        for (key, others) in [
            ("others-in-conference", in_conference),
            ("others-in-queue", in_queue),
        ] {
            if others > 0 {
                world.push_str(&format!("{key} = {others}\n"));
            }
        }
        for (key, value) in &self.settings {
            world.push_str(&format!("settings.{} = {}\n", text(key), text(value)));
        }
        for target in self.targets() {
            world.push_str(&format!("callees.{} = \"rings\"\n", text(target)));
        }
        match world.is_empty() {
            true => world,
            false => format!("[case.world]\n{world}"),
        }
    }

    /// Who was dialled, each once.
    fn targets(&self) -> Vec<&str> {
        let dialled = self.steps.iter().filter_map(|(_, step)| match step {
            Step::Expect(Expectation::Dial(targets)) => Some(targets.split(", ")),
            _ => None,
        });
        let mut targets: Vec<&str> = dialled.flatten().collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

/// The steps of a case: with the time between them, and keys that were pressed together in one.
fn steps(done: &[(Duration, Step)]) -> Vec<String> {
    let done: Vec<_> = done
        .iter()
        .filter(|(_, step)| !matches!(step, Step::Wait(_)))
        .collect();
    let mut steps = Vec::new();
    let mut last = Duration::ZERO;
    let mut rest = &done[..];
    while let [(at, step), after @ ..] = rest {
        rest = after;
        let passed = at.saturating_sub(last);
        if !matches!(step, Step::Expect(_)) && !passed.is_zero() {
            steps.push(format!("caller.waits = {}", passed.as_secs_f64()));
        }
        last = *at;
        steps.push(match step {
            Step::Press(key) => {
                let mut keys = key.to_string();
                while let [(at, Step::Press(key)), after @ ..] = rest
                    && *at == last + BETWEEN_KEYS
                {
                    keys.push(*key);
                    (last, rest) = (*at, after);
                }
                format!("caller.presses = {}", text(&keys))
            }
            // It takes its time in a case: no longer than until the next step.
            Step::Speak(length) => {
                let until_next = after
                    .first()
                    .map_or(*length, |(next, _)| next.saturating_sub(*at + BREATH));
                let length = until_next.min(*length);
                last += length;
                format!("caller.speaks = {}", length.as_secs_f64())
            }
            Step::Says(words) => {
                last += length_of_words(words);
                format!("caller.says = {}", text(words))
            }
            step => simple(step),
        });
    }
    steps
}

fn simple(step: &Step) -> String {
    match step {
        Step::Expect(expectation) => expected(expectation),
        Step::HangUp => "caller = \"hangs-up\"".to_owned(),
        Step::ApiHangsUp => "api = \"hangs-up\"".to_owned(),
        Step::Callee(target, does) => {
            let does = match does {
                CalleeDoes::Answers => "answers",
                CalleeDoes::IsBusy => "is-busy",
                CalleeDoes::HangsUp => "hangs-up",
            };
            format!("callee.{does} = {}", text(target))
        }
        Step::Other(other) => {
            let does = match other {
                Other::Joins => "joins-conference",
                Other::LeavesConference => "leaves-conference",
                Other::EndsConference => "ends-conference",
                Other::ComesToQueue => "comes-to-queue",
                Other::LeavesQueue => "hangs-up",
                Other::GivesUp => "gives-up-in-queue",
            };
            format!("other = \"{does}\"")
        }
        Step::Press(_) | Step::Speak(_) | Step::Says(_) | Step::Wait(_) => {
            unreachable!("keys, speech and waits take their time")
        }
    }
}

fn expected(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Answer => "flow = \"answers\"".to_owned(),
        Expectation::HangUp => "flow = \"hangs-up\"".to_owned(),
        Expectation::Record => "flow = \"records\"".to_owned(),
        Expectation::PutThrough => "flow = \"puts-through\"".to_owned(),
        Expectation::Refer(target) => format!("flow.refers = {}", text(target)),
        Expectation::ContinueWith(story) => format!("flow.continues-with = {}", text(story)),
        Expectation::Reject(status) => format!("flow.rejects = {status}"),
        Expectation::Echo(on) => format!("flow.echoes = {on}"),
        Expectation::Play(name) => format!("flow.plays = {}", text(name)),
        Expectation::Say(words) => format!("flow.says = {}", text(words)),
        Expectation::Press(keys) => format!("flow.presses = {}", text(keys)),
        Expectation::Join(name) => format!("flow.joins = {}", text(name)),
        Expectation::Enqueue(name) => format!("flow.waits-in-queue = {}", text(name)),
        Expectation::Serve(name) => format!("flow.serves-queue = {}", text(name)),
        Expectation::Stream(url) => format!("flow.streams = {}", text(url)),
        Expectation::Dial(targets) => {
            let targets: Vec<String> = targets.split(", ").map(text).collect();
            format!("flow.dials = [{}]", targets.join(", "))
        }
    }
}

/// What web servers answered, in the order they were asked.
fn answers(journal: &[u8]) -> Vec<Answered> {
    let entries = Journal::read(journal).map_or_else(|_| Vec::new(), |journal| journal.entries);
    let mut asked: BTreeMap<RequestId, String> = BTreeMap::new();
    let mut answered: BTreeMap<RequestId, Answered> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Command {
                command: Command::Http(request),
                result: Ok(Reply::Request(id)),
            } => {
                asked.insert(id, request.url);
            }
            Entry::Next {
                event: Some(Event::HttpResponse(id, result)),
                ..
            } => {
                let url = asked.remove(&id);
                answered.extend(url.map(|url| (id, (url, result))));
            }
            _ => {}
        }
    }
    answered.into_values().collect()
}

fn answer((url, result): &Answered) -> String {
    let head = format!("[[case.world.http]]\nurl = {}\n", text(url));
    let Ok(response) = result else {
        return head + "unreachable = true\n";
    };
    let mut answer = head;
    if response.status != 200 {
        answer.push_str(&format!("status = {}\n", response.status));
    }
    let content_type = response.headers.iter();
    let content_type = content_type.filter(|(name, _)| name == "content-type");
    for (name, value) in content_type {
        answer.push_str(&format!("headers.{name} = {}\n", text(value)));
    }
    let body = String::from_utf8_lossy(&response.body);
    answer.push_str(&format!("body = {}\n", text(&body)));
    answer
}

/// A string as TOML has it.
fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn time_between_steps_is_written_down() {
        let key = |ms, key| (Duration::from_millis(ms), Step::Press(key));
        let done = [
            (s(0), Step::Expect(Expectation::Answer)),
            (s(1), Step::Expect(Expectation::Say("a \"b\"".to_owned()))),
            (s(2), Step::Wait(s(1))),
            key(3_000, '1'),
            key(3_200, '2'),
            key(3_900, '#'),
            (s(4), Step::Expect(Expectation::Record)),
            (s(4), Step::Speak(s(5))),
            (s(11), Step::Other(Other::Joins)),
            (s(11), Step::Speak(s(5))),
            (s(12), Step::Says("yes".to_owned())),
            (s(12), Step::Expect(Expectation::HangUp)),
        ];
        assert_eq!(
            steps(&done),
            [
                "flow = \"answers\"",
                "flow.says = 'a \"b\"'",
                "caller.waits = 2",
                "caller.presses = \"12\"",
                "caller.waits = 0.7",
                "caller.presses = \"#\"",
                "flow = \"records\"",
                "caller.speaks = 5",
                "caller.waits = 2",
                "other = \"joins-conference\"",
                "caller.speaks = 0.98",
                "caller.waits = 0.02",
                "caller.says = \"yes\"",
                "flow = \"hangs-up\"",
            ]
        );
    }
}
