//! The media streams of a call: which there are, and what they are told.

use super::{Call, State};
use crate::{
    CallError, DoneStream, Effect, Event, HttpMethod, Reply, StatusCallback, StreamDeed, StreamEnd,
    StreamId, StreamKey, StreamNews, StreamOrder, StreamRequest, StreamTracks,
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
    /// The API began it: the story hears nothing of it, and leaves it behind.
    of_api: bool,
}

impl Call {
    pub(super) fn start_stream(&mut self, request: StreamRequest) -> Result<Reply, CallError> {
        self.open_stream(request, false).map(Reply::Stream)
    }

    fn open_stream(&mut self, request: StreamRequest, of_api: bool) -> Result<StreamId, CallError> {
        check(&request).map_err(CallError::InvalidArgument)?;
        self.streams.has_room(&request)?;
        self.streams.last_id += 1;
        let id = StreamId(self.streams.last_id);
        self.streams.open.push(Open {
            id,
            name: request.name.clone(),
            both_ways: request.both_ways,
            of_api,
        });
        self.emit(Effect::Stream(id, StreamOrder::Open(request)));
        Ok(id)
    }

    /// The story stops one of its own.
    pub(super) fn stop_stream(&mut self, id: StreamId) -> Result<Reply, CallError> {
        if !self.streams.is_of_story(id) {
            return Err(CallError::UnknownId);
        }
        self.end_stream(id, StreamEnd::Stopped);
        Ok(Reply::Done)
    }

    /// Does what the API asks.
    pub(super) fn stream_deed(&mut self, deed: StreamDeed) -> Result<DoneStream, CallError> {
        match (self.state, deed) {
            (State::Over, _) => Err(CallError::HungUp),
            (State::Up, StreamDeed::Start(request)) => {
                let name = request.name.clone();
                let id = self.open_stream(request, true)?;
                Ok(DoneStream { id, name })
            }
            (State::Up, StreamDeed::Stop(key)) => {
                let done = self.streams.find(&key).ok_or(CallError::UnknownId)?;
                self.end_stream(done.id, StreamEnd::Stopped);
                Ok(done)
            }
            (State::Incoming | State::Calling | State::Cancelling(_), _) => {
                Err(CallError::NotAnswered)
            }
        }
    }

    /// Takes it away where it is there, and tells the story if it is its.
    fn end_stream(&mut self, id: StreamId, end: StreamEnd) {
        let is_of_story = self.streams.is_of_story(id);
        if !self.streams.remove(id) {
            return;
        }
        self.emit(Effect::Stream(id, StreamOrder::Close));
        if is_of_story {
            self.tell(Event::StreamEnded(id, end));
        }
    }

    /// News of a stream that was closed meanwhile come too late.
    pub(super) fn stream_news(&mut self, id: StreamId, news: StreamNews) {
        match news {
            StreamNews::Started if self.streams.is_of_story(id) => {
                self.story.heard = true;
                self.emit(Effect::Stream(id, StreamOrder::Join));
                self.tell(Event::StreamStarted(id));
            }
            StreamNews::Started if self.streams.has(id) => {
                self.emit(Effect::Stream(id, StreamOrder::Join));
            }
            StreamNews::Started => {}
            StreamNews::Ended(end) => self.end_stream(id, end),
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

    /// The call is over, and so are its streams.
    pub(super) fn close_streams(&mut self) {
        self.close_those(|_| true);
    }

    /// The story is over, and so are those that it began.
    pub(super) fn close_streams_of_story(&mut self) {
        self.close_those(|open| !open.of_api);
    }

    fn close_those(&mut self, which: impl Fn(&Open) -> bool) {
        let (closed, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.streams.open)
            .into_iter()
            .partition(which);
        self.streams.open = left;
        for open in closed {
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

    fn is_of_story(&self, id: StreamId) -> bool {
        self.open.iter().any(|open| open.id == id && !open.of_api)
    }

    fn find(&self, key: &StreamKey) -> Option<DoneStream> {
        let is_meant = |open: &&Open| match key {
            StreamKey::Id(id) => open.id == *id,
            StreamKey::Name(name) => open.name.as_ref() == Some(name),
        };
        self.open.iter().find(is_meant).map(|open| DoneStream {
            id: open.id,
            name: open.name.clone(),
        })
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
