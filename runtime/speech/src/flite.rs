//! Flite: English alone, in five voices.

use std::path::PathBuf;
use std::pin::Pin;

use crate::program::{Bounds, run};
use crate::provider::decode;
use crate::{Failure, Gender, Language, Provider, Run, Speaking, VoiceName, words};

pub(crate) const NAME: &str = "flite";
/// The voices inside; the first speaks where none is named.
const VOICES: [&str; 5] = ["slt", "kal", "kal16", "awb", "rms"];

/// What runs the program: a process, or a sandbox.
pub trait FliteEngine: Send + Sync {
    /// Runs it with these options to speak a text: the bytes of a WAV file.
    fn synthesize<'a>(
        &'a self,
        options: &'a [String],
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>>;
}

/// Flite, wherever it runs.
#[derive(Debug)]
pub struct Flite<E>(E);

impl<E: FliteEngine> Flite<E> {
    /// Flite run by this.
    pub const fn new(engine: E) -> Self {
        Self(engine)
    }

    async fn run(&self, run: &Run, language: &Language, voice: &str) -> Result<Vec<i16>, Failure> {
        let text = words::text(&run.words, language);
        let prosody = run.prosody;
        let mut options = vec!["-voice".to_owned(), voice.to_owned()];
        for (name, value, is_default) in [
            ("duration_stretch", 1.0 / prosody.rate, prosody.rate == 1.0),
            ("f0_shift", prosody.pitch, prosody.pitch == 1.0),
        ] {
            if !is_default {
                options.extend(["--setf".to_owned(), format!("{name}={value:.3}")]);
            }
        }
        let wav = self.0.synthesize(&options, &text).await?;
        decode(wav, "wav").await
    }
}

impl<E: FliteEngine> Provider for Flite<E> {
    fn name(&self) -> &str {
        NAME
    }

    fn languages(&self) -> Vec<String> {
        vec!["en".to_owned()]
    }

    fn voices(&self) -> Vec<String> {
        VOICES.map(str::to_owned).to_vec()
    }

    fn voice_for(&self, language: &Language, gender: Option<Gender>) -> Option<VoiceName> {
        let voice = match gender {
            Some(Gender::Man) => "kal",
            Some(Gender::Woman) | None => "slt",
        };
        (language.primary() == "en").then(|| voice.to_owned())
    }

    fn languages_of(&self, voice: &str) -> Option<Vec<Language>> {
        let english = Language::parse("en-US").into_iter().collect();
        VOICES.contains(&voice).then_some(english)
    }

    fn speak<'a>(&'a self, run: &'a Run, language: &'a Language, voice: &'a str) -> Speaking<'a> {
        Box::pin(self.run(run, language, voice))
    }
}

/// `flite` as it is installed on the machine: a process for each run of words.
#[derive(Debug)]
pub struct InstalledFlite(PathBuf);

impl InstalledFlite {
    /// Asks the program whether it is there.
    ///
    /// # Errors
    /// If it cannot be run.
    pub async fn find(program: PathBuf) -> Result<Self, Failure> {
        run(&program, &["-lv".to_owned()], "", Bounds::default()).await?;
        Ok(Self(program))
    }
}

impl FliteEngine for InstalledFlite {
    fn synthesize<'a>(
        &'a self,
        options: &'a [String],
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>> {
        let files = ["-f", "/dev/stdin", "-o", "/dev/stdout"].map(str::to_owned);
        let arguments = [options, &files].concat();
        Box::pin(async move { run(&self.0, &arguments, text, Bounds::default()).await })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Prosody, Value, Word};

    /// Notes what it is asked for.
    #[derive(Default)]
    struct Notebook(Mutex<Vec<String>>);

    impl FliteEngine for Notebook {
        fn synthesize<'a>(
            &'a self,
            options: &'a [String],
            text: &'a str,
        ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>> {
            let line = format!("{} | {text}", options.join(" "));
            self.0.lock().unwrap().push(line);
            Box::pin(async { Err(Failure::new("enough")) })
        }
    }

    #[tokio::test]
    async fn it_gets_plain_english_and_its_options() {
        let flite = Flite::new(Notebook::default());
        let english = Language::parse("en-GB").unwrap();
        let digits = Word::SayAs {
            value: Value::Characters("42".to_owned()),
            text: "42".to_owned(),
        };
        let mut run = Run {
            words: vec![Word::Text("Code".to_owned()), digits],
            ..Run::default()
        };
        flite.speak(&run, &english, "slt").await.unwrap_err();
        run.prosody = Prosody {
            rate: 0.5,
            pitch: 1.2,
            gain_db: 6.0,
        };
        flite.speak(&run, &english, "kal").await.unwrap_err();
        let expected = [
            "-voice slt | Code 4, 2",
            "-voice kal --setf duration_stretch=2.000 --setf f0_shift=1.200 | Code 4, 2",
        ];
        assert_eq!(*flite.0.0.lock().unwrap(), expected);
    }

    #[test]
    fn english_alone() {
        let flite = Flite::new(Notebook::default());
        for (language, gender, expected) in [
            ("en-US", None, Some("slt")),
            ("EN", Some(Gender::Man), Some("kal")),
            ("en-GB", Some(Gender::Woman), Some("slt")),
            ("sw", None, None),
        ] {
            let language = Language::parse(language).unwrap();
            assert_eq!(flite.voice_for(&language, gender).as_deref(), expected);
        }
        assert!(flite.languages_of("rms").is_some());
        assert!(flite.languages_of("man").is_none());
    }
}
