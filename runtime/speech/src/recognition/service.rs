//! Any service that understands speech, described by templates: over a WebSocket while somebody speaks, or over HTTP when they are done.

mod answer;
mod http;
mod websocket;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use egress::{Bounds, Egress, Grants, Limits, WebSocketBounds};
use media::{Rate, RateConverter};
use serde::Deserialize;

use super::{Channels, Recogniser, SpokenFrame, Task, Understanding};
use crate::secret::read_secret;
use crate::settings::check_language;
use crate::template::{Escape, Place, Template};
use crate::{Failure, InvalidSettings, Language};
use answer::Pointers;

/// What can be filled in.
const PLACES: [(&str, Place); 6] = [
    ("language", Place::Language),
    ("hints", Place::Hints),
    ("model", Place::Model),
    ("profanity_filter", Place::ProfanityFilter),
    ("rate_hz", Place::Rate),
    ("secret", Place::Secret),
];
/// In a message that carries audio.
const PLACES_OF_AUDIO: [(&str, Place); 1] = [("audio", Place::Audio)];
/// Bytes of one answer, or of one message.
const MAX_ANSWER_BYTES: usize = 256 << 10;
/// The model's name where nobody names one.
const DEFAULT_MODEL: &str = "default";

/// `[speech.input.service.NAME]`: a service, and how it is spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// `ws` or `wss`: it hears the caller while they speak. `http` or `https`: it gets the utterance as a WAV file, by POST. What is
    /// filled in is percent-encoded. The host may have no places.
    pub url: String,
    /// Fields of the request or the handshake, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A file with what `{secret}` stands for.
    pub secret_file: Option<PathBuf>,
    /// What it understands (BCP 47), as the service writes it.
    pub languages: Vec<String>,
    /// Samples a second that it gets, 16 bits, mono: 8000 or 16000.
    #[serde(default = "default_rate_hz")]
    pub rate_hz: u32,
    /// Over a WebSocket: the first message, JSON.
    pub begin: Option<String>,
    /// Over a WebSocket: a message of JSON with 20 ms of audio as `{audio}`, in Base64. Without it audio goes in binary messages.
    pub audio: Option<String>,
    /// Over a WebSocket: the message after the last audio, JSON.
    pub end: Option<String>,
    /// Where the words are in its answer: a JSON pointer (RFC 6901) such as `/text`.
    pub text: String,
    /// Where words are that may still change.
    pub partial: Option<String>,
    /// Where it says, by true or false, whether what `text` points to stays.
    pub is_final: Option<String>,
    /// Where it says how sure it is, 0 to 1.
    pub confidence: Option<String>,
    /// Seconds for a handshake, or from a request to the whole of its answer.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
}

const fn default_rate_hz() -> u32 {
    8_000
}

const fn default_timeout_s() -> u64 {
    10
}

/// A service that is spoken to as its settings say.
pub struct Service {
    name: String,
    is_websocket: bool,
    egress: Egress,
    grants: Grants,
    url: Template,
    headers: Vec<(String, Template)>,
    begin: Option<Template>,
    audio: Option<Template>,
    end: Option<Template>,
    secret: String,
    languages: Vec<Language>,
    rate: Rate,
    pointers: Pointers,
}

impl Service {
    /// The service of these settings, with its secret read.
    ///
    /// # Errors
    /// If a setting does not fit, or the secret cannot be read.
    pub fn new(name: &str, settings: &ServiceSettings) -> Result<Self, InvalidSettings> {
        let invalid = |what: String| InvalidSettings(format!("input.service.{name}.{what}"));
        let parse = |key: &str, text: &str| {
            let template = Template::parse(text, &PLACES);
            template.map_err(|error| invalid(format!("{key}: {error}")))
        };
        let optional = |key: &str, text: &Option<String>| {
            let text = text.as_ref();
            text.map(|text| parse(key, text)).transpose()
        };
        let url = parse("url", &settings.url)?;
        let host = url.host(&settings.url, &["http", "https", "ws", "wss"]);
        let (scheme, host) = host.map_err(|what| invalid(format!("url: {what}")))?;
        let is_websocket = scheme.starts_with("ws");
        if !is_websocket && let Some(key) = settings.for_websockets_alone() {
            let message = format!("{key} is for a service behind ws:// or wss://");
            return Err(invalid(message));
        }
        if settings.languages.is_empty() {
            let message = "languages is empty: name what the service understands, such as \"km\"";
            return Err(invalid(message.to_owned()));
        }
        let headers = settings.headers.iter();
        let headers = headers.map(|(name, text)| Ok((name.clone(), parse("headers", text)?)));
        let headers = headers.collect::<Result<Vec<_>, InvalidSettings>>()?;
        let (begin, end) = (
            optional("begin", &settings.begin)?,
            optional("end", &settings.end)?,
        );
        let audio = settings.audio.as_ref().map(|text| {
            Template::parse(text, &PLACES_OF_AUDIO)
                .ok()
                .filter(|template| template.has(Place::Audio))
                .ok_or_else(|| invalid("audio: put {audio} into it, and no other".to_owned()))
        });
        let fields = headers.iter().map(|(_, template)| template);
        let uses_secret = fields
            .chain([&url])
            .chain(&begin)
            .any(|template| template.has(Place::Secret));
        let secret = match &settings.secret_file {
            Some(path) => read_secret(path).map_err(invalid)?,
            None if uses_secret => {
                let message = "secret_file is absent, but {secret} is used: name the file";
                return Err(invalid(message.to_owned()));
            }
            None => String::new(),
        };
        let languages = settings.languages.iter();
        let languages =
            languages.map(|tag| check_language(&format!("input.service.{name}.languages"), tag));
        Ok(Self {
            name: name.to_owned(),
            is_websocket,
            egress: Egress::new(limits(Duration::from_secs(settings.timeout_s))),
            grants: Grants::parse(&[host]).map_err(|error| invalid(format!("url: {error}")))?,
            url,
            headers,
            begin,
            audio: audio.transpose()?,
            end,
            secret,
            languages: languages.collect::<Result<_, _>>()?,
            rate: match settings.rate_hz {
                8_000 => Rate::Narrow,
                16_000 => Rate::Wide,
                other => return Err(invalid(format!("rate_hz is {other}: give 8000 or 16000"))),
            },
            pointers: Pointers::of(settings).map_err(invalid)?,
        })
    }

    fn fill(&self, template: &Template, escape: Escape, task: &Task) -> String {
        let mut languages = self.languages.iter();
        let own = languages.clone().find(|own| **own == task.language);
        let own = own
            .or_else(|| languages.find(|own| own.primary() == task.language.primary()))
            .unwrap_or(&task.language);
        // A list of JSON; elsewhere with commas between.
        let hints = match escape {
            Escape::Json => serde_json::Value::from(task.hints.clone()).to_string(),
            _ => task.hints.join(","),
        };
        let rate = self.rate.hz().to_string();
        template.fill(escape, |place| match place {
            Place::Language => own.as_str(),
            Place::Hints => hints.as_str(),
            Place::Model => task.model.as_deref().unwrap_or(DEFAULT_MODEL),
            Place::ProfanityFilter if task.profanity_filter => "true",
            Place::ProfanityFilter => "false",
            Place::Rate => rate.as_str(),
            Place::Secret => self.secret.as_str(),
            _ => "",
        })
    }

    fn headers(&self, task: &Task) -> Vec<(String, String)> {
        let headers = self.headers.iter();
        let filled =
            headers.map(|(name, text)| (name.clone(), self.fill(text, Escape::None, task)));
        filled.collect()
    }

    /// A service may repeat what it was sent.
    fn hushed(&self, text: String) -> Failure {
        Failure(match self.secret.as_str() {
            "" => text,
            secret => text.replace(secret, "(secret)"),
        })
    }

    async fn run(&self, task: Arc<Task>, channels: Channels) -> Result<(), Failure> {
        let outcome = match self.is_websocket {
            true => self.converse(&task, channels).await,
            false => self.post(&task, channels).await,
        };
        outcome.map_err(|failure| self.hushed(failure.0))
    }
}

impl ServiceSettings {
    /// The first key that has a meaning for a WebSocket only.
    fn for_websockets_alone(&self) -> Option<&'static str> {
        let keys = [
            ("begin", &self.begin),
            ("audio", &self.audio),
            ("end", &self.end),
            ("partial", &self.partial),
            ("is_final", &self.is_final),
        ];
        let mut keys = keys.into_iter();
        keys.find_map(|(key, value)| value.is_some().then_some(key))
    }
}

impl Recogniser for Service {
    fn name(&self) -> &str {
        &self.name
    }

    fn languages(&self) -> Vec<String> {
        self.languages.iter().map(Language::to_string).collect()
    }

    fn understands(&self, language: &Language) -> bool {
        let mut languages = self.languages.iter();
        languages.any(|own| own.primary() == language.primary())
    }

    fn understand(&self, task: Arc<Task>, channels: Channels) -> Understanding<'_> {
        Box::pin(self.run(task, channels))
    }
}

/// Audio at the rate of a service, 16 bits, the lower byte first.
struct Samples {
    converter: RateConverter,
    rate: Rate,
}

impl Samples {
    fn at(rate: Rate) -> Self {
        Self {
            converter: RateConverter::new(Rate::Narrow, rate),
            rate,
        }
    }

    fn bytes(&mut self, frame: &SpokenFrame) -> Vec<u8> {
        let mut samples = vec![0; self.rate.frame_samples()];
        self.converter.convert(frame, &mut samples);
        samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect()
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Redirects are not followed: the secret is for this address alone.
fn limits(time: Duration) -> Limits {
    let defaults = Limits::default();
    Limits {
        redirects: 0,
        // A minute of audio at 16 kHz.
        request_bytes: 2 << 20,
        media: Bounds {
            total: time,
            first_byte: time,
            response_bytes: MAX_ANSWER_BYTES,
            per_tenant: defaults.media.at_once,
            ..defaults.media
        },
        websocket: WebSocketBounds {
            handshake: time,
            message_bytes: MAX_ANSWER_BYTES,
            ..defaults.websocket
        },
        ..defaults
    }
}

#[cfg(test)]
mod tests;
