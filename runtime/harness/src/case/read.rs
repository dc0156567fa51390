//! One case's words as a script.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{StreamError, check_pin};

use super::CaseError;
use super::words::{
    ApiDoes, CalleeDoes, CalleeWords, CallerDoes, FlowDoes, OtherDoes, RefereeWords, StepWords,
    StreamEndWords, StreamWords, World,
};
use crate::registered::PersonWords;
use crate::{Callee, Referee, Script};

/// Reads the words of one case.
pub(super) struct Reader<'a> {
    pub(super) case: &'a str,
}

impl Reader<'_> {
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

    pub(super) fn surround(&self, mut script: Script, world: World) -> Result<Script, CaseError> {
        if let Some(starts_at) = world.starts_at {
            script = script.starts_at(self.unix_ms(starts_at)?);
        }
        for (name, value) in &world.settings {
            script = script.setting(name, value);
        }
        script = self.kept(script, &world.key_value, world.people)?;
        script = self.pins(script, &world.pins, world.pin_locked)?;
        for (source, seconds) in &world.prompts {
            script = script.prompt(source, self.read(*seconds)?);
        }
        for source in &world.missing_prompts {
            script = script.without_prompt(source);
        }
        for answer in world.http {
            let (url, always) = (answer.url.clone(), answer.always);
            let response = answer.into_response();
            script = match always {
                true => script.always_respond(&url, response),
                false => script.respond(&url, response),
            };
        }
        if let Some(answered) = world.answered_by {
            script = script.answered_by(answered.who, self.read(answered.after)?);
        }
        if let Some(words) = world.referee {
            script = script.referee(self.referee(&words)?);
        }
        for (target, words) in world.callees {
            script = script.callee(&target, self.callee(&words)?);
        }
        if world.recogniser == Some(false) {
            script = script.without_recogniser();
        }
        for stream in world.streams {
            script = self.stream(script, &stream)?;
        }
        if let Some(number) = world.from {
            script = script.with(&number);
        }
        if let Some(number) = world.to {
            script = script.at(&number);
        }
        if let Some(others) = world.others_in_conference {
            script = script.others_in_conference(others);
        }
        if let Some(others) = world.others_in_queue {
            script = script.others_in_queue(others);
        }
        Ok(script)
    }

    /// What the account keeps.
    fn kept(
        &self,
        mut script: Script,
        pairs: &BTreeMap<String, String>,
        people: BTreeMap<String, PersonWords>,
    ) -> Result<Script, CaseError> {
        for (key, value) in pairs {
            let kept = script.pair(key, value.as_bytes());
            script = kept.map_err(|error| CaseError::KeyValue {
                case: self.case.to_owned(),
                error,
            })?;
        }
        for (number, words) in people {
            let known = script.person(words.into_person(&number));
            script = known.map_err(|error| CaseError::People {
                case: self.case.to_owned(),
                error,
            })?;
        }
        Ok(script)
    }

    fn pins(
        &self,
        mut script: Script,
        pins: &BTreeMap<String, String>,
        locked_s: Option<u32>,
    ) -> Result<Script, CaseError> {
        for (name, digits) in pins {
            check_pin(name, digits).map_err(|error| CaseError::Pin {
                case: self.case.to_owned(),
                error,
            })?;
            script = script.pin(name, digits);
        }
        Ok(match locked_s {
            Some(seconds) => script.pin_locked(seconds),
            None => script,
        })
    }

    fn referee(&self, words: &RefereeWords) -> Result<Referee, CaseError> {
        Ok(match *words {
            RefereeWords::Refuses(status) => Referee::refuses(status),
            RefereeWords::Reports { after, status } => Referee::reports(self.read(after)?, status),
            RefereeWords::Silent => Referee::silent(),
        })
    }

    fn stream(&self, script: Script, stream: &StreamWords) -> Result<Script, CaseError> {
        let after = self.read(stream.after)?;
        Ok(match stream.does {
            StreamEndWords::Closes => script.stream_closes(&stream.url, after),
            StreamEndWords::Fails => {
                let error = StreamError::Lost("as the script has it".to_owned());
                script.stream_fails(&stream.url, after, error)
            }
        })
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
            CalleeWords::NeverAnswers | CalleeWords::Rings => Callee::never(),
            CalleeWords::Answers(after) => Callee::answers(self.read(*after)?),
            CalleeWords::AnswersAndTalks {
                after,
                talks,
                listens,
            } => Callee::answers(self.read(*after)?)
                .listens_for(self.read(*listens)?)
                .talks_for(self.read(*talks)?),
            CalleeWords::Declines { after, listens } => Callee::answers(self.read(*after)?)
                .listens_for(self.read(*listens)?)
                .declines(),
        })
    }

    pub(super) fn step(&self, script: Script, step: StepWords) -> Result<Script, CaseError> {
        Ok(match step {
            StepWords::Flow(does) => expect(script, &does),
            StepWords::Caller(CallerDoes::Presses(keys)) => script.press(&keys),
            StepWords::Caller(CallerDoes::Speaks(seconds)) => script.speak(self.read(seconds)?),
            StepWords::Caller(CallerDoes::Says(words)) => script.says(&words),
            StepWords::Caller(CallerDoes::Waits(seconds)) => script.wait(self.read(seconds)?),
            StepWords::Caller(CallerDoes::HangsUp) => script.hang_up(),
            StepWords::Callee(CalleeDoes::Answers(target)) => script.callee_answers(&target),
            StepWords::Callee(CalleeDoes::IsBusy(target)) => script.callee_is_busy(&target),
            StepWords::Callee(CalleeDoes::HangsUp(target)) => script.callee_hangs_up(&target),
            StepWords::Other(does) => other(script, &does),
            StepWords::Api(ApiDoes::HangsUp) => script.api_hangs_up(),
        })
    }
}

fn expect(script: Script, does: &FlowDoes) -> Script {
    match does {
        FlowDoes::Answers => script.expect_answer(),
        FlowDoes::Rejects(status) => script.expect_reject(*status),
        FlowDoes::HangsUp => script.expect_hang_up(),
        FlowDoes::PutsThrough => script.expect_put_through(),
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
        FlowDoes::Streams(name) => script.expect_stream(name),
        FlowDoes::Records => script.expect_record(),
        FlowDoes::Refers(target) => script.expect_refer(target),
        FlowDoes::ContinuesWith(story) => script.expect_continue_with(story),
    }
}

fn other(script: Script, does: &OtherDoes) -> Script {
    match does {
        OtherDoes::JoinsConference => script.other_joins(),
        OtherDoes::LeavesConference => script.other_leaves_conference(),
        OtherDoes::EndsConference => script.other_ends_conference(),
        OtherDoes::ComesToQueue => script.other_comes_to_queue(),
        OtherDoes::GivesUpInQueue => script.other_gives_up(),
        OtherDoes::HangsUp => script.other_leaves_queue(),
    }
}
