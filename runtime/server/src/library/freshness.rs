//! How long what a URL gave may be used, and how to ask whether it still holds (RFC 9111).

use std::time::Duration;

/// Where the answer does not say: thousands of calls ask once, and a prompt that was changed is heard soon.
const UNSAID: Duration = Duration::from_secs(10);
/// However long the answer says.
const MAX: Duration = Duration::from_secs(24 * 3_600);

/// What an answer says of its own age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Freshness {
    lifetime: Option<Duration>,
    conditions: Vec<(String, String)>,
}

impl Freshness {
    /// Reads header fields, their names in lower case.
    pub(super) fn of(headers: &[(String, String)]) -> Self {
        let field = |name: &str| {
            let mut fields = headers.iter().filter(|(field, _)| field == name);
            fields.next().map(|(_, value)| value.clone())
        };
        let age = field("age").and_then(|age| age.trim().parse().ok());
        let lifetime = field("cache-control").and_then(|control| lifetime(&control));
        let conditions = [
            ("if-none-match", field("etag")),
            ("if-modified-since", field("last-modified")),
        ];
        Self {
            lifetime: lifetime
                .map(|lifetime| lifetime.saturating_sub(Duration::from_secs(age.unwrap_or(0)))),
            conditions: conditions
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect(),
        }
    }

    /// After a 304 with these header fields: they win over those of the answer they renew (RFC 9111 section 4.3.4).
    pub(super) fn renewed(&self, headers: &[(String, String)]) -> Self {
        let news = Self::of(headers);
        Self {
            lifetime: news.lifetime.or(self.lifetime),
            conditions: if news.conditions.is_empty() {
                self.conditions.clone()
            } else {
                news.conditions
            },
        }
    }

    /// For how long nobody needs to ask again.
    pub(super) fn lifetime(&self) -> Duration {
        self.lifetime.unwrap_or(UNSAID).min(MAX)
    }

    /// The header fields to ask with; without any the whole is fetched again.
    pub(super) fn conditions(&self) -> &[(String, String)] {
        &self.conditions
    }
}

/// What `Cache-Control` says. Prompts are shared by the calls of one account only, so that `private` does not matter.
fn lifetime(control: &str) -> Option<Duration> {
    let directives = control.split(',').map(|directive| directive.trim());
    let mut lifetime = None;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            let seconds = value.trim_matches('"').parse().ok();
            lifetime = seconds.map(Duration::from_secs).or(lifetime);
        }
    }
    lifetime
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_answer_says_how_long_it_holds() {
        for (control, age, seconds) in [
            ("max-age=60", "", 60),
            ("public, MAX-AGE=\"60\", must-revalidate", "20", 40),
            ("max-age=60", "100", 0),
            ("max-age=60", "soon", 60),
            ("max-age=31536000", "", 86_400),
            ("max-age=60, no-cache", "", 0),
            ("no-store", "", 0),
            ("max-age=-1", "", 10),
            ("private", "", 10),
            ("", "", 10),
        ] {
            let fields = headers(&[("cache-control", control), ("age", age)]);
            let lifetime = Freshness::of(&fields).lifetime();
            assert_eq!(lifetime, Duration::from_secs(seconds), "{control} {age}");
        }
    }

    #[test]
    fn a_renewal_wins_where_it_says_something() {
        let first = Freshness::of(&headers(&[
            ("etag", "\"a\""),
            ("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"),
            ("cache-control", "max-age=60"),
        ]));
        let asked = headers(&[
            ("if-none-match", "\"a\""),
            ("if-modified-since", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ]);
        assert_eq!(first.conditions(), asked);
        assert_eq!(first.renewed(&[]), first);
        let news = headers(&[("etag", "\"b\""), ("cache-control", "max-age=5")]);
        let second = first.renewed(&news);
        assert_eq!(second.conditions(), headers(&[("if-none-match", "\"b\"")]));
        assert_eq!(second.lifetime(), Duration::from_secs(5));
    }
}
