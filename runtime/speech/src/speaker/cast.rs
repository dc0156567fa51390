//! Which provider and voice the name of a voice means.

use crate::twilio_voice::{self, Wish};
use crate::{Gender, Language, Provider};

/// What the name of a voice asks for.
#[derive(Debug, Default)]
pub(super) struct Cast<'a> {
    /// The place of the provider that it names, or that has the voice.
    pub(super) front: Option<usize>,
    pub(super) gender: Option<Gender>,
    /// The language that the name implies.
    pub(super) language: Option<Language>,
    /// As it was given.
    name: Option<&'a str>,
    /// A voice of the provider's own, and not the provider itself.
    is_voice: bool,
    is_foreign: bool,
    /// What there is, where the name is nobody's.
    known: Option<String>,
}

impl<'a> Cast<'a> {
    /// A provider's name, a voice that one of them has, or a name that Twilio's applications use. One that is none of these asks
    /// for nothing: a call is better spoken by another voice than by none.
    pub(super) fn of(name: Option<&'a str>, providers: &[Box<dyn Provider>]) -> Self {
        let Some(name) = name else {
            return Self::default();
        };
        if let Some(at) = providers
            .iter()
            .position(|provider| provider.name() == name)
        {
            let first = providers[at].languages().into_iter().next();
            return Self {
                front: Some(at),
                // Who speaks a hundred languages means none of them by its name.
                language: first
                    .filter(|_| providers[at].languages().len() == 1)
                    .and_then(|tag| Language::parse(&tag)),
                name: Some(name),
                ..Self::default()
            };
        }
        let mut owners = providers.iter().enumerate();
        let owner = owners.find_map(|(at, owner)| Some((at, owner.languages_of(name)?)));
        if let Some((at, languages)) = owner {
            return Self {
                front: Some(at),
                language: languages.into_iter().next(),
                name: Some(name),
                is_voice: true,
                ..Self::default()
            };
        }
        match twilio_voice::wish(name) {
            Some(Wish {
                gender,
                language,
                is_foreign,
            }) => Self {
                gender,
                language,
                is_foreign,
                name: Some(name),
                ..Self::default()
            },
            None => Self {
                name: Some(name),
                known: Some(known(providers)),
                ..Self::default()
            },
        }
    }

    /// The voice that was named, if it is this provider's and speaks the language.
    pub(super) fn voice_of(&self, provider: &dyn Provider, language: &Language) -> Option<String> {
        let name = self.name.filter(|_| self.is_voice)?;
        let languages = provider.languages_of(name)?;
        let speaks = languages
            .iter()
            .any(|own| own.primary() == language.primary());
        speaks.then(|| name.to_owned())
    }

    /// What to tell the author when that voice spoke: which one it was, if it is not the one that was asked for.
    pub(super) fn note(&self, provider: &str, voice: &str) -> Option<String> {
        let name = self.name?;
        if let Some(known) = &self.known {
            return Some(format!(
                "there is no voice {name}: {provider}'s {voice} speaks; known are {known}"
            ));
        }
        let is_other = self.is_foreign || (self.is_voice && name != voice);
        let is_other = is_other || (self.front.is_some() && !self.is_voice && name != provider);
        is_other.then(|| format!("the voice {name} does not speak here: {provider}'s {voice} does"))
    }
}

/// Voices, and providers as voices.
fn known(providers: &[Box<dyn Provider>]) -> String {
    let known = providers.iter().map(|provider| {
        let voices = provider.voices().join(", ");
        match voices.is_empty() {
            true => provider.name().to_owned(),
            false => format!("{} ({voices})", provider.name()),
        }
    });
    format!("{}, man, woman", known.collect::<Vec<_>>().join(", "))
}
