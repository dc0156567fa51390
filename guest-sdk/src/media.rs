//! What can be heard: prompts and speech.

use crate::{MediaSource, Speech, WaitSound};

/// `http://` and `https://` begin a URL; all else is a path in the tenant's media folder.
impl From<&str> for MediaSource {
    fn from(source: &str) -> Self {
        let scheme = source.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme)
                if ["http", "https"]
                    .iter()
                    .any(|s| scheme.eq_ignore_ascii_case(s)) =>
            {
                Self::Url(source.to_owned())
            }
            _ => Self::File(source.to_owned()),
        }
    }
}

impl From<String> for MediaSource {
    fn from(source: String) -> Self {
        Self::from(source.as_str())
    }
}

impl Speech {
    /// A text in the account's default voice. One that begins with `<speak` is SSML.
    ///
    /// ```
    /// use jackfield_guest::Speech;
    ///
    /// let greeting = Speech::new("Good morning.").voice("slt").language("en-US");
    /// ```
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            voice: None,
            language: None,
        }
    }

    /// A voice such as `slt`, a speech provider's name, or one that Twilio's applications use.
    #[must_use]
    pub fn voice(mut self, voice: impl Into<String>) -> Self {
        self.voice = Some(voice.into());
        self
    }

    /// BCP 47, such as `en-US`.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }
}

/// A prompt, over and over.
impl<T: Into<MediaSource>> From<T> for WaitSound {
    fn from(source: T) -> Self {
        Self::Prompt(source.into())
    }
}

impl From<&str> for Speech {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Speech {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_url_or_a_file() {
        let url = |text: &str| MediaSource::Url(text.to_owned());
        let file = |text: &str| MediaSource::File(text.to_owned());
        let check = |text: &str, expected| assert_eq!(MediaSource::from(text), expected, "{text}");
        for text in ["http://a/b.wav", "https://a/b.wav", "HTTPS://a/b.wav"] {
            check(text, url(text));
        }
        for text in [
            "prompts/menu.wav",
            "http.wav",
            "ftp://a/b.wav",
            "a/http://b",
            "",
        ] {
            check(text, file(text));
        }
    }
}
