//! Twilio's `Events` of a call: what web servers were asked for it, and what they answered.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use call::{Exchange, HttpError, HttpMethod, HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};
use store::{Page, Scope, rfc2822};

use crate::ApiState;
use crate::calls;
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::told;

/// Bytes of a body that are shown.
const SHOWN_BYTES: usize = 16 << 10;
/// Where the callbacks' places begin, behind all that may be in journals.
const CALLBACKS: u64 = 1 << 32;

const LIST: Vocabulary = Vocabulary {
    supported: &["PageSize", "Page", "PageToken"],
    unsupported: &[],
};

/// `GET /Calls/{Sid}/Events.json`: what was asked of web servers, the newest first.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<u64>::read(&parameters)?;
    let row = calls::named(&state, scope, &call, &uri)?;
    let of_call = told::read(&state, scope, &row).await?;
    let of_stories = (0_u64..).zip(of_call.told.exchanges);
    let callbacks = of_call.callbacks.into_iter();
    let callbacks = callbacks.map(|(number, exchange)| (CALLBACKS + u64::from(number), exchange));
    let at = |(place, exchange): &(u64, Exchange)| (exchange.at_unix_ms, *place);
    let exchanges = of_stories.chain(callbacks);
    let page = Page::of(exchanges, at, request.from, request.size);
    let shown = |(_, exchange): (u64, Exchange)| show(&exchange);
    Ok(Json(request.answer("events", uri.path(), &[], page, shown)))
}

/// The URL without user name and password.
pub(crate) fn shown_url(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return url.to_owned();
    };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return url.to_owned();
    }
    // A URL that has them can be without.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.into()
}

fn show(exchange: &Exchange) -> Value {
    let request = &exchange.request;
    let parameters = url::form_urlencoded::parse(form(request)).into_owned();
    let parameters: Map<String, Value> = parameters
        .map(|(name, value)| (name, value.into()))
        .collect();
    json!({
        "request": {
            "method": method(request.method),
            "url": shown_url(&request.url),
            "parameters": parameters,
            "headers": headers(&request.headers),
            "date_created": rfc2822(exchange.at_unix_ms),
        },
        "response": exchange.answer.as_ref().map(|(at, answer)| show_answer(exchange, *at, answer)),
    })
}

/// What was sent along: the body, or the query of a GET without the fragment.
pub(crate) fn form(request: &HttpRequest) -> &[u8] {
    match request.method {
        HttpMethod::Get => {
            let url = request.url.split('#').next().unwrap_or_default();
            let query = url.split_once('?').map(|(_, query)| query);
            query.unwrap_or_default().as_bytes()
        }
        _ => &request.body,
    }
}

pub(crate) const fn method(method: HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Delete => "DELETE",
    }
}

/// The beginning of a body.
pub(crate) fn shown_body(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).into_owned()
}

fn show_answer(
    exchange: &Exchange,
    at_unix_ms: u64,
    answer: &Result<HttpResponse, HttpError>,
) -> Value {
    let mut shown = json!({
        "date_created": rfc2822(at_unix_ms),
        "request_duration": at_unix_ms.saturating_sub(exchange.at_unix_ms),
    });
    match answer {
        Ok(response) => {
            let mut fields = response.headers.iter();
            let content_type = fields.find(|(name, _)| name == "content-type");
            shown["response_code"] = response.status.into();
            shown["content_type"] = json!(content_type.map(|(_, value)| value));
            shown["response_body"] = shown_body(&response.body).into();
        }
        Err(error) => {
            for name in ["response_code", "content_type", "response_body"] {
                shown[name] = Value::Null;
            }
            shown["error"] = error.to_string().into();
        }
    }
    shown
}

fn headers(fields: &[(String, String)]) -> Map<String, Value> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_and_passwords_of_urls_are_not_shown() {
        for (url, shown) in [
            ("https://a/b?c=d#e", "https://a/b?c=d#e"),
            ("https://user:pass@a/b?c=d#e", "https://a/b?c=d#e"),
            ("https://user@a/", "https://a/"),
            ("no URL", "no URL"),
        ] {
            assert_eq!(shown_url(url), shown);
        }
    }
}
