//! What a decision must be, and how it differs.

use std::time::Duration;

use jiff::Timestamp;
use plugin_host::{Answered, NoDecision, retry, routing};
use serde::Deserialize;

/// What a policy must answer: one of the first four.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExpectedRoute {
    attempts: Option<Vec<ExpectedAttempt>>,
    /// Words of the reason, as the next two.
    wait: Option<String>,
    refuse: Option<String>,
    error: Option<String>,
    /// Of a wait.
    until_unix_ms: Option<u64>,
}

/// A trunk alone, or with more that must be so.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum ExpectedAttempt {
    Trunk(String),
    Attempt(AttemptWords),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AttemptWords {
    trunk: String,
    dialled: Option<String>,
    caller_id: Option<String>,
    ring_timeout_s: Option<u32>,
    /// Words of it.
    reason: Option<String>,
}

/// What a strategy must answer: one of the first three.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExpectedRetry {
    again_unix_ms: Option<u64>,
    /// Words of the reason, as the next one.
    stop: Option<String>,
    error: Option<String>,
    /// Words of another attempt's reason.
    reason: Option<String>,
}

impl ExpectedRoute {
    /// Whether it says one thing.
    pub(super) fn is_one(&self) -> bool {
        let said = [
            self.attempts.is_some(),
            self.wait.is_some(),
            self.refuse.is_some(),
            self.error.is_some(),
        ];
        said.iter().filter(|said| **said).count() == 1
    }

    pub(super) fn trouble(&self, answered: &Answered<routing::Decision>) -> Option<String> {
        let fits = match &answered.result {
            Ok(routing::Decision::Attempts(attempts)) => {
                self.attempts.as_ref().is_some_and(|expected| {
                    expected.len() == attempts.len()
                        && expected
                            .iter()
                            .zip(attempts)
                            .all(|(expected, attempt)| expected.fits(attempt))
                })
            }
            Ok(routing::Decision::Wait(pause)) => {
                says(self.wait.as_ref(), &pause.reason)
                    && self
                        .until_unix_ms
                        .is_none_or(|until| pause.until_unix_ms == Some(until))
            }
            Ok(routing::Decision::Refuse(why)) => says(self.refuse.as_ref(), why),
            Err(error) => is_error(self.error.as_ref(), error),
        };
        (!fits).then(|| {
            let answer = route_answer(answered).join(", ");
            format!(
                "the case has `{}`, the policy answers `{answer}`",
                self.words()
            )
        })
    }

    fn words(&self) -> String {
        if let Some(attempts) = &self.attempts {
            let attempts: Vec<_> = attempts.iter().map(ExpectedAttempt::words).collect();
            return attempts.join(", ");
        }
        if let Some(words) = &self.wait {
            let until = self
                .until_unix_ms
                .map(|ms| format!(" until {}", moment(ms)));
            return format!("wait{}: …{words}…", until.unwrap_or_default());
        }
        match (&self.refuse, &self.error) {
            (Some(words), _) => format!("refuse: …{words}…"),
            (None, Some(words)) => format!("error: …{words}…"),
            (None, None) => "nothing".to_owned(),
        }
    }
}

impl ExpectedAttempt {
    fn fits(&self, attempt: &routing::PlannedAttempt) -> bool {
        match self {
            Self::Trunk(trunk) => *trunk == attempt.trunk,
            Self::Attempt(expected) => {
                expected.trunk == attempt.trunk
                    && (expected.dialled.is_none() || expected.dialled == attempt.dialled)
                    && (expected.caller_id.is_none() || expected.caller_id == attempt.caller_id)
                    && (expected.ring_timeout_s.is_none()
                        || expected.ring_timeout_s == attempt.ring_timeout_s)
                    && expected
                        .reason
                        .as_ref()
                        .is_none_or(|words| attempt.reason.contains(words.as_str()))
            }
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Trunk(trunk) => format!("over {trunk}"),
            Self::Attempt(expected) => {
                let AttemptWords {
                    trunk,
                    dialled,
                    caller_id,
                    ring_timeout_s,
                    reason,
                } = expected;
                let reason = reason.as_ref().map(|words| format!("…{words}…"));
                attempt_words(
                    trunk,
                    dialled.as_deref(),
                    caller_id.as_deref(),
                    *ring_timeout_s,
                    reason.as_deref(),
                )
            }
        }
    }
}

impl ExpectedRetry {
    /// Whether it says one thing.
    pub(super) fn is_one(&self) -> bool {
        let said = [
            self.again_unix_ms.is_some(),
            self.stop.is_some(),
            self.error.is_some(),
        ];
        said.iter().filter(|said| **said).count() == 1
    }

    pub(super) fn trouble(&self, answered: &Answered<retry::Decision>) -> Option<String> {
        let fits = match &answered.result {
            Ok(retry::Decision::Again(next)) => {
                self.again_unix_ms == Some(next.at_unix_ms)
                    && self
                        .reason
                        .as_ref()
                        .is_none_or(|words| next.reason.contains(words.as_str()))
            }
            Ok(retry::Decision::Stop(why)) => says(self.stop.as_ref(), why),
            Err(error) => is_error(self.error.as_ref(), error),
        };
        (!fits).then(|| {
            let answer = retry_answer(answered).join(", ");
            format!(
                "the case has `{}`, the strategy answers `{answer}`",
                self.words()
            )
        })
    }

    fn words(&self) -> String {
        if let Some(ms) = self.again_unix_ms {
            let reason = self.reason.as_ref().map(|words| format!(": …{words}…"));
            return format!("again at {}{}", moment(ms), reason.unwrap_or_default());
        }
        match (&self.stop, &self.error) {
            (Some(words), _) => format!("stop: …{words}…"),
            (None, Some(words)) => format!("error: …{words}…"),
            (None, None) => "nothing".to_owned(),
        }
    }
}

fn says(expected: Option<&String>, text: &str) -> bool {
    expected.is_some_and(|words| text.contains(words.as_str()))
}

fn is_error(expected: Option<&String>, error: &NoDecision) -> bool {
    says(expected, &error.to_string())
}

/// What a policy was asked.
pub(super) fn routed(request: &routing::Request, trunks: &[routing::Trunk]) -> Vec<String> {
    let routing::Request {
        call,
        attempts,
        now_unix_ms,
    } = request;
    let mut lines = vec![format!(
        "from {} to {} at {}, after {} attempts",
        call.caller,
        call.callee,
        moment(*now_unix_ms),
        attempts.len()
    )];
    lines.extend(trunks.iter().map(|trunk| {
        let routing::Channels { used, limit } = trunk.channels;
        format!(
            "{} is {:?}, {used} of {limit} channels in use",
            trunk.id, trunk.health
        )
        .to_lowercase()
    }));
    lines
}

/// What a policy answered, a line for each attempt.
pub(super) fn route_answer(answered: &Answered<routing::Decision>) -> Vec<String> {
    match &answered.result {
        Ok(routing::Decision::Attempts(attempts)) => attempts
            .iter()
            .map(|attempt| {
                attempt_words(
                    &attempt.trunk,
                    attempt.dialled.as_deref(),
                    attempt.caller_id.as_deref(),
                    attempt.ring_timeout_s,
                    Some(&attempt.reason),
                )
            })
            .collect(),
        Ok(routing::Decision::Wait(pause)) => {
            let until = pause
                .until_unix_ms
                .map(|ms| format!(" until {}", moment(ms)));
            vec![format!(
                "wait{}: {}",
                until.unwrap_or_default(),
                pause.reason
            )]
        }
        Ok(routing::Decision::Refuse(why)) => vec![format!("refuse: {why}")],
        Err(error) => vec![format!("error: {error}")],
    }
}

fn attempt_words(
    trunk: &str,
    dialled: Option<&str>,
    caller_id: Option<&str>,
    ring_timeout_s: Option<u32>,
    reason: Option<&str>,
) -> String {
    let mut words = format!("over {trunk}");
    for (word, value) in [
        (" dialling ", dialled.map(str::to_owned)),
        (" showing ", caller_id.map(str::to_owned)),
        (
            " ringing ",
            ring_timeout_s.map(|seconds| format!("{seconds} s")),
        ),
        (": ", reason.map(str::to_owned)),
    ] {
        if let Some(value) = value {
            words.push_str(word);
            words.push_str(&value);
        }
    }
    words
}

/// What a strategy was asked.
pub(super) fn retried(request: &retry::Request) -> Vec<String> {
    let call = &request.call;
    let now = moment(request.now_unix_ms);
    let mut lines = vec![format!("from {} to {} at {now}", call.caller, call.callee)];
    lines.extend(request.attempts.iter().enumerate().map(|(index, attempt)| {
        let took = Duration::from_millis(
            attempt
                .ended_unix_ms
                .saturating_sub(attempt.started_unix_ms),
        );
        format!(
            "attempt {} over {} at {}, {} s: {:?}",
            index + 1,
            attempt.trunk,
            moment(attempt.started_unix_ms),
            took.as_secs(),
            attempt.outcome
        )
    }));
    lines
}

/// What a strategy answered.
pub(super) fn retry_answer(answered: &Answered<retry::Decision>) -> Vec<String> {
    vec![match &answered.result {
        Ok(retry::Decision::Again(next)) => {
            format!("again at {}: {}", moment(next.at_unix_ms), next.reason)
        }
        Ok(retry::Decision::Stop(why)) => format!("stop: {why}"),
        Err(error) => format!("error: {error}"),
    }]
}

/// As `2026-11-23T02:30:00Z`.
fn moment(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).ok();
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || format!("{unix_ms} ms"),
            |timestamp| timestamp.to_string(),
        )
}
