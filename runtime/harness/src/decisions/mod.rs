//! Questions to routing policies and retry strategies, and what they must answer.

mod expected;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plugin_host::{Answered, DecisionLimits, DecisionSetup, LogLine, Worlds, retry, routing};

use expected::{ExpectedRetry, ExpectedRoute};
pub(crate) use read::Tables;

/// One question and what must be answered.
#[derive(Debug, Clone)]
pub struct DecisionCase {
    /// As its author calls it; each in a file has another.
    pub name: String,
    settings: BTreeMap<String, String>,
    question: Question,
}

#[derive(Debug, Clone)]
enum Question {
    Route {
        request: routing::Request,
        trunks: Vec<routing::Trunk>,
        expected: ExpectedRoute,
    },
    Retry {
        request: retry::Request,
        expected: ExpectedRetry,
    },
}

/// What came of a [`DecisionCase`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The question in a few words, the answer, and what the component logged.
    pub transcript: String,
    /// What was expected and what was answered in its place; none when all is well.
    pub trouble: Option<String>,
}

impl DecisionCase {
    /// Asks the component, and compares.
    ///
    /// # Panics
    /// When called inside a tokio runtime, or when the system gives no resources for one.
    #[must_use]
    pub fn play(&self, worlds: &Worlds) -> Verdict {
        let settings = &self.settings;
        match &self.question {
            Question::Route {
                request,
                trunks,
                expected,
            } => {
                let Some(policy) = &worlds.routing_policy else {
                    return Verdict::without("routing policy");
                };
                let (answered, log) = route(policy, request, trunks, settings);
                let asked = expected::routed(request, trunks);
                Verdict::of(
                    asked,
                    expected::route_answer(&answered),
                    &log,
                    expected.trouble(&answered),
                )
            }
            Question::Retry { request, expected } => {
                let Some(strategy) = &worlds.retry_strategy else {
                    return Verdict::without("retry strategy");
                };
                let (answered, log) = retry(strategy, request, settings);
                let asked = expected::retried(request);
                Verdict::of(
                    asked,
                    expected::retry_answer(&answered),
                    &log,
                    expected.trouble(&answered),
                )
            }
        }
    }
}

impl Verdict {
    fn of(
        asked: Vec<String>,
        answer: Vec<String>,
        log: &[LogLine],
        trouble: Option<String>,
    ) -> Self {
        let mut lines: Vec<String> = asked.iter().map(|line| format!("asked   {line}")).collect();
        lines.extend(log.iter().map(|line| format!("log     {}", line.message)));
        lines.extend(answer.iter().map(|line| format!("answer  {line}")));
        Self {
            transcript: lines.join("\n"),
            trouble,
        }
    }

    fn without(world: &str) -> Self {
        Self {
            transcript: String::new(),
            trouble: Some(format!("the component is no {world}")),
        }
    }
}

/// Asks a policy, on a tokio runtime of its own; gives what it answered and logged.
///
/// # Panics
/// When called inside a tokio runtime, or when the system gives no resources for one.
#[must_use]
pub fn route(
    policy: &routing::Policy,
    request: &routing::Request,
    trunks: &[routing::Trunk],
    settings: &BTreeMap<String, String>,
) -> (Answered<routing::Decision>, Vec<LogLine>) {
    ask(settings, |setup| policy.route(request, trunks, setup))
}

/// Asks a strategy, on a tokio runtime of its own; gives what it answered and logged.
///
/// # Panics
/// When called inside a tokio runtime, or when the system gives no resources for one.
#[must_use]
pub fn retry(
    strategy: &retry::Strategy,
    request: &retry::Request,
    settings: &BTreeMap<String, String>,
) -> (Answered<retry::Decision>, Vec<LogLine>) {
    ask(settings, |setup| strategy.next(request, setup))
}

fn ask<A, F: Future<Output = A>>(
    settings: &BTreeMap<String, String>,
    question: impl FnOnce(DecisionSetup) -> F,
) -> (A, Vec<LogLine>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let setup = DecisionSetup {
        settings: settings.clone(),
        limits: DecisionLimits::default(),
        log: Arc::new(move |line| {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }),
    };
    let answer = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread needs nothing")
        .block_on(question(setup));
    let lines = std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner));
    (answer, lines)
}
