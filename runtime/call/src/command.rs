//! What a story asks for. Mirrors `jackfield:call/control@0.1.0`.

use serde::{Deserialize, Serialize};

use crate::{
    ConferenceCommand, Continuation, DetectionRequest, DialId, DialRequest, ListenRequest,
    ListeningId, PlaybackId, QueueCommand, RecordingCommand, RecordingId, ReferRequest, RequestId,
    StreamId, StreamRequest, TargetTerms, TransferCommand,
};

/// One command of a story, or of the API on its behalf. Accepted or refused at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Answers an inbound call (200 OK).
    Answer,
    /// Turns an inbound call away.
    Reject(RejectReason),
    /// Ends the call.
    HangUp,
    /// Queues a prompt, to be heard `loops` times.
    Play {
        /// Where the prompt comes from.
        source: MediaSource,
        /// 1 to 1,000.
        loops: u32,
    },
    /// Queues speech, to be heard `loops` times.
    Say {
        /// What is spoken.
        speech: Speech,
        /// 1 to 1,000.
        loops: u32,
    },
    /// Queues keys to be pressed: `0123456789ABCD*#`, `w` waits half a second, `W` a second.
    Press(String),
    /// Stops one playback, or takes it off the queue.
    StopPlayback(PlaybackId),
    /// Sends the other side's audio back to it, or ceases to.
    Echo(bool),
    /// Makes an HTTP request.
    Http(HttpRequest),
    /// Something about a conference.
    Conference(ConferenceCommand),
    /// Something about a queue.
    Queue(QueueCommand),
    /// Calls others, and joins the one that answers.
    Dial(DialRequest),
    /// Ends a dial.
    StopDial(DialId),
    /// Begins a media stream.
    StartStream(StreamRequest),
    /// Ends a media stream.
    StopStream(StreamId),
    /// Begins to listen for who answered.
    DetectMachine(DetectionRequest),
    /// Begins a recording, or deals with one.
    Recording(RecordingCommand),
    /// Asks the other side to call somebody else.
    Refer(ReferRequest),
    /// Begins to listen to what the other side says.
    Listen(ListenRequest),
    /// Listens no longer.
    StopListening(ListeningId),
    /// Another story goes on with the call when this one has returned.
    ContinueWith(Continuation),
    /// Calls others as [`Self::Dial`] does.
    DialWith {
        /// Whom.
        request: DialRequest,
        /// Those of the targets, in their order; who has none is dialled as any other.
        terms: Vec<TargetTerms>,
    },
    /// Something about callers who are to be sent on.
    Transfer(TransferCommand),
}

/// What an accepted command gives back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Done, or under way with no name of its own.
    Done,
    /// The playback that was queued.
    Playback(PlaybackId),
    /// The request that was sent off.
    Request(RequestId),
    /// The dial that was begun.
    Dial(DialId),
    /// The stream that is being connected.
    Stream(StreamId),
    /// The recording that begins.
    Recording(RecordingId),
    /// The listening that begins.
    Listening(ListeningId),
}

/// Why a command was refused. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// Media needs an answered call.
    #[error("the call is not answered yet: answer it first")]
    NotAnswered,
    /// The command is for a call that is not answered yet.
    #[error("the call is answered already")]
    AlreadyAnswered,
    /// The call is over.
    #[error("the call is over")]
    HungUp,
    /// The media format cannot be decoded.
    #[error("unsupported media: {0}")]
    UnsupportedMedia(String),
    /// An argument is out of its range; says which, and what would be right.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// The tenant has no grant for this; names the setting that would give it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// A limit of this call was reached; names it.
    #[error("limit reached: {0}")]
    LimitReached(String),
    /// No playback, request, dial, stream, recording or listening of this call has that number.
    #[error("no such playback, request, dial, stream, recording or listening in this call")]
    UnknownId,
    /// This host has nothing that could do it; says what is missing.
    #[error("unsupported: {0}")]
    Unsupported(String),
}

/// Where a prompt comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaSource {
    /// An `http` or `https` URL.
    Url(String),
    /// A path relative to the tenant's media folder.
    File(String),
}

/// What a call hears while it waits for others, over and over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum WaitSound {
    /// The runtime's own music.
    #[default]
    Music,
    /// Nothing.
    Silence,
    /// A prompt.
    Prompt(MediaSource),
}

/// Text to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speech {
    /// At most 4,096 characters: plain, or SSML when it begins with `<speak`, whose markup does not count.
    pub text: String,
    /// A voice, a speech provider, or a name that Twilio's applications use; without it the account's default.
    pub voice: Option<String>,
    /// BCP 47, such as `en-US`.
    pub language: Option<String>,
}

impl Speech {
    /// Characters that are spoken: all of a plain text, those outside of the tags of SSML.
    #[must_use]
    pub fn characters(&self) -> usize {
        if !self.text.trim_start().starts_with("<speak") {
            return self.text.chars().count();
        }
        let mut is_tag = false;
        let spoken = self.text.chars().filter(|character| {
            let was_tag = is_tag;
            is_tag = match character {
                '<' => true,
                '>' => false,
                _ => is_tag,
            };
            !was_tag && !is_tag
        });
        spoken.count()
    }
}

/// How a call that was not answered is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectReason {
    /// 486 Busy Here.
    Busy,
    /// 603 Decline.
    Declined,
    /// 404 Not Found.
    NotFound,
    /// 503 Service Unavailable.
    Unavailable,
}

impl RejectReason {
    /// The SIP status code the caller gets (RFC 3261 section 21).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Busy => 486,
            Self::Declined => 603,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }
}

/// The methods a story may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Delete,
}

impl HttpMethod {
    /// As HTTP spells it (RFC 9110 section 9.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request that the host makes for the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method of the first request; redirects may turn it into GET (RFC 9110 section 15.4).
    pub method: HttpMethod,
    /// `http` or `https`; a fragment is not sent.
    pub url: String,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// Sign as a webhook of the account.
    pub sign: bool,
}

/// Where the host tells what became of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCallback {
    /// `http` or `https`.
    pub url: String,
    /// GET or POST.
    pub method: HttpMethod,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_not_spoken() {
        for (text, expected) in [
            ("a < b > c", 9),
            ("<speak>abc</speak>", 3),
            (" <speak a='b'>ខ<break/>b <p/></speak>", 4),
            ("<speak>abc<", 3),
            ("", 0),
        ] {
            let speech = Speech {
                text: text.to_owned(),
                voice: None,
                language: None,
            };
            assert_eq!(speech.characters(), expected, "{text}");
        }
    }
}
