//! `jackfield plugin push`, `list`, `activate`, `canary`, `rollback`, `logs` and `history`: the plugins of a running server, over its API.

mod push;
mod shown;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use super::Source;
use crate::commands::account_api::AccountApi;
use crate::commands::server_api::{self, ServerApi};

/// What is done with the plugins of a server.
#[derive(Debug, Subcommand)]
pub(crate) enum RemoteCommand {
    /// Uploads a component to a server. New calls begin with it, unless --inactive is given.
    Push(PushOptions),
    /// Lists the plugins of a server, with their versions.
    List {
        /// One plugin; without it all.
        name: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Has new calls begin with a version.
    Activate {
        /// The plugin.
        name: String,
        /// The version's number, as `list` shows it.
        version: u32,
        #[command(flatten)]
        server: Server,
    },
    /// Has some of the new calls begin with a version; 0 percent ends that.
    Canary {
        /// The plugin.
        name: String,
        /// The version's number, as `list` shows it.
        version: u32,
        /// How many in a hundred calls.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
        #[command(flatten)]
        server: Server,
    },
    /// Ends the canary, or where there is none has new calls begin with the version before the active one again.
    Rollback {
        /// The plugin.
        name: String,
        #[command(flatten)]
        server: Server,
    },
    /// Shows the last lines of a plugin's log.
    Logs {
        /// The plugin.
        name: String,
        #[command(flatten)]
        server: Server,
    },
    /// Tells who did what with a plugin, and when; the newest first.
    History {
        /// The plugin.
        name: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PushOptions {
    #[command(flatten)]
    source: Source,
    /// A component that is built already, in place of the folder's.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The plugin's name; without it that of the component's file, with `-` for `_`.
    #[arg(long)]
    name: Option<String>,
    /// Keeps it only: no call begins with it.
    #[arg(long)]
    inactive: bool,
    #[command(flatten)]
    server: Server,
}

/// Where the server is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Server {
    #[command(flatten)]
    api: AccountApi,
    /// The carrier whose plugins these are, asked as the operator; in place of an account.
    #[arg(long, value_name = "ID", conflicts_with = "account")]
    carrier: Option<String>,
}

pub(super) fn run(command: &RemoteCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        RemoteCommand::Push(options) => push::push(options, out),
        RemoteCommand::List { name, server } => list(server, name.as_deref(), out),
        RemoteCommand::Activate {
            name,
            version,
            server,
        } => change(server, name, "Activate", &format!("Version={version}"), out),
        RemoteCommand::Canary {
            name,
            version,
            percent,
            server,
        } => {
            let form = format!("Version={version}&Percent={percent}");
            change(server, name, "Canary", &form, out)
        }
        RemoteCommand::Rollback { name, server } => change(server, name, "Rollback", "", out),
        RemoteCommand::Logs { name, server } => {
            let path = format!("{name}/Log");
            let answer = server.ask(Method::GET, &path, "", Bytes::new())?;
            server.tell(&answer, shown::log, out)
        }
        RemoteCommand::History { name, server } => {
            let path = format!("{name}/History");
            let answer = server.ask(Method::GET, &path, "", Bytes::new())?;
            server.tell(&answer, shown::history, out)
        }
    }
}

fn list(server: &Server, name: Option<&str>, out: &mut impl Write) -> anyhow::Result<()> {
    let answer = server.ask(Method::GET, name.unwrap_or_default(), "", Bytes::new())?;
    match name {
        Some(_) => server.tell(&answer, shown::plugin, out),
        None => server.tell(&answer, shown::plugins, out),
    }
}

fn change(
    server: &Server,
    name: &str,
    verb: &str,
    form: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let path = format!("{name}/{verb}");
    let answer = server.ask(Method::POST, &path, FORM, form.to_owned().into())?;
    server.tell(&answer, shown::plugin, out)
}

impl Server {
    /// Asks for a path below the owner's plugins.
    ///
    /// # Errors
    /// When no server answers, or it refuses; then with its words.
    fn ask(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Value> {
        Ok(self.ask_for_status(method, path, content_type, body)?.1)
    }

    /// As [`Self::ask`], with the status: one of 200 to 299.
    fn ask_for_status(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<(u16, Value)> {
        let token = self.api.token()?;
        let (owner, authorization) = match (&self.api.account, &self.carrier) {
            (_, Some(carrier)) => (
                format!("Carriers/{carrier}"),
                server_api::as_operator(&token),
            ),
            (Some(account), None) => (
                format!("Accounts/{account}"),
                server_api::as_account(account, &token),
            ),
            (None, None) => bail!(
                "say whose plugins: --account SID (or the variable JF_ACCOUNT), or as the operator --carrier ID"
            ),
        };
        let part = ServerApi {
            when_missing: Some(
                "the server has nothing there: look at the plugin's name (`jackfield plugin list` shows those there are), at --carrier and at --server",
            ),
            ..self
                .api
                .part(&format!("/v1/{owner}/Plugins"), authorization)?
        };
        let answer = part.ask(method, &part.url(path)?, content_type, body)?;
        let told = serde_json::from_slice(&answer.body).context("the answer is not understood")?;
        Ok((answer.status, told))
    }

    /// The answer as it is, or in words.
    fn tell(
        &self,
        answer: &Value,
        in_words: impl FnOnce(&Value) -> String,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        match self.api.json {
            true => writeln!(out, "{answer:#}")?,
            false => write!(out, "{}", in_words(answer))?,
        }
        Ok(())
    }
}
