//! A running server's API: one request of a command, and what is wrong where it is refused.

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use url::Url;

/// What the operator's credentials begin with.
const OPERATORS: &str = "Bearer ";
/// Wrong rows of a table that are shown.
const SHOWN_ROWS: usize = 20;

/// A part of a server's API, and who asks there.
#[derive(Debug)]
pub(crate) struct ServerApi {
    /// What all its paths are below, without a `/` at its end.
    pub(crate) base: String,
    /// The header field's value: [`as_account`] or [`as_operator`].
    pub(crate) authorization: String,
    /// What is told when nobody answers.
    pub(crate) when_silent: String,
    /// What is told of a 404, where that helps more than the server's own words.
    pub(crate) when_missing: Option<&'static str>,
}

/// What a server answered that did not refuse.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 200 to 299.
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// The credentials of an account.
pub(crate) fn as_account(sid: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{sid}:{token}")))
}

/// The credentials of the operator.
pub(crate) fn as_operator(token: &str) -> String {
    format!("{OPERATORS}{token}")
}

impl ServerApi {
    /// The address of a path below this part; of the part itself where the path is empty.
    ///
    /// # Errors
    /// When that is no address.
    pub(crate) fn url(&self, path: &str) -> anyhow::Result<Url> {
        let url = format!("{}/{path}", self.base);
        Ok(Url::parse(url.trim_end_matches('/'))?)
    }

    /// Sends one request, and waits for its answer.
    ///
    /// # Errors
    /// When no server answers, or it refuses; then with its words.
    pub(crate) fn ask(
        &self,
        method: Method,
        url: &Url,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let asked = crate::web::ask_api(method, url, &self.authorization, content_type, body);
        let (status, body) = tokio
            .block_on(asked)
            .with_context(|| self.when_silent.clone())?;
        match (status, self.when_missing) {
            (200..300, _) => Ok(Answer { status, body }),
            (404, Some(told)) => bail!("{told}"),
            (401, _) if self.authorization.starts_with(OPERATORS) => bail!(
                "the server does not know this operator key: it is in `operator.token` in the server's data folder; name that as --token-file"
            ),
            _ => bail!("{}", refusal(status, &body)),
        }
    }
}

/// What the server says is wrong: in Twilio's form, or the operator API's.
fn refusal(status: u16, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refused {
        #[serde(alias = "error")]
        message: String,
        #[serde(default)]
        rows: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        line: u64,
        error: String,
    }
    if status == 401 {
        return "the server does not know these credentials: look at --account and the token"
            .to_owned();
    }
    let Ok(Refused { message, rows }) = serde_json::from_slice(body) else {
        return format!("the server refused with status {status}");
    };
    let mut told = format!("the server refused: {message}");
    for Row { line, error } in rows.iter().take(SHOWN_ROWS) {
        told.push_str(&format!("\n  line {line}: {error}"));
    }
    if let Some(more) = rows.len().checked_sub(SHOWN_ROWS).filter(|more| *more > 0) {
        told.push_str(&format!("\n  and {more} more"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_whichever_api() {
        let many: Vec<_> = (1..=22)
            .map(|line| serde_json::json!({"line": line, "error": "no number"}))
            .collect();
        let table = serde_json::json!({"code": 21211, "message": "wrong rows", "rows": many});
        let table = refusal(400, table.to_string().as_bytes());
        assert!(table.starts_with("the server refused: wrong rows\n  line 1: no number\n"));
        assert!(
            table.ends_with("\n  line 20: no number\n  and 2 more"),
            "{table}"
        );
        for (status, body, expected) in [
            (
                409,
                r#"{"error": "it is in use"}"#,
                "the server refused: it is in use",
            ),
            (502, "<html>", "the server refused with status 502"),
            (
                401,
                "{}",
                "the server does not know these credentials: look at --account and the token",
            ),
        ] {
            assert_eq!(refusal(status, body.as_bytes()), expected);
        }
    }

    #[test]
    fn a_part_without_a_path_is_its_own_address() {
        let part = ServerApi {
            base: "http://127.0.0.1:8080/v1/Carriers/east/Plugins".to_owned(),
            authorization: as_operator("t"),
            when_silent: String::new(),
            when_missing: None,
        };
        assert_eq!(part.url("").unwrap().as_str(), part.base);
        let below = part.url("menu/Versions?Activate=false").unwrap();
        assert_eq!(below.query(), Some("Activate=false"));
        assert!(below.path().ends_with("/Plugins/menu/Versions"));
        assert_eq!(as_account("AC1", "t"), "Basic QUMxOnQ=");
    }
}
