//! The exchange of messages with one far end.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use call::{StreamEnd, StreamError};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::info;

use super::flood::Flood;
use super::messages::{Incoming, Messages};
use super::playout::Playout;
use crate::media_plane::TapEnd;

/// How often the leg's frames are sent on, and its queue filled.
const TICK: Duration = Duration::from_millis(20);
/// How long the far end may leave what is sent to it unread, once no more fits on the way.
const WRITE: Duration = Duration::from_secs(10);
/// How long the far end may be silent before it is asked for a sign of life.
const PING: Duration = Duration::from_secs(20);
/// How long it may be silent in all.
const SILENCE: Duration = Duration::from_secs(60);
/// For the last words.
const GOODBYE: Duration = Duration::from_secs(2);
/// Messages that cannot be read before the stream ends for it.
const MAX_UNREADABLE: u32 = 100;

/// One stream whose far end accepted it.
pub(super) struct Exchange<'a> {
    messages: Messages,
    tap: &'a TapEnd,
    /// Of a stream both ways.
    playout: Option<Playout>,
    keys: &'a mut mpsc::Receiver<char>,
    unreadable: u32,
    /// Codes that found no room in the playout.
    lost_codes: usize,
    heard_at: Instant,
    asked: bool,
}

/// On, or the stream's end.
type Goes = ControlFlow<StreamEnd>;

impl<'a> Exchange<'a> {
    /// The stream ends when `keys` is closed.
    pub(super) fn new(
        messages: Messages,
        tap: &'a TapEnd,
        playout: Option<Playout>,
        keys: &'a mut mpsc::Receiver<char>,
    ) -> Self {
        Self {
            messages,
            tap,
            playout,
            keys,
            unreadable: 0,
            lost_codes: 0,
            heard_at: Instant::now(),
            asked: false,
        }
    }

    /// Runs to the stream's end.
    pub(super) async fn run<S>(mut self, mut socket: WebSocketStream<S>) -> StreamEnd
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let end = self.talk(&mut socket).await;
        let dropped = self.tap.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            info!(target: "tenant", "a stream's far end was too slow: {dropped} frames were left out");
        }
        if self.lost_codes > 0 {
            let seconds = self.lost_codes / 8_000;
            info!(target: "tenant", "a stream's far end sent too much: {seconds} s of audio were left out");
        }
        // A far end that is gone needs no good-bye.
        let _ = timeout(GOODBYE, socket.close(Some(close_frame(&end)))).await;
        end
    }

    async fn talk<S>(&mut self, socket: &mut WebSocketStream<S>) -> StreamEnd
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let beginning = [Messages::connected(), self.messages.start()];
        if let ControlFlow::Break(end) = send(socket, beginning).await {
            return end;
        }
        let mut flood = Flood::new(Instant::now());
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let goes = tokio::select! {
                key = self.keys.recv() => match key {
                    Some(key) => send(socket, [self.messages.key(key)]).await,
                    None => {
                        let _ = send(socket, [self.messages.stop()]).await;
                        ControlFlow::Break(StreamEnd::Stopped)
                    }
                },
                _ = ticks.tick() => self.tick(socket).await,
                message = socket.next(), if flood.may_read(Instant::now()) => {
                    self.heard_at = Instant::now();
                    self.asked = false;
                    match message {
                        Some(Ok(message)) => {
                            flood.take(message.len());
                            let answers = self.take(&message);
                            match answers {
                                ControlFlow::Continue(answers) => send(socket, answers).await,
                                ControlFlow::Break(end) => ControlFlow::Break(end),
                            }
                        }
                        Some(Err(error)) => ControlFlow::Break(StreamEnd::Failed(failure(&error))),
                        None => ControlFlow::Break(lost("it was closed without a word")),
                    }
                }
            };
            if let ControlFlow::Break(end) = goes {
                return end;
            }
        }
    }

    /// 20 ms passed.
    async fn tick<S>(&mut self, socket: &mut WebSocketStream<S>) -> Goes
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let silence = self.heard_at.elapsed();
        if silence >= SILENCE {
            let why = format!("nothing came from the far end for {SILENCE:?}, not even a pong");
            return ControlFlow::Break(StreamEnd::Failed(StreamError::TimedOut(why)));
        }
        if silence >= PING && !self.asked {
            self.asked = true;
            write(socket.send(Message::Ping(bytes::Bytes::new()))).await?;
        }
        let mut texts = Vec::new();
        // What comes meanwhile waits for the next tick.
        for _ in 0..self.tap.frames.len() {
            let Some(frame) = self.tap.frames.pop() else {
                break;
            };
            texts.push(self.messages.media(&frame));
        }
        if let Some(playout) = &mut self.playout {
            while let Some(mark) = self.tap.reached.pop() {
                let name = playout.reached(mark);
                texts.extend(name.map(|name| self.messages.mark(&name)));
            }
            playout.feed(&self.tap.pieces);
        }
        send(socket, texts).await
    }

    /// What the far end says, and what is answered at once.
    fn take(&mut self, message: &Message) -> ControlFlow<StreamEnd, Vec<String>> {
        let read = match message {
            Message::Close(_) => return ControlFlow::Break(StreamEnd::Closed),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                return ControlFlow::Continue(Vec::new());
            }
            Message::Text(text) => self.messages.read(text),
            Message::Binary(_) => Err("it is binary: messages are text".to_owned()),
        };
        let Some(playout) = &mut self.playout else {
            self.leave_out("the stream goes one way");
            return ControlFlow::Continue(Vec::new());
        };
        match read {
            Ok(Incoming::Media(codes)) => {
                self.lost_codes += playout.audio(&codes);
                playout.feed(&self.tap.pieces);
            }
            Ok(Incoming::Mark(name)) => {
                if !playout.mark(name) {
                    return self.unreadable("too many marks wait");
                }
            }
            Ok(Incoming::Clear) => {
                let marks = playout.clear(&self.tap.pieces);
                let marks = marks.iter().map(|name| self.messages.mark(name));
                return ControlFlow::Continue(marks.collect());
            }
            Err(why) => return self.unreadable(&why),
        }
        ControlFlow::Continue(Vec::new())
    }

    /// A message is not used; the first one is logged.
    fn leave_out(&mut self, why: &str) {
        if self.unreadable == 0 {
            info!(target: "tenant", "a message of a stream's far end is left out: {why}");
        }
        self.unreadable = self.unreadable.saturating_add(1);
    }

    fn unreadable(&mut self, why: &str) -> ControlFlow<StreamEnd, Vec<String>> {
        self.leave_out(why);
        if self.unreadable >= MAX_UNREADABLE {
            let why = format!("{MAX_UNREADABLE} messages that cannot be used; the last: {why}");
            return ControlFlow::Break(StreamEnd::Failed(StreamError::Protocol(why)));
        }
        ControlFlow::Continue(Vec::new())
    }
}

/// Sends messages, and what the library has to answer to pings.
async fn send<S>(socket: &mut WebSocketStream<S>, texts: impl IntoIterator<Item = String>) -> Goes
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let all = async {
        for text in texts {
            socket.feed(Message::text(text)).await?;
        }
        socket.flush().await
    };
    write(all).await
}

async fn write(writing: impl Future<Output = Result<(), Error>>) -> Goes {
    match timeout(WRITE, writing).await {
        Ok(Ok(())) => ControlFlow::Continue(()),
        Ok(Err(error)) => ControlFlow::Break(StreamEnd::Failed(failure(&error))),
        Err(_) => {
            let why = format!("the far end did not read for {WRITE:?}");
            ControlFlow::Break(StreamEnd::Failed(StreamError::TimedOut(why)))
        }
    }
}

fn lost(why: &str) -> StreamEnd {
    StreamEnd::Failed(StreamError::Lost(why.to_owned()))
}

fn failure(error: &Error) -> StreamError {
    match error {
        Error::Capacity(why) => StreamError::TooLarge(why.to_string()),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            StreamError::Lost(error.to_string())
        }
        other => StreamError::Protocol(other.to_string()),
    }
}

/// RFC 6455 section 7.4.1.
fn close_frame(end: &StreamEnd) -> CloseFrame {
    let (code, reason) = match end {
        StreamEnd::Stopped | StreamEnd::Closed => (CloseCode::Normal, ""),
        StreamEnd::Failed(StreamError::TooLarge(_)) => (CloseCode::Size, "too large"),
        StreamEnd::Failed(StreamError::TimedOut(_)) => (CloseCode::Policy, "timed out"),
        StreamEnd::Failed(_) => (CloseCode::Protocol, "protocol error"),
    };
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
