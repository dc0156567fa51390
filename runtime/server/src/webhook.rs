//! What the host tells a tenant's server by itself.

use call::{HttpMethod, HttpRequest, StatusCallback};

/// A request with a form: in the body, or in the query of a GET.
pub(crate) fn webhook(callback: &StatusCallback, form: &str) -> HttpRequest {
    let is_get = callback.method == HttpMethod::Get;
    let at = callback.url.find('#').unwrap_or(callback.url.len());
    let (before_fragment, fragment) = callback.url.split_at(at);
    let joint = if before_fragment.contains('?') {
        '&'
    } else {
        '?'
    };
    HttpRequest {
        method: callback.method,
        url: match is_get {
            true => format!("{before_fragment}{joint}{form}{fragment}"),
            false => callback.url.clone(),
        },
        headers: match is_get {
            true => Vec::new(),
            false => vec![(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
            )],
        },
        body: match is_get {
            true => Vec::new(),
            false => form.as_bytes().to_vec(),
        },
        sign: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_into_the_body_or_the_query() {
        for (method, url, expected) in [
            (HttpMethod::Post, "http://a/b?c", ("http://a/b?c", "x=1")),
            (HttpMethod::Get, "http://a/b", ("http://a/b?x=1", "")),
            (
                HttpMethod::Get,
                "http://a/b?c#d",
                ("http://a/b?c&x=1#d", ""),
            ),
        ] {
            let url = url.to_owned();
            let request = webhook(&StatusCallback { url, method }, "x=1");
            let body = String::from_utf8(request.body).unwrap();
            assert_eq!((request.url.as_str(), body.as_str()), expected);
            assert!(request.sign);
        }
    }
}
