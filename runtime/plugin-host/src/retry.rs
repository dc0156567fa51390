//! Whether, and when, a call is tried again: the words of `jackfield:retry`, and who answers.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempts::{Attempt, OutboundCall};
use crate::bindings::retry::RetryStrategyPre;
use crate::decision::{Answered, DecisionSetup, NoDecision, Sitting};
use crate::sandbox::Sandbox;
use crate::story::timed;

/// The farthest that a next attempt may be.
const HORIZON: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A call whose last attempt is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// The call.
    pub call: OutboundCall,
    /// What was tried, the first attempt in front; at least one.
    pub attempts: Vec<Attempt>,
    /// When it may be dialled at all.
    #[serde(default)]
    pub window: Window,
    /// How many attempts who placed it wants at most.
    #[serde(default)]
    pub max_attempts: Option<u32>,
    /// Now, in milliseconds since 1970.
    pub now_unix_ms: u64,
}

/// From when until when a call may be dialled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// Not before, in milliseconds since 1970.
    pub from_unix_ms: Option<u64>,
    /// Not then, nor later, in milliseconds since 1970.
    pub until_unix_ms: Option<u64>,
}

/// What becomes of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is tried again.
    Again(NextAttempt),
    /// It is not; says why.
    Stop(String),
}

/// When a call is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NextAttempt {
    /// In milliseconds since 1970; neither before now nor outside of the request's window.
    pub at_unix_ms: u64,
    /// Why then.
    pub reason: String,
}

/// A loaded component of the world `retry-strategy`. Cheap to clone; drops its code with the last clone.
#[derive(Clone)]
pub struct Strategy(Arc<Loaded>);

struct Loaded {
    engine: wasmtime::Engine,
    component: RetryStrategyPre<Sandbox>,
}

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strategy").finish_non_exhaustive()
    }
}

impl Strategy {
    pub(crate) fn new(engine: wasmtime::Engine, component: RetryStrategyPre<Sandbox>) -> Self {
        Self(Arc::new(Loaded { engine, component }))
    }

    /// Asks what becomes of a call, in an instance of its own.
    ///
    /// The future computes for at most 5 ms at a time, then lets others run: it belongs on a task that may compute. The time of the
    /// next attempt is brought into the request's window, or the call stops where that is over.
    pub async fn next(&self, request: &Request, setup: DecisionSetup) -> Answered<Decision> {
        let Loaded { engine, component } = &*self.0;
        let mut sitting = Sitting::open(engine, setup, request.now_unix_ms, request);
        let mut busy = Duration::ZERO;
        let asked_about = request.into();
        let returned = timed(&mut busy, async {
            let instance = component.instantiate_async(&mut sitting.store).await?;
            instance
                .jackfield_retry_strategy()
                .call_next(&mut sitting.store, &asked_about)
                .await
        })
        .await;
        let returned = returned.map(|decision| decision.map(Decision::from));
        let mut answered = sitting.close(busy, returned);
        answered.result = answered
            .result
            .and_then(|decision| decision.within(request));
        answered
    }
}

impl Decision {
    /// The same, no earlier than now and inside of the window.
    fn within(self, request: &Request) -> Result<Self, NoDecision> {
        let Self::Again(next) = self else {
            return Ok(self);
        };
        let now = request.now_unix_ms;
        let horizon = now.saturating_add(u64::try_from(HORIZON.as_millis()).unwrap_or(u64::MAX));
        if next.at_unix_ms > horizon {
            let days = (next.at_unix_ms - now) / (24 * 60 * 60 * 1_000);
            return Err(NoDecision::Unusable(format!(
                "the next attempt would be in {days} days: 366 are possible"
            )));
        }
        let Window {
            from_unix_ms,
            until_unix_ms,
        } = request.window;
        let at_unix_ms = next.at_unix_ms.max(now).max(from_unix_ms.unwrap_or(0));
        Ok(match until_unix_ms {
            Some(until) if at_unix_ms >= until => Self::Stop(format!(
                "the time in which the call may be dialled is over before the next attempt ({})",
                next.reason
            )),
            _ => Self::Again(NextAttempt { at_unix_ms, ..next }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempts::Priority;

    const NOW: u64 = 1_000_000;

    fn request(from_unix_ms: Option<u64>, until_unix_ms: Option<u64>) -> Request {
        Request {
            call: OutboundCall {
                call_sid: String::new(),
                account_sid: String::new(),
                caller: "1294".to_owned(),
                callee: "+85512345678".to_owned(),
                operator: None,
                priority: Priority::Ordinary,
                purpose: None,
            },
            attempts: Vec::new(),
            window: Window {
                from_unix_ms,
                until_unix_ms,
            },
            max_attempts: None,
            now_unix_ms: NOW,
        }
    }

    #[test]
    fn the_next_attempt_is_brought_into_the_window() {
        for (from, until, asked, expected) in [
            (None, None, NOW + 5, Some(NOW + 5)),
            (None, None, 0, Some(NOW)),
            (Some(NOW + 60), None, NOW + 5, Some(NOW + 60)),
            (None, Some(NOW + 10), NOW + 9, Some(NOW + 9)),
            (None, Some(NOW + 10), NOW + 10, None),
            (Some(NOW + 20), Some(NOW + 10), NOW + 5, None),
            (None, Some(NOW), 0, None),
        ] {
            let again = Decision::Again(NextAttempt {
                at_unix_ms: asked,
                reason: "busy".to_owned(),
            });
            let decided = again.within(&request(from, until)).unwrap();
            let at = match &decided {
                Decision::Again(next) => Some(next.at_unix_ms),
                Decision::Stop(why) => {
                    assert!(why.ends_with("before the next attempt (busy)"), "{why}");
                    None
                }
            };
            assert_eq!(at, expected, "{from:?} {until:?} {asked}");
        }
    }

    #[test]
    fn a_time_far_away_is_a_mistake() {
        let again = |at_unix_ms| {
            let reason = String::new();
            Decision::Again(NextAttempt { at_unix_ms, reason }).within(&request(None, None))
        };
        assert!(again(NOW + 366 * 86_400_000).is_ok());
        let error = again(NOW + 400 * 86_400_000).unwrap_err().to_string();
        assert!(error.contains("in 400 days"), "{error}");
        assert!(again(u64::MAX).is_err());
    }
}
