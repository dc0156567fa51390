//! Names of languages.

use std::fmt;

/// A language as BCP 47 names it, such as `en-US` or `km`. Compared without regard to case.
#[derive(Debug, Clone, Eq)]
pub struct Language(String);

impl Language {
    /// A tag: subtags of 1 to 8 letters or digits with hyphens between, the first of letters.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let is_subtag = |subtag: &str| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|c| c.is_ascii_alphanumeric())
        };
        let is_tag = tag.len() <= 40
            && tag.starts_with(|c: char| c.is_ascii_alphabetic())
            && tag.split('-').all(is_subtag);
        is_tag.then(|| Self(tag.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first subtag in lower case: `km` of `km-KH`.
    #[must_use]
    pub fn primary(&self) -> String {
        let subtag = self.0.split('-').next().unwrap_or_default();
        subtag.to_ascii_lowercase()
    }

    /// In lower case, and then shortened by a subtag each time: `zh-hant-tw`, `zh-hant`, `zh`.
    pub(crate) fn widening(&self) -> impl Iterator<Item = String> {
        std::iter::successors(Some(self.0.to_ascii_lowercase()), |tag| {
            tag.rsplit_once('-').map(|(shorter, _)| shorter.to_owned())
        })
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tags that somebody may have meant: those that are one letter away from it, or begin with its two letters.
pub(crate) fn nearest<'a>(language: &Language, tags: impl Iterator<Item = &'a str>) -> Vec<String> {
    const MOST: usize = 5;
    let wanted = language.primary();
    let near = |tag: &&str| {
        let primary = tag.split('-').next().unwrap_or_default();
        is_one_apart(&wanted, primary)
            || wanted.len() > 2 && primary.len() == 2 && wanted.starts_with(primary)
    };
    let mut near: Vec<String> = tags.filter(near).map(str::to_owned).collect();
    near.sort_by_key(|tag| (!tag.starts_with(&wanted[..1]), tag.len(), tag.clone()));
    near.dedup();
    near.truncate(MOST);
    near
}

/// Whether one letter added, left out or changed makes one word of the other.
fn is_one_apart(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() {
        (one.as_bytes(), other.as_bytes())
    } else {
        (other.as_bytes(), one.as_bytes())
    };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 => short
            .get(same + 1..)
            .is_none_or(|rest| rest == &long[same + 1..]),
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for good in ["en", "en-US", "km", "chr-US-Qaaa-x-west", "es-419", "cmn"] {
            assert_eq!(Language::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-",
            "en_US",
            "en-",
            "-en",
            "1",
            "verylonglanguage",
            "é",
            "en us",
        ] {
            assert_eq!(Language::parse(bad), None, "{bad}");
        }
        let language = Language::parse("zh-Hant-TW").unwrap();
        assert_eq!(language, Language::parse("ZH-hant-tw").unwrap());
        assert_eq!(language.primary(), "zh");
        let widening: Vec<String> = language.widening().collect();
        assert_eq!(widening, ["zh-hant-tw", "zh-hant", "zh"]);
    }

    #[test]
    fn the_nearest_are_those_that_may_have_been_meant() {
        let tags = ["sw", "en-us", "en-gb", "km", "ku", "ky", "om", "th"];
        for (wanted, expected) in [
            ("swa", &["sw"][..]),
            ("eng", &["en-gb", "en-us"]),
            ("kx", &["km", "ku", "ky"]),
            ("zz", &[]),
        ] {
            let wanted = Language::parse(wanted).unwrap();
            assert_eq!(nearest(&wanted, tags.into_iter()), expected, "{wanted}");
        }
    }

    #[test]
    fn one_letter_apart() {
        for (one, other, expected) in [
            ("km", "kmr", true),
            ("km", "ku", true),
            ("km", "mk", false),
            ("a", "abc", false),
            ("km", "km", true),
        ] {
            assert_eq!(is_one_apart(one, other), expected, "{one} {other}");
        }
    }
}
