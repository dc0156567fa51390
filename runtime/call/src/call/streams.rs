//! The media streams of a call: which there are, and what they are told.

use super::{Call, State};
use crate::{
    CallError, Effect, Event, HttpMethod, Reply, StatusCallback, StreamEnd, StreamId, StreamNews,
    StreamOrder, StreamRequest, StreamTracks,
};

/// Streams of one call at a time (Twilio's limit).
const MAX_STREAMS: usize = 4;
/// Parameters of one stream, as many as Twilio's API has names for.
const MAX_PARAMETERS: usize = 99;
/// Characters of a parameter's name and value together (Twilio's limit).
const MAX_PARAMETER_CHARS: usize = 500;
const MAX_NAME_CHARS: usize = 64;
const MAX_URL_BYTES: usize = 4_096;

/// The streams of one call that are not over.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Vec<Open>,
    last_id: u32,
}

#[derive(Debug)]
struct Open {
    id: StreamId,
    name: Option<String>,
    both_ways: bool,
}

impl Call {
    pub(super) fn start_stream(&mut self, request: StreamRequest) -> Result<Reply, CallError> {
        check(&request).map_err(CallError::InvalidArgument)?;
        self.streams.has_room(&request)?;
        self.streams.last_id += 1;
        let id = StreamId(self.streams.last_id);
        self.streams.open.push(Open {
            id,
            name: request.name.clone(),
            both_ways: request.both_ways,
        });
        self.emit(Effect::Stream(id, StreamOrder::Open(request)));
        Ok(Reply::Stream(id))
    }

    pub(super) fn stop_stream(&mut self, id: StreamId) -> Result<Reply, CallError> {
        if !self.streams.remove(id) {
            return Err(CallError::UnknownId);
        }
        self.emit(Effect::Stream(id, StreamOrder::Close));
        self.tell(Event::StreamEnded(id, StreamEnd::Stopped));
        Ok(Reply::Done)
    }

    /// News of a stream that was closed meanwhile come too late.
    pub(super) fn stream_news(&mut self, id: StreamId, news: StreamNews) {
        match news {
            StreamNews::Started if self.streams.has(id) => {
                self.story.heard = true;
                self.emit(Effect::Stream(id, StreamOrder::Join));
                self.tell(Event::StreamStarted(id));
            }
            StreamNews::Ended(end) if self.streams.remove(id) => {
                self.emit(Effect::Stream(id, StreamOrder::Close));
                self.tell(Event::StreamEnded(id, end));
            }
            StreamNews::Started | StreamNews::Ended(_) => {}
        }
    }

    /// The peer pressed a key: whoever speaks to it is told.
    pub(super) fn key_to_streams(&mut self, key: char) {
        if self.state != State::Up {
            return;
        }
        if let Some(open) = self.streams.open.iter().find(|open| open.both_ways) {
            self.emit(Effect::Stream(open.id, StreamOrder::Key(key)));
        }
    }

    /// The story or the call is over, and so are its streams.
    pub(super) fn close_streams(&mut self) {
        for open in std::mem::take(&mut self.streams.open) {
            self.emit(Effect::Stream(open.id, StreamOrder::Close));
        }
    }
}

impl Streams {
    fn has_room(&self, request: &StreamRequest) -> Result<(), CallError> {
        if self.open.len() >= MAX_STREAMS {
            return Err(CallError::LimitReached(format!(
                "{MAX_STREAMS} streams at a time"
            )));
        }
        if request.both_ways && self.open.iter().any(|open| open.both_ways) {
            let message = "one stream both ways at a time".to_owned();
            return Err(CallError::LimitReached(message));
        }
        let is_taken = |open: &Open| open.name.is_some() && open.name == request.name;
        if self.open.iter().any(is_taken) {
            return Err(CallError::InvalidArgument(
                "a stream of this call has that name: give another one, or stop that one first"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn has(&self, id: StreamId) -> bool {
        self.open.iter().any(|open| open.id == id)
    }

    fn remove(&mut self, id: StreamId) -> bool {
        let before = self.open.len();
        self.open.retain(|open| open.id != id);
        self.open.len() < before
    }
}

/// Says what is wrong with a request, and what would be right.
fn check(request: &StreamRequest) -> Result<(), String> {
    if !has_scheme(&request.url, ["wss", "ws"]) {
        return Err("the URL of a stream begins with wss:// (or ws:// where granted)".to_owned());
    }
    if request.url.len() > MAX_URL_BYTES {
        return Err(format!("the URL is longer than {MAX_URL_BYTES} bytes"));
    }
    if request.both_ways && request.tracks != StreamTracks::Inbound {
        return Err("a stream both ways sends the inbound track only".to_owned());
    }
    if request.parameters.len() > MAX_PARAMETERS {
        return Err(format!("more than {MAX_PARAMETERS} parameters"));
    }
    let too_long = request
        .parameters
        .iter()
        .find(|(name, value)| name.chars().count() + value.chars().count() > MAX_PARAMETER_CHARS);
    if let Some((name, _)) = too_long {
        let name: String = name.chars().take(40).collect();
        return Err(format!(
            "the parameter {name:?} has more than {MAX_PARAMETER_CHARS} characters with its name"
        ));
    }
    if let Some(callback) = &request.status_callback {
        callback.check()?;
    }
    let name_chars = request.name.as_ref().map(|name| name.chars().count());
    if name_chars.is_some_and(|chars| !(1..=MAX_NAME_CHARS).contains(&chars)) {
        return Err(format!("the name has not 1 to {MAX_NAME_CHARS} characters"));
    }
    Ok(())
}

impl StatusCallback {
    /// Says what is wrong with it, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !has_scheme(&self.url, ["http", "https"]) || self.url.len() > MAX_URL_BYTES {
            return Err("the URL of a status callback begins with http:// or https://".to_owned());
        }
        match self.method {
            HttpMethod::Get | HttpMethod::Post => Ok(()),
            _ => Err("a status callback is a GET or a POST".to_owned()),
        }
    }
}

fn has_scheme(url: &str, schemes: [&str; 2]) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && schemes
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
    })
}
