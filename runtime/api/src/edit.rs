//! What the resources that tenants change have in common.

use std::sync::Arc;

use axum::http::Uri;
use call::StatusCallback;
use store::{Directory, Edit, Scope, StoreError, VoiceUrl, WebhookMethod, rfc2822};

use crate::ApiState;
use crate::auth::Requester;
use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// Makes a change, which is on disk and in the audit log when this returns. The directory as it then is.
pub(crate) async fn edit(
    state: &ApiState,
    scope: Scope,
    requester: &Requester,
    edit: Edit,
    parameters: &Parameters,
    uri: &Uri,
) -> Result<Arc<Directory>, Problem> {
    let author = requester.author(state, parameters);
    let edited = state.store.edit(scope, edit, author).await;
    edited.map_err(|error| match error {
        StoreError::NotThere => Problem::not_found(uri),
        StoreError::NotPossible(why) => Problem::bad_parameter(why),
        error => error.into(),
    })
}

/// The last part of a path, without its `.json`, read as a SID.
pub(crate) fn sid<S: std::str::FromStr>(name: &str, uri: &Uri) -> Result<S, Problem> {
    let sid = name.strip_suffix(".json").and_then(|sid| sid.parse().ok());
    sid.ok_or_else(|| Problem::not_found(uri))
}

/// A date; null for what was not noted.
pub(crate) fn date(unix_ms: u64) -> Option<String> {
    (unix_ms > 0).then(|| rfc2822(unix_ms)).flatten()
}

/// Those of the named parameters that are given: what the next page is filtered by too.
pub(crate) fn given<'p>(
    parameters: &'p Parameters,
    names: &[&'static str],
) -> Vec<(&'static str, &'p str)> {
    let names = names.iter();
    names
        .filter_map(|name| Some((*name, parameters.get(name)?)))
        .collect()
}

/// `FriendlyName`; at most so many characters.
pub(crate) fn friendly_name(
    parameters: &Parameters,
    longest: usize,
) -> Result<Option<String>, Problem> {
    let Some(name) = parameters.get("FriendlyName") else {
        return Ok(None);
    };
    if name.chars().count() > longest || name.contains(char::is_control) {
        return Err(Problem::bad_parameter(format!(
            "`FriendlyName` has at most {longest} characters"
        )));
    }
    Ok(Some(name.to_owned()))
}

/// How a URL is to be changed.
#[derive(Debug, Clone)]
pub(crate) struct UrlChange {
    /// None stays, an empty one is taken away.
    url: Option<String>,
    method: Option<WebhookMethod>,
}

impl UrlChange {
    /// As the parameters `url` and `method` say; `current` is what is there.
    pub(crate) fn read(
        parameters: &Parameters,
        url: &str,
        method: &str,
        current: Option<&VoiceUrl>,
    ) -> Result<Self, Problem> {
        let given = parameters.raw(url).map(str::trim);
        if given.is_some_and(|given| !given.is_empty() && !is_web(given)) {
            let message = format!("`{url}` must begin with http:// or https://");
            return Err(Problem::bad(21402, message));
        }
        let word = parameters.get(method).map(str::to_ascii_uppercase);
        let how = match word.as_deref() {
            None => None,
            Some("GET") => Some(WebhookMethod::Get),
            Some("POST") => Some(WebhookMethod::Post),
            Some(_) => {
                let message = format!("`{method}` must be `GET` or `POST`");
                return Err(Problem::bad(21403, message));
            }
        };
        let change = Self {
            url: given.map(str::to_owned),
            method: how,
        };
        if how.is_some() && change.clone().of(current.cloned()).is_none() {
            return Err(Problem::bad_parameter(format!(
                "`{method}` has no effect without `{url}`"
            )));
        }
        Ok(change)
    }

    /// Whether there is a URL to be set or taken away.
    pub(crate) const fn has_url(&self) -> bool {
        self.url.is_some()
    }

    /// What comes of it where this is there.
    pub(crate) fn of(self, current: Option<VoiceUrl>) -> Option<VoiceUrl> {
        let before = current.as_ref().map(|current| current.method);
        let url = self.url.or_else(|| current.map(|current| current.url))?;
        let method = self.method.or(before).unwrap_or_default();
        Some(VoiceUrl { url, method }).filter(|voice| !voice.url.is_empty())
    }

    /// The same for whoever is told.
    pub(crate) fn of_callback(self, current: Option<StatusCallback>) -> Option<StatusCallback> {
        let changed = self.of(current.as_ref().map(as_voice_url))?;
        Some(StatusCallback {
            method: changed.method.into(),
            url: changed.url,
        })
    }
}

/// Whoever is told is asked in one of two ways too.
pub(crate) fn as_voice_url(callback: &StatusCallback) -> VoiceUrl {
    VoiceUrl {
        url: callback.url.clone(),
        method: WebhookMethod::of(callback.method),
    }
}

/// A URL and its method as a resource shows them; where there is none, an empty URL and `POST`.
pub(crate) fn shown(url: Option<&VoiceUrl>) -> (&str, &'static str) {
    url.map_or(("", "POST"), |url| (&url.url, url.method.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Vocabulary;

    const WORDS: Vocabulary = Vocabulary {
        supported: &["VoiceUrl", "VoiceMethod"],
        unsupported: &[],
    };

    #[test]
    fn a_url_stays_changes_or_goes() {
        let there = VoiceUrl {
            url: "http://a/".to_owned(),
            method: WebhookMethod::Get,
        };
        for (query, current, expected) in [
            ("", None, None),
            ("", Some(&there), Some("GET http://a/")),
            ("VoiceUrl=", Some(&there), None),
            ("VoiceUrl=http://b/", None, Some("POST http://b/")),
            ("VoiceUrl=http://b/", Some(&there), Some("GET http://b/")),
            ("VoiceMethod=post", Some(&there), Some("POST http://a/")),
        ] {
            let parameters = Parameters::of_query(Some(query), WORDS).unwrap();
            let change = UrlChange::read(&parameters, "VoiceUrl", "VoiceMethod", current).unwrap();
            let now = change.of(current.cloned());
            let now = now.map(|now| format!("{} {}", now.method.as_str(), now.url));
            assert_eq!(now.as_deref(), expected, "{query}");
        }
        for (query, code) in [
            ("VoiceUrl=ftp://a/", 21402),
            ("VoiceUrl=http://a/&VoiceMethod=PUT", 21403),
            ("VoiceMethod=GET", 20001),
            ("VoiceUrl=&VoiceMethod=GET", 20001),
        ] {
            let parameters = Parameters::of_query(Some(query), WORDS).unwrap();
            let refused = UrlChange::read(&parameters, "VoiceUrl", "VoiceMethod", None);
            assert_eq!(refused.unwrap_err().code, code, "{query}");
        }
    }
}
