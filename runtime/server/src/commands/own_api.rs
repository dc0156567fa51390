//! The running server, asked by a command beside it.

use anyhow::{Context, bail};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use url::Url;

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
    let token = OperatorToken::load(&config.data_dir)?;
    let address = config.api.bind;
    let mut url = Url::parse(&format!("http://{address}/operator/v1/{path}"))?;
    for (key, value) in query {
        url.query_pairs_mut().append_pair(key, value);
    }
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let secret = token.secret();
    let authorization = format!("Bearer {}", secret.expose());
    let asked = crate::web::ask_api(
        method,
        &url,
        &authorization,
        // Whatever is no object is a tenants file.
        if body.starts_with('{') {
            "application/json"
        } else {
            "application/toml"
        },
        body.into(),
    );
    let (status, body) = tokio
        .block_on(asked)
        .with_context(|| format!("no server answers at {address} (api.bind)"))?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    match serde_json::from_slice(&body) {
        Ok(Refused { error }) => bail!("the running server refused: {error}"),
        Err(_) => bail!("the running server refused with status {status}"),
    }
}
