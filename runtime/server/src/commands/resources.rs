//! `jackfield carriers`, `accounts`, `trunks`, `numbers`, `caller-ids` and `audit`: the running server's operator API.

use std::io::Read as _;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Map, Value};

use crate::commands::cli::ConfigFile;
use crate::commands::own_api;

/// How much of a list one request asks for.
const PAGE: &str = "1000";

/// What is done with one kind of things.
#[derive(Debug, Subcommand)]
pub(crate) enum ThingCommand {
    /// Lists all of them.
    List(Output),
    /// Shows one.
    Get {
        /// Its id: that of a carrier or trunk, or the SID.
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Makes a new one.
    Create {
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        output: Output,
    },
    /// Changes what is named and leaves the rest.
    Update {
        /// Its id: that of a carrier or trunk, or the SID.
        id: String,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        output: Output,
    },
    /// Takes one away.
    Delete {
        /// Its id: that of a carrier or trunk, or the SID.
        id: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// What is done with caller IDs, which do not change.
#[derive(Debug, Subcommand)]
pub(crate) enum CallerIdCommand {
    /// Lists all of them.
    List(Output),
    /// Lets an account show a number as the caller: `account=AC… number=+855…`.
    Create {
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        output: Output,
    },
    /// Takes one away.
    Delete {
        /// Its SID.
        id: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// What is to be set.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Keys of the table in a tenants file, with dots where they lie in other tables: `max_channels=8`, `outbound.allow=["+855"]`. A value
    /// that is no JSON is a text; `null` takes away.
    #[arg(value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Reads the whole change from a file with a JSON object in it; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "set")]
    from: Option<String>,
}

/// How answers are printed, and which server is asked.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// A table for people, or JSON.
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// One kind of things: where it lies, and what of it a table shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    path: &'static str,
    list: &'static str,
    columns: &'static [&'static str],
}

pub(crate) const CARRIERS: Kind = Kind {
    path: "carriers",
    list: "carriers",
    columns: &["id", "name", "domain"],
};
pub(crate) const ACCOUNTS: Kind = Kind {
    path: "accounts",
    list: "accounts",
    columns: &["id", "carrier", "name", "status", "parent"],
};
pub(crate) const TRUNKS: Kind = Kind {
    path: "trunks",
    list: "trunks",
    columns: &[
        "id",
        "carrier",
        "account",
        "max_channels",
        "sources",
        "targets",
    ],
};
pub(crate) const NUMBERS: Kind = Kind {
    path: "numbers",
    list: "numbers",
    columns: &["id", "number", "account", "flow", "voice_url"],
};
pub(crate) const CALLER_IDS: Kind = Kind {
    path: "caller-ids",
    list: "caller_ids",
    columns: &["id", "number", "account", "name"],
};
const AUDIT: Kind = Kind {
    path: "audit",
    list: "audit",
    columns: &["id", "at", "who", "source", "deed", "thing", "fields"],
};

pub(crate) fn run(kind: Kind, command: &ThingCommand) -> anyhow::Result<()> {
    match command {
        ThingCommand::List(output) => list(kind, output),
        ThingCommand::Get { id, output } => {
            let shown = ask(&output.config, Method::GET, &one(kind, id)?, &[], None)?;
            output.print_one(&shown)
        }
        ThingCommand::Create { change, output } => create(kind, change, output),
        ThingCommand::Update { id, change, output } => {
            let body = change.read()?;
            let path = one(kind, id)?;
            let shown = ask(&output.config, Method::PATCH, &path, &[], Some(&body))?;
            output.print_one(&shown)
        }
        ThingCommand::Delete { id, config } => delete(kind, id, config),
    }
}

pub(crate) fn run_caller_ids(command: &CallerIdCommand) -> anyhow::Result<()> {
    match command {
        CallerIdCommand::List(output) => list(CALLER_IDS, output),
        CallerIdCommand::Create { change, output } => create(CALLER_IDS, change, output),
        CallerIdCommand::Delete { id, config } => delete(CALLER_IDS, id, config),
    }
}

/// The newest entries of the audit log, the newest first.
pub(crate) fn audit(output: &Output, entries: usize) -> anyhow::Result<()> {
    let query = [("limit", &*entries.to_string())];
    let answer = ask(&output.config, Method::GET, AUDIT.path, &query, None)?;
    let rows = answer[AUDIT.list].as_array().cloned().unwrap_or_default();
    output.print_list(AUDIT, rows)
}

fn list(kind: Kind, output: &Output) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        // Caller IDs come all at once.
        let query = [("limit", PAGE), ("after", &after)];
        let query = match kind.path {
            "caller-ids" => &[][..],
            _ if after.is_empty() => &query[..1],
            _ => &query[..],
        };
        let answer = ask(&output.config, Method::GET, kind.path, query, None)?;
        rows.extend(answer[kind.list].as_array().cloned().unwrap_or_default());
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return output.print_list(kind, rows),
        }
    }
}

fn create(kind: Kind, change: &Change, output: &Output) -> anyhow::Result<()> {
    let body = change.read()?;
    let shown = ask(&output.config, Method::POST, kind.path, &[], Some(&body))?;
    output.print_one(&shown)
}

fn delete(kind: Kind, id: &str, config: &ConfigFile) -> anyhow::Result<()> {
    ask(config, Method::DELETE, &one(kind, id)?, &[], None)?;
    println!("deleted {id}");
    Ok(())
}

fn one(kind: Kind, id: &str) -> anyhow::Result<String> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if id.is_empty() || !id.bytes().all(is_id) {
        bail!(
            "`{id}` is no id: take one from `jackfield {} list`",
            kind.path
        );
    }
    Ok(format!("{}/{id}", kind.path))
}

fn ask(
    config: &ConfigFile,
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let answer = own_api::ask(&config.load()?, method, path, query, body)?;
    if answer.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer).context("the running server's answer is not understood")
}

impl Change {
    fn read(&self) -> anyhow::Result<Value> {
        let text = match self.from.as_deref() {
            None => return object(&self.set),
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                text
            }
            Some(file) => {
                std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?
            }
        };
        serde_json::from_str(&text).context("the change is no JSON")
    }
}

/// `a.b=1` as `{"a": {"b": 1}}`.
fn object(lines: &[String]) -> anyhow::Result<Value> {
    if lines.is_empty() {
        bail!("say what to set: KEY=VALUE, or --from FILE");
    }
    let mut whole = Map::new();
    for line in lines {
        let Some((key, text)) = line.split_once('=') else {
            bail!("`{line}` is not KEY=VALUE");
        };
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut place = &mut whole;
        for part in parts {
            let inner = place.entry(part).or_insert_with(|| Map::new().into());
            place = inner
                .as_object_mut()
                .with_context(|| format!("`{part}` in `{key}` is set to a value too"))?;
        }
        place.insert(last.to_owned(), value);
    }
    Ok(whole.into())
}

impl Output {
    fn print_one(&self, shown: &Value) -> anyhow::Result<()> {
        match (self.output, shown) {
            (Format::Table, Value::Object(fields)) => {
                for (name, value) in fields {
                    println!("{name:<20} {}", cell(value));
                }
            }
            _ => println!("{}", serde_json::to_string_pretty(shown)?),
        }
        Ok(())
    }

    fn print_list(&self, kind: Kind, rows: Vec<Value>) -> anyhow::Result<()> {
        match self.output {
            Format::Table => print!("{}", table(kind.columns, &rows)),
            Format::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
        }
        Ok(())
    }
}

/// Rows under each other, every column as wide as its widest cell.
fn table(columns: &[&str], rows: &[Value]) -> String {
    let head = columns.iter().map(|name| (*name).to_owned()).collect();
    let cells = rows.iter().map(|row| {
        let cells = columns.iter().map(|name| cell(&row[*name]));
        cells.collect::<Vec<_>>()
    });
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(cells).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            let texts: Vec<String> = values.iter().map(cell).collect();
            texts.join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_values_are_an_object() {
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|&line| line.to_owned())
                .collect::<Vec<_>>()
        };
        let given = lines(&[
            "name=Demo Telecom",
            "outbound.allow=[\"+855\"]",
            "outbound.max_channels=8",
            "voice=null",
        ]);
        let expected = json!({
            "name": "Demo Telecom", "voice": null,
            "outbound": { "allow": ["+855"], "max_channels": 8 },
        });
        assert_eq!(object(&given).unwrap(), expected);
        for wrong in [&["name"][..], &[], &["a=1", "a.b=2"]] {
            assert!(object(&lines(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [
            json!({ "id": "a", "sources": ["10.0.0.1", "10.0.0.2"] }),
            json!({ "id": "longer", "sources": [] }),
        ];
        let expected = "id      sources\na       10.0.0.1,10.0.0.2\nlonger\n";
        assert_eq!(table(&["id", "sources"], &rows), expected);
        assert_eq!(table(&["id", "x"], &rows[..1]), "id  x\na   -\n");
    }

    #[test]
    fn an_id_cannot_lead_elsewhere() {
        assert_eq!(one(TRUNKS, "gw-1").unwrap(), "trunks/gw-1");
        for wrong in ["", "../apply", "a/b", "a?b"] {
            assert!(one(TRUNKS, wrong).is_err(), "{wrong}");
        }
    }
}
