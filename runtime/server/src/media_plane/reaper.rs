//! Freeing what media threads are done with, on a thread that may take its time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};

use crossbeam_queue::ArrayQueue;

use super::line::LineEnd;
use super::mix::{MixCore, MixRemains};
use super::mouth::Sound;
use super::tap::Tap;
use super::tape::Tape;
use super::thread::Task;

/// Remains that may wait. When it is full the media thread frees the thing itself.
const WAITING: usize = 16_384;

/// What is left to free: sockets to be closed, lines that were left, prompts of megabytes whose last call ended.
pub(super) enum Remains {
    Leg(#[expect(dead_code, reason = "is only dropped")] Box<Task>),
    Line(#[expect(dead_code, reason = "is only dropped")] Box<LineEnd>),
    Mix(#[expect(dead_code, reason = "is only dropped")] Box<MixCore>),
    OfMix(#[expect(dead_code, reason = "is only dropped")] MixRemains),
    Sound(#[expect(dead_code, reason = "is only dropped")] Sound),
    Tap(#[expect(dead_code, reason = "is only dropped")] Box<Tap>),
    Tape(#[expect(dead_code, reason = "is only dropped")] Box<Tape>),
}

/// The thread. Dropping it frees what waits, and ends it.
#[derive(Debug)]
pub(super) struct Reaper {
    grave: Grave,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

/// Where media threads leave what they are done with.
#[derive(Debug, Clone)]
pub(super) struct Grave {
    waiting: Arc<ArrayQueue<Remains>>,
    reaper: Thread,
}

impl Reaper {
    pub(super) fn start() -> io::Result<Self> {
        let waiting = Arc::new(ArrayQueue::new(WAITING));
        let stop = Arc::new(AtomicBool::new(false));
        let (queue, stopped) = (Arc::clone(&waiting), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("media-reaper".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    thread::park();
                    while queue.pop().is_some() {}
                }
            })?;
        let grave = Grave {
            waiting,
            reaper: thread.thread().clone(),
        };
        Ok(Self {
            grave,
            thread: Some(thread),
            stop,
        })
    }

    pub(super) fn grave(&self) -> Grave {
        self.grave.clone()
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.grave.reaper.unpark();
        if let Some(thread) = self.thread.take() {
            // It does nothing that panics.
            let _ = thread.join();
        }
    }
}

impl Grave {
    /// A tap that is needed no more, if there is one.
    pub(super) fn bury_tap(&self, tap: Option<Box<Tap>>) {
        if let Some(tap) = tap {
            self.bury(Remains::Tap(tap));
        }
    }

    pub(super) fn bury(&self, remains: Remains) {
        // When it is full the remains come back in the error, and are freed here.
        let _ = self.waiting.push(remains);
        self.reaper.unpark();
    }
}
