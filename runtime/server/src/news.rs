//! What happens in calls, as it happens, for whoever watches: the transcript of the first call.
//!
//! It carries digits and numbers, so it never goes to a log.

use call::{CallInfo, CallRecord, PlaybackEnd};
use tokio::sync::broadcast;

/// A watcher that falls this far behind misses the oldest.
const BACKLOG: usize = 1_024;

/// One thing that happened in one call.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Began(CallInfo),
    Answered,
    /// A prompt or speech was asked for.
    Queued(String),
    PlaybackEnded(PlaybackEnd),
    Digit(char),
    /// A line of the story's log.
    Logged(String),
    Ended(CallRecord),
}

/// Spreads news; costs next to nothing while nobody watches.
#[derive(Debug, Clone)]
pub(crate) struct NewsDesk(broadcast::Sender<News>);

impl NewsDesk {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Makes the news only when somebody watches.
    pub(crate) fn tell(&self, news: impl FnOnce() -> News) {
        if self.0.receiver_count() > 0 {
            // The last watcher may just have left.
            let _ = self.0.send(news());
        }
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }
}
