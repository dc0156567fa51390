//! A folder of recorded words of one language: numbers, codes, amounts, days, and what else was recorded, by the name of its
//! file.

use std::path::{Path, PathBuf};

use media::{PhraseRules, PhraseSet, Spoken};
use serde::Deserialize;

use crate::provider::decode;
use crate::settings::check_language;
use crate::{
    Failure, Gender, InvalidSettings, Language, Provider, Run, Speaking, Value, VoiceName, Word,
};

/// Words of a script that a warning names; of the others it says how many there are.
const NAMED: usize = 5;

/// `[speech.recorded.NAME]`: a folder, and the language in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedSettings {
    /// Files named after the words of the rules, and after phrases of the owner's own.
    pub folder: PathBuf,
    /// BCP 47. The rules for `en`, `km`, `lo` and `so` come with the program.
    pub language: String,
    /// A file with rules of one's own.
    pub rules: Option<PathBuf>,
}

/// The recordings of a folder, as a voice.
#[derive(Debug)]
pub struct Recorded {
    name: String,
    folder: PathBuf,
    language: Language,
    set: PhraseSet,
}

impl Recorded {
    /// The recordings that are in the folder now.
    ///
    /// # Errors
    /// If a setting does not fit, or a file or folder cannot be read.
    pub fn new(name: &str, settings: &RecordedSettings) -> Result<Self, InvalidSettings> {
        let key = format!("recorded.{name}");
        let at = |what: &str, path: &Path, error: &dyn std::fmt::Display| {
            InvalidSettings(format!("{key}.{what}: {}: {error}", path.display()))
        };
        let language = check_language(&format!("{key}.language"), &settings.language)?;
        let rules = match &settings.rules {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| at("rules", path, &error))?;
                PhraseRules::parse(&text).map_err(|error| at("rules", path, &error))?
            }
            None => PhraseRules::bundled(&language.primary()).ok_or_else(|| {
                InvalidSettings(format!(
                    "{key}.language: no rules for `{language}` come with the program (en, km, lo and so do): write them, \
                     and name the file in {key}.rules"
                ))
            })?,
        };
        let folder = &settings.folder;
        let names = file_names(folder).map_err(|error| at("folder", folder, &error))?;
        Ok(Self {
            name: name.to_owned(),
            folder: folder.clone(),
            language,
            set: PhraseSet::new(rules, names),
        })
    }

    /// A line on what is still to be recorded. None when all is there.
    #[must_use]
    pub fn what_is_missing(&self) -> Option<String> {
        let missing: Vec<String> = self
            .set
            .missing()
            .map(|(file, text)| format!("{file} ({text})"))
            .collect();
        let named = missing.get(..NAMED).unwrap_or(&missing).join(", ");
        let more = match missing.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (name, folder) = (&self.name, self.folder.display());
        (!missing.is_empty())
            .then(|| format!("speech.recorded.{name}: not yet recorded in {folder}: {named}{more}"))
    }

    /// The files to play, one after the other.
    fn files(&self, words: &[Word]) -> Result<Vec<PathBuf>, Failure> {
        let mut names = Vec::new();
        for word in words {
            match word {
                Word::Text(text) => {
                    for word in text.split_whitespace() {
                        names.extend(self.plain(word)?);
                    }
                }
                Word::SayAs { value, text } => names.extend(self.value(value, text)?),
            }
        }
        Ok(names.iter().map(|name| self.folder.join(name)).collect())
    }

    /// A number in digits, or the name of a recording. What ends a sentence is not said.
    fn plain(&self, word: &str) -> Result<Vec<&str>, Failure> {
        let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '។', '៕']);
        if word.is_empty() {
            return Ok(Vec::new());
        }
        if let Ok(number) = word.parse() {
            return self.say(Spoken::Number(number));
        }
        self.say(Spoken::Word(word))
            .or_else(|_| self.say(Spoken::Word(&word.to_lowercase())))
    }

    fn value(&self, value: &Value, text: &str) -> Result<Vec<&str>, Failure> {
        match value {
            Value::Characters(signs) => self.say(Spoken::Code(signs)),
            Value::Cardinal {
                is_negative: false,
                whole,
                fraction,
            } if fraction.is_empty() => self.say(Spoken::Number(*whole)),
            Value::Money {
                units,
                hundredths,
                currency,
            } => self.say(Spoken::Amount {
                units: *units,
                hundredths: *hundredths,
                currency,
            }),
            Value::Date { year, month, day } => self.say(Spoken::Date {
                year: *year,
                month: *month,
                day: *day,
            }),
            Value::Time {
                hour,
                minute,
                half: None,
            } => {
                let mut files = self.say(Spoken::Number((*hour).into()))?;
                files.extend(self.say(Spoken::Number((*minute).into()))?);
                Ok(files)
            }
            _ => Err(Failure::new(format!(
                "{text:?} cannot be said with recordings: say a whole number, a code, an amount, a date or a time of 24 hours"
            ))),
        }
    }

    fn say(&self, what: Spoken<'_>) -> Result<Vec<&str>, Failure> {
        self.set
            .say(what)
            .map_err(|error| Failure::new(error.to_string()))
    }

    async fn play(&self, run: &Run) -> Result<Vec<i16>, Failure> {
        let mut samples = Vec::new();
        for path in self.files(&run.words)? {
            let at = |error: &dyn std::fmt::Display| {
                Failure::new(format!("{}: {error}", path.display()))
            };
            let file = tokio::fs::read(&path).await.map_err(|error| at(&error))?;
            let extension = path.extension().and_then(|extension| extension.to_str());
            let word = decode(file, extension.unwrap_or_default()).await;
            samples.extend(word.map_err(|error| at(&error))?);
        }
        Ok(samples)
    }
}

fn file_names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

impl Provider for Recorded {
    fn name(&self) -> &str {
        &self.name
    }

    fn languages(&self) -> Vec<String> {
        vec![self.language.to_string()]
    }

    fn voices(&self) -> Vec<String> {
        Vec::new()
    }

    fn voice_for(&self, language: &Language, _: Option<Gender>) -> Option<VoiceName> {
        let speaks = language.primary() == self.language.primary();
        speaks.then(|| self.name.clone())
    }

    fn languages_of(&self, _: &str) -> Option<Vec<Language>> {
        None
    }

    fn speak<'a>(&'a self, run: &'a Run, _: &'a Language, _: &'a str) -> Speaking<'a> {
        Box::pin(self.play(run))
    }
}

#[cfg(test)]
mod tests;
