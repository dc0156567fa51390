//! What a flow must have asked of web servers.

use call::HttpRequest;
use serde::Deserialize;

/// A request that must be there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    /// What its URL begins with.
    url: String,
    /// What is in its body.
    #[serde(default)]
    body: String,
}

/// The first request that is not the one that must be in its place.
pub(crate) fn difference(expected: &[Sent], requests: &[HttpRequest]) -> Option<String> {
    let places = expected.len().max(requests.len());
    (0..places).find_map(|place| match (expected.get(place), requests.get(place)) {
        (Some(expected), Some(request)) if expected.is(request) => None,
        (expected, request) => Some(format!(
            "request {} to a web server: expected {}, but there was {}",
            place + 1,
            expected.map_or_else(|| "none".to_owned(), Sent::words),
            request.map_or_else(|| "none".to_owned(), words),
        )),
    })
}

impl Sent {
    fn is(&self, request: &HttpRequest) -> bool {
        let body = String::from_utf8_lossy(&request.body);
        request.url.starts_with(&self.url) && body.contains(&self.body)
    }

    fn words(&self) -> String {
        match self.body.as_str() {
            "" => self.url.clone(),
            body => format!("{} with {body}", self.url),
        }
    }
}

fn words(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(&request.body);
    format!("{} with {body}", request.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_its_place() {
        let request = |url: &str, body: &str| HttpRequest {
            method: call::HttpMethod::Post,
            url: url.to_owned(),
            headers: Vec::new(),
            body: body.into(),
            sign: false,
        };
        let expect = |url: &str, body: &str| Sent {
            url: url.to_owned(),
            body: body.to_owned(),
        };
        let made = [request("http://a/x", "one two"), request("http://b/", "")];
        let both = [expect("http://a", "two"), expect("http://b/", "")];
        assert_eq!(difference(&both, &made), None);
        assert_eq!(difference(&[], &[]), None);
        for (expected, made, part) in [
            (
                &both[..1],
                &made[..],
                "request 2 to a web server: expected none",
            ),
            (
                &both[..],
                &made[..1],
                "expected http://b/, but there was none",
            ),
            (
                &[expect("http://a", "three")][..],
                &made[..1],
                "expected http://a with three, but there was http://a/x with one two",
            ),
        ] {
            let told = difference(expected, made).unwrap();
            assert!(told.contains(part), "{told}");
        }
    }
}
