//! What a broadcast is ordered to be: drafts, and their changes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use http::Method;
use serde_json::{Map, Value, json};

use super::One;
use crate::commands::account_api::{AccountApi, CSV};
use crate::commands::people::{PeopleFilter, read};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("heard").required(true).multiple(true).args(["audio", "fallback", "twiml", "url", "plugin"]))]
pub(crate) struct CreateOptions {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// The caller that is shown: a number of the account.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    from: String,
    #[command(flatten)]
    draft: DraftOptions,
    #[command(flatten)]
    api: AccountApi,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeOptions {
    #[command(flatten)]
    one: One,
    /// What people call it.
    #[arg(long)]
    name: Option<String>,
    /// The caller that is shown: a number of the account.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    from: Option<String>,
    #[command(flatten)]
    draft: DraftOptions,
}

/// What a draft says besides its name and its caller.
#[derive(Debug, Args)]
struct DraftOptions {
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
    /// How often somebody is called, at most; calls that meet a full line are made up for, up to ten in all.
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
    /// A URL that is told of each person that was reached; an empty one for none any more.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// How it is told: `POST`, which is usual, or `GET`.
    #[arg(long, value_name = "METHOD", requires = "webhook")]
    webhook_method: Option<String>,
    #[command(flatten)]
    rapidpro: RapidproOptions,
}

/// The flow of `RapidPro`'s that is started for each person that was reached.
#[derive(Debug, Args)]
struct RapidproOptions {
    /// Where `RapidPro` is, whose flow is started for each person that was reached: `https://rapidpro.example.org`; needs the other two.
    /// An empty one for none any more.
    #[arg(long, value_name = "URL")]
    rapidpro_url: Option<String>,
    /// The UUID of the flow.
    #[arg(long, value_name = "UUID", requires = "rapidpro_url")]
    rapidpro_flow: Option<String>,
    /// A file with an API token of `RapidPro`'s.
    #[arg(long, value_name = "FILE", requires = "rapidpro_url")]
    rapidpro_token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct MessageOptions {
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
    /// How it is asked: `POST`, which is usual, or `GET`.
    #[arg(long, value_name = "METHOD", requires = "url")]
    url_method: Option<String>,
    /// A plugin of the account.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
}

impl MessageOptions {
    /// Null where nothing is said.
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
        put("method", self.url_method.as_ref().map(|value| json!(value)));
        put("plugin", self.plugin.as_ref().map(|value| json!(value)));
        if let Some(file) = &self.twiml {
            let document = String::from_utf8(read(file)?.to_vec());
            put(
                "twiml",
                Some(json!(document.context("the document is not UTF-8")?)),
            );
        }
        Ok(match message.is_empty() {
            true => Value::Null,
            false => Value::Object(message),
        })
    }
}

impl RapidproOptions {
    /// Null where nothing is said.
    fn to_json(&self) -> anyhow::Result<Value> {
        let Some(url) = self.rapidpro_url.as_ref().filter(|url| !url.is_empty()) else {
            return Ok(Value::Null);
        };
        let (Some(_), Some(file)) = (&self.rapidpro_flow, &self.rapidpro_token_file) else {
            bail!("--rapidpro-url needs --rapidpro-flow and --rapidpro-token-file");
        };
        let token = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok(json!({ "url": url, "flow": self.rapidpro_flow, "token": token.trim() }))
    }
}

impl DraftOptions {
    fn to_json(&self, name: Option<&String>, from: Option<&String>) -> anyhow::Result<Value> {
        if !self.people && self.filter.is_given() {
            bail!("--language, --area and --field choose among --people");
        }
        let webhook = self.webhook.as_ref().filter(|url| !url.is_empty());
        let mut body = json!({
            "name": name,
            "from": from,
            "message": self.message.to_json()?,
            "priority": self.priority,
            "not_before": self.not_before,
            "expires": self.expires,
            "window": self.window,
            "max_attempts": self.max_attempts,
            "gap_s": self.gap,
            "reached_after_s": self.reached_after,
            "ring_timeout_s": self.ring_timeout,
            "webhook": webhook.map(|url| json!({ "url": url, "method": self.webhook_method })),
            "rapidpro": self.rapidpro.to_json()?,
        });
        if self.people {
            body["people"] = self.filter.to_json()?;
        }
        Ok(body)
    }
}

impl DraftOptions {
    /// What is not to be any more.
    fn taken_off(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("webhook", self.webhook.as_ref()),
            ("rapidpro", self.rapidpro.rapidpro_url.as_ref()),
        ];
        let empty = given
            .into_iter()
            .filter(|(_, url)| url.is_some_and(String::is_empty));
        empty.map(|(name, _)| name)
    }
}

pub(super) fn create(options: &CreateOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let (draft, api) = (&options.draft, &options.api);
    let body = draft.to_json(Some(&options.name), Some(&options.from))?;
    // Looked at before there is a draft without them.
    let table = draft.recipients.as_ref().map(read).transpose()?;
    let mut row = api.ask_json(Method::POST, "Broadcasts", &[], &body)?;
    if let Some(table) = table {
        let sid = row["sid"].as_str().unwrap_or_default();
        let answer = add(api, sid, table);
        row = answer.with_context(|| {
            format!("{sid} is a draft without these recipients: add them, or leave it")
        })?;
    }
    match api.json {
        true => writeln!(out, "{row:#}")?,
        false => writeln!(out, "{}", row["sid"].as_str().unwrap_or_default())?,
    }
    Ok(())
}

pub(super) fn change(options: &ChangeOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let (draft, One { sid, api }) = (&options.draft, &options.one);
    let mut body = draft.to_json(options.name.as_ref(), options.from.as_ref())?;
    if let Some(said) = body.as_object_mut() {
        said.retain(|_, value| !value.is_null());
        said.extend(draft.taken_off().map(|name| (name.to_owned(), Value::Null)));
        if said.is_empty() && draft.recipients.is_none() {
            bail!(
                "say what is to be different: `jackfield broadcast change --help` tells what can be"
            );
        }
    }
    let table = draft.recipients.as_ref().map(read).transpose()?;
    let path = format!("Broadcasts/{sid}");
    let mut row = api.ask_json(Method::PATCH, &path, &[], &body)?;
    if let Some(table) = table {
        row = add(api, sid, table).context("all but the recipients was changed")?;
    }
    options.one.tell(&row, out)
}

/// Takes a table of recipients into a draft.
fn add(api: &AccountApi, sid: &str, table: bytes::Bytes) -> anyhow::Result<Value> {
    let path = format!("Broadcasts/{sid}/Recipients.csv");
    let answer = api.ask(Method::POST, &path, &[], CSV, table)?;
    serde_json::from_slice(&answer).context("the answer is not understood")
}
