//! Who speaks a text: chosen by language and voice, the next one when one fails.

mod cast;

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::language::nearest;
use crate::settings::Settings;
use crate::{
    EspeakNg, Failure, Flite, HttpService, InstalledFlite, InvalidSettings, Language, Part,
    Prosody, Provider, RATE, Recorded, Run, SpeechError, Utterance, VoiceName,
};
use cast::Cast;

/// Samples in a millisecond.
const SAMPLES_PER_MS: usize = RATE.samples(1);
/// For a whole text, whoever speaks it in the end.
const MOST_TIME: Duration = Duration::from_secs(90);
/// Runs of words that are spoken at the same time, for all calls together; further ones wait.
const AT_ONCE: usize = 8;

/// A text that is to be spoken.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Plain, or SSML when it begins with `<speak`.
    pub text: &'a str,
    /// BCP 47. Without it, the one the text or the voice names, or the default.
    pub language: Option<&'a str>,
    /// A provider, a voice of one, or a name of Twilio's.
    pub voice: Option<&'a str>,
}

/// A text that was spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Mono, 16 bits, at [`RATE`].
    pub samples: Vec<i16>,
    /// What its author should know: who spoke in place of whom, and what was not obeyed.
    pub notes: Vec<String>,
}

/// The providers of this process and their order.
pub struct Speaker {
    providers: Vec<Box<dyn Provider>>,
    /// Names in the order they are asked.
    order: Vec<String>,
    /// By language, in lower case: its own order.
    by_language: Vec<(String, Vec<String>)>,
    default_language: Language,
    places: Semaphore,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let providers = self.providers.iter().map(|provider| provider.name());
        f.debug_list().entries(providers).finish()
    }
}

/// A provider with the voice that it would use.
type Candidate<'a> = (&'a dyn Provider, VoiceName);

impl Speaker {
    /// These providers, in the order of the settings.
    ///
    /// # Errors
    /// If the settings do not pass [`Settings::check`].
    pub fn new(
        providers: Vec<Box<dyn Provider>>,
        settings: &Settings,
    ) -> Result<Self, InvalidSettings> {
        settings.check()?;
        let names = |order: &[String]| match order {
            [] => settings
                .provider_names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            order => order.to_vec(),
        };
        let by_language = settings.languages.iter();
        Ok(Self {
            providers,
            order: names(&settings.order),
            by_language: by_language
                .map(|(language, order)| (language.to_ascii_lowercase(), order.clone()))
                .collect(),
            default_language: crate::settings::check_language(
                "default_language",
                &settings.default_language,
            )?,
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// Finds who can speak here, and what the operator should know of them. `sandboxed` stands in for a Flite that is installed
    /// on the machine.
    ///
    /// # Errors
    /// If the settings do not pass [`Settings::check`], or name a file that cannot be read.
    pub async fn find(
        settings: &Settings,
        sandboxed: Option<Box<dyn Provider>>,
    ) -> Result<(Self, Vec<String>), InvalidSettings> {
        let (mut providers, mut warnings) = (Vec::new(), Vec::new());
        match sandboxed {
            Some(flite) => providers.push(flite),
            None => {
                if let Ok(installed) = InstalledFlite::find("flite".into()).await {
                    providers.push(Box::new(Flite::new(installed)));
                }
            }
        }
        if let Ok(espeak) = EspeakNg::find(settings.espeak_ng.clone()).await {
            providers.push(Box::new(espeak));
        }
        for (name, http) in &settings.http {
            providers.push(Box::new(HttpService::new(name, http)?));
        }
        for (name, recorded) in &settings.recorded {
            let recorded = Recorded::new(name, recorded)?;
            warnings.extend(recorded.what_is_missing());
            providers.push(Box::new(recorded));
        }
        if providers.is_empty() {
            warnings.push(SpeechError::NoProvider.to_string());
        }
        Ok((Self::new(providers, settings)?, warnings))
    }

    /// Speaks a text.
    ///
    /// # Errors
    /// If it cannot be read, nobody speaks its language, or all who do failed.
    pub async fn speak(&self, request: Request<'_>) -> Result<Spoken, SpeechError> {
        let late = || {
            let seconds = MOST_TIME.as_secs();
            SpeechError::Failed(format!("the text was not spoken within {seconds} seconds"))
        };
        let spoken = timeout(MOST_TIME, self.speak_in_time(request)).await;
        spoken.map_err(|_| late())?
    }

    async fn speak_in_time(&self, request: Request<'_>) -> Result<Spoken, SpeechError> {
        let mut utterance = Utterance::read(request.text)?;
        let cast = Cast::of(request.voice, &self.providers);
        let language = self.language(&request, &utterance, &cast)?;
        let mut notes = std::mem::take(&mut utterance.notes);
        let runs: Vec<&Run> = utterance.parts.iter().filter_map(run_of).collect();
        let mut spoken = Vec::with_capacity(runs.len());
        for group in runs.chunk_by(|one, next| one.language == next.language) {
            let own = group[0].language.as_ref();
            spoken.extend(self.group(group, own, &language, &cast, &mut notes).await?);
        }
        Ok(Spoken {
            samples: assemble(&utterance.parts, spoken),
            notes,
        })
    }

    fn language(
        &self,
        request: &Request<'_>,
        utterance: &Utterance,
        cast: &Cast<'_>,
    ) -> Result<Language, SpeechError> {
        if let Some(tag) = request.language {
            let language = Language::parse(tag);
            return language.ok_or_else(|| SpeechError::NotALanguage(tag.to_owned()));
        }
        let implied = utterance.language.as_ref().or(cast.language.as_ref());
        Ok(implied.unwrap_or(&self.default_language).clone())
    }

    /// Runs of one language, all by the same provider, so that a text has one voice.
    async fn group(
        &self,
        runs: &[&Run],
        own: Option<&Language>,
        around: &Language,
        cast: &Cast<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Vec<i16>>, SpeechError> {
        let mut language = own.unwrap_or(around);
        let mut candidates = self.candidates(language, cast);
        if candidates.is_empty() && own.is_some() {
            notes.push(format!(
                "nobody speaks `{language}`: it is spoken as `{around}`"
            ));
            language = around;
            candidates = self.candidates(language, cast);
        }
        if candidates.is_empty() {
            return Err(self.nobody(language));
        }
        let mut failures = Vec::new();
        for (provider, voice) in candidates {
            match self.all(runs, provider, language, &voice).await {
                Ok(samples) => {
                    notes.extend(failures);
                    notes.extend(cast.note(provider.name(), &voice));
                    return Ok(samples);
                }
                Err(failure) => failures.push(format!("{} failed: {failure}", provider.name())),
            }
        }
        Err(SpeechError::Failed(failures.join("; ")))
    }

    async fn all(
        &self,
        runs: &[&Run],
        provider: &dyn Provider,
        language: &Language,
        voice: &str,
    ) -> Result<Vec<Vec<i16>>, Failure> {
        let mut spoken = Vec::with_capacity(runs.len());
        for run in runs {
            let place = self.places.acquire().await;
            let _place = place.expect("the semaphore is never closed");
            spoken.push(provider.speak(run, language, voice).await?);
        }
        Ok(spoken)
    }

    /// Who speaks a language, in the order they are asked: the one that the voice names first.
    fn candidates(&self, language: &Language, cast: &Cast<'_>) -> Vec<Candidate<'_>> {
        let by_name = |name: &String| {
            let mut providers = self.providers.iter();
            let named = providers.find(|provider| provider.name() == name);
            named.map(AsRef::as_ref)
        };
        let ordered = self.order_for(language).iter().filter_map(by_name);
        let front = cast.front.map(|at| self.providers[at].as_ref());
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for provider in front.into_iter().chain(ordered) {
            let is_there = candidates
                .iter()
                .any(|(there, _)| there.name() == provider.name());
            if is_there {
                continue;
            }
            let Some(voice) = provider.voice_for(language, cast.gender) else {
                continue;
            };
            let named = cast.voice_of(provider, language);
            candidates.push((provider, named.unwrap_or(voice)));
        }
        candidates
    }

    fn order_for(&self, language: &Language) -> &[String] {
        let own = language.widening().find_map(|tag| {
            let mut orders = self.by_language.iter();
            orders.find(|(language, _)| *language == tag)
        });
        own.map_or(&self.order, |(_, order)| order)
    }

    /// Who speaks what, and what would help.
    fn nobody(&self, language: &Language) -> SpeechError {
        if self.providers.is_empty() {
            return SpeechError::NoProvider;
        }
        let known = self.providers.iter().map(|provider| {
            let (name, languages) = (provider.name(), provider.languages());
            if languages.len() <= 8 {
                return format!("{name} speaks {}", languages.join(", "));
            }
            let near = nearest(language, languages.iter().map(String::as_str));
            match near.as_slice() {
                [] => format!("{name} speaks {} others", languages.len()),
                near => format!(
                    "{name} speaks {} others, nearest {}",
                    languages.len(),
                    near.join(", ")
                ),
            }
        });
        let known = known.collect::<Vec<_>>().join("; ");
        let has_espeak = self
            .providers
            .iter()
            .any(|provider| provider.name() == crate::espeak::NAME);
        let espeak = match has_espeak {
            true => "",
            false => "install espeak-ng (some 120 languages), or ",
        };
        let primary = language.primary();
        SpeechError::Language {
            language: language.to_string(),
            known,
            help: format!(
                "{espeak}name a provider for \"{primary}\" in the configuration: [speech.http.NAME], or recordings in \
                 [speech.recorded.NAME]"
            ),
        }
    }
}

fn run_of(part: &Part) -> Option<&Run> {
    match part {
        Part::Run(run) => Some(run),
        Part::Silence(_) => None,
    }
}

/// Puts what was spoken between the silences, as loud as it should be. `spoken` has the runs in order.
fn assemble(parts: &[Part], spoken: Vec<Vec<i16>>) -> Vec<i16> {
    let mut spoken = spoken.into_iter();
    let mut samples = Vec::new();
    for part in parts {
        match part {
            Part::Silence(length) => {
                let silence = length.as_millis() as usize * SAMPLES_PER_MS;
                samples.resize(samples.len() + silence, 0);
            }
            Part::Run(run) => {
                let run_samples = spoken.next().unwrap_or_default();
                samples.extend(run_samples.into_iter().map(amplifier(run.prosody)));
            }
        }
    }
    samples
}

fn amplifier(prosody: Prosody) -> impl Fn(i16) -> i16 {
    let factor = 10_f32.powf(prosody.gain_db / 20.0);
    move |sample| (f32::from(sample) * factor).round() as i16 // `as` saturates
}

#[cfg(test)]
mod tests;
