//! The one thread that writes what is recorded.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use call::{AccountSid, RecordingSid};
use media::{Recorded, WavEnd, WavFile, WavFormat};
use tracing::warn;

use super::files::Files;
use super::reel::{Block, Ended, Reel};

/// How often every reel is emptied into its file. A process that is killed loses no more than this and what a busy disk
/// holds up: far less than a second.
const TURN: Duration = Duration::from_millis(200);

/// A recording that begins.
#[derive(Debug)]
pub(super) struct Job<T> {
    pub(super) account: AccountSid,
    pub(super) sid: RecordingSid,
    pub(super) format: WavFormat,
    pub(super) reel: Arc<Reel>,
    /// Comes back with the end.
    pub(super) tag: T,
}

/// A recording that has ended; its file is still to be made whole.
#[derive(Debug)]
pub(super) struct Finished<T> {
    pub(super) job: Job<T>,
    pub(super) recorded: Recorded,
    pub(super) file: io::Result<(File, WavEnd)>,
}

struct Running<T> {
    job: Job<T>,
    wav: WavFile,
    file: io::Result<File>,
}

/// Writes until it is to stop and nothing goes on. What ends is handed to `finish`, which does not wait.
pub(super) fn run<T>(
    files: &Files,
    jobs: &Receiver<Job<T>>,
    stop: &AtomicBool,
    finish: impl Fn(Finished<T>),
) {
    let mut running: Vec<Running<T>> = Vec::new();
    loop {
        running.extend(jobs.try_iter().map(|job| Running::begin(files, job)));
        let mut at = 0;
        while let Some(one) = running.get_mut(at) {
            match one.turn() {
                Some(ended) => finish(running.swap_remove(at).end(ended)),
                None => at += 1,
            }
        }
        match (running.is_empty(), stop.load(Ordering::Acquire)) {
            (true, true) => return,
            (true, false) => thread::park(),
            (false, _) => thread::park_timeout(TURN),
        }
    }
}

impl<T> Running<T> {
    fn begin(files: &Files, job: Job<T>) -> Self {
        let mut running = Self {
            wav: WavFile::new(job.format),
            file: files.create(job.account, job.sid),
            job,
        };
        if let Err(error) = &running.file {
            running.complain(error);
            running.job.reel.fail();
        }
        running.write();
        running
    }

    /// Empties the reel into the file; the end, when it has come.
    fn turn(&mut self) -> Option<Ended> {
        let ended = self.job.reel.take_end(); // before the blocks, which were there before it
        while let Some(block) = self.job.reel.pop() {
            match block {
                Block::Samples(samples) => {
                    if self.wav.push(&samples).is_err() {
                        self.fail(io::ErrorKind::FileTooLarge.into());
                    }
                }
                Block::Silence(samples) => self.append_silence(samples),
            }
        }
        if let Some(ended) = &ended {
            self.append_silence(ended.silence);
        }
        self.write();
        ended
    }

    /// A second at a time: what is owed may be hours.
    fn append_silence(&mut self, mut samples: u64) {
        while samples > 0 && self.file.is_ok() {
            let piece = samples.min(self.job.format.rate_hz.into());
            if self.wav.push_silence(piece).is_err() {
                self.fail(io::ErrorKind::FileTooLarge.into());
            }
            self.write();
            samples -= piece;
        }
    }

    fn write(&mut self) {
        let Ok(file) = &self.file else {
            self.wav.written(); // nowhere
            return;
        };
        let (offset, bytes) = self.wav.unwritten();
        match file.write_all_at(bytes, offset) {
            Ok(()) => self.wav.written(),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) {
        if self.file.is_ok() {
            self.complain(&error);
            self.file = Err(error);
            self.job.reel.fail();
        }
    }

    fn complain(&self, error: &io::Error) {
        warn!(
            tenant.id = %self.job.account,
            recording.sid = %self.job.sid,
            "a recording cannot be written: {error}"
        );
    }

    fn end(self, ended: Ended) -> Finished<T> {
        let lost = self.job.reel.lost_samples();
        if lost > 0 {
            warn!(
                tenant.id = %self.job.account,
                recording.sid = %self.job.sid,
                "the disk was too slow for a recording: {lost} samples of it are silence"
            );
        }
        let samples = ended.recorded.samples.min(self.wav.samples());
        let end = self.wav.finish(samples);
        Finished {
            job: self.job,
            recorded: ended.recorded,
            file: self.file.map(|file| (file, end)),
        }
    }
}
