//! A service that hears the caller while they speak.

use std::ops::ControlFlow;

use egress::WebSocket;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Samples, Service, base64};
use crate::Failure;
use crate::recognition::{Channels, SpokenFrame, Task};
use crate::template::Escape;

/// What the far end says next: nothing where it closed.
type Said = Option<Result<Message, Error>>;

impl Service {
    /// Sends what is said, and takes what is understood, until the service has said its last after the end.
    pub(super) async fn converse(
        &self,
        task: &Task,
        mut channels: Channels,
    ) -> Result<(), Failure> {
        let url = self.fill(&self.url, Escape::Percent, task);
        let opened = self
            .egress
            .open_websocket_with("speech", &self.grants, &url, &self.headers(task))
            .await;
        let mut socket = opened.map_err(|error| Failure(error.to_string()))?;
        if let Some(begin) = &self.begin {
            let begin = self.fill(begin, Escape::Json, task);
            send(&mut socket, Message::text(begin)).await?;
        }
        let mut samples = Samples::at(self.rate);
        let mut is_over = false;
        loop {
            tokio::select! {
                frame = channels.audio.recv(), if !is_over => match frame {
                    Some(frame) => send(&mut socket, self.message(&mut samples, &frame)).await?,
                    None => {
                        is_over = true;
                        self.end(task, &mut socket).await?;
                    }
                },
                said = socket.messages.next() => {
                    if self.take(said, is_over, &channels).await?.is_break() {
                        break;
                    }
                }
            }
        }
        // What it has to say of the good-bye is of no use.
        let _ = socket.messages.close(None).await;
        Ok(())
    }

    fn message(&self, samples: &mut Samples, frame: &SpokenFrame) -> Message {
        let bytes = samples.bytes(frame);
        match &self.audio {
            Some(template) => {
                let audio = base64(&bytes);
                Message::text(template.fill(Escape::Json, |_| audio.as_str()))
            }
            None => Message::binary(bytes),
        }
    }

    /// Without a message for the end, an empty one says it.
    async fn end(&self, task: &Task, socket: &mut WebSocket) -> Result<(), Failure> {
        let end = match &self.end {
            Some(end) => Message::text(self.fill(end, Escape::Json, task)),
            None => Message::binary(Vec::new()),
        };
        send(socket, end).await
    }

    /// Breaks where nothing more is to come: it closed, or said what stays after the end.
    async fn take(
        &self,
        said: Said,
        is_over: bool,
        channels: &Channels,
    ) -> Result<ControlFlow<()>, Failure> {
        let text = match said {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None if is_over => return Ok(ControlFlow::Break(())),
            Some(Ok(Message::Close(_))) | None => {
                return Err(Failure("it closed before the end".to_owned()));
            }
            Some(Ok(_)) => return Ok(ControlFlow::Continue(())),
            Some(Err(error)) => return Err(Failure(format!("the connection broke: {error}"))),
        };
        let answer = serde_json::from_str(&text)
            .map_err(|error| Failure(format!("a message is no JSON: {error}")))?;
        let Some(phrase) = self.pointers.phrase(&answer) else {
            return Ok(ControlFlow::Continue(()));
        };
        let is_last = is_over && phrase.is_stable;
        // Who does not listen any more needs none.
        let _ = channels.phrases.send(phrase).await;
        Ok(match is_last {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Failure> {
    let sent = socket.messages.send(message).await;
    sent.map_err(|error| Failure(format!("the connection broke: {error}")))
}
