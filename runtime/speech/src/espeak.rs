//! eSpeak NG, where it is installed: some 120 languages.
//!
//! It gets plain text, and its options for rate and pitch: of SSML it drops a break at the beginning, does not know
//! `say-as` for digits, ordinals and dates, nor loudness in dB (1.51).

use std::path::PathBuf;

use crate::program::{Bounds, run};
use crate::provider::decode;
use crate::{Failure, Gender, Language, Provider, Run, Speaking, VoiceName, words};

pub(crate) const NAME: &str = "espeak-ng";

/// The words a minute that it speaks by itself, and the range of its option.
const WORDS_A_MINUTE: f32 = 175.0;
const SLOWEST_FASTEST: (f32, f32) = (80.0, 450.0);

/// eSpeak NG as a process for each run of words.
#[derive(Debug)]
pub struct EspeakNg {
    program: PathBuf,
    table: VoiceTable,
    bounds: Bounds,
}

impl EspeakNg {
    /// Asks the program which voices it has.
    ///
    /// # Errors
    /// If it cannot be run, or does not answer as eSpeak NG does.
    pub async fn find(program: PathBuf) -> Result<Self, Failure> {
        let bounds = Bounds::default();
        let listing = run(&program, &["--voices".to_owned()], "", bounds).await?;
        let table = VoiceTable::read(&String::from_utf8_lossy(&listing));
        if table.voices.is_empty() {
            let program = program.display();
            return Err(Failure::new(format!("{program} --voices names no voice")));
        }
        Ok(Self {
            program,
            table,
            bounds,
        })
    }

    async fn run(
        &self,
        run_of_words: &Run,
        language: &Language,
        voice: &str,
    ) -> Result<Vec<i16>, Failure> {
        let text = words::text(&run_of_words.words, language);
        let prosody = run_of_words.prosody;
        let arguments = [
            "-b1".to_owned(), // the text is UTF-8
            "--stdin".to_owned(),
            "--stdout".to_owned(),
            format!("-v{voice}"),
            format!("-s{}", speed(prosody.rate)),
            format!("-p{}", pitch(prosody.pitch)),
        ];
        let text = without_phonemes(&text);
        let wav = run(&self.program, &arguments, &text, self.bounds).await?;
        if wav.is_empty() {
            return Err(Failure::new("it gave nothing for this text"));
        }
        decode(wav, "wav").await
    }
}

/// `[[` begins phonemes in its own notation. Nobody who writes to a caller means them.
fn without_phonemes(text: &str) -> String {
    text.replace("[[", "[ [")
}

fn speed(rate: f32) -> u32 {
    let (slowest, fastest) = SLOWEST_FASTEST;
    (WORDS_A_MINUTE * rate).clamp(slowest, fastest).round() as u32
}

/// Its scale of 0 to 99 has an octave in 50.
fn pitch(factor: f32) -> u32 {
    (50.0 + 50.0 * factor.log2()).clamp(0.0, 99.0).round() as u32
}

impl Provider for EspeakNg {
    fn name(&self) -> &str {
        NAME
    }

    fn languages(&self) -> Vec<String> {
        let voices = self.table.voices.iter();
        voices.map(|voice| voice.language.clone()).collect()
    }

    fn voices(&self) -> Vec<String> {
        vec!["en-us".to_owned(), "sw".to_owned(), "en-us+f3".to_owned()]
    }

    fn voice_for(&self, language: &Language, gender: Option<Gender>) -> Option<VoiceName> {
        let voice = self.table.find(language)?;
        Some(match gender {
            Some(Gender::Woman) => format!("{}+f2", voice.language),
            Some(Gender::Man) | None => voice.language.clone(),
        })
    }

    fn languages_of(&self, voice: &str) -> Option<Vec<Language>> {
        let (name, variant) = voice.split_once('+').unwrap_or((voice, "m1"));
        let is_variant =
            (1..=12).contains(&variant.len()) && variant.bytes().all(|c| c.is_ascii_alphanumeric());
        let mut voices = self.table.voices.iter();
        let found = voices.find(|known| known.language.eq_ignore_ascii_case(name));
        found
            .filter(|_| is_variant)
            .map(|voice| Language::parse(&voice.language).into_iter().collect())
    }

    fn speak<'a>(&'a self, run: &'a Run, language: &'a Language, voice: &'a str) -> Speaking<'a> {
        Box::pin(self.run(run, language, voice))
    }
}

/// What `espeak-ng --voices` lists.
#[derive(Debug, Default)]
struct VoiceTable {
    voices: Vec<Voice>,
}

#[derive(Debug, PartialEq, Eq)]
struct Voice {
    /// Its name for `-v`.
    language: String,
    priority: u32,
    /// Tags it stands in for, with a priority: the lower, the better.
    others: Vec<(String, u32)>,
}

impl VoiceTable {
    fn read(listing: &str) -> Self {
        let voices = listing.lines().filter_map(Voice::read);
        Self {
            voices: voices.collect(),
        }
    }

    /// The voice of the language itself, else of the wider one (`km-KH`, `km`), else of any of its regions.
    fn find(&self, language: &Language) -> Option<&Voice> {
        let by_tag = language.widening().find_map(|tag| {
            let fitting = self.voices.iter().filter_map(|voice| {
                let priority = voice.priority_for(&tag)?;
                Some((priority, voice))
            });
            fitting.min_by_key(|(priority, _)| *priority)
        });
        let any_region = || {
            let prefix = format!("{}-", language.primary());
            let voices = self.voices.iter().map(|voice| (voice.priority, voice));
            voices
                .filter(|(_, voice)| voice.language.starts_with(&prefix))
                .min_by_key(|(priority, _)| *priority)
        };
        by_tag.or_else(any_region).map(|(_, voice)| voice)
    }
}

impl Voice {
    /// ` 5  nb  --/M  Norwegian_Bokmål  gmq/nb  (no 5)`; the heading is no voice.
    fn read(line: &str) -> Option<Self> {
        let mut columns = line.split_whitespace();
        let priority = columns.next()?.parse().ok()?;
        let language = columns.next()?;
        // What goes on a command line as an option's value must look like a tag.
        Language::parse(language)?;
        let others = line.split('(').skip(1).filter_map(|other| {
            let mut words = other.split(')').next()?.split_whitespace();
            let tag = words.next()?.to_owned();
            let priority = words.next()?.parse().ok()?;
            words.next().is_none().then_some((tag, priority))
        });
        Some(Self {
            language: language.to_owned(),
            priority,
            others: others.collect(),
        })
    }

    fn priority_for(&self, tag: &str) -> Option<u32> {
        if self.language.eq_ignore_ascii_case(tag) {
            return Some(0);
        }
        let mut others = self.others.iter();
        let other = others.find(|(other, _)| other.eq_ignore_ascii_case(tag));
        other.map(|(_, priority)| *priority)
    }
}

#[cfg(test)]
mod tests;
