//! Over which trunks an outbound call is tried: the words of `jackfield:routing`, and who answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempts::{Attempt, OutboundCall};
use crate::bindings::routing::RoutingPolicyPre;
use crate::decision::{Answered, DecisionSetup, NoDecision, Sitting};
use crate::sandbox::Sandbox;
use crate::story::timed;

/// Attempts that a decision may plan.
const MAX_ATTEMPTS: usize = 10;
/// The longest that a call may be told to wait.
const HORIZON_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Characters of a number as it is dialled.
const MAX_DIALLED: usize = 32;
/// Seconds that an attempt may ring.
const RING_TIMEOUT_S: std::ops::RangeInclusive<u32> = 1..=600;

/// A call that may be dialled now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// The call.
    pub call: OutboundCall,
    /// What was tried for it so far, the first attempt in front.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Now, in milliseconds since 1970.
    pub now_unix_ms: u64,
}

/// A trunk that the call's account may use, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trunk {
    /// Its name.
    pub id: String,
    /// Beginnings of called numbers that it serves; without any it serves all.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// Whether its targets answer probes.
    #[serde(default)]
    pub health: Health,
    /// Calls that it carries, both directions together.
    #[serde(default)]
    pub channels: Channels,
    /// Calls that it carries to numbers that begin so.
    #[serde(default)]
    pub prefix_channels: Vec<PrefixChannels>,
    /// Outbound calls that it may begin at once.
    #[serde(default = "plenty")]
    pub starts_left: u32,
    /// It asked to be left alone until then, in milliseconds since 1970.
    #[serde(default)]
    pub closed_until_unix_ms: Option<u64>,
    /// What came of its outbound calls in the last 15 minutes.
    #[serde(default)]
    pub recent: Recent,
    /// What it charges.
    #[serde(default)]
    pub prices: Vec<Price>,
    /// What the operator wrote on it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A rate that is not near its bound.
const fn plenty() -> u32 {
    100
}

/// Whether a trunk's targets answer probes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// All of them do, or nobody probes them.
    #[default]
    Up,
    /// Some do.
    Degraded,
    /// None does, or its gateway is not registered.
    Down,
}

/// Calls at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// Calls that are up or being set up.
    pub used: u32,
    /// The most that may be.
    pub limit: u32,
}

impl Default for Channels {
    /// An idle trunk of 30 channels, as one E1 line has.
    fn default() -> Self {
        Self { used: 0, limit: 30 }
    }
}

/// Calls at once to numbers that begin so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefixChannels {
    /// With its plus.
    pub prefix: String,
    /// The channels of that part of the trunk.
    pub channels: Channels,
}

/// What came of outbound calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recent {
    /// Calls that were begun, and are over.
    pub attempted: u32,
    /// Those among them that were answered.
    pub answered: u32,
    /// Those among them that met with congestion.
    pub congested: u32,
}

/// What a minute costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Price {
    /// Beginning of the called number, with its plus; empty for all numbers.
    #[serde(default)]
    pub prefix: String,
    /// Millionths of a unit of the currency.
    pub micros_per_minute: u64,
    /// Three capital letters of ISO 4217.
    pub currency: String,
}

/// What becomes of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is tried so, one after the other.
    Attempts(Vec<PlannedAttempt>),
    /// It waits, and is decided about anew.
    Wait(Pause),
    /// It is not dialled at all; says why.
    Refuse(String),
}

/// One attempt to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedAttempt {
    /// The id of a trunk.
    pub trunk: String,
    /// The number as it is dialled; without it the called number in the trunk's own form.
    pub dialled: Option<String>,
    /// The number that is shown; without it the call's own.
    pub caller_id: Option<String>,
    /// Seconds that it may ring; without it what the call asks for.
    pub ring_timeout_s: Option<u32>,
    /// Why this one, and why here.
    pub reason: String,
}

/// No attempt now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pause {
    /// In milliseconds since 1970; without it as soon as a call of the trunks ends.
    pub until_unix_ms: Option<u64>,
    /// Why.
    pub reason: String,
}

/// A loaded component of the world `routing-policy`. Cheap to clone; drops its code with the last clone.
#[derive(Clone)]
pub struct Policy(Arc<Loaded>);

struct Loaded {
    engine: wasmtime::Engine,
    component: RoutingPolicyPre<Sandbox>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}

impl Policy {
    pub(crate) fn new(engine: wasmtime::Engine, component: RoutingPolicyPre<Sandbox>) -> Self {
        Self(Arc::new(Loaded { engine, component }))
    }

    /// Asks what becomes of a call, in an instance of its own.
    ///
    /// The future computes for at most 5 ms at a time, then lets others run: it belongs on a task that may compute. An answer
    /// that cannot be followed (a trunk that is not among `trunks`, a number that cannot be dialled) is none.
    pub async fn route(
        &self,
        request: &Request,
        trunks: &[Trunk],
        setup: DecisionSetup,
    ) -> Answered<Decision> {
        let Loaded { engine, component } = &*self.0;
        let mut sitting = Sitting::open(engine, setup, request.now_unix_ms, &(request, trunks));
        let mut busy = Duration::ZERO;
        let asked_about = request.into();
        let trunk_states: Vec<_> = trunks.iter().map(Into::into).collect();
        let returned = timed(&mut busy, async {
            let instance = component.instantiate_async(&mut sitting.store).await?;
            instance
                .jackfield_routing_policy()
                .call_route(&mut sitting.store, &asked_about, &trunk_states)
                .await
        })
        .await;
        let returned = returned.map(|decision| decision.map(Decision::from));
        let mut answered = sitting.close(busy, returned);
        answered.result = answered.result.and_then(|decision| {
            match decision.trouble(trunks, request.now_unix_ms) {
                Some(trouble) => Err(NoDecision::Unusable(trouble)),
                None => Ok(decision),
            }
        });
        answered
    }
}

impl Decision {
    /// Why this cannot be done with these trunks.
    fn trouble(&self, trunks: &[Trunk], now_unix_ms: u64) -> Option<String> {
        let attempts = match self {
            Self::Attempts(attempts) => attempts,
            Self::Wait(Pause {
                until_unix_ms: Some(until),
                ..
            }) if until.saturating_sub(now_unix_ms) > HORIZON_MS => {
                return Some("it lets the call wait for more than 366 days".to_owned());
            }
            _ => return None,
        };
        let count = attempts.len();
        if count == 0 || count > MAX_ATTEMPTS {
            return Some(format!(
                "it plans {count} attempts, and may plan 1 to {MAX_ATTEMPTS}; `wait` and `refuse` are for none"
            ));
        }
        attempts.iter().enumerate().find_map(|(index, attempt)| {
            let trouble = if trunks.iter().all(|trunk| trunk.id != attempt.trunk) {
                format!("goes over `{}`, which is none of the trunks", attempt.trunk)
            } else if attempts[..index]
                .iter()
                .any(|other| other.trunk == attempt.trunk)
            {
                format!("goes over `{}` once more", attempt.trunk)
            } else {
                attempt.trouble()?
            };
            Some(format!("attempt {} {trouble}", index + 1))
        })
    }
}

impl PlannedAttempt {
    /// What is wrong with it on any trunk.
    fn trouble(&self) -> Option<String> {
        if let Some(dialled) = self.dialled.as_deref().filter(|text| !is_dialled(text)) {
            return Some(format!(
                "dials `{dialled}`: 1 to {MAX_DIALLED} of the digits, * and #, with or without a plus in front"
            ));
        }
        let ring_timeout_s = self.ring_timeout_s?;
        (!RING_TIMEOUT_S.contains(&ring_timeout_s))
            .then(|| format!("rings for {ring_timeout_s} s: 1 to 600 are possible"))
    }
}

fn is_dialled(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_digit() || b"*#".contains(&byte);
    !digits.is_empty() && text.len() <= MAX_DIALLED && digits.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(id: &str) -> Trunk {
        Trunk {
            id: id.to_owned(),
            prefixes: Vec::new(),
            health: Health::Up,
            channels: Channels::default(),
            prefix_channels: Vec::new(),
            starts_left: 1,
            closed_until_unix_ms: None,
            recent: Recent::default(),
            prices: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    fn attempt(trunk: &str) -> PlannedAttempt {
        PlannedAttempt {
            trunk: trunk.to_owned(),
            dialled: None,
            caller_id: None,
            ring_timeout_s: None,
            reason: String::new(),
        }
    }

    #[track_caller]
    fn check(attempts: Vec<PlannedAttempt>, expected: Option<&str>) {
        let trunks = [trunk("a"), trunk("b")];
        let trouble = Decision::Attempts(attempts).trouble(&trunks, 0);
        match (&trouble, expected) {
            (None, None) => {}
            (Some(trouble), Some(expected)) => assert!(trouble.contains(expected), "{trouble}"),
            _ => panic!("{trouble:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_call_waits_for_a_year_at_most() {
        let trouble = |until_unix_ms| {
            let reason = String::new();
            let wait = Decision::Wait(Pause {
                until_unix_ms,
                reason,
            });
            wait.trouble(&[], 1_000)
        };
        assert_eq!(trouble(None), None);
        assert_eq!(trouble(Some(0)), None);
        assert_eq!(trouble(Some(HORIZON_MS + 1_000)), None);
        assert!(trouble(Some(HORIZON_MS + 1_001)).is_some());
        assert!(trouble(Some(u64::MAX)).is_some());
    }

    #[test]
    fn answers_that_cannot_be_followed_are_told() {
        check(vec![attempt("a"), attempt("b")], None);
        check(Vec::new(), Some("plans 0 attempts"));
        check(vec![attempt("a"); 11], Some("plans 11 attempts"));
        check(
            vec![attempt("c")],
            Some("attempt 1 goes over `c`, which is none"),
        );
        check(
            vec![attempt("a"); 2],
            Some("attempt 2 goes over `a` once more"),
        );
        let dials = |dialled: &str| PlannedAttempt {
            dialled: Some(dialled.to_owned()),
            ..attempt("b")
        };
        for good in ["+85512345678", "1294", "*100#", "012345678"] {
            check(vec![dials(good)], None);
        }
        for bad in [
            "",
            "+",
            "12 3",
            "12@evil.example",
            "1+2",
            "1\r\n",
            &"1".repeat(33),
        ] {
            check(vec![attempt("a"), dials(bad)], Some("attempt 2 dials"));
        }
        for (seconds, expected) in [
            (0, Some("rings for 0 s")),
            (1, None),
            (600, None),
            (601, Some("rings for 601 s")),
        ] {
            let rings = PlannedAttempt {
                ring_timeout_s: Some(seconds),
                ..attempt("a")
            };
            check(vec![rings], expected);
        }
    }
}
