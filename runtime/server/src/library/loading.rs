//! Prompts that are played while the rest of them is still loaded.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use egress::StreamedResponse;
use media::{DecodeLimits, MediaError, Prompt, PromptWriter, Rate};
use tokio::sync::{mpsc, oneshot};
use tracing::info;

use super::Codecs;

/// Pieces of a response that wait for the decoder; the server waits beyond that.
const PIECES: usize = 16;

/// Decodes what a response brings. Returns as soon as the first second is ready, or all of a shorter prompt.
///
/// # Errors
/// If there is nothing to be played of it. What fails later cuts the prompt off, and is logged for the tenant.
pub(super) async fn load(
    response: StreamedResponse,
    name: String,
    codecs: Codecs,
) -> Result<Arc<Prompt>, String> {
    let (pieces, body) = mpsc::channel(PIECES);
    tokio::spawn(download(response, pieces));
    let source = Incoming {
        body,
        piece: Bytes::new(),
        failure: None,
    };
    start(source, name, codecs).await
}

/// Decodes a file that is there.
///
/// # Errors
/// As [`load`].
pub(super) async fn decode(
    bytes: Vec<u8>,
    name: String,
    codecs: Codecs,
) -> Result<Arc<Prompt>, String> {
    let (pieces, body) = mpsc::channel(1);
    drop(pieces);
    let source = Incoming {
        body,
        piece: bytes.into(),
        failure: None,
    };
    start(source, name, codecs).await
}

async fn download(mut response: StreamedResponse, pieces: mpsc::Sender<Result<Bytes, String>>) {
    loop {
        let piece = match response.chunk().await {
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => return,
            Err(error) => Err(error.to_string()),
        };
        let is_last = piece.is_err();
        // The decoder may have found that it is no audio.
        if pieces.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

async fn start(source: Incoming, name: String, codecs: Codecs) -> Result<Arc<Prompt>, String> {
    let (ready, is_ready) = oneshot::channel();
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || {
        let _entered = span.enter();
        Loading::new(name, codecs, ready).run(source);
    });
    is_ready
        .await
        .unwrap_or_else(|_| Err("the decoder stopped".to_owned()))
}

/// A prompt on its way in.
struct Loading {
    name: String,
    writer: PromptWriter,
    /// Who waits for the first of it.
    ready: Option<oneshot::Sender<Result<Arc<Prompt>, String>>>,
}

impl Loading {
    fn new(
        name: String,
        codecs: Codecs,
        ready: oneshot::Sender<Result<Arc<Prompt>, String>>,
    ) -> Self {
        Self {
            name,
            writer: PromptWriter::new(Rate::Wide, codecs),
            ready: Some(ready),
        }
    }

    fn run(mut self, mut source: Incoming) {
        let extension = Path::new(&self.name).extension();
        let extension = extension
            .and_then(|extension| extension.to_str())
            .map(str::to_owned);
        let decoded = media::decode_from(
            &mut source,
            extension.as_deref(),
            DecodeLimits::default(),
            Rate::Wide,
            &mut |samples| self.take(samples),
        );
        self.end(decoded, source.failure);
    }

    fn take(&mut self, samples: &[i16]) {
        self.writer.push(samples);
        if self.writer.prompt().frames() > 0
            && let Some(ready) = self.ready.take()
        {
            // Who waited may be gone; the next one finds it.
            let _ = ready.send(Ok(Arc::clone(self.writer.prompt())));
        }
    }

    /// `failure`: of what the file came from.
    fn end(self, decoded: Result<(), MediaError>, failure: Option<String>) {
        let Self {
            name,
            writer,
            ready,
        } = self;
        let trouble = match (decoded, failure) {
            (Ok(()), None) => None,
            (_, Some(failure)) => Some(failure),
            (Err(error), None) => Some(format!("{name}: {error}")),
        };
        match (ready, trouble) {
            (Some(ready), trouble) => {
                let prompt = trouble.map_or_else(|| Ok(writer.finish()), Err);
                let _ = ready.send(prompt);
            }
            (None, None) => drop(writer.finish()),
            (None, Some(trouble)) => {
                let seconds = writer.prompt().samples() / media::RATE_HZ as usize;
                info!(target: "tenant", "the prompt is cut off after {seconds} s: {trouble}");
            }
        }
    }
}

/// A file as it comes in. To be read where waiting is allowed.
struct Incoming {
    body: mpsc::Receiver<Result<Bytes, String>>,
    piece: Bytes,
    failure: Option<String>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && self.failure.is_none() {
            match self.body.blocking_recv() {
                None => return Ok(0),
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(failure)) => self.failure = Some(failure),
            }
        }
        if let Some(failure) = &self.failure {
            return Err(io::Error::other(failure.clone()));
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
