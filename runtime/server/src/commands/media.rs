//! `jackfield media`: an account's audio on a running server.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use clap::Subcommand;
use http::Method;
use serde_json::Value;

use crate::commands::account_api::{AccountApi, AccountOrOperator};
use crate::commands::people::read;

/// Audio is sent as what it is said to be by its name.
const KIND: &str = "application/octet-stream";

/// What is done with an account's audio.
#[derive(Debug, Subcommand)]
pub(crate) enum MediaCommand {
    /// Uploads a file, in place of the one of its name. Broadcasts and TwiML play it by that name.
    Push {
        /// WAV, MP3, Ogg or FLAC.
        file: PathBuf,
        /// Its name on the server; without it that of the file.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        owner: AccountOrOperator,
    },
    /// Lists the files that were uploaded.
    List {
        #[command(flatten)]
        owner: AccountOrOperator,
    },
    /// Removes an uploaded file.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        owner: AccountOrOperator,
    },
}

/// Asks for a path below the account's media.
fn ask(
    owner: &AccountOrOperator,
    method: Method,
    path: &str,
    body: Bytes,
) -> anyhow::Result<Bytes> {
    let (own, operators) = (format!("Media{path}"), format!("media{path}"));
    owner.ask(method, &own, &operators, KIND, body)
}

pub(crate) fn run(command: &MediaCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout().lock();
    match command {
        MediaCommand::Push { file, name, owner } => {
            let own = file.file_name().and_then(|name| name.to_str());
            let name = name.as_deref().or(own);
            let name = name.context("say what it is called: --name NAME")?;
            let answer = ask(owner, Method::PUT, &format!("/{name}"), read(file)?)?;
            let file: Value = serde_json::from_slice(&answer)?;
            tell(&owner.api, &file, out)
        }
        MediaCommand::List { owner } => {
            let all = ask(owner, Method::GET, "", Bytes::new())?;
            let all: Value = serde_json::from_slice(&all)?;
            let files = all["media"].as_array();
            files
                .into_iter()
                .flatten()
                .try_for_each(|file| tell(&owner.api, file, out))
        }
        MediaCommand::Remove { name, owner } => {
            ask(owner, Method::DELETE, &format!("/{name}"), Bytes::new())?;
            Ok(())
        }
    }
}

fn tell(api: &AccountApi, file: &Value, out: &mut impl Write) -> anyhow::Result<()> {
    match api.json {
        true => writeln!(out, "{file}")?,
        false => writeln!(
            out,
            "{:<40} {:>10} bytes  {}",
            file["name"].as_str().unwrap_or_default(),
            file["bytes"].to_string(),
            file["date_updated"].as_str().unwrap_or_default()
        )?,
    }
    Ok(())
}
