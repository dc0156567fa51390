//! Relative references (RFC 3986 section 5).

/// The parts of a reference (RFC 3986 appendix B).
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn split(reference: &str) -> Parts<'_> {
    let (rest, fragment) = cut(reference, '#');
    let (rest, query) = cut(rest, '?');
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, after)) if is_scheme(scheme) => (Some(scheme), after),
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, rest),
    };
    Parts {
        scheme,
        authority,
        path,
        query,
        fragment,
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Resolves a reference against the URL of the document that holds it (RFC 3986 section 5.2.2).
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let of_base = split(base);
    let of_reference = split(reference);
    let mut target = Parts {
        scheme: of_base.scheme,
        authority: of_base.authority,
        query: of_reference.query,
        ..of_reference
    };
    let path = if of_reference.scheme.is_some() {
        target.scheme = of_reference.scheme;
        target.authority = of_reference.authority;
        remove_dots(target.path)
    } else if of_reference.authority.is_some() {
        target.authority = of_reference.authority;
        remove_dots(target.path)
    } else if target.path.is_empty() {
        target.query = of_reference.query.or(of_base.query);
        of_base.path.to_owned()
    } else if target.path.starts_with('/') {
        remove_dots(target.path)
    } else {
        remove_dots(&merge(&of_base, target.path))
    };
    target.path = &path;
    join(&target)
}

/// RFC 3986 section 5.2.3.
fn merge(base: &Parts<'_>, path: &str) -> String {
    match base.path.rfind('/') {
        Some(slash) => format!("{}{path}", &base.path[..=slash]),
        None if base.authority.is_some() => format!("/{path}"),
        None => path.to_owned(),
    }
}

/// RFC 3986 section 5.2.4, a segment at a time.
fn remove_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    kept.join("/")
}

/// RFC 3986 section 5.3.
fn join(parts: &Parts<'_>) -> String {
    let mut url = String::new();
    if let Some(scheme) = parts.scheme {
        url += &format!("{scheme}:");
    }
    if let Some(authority) = parts.authority {
        url += &format!("//{authority}");
    }
    url += parts.path;
    if let Some(query) = parts.query {
        url += &format!("?{query}");
    }
    if let Some(fragment) = parts.fragment {
        url += &format!("#{fragment}");
    }
    url
}

/// Whether the host can fetch it: `http` or `https`, and some server.
pub(crate) fn is_web_url(url: &str) -> bool {
    let parts = split(url);
    let scheme = parts.scheme.unwrap_or_default();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && parts.authority.is_some_and(|server| !server.is_empty())
}

/// The URL with more parameters in its query, before its fragment.
pub(crate) fn with_query(url: &str, form: &str) -> String {
    let mut parts = split(url);
    let query = match parts.query {
        None | Some("") => form.to_owned(),
        Some(query) => format!("{query}&{form}"),
    };
    parts.query = Some(&query);
    join(&parts)
}

/// The URL as it was before [`with_query`], unless a redirect has led elsewhere.
pub(crate) fn without_query(url: &str, form: &str) -> String {
    let (url, _) = cut(url, '#');
    let before = url.strip_suffix(form).filter(|_| !form.is_empty());
    before
        .and_then(|before| before.strip_suffix(['?', '&']))
        .unwrap_or(url)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3986 sections 5.4.1 and 5.4.2, all but the one for old parsers.
    #[test]
    fn references_resolve_as_in_the_rfc() {
        let base = "http://a/b/c/d;p?q";
        let rows = [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/./x", "http://a/b/c/g#s/./x"),
            ("g#s/../x", "http://a/b/c/g#s/../x"),
        ];
        for (reference, expected) in rows {
            assert_eq!(resolve(base, reference), expected, "{reference}");
        }
    }

    #[test]
    fn references_resolve_against_what_servers_have() {
        let check = |base, reference, expected| assert_eq!(resolve(base, reference), expected);
        check("http://a", "g", "http://a/g");
        check("http://a", "?y", "http://a?y");
        check(
            "http://a:8080/voice.php?id=1#rc=2",
            "menu",
            "http://a:8080/menu",
        );
        check("http://a/v?id=1#rc=2", "", "http://a/v?id=1");
        check("https://u:p@a/v", "/w", "https://u:p@a/w");
        check("http://a/v", "https://b/w:x", "https://b/w:x");
        check("http://a/v/", "w?to=http://b", "http://a/v/w?to=http://b");
        check("http://a/v", "ü/ö", "http://a/ü/ö");
        check("http://a/v", "1:2", "http://a/1:2");
    }

    #[test]
    fn only_web_urls_are_fetched() {
        for url in ["http://a", "https://a/b", "HTTP://a", "http://[::1]:80/x"] {
            assert!(is_web_url(url), "{url}");
        }
        for url in [
            "",
            "a",
            "/a",
            "//a",
            "ftp://a",
            "http:a",
            "http:///a",
            "sip:a",
            "javascript:1",
        ] {
            assert!(!is_web_url(url), "{url}");
        }
    }

    #[test]
    fn parameters_join_the_query() {
        let check = |url, expected| assert_eq!(with_query(url, "x=1"), expected);
        check("http://a", "http://a?x=1");
        check("http://a/b", "http://a/b?x=1");
        check("http://a/b?", "http://a/b?x=1");
        check("http://a/b?y=2", "http://a/b?y=2&x=1");
        check("http://a/b?y=2#rc=2", "http://a/b?y=2&x=1#rc=2");
    }

    #[test]
    fn parameters_leave_the_query() {
        let check = |url, expected| assert_eq!(without_query(url, "x=1"), expected);
        check("http://a?x=1", "http://a");
        check("http://a/b?y=2&x=1", "http://a/b?y=2");
        check("http://a/b?y=2&x=1#rc=2", "http://a/b?y=2");
        check("http://a/b?y=2", "http://a/b?y=2");
        check("http://a/b?yx=1", "http://a/b?yx=1");
        check("http://a/b?x=1&y=2", "http://a/b?x=1&y=2");
        assert_eq!(without_query("http://a/b?", ""), "http://a/b?");
    }
}
