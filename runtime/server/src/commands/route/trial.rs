//! `jackfield route try`: what a routing policy would have made of calls that were made.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use call::Outcome;
use clap::Args;
use jiff::Timestamp;
use plugin_host::routing::{Decision, Policy, Request, Trunk};
use plugin_host::{DecisionLimits, DecisionSetup};
use serde_json::{Value, json};
use store::{CarrierId, PluginOwner};

use super::past::{self, Past, PastCall};
use crate::commands::account_api::AccountApi;
use crate::commands::plugin::load_worlds;
use crate::commands::retry::settings;
use crate::routing::{shown, trouble};

/// How often progress is shown.
const LOOKS: Duration = Duration::from_secs(1);
/// Calls that are read, at most.
const MOST_CALLS: u64 = 100_000;
/// Reasons for no decision that are told apart.
const MOST_REASONS: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct TryOptions {
    /// The component with the policy.
    #[arg(value_name = "POLICY.wasm")]
    policy: PathBuf,
    /// Only calls that were placed since then: `2026-05-01T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// The newest calls, so many at most.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=MOST_CALLS))]
    calls: u64,
    /// How many of the calls that would go otherwise are shown.
    #[arg(long, value_name = "N", default_value_t = 20)]
    differences: usize,
    /// A setting that the policy finds. Any number of times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// It is to be the carrier's policy, which may put other digits in front of a number than an account's may.
    #[arg(long)]
    carrier: bool,
    #[command(flatten)]
    api: AccountApi,
}

/// What the policy makes of a call, beside what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Its first trunk is the one that was tried first, or it was refused and would be again.
    Same,
    /// It would go over another trunk first, or be dialled though it was refused.
    Another,
    Waits,
    Refuses,
    /// The built-in order would hold.
    Undecided,
}

impl Verdict {
    /// Each with its title, and its name in JSON.
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Same, "as it was", "same"),
        (Self::Another, "another first trunk", "another"),
        (Self::Waits, "would wait", "waits"),
        (Self::Refuses, "would be refused", "refuses"),
        (Self::Undecided, "not decided", "undecided"),
    ];
}

/// What came of all.
#[derive(Default)]
struct Comparison {
    verdicts: [u64; 5],
    /// By the trunk: how many calls really went over it first, and how many would.
    first: BTreeMap<String, [u64; 2]>,
    /// Why it did not decide.
    reasons: BTreeMap<String, u64>,
    differences: Vec<Difference>,
    /// Calls that may not be made now.
    left_out: u64,
    /// Why the last of these may not.
    obstacle: Option<String>,
}

/// A call that would go otherwise.
struct Difference {
    call_sid: String,
    to: String,
    asked: Option<Timestamp>,
    really: String,
    /// Each of the trunks that it really went over, with why it was that one.
    because: Vec<(String, String)>,
    verdict: Verdict,
    then: String,
}

pub(crate) fn run(options: &TryOptions) -> anyhow::Result<()> {
    let file = options.policy.display();
    let worlds = load_worlds(&options.policy)?;
    let policy = worlds
        .routing_policy
        .with_context(|| format!("{file} is no routing policy"))?;
    let api = &options.api;
    let most = usize::try_from(options.calls)?;
    let mut steps = Steps::default();
    let past = past::since(api, options.since, most, |read| {
        steps.show(|| format!("{read} calls read"));
    })?;
    let owner = match (options.carrier, &api.account) {
        (false, Some(account)) => PluginOwner::Account(account.parse()?),
        _ => PluginOwner::Carrier(CarrierId(String::new())),
    };
    let setup = DecisionSetup {
        settings: settings(&options.set)?,
        limits: DecisionLimits::default(),
        log: Arc::new(|_| {}),
    };
    let began = Instant::now();
    let trial = Trial {
        policy,
        setup,
        owner,
        past: &past,
    };
    let comparison = trial.play(options.differences, &mut steps)?;
    steps.end();
    if comparison.asked() == 0 {
        match &comparison.obstacle {
            Some(why) => bail!("none of these calls may be made now: {why}"),
            None => bail!("there are no calls of which a routing policy would have been asked"),
        }
    }
    let out = &mut std::io::stdout().lock();
    match api.json {
        true => writeln!(out, "{:#}", comparison.to_json())?,
        false => write!(out, "{}", comparison.table(began.elapsed()))?,
    }
    Ok(())
}

/// How far it is, on the standard error.
struct Steps(Instant);

impl Default for Steps {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Steps {
    fn show(&mut self, step: impl FnOnce() -> String) {
        if self.0.elapsed() < LOOKS {
            return;
        }
        self.0 = Instant::now();
        match std::io::stderr().is_terminal() {
            true => eprint!("\r\x1b[2K{}", step()),
            false => eprintln!("{}", step()),
        }
    }

    fn end(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[2K");
        }
    }
}

/// A policy, and what it is asked about.
struct Trial<'p> {
    policy: Policy,
    setup: DecisionSetup,
    owner: PluginOwner,
    past: &'p Past,
}

impl Trial<'_> {
    fn play(&self, differences: usize, steps: &mut Steps) -> anyhow::Result<Comparison> {
        // The policy is asked on this thread.
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut comparison = Comparison::default();
        for call in &self.past.calls {
            if call.date_asked.is_some() && call.obstacle.is_some() {
                comparison.left_out += 1;
                comparison.obstacle.clone_from(&call.obstacle);
            }
        }
        let all = self.past.calls.len();
        self.past.each(|call, request, trunks| {
            let decided = tokio.block_on(self.ask(request, trunks));
            comparison.add(call, decided, trunks, differences);
            steps.show(|| format!("{} of at most {all} calls", comparison.asked()));
            Ok(())
        })?;
        Ok(comparison)
    }

    /// The decision, within what the host allows; or why there is none.
    async fn ask(&self, request: &Request, trunks: &[Trunk]) -> Result<Decision, String> {
        let answered = self.policy.route(request, trunks, self.setup.clone()).await;
        let decision = answered.result.map_err(|error| error.to_string())?;
        let (to, past) = (&request.call.callee, self.past);
        match trouble(&decision, to, &self.owner, |shown| past.may_show(shown)) {
            Some(trouble) => Err(format!("its answer cannot be followed: {trouble}")),
            None => Ok(decision),
        }
    }
}

impl Comparison {
    fn asked(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    fn add(
        &mut self,
        call: &PastCall,
        decided: Result<Decision, String>,
        trunks: &[Trunk],
        most: usize,
    ) {
        let really = call.attempts.first().map(|first| first.trunk.as_str());
        let (then, verdict, why) = match decided {
            Ok(Decision::Attempts(attempts)) => {
                let first = attempts.first().map(|first| first.trunk.clone());
                let verdict = match first.as_deref() == really {
                    true => Verdict::Same,
                    false => Verdict::Another,
                };
                let words: Vec<String> = attempts
                    .iter()
                    .map(|one| format!("{} ({})", one.trunk, shown(&one.reason)))
                    .collect();
                (first, verdict, words.join(", "))
            }
            Ok(Decision::Wait(pause)) => (
                None,
                Verdict::Waits,
                format!("waits: {}", shown(&pause.reason)),
            ),
            Ok(Decision::Refuse(why)) => {
                let verdict = match call.refused.is_some() {
                    true => Verdict::Same,
                    false => Verdict::Refuses,
                };
                (None, verdict, format!("refuses: {}", shown(&why)))
            }
            Err(why) => {
                self.note(&why);
                // What is left is the first of the built-in order.
                let first = trunks.first().map(|trunk| trunk.id.clone());
                (first, Verdict::Undecided, format!("decides nothing: {why}"))
            }
        };
        let place = Verdict::ALL.iter().position(|(one, ..)| *one == verdict);
        self.verdicts[place.expect("all are in the list")] += 1;
        for (side, trunk) in [(0, really.map(str::to_owned)), (1, then)] {
            if let Some(trunk) = trunk {
                self.first.entry(trunk).or_default()[side] += 1;
            }
        }
        if verdict != Verdict::Same && self.differences.len() < most {
            self.differences.push(Difference {
                call_sid: call.call_sid.clone(),
                to: call.to.clone(),
                asked: call.date_asked.map(|asked| asked.0),
                really: went(call),
                because: because(call),
                verdict,
                then: why,
            });
        }
    }

    fn note(&mut self, why: &str) {
        let has_room = self.reasons.len() < MOST_REASONS || self.reasons.contains_key(why);
        let why = if has_room { why } else { "other reasons" };
        *self.reasons.entry(why.to_owned()).or_default() += 1;
    }

    fn to_json(&self) -> Value {
        let verdicts = Verdict::ALL.iter().zip(self.verdicts);
        let mut told = json!({
            "asked": self.asked(),
            "left_out": self.left_out,
            "obstacle": self.obstacle,
            "reasons": self.reasons,
            "first_trunk": self.first.iter().map(|(trunk, [really, policy])| {
                (trunk.clone(), json!({ "really": really, "policy": policy }))
            }).collect::<serde_json::Map<_, _>>(),
            "differences": self.differences.iter().map(Difference::to_json).collect::<Vec<_>>(),
        });
        for ((_, _, name), count) in verdicts {
            told[*name] = count.into();
        }
        told
    }

    fn table(&self, took: Duration) -> String {
        let mut text = format!("{:<24} {:>9}\n", "", "calls");
        for ((_, title, _), count) in Verdict::ALL.iter().zip(self.verdicts) {
            text.push_str(&format!("{title:<24} {count:>9}\n"));
        }
        text.push_str(&format!(
            "\n{:<24} {:>9} {:>9}\n",
            "first trunk", "really", "policy"
        ));
        for (trunk, [really, policy]) in &self.first {
            text.push_str(&format!("{trunk:<24} {really:>9} {policy:>9}\n"));
        }
        if !self.reasons.is_empty() {
            text.push_str("\nnot decided, the built-in order would hold:\n");
        }
        for (why, count) in &self.reasons {
            text.push_str(&format!("{count:>9}  {why}\n"));
        }
        if !self.differences.is_empty() {
            text.push_str("\nwhat would be different:\n");
        }
        for one in &self.differences {
            text.push_str(&one.line());
        }
        let different = self.asked() - self.verdicts[0];
        let more = different.saturating_sub(self.differences.len() as u64);
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
        #[expect(clippy::cast_precision_loss, reason = "a pace that is shown")]
        let pace = self.asked() as f64 / took.as_secs_f64().max(0.001);
        text.push_str(&format!(
            "\n{} calls, {} left out; {pace:.0} questions a second\n",
            self.asked(),
            match &self.obstacle {
                Some(why) => format!("{} (that may not be made now: {why})", self.left_out),
                None => self.left_out.to_string(),
            },
        ));
        text
    }
}

/// Over which trunks it really went, and how each attempt ended.
fn went(call: &PastCall) -> String {
    if call.refused.is_some() && call.attempts.is_empty() {
        return "refused".to_owned();
    }
    let attempts = call.attempts.iter();
    let words: Vec<String> = attempts
        .map(|one| match one.outcome {
            Some(outcome) => format!("{} ({})", one.trunk, word(outcome)),
            None => one.trunk.clone(),
        })
        .collect();
    words.join(", ")
}

/// Why it really went over each of its trunks, as far as that is kept.
fn because(call: &PastCall) -> Vec<(String, String)> {
    let attempts = call.attempts.iter();
    let told = attempts.filter_map(|one| Some((one.trunk.clone(), one.chosen_because.clone()?)));
    told.collect()
}

/// As the API tells of it.
fn word(outcome: Outcome) -> String {
    let word = json!(outcome);
    word.as_str().unwrap_or_default().to_owned()
}

impl Difference {
    fn line(&self) -> String {
        let at = self.asked.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ"));
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        let mut text = format!("  {at} {}: {} -> {}\n", self.to, self.really, self.then);
        for (trunk, because) in &self.because {
            text.push_str(&format!("      {trunk}: {because}\n"));
        }
        text
    }

    fn to_json(&self) -> Value {
        let name = Verdict::ALL.iter().find(|(one, ..)| *one == self.verdict);
        json!({
            "call_sid": self.call_sid,
            "to": self.to,
            "date_asked": self.asked.map(|at| at.to_string()),
            "really": self.really,
            "really_because": self.because.iter().map(|(trunk, because)| json!({ "trunk": trunk, "because": because })).collect::<Vec<_>>(),
            "verdict": name.map(|(_, _, name)| name),
            "policy": self.then,
        })
    }
}

#[cfg(test)]
mod tests {
    use plugin_host::routing::{Pause, PlannedAttempt};

    use super::*;

    fn call(trunk: Option<&str>) -> PastCall {
        let attempts: Vec<Value> = trunk
            .iter()
            .map(|trunk| json!({ "trunk": trunk, "date_started": "2026-11-23T09:00:00Z", "outcome": "no-answer", "chosen_because": "it is up" }))
            .collect();
        let call = json!({
            "call_sid": "CA1", "direction": "outbound", "from": "345", "to": "+85510000001", "operator": null,
            "priority": "normal", "reason": null, "date_asked": "2026-11-23T09:00:00Z",
            "refused": trunk.is_none().then_some("refused"), "trunks": ["north"], "obstacle": null,
            "attempts": attempts,
        });
        serde_json::from_value(call).unwrap()
    }

    fn over(trunk: &str) -> Result<Decision, String> {
        Ok(Decision::Attempts(vec![PlannedAttempt {
            trunk: trunk.to_owned(),
            dialled: None,
            caller_id: None,
            ring_timeout_s: None,
            reason: "cheap".to_owned(),
        }]))
    }

    #[test]
    fn a_decision_is_compared_with_what_happened() {
        let mut all = Comparison::default();
        let wait = Decision::Wait(Pause {
            until_unix_ms: None,
            reason: "dear".to_owned(),
        });
        let refuse = || Ok(Decision::Refuse("no".to_owned()));
        for (really, decided) in [
            (Some("north"), over("north")),
            (Some("north"), over("south")),
            (Some("north"), Ok(wait)),
            (Some("north"), refuse()),
            (Some("north"), Err("it trapped".to_owned())),
            (None, refuse()),
            (None, over("south")),
        ] {
            all.add(&call(really), decided, &[], 3);
        }
        assert_eq!(all.verdicts, [2, 2, 1, 1, 1]);
        assert_eq!(all.first["north"], [5, 1]);
        assert_eq!(all.first["south"], [0, 2]);
        let shown = all.table(Duration::from_secs(1));
        for line in [
            "another first trunk              2\n",
            "north                            5         1\n",
            "        1  it trapped\n",
            "  2026-11-23T09:00:00Z +85510000001: north (no-answer) -> south (cheap)\n      north: it is up\n",
            "-> waits: dear\n",
            "  and 2 more\n",
            "\n7 calls, 0 left out; 7 questions a second\n",
        ] {
            assert!(shown.contains(line), "{line}{shown}");
        }
        let told = all.to_json();
        assert_eq!(
            (&told["asked"], &told["refuses"]),
            (&json!(7), &json!(1)),
            "{told}"
        );
        assert_eq!(told["differences"][0]["verdict"], "another");
    }
}
