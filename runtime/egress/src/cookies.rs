//! The cookies of one call.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use url::Url;

/// Cookies kept; the oldest goes first.
const MAX_COOKIES: usize = 50;
/// Bytes of a name and its value (RFC 6265 section 6.1).
const MAX_COOKIE_BYTES: usize = 4096;

/// The cookies of one call (RFC 6265), shared by its requests.
///
/// Each cookie goes back to the very host that set it: a `Domain` attribute does not widen it, so no list of public
/// suffixes is needed.
#[derive(Debug, Default)]
pub struct CookieJar(Mutex<Vec<Cookie>>);

struct Cookie {
    name: String,
    value: String,
    host: String,
    path: String,
    secure: bool,
    expires: Option<SystemTime>,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}{}", self.name, self.host, self.path)
    }
}

impl CookieJar {
    /// Takes up the cookies that a response from `url` sets. What is malformed or too large is ignored.
    pub(crate) fn store(&self, url: &Url, headers: &HeaderMap, now: SystemTime) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for header in headers.get_all(SET_COOKIE) {
            let Some(cookie) = header.to_str().ok().and_then(|text| parse(text, url, now)) else {
                continue;
            };
            let same = |kept: &Cookie| {
                kept.name == cookie.name && kept.host == cookie.host && kept.path == cookie.path
            };
            cookies.retain(|kept| !same(kept));
            if cookie.expires.is_none_or(|expires| expires > now) {
                cookies.push(cookie);
            }
            if cookies.len() > MAX_COOKIES {
                cookies.remove(0);
            }
        }
    }

    /// The `Cookie` header for a request to `url`; none without a matching cookie. Longer paths come first.
    pub(crate) fn header(&self, url: &Url, now: SystemTime) -> Option<HeaderValue> {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let matches = |cookie: &&Cookie| {
            Some(cookie.host.as_str()) == url.host_str()
                && path_matches(&cookie.path, url.path())
                && (!cookie.secure || url.scheme() == "https")
                && cookie.expires.is_none_or(|expires| expires > now)
        };
        let mut sent: Vec<_> = cookies.iter().filter(matches).collect();
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent
            .iter()
            .map(|c| format!("{}={}", c.name, c.value))
            .collect();
        if pairs.is_empty() {
            return None;
        }
        HeaderValue::from_str(&pairs.join("; ")).ok()
    }
}

/// One `Set-Cookie` (RFC 6265 sections 5.2 and 5.3).
fn parse(text: &str, url: &Url, now: SystemTime) -> Option<Cookie> {
    let mut parts = text.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.len() + value.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        host: url.host_str()?.to_owned(),
        path: default_path(url.path()).to_owned(),
        secure: false,
        expires: None,
    };
    let mut max_age = None;
    for part in parts {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        match (attribute.trim().to_ascii_lowercase().as_str(), value.trim()) {
            ("path", path) if path.starts_with('/') => path.clone_into(&mut cookie.path),
            ("secure", _) => cookie.secure = true,
            ("expires", date) => cookie.expires = parse_date(date).or(cookie.expires),
            ("max-age", seconds) => max_age = seconds.parse::<i64>().ok().or(max_age),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let age = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        cookie.expires = now.checked_add(age);
    }
    // A plain-text response cannot set what only TLS may carry.
    (!cookie.secure || url.scheme() == "https").then_some(cookie)
}

/// RFC 6265 section 5.1.4: up to the last slash, without it.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

fn path_matches(cookie: &str, request: &str) -> bool {
    request
        .strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// An HTTP date, also with the dashes of the first cookies' dates.
fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text)
        .or_else(|_| httpdate::parse_http_date(&text.replace('-', " ")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    /// What is sent to `to`, `later` seconds after `set` came from `from`.
    fn sent(from: &str, set: &[&str], to: &str, later: u64) -> Option<String> {
        let jar = CookieJar::default();
        let now = SystemTime::UNIX_EPOCH + NOW;
        for text in set {
            let headers = HeaderMap::from_iter([(SET_COOKIE, text.parse().unwrap())]);
            jar.store(&Url::parse(from).unwrap(), &headers, now);
        }
        let header = jar.header(&Url::parse(to).unwrap(), now + Duration::from_secs(later));
        header.map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_goes_back_where_it_came_from() {
        const FROM: &str = "https://a.example/app/voice";
        for (set, to, later, expected) in [
            (&["s=1"][..], "https://a.example/app/next", 0, Some("s=1")),
            (&["s=1"], "https://a.example/app", 0, Some("s=1")),
            (&["s=1"], "https://a.example/application", 0, None),
            (&["s=1"], "https://a.example/", 0, None),
            (&["s=1; Path=/"], "https://a.example/other", 0, Some("s=1")),
            (
                &["s=1; path=nonsense"],
                "https://a.example/app/x",
                0,
                Some("s=1"),
            ),
            (&["s=1; Path=/"], "https://b.example/", 0, None),
            (
                &["s=1; Path=/; Domain=example"],
                "https://b.example/",
                0,
                None,
            ),
            (
                &["s=1; Path=/; Domain=.a.example"],
                "https://www.a.example/",
                0,
                None,
            ),
            (&["s=1; Path=/"], "http://a.example/", 0, Some("s=1")),
            (&["s=1; Path=/; Secure"], "http://a.example/", 0, None),
            (
                &["s=1; Path=/; Secure; HttpOnly"],
                "https://a.example:8443/",
                0,
                Some("s=1"),
            ),
            (&["s=1", "s=2"], "https://a.example/app/", 0, Some("s=2")),
            (
                &["a=1; Path=/", "b=2"],
                "https://a.example/app/",
                0,
                Some("b=2; a=1"),
            ),
            (
                &["s=1; Max-Age=10"],
                "https://a.example/app/",
                9,
                Some("s=1"),
            ),
            (&["s=1; Max-Age=10"], "https://a.example/app/", 10, None),
            (&["s=1", "s=; Max-Age=0"], "https://a.example/app/", 0, None),
            (
                &["s=1", "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                "https://a.example/app/",
                0,
                None,
            ),
            (
                &["s=1", "s=; Expires=Thu, 01-Jan-1970 00:00:00 GMT"],
                "https://a.example/app/",
                0,
                None,
            ),
            (
                &["s=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Max-Age=0"],
                "https://a.example/app/",
                0,
                None,
            ),
            (
                &["s=1; Expires=soon"],
                "https://a.example/app/",
                0,
                Some("s=1"),
            ),
            (&["=1"], "https://a.example/app/", 0, None),
            (&["nonsense"], "https://a.example/app/", 0, None),
        ] {
            assert_eq!(
                sent(FROM, set, to, later).as_deref(),
                expected,
                "{set:?} {to} +{later} s"
            );
        }
    }

    #[test]
    fn plain_text_cannot_set_a_secure_cookie() {
        assert_eq!(
            sent(
                "http://a.example/",
                &["s=1; Secure"],
                "https://a.example/",
                0
            ),
            None
        );
    }

    #[test]
    fn a_jar_is_bounded() {
        let many: Vec<_> = (0..MAX_COOKIES + 5).map(|n| format!("c{n}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let header = sent("http://a.example/", &many, "http://a.example/", 0).unwrap();
        assert_eq!(header.split("; ").count(), MAX_COOKIES);
        assert!(!header.contains("c4=") && header.contains("c5="));
        let large = format!("s={}", "x".repeat(MAX_COOKIE_BYTES));
        assert_eq!(
            sent("http://a.example/", &[&large], "http://a.example/", 0),
            None
        );
    }
}
