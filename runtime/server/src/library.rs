//! Prompts, ready to be played: fetched, decoded and encoded once, shared by every call.

mod freshness;
mod loading;

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use call::{AccountSid, MediaSource, PromptSource};
use media::{Codec, Prompt};
use speech::Speaker;
use tokio::sync::OnceCell;
use tracing::info;

use crate::uploads::Uploads;
use crate::web::{Media, Web, without_query};

use freshness::Freshness;
use loading::{decode, load};

/// What prompts are made ready for: every codec that a call may have.
pub(crate) type Codecs = &'static [Codec];

/// Those that cost little.
const COMMON: Codecs = &[Codec::Pcmu, Codec::Pcma, Codec::G722];
/// And Opus, which takes 15 times as long as the others together.
const WITH_OPUS: Codecs = &[Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// Prompts kept ready, in samples of 8 kHz: an hour of audio, about 90 MB in three codecs and 11 more in Opus.
const MAX_SAMPLES: usize = 3_600 * 8_000;
/// The largest file that is decoded.
const MAX_FILE: u64 = 25 << 20;

/// The spoken apology. Part of the runtime, so that it needs nothing else to work.
const APOLOGY: &[u8] = include_bytes!("../prompts/apology.wav");

/// The prompts of all tenants. What belongs to one is never given to another: the key has the account.
pub(crate) struct Library {
    shelf: Mutex<HashMap<(Key, Codecs), Book>>,
    speaker: Speaker,
    web: Arc<Web>,
    uploads: Uploads,
}

struct Book {
    cell: Arc<OnceCell<Edition>>,
    /// What was there before the cell's prompt.
    before: Option<Edition>,
    taken_at: Instant,
}

/// A prompt as it was when it was prepared.
#[derive(Clone)]
struct Edition {
    prompt: Arc<Prompt>,
    /// When its URL was asked, and what it said.
    asked: Option<(Instant, Freshness)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Apology,
    Music,
    /// A file is another one when its time or length changes.
    File(PathBuf, Option<SystemTime>, u64),
    Url(AccountSid, String),
    Speech(AccountSid, call::Speech),
}

impl Library {
    /// An empty library.
    pub(crate) fn new(speaker: Speaker, web: Arc<Web>, uploads: Uploads) -> Self {
        Self {
            shelf: Mutex::default(),
            speaker,
            web,
            uploads,
        }
    }

    /// The prompt for a source, in these codecs. Callers that ask for the same one at the same time wait for one preparation.
    ///
    /// # Errors
    /// Why it cannot be had, for the tenant.
    pub(crate) async fn prompt(
        &self,
        account: &store::Account,
        source: &PromptSource,
        codecs: Codecs,
    ) -> Result<Arc<Prompt>, String> {
        let key = (self.key(account, source).await?, codecs);
        let (cell, before) = self.cell(&key);
        let prepare = async {
            let edition = self.prepare(account, &key, before).await;
            self.make_room(&key);
            edition
        };
        let edition = cell.get_or_try_init(|| prepare).await?;
        Ok(Arc::clone(&edition.prompt))
    }

    async fn key(&self, account: &store::Account, source: &PromptSource) -> Result<Key, String> {
        Ok(match source {
            PromptSource::Apology => Key::Apology,
            PromptSource::Music => Key::Music,
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
                let path = self.file(account, name).await?;
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

    /// Where accounts' own files are.
    pub(crate) const fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Whether a file of this name can be played for an account.
    pub(crate) async fn has_file(&self, account: &store::Account, name: &str) -> bool {
        match self.file(account, name).await {
            Ok(path) => tokio::fs::metadata(path).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The file that the account has uploaded under this name, or else that of its media folder.
    async fn file(&self, account: &store::Account, name: &str) -> Result<PathBuf, String> {
        let name = inside(name)?;
        let uploaded = self.uploads.folder(account.sid).join(name);
        if tokio::fs::metadata(&uploaded).await.is_ok() {
            return Ok(uploaded);
        }
        let folder = account.media_dir.as_ref().ok_or_else(|| {
            format!(
                "{}: it was not uploaded, and the account has no media folder: upload it, or set `media_dir` in the tenants file",
                name.display()
            )
        })?;
        Ok(folder.join(name))
    }

    /// `before`: what the URL gave when it was last asked.
    async fn prepare(
        &self,
        account: &store::Account,
        (key, codecs): &(Key, Codecs),
        before: Option<Edition>,
    ) -> Result<Edition, String> {
        let codecs = *codecs;
        let prompt = match key {
            Key::Url(_, url) => return self.fetch(account, url, codecs, before).await,
            Key::Speech(_, speech) => self.speak(speech, codecs).await?,
            Key::Apology => decode(APOLOGY.to_vec(), "the apology".to_owned(), codecs).await?,
            Key::Music => {
                let music = media::wait_music;
                encode(move || Prompt::new(&music(), media::WAIT_MUSIC_RATE, codecs)).await?
            }
            Key::File(path, ..) => {
                let bytes = tokio::fs::read(path)
                    .await
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                decode(bytes, path.display().to_string(), codecs).await?
            }
        };
        Ok(Edition {
            prompt,
            asked: None,
        })
    }

    /// Asks a URL. While its server is out of order, what it gave before is played on.
    async fn fetch(
        &self,
        account: &store::Account,
        url: &str,
        codecs: Codecs,
        before: Option<Edition>,
    ) -> Result<Edition, String> {
        let now = Instant::now();
        let known = before
            .as_ref()
            .filter(|before| !before.prompt.is_cut())
            .and_then(|before| Some((before, &before.asked.as_ref()?.1)));
        let conditions = known.map_or(&[][..], |(_, freshness)| freshness.conditions());
        let answer = match self.web.media(account, url, conditions).await {
            Ok(Media::New(response)) => {
                let freshness = Freshness::of(&response.headers);
                let loaded = load(response, url.to_owned(), codecs).await;
                loaded.map(|prompt| (prompt, freshness))
            }
            Ok(Media::Unchanged { headers }) => match known {
                Some((before, freshness)) => {
                    Ok((Arc::clone(&before.prompt), freshness.renewed(&headers)))
                }
                None => Err(format!("{}: status 304", without_query(url))),
            },
            Ok(Media::Refused { status }) => {
                return Err(format!("{}: status {status}", without_query(url)));
            }
            Err(error) => Err(error.to_string()),
        };
        let (prompt, freshness) = match (answer, known) {
            (Ok(edition), _) => edition,
            (Err(error), Some((before, freshness))) => {
                info!(target: "tenant", "what was fetched before is played: {error}");
                (Arc::clone(&before.prompt), freshness.clone())
            }
            (Err(error), None) => return Err(error),
        };
        Ok(Edition {
            prompt,
            asked: Some((now, freshness)),
        })
    }

    async fn speak(&self, speech: &call::Speech, codecs: Codecs) -> Result<Arc<Prompt>, String> {
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
        encode(move || Prompt::new(&spoken.samples, speech::RATE, codecs)).await
    }

    /// The place of a prompt that is ready or being made ready; where it is to be made anew, what it was before.
    fn cell(&self, key: &(Key, Codecs)) -> (Arc<OnceCell<Edition>>, Option<Edition>) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let book = shelf.entry(key.clone()).or_insert_with(|| Book {
            cell: Arc::default(),
            before: None,
            taken_at: now,
        });
        book.taken_at = now;
        let old = book
            .cell
            .get()
            .filter(|edition| edition.is_old(now))
            .cloned();
        if old.is_some() {
            book.cell = Arc::default();
            book.before = old;
        }
        (Arc::clone(&book.cell), book.before.clone())
    }

    /// Takes the longest unused prompts away until all but this one fit.
    fn make_room(&self, key: &(Key, Codecs)) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let mut samples: usize = shelf.values().map(Book::samples).sum();
        while samples > MAX_SAMPLES {
            let oldest = shelf
                .iter()
                .filter(|(other, _)| *other != key)
                .min_by_key(|(_, book)| book.taken_at);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            let book = shelf.remove(&oldest);
            samples -= book.map_or(0, |book| book.samples());
        }
    }
}

impl Book {
    /// Of what is ready.
    fn samples(&self) -> usize {
        self.cell
            .get()
            .map_or(0, |edition| edition.prompt.samples())
    }
}

impl Edition {
    /// It is to be had anew.
    fn is_old(&self, now: Instant) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|(asked_at, freshness)| now - *asked_at >= freshness.lifetime())
            || self.prompt.is_cut()
    }
}

/// What the prompts of a call are made ready for that may be in these codecs.
pub(crate) fn prompt_codecs(codecs: &[sdp::Codec]) -> Codecs {
    if codecs.contains(&sdp::Codec::Opus) {
        WITH_OPUS
    } else {
        COMMON
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

/// Makes a prompt where that may take its time.
async fn encode(make: impl FnOnce() -> Prompt + Send + 'static) -> Result<Arc<Prompt>, String> {
    let encoded = tokio::task::spawn_blocking(move || Arc::new(make()));
    encoded
        .await
        .map_err(|error| format!("the encoder stopped: {error}"))
}

#[cfg(test)]
mod tests;
