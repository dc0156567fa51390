//! `[speech.input]` of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::ServiceSettings;
use crate::{InvalidSettings, Language};

/// Who understands speech. Every key has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecognitionSettings {
    /// `pocketsphinx_continuous`: a path, or a name on the `PATH`.
    pub pocketsphinx: PathBuf,
    /// The folder of its acoustic model.
    pub pocketsphinx_model: PathBuf,
    /// The words that it knows, and how they are spoken.
    pub pocketsphinx_dictionary: PathBuf,
    /// Which words follow each other.
    pub pocketsphinx_language_model: PathBuf,
    /// What its model understands (BCP 47).
    pub pocketsphinx_language: String,
    /// Services, by a name of one's own. They are asked before PocketSphinx, in the order of their names.
    pub service: BTreeMap<String, ServiceSettings>,
    /// Utterances that are understood at a time, for all calls together.
    pub at_once: usize,
}

impl Default for RecognitionSettings {
    /// As Debian's packages `pocketsphinx` and `pocketsphinx-en-us` have it.
    fn default() -> Self {
        let folder = PathBuf::from("/usr/share/pocketsphinx/model/en-us");
        Self {
            pocketsphinx: PathBuf::from("pocketsphinx_continuous"),
            pocketsphinx_model: folder.join("en-us"),
            pocketsphinx_dictionary: folder.join("cmudict-en-us.dict"),
            pocketsphinx_language_model: folder.join("en-us.lm.bin"),
            pocketsphinx_language: "en-US".to_owned(),
            service: BTreeMap::new(),
            at_once: 8,
        }
    }
}

impl RecognitionSettings {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// On the first key that does not fit; says what would.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        if !(1..=1_000).contains(&self.at_once) {
            let message = format!("input.at_once is {}: give 1 to 1000", self.at_once);
            return Err(InvalidSettings(message));
        }
        self.language().map(drop)
    }

    /// What PocketSphinx's model understands.
    pub(super) fn language(&self) -> Result<Language, InvalidSettings> {
        crate::settings::check_language("input.pocketsphinx_language", &self.pocketsphinx_language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let read = |text: &str| toml::from_str::<RecognitionSettings>(text).unwrap().check();
        assert_eq!(read(""), Ok(()));
        for (text, error) in [
            ("at_once = 0", "speech.input.at_once is 0: give 1 to 1000"),
            (
                "pocketsphinx_language = \"\"",
                "speech.input.pocketsphinx_language: \"\" is no language; give a BCP 47 tag such as `km`",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), error);
        }
    }
}
