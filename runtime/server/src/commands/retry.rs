//! `jackfield retry`: what another strategy would have made of broadcasts that were made.

mod past;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use dial::back_test::{Totals, by_usual_rules};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::past::Broadcast;
use crate::commands::account_api::AccountApi;
use crate::commands::broadcast::in_words;
use crate::commands::plugin::load_worlds;
use crate::retry::trial::Trial;

/// How often progress is shown.
const LOOKS: Duration = Duration::from_secs(1);

/// What is done with retry strategies.
#[derive(Debug, Subcommand)]
pub(crate) enum RetryCommand {
    /// Calls the people of past broadcasts again in thought, as a strategy says, and shows what came of it beside the usual rules and what really
    /// happened. Nobody is called.
    ///
    /// The model: whoever is called at some time ends that call as they ended the really made one that is nearest to that time, after as long. So
    /// somebody who was reached is reachable from half-way between the call before and that one on, and somebody who never was cannot be reached. Every
    /// call goes out when it is due, as if there were a channel for each; the first one is the real one. Left out is who was never called, or may be
    /// called yet.
    Try(TryOptions),
}

#[derive(Debug, Args)]
pub(crate) struct TryOptions {
    /// The component with the strategy.
    #[arg(long, value_name = "FILE")]
    strategy: PathBuf,
    #[command(flatten)]
    which: Which,
    /// A setting that the strategy finds. Any number of times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    api: AccountApi,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One broadcast: its SID.
    #[arg(long, value_name = "SID")]
    broadcast: Option<String>,
    /// All broadcasts that were made since then: `2026-05-01T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
}

/// What came of all, by each of the rules.
#[derive(Default)]
struct Comparison {
    really: Totals,
    usual: Totals,
    strategy: Totals,
    /// Who was left out.
    others: u64,
}

pub(crate) fn run(command: &RetryCommand) -> anyhow::Result<()> {
    let RetryCommand::Try(options) = command;
    let worlds = load_worlds(&options.strategy)?;
    let strategy = worlds
        .retry_strategy
        .with_context(|| format!("{} is no retry strategy", options.strategy.display()))?;
    let api = &options.api;
    let broadcasts = match (&options.which.broadcast, options.which.since) {
        (Some(sid), _) => vec![past::one(api, sid)?],
        (None, since) => past::since(api, since.unwrap_or(Timestamp::MIN))?,
    };
    let mut trial = Trial::new(strategy, settings(&options.set)?);
    let began = Instant::now();
    let comparison = play(&broadcasts, api, &mut trial)?;
    if comparison.really.people == 0 {
        bail!("nobody was called in these broadcasts");
    }
    let out = &mut std::io::stdout().lock();
    match api.json {
        true => writeln!(out, "{:#}", comparison.to_json(&trial))?,
        false => write!(out, "{}", comparison.table(&trial, began.elapsed()))?,
    }
    Ok(())
}

/// What `--set NAME=VALUE` says, each.
pub(crate) fn settings(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let pairs = given.iter().map(|setting| {
        let pair = setting.split_once('=');
        let (name, value) = pair.with_context(|| format!("--set {setting} is no NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Plays all of them, and says on the standard error how far it is.
fn play(
    broadcasts: &[Broadcast],
    api: &AccountApi,
    trial: &mut Trial,
) -> anyhow::Result<Comparison> {
    // The strategy is asked on this thread.
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let all: u64 = broadcasts.iter().map(Broadcast::recipients).sum();
    let mut comparison = Comparison::default();
    let mut shown = Instant::now();
    for broadcast in broadcasts {
        let wish = broadcast.wish()?;
        broadcast.each(api, |people, others| {
            comparison.others += others;
            for person in people {
                let played = tokio.block_on(trial.play(&person.call, &person.past, &wish));
                let usual = by_usual_rules(&person.past, &wish);
                let (Some(played), Some(usual)) = (played, usual) else {
                    continue;
                };
                comparison.really.add(&person.past);
                comparison.usual.add(usual.attempts());
                comparison.strategy.add(played.attempts());
                if shown.elapsed() >= LOOKS {
                    shown = Instant::now();
                    progress(comparison.really.people + comparison.others, all);
                }
            }
            Ok(())
        })?;
    }
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K");
    }
    Ok(comparison)
}

fn progress(done: u64, all: u64) {
    match std::io::stderr().is_terminal() {
        true => eprint!("\r\x1b[2K{done} of {all} recipients"),
        false => eprintln!("{done} of {all} recipients"),
    }
}

impl Comparison {
    fn rows(&self) -> [(&'static str, &'static str, &Totals); 3] {
        [
            ("what happened", "really", &self.really),
            ("usual rules", "usual_rules", &self.usual),
            ("strategy", "strategy", &self.strategy),
        ]
    }

    fn to_json(&self, trial: &Trial) -> Value {
        let mut told = json!({
            "people": self.really.people,
            "left_out": self.others,
            "questions": trial.questions,
            "undecided": trial.undecided,
            "trouble": trial.trouble.as_ref().map(ToString::to_string),
        });
        for (_, name, totals) in self.rows() {
            told[name] = json!({
                "reached": totals.reached,
                "attempts": totals.attempts,
                "channel_s": totals.channel_ms / 1_000,
                "took_s": totals.took_ms() / 1_000,
            });
        }
        told
    }

    fn table(&self, trial: &Trial, took: Duration) -> String {
        let mut shown = format!(
            "{:<14} {:>9} {:>9} {:>9} {:>15} {:>14}\n",
            "", "reached", "not", "calls", "channel minutes", "finished after"
        );
        for (title, _, totals) in self.rows() {
            let minutes = totals.channel_ms / 60_000;
            let seconds = totals.took_ms().div_ceil(1_000);
            shown.push_str(&format!(
                "{title:<14} {:>9} {:>9} {:>9} {minutes:>15} {:>14}\n",
                totals.reached,
                totals.people - totals.reached,
                totals.attempts,
                in_words(seconds)
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "a pace that is shown")]
        let pace = self.really.people as f64 / took.as_secs_f64().max(0.001);
        shown.push_str(&format!(
            "{} people, {} left out (never called, or may be called yet); {} questions, {pace:.0} people a second\n",
            self.really.people, self.others, trial.questions
        ));
        if let Some(trouble) = &trial.trouble {
            shown.push_str(&format!(
                "the strategy did not decide {} times, the usual rules did: {trouble}\n",
                trial.undecided
            ));
        }
        shown
    }
}
