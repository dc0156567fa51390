//! `jackfield broadcast`: one message to many, on a running server.

mod draft;
mod shown;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use self::draft::{ChangeOptions, CreateOptions, change, create};
pub(crate) use self::shown::in_words;
use self::shown::{duration, groups, left, line, recipient_line, shown};
use crate::commands::account_api::{AccountApi, CSV};
use crate::commands::people::put;

/// How often `watch` looks.
const LOOKS: Duration = Duration::from_secs(1);

/// What is done with an account's broadcasts.
#[derive(Debug, Subcommand)]
pub(crate) enum BroadcastCommand {
    /// Drafts a broadcast; nobody is called before `start`. Prints its SID.
    Create(Box<CreateOptions>),
    /// Changes what is said of a draft; recipients that are named are added.
    Change(Box<ChangeOptions>),
    /// Says who would be called, who could not be, and how long it would take. Nobody is called.
    DryRun {
        #[command(flatten)]
        one: One,
        /// Seconds that a call takes in the mean.
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        mean_call: u32,
    },
    /// Has people called.
    Start(One),
    /// Has nobody called for now; calls that are up go on.
    Pause(One),
    /// Goes on where it was.
    Resume(One),
    /// Has nobody called any more, for good; calls that are up go on.
    Stop(One),
    /// Forgets a draft, or a broadcast that is over, with its recipients.
    Remove(One),
    /// Lists broadcasts, the newest first.
    List {
        #[command(flatten)]
        api: AccountApi,
    },
    /// Shows a broadcast and what came of it so far.
    Show(One),
    /// Shows who stands where by language, area and network operator.
    Statistics(One),
    /// Shows how a broadcast comes along, until it is over.
    Watch(One),
    /// Shows recipients by their numbers: where they stand and why; with --json all of their calls, too, a line for each.
    Recipients {
        #[command(flatten)]
        one: One,
        /// Only those who stand so: `waiting`, `calling`, `judged`, `reached` or `given-up`.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only this one.
        #[arg(
            long,
            value_name = "NUMBER",
            allow_hyphen_values = true,
            conflicts_with = "state"
        )]
        number: Option<String>,
    },
    /// Writes a line for each recipient as CSV: where they stand, and how their last call ended; with --json all of their calls, too.
    Results {
        #[command(flatten)]
        one: One,
        /// The file; without it the standard output.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// One broadcast.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its SID.
    sid: String,
    #[command(flatten)]
    api: AccountApi,
}

pub(crate) fn run(command: &BroadcastCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout().lock();
    match command {
        BroadcastCommand::Create(options) => create(options, out),
        BroadcastCommand::Change(options) => change(options, out),
        BroadcastCommand::Recipients { one, state, number } => match number {
            Some(number) => {
                let row = one.ask(&format!("Recipients/{number}"), &[])?;
                one.tell_recipient(&row, out)
            }
            None => recipients(one, state.as_ref(), out),
        },
        BroadcastCommand::DryRun { one, mean_call } => dry_run(one, *mean_call, out),
        BroadcastCommand::Statistics(one) => {
            let told = one.ask("Statistics", &[])?;
            match one.api.json {
                true => writeln!(out, "{told:#}")?,
                false => write!(out, "{}", groups(&told))?,
            }
            Ok(())
        }
        BroadcastCommand::Start(one) => order(one, "Start", out),
        BroadcastCommand::Pause(one) => order(one, "Pause", out),
        BroadcastCommand::Resume(one) => order(one, "Resume", out),
        BroadcastCommand::Stop(one) => order(one, "Stop", out),
        BroadcastCommand::Remove(one) => {
            let path = format!("Broadcasts/{}", one.sid);
            one.api.ask_json(Method::DELETE, &path, &[], &Value::Null)?;
            Ok(())
        }
        BroadcastCommand::List { api } => list(api, out),
        BroadcastCommand::Show(one) => {
            let row = one.look()?;
            one.tell(&row, out)
        }
        BroadcastCommand::Watch(one) => watch(one, out),
        BroadcastCommand::Results { one, out: file } => {
            if one.api.json {
                let mut lines = Vec::new();
                recipients(one, None, &mut lines)?;
                return put(file.as_ref(), &lines, out);
            }
            let path = format!("Broadcasts/{}/Results.csv", one.sid);
            let table = one.api.ask(Method::GET, &path, &[], CSV, Bytes::new())?;
            put(file.as_ref(), &table, out)
        }
    }
}

impl One {
    fn look(&self) -> anyhow::Result<Value> {
        let path = format!("Broadcasts/{}", self.sid);
        self.api.ask_json(Method::GET, &path, &[], &Value::Null)
    }

    /// Asks for something below it.
    fn ask(&self, what: &str, query: &[(String, String)]) -> anyhow::Result<Value> {
        let path = format!("Broadcasts/{}/{what}", self.sid);
        self.api.ask_json(Method::GET, &path, query, &Value::Null)
    }

    fn tell_recipient(&self, row: &Value, out: &mut impl Write) -> anyhow::Result<()> {
        match self.api.json {
            true => writeln!(out, "{row}")?,
            false => writeln!(out, "{}", recipient_line(row))?,
        }
        Ok(())
    }

    fn tell(&self, row: &Value, out: &mut impl Write) -> anyhow::Result<()> {
        match self.api.json {
            true => writeln!(out, "{row:#}")?,
            false => write!(out, "{}", shown(row))?,
        }
        Ok(())
    }
}

/// All who stand so, a page at a time.
fn recipients(one: &One, state: Option<&String>, out: &mut impl Write) -> anyhow::Result<()> {
    let mut query = vec![("PageSize".to_owned(), "1000".to_owned())];
    query.extend(state.map(|state| ("State".to_owned(), state.clone())));
    loop {
        let page = one.ask("Recipients", &query)?;
        for row in page["recipients"].as_array().into_iter().flatten() {
            one.tell_recipient(row, out)?;
        }
        let Some(next) = page["next_page_uri"].as_str() else {
            return Ok(());
        };
        let next = one.api.server.join(next)?;
        query = next.query_pairs().into_owned().collect();
    }
}

fn dry_run(one: &One, mean_call_s: u32, out: &mut impl Write) -> anyhow::Result<()> {
    let query = [("MeanCallSeconds".to_owned(), mean_call_s.to_string())];
    let told = one.ask("DryRun", &query)?;
    if one.api.json {
        writeln!(out, "{told:#}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} of {} can be called",
        told["callable"], told["recipients"]
    )?;
    for (why, count) in told["refused"].as_object().into_iter().flatten() {
        writeln!(out, "  {count} cannot: {why}")?;
    }
    writeln!(
        out,
        "everybody is called once within {}, with calls of {mean_call_s} s; {}",
        duration(&told["everybody_once_s"]),
        match told["retry_strategy"].as_str() {
            Some(strategy) =>
                format!("the retry strategy `{strategy}` says who is called again, and when"),
            None => format!(
                "it is over after {} if nobody ever answers",
                duration(&told["nobody_answers_s"])
            ),
        }
    )?;
    write!(out, "{}", groups(&told))?;
    Ok(())
}

fn order(one: &One, order: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let path = format!("Broadcasts/{}/{order}", one.sid);
    let row = one.api.ask_json(Method::POST, &path, &[], &Value::Null)?;
    one.tell(&row, out)
}

fn list(api: &AccountApi, out: &mut impl Write) -> anyhow::Result<()> {
    let mut query = vec![("PageSize".to_owned(), "1000".to_owned())];
    loop {
        let page = api.ask_json(Method::GET, "Broadcasts", &query, &Value::Null)?;
        for row in page["broadcasts"].as_array().into_iter().flatten() {
            match api.json {
                true => writeln!(out, "{row}")?,
                false => writeln!(
                    out,
                    "{} {:<10} {:>9} of {:<9} {}",
                    row["sid"].as_str().unwrap_or_default(),
                    row["state"].as_str().unwrap_or_default(),
                    row["progress"]["reached"].to_string(),
                    row["progress"]["recipients"].to_string(),
                    row["name"].as_str().unwrap_or_default()
                )?,
            }
        }
        let Some(next) = page["next_page_uri"].as_str() else {
            return Ok(());
        };
        query = api.server.join(next)?.query_pairs().into_owned().collect();
    }
}

/// A line that is written over on a terminal; a line a second elsewhere.
fn watch(one: &One, out: &mut impl Write) -> anyhow::Result<()> {
    let is_terminal = std::io::stdout().is_terminal() && !one.api.json;
    let mut told = String::new();
    loop {
        let row = one.look()?;
        let line = match one.api.json {
            true => row["progress"].to_string(),
            false => line(&row),
        };
        if line != told {
            match is_terminal {
                true => write!(out, "\r\x1b[2K{line}")?,
                false => writeln!(out, "{line}")?,
            }
            out.flush()?;
            told = line;
        }
        let is_over = match row["state"].as_str() {
            Some("completed") => true,
            Some("stopped") => left(&row["progress"]) == 0,
            _ => false,
        };
        if is_over {
            if is_terminal {
                writeln!(out)?;
            }
            return one.tell(&row, out);
        }
        std::thread::sleep(LOOKS);
    }
}
