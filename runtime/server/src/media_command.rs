//! `jackfield media`: an account's audio on a running server.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use clap::Subcommand;
use http::Method;
use serde_json::Value;

use crate::account_api::{AccountApi, CSV};
use crate::people::read;

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
        api: AccountApi,
    },
    /// Lists the files that were uploaded.
    List {
        #[command(flatten)]
        api: AccountApi,
    },
    /// Removes an uploaded file.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        api: AccountApi,
    },
}

pub(crate) fn run(command: &MediaCommand) -> anyhow::Result<()> {
    let out = &mut std::io::stdout().lock();
    match command {
        MediaCommand::Push { file, name, api } => {
            let own = file.file_name().and_then(|name| name.to_str());
            let name = name.as_deref().or(own);
            let name = name.context("say what it is called: --name NAME")?;
            let path = format!("Media/{name}");
            let kind = "application/octet-stream";
            let answer = api.ask(Method::PUT, &path, &[], kind, read(file)?)?;
            let file: Value = serde_json::from_slice(&answer)?;
            tell(api, &file, out)
        }
        MediaCommand::List { api } => {
            let all = api.ask_json(Method::GET, "Media", &[], &Value::Null)?;
            let files = all["media"].as_array();
            files
                .into_iter()
                .flatten()
                .try_for_each(|file| tell(api, file, out))
        }
        MediaCommand::Remove { name, api } => {
            let path = format!("Media/{name}");
            api.ask(Method::DELETE, &path, &[], CSV, Bytes::new())?;
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
