//! Documents that their servers know again: asked for once more, they are sent only if they have changed (RFC 9110 section 13.1).

use std::collections::VecDeque;

use jackfield_guest::{HttpMethod, Request, Response};

/// Documents of a call that are kept. The one kept for longest makes room for another.
const MOST: usize = 8;

/// What tells a version of a document, and how that is asked for.
const VALIDATORS: [(&str, &str); 2] = [
    ("etag", "If-None-Match"),
    ("last-modified", "If-Modified-Since"),
];

const NOT_MODIFIED: u16 = 304;

/// The latest responses of a call's GET requests that have an `ETag` or a `Last-Modified`.
#[derive(Default)]
pub(crate) struct Cache {
    /// By the URL that was asked for, with its query.
    kept: VecDeque<(String, Response)>,
}

impl Cache {
    /// The request, telling which version is here already.
    pub(crate) fn ask(&self, mut request: Request) -> Request {
        let kept = self.kept.iter().find(|(url, _)| *url == request.url);
        if let (HttpMethod::Get, Some((_, kept))) = (request.method, kept) {
            for (validator, condition) in VALIDATORS {
                if let Some(version) = kept.header(validator) {
                    request = request.header(condition, version);
                }
            }
        }
        request
    }

    /// The document that a response to `request` stands for; it is kept where its server knows it again.
    pub(crate) fn answered(&mut self, request: &Request, response: Response) -> Response {
        let at = self.kept.iter().position(|(url, _)| *url == request.url);
        if request.method != HttpMethod::Get {
            return response;
        }
        if let (NOT_MODIFIED, Some(at)) = (response.status, at) {
            return self.kept[at].1.clone();
        }
        if let Some(at) = at {
            self.kept.remove(at);
        }
        if response.is_success() && is_known_again(&response) {
            if self.kept.len() == MOST {
                self.kept.pop_front();
            }
            self.kept.push_back((request.url.clone(), response.clone()));
        }
        response
    }
}

fn is_known_again(response: &Response) -> bool {
    let control = response.header("cache-control").unwrap_or_default();
    let may_be_kept = !control.to_ascii_lowercase().contains("no-store");
    may_be_kept
        && VALIDATORS
            .iter()
            .any(|(validator, _)| response.header(validator).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Response {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.into(),
            url: "http://a/".to_owned(),
        }
    }

    /// What is asked after such a response, and what a 304 then stands for.
    fn again(first: Response) -> (Vec<(String, String)>, String) {
        let mut cache = Cache::default();
        cache.answered(&Request::get("http://a/"), first);
        let asked = cache.ask(Request::get("http://a/"));
        let answered = cache.answered(&asked, response(304, &[], ""));
        (asked.headers, answered.text().into_owned())
    }

    #[test]
    fn a_document_that_has_not_changed_is_the_one_that_is_kept() {
        let asked = |fields: &[(&str, &str)]| response(0, fields, "").headers;
        let versions = [("etag", "\"1\""), ("last-modified", "Mon")];
        let conditions = [("If-None-Match", "\"1\""), ("If-Modified-Since", "Mon")];
        for (first, expected) in [
            (response(200, &versions, "one"), (asked(&conditions), "one")),
            (
                response(200, &versions[1..], "one"),
                (asked(&conditions[1..]), "one"),
            ),
            (response(200, &[], "one"), (asked(&[]), "")),
            (response(404, &versions, "one"), (asked(&[]), "")),
            (
                response(200, &[versions[0], ("cache-control", "No-Store")], "one"),
                (asked(&[]), ""),
            ),
        ] {
            let (headers, text) = again(first);
            assert_eq!((headers, text.as_str()), expected);
        }
    }

    #[test]
    fn others_are_asked_for_anew_and_the_oldest_goes() {
        let etag = [("etag", "1")];
        let mut cache = Cache::default();
        let url = |of: usize| format!("http://a/{of}");
        for of in 0..=MOST {
            cache.answered(&Request::get(url(of)), response(200, &etag, ""));
        }
        let conditions = |request: Request| cache.ask(request).headers.len();
        assert_eq!(conditions(Request::get(url(0))), 0);
        assert_eq!(conditions(Request::get(url(1))), 1);
        assert_eq!(conditions(Request::post(url(1))), 0);
        assert_eq!(conditions(Request::get("http://a/1?x")), 0);
    }
}
