//! An account's own API on a running server, asked by a command.

use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::server_api::{self, ServerApi};

/// The body is in JSON.
pub(crate) const JSON: &str = "application/json";
/// The body is a table.
pub(crate) const CSV: &str = "text/csv";

/// Where the server is, and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct AccountApi {
    /// The server's API.
    #[arg(
        long,
        env = "JF_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: Url,
    /// The account that asks: its SID.
    #[arg(long, env = "JF_ACCOUNT", value_name = "SID")]
    pub(crate) account: Option<String>,
    /// A file with the account's token, or with the operator's (`operator.token` in the server's data folder); without it the
    /// variable `JF_TOKEN` has the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Prints what the server answers, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl AccountApi {
    /// Asks for a path below `/v1/Accounts/{SID}/`, with a query.
    ///
    /// # Errors
    /// When no server answers, or it refuses; then with its words.
    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        let account = self
            .account
            .as_ref()
            .context("say which account asks: --account SID (or the variable JF_ACCOUNT)")?;
        let part = ServerApi {
            when_missing: Some(
                "the server has no such thing: look at what you named, at --account and at --server",
            ),
            ..self.part(
                &format!("/v1/Accounts/{account}"),
                server_api::as_account(account, &self.token()?),
            )?
        };
        let mut url = part.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(part.ask(method, &url, content_type, body)?.body)
    }

    /// Asks for a path below `/operator/v1/accounts/{SID}/`: the token is the operator's.
    ///
    /// # Errors
    /// When no server answers, or it refuses; then with its words.
    pub(crate) fn ask_as_operator(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        let account = self
            .account
            .as_ref()
            .context("say whose it is: --account SID (or the variable JF_ACCOUNT)")?;
        let part = self.part(
            &format!("/operator/v1/accounts/{account}"),
            server_api::as_operator(&self.token()?),
        )?;
        let url = part.url(path)?;
        Ok(part.ask(method, &url, content_type, body)?.body)
    }

    /// The same as [`Self::ask`], of what is answered in JSON.
    pub(crate) fn ask_json(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
        body: &Value,
    ) -> anyhow::Result<Value> {
        let body = match body {
            Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let answer = self.ask(method, path, query, JSON, body)?;
        match answer.is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(&answer).context("the answer is not understood"),
        }
    }

    /// The part of the server's API that is below `path`.
    ///
    /// # Errors
    /// When that is no address.
    pub(crate) fn part(&self, path: &str, authorization: String) -> anyhow::Result<ServerApi> {
        Ok(ServerApi {
            base: self.server.join(path)?.into(),
            authorization,
            when_silent: format!(
                "no answer from {}: look at --server, and whether it runs",
                self.server
            ),
            when_missing: None,
        })
    }

    /// The account's token, or the operator's.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let token = match &self.token_file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
            None => std::env::var("JF_TOKEN").context(
                "there is no token: put it into the variable JF_TOKEN, or name a file that has it with --token-file",
            )?,
        };
        Ok(token.trim().to_owned())
    }
}

/// Whose things these are, and who asks for them.
#[derive(Debug, Args)]
pub(crate) struct AccountOrOperator {
    /// Asks as the operator: the token is that in `operator.token` of the server's data folder.
    #[arg(long)]
    operator: bool,
    #[command(flatten)]
    pub(crate) api: AccountApi,
}

impl AccountOrOperator {
    /// Asks for a path below the account: its own, or what the operator's API has in its place.
    ///
    /// # Errors
    /// When no server answers, or it refuses; then with its words.
    pub(crate) fn ask(
        &self,
        method: Method,
        own_path: &str,
        operators_path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        match self.operator {
            true => (self.api).ask_as_operator(method, operators_path, content_type, body),
            false => self.api.ask(method, own_path, &[], content_type, body),
        }
    }
}

/// A time as the API writes it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Moment(pub(crate) Timestamp);

impl TryFrom<String> for Moment {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl Moment {
    /// In milliseconds since the Unix epoch.
    pub(crate) fn unix_ms(&self) -> u64 {
        u64::try_from(self.0.as_millisecond()).unwrap_or(0)
    }
}
