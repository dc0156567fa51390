//! The running server, asked by a command beside it.

use bytes::Bytes;
use http::Method;

use super::server_api::{self, ServerApi};
use crate::config::Config;
use crate::operator::OperatorToken;

/// Asks the server that this configuration is of. `path` is below `/operator/v1/`.
///
/// # Errors
/// When none answers, or it refuses; then with its words.
pub(crate) fn ask(
    config: &Config,
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    body: String,
) -> anyhow::Result<Bytes> {
    let token = OperatorToken::load(&config.data_dir)?.secret();
    let address = config.api.bind;
    let part = ServerApi {
        base: format!("http://{address}/operator/v1"),
        authorization: server_api::as_operator(token.expose()),
        when_silent: format!("no server answers at {address} (api.bind)"),
        when_missing: None,
    };
    let mut url = part.url(path)?;
    for (key, value) in query {
        url.query_pairs_mut().append_pair(key, value);
    }
    // Whatever is no object is a tenants file.
    let content_type = match body.starts_with('{') {
        true => "application/json",
        false => "application/toml",
    };
    Ok(part.ask(method, &url, content_type, body.into())?.body)
}
