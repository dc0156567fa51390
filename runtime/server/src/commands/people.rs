//! `jackfield people`: whom an account calls, on a running server.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use crate::commands::account_api::{AccountApi, CSV};

/// People that one request asks for.
const PAGE: usize = 1_000;

/// What is done with an account's people.
#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Lists people by their numbers; with a filter those whom it fits.
    List {
        #[command(flatten)]
        filter: PeopleFilter,
        #[command(flatten)]
        api: AccountApi,
    },
    /// Saves everybody in a CSV file, or nobody where a row of it is wrong.
    ///
    /// The first line names the columns: `number`, and as you like `language`, `areas` (codes with spaces or `;` between them) and fields of your own.
    Import {
        /// The file; `-` for the standard input.
        file: PathBuf,
        #[command(flatten)]
        api: AccountApi,
    },
    /// Writes everybody as CSV; with --json a line of JSON for each.
    Export {
        /// The file; without it the standard output.
        file: Option<PathBuf>,
        #[command(flatten)]
        api: AccountApi,
    },
    /// Forgets a person.
    Remove {
        /// Their number.
        #[arg(allow_hyphen_values = true)]
        number: String,
        #[command(flatten)]
        api: AccountApi,
    },
}

/// Which people are meant; who fits all that is given.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PeopleFilter {
    /// Who speak this.
    #[arg(long)]
    language: Option<String>,
    /// Who live in this area, or in one whose code begins with it; one of several.
    #[arg(long = "area", value_name = "CODE")]
    areas: Vec<String>,
    /// Who have this field: `role:chief`.
    #[arg(long = "field", value_name = "NAME:VALUE")]
    fields: Vec<String>,
}

impl PeopleFilter {
    /// Whether anybody is left out.
    pub(crate) fn is_given(&self) -> bool {
        self.language.is_some() || !self.areas.is_empty() || !self.fields.is_empty()
    }

    /// As a body has it.
    pub(crate) fn to_json(&self) -> anyhow::Result<Value> {
        let fields = self.fields.iter().map(|pair| {
            let pair = pair.split_once(':');
            pair.context("--field is a name and a value: `role:chief`")
        });
        let fields: BTreeMap<_, _> = fields.collect::<anyhow::Result<_>>()?;
        Ok(json!({ "language": self.language, "areas": self.areas, "fields": fields }))
    }

    fn query(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: &String| (name.to_owned(), value.clone());
        let language = self.language.iter().map(|value| pair("Language", value));
        let areas = self.areas.iter().map(|value| pair("Area", value));
        let fields = self.fields.iter().map(|value| pair("Field", value));
        language.chain(areas).chain(fields).collect()
    }
}

pub(crate) fn run(command: &PeopleCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout().lock();
    match command {
        PeopleCommand::List { filter, api } => list(filter, api, out),
        PeopleCommand::Import { file, api } => {
            let bytes = read(file)?;
            let answer = api.ask(Method::POST, "People.csv", &[], CSV, bytes)?;
            let saved: Value = serde_json::from_slice(&answer)?;
            match api.json {
                true => writeln!(out, "{saved:#}")?,
                false => writeln!(out, "{} new, {} known before", saved["new"], saved["known"])?,
            }
            Ok(())
        }
        PeopleCommand::Export { file, api } => {
            if api.json {
                let mut lines = Vec::new();
                list(&PeopleFilter::default(), api, &mut lines)?;
                return put(file.as_ref(), &lines, out);
            }
            let table = api.ask(Method::GET, "People.csv", &[], CSV, Bytes::new())?;
            put(file.as_ref(), &table, out)
        }
        PeopleCommand::Remove { number, api } => {
            let path = format!("People/{number}");
            api.ask(Method::DELETE, &path, &[], CSV, Bytes::new())?;
            Ok(())
        }
    }
}

/// A file's bytes; `-` is the standard input.
pub(crate) fn read(file: &PathBuf) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::new();
    match file.as_os_str() == "-" {
        true => drop(std::io::copy(&mut std::io::stdin().lock(), &mut bytes)?),
        false => {
            bytes =
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        }
    }
    Ok(bytes.into())
}

/// Writes into a file, or else to `out`.
pub(crate) fn put(
    file: Option<&PathBuf>,
    bytes: &[u8],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match file {
        Some(file) => {
            std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
        }
        None => Ok(out.write_all(bytes)?),
    }
}

fn list(filter: &PeopleFilter, api: &AccountApi, out: &mut impl Write) -> anyhow::Result<()> {
    let mut query = filter.query();
    query.push(("PageSize".to_owned(), PAGE.to_string()));
    loop {
        let page = api.ask_json(Method::GET, "People", &query, &Value::Null)?;
        for person in page["people"].as_array().into_iter().flatten() {
            match api.json {
                true => writeln!(out, "{person}")?,
                false => writeln!(out, "{}", line(person))?,
            }
        }
        let Some(next) = page["next_page_uri"].as_str() else {
            return Ok(());
        };
        let next = api.server.join(next)?;
        query = next.query_pairs().into_owned().collect();
    }
}

/// One person in a line.
fn line(person: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let areas = person["areas"].as_array().into_iter().flatten().map(text);
    let fields = person["fields"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| format!("{name}={}", text(value)));
    format!(
        "{:<16} {:<6} {:<16} {}",
        text(&person["number"]),
        person["language"].as_str().unwrap_or("-"),
        areas.collect::<Vec<_>>().join(" "),
        fields.collect::<Vec<_>>().join(" ")
    )
    .trim_end()
    .to_owned()
}
