//! Recordings, from the moment a leg begins one to the file and the row that are left of it.
//!
//! A [`Tape`](crate::media_plane::Tape) on the leg's media thread fills a [`Reel`], one thread empties all reels into their
//! files, and what has ended is made whole and written down on tokio's threads for waiting. What a killed process leaves is
//! repaired at the next start.

mod api;
mod audio;
mod bucket;
mod claims;
mod files;
mod mp3;
mod reel;
mod retries;
#[cfg(test)]
pub(crate) mod samples;
mod uploader;
mod usage;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use call::{
    AccountSid, CallInfo, ConferenceRecording, ConferenceSid, Recording, RecordingId, RecordingOf,
    RecordingOptions, RecordingSid, StartRecording,
};
use media::{Codec, Rate, WavEncoding, WavFormat};
use store::{
    NewRecording, RecordingEnding, RecordingStatus, Scope, Store, StoreError, random_recording_sid,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tracing::{error, info, warn};

use crate::callbacks::Callbacks;
use crate::clock;
use crate::config;
use crate::media_plane::{MixTape, Tape};
use bucket::Bucket;
use claims::Claims;
use files::{Files, Whole};
use mp3::Mp3Encoder;
pub(crate) use reel::{BLOCK_SAMPLES, Block, Ended, Reel};
use usage::{Caps, Usage};
use writer::{Finished, Job};

/// Recordings that may begin before the thread has seen them; it looks five times a second.
const JOBS: usize = 4_096;

/// Makes the recordings of the process. Dropping it writes what has come, and ends its thread.
pub(crate) struct Studio {
    desk: Arc<Desk>,
    jobs: SyncSender<Job<Told>>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    caps: Caps,
    max_length: Duration,
}

/// Who is told of a recording's end.
type Told = oneshot::Sender<Recording>;

/// What the ends of recordings need.
struct Desk {
    files: Files,
    usage: Usage,
    encoder: Arc<Mp3Encoder>,
    /// Where complete files go; none: they stay.
    bucket: Option<Arc<Bucket>>,
    /// Whose files are being sent or deleted.
    claims: Arc<Claims>,
    /// A recording is over.
    completed: Arc<Notify>,
    store: Arc<dyn Store>,
    callbacks: Arc<Callbacks>,
    runtime: Handle,
    /// Before the path of a recording, where the carrier has no host name of its own.
    public_url: String,
}

/// A recording that has begun: give its tape to the leg.
pub(crate) struct Begun {
    pub(crate) sid: RecordingSid,
    pub(crate) tape: Tape,
    /// Resolves when the file is complete and written down.
    pub(crate) ended: oneshot::Receiver<Recording>,
}

/// A recording that has its file and its row, and no tape yet.
struct Opened {
    sid: RecordingSid,
    /// With its longest length.
    options: RecordingOptions,
    reel: Arc<Reel>,
    writer: Thread,
    ended: oneshot::Receiver<Recording>,
}

impl Studio {
    /// Starts the thread, after the files that the process before this one left have been repaired. Blocks meanwhile.
    ///
    /// # Errors
    /// If the folder or the store cannot be read, or the thread cannot be started.
    pub(crate) fn start(
        folder: &Path,
        config: &config::Recording,
        public_url: String,
        store: Arc<dyn Store>,
        callbacks: Arc<Callbacks>,
        runtime: Handle,
    ) -> anyhow::Result<Self> {
        let files = Files::new(folder.to_owned());
        repair(&files, store.as_ref())?;
        let desk = Arc::new(Desk {
            usage: Usage::of(files.usage()?),
            files,
            encoder: Arc::new(Mp3Encoder::new(
                &config.mp3_encoder,
                folder.parent().unwrap_or(folder),
            )),
            bucket: Bucket::of(config)?.map(Arc::new),
            claims: Arc::default(),
            completed: Arc::default(),
            store,
            callbacks,
            runtime,
            public_url,
        });
        if desk.bucket.is_some() {
            desk.runtime.spawn(uploader::run(Arc::downgrade(&desk)));
        }
        let (jobs, waiting) = sync_channel(JOBS);
        let stop = Arc::new(AtomicBool::new(false));
        let (ends, stopped) = (Arc::clone(&desk), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                writer::run(&ends.files, &waiting, &stopped, |finished| {
                    ends.finish(finished);
                });
            })?;
        Ok(Self {
            desk,
            jobs,
            thread: Some(thread),
            stop,
            caps: Caps {
                recordings: config.max_per_account,
                bytes: config.max_bytes_per_account(),
            },
            max_length: Duration::from_secs(config.max_length_s),
        })
    }

    /// Begins a recording of a call whose leg speaks `codec`. To be called inside the runtime.
    ///
    /// # Errors
    /// In words for the tenant: a limit was reached.
    pub(crate) fn begin(
        &self,
        call: &CallInfo,
        id: RecordingId,
        start: StartRecording,
        codec: Codec,
    ) -> Result<Begun, String> {
        let of = RecordingOf::Call(call.call_sid);
        let opened = self.open(call.account_sid, of, start, codec.rate())?;
        let Opened { sid, ended, .. } = opened;
        let (options, reel) = (opened.options, opened.reel);
        let tape = Tape::new(id, options, codec, reel, opened.writer);
        Ok(Begun { sid, tape, ended })
    }

    /// Begins a recording of a conference that is mixed at this rate. To be called inside the runtime.
    ///
    /// # Errors
    /// In words for the tenant: a limit was reached.
    pub(crate) fn begin_conference(
        &self,
        account: AccountSid,
        conference: ConferenceSid,
        recording: ConferenceRecording,
        rate: Rate,
    ) -> Result<(RecordingSid, MixTape), String> {
        let opened = self.open(account, conference.into(), recording.into(), rate)?;
        let tape = MixTape::new(opened.options, rate, opened.reel, opened.writer);
        Ok((opened.sid, tape))
    }

    fn open(
        &self,
        account: AccountSid,
        of: RecordingOf,
        start: StartRecording,
        rate: Rate,
    ) -> Result<Opened, String> {
        self.desk.usage.begin(account, self.caps)?;
        let sid = random_recording_sid();
        let (tracks, options) = (start.options.tracks, start.options);
        let longest = options.max_length.unwrap_or(self.max_length);
        let options = RecordingOptions {
            max_length: Some(longest.min(self.max_length)),
            ..options
        };
        let format = WavFormat {
            rate_hz: rate.hz(),
            channels: match options.channels {
                media::RecordingChannels::Mono => 1,
                media::RecordingChannels::Dual => 2,
            },
            encoding: WavEncoding::Pcm16,
        };
        let reel = Arc::new(Reel::new(format.rate_hz, format.channels));
        let (tag, ended) = oneshot::channel();
        let thread = self.thread.as_ref().expect("it runs until this is dropped");
        let writer = thread.thread().clone();
        let job = Job {
            account,
            sid,
            format,
            reel: Arc::clone(&reel),
            tag,
        };
        if self.jobs.try_send(job).is_err() {
            self.desk.usage.end(account, 0);
            return Err("too many recordings begin at once: try again".to_owned());
        }
        writer.unpark();
        let new = NewRecording {
            sid,
            of,
            source: start.source,
            channels: format.channels,
            rate_hz: format.rate_hz,
            tracks,
            callback: start.callback,
            url: self.desk.url(account, sid),
            created_unix_ms: clock::unix_ms(),
        };
        self.keep(account, new);
        Ok(Opened {
            sid,
            options,
            reel,
            writer,
            ended,
        })
    }

    /// Keeps a recording's beginning. The audio does not wait for the store.
    fn keep(&self, account: AccountSid, new: NewRecording) {
        let sid = new.sid;
        let commit = self
            .desk
            .store
            .begin_recording(Scope::of_host(account), new);
        let callbacks = Arc::clone(&self.desk.callbacks);
        self.desk.runtime.spawn(async move {
            match commit.await {
                Ok(_) => callbacks.look(),
                Err(error) => {
                    error!(recording.sid = %sid, "cannot keep a recording's beginning: {error}");
                }
            }
        });
    }

    /// Keeps that a recording was paused or goes on. Who wants to know when that is on disk waits for the task, which tells whether the recording is
    /// over already.
    pub(crate) fn set_status(
        &self,
        sid: RecordingSid,
        status: RecordingStatus,
    ) -> tokio::task::JoinHandle<bool> {
        let commit = self
            .desk
            .store
            .set_recording_status(sid, status, clock::unix_ms());
        self.desk.runtime.spawn(async move {
            match commit.await {
                Ok(()) => false,
                Err(StoreError::RecordingOver(_)) => true,
                Err(error) => {
                    error!(recording.sid = %sid, "cannot keep a recording's status: {error}");
                    false
                }
            }
        })
    }

    /// What the API is reached by.
    pub(crate) fn public_url(&self) -> &str {
        &self.desk.public_url
    }

    /// Where a recording is fetched from.
    pub(crate) fn url(&self, account: AccountSid, sid: RecordingSid) -> String {
        self.desk.url(account, sid)
    }

    /// Recordings that go on or are being made whole.
    pub(crate) fn going_on(&self) -> u64 {
        self.desk.usage.going_on()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // What still goes on has lost its legs, which end it; a panic was reported by its hook.
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Makes the file whole, writes the end down, and tells of it. Does not wait.
    fn finish(self: &Arc<Self>, finished: Finished<Told>) {
        let desk = Arc::clone(self);
        self.runtime.spawn(async move {
            let Finished {
                job,
                recorded,
                file,
            } = finished;
            let (account, sid) = (job.account, job.sid);
            let rate_hz = job.format.rate_hz;
            let files = desk.files.clone();
            let whole = tokio::task::spawn_blocking(move || match file {
                Ok((file, end)) => files.finish(account, sid, &file, &end, rate_hz),
                // What was written before is worth keeping.
                Err(error) => files.repair(account, sid).and(Err(error)),
            });
            let whole = whole
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            let (ending, failure) = ending(&desk.files, account, sid, whole);
            // Before anybody can know that it is over, and delete it.
            desk.usage.end(account, ending.file_bytes);
            let kept = desk.store.finish_recording(sid, ending, clock::unix_ms());
            match kept.await {
                Ok(()) => {
                    desk.callbacks.look();
                    desk.completed.notify_one();
                }
                Err(error) => {
                    error!(recording.sid = %sid, "cannot keep a recording's end: {error}");
                }
            }
            info!(
                recording.sid = %sid,
                status = %ending.status,
                duration_ms = ending.duration_ms,
                "a recording has ended"
            );
            // The call may be over and gone.
            let _ = job.tag.send(Recording {
                sid,
                url: desk.url(account, sid),
                end: failure.map_or(Ok(recorded.end), Err),
                duration_ms: ending.duration_ms,
                heard_voice: recorded.heard_voice,
            });
        });
    }

    fn url(&self, account: AccountSid, sid: RecordingSid) -> String {
        ::api::recording_url(&self.store.directory(), account, sid, &self.public_url)
    }
}

/// How a recording ended, and why it failed if it did, in words for the tenant.
fn ending(
    files: &Files,
    account: AccountSid,
    sid: RecordingSid,
    whole: io::Result<Option<Whole>>,
) -> (RecordingEnding, Option<String>) {
    let of = |status, whole: Option<Whole>| RecordingEnding {
        status,
        duration_ms: whole.map_or(0, |whole| whole.duration_ms),
        file_bytes: whole.map_or(0, |whole| whole.file_bytes),
    };
    match whole {
        Ok(Some(whole)) => (of(RecordingStatus::Completed, Some(whole)), None),
        Ok(None) => (of(RecordingStatus::Absent, None), None),
        Err(error) => {
            // As far as it got: a second look at the file, which repair has made whole if it could.
            let left = files.repair(account, sid).ok().flatten();
            let why = format!("the recording could not be written: {error}");
            (of(RecordingStatus::Failed, left), Some(why))
        }
    }
}

/// Ends the recordings that a killed process left, with what their files hold.
fn repair(files: &Files, store: &dyn Store) -> anyhow::Result<()> {
    let left = store.live_recordings()?;
    for row in &left {
        let whole = files.repair(row.account, row.sid);
        let status = match &whole {
            Ok(Some(_)) => RecordingStatus::Completed,
            Ok(None) => RecordingStatus::Absent,
            Err(error) => {
                warn!(recording.sid = %row.sid, "a recording cannot be repaired: {error}");
                RecordingStatus::Failed
            }
        };
        let whole = whole.ok().flatten();
        let ending = RecordingEnding {
            status,
            duration_ms: whole.map_or(0, |whole| whole.duration_ms),
            file_bytes: whole.map_or(0, |whole| whole.file_bytes),
        };
        store
            .finish_recording(row.sid, ending, clock::unix_ms())
            .wait()?;
    }
    if !left.is_empty() {
        warn!(
            "{} recordings went on when the process before this one ended; they end where their files do",
            left.len()
        );
    }
    Ok(())
}
