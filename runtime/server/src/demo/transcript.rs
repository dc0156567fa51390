//! The call as a person can read it: one line for each thing that happens, with its time.

use std::sync::Arc;
use std::time::Instant;

use call::PlaybackEnd;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::news::News;

/// Prints lines as they come.
#[derive(Debug)]
pub(super) struct Transcript {
    since: Instant,
}

/// Whose side of the call a line tells of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Caller,
    Runtime,
}

impl Transcript {
    pub(super) fn start() -> Self {
        Self {
            since: Instant::now(),
        }
    }

    pub(super) fn line(&self, side: Side, text: &str) {
        let side = match side {
            Side::Caller => "caller ",
            Side::Runtime => "runtime",
        };
        println!(
            "{:7.3} s  {side}  {text}",
            self.since.elapsed().as_secs_f64()
        );
    }
}

/// Prints what the runtime does, until it is stopped.
pub(super) async fn watch(transcript: Arc<Transcript>, mut news: Receiver<News>) {
    loop {
        match news.recv().await {
            Ok(news) => transcript.line(Side::Runtime, &words(&news)),
            Err(RecvError::Lagged(missed)) => {
                transcript.line(Side::Runtime, &format!("({missed} lines missed)"));
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn words(news: &News) -> String {
    match news {
        News::Began(info) => format!(
            "call {} from {} to {}: rings",
            info.call_sid, info.caller, info.callee
        ),
        News::Answered => "answers".to_owned(),
        News::Queued(what) => format!("plays {what}"),
        News::PlaybackEnded(PlaybackEnd::Finished) => "has played it to the end".to_owned(),
        News::PlaybackEnded(PlaybackEnd::Stopped) => "stops playing".to_owned(),
        News::PlaybackEnded(PlaybackEnd::Failed(why)) => format!("cannot play it: {why}"),
        News::Digit(digit) => format!("hears the key {digit}"),
        News::Logged(line) => format!("logs: {line}"),
        News::Ended(record) => format!(
            "{} after {} s: {}",
            record.status, record.duration_s, record.end_reason
        ),
    }
}
