//! Prompts, ready to be played: fetched, decoded and encoded once, shared by every call.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use call::{AccountSid, MediaSource, PromptSource};
use media::{Codec, Prompt, Rate};
use speech::Speaker;
use tokio::sync::OnceCell;
use tracing::info;

use crate::web::Web;

/// What prompts are made ready for: every codec that a trunk may have.
const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];
/// Prompts kept ready, in samples of 8 kHz: an hour of audio, about 90 MB in three codecs.
const MAX_SAMPLES: usize = 3_600 * 8_000;
/// A prompt from a URL is asked for again after this long.
const URL_TTL: Duration = Duration::from_secs(10);
/// The largest file that is decoded.
const MAX_FILE: u64 = 25 << 20;

/// The spoken apology. Part of the runtime, so that it needs nothing else to work.
const APOLOGY: &[u8] = include_bytes!("../prompts/apology.wav");

/// The prompts of all tenants. What belongs to one is never given to another: the key has the account.
pub(crate) struct Library {
    shelf: Mutex<Shelf>,
    speaker: Speaker,
    web: Arc<Web>,
}

#[derive(Default)]
struct Shelf {
    prompts: HashMap<Key, Book>,
    samples: usize,
}

struct Book {
    cell: Arc<OnceCell<Arc<Prompt>>>,
    taken_at: Instant,
    samples: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Apology,
    /// A file is another one when its time or length changes.
    File(PathBuf, Option<SystemTime>, u64),
    Url(AccountSid, String),
    Speech(AccountSid, call::Speech),
}

impl Library {
    /// An empty library.
    pub(crate) fn new(speaker: Speaker, web: Arc<Web>) -> Self {
        Self {
            shelf: Mutex::default(),
            speaker,
            web,
        }
    }

    /// The prompt for a source. Callers that ask for the same one at the same time wait for one preparation.
    ///
    /// # Errors
    /// Why it cannot be had, for the tenant.
    pub(crate) async fn prompt(
        &self,
        account: &store::Account,
        source: &PromptSource,
    ) -> Result<Arc<Prompt>, String> {
        let key = self.key(account, source).await?;
        let cell = self.cell(&key);
        let prompt = cell.get_or_try_init(|| self.prepare(account, &key)).await?;
        self.weigh(&key, prompt.samples());
        Ok(Arc::clone(prompt))
    }

    async fn key(&self, account: &store::Account, source: &PromptSource) -> Result<Key, String> {
        Ok(match source {
            PromptSource::Apology => Key::Apology,
            PromptSource::Speech(speech) => {
                let voice = speech.voice.clone().or_else(|| account.voice.clone());
                let speech = call::Speech {
                    voice,
                    ..speech.clone()
                };
                Key::Speech(account.sid, speech)
            }
            PromptSource::Media(MediaSource::Url(url)) => Key::Url(account.sid, url.clone()),
            PromptSource::Media(MediaSource::File(name)) => {
                let folder = account.media_dir.as_ref().ok_or_else(|| {
                    format!("{name}: the account has no media folder; set `media_dir` in the tenants file")
                })?;
                let path = folder.join(inside(name)?);
                let metadata = tokio::fs::metadata(&path)
                    .await
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                if metadata.len() > MAX_FILE {
                    return Err(format!(
                        "{}: {} bytes, at most {MAX_FILE} are decoded",
                        path.display(),
                        metadata.len()
                    ));
                }
                Key::File(path, metadata.modified().ok(), metadata.len())
            }
        })
    }

    async fn prepare(&self, account: &store::Account, key: &Key) -> Result<Arc<Prompt>, String> {
        let bytes = match key {
            Key::Speech(_, speech) => return self.speak(speech).await,
            Key::Apology => APOLOGY.to_vec(),
            Key::File(path, ..) => tokio::fs::read(path)
                .await
                .map_err(|error| format!("{}: {error}", path.display()))?,
            Key::Url(_, url) => self
                .web
                .media(account, url)
                .await
                .map_err(|error| error.to_string())?,
        };
        let name = key.name();
        decode(bytes, name).await
    }

    async fn speak(&self, speech: &call::Speech) -> Result<Arc<Prompt>, String> {
        let request = speech::Request {
            text: &speech.text,
            language: speech.language.as_deref(),
            voice: speech.voice.as_deref(),
        };
        let spoken = self.speaker.speak(request).await;
        let spoken = spoken.map_err(|error| error.to_string())?;
        for note in spoken.notes {
            info!(target: "tenant", "{note}");
        }
        let encoded = tokio::task::spawn_blocking(move || {
            Arc::new(Prompt::new(&spoken.samples, speech::RATE, &CODECS))
        });
        encoded
            .await
            .map_err(|error| format!("the encoder stopped: {error}"))
    }

    /// The place of a prompt that is ready or being made ready.
    fn cell(&self, key: &Key) -> Arc<OnceCell<Arc<Prompt>>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if matches!(key, Key::Url(..))
            && shelf
                .prompts
                .get(key)
                .is_some_and(|book| now - book.taken_at > URL_TTL)
        {
            shelf.remove(key);
        }
        let book = shelf.prompts.entry(key.clone()).or_insert_with(|| Book {
            cell: Arc::default(),
            taken_at: now,
            samples: 0,
        });
        if !matches!(key, Key::Url(..)) {
            book.taken_at = now;
        }
        Arc::clone(&book.cell)
    }

    /// Notes the size of a prompt, and takes the longest unused away until all fit.
    fn weigh(&self, key: &Key, samples: usize) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        match shelf.prompts.get_mut(key) {
            Some(book) if book.samples == 0 => book.samples = samples,
            _ => return,
        }
        shelf.samples += samples;
        while shelf.samples > MAX_SAMPLES {
            let oldest = shelf
                .prompts
                .iter()
                .filter(|(other, _)| *other != key)
                .min_by_key(|(_, book)| book.taken_at);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            shelf.remove(&oldest);
        }
    }
}

impl Shelf {
    fn remove(&mut self, key: &Key) {
        if let Some(book) = self.prompts.remove(key) {
            self.samples -= book.samples;
        }
    }
}

impl Key {
    fn name(&self) -> String {
        match self {
            Self::Apology => "the apology".to_owned(),
            Self::File(path, ..) => path.display().to_string(),
            Self::Url(_, url) => url.clone(),
            Self::Speech(..) => "speech".to_owned(),
        }
    }
}

/// A name that stays inside the folder it is relative to.
fn inside(name: &str) -> Result<&Path, String> {
    let path = Path::new(name);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !plain || name.contains('\0') {
        return Err(format!(
            "`{name}` is not a path inside the media folder: give one like `prompts/menu.wav`"
        ));
    }
    Ok(path)
}

async fn decode(bytes: Vec<u8>, name: String) -> Result<Arc<Prompt>, String> {
    let decoded = tokio::task::spawn_blocking(move || {
        let extension = Path::new(&name)
            .extension()
            .and_then(|extension| extension.to_str())
            .map(str::to_owned);
        let limits = media::DecodeLimits::default();
        media::decode_at(&bytes, extension.as_deref(), limits, Rate::Wide)
            .map(|samples| Arc::new(Prompt::new(&samples, Rate::Wide, &CODECS)))
            .map_err(|error| format!("{name}: {error}"))
    });
    decoded
        .await
        .map_err(|error| format!("the decoder stopped: {error}"))?
}

#[cfg(test)]
mod tests;
