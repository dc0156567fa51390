//! Any speech service that takes a request over HTTP and answers with audio: described by templates.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use egress::{Bounds, CookieJar, Egress, FetchError, Grants, Kind, Limits, Request};
use serde::Deserialize;

use crate::provider::decode;
use crate::secret::read_secret;
use crate::settings::check_language;
use crate::template::{Escape, Place, Template};
use crate::utterance::one_spaced;
use crate::{
    Failure, Gender, InvalidSettings, Language, Provider, Run, Speaking, VoiceName, ssml, words,
};

/// What can be filled in.
const PLACES: [(&str, Place); 7] = [
    ("text", Place::Text),
    ("ssml", Place::Ssml),
    ("language", Place::Language),
    ("voice", Place::Voice),
    ("rate", Place::Rate),
    ("pitch", Place::Pitch),
    ("secret", Place::Secret),
];
/// The voice's name where the service has but one.
const ONLY_VOICE: &str = "default";
/// Characters of an error's body that are passed on.
const MAX_REASON: usize = 200;

/// `[speech.http.NAME]`: a service, and how it is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// `http` or `https`; what is filled in is percent-encoded. The host may have no places.
    pub url: String,
    /// `GET` or `POST`; without it POST where there is a body.
    pub method: Option<Method>,
    /// Fields of the request, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Escaped as the `content-type` of `headers` asks for: JSON, XML, form, or not at all.
    pub body: Option<String>,
    /// A file with what `{secret}` stands for.
    pub secret_file: Option<PathBuf>,
    /// What it speaks (BCP 47), as the service writes it.
    pub languages: Vec<String>,
    /// What `{voice}` stands for; the first where none is named.
    #[serde(default)]
    pub voices: Vec<String>,
    /// The voice for Twilio's `man`.
    pub man: Option<String>,
    /// The voice for Twilio's `woman`.
    pub woman: Option<String>,
    /// Media types of its answers; without them all audio.
    #[serde(default)]
    pub content_type: Vec<String>,
    /// Seconds from a request to the whole of its answer.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
    /// Bytes of an answer.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: usize,
}

const fn default_timeout_s() -> u64 {
    15
}

const fn default_max_bytes() -> usize {
    10 << 20
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Nothing is sent along.
    Get,
    /// A body is sent along.
    Post,
}

/// A service as it was described.
pub struct HttpService {
    name: String,
    egress: Egress,
    grants: Grants,
    method: http::Method,
    url: Template,
    headers: Vec<(String, Template)>,
    body: Option<Template>,
    body_escape: Escape,
    secret: String,
    languages: Vec<Language>,
    voices: Vec<String>,
    by_gender: [(Gender, Option<String>); 2],
    content_type: Vec<String>,
}

impl HttpService {
    /// The service of these settings, with its secret read.
    ///
    /// # Errors
    /// If a setting does not fit, or the secret cannot be read.
    pub fn new(name: &str, settings: &HttpSettings) -> Result<Self, InvalidSettings> {
        let invalid = |what: &str| InvalidSettings(format!("http.{name}.{what}"));
        let templates = Templates::parse(settings).map_err(|what| invalid(&what))?;
        let host = templates.url.host(&settings.url, &["http", "https"]);
        let (_, host) = host.map_err(|what| invalid(&format!("url: {what}")))?;
        let uses = |place| templates.all().any(|template| template.has(place));
        if !uses(Place::Text) && !uses(Place::Ssml) {
            return Err(invalid("url: put {text} or {ssml} into `url` or `body`"));
        }
        if uses(Place::Voice) && settings.voices.is_empty() {
            return Err(invalid("voices is empty, but {voice} is used: name one"));
        }
        if settings.languages.is_empty() {
            return Err(invalid(
                "languages is empty: name what the service speaks, such as \"km\"",
            ));
        }
        let secret = match &settings.secret_file {
            Some(path) => read_secret(path).map_err(|what| invalid(&what))?,
            None if uses(Place::Secret) => {
                return Err(invalid(
                    "secret_file is absent, but {secret} is used: name the file",
                ));
            }
            None => String::new(),
        };
        let languages = settings.languages.iter();
        let languages = languages.map(|tag| check_language(&format!("http.{name}.languages"), tag));
        let is_post = match settings.method {
            Some(method) => method == Method::Post,
            None => settings.body.is_some(),
        };
        Ok(Self {
            name: name.to_owned(),
            egress: Egress::new(limits(settings)),
            grants: Grants::parse(&[host]).map_err(|error| invalid(&format!("url: {error}")))?,
            method: if is_post {
                http::Method::POST
            } else {
                http::Method::GET
            },
            body_escape: templates.body_escape(),
            url: templates.url,
            headers: templates.headers,
            body: templates.body,
            secret,
            languages: languages.collect::<Result<_, _>>()?,
            voices: settings.voices.clone(),
            by_gender: [
                (Gender::Man, settings.man.clone()),
                (Gender::Woman, settings.woman.clone()),
            ],
            content_type: settings.content_type.clone(),
        })
    }

    /// The language as the service writes it.
    fn own(&self, language: &Language) -> Option<&Language> {
        let mut languages = self.languages.iter();
        let same = languages.clone().find(|own| *own == language);
        same.or_else(|| languages.find(|own| own.primary() == language.primary()))
    }

    async fn ask(&self, run: &Run, language: &Language, voice: &str) -> Result<Vec<i16>, Failure> {
        let request = self.request(run, self.own(language).unwrap_or(language), voice);
        let response = self
            .egress
            .fetch("speech", &self.grants, request, &CookieJar::default())
            .await
            .map_err(in_our_words)?;
        if response.status != 200 {
            let body = String::from_utf8_lossy(&response.body);
            let body: String = one_spaced(&body).chars().take(MAX_REASON).collect();
            return Err(Failure::new(
                self.hushed(&format!("status {}: {body}", response.status)),
            ));
        }
        let content_type = self.check_content_type(&response.headers)?;
        decode(response.body.to_vec(), &content_type).await
    }

    fn request(&self, run: &Run, language: &Language, voice: &str) -> Request {
        let text = words::text(&run.words, language);
        let ssml = ssml::write(run, language);
        let (rate, pitch) = (run.prosody.rate.to_string(), run.prosody.pitch.to_string());
        let value = |place| match place {
            Place::Text => text.as_str(),
            Place::Ssml => ssml.as_str(),
            Place::Language => language.as_str(),
            Place::Voice => voice,
            Place::Rate => rate.as_str(),
            Place::Pitch => pitch.as_str(),
            Place::Secret => self.secret.as_str(),
            // Not among `PLACES`.
            Place::Hints | Place::Model | Place::ProfanityFilter | Place::Audio => "",
        };
        let headers = self.headers.iter();
        let body = self.body.as_ref();
        Request {
            kind: Kind::Media,
            method: self.method.clone(),
            url: self.url.fill(Escape::Percent, value),
            headers: headers
                .map(|(name, template)| (name.clone(), template.fill(Escape::None, value)))
                .collect(),
            body: body
                .map(|body| body.fill(self.body_escape, value))
                .unwrap_or_default()
                .into(),
            sign: None,
            may_visit: None,
            own_headers: egress::OwnHeaders::default(),
            token: None,
        }
    }

    /// The media type of an answer, if it is what was agreed on.
    fn check_content_type(&self, headers: &[(String, String)]) -> Result<String, Failure> {
        let mut headers = headers.iter();
        let found = headers.find(|(name, _)| name == "content-type");
        let found = found.map_or("", |(_, value)| value.as_str());
        let essence = found.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        let is_fine = match self.content_type.as_slice() {
            [] => {
                essence.starts_with("audio/")
                    || ["", "application/octet-stream", "application/ogg"]
                        .contains(&essence.as_str())
            }
            agreed => agreed
                .iter()
                .any(|agreed| agreed.eq_ignore_ascii_case(&essence)),
        };
        match is_fine {
            true => Ok(essence),
            false => {
                let wanted = match self.content_type.as_slice() {
                    [] => "audio".to_owned(),
                    agreed => agreed.join(" or "),
                };
                Err(Failure::new(format!(
                    "it answered with {essence:?} instead of {wanted}"
                )))
            }
        }
    }

    /// A service may repeat what it was sent.
    fn hushed(&self, text: &str) -> String {
        match self.secret.as_str() {
            "" => text.to_owned(),
            secret => text.replace(secret, "(secret)"),
        }
    }
}

impl Provider for HttpService {
    fn name(&self) -> &str {
        &self.name
    }

    fn languages(&self) -> Vec<String> {
        self.languages.iter().map(Language::to_string).collect()
    }

    fn voices(&self) -> Vec<String> {
        self.voices.clone()
    }

    fn voice_for(&self, language: &Language, gender: Option<Gender>) -> Option<VoiceName> {
        self.own(language)?;
        let by_gender = self.by_gender.iter();
        let mut fitting = by_gender.filter(|(of, _)| Some(*of) == gender);
        let voice = fitting.find_map(|(_, voice)| voice.as_ref());
        let voice = voice.or_else(|| self.voices.first()).cloned();
        Some(voice.unwrap_or_else(|| ONLY_VOICE.to_owned()))
    }

    fn languages_of(&self, voice: &str) -> Option<Vec<Language>> {
        let is_ours = self.voices.iter().any(|own| own == voice);
        is_ours.then(|| self.languages.clone())
    }

    fn speak<'a>(&'a self, run: &'a Run, language: &'a Language, voice: &'a str) -> Speaking<'a> {
        Box::pin(self.ask(run, language, voice))
    }
}

/// What is filled in for each request.
struct Templates {
    url: Template,
    headers: Vec<(String, Template)>,
    content_type: String,
    body: Option<Template>,
}

impl Templates {
    fn parse(settings: &HttpSettings) -> Result<Self, String> {
        let parse = |key: &str, text: &str| {
            Template::parse(text, &PLACES).map_err(|error| format!("{key}: {error}"))
        };
        let headers = settings.headers.iter().map(|(name, text)| {
            let template = parse("headers", text)?;
            let is_unbound = template.has(Place::Text) || template.has(Place::Ssml);
            match is_unbound {
                true => Err(format!("headers: the text does not fit into {name}")),
                false => Ok((name.clone(), template)),
            }
        });
        let mut by_name = settings.headers.iter();
        let content_type = by_name.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let body = settings.body.as_ref();
        Ok(Self {
            url: parse("url", &settings.url)?,
            headers: headers.collect::<Result<_, _>>()?,
            content_type: content_type
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            body: body.map(|body| parse("body", body)).transpose()?,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().map(|(_, template)| template);
        headers.chain([&self.url]).chain(&self.body)
    }

    fn body_escape(&self) -> Escape {
        Escape::for_content_type(&self.content_type)
    }
}

/// Redirects are not followed: the secret is for this address alone.
fn limits(settings: &HttpSettings) -> Limits {
    let defaults = Limits::default();
    let total = Duration::from_secs(settings.timeout_s);
    Limits {
        redirects: 0,
        media: Bounds {
            total,
            first_byte: total,
            response_bytes: settings.max_bytes,
            per_tenant: defaults.media.at_once,
            ..defaults.media
        },
        ..defaults
    }
}

fn in_our_words(error: FetchError) -> Failure {
    match error {
        FetchError::TooManyRedirects(_) => Failure::new(
            "it redirects, which is not followed: write the address it leads to into `url`",
        ),
        other => Failure::new(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
