//! Requests of a story, and what comes back.

use std::borrow::Cow;
use std::fmt;

use crate::{HttpError, HttpMethod, Request, Response};

impl Request {
    /// A request with neither headers nor body.
    ///
    /// ```
    /// use jackfield_guest::{HttpMethod, Request};
    ///
    /// let request = Request::new(HttpMethod::Put, "https://example.net/callers/7")
    ///     .header("Content-Type", "application/json")
    ///     .body(r#"{"village":"Kampong"}"#);
    /// ```
    #[must_use]
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            sign: false,
        }
    }

    /// A GET request.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Get, url)
    }

    /// A POST request.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Post, url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a header with a secret of the account in it, which the host writes there as it sends the request: the story never sees it, and
    /// neither journal nor log has it. `before` stands before it.
    ///
    /// ```
    /// use jackfield_guest::Request;
    ///
    /// let request = Request::get("https://crm.example.net/callers/7")
    ///     .secret_header("Authorization", "Bearer ", "crm-token");
    /// assert_eq!(request.headers[0].1, "Bearer {{secret:crm-token}}");
    /// ```
    #[must_use]
    pub fn secret_header(self, name: impl Into<String>, before: &str, secret: &str) -> Self {
        self.header(name, format!("{before}{{{{secret:{secret}}}}}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Has the host sign it as a webhook of this account (`X-Twilio-Signature`). A webhook that is answered with audio has no body: the
    /// response says where the sound is to be [played](crate::Call::play) from.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.sign = true;
        self
    }
}

impl Response {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of that name, which may be in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as UTF-8; what is not becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(why) => write!(formatter, "invalid URL: {why}"),
            Self::NotGranted(why) => write!(formatter, "not granted: {why}"),
            Self::Unreachable(why) => write!(formatter, "unreachable: {why}"),
            Self::TimedOut(why) => write!(formatter, "timed out: {why}"),
            Self::TooLarge(why) => write!(formatter, "too large: {why}"),
            Self::TooManyRedirects(why) => write!(formatter, "too many redirects: {why}"),
            Self::Protocol(why) => write!(formatter, "protocol error: {why}"),
        }
    }
}

impl std::error::Error for HttpError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_knows_its_success_and_headers() {
        let response = |status| Response {
            status,
            headers: vec![
                ("content-type".to_owned(), "text/xml".to_owned()),
                ("content-type".to_owned(), "text/plain".to_owned()),
            ],
            body: b"caf\xc3\xa9 \xff".to_vec(),
            url: "http://example.net/".to_owned(),
        };
        for (status, success) in [
            (199, false),
            (200, true),
            (299, true),
            (300, false),
            (404, false),
        ] {
            assert_eq!(response(status).is_success(), success, "{status}");
        }
        assert_eq!(response(200).header("Content-Type"), Some("text/xml"));
        assert_eq!(response(200).header("Content-Length"), None);
        assert_eq!(response(200).text(), "café \u{fffd}");
    }
}
