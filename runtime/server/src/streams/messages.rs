//! Twilio's Media Streams messages, version 1.0.0 of its protocol `Call`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use call::{AccountSid, CallSid, StreamRequest, StreamSid};
use serde::Deserialize;
use serde_json::json;

use crate::media_plane::{TappedFrame, Track};

/// Bytes of a mark's name.
const MAX_MARK: usize = 1_000;
/// Of the far end's words, as errors show them.
const SHOWN_CHARS: usize = 40;

/// What a stream tells its far end, numbered.
#[derive(Debug)]
pub(super) struct Messages {
    stream: String,
    call: String,
    account: String,
    tracks: Vec<&'static str>,
    parameters: BTreeMap<String, String>,
    sequence: u64,
    /// Of the inbound and the outbound track.
    chunks: [u64; 2],
    first_round: Option<u64>,
}

/// What a far end may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// To be said behind what waits, in mu-law.
    Media(Vec<u8>),
    /// To be sent back when what came before it was said.
    Mark(String),
    /// Forget what waits.
    Clear,
}

#[derive(Deserialize)]
struct Raw {
    event: String,
    #[serde(rename = "streamSid")]
    stream: Option<String>,
    media: Option<RawMedia>,
    mark: Option<RawMark>,
}

#[derive(Deserialize)]
struct RawMedia {
    payload: String,
}

#[derive(Deserialize)]
struct RawMark {
    name: String,
}

impl Messages {
    pub(super) fn new(
        stream: StreamSid,
        call: CallSid,
        account: AccountSid,
        request: &StreamRequest,
    ) -> Self {
        let (inbound, outbound) = (request.tracks.inbound(), request.tracks.outbound());
        Self {
            stream: stream.to_string(),
            call: call.to_string(),
            account: account.to_string(),
            tracks: [(inbound, "inbound"), (outbound, "outbound")]
                .into_iter()
                .filter_map(|(is_sent, track)| is_sent.then_some(track))
                .collect(),
            parameters: request.parameters.iter().cloned().collect(),
            sequence: 0,
            chunks: [0; 2],
            first_round: None,
        }
    }

    pub(super) fn connected() -> String {
        json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string()
    }

    pub(super) fn start(&mut self) -> String {
        json!({
            "event": "start",
            "sequenceNumber": self.next(),
            "start": {
                "accountSid": self.account,
                "streamSid": self.stream,
                "callSid": self.call,
                "tracks": self.tracks,
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": self.parameters,
            },
            "streamSid": self.stream,
        })
        .to_string()
    }

    /// 50 times a second and track: written out, for there is nothing in it that JSON would have to escape.
    pub(super) fn media(&mut self, frame: &TappedFrame) -> String {
        let (place, track) = match frame.track {
            Track::Inbound => (0, "inbound"),
            Track::Outbound => (1, "outbound"),
        };
        self.chunks[place] += 1;
        let chunk = self.chunks[place];
        let first = *self.first_round.get_or_insert(frame.round);
        let timestamp = frame.round.saturating_sub(first) * u64::from(media::FRAME_MS);
        let (sequence, stream) = (self.next(), &self.stream);
        let payload = STANDARD.encode(frame.codes);
        format!(
            r#"{{"event":"media","sequenceNumber":"{sequence}","media":{{"track":"{track}","chunk":"{chunk}","timestamp":"{timestamp}","payload":"{payload}"}},"streamSid":"{stream}"}}"#
        )
    }

    pub(super) fn key(&mut self, key: char) -> String {
        json!({
            "event": "dtmf",
            "streamSid": self.stream,
            "sequenceNumber": self.next(),
            "dtmf": {"track": "inbound_track", "digit": key.to_string()},
        })
        .to_string()
    }

    pub(super) fn mark(&mut self, name: &str) -> String {
        json!({
            "event": "mark",
            "sequenceNumber": self.next(),
            "streamSid": self.stream,
            "mark": {"name": name},
        })
        .to_string()
    }

    pub(super) fn stop(&mut self) -> String {
        json!({
            "event": "stop",
            "sequenceNumber": self.next(),
            "streamSid": self.stream,
            "stop": {"accountSid": self.account, "callSid": self.call},
        })
        .to_string()
    }

    /// Reads what the far end of a stream both ways said; else says what is wrong with it.
    pub(super) fn read(&self, text: &str) -> Result<Incoming, String> {
        let raw: Raw = serde_json::from_str(text)
            .map_err(|error| format!("it is no message of a media stream: {error}"))?;
        if raw.stream.is_some_and(|stream| stream != self.stream) {
            return Err("its streamSid is not this stream's".to_owned());
        }
        match (raw.event.as_str(), raw.media, raw.mark) {
            ("media", Some(media), _) => match STANDARD.decode(media.payload) {
                Ok(codes) => Ok(Incoming::Media(codes)),
                Err(error) => Err(format!("media.payload is not Base64: {error}")),
            },
            ("media", None, _) => Err("media.payload is missing".to_owned()),
            ("mark", _, Some(mark)) if mark.name.len() > MAX_MARK => {
                Err(format!("mark.name is longer than {MAX_MARK} bytes"))
            }
            ("mark", _, Some(mark)) => Ok(Incoming::Mark(mark.name)),
            ("mark", _, None) => Err("mark.name is missing".to_owned()),
            ("clear", ..) => Ok(Incoming::Clear),
            (other, ..) => {
                let event: String = other.chars().take(SHOWN_CHARS).collect();
                Err(format!(
                    "its event is {event:?}: media, mark or clear are taken"
                ))
            }
        }
    }

    fn next(&mut self) -> String {
        self.sequence += 1;
        self.sequence.to_string()
    }
}

#[cfg(test)]
mod tests {
    use call::StreamTracks;
    use serde_json::Value;

    use super::*;

    const STREAM: &str = "MZ11111111111111111111111111111111";
    const CALL: &str = "CA22222222222222222222222222222222";
    const ACCOUNT: &str = "AC33333333333333333333333333333333";

    fn messages(tracks: StreamTracks) -> Messages {
        let request = StreamRequest {
            url: "wss://a.example/".to_owned(),
            tracks,
            both_ways: false,
            parameters: vec![("lan\"g".to_owned(), "ខ្មែរ".to_owned())],
            name: None,
            status_callback: None,
        };
        Messages::new(
            StreamSid::from_bytes([0x11; 16]),
            CallSid::from_bytes([0x22; 16]),
            AccountSid::from_bytes([0x33; 16]),
            &request,
        )
    }

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_sent_is_shaped_as_the_documentation_has_it() {
        let mut messages = messages(StreamTracks::Both);
        let frame = |track, round| TappedFrame {
            track,
            round,
            codes: [0xff; 160],
        };
        let payload = STANDARD.encode([0xff; 160]);
        let media = |sequence: &str, track: &str, chunk: &str, timestamp: &str| {
            json!({
                "event": "media", "sequenceNumber": sequence, "streamSid": STREAM,
                "media": {"track": track, "chunk": chunk, "timestamp": timestamp, "payload": payload},
            })
        };
        let format = json!({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1});
        let sent = [
            Messages::connected(),
            messages.start(),
            messages.media(&frame(Track::Inbound, 700)),
            messages.media(&frame(Track::Outbound, 700)),
            messages.media(&frame(Track::Inbound, 703)),
            messages.key('#'),
            messages.mark("a \"b\""),
            messages.stop(),
        ];
        let expected = [
            json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}),
            json!({
                "event": "start", "sequenceNumber": "1", "streamSid": STREAM,
                "start": {
                    "accountSid": ACCOUNT, "callSid": CALL, "streamSid": STREAM,
                    "tracks": ["inbound", "outbound"], "mediaFormat": format,
                    "customParameters": {"lan\"g": "ខ្មែរ"},
                },
            }),
            media("2", "inbound", "1", "0"),
            media("3", "outbound", "1", "0"),
            media("4", "inbound", "2", "60"),
            json!({
                "event": "dtmf", "sequenceNumber": "5", "streamSid": STREAM,
                "dtmf": {"track": "inbound_track", "digit": "#"},
            }),
            json!({
                "event": "mark", "sequenceNumber": "6", "streamSid": STREAM,
                "mark": {"name": "a \"b\""},
            }),
            json!({
                "event": "stop", "sequenceNumber": "7", "streamSid": STREAM,
                "stop": {"accountSid": ACCOUNT, "callSid": CALL},
            }),
        ];
        for (sent, expected) in sent.iter().zip(&expected) {
            assert_eq!(value(sent), *expected);
        }
    }

    #[test]
    fn the_tracks_are_those_asked_for() {
        for (tracks, expected) in [
            (StreamTracks::Inbound, json!(["inbound"])),
            (StreamTracks::Outbound, json!(["outbound"])),
        ] {
            assert_eq!(
                value(&messages(tracks).start())["start"]["tracks"],
                expected
            );
        }
    }

    #[test]
    fn what_comes_is_read_or_refused_with_a_reason() {
        let long = "x".repeat(MAX_MARK + 1);
        let rows = [
            (
                json!({"event": "media", "streamSid": STREAM, "media": {"payload": "//8="}}),
                "Media([255, 255])",
            ),
            (
                json!({"event": "media", "media": {"payload": ""}}),
                "Media([])",
            ),
            (
                json!({"event": "mark", "streamSid": STREAM, "mark": {"name": "m"}}),
                "Mark(\"m\")",
            ),
            (json!({"event": "clear", "streamSid": STREAM}), "Clear"),
            (
                json!({"event": "clear", "streamSid": CALL}),
                "not this stream's",
            ),
            (
                json!({"event": "media", "streamSid": STREAM}),
                "media.payload is missing",
            ),
            (
                json!({"event": "media", "media": {"payload": "%"}}),
                "not Base64",
            ),
            (
                json!({"event": "mark", "streamSid": STREAM}),
                "mark.name is missing",
            ),
            (
                json!({"event": "mark", "mark": {"name": long}}),
                "longer than 1000 bytes",
            ),
            (json!({"event": "start"}), "its event is \"start\""),
            (json!({"event": 1}), "no message of a media stream"),
            (json!([]), "no message of a media stream"),
        ];
        for (text, expected) in rows {
            let text = text.to_string();
            let read = match messages(StreamTracks::Inbound).read(&text) {
                Ok(incoming) => format!("{incoming:?}"),
                Err(why) => why,
            };
            assert!(read.contains(expected), "{text}: {read}");
        }
    }
}
