//! A service that gets the whole utterance.

use egress::{CookieJar, Kind, Request};
use media::Rate;

use super::{Samples, Service};
use crate::Failure;
use crate::recognition::{Channels, Task};
use crate::template::Escape;

/// Characters of an error's body that are passed on.
const MAX_REASON: usize = 200;

impl Service {
    /// Collects what is said, and asks what it was.
    pub(super) async fn post(&self, task: &Task, mut channels: Channels) -> Result<(), Failure> {
        let mut samples = Samples::at(self.rate);
        let mut audio = Vec::new();
        while let Some(frame) = channels.audio.recv().await {
            audio.extend(samples.bytes(&frame));
        }
        let answer = self.ask(task, wav(&audio, self.rate)).await?;
        let phrase = self.pointers.phrase(&answer);
        let phrase = phrase.ok_or_else(|| Failure("its answer has no text in it".to_owned()))?;
        // Who does not listen any more needs none.
        let _ = channels.phrases.send(phrase).await;
        Ok(())
    }

    async fn ask(&self, task: &Task, wav: Vec<u8>) -> Result<serde_json::Value, Failure> {
        let mut headers = self.headers(task);
        let is_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if !headers.iter().any(is_type) {
            headers.push(("content-type".to_owned(), "audio/wav".to_owned()));
        }
        let request = Request {
            kind: Kind::Media,
            method: http::Method::POST,
            url: self.fill(&self.url, Escape::Percent, task),
            headers,
            body: wav.into(),
            sign: None,
            token: None,
            may_visit: None,
            own_headers: egress::OwnHeaders::default(),
        };
        let response = self
            .egress
            .fetch("speech", &self.grants, request, &CookieJar::default())
            .await
            .map_err(|error| Failure(error.to_string()))?;
        if response.status != 200 {
            let body = String::from_utf8_lossy(&response.body);
            let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
            let body: String = body.chars().take(MAX_REASON).collect();
            return Err(Failure(format!("status {}: {body}", response.status)));
        }
        serde_json::from_slice(&response.body)
            .map_err(|error| Failure(format!("its answer is no JSON: {error}")))
    }
}

/// A WAV file of 16-bit samples, mono.
fn wav(samples: &[u8], rate: Rate) -> Vec<u8> {
    let size = u32::try_from(samples.len()).unwrap_or(u32::MAX - 36);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.hz().to_le_bytes());
    file.extend((2 * rate.hz()).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(samples);
    file
}
