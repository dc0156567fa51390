//! Who understands speech: chosen by language, and bounded in number.

mod grammar;
mod pocketsphinx;
mod service;
mod settings;

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{Failure, InvalidSettings, Language};
pub use pocketsphinx::PocketSphinx;
pub use service::{Service, ServiceSettings};
pub use settings::RecognitionSettings;

/// 20 ms of what is said: mono, 16 bits, 8 kHz.
pub type SpokenFrame = [i16; media::SAMPLES_8K];

/// What is done with one utterance.
pub type Understanding<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// One way to turn audio into words.
pub trait Recogniser: Send + Sync {
    /// Names it in logs.
    fn name(&self) -> &str;

    /// The languages it understands, as BCP 47 tags; for an error that says what there is.
    fn languages(&self) -> Vec<String>;

    /// Whether it understands a language, or another region's.
    fn understands(&self, language: &Language) -> bool;

    /// Understands one utterance, whose audio ends when its channel is closed. Done when all that was understood has been said.
    fn understand(&self, task: Arc<Task>, channels: Channels) -> Understanding<'_>;
}

/// What is known of an utterance before it is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What is spoken.
    pub language: Language,
    /// Words and phrases to be expected.
    pub hints: Vec<String>,
    /// What a service calls the model to be used.
    pub model: Option<String>,
    /// Swear words are not wanted.
    pub profanity_filter: bool,
}

/// Audio in, words out.
#[derive(Debug)]
pub struct Channels {
    /// Of one utterance.
    pub audio: mpsc::Receiver<SpokenFrame>,
    /// What is understood of it.
    pub phrases: mpsc::Sender<Phrase>,
}

/// A part of what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Words with single spaces between.
    pub text: String,
    /// 0 to 1,000; none where the recogniser does not say.
    pub confidence_permille: Option<u16>,
    /// It stays: what comes next follows it. Else the next phrase takes its place.
    pub is_stable: bool,
}

/// The recognisers of this process.
pub struct Recognition {
    recognisers: Vec<Arc<dyn Recogniser>>,
    seats: Arc<Semaphore>,
}

impl std::fmt::Debug for Recognition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.recognisers.iter().map(|recogniser| recogniser.name());
        f.debug_list().entries(names).finish()
    }
}

impl Recognition {
    /// These, in the order in which they are asked; so many utterances at a time.
    #[must_use]
    pub fn new(recognisers: Vec<Arc<dyn Recogniser>>, at_once: usize) -> Self {
        Self {
            recognisers,
            seats: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Finds who understands speech here, and what the operator should know of them.
    ///
    /// # Errors
    /// If a setting does not fit, or names what is not there.
    pub async fn find(
        settings: &RecognitionSettings,
    ) -> Result<(Self, Vec<String>), InvalidSettings> {
        settings.check()?;
        let (mut recognisers, mut warnings): (Vec<Arc<dyn Recogniser>>, _) =
            (Vec::new(), Vec::new());
        for (name, service) in &settings.service {
            recognisers.push(Arc::new(Service::new(name, service)?));
        }
        match PocketSphinx::find(settings).await {
            Ok(Some(found)) => recognisers.push(Arc::new(found)),
            Ok(None) => {}
            Err(failure) => warnings.push(format!("pocketsphinx is not used: {failure}")),
        }
        Ok((Self::new(recognisers, settings.at_once), warnings))
    }

    /// Nobody understands anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recognisers.is_empty()
    }

    /// The names of all.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let recognisers = self.recognisers.iter();
        recognisers.map(|recogniser| recogniser.name()).collect()
    }

    /// The first that understands the language.
    ///
    /// # Errors
    /// In words for the tenant, with what there is.
    pub fn of(&self, language: &str) -> Result<(Arc<dyn Recogniser>, Language), String> {
        let parsed = Language::parse(language);
        let parsed =
            parsed.ok_or_else(|| format!("{language:?} is no language: give a tag as in en-US"))?;
        let mut recognisers = self.recognisers.iter();
        match recognisers.find(|recogniser| recogniser.understands(&parsed)) {
            Some(recogniser) => Ok((Arc::clone(recogniser), parsed)),
            None => {
                let known = self.recognisers.iter();
                let known: Vec<String> = known.flat_map(|other| other.languages()).collect();
                Err(format!(
                    "no recogniser understands {language}; there are {}",
                    known.join(", ")
                ))
            }
        }
    }

    /// Room for one utterance, until it is dropped; none while as many as may be are under way.
    #[must_use]
    pub fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf(&'static str);

    impl Recogniser for Deaf {
        fn name(&self) -> &str {
            self.0
        }

        fn languages(&self) -> Vec<String> {
            vec![self.0.to_owned()]
        }

        fn understands(&self, language: &Language) -> bool {
            language.primary() == self.0
        }

        fn understand(&self, _: Arc<Task>, _: Channels) -> Understanding<'_> {
            Box::pin(async { Ok(()) })
        }
    }

    #[test]
    fn the_language_chooses_who_understands() {
        let recognition = Recognition::new(vec![Arc::new(Deaf("en")), Arc::new(Deaf("km"))], 1);
        let chosen = |language| recognition.of(language).map(|(of, _)| of.name().to_owned());
        assert_eq!(chosen("km-KH").unwrap(), "km");
        assert_eq!(chosen("EN").unwrap(), "en");
        let refusal = "no recogniser understands lo; there are en, km";
        assert_eq!(chosen("lo").unwrap_err(), refusal);
        let refusal = "\"\" is no language: give a tag as in en-US";
        assert_eq!(chosen("").unwrap_err(), refusal);
    }

    #[test]
    fn so_many_at_a_time_and_no_more() {
        let recognition = Recognition::new(Vec::new(), 1);
        let seat = recognition.seat();
        assert!(seat.is_some() && recognition.seat().is_none());
        drop(seat);
        assert!(recognition.seat().is_some());
    }
}
