//! `[speech]` of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{HttpSettings, Language, RecognitionSettings, RecordedSettings, espeak, flite};

/// Who speaks, and who is asked first. Every key has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `flite.wasm`, run in the same sandbox as the flows.
    pub flite: Option<PathBuf>,
    /// eSpeak NG: a path, or a name on the `PATH`.
    pub espeak_ng: PathBuf,
    /// Of a text that names none, with a voice that implies none.
    pub default_language: String,
    /// Providers by name, in the order they are asked; empty: all there are.
    pub order: Vec<String>,
    /// By language (BCP 47): the providers that are asked for it, and no others.
    pub languages: BTreeMap<String, Vec<String>>,
    /// Services that are asked over HTTP, by a name of one's own.
    pub http: BTreeMap<String, HttpSettings>,
    /// Folders of recorded words, by a name of one's own.
    pub recorded: BTreeMap<String, RecordedSettings>,
    /// Who understands what callers say.
    pub input: RecognitionSettings,
}

/// Why settings are refused. The text begins with the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("speech.{0}")]
pub struct InvalidSettings(pub(crate) String);

impl Default for Settings {
    fn default() -> Self {
        Self {
            flite: None,
            espeak_ng: PathBuf::from(espeak::NAME),
            default_language: "en-US".to_owned(),
            order: Vec::new(),
            languages: BTreeMap::new(),
            http: BTreeMap::new(),
            recorded: BTreeMap::new(),
            input: RecognitionSettings::default(),
        }
    }
}

impl Settings {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// On the first key that does not fit; says what would.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        check_language("default_language", &self.default_language)?;
        self.input.check()?;
        let mut orders = vec![("order".to_owned(), &self.order)];
        for (language, order) in &self.languages {
            let key = format!("languages.{language}");
            check_language(&key, language)?;
            if order.is_empty() {
                return Err(InvalidSettings(format!("{key} is empty: name a provider")));
            }
            orders.push((key, order));
        }
        let known = self.provider_names();
        if let Some(name) = twice(&known) {
            let message =
                format!("http and speech.recorded: {name:?} names two providers; rename one");
            return Err(InvalidSettings(message));
        }
        for (key, order) in orders {
            for name in order {
                if !known.contains(&name.as_str()) {
                    let known = known.join(", ");
                    let message =
                        format!("{key}: there is no provider {name:?}; there are {known}");
                    return Err(InvalidSettings(message));
                }
            }
        }
        Ok(())
    }

    /// The names of all that the settings speak of, in the order they are asked where none is set: what was chosen for a language
    /// before what is there anyway, and recordings last, as they have but single words.
    pub(crate) fn provider_names(&self) -> Vec<&str> {
        let http = self.http.keys().map(String::as_str);
        let recorded = self.recorded.keys().map(String::as_str);
        let names = http.chain([flite::NAME, espeak::NAME]).chain(recorded);
        names.collect()
    }
}

fn twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let pair = sorted.windows(2).find(|pair| pair[0] == pair[1]);
    pair.map(|pair| pair[0])
}

pub(crate) fn check_language(key: &str, tag: &str) -> Result<Language, InvalidSettings> {
    Language::parse(tag).ok_or_else(|| {
        let message = format!("{key}: {tag:?} is no language; give a BCP 47 tag such as `km`");
        InvalidSettings(message)
    })
}

#[cfg(test)]
mod tests;
