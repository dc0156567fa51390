//! `jackfield broadcast`: one message to many, on a running server.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use crate::account_api::{AccountApi, CSV};
use crate::people::{PeopleFilter, read};

/// How often `watch` looks.
const LOOKS: Duration = Duration::from_secs(1);
/// Characters of a bar.
const BAR: usize = 30;

/// What is done with an account's broadcasts.
#[derive(Debug, Subcommand)]
pub(crate) enum BroadcastCommand {
    /// Drafts a broadcast; nobody is called before `start`. Prints its SID.
    Create(Box<CreateOptions>),
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
    /// Writes a line for each recipient as CSV: where they stand, and how their last call ended.
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

#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// The caller that is shown: a number of the account.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    from: String,
    #[command(flatten)]
    message: MessageOptions,
    /// A CSV file of those who are to hear it, with the columns of `people import`; `-` for the standard input.
    #[arg(long, value_name = "FILE")]
    recipients: Option<PathBuf>,
    /// The account's people are to hear it: all, or those whom --language, --area and --field fit.
    #[arg(long)]
    people: bool,
    #[command(flatten)]
    filter: PeopleFilter,
    /// `emergency`, `normal` or `bulk`.
    #[arg(long)]
    priority: Option<String>,
    /// Nobody is called before this time: `2026-05-01T06:00:00Z`.
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// Nobody is called at this time or later.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The hours in which people are called: `08:00-20:00 Asia/Vientiane`.
    #[arg(long, value_name = "HOURS")]
    window: Option<String>,
    /// How often somebody is called, at most.
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// Seconds from the end of a call to the next one to the same person.
    #[arg(long, value_name = "SECONDS")]
    gap: Option<u32>,
    /// Somebody is reached who listened this long; without it who heard the message to its end.
    #[arg(long, value_name = "SECONDS")]
    reached_after: Option<u32>,
    /// How long a call may ring.
    #[arg(long, value_name = "SECONDS")]
    ring_timeout: Option<u32>,
    /// A URL that is told of each person that was reached.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    #[command(flatten)]
    api: AccountApi,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct MessageOptions {
    /// A file of the account's media for a language: `lo=flood/lo.wav`.
    #[arg(long, value_name = "LANGUAGE=FILE")]
    audio: Vec<String>,
    /// The file for whoever speaks no language of --audio.
    #[arg(long, value_name = "FILE")]
    fallback: Option<String>,
    /// A file with a TwiML document, in which `{{name}}` is a field of the person.
    #[arg(long, value_name = "FILE")]
    twiml: Option<PathBuf>,
    /// A URL that gives TwiML.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A plugin of the account.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
}

impl MessageOptions {
    fn to_json(&self) -> anyhow::Result<Value> {
        let mut message = Map::new();
        if !self.audio.is_empty() || self.fallback.is_some() {
            let files = self.audio.iter().map(|pair| {
                let pair = pair.split_once('=');
                pair.context("--audio is a language and a file: `lo=flood/lo.wav`")
            });
            let files: BTreeMap<_, _> = files.collect::<anyhow::Result<_>>()?;
            message.insert("audio".to_owned(), json!(files));
        }
        let mut put = |name: &str, value: Option<Value>| {
            message.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("fallback", self.fallback.as_ref().map(|value| json!(value)));
        put("url", self.url.as_ref().map(|value| json!(value)));
        put("plugin", self.plugin.as_ref().map(|value| json!(value)));
        if let Some(file) = &self.twiml {
            let document = String::from_utf8(read(file)?.to_vec());
            put(
                "twiml",
                Some(json!(document.context("the document is not UTF-8")?)),
            );
        }
        Ok(Value::Object(message))
    }
}

pub(crate) fn run(command: &BroadcastCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout().lock();
    match command {
        BroadcastCommand::Create(options) => create(options, out),
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
            let path = format!("Broadcasts/{}/Results.csv", one.sid);
            let table = one.api.ask(Method::GET, &path, &[], CSV, Bytes::new())?;
            match file {
                Some(file) => std::fs::write(file, &table)
                    .with_context(|| format!("cannot write {}", file.display())),
                None => Ok(out.write_all(&table)?),
            }
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

    fn tell(&self, row: &Value, out: &mut impl Write) -> anyhow::Result<()> {
        match self.api.json {
            true => writeln!(out, "{row:#}")?,
            false => write!(out, "{}", shown(row))?,
        }
        Ok(())
    }
}

fn create(options: &CreateOptions, out: &mut impl Write) -> anyhow::Result<()> {
    if !options.people && options.filter.is_given() {
        bail!("--language, --area and --field choose among --people");
    }
    let mut body = json!({
        "name": options.name,
        "from": options.from,
        "message": options.message.to_json()?,
        "priority": options.priority,
        "not_before": options.not_before,
        "expires": options.expires,
        "window": options.window,
        "max_attempts": options.max_attempts,
        "gap_s": options.gap,
        "reached_after_s": options.reached_after,
        "ring_timeout_s": options.ring_timeout,
    });
    if options.people {
        body["people"] = options.filter.to_json()?;
    }
    if let Some(url) = &options.webhook {
        body["webhook"] = json!({ "url": url });
    }
    // Looked at before there is a draft without them.
    let table = options.recipients.as_ref().map(read).transpose()?;
    let api = &options.api;
    let mut row = api.ask_json(Method::POST, "Broadcasts", &[], &body)?;
    if let Some(table) = table {
        let sid = row["sid"].as_str().unwrap_or_default();
        let path = format!("Broadcasts/{sid}/Recipients.csv");
        let answer = api.ask(Method::POST, &path, &[], CSV, table);
        let answer = answer.with_context(|| {
            format!("{sid} is a draft without these recipients: add them, or leave it")
        })?;
        row = serde_json::from_slice(&answer)?;
    }
    match api.json {
        true => writeln!(out, "{row:#}")?,
        false => writeln!(out, "{}", row["sid"].as_str().unwrap_or_default())?,
    }
    Ok(())
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

/// `3 h 20 min`, or seconds below a minute.
fn duration(seconds: &Value) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a duration, which saturates"
    )]
    let seconds = seconds.as_f64().unwrap_or(0.0).ceil() as u64;
    in_words(seconds)
}

/// The same, of whole seconds.
pub(crate) fn in_words(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Who stands where, by language, area and operator.
fn groups(told: &Value) -> String {
    let mut shown = String::new();
    for kind in ["language", "area", "operator"] {
        let of_kind = told[format!("by_{kind}")].as_object();
        shown.push_str(&format!(
            "{kind:<20} {:>9} {:>9} {:>9} {:>9}\n",
            "people", "reached", "given up", "calls"
        ));
        for (name, group) in of_kind.into_iter().flatten() {
            shown.push_str(&format!(
                "  {name:<18} {:>9} {:>9} {:>9} {:>9}\n",
                group["recipients"].to_string(),
                group["reached"].to_string(),
                group["given_up"].to_string(),
                group["attempts"].to_string()
            ));
        }
    }
    shown
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

/// Who is neither reached nor given up.
fn left(progress: &Value) -> u64 {
    ["waiting", "again", "calling"]
        .iter()
        .map(|name| progress[name].as_u64().unwrap_or(0))
        .sum()
}

/// A bar, and the numbers behind it.
fn line(row: &Value) -> String {
    let progress = &row["progress"];
    let of = |name: &str| progress[name].as_u64().unwrap_or(0);
    let all = of("recipients").max(1);
    let done = of("reached") + of("given_up");
    let filled = usize::try_from(done * BAR as u64 / all)
        .unwrap_or(BAR)
        .min(BAR);
    format!(
        "{} [{}{}] {done} of {}: {} reached, {} given up; {} being called, {} to come, {} again; {} calls{}",
        row["state"].as_str().unwrap_or_default(),
        "#".repeat(filled),
        "-".repeat(BAR - filled),
        of("recipients"),
        of("reached"),
        of("given_up"),
        of("calling"),
        of("waiting"),
        of("again"),
        of("attempts"),
        match &progress["time_left_s"] {
            Value::Null => String::new(),
            left => format!(
                ", {} a minute, about {} left",
                of("attempts_per_minute"),
                duration(left)
            ),
        },
    )
}

fn shown(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let mut shown = format!(
        "{}  {}\n{}\n  from {}, {} priority, made {}, started {}, ended {}\n",
        text("sid"),
        text("name"),
        line(row),
        text("from"),
        text("priority"),
        text("date_created"),
        text("date_started"),
        text("date_ended"),
    );
    let outcomes = row["progress"]["outcomes"].as_object();
    for (outcome, count) in outcomes.into_iter().flatten() {
        // A number's own text has no width.
        shown.push_str(&format!("  {outcome:<12} {:>9}\n", count.to_string()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_who_is_done_with() {
        let row = json!({
            "state": "running",
            "progress": {
                "recipients": 300, "waiting": 90, "again": 30, "calling": 30, "reached": 140,
                "given_up": 10, "attempts": 210, "outcomes": {"reached": 140, "busy": 70},
                "attempts_per_minute": 70, "time_left_s": 180,
            },
        });
        assert_eq!(
            line(&row),
            "running [###############---------------] 150 of 300: 140 reached, 10 given up; \
             30 being called, 90 to come, 30 again; 210 calls, 70 a minute, about 3 min 0 s left"
        );
        assert_eq!(left(&row["progress"]), 150);
        assert!(
            shown(&row).contains("  busy                70\n"),
            "{}",
            shown(&row)
        );
    }
}
