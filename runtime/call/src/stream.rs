//! Media streams: a call's audio to and from a server of the tenant's, in Twilio's messages. Mirrors
//! `jackfield:call/streams@0.1.0`.

use serde::{Deserialize, Serialize};

use crate::{CallSid, StatusCallback, StreamSid};

/// One media stream of a call. Counts up from 1 within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The stream's SID, under which the far end knows it: the same each time a call is run again.
    #[must_use]
    pub fn sid(self, call: CallSid) -> StreamSid {
        let call = u128::from_be_bytes(*call.as_bytes());
        StreamSid::from_bytes(call.wrapping_add(self.0.into()).to_be_bytes())
    }

    /// The stream of this call that has the SID, whether there is one or not. None for a SID that is of no stream of the call.
    #[must_use]
    pub fn of_sid(sid: StreamSid, call: CallSid) -> Option<Self> {
        let number = |bytes| u128::from_be_bytes(bytes);
        let counted = number(*sid.as_bytes()).wrapping_sub(number(*call.as_bytes()));
        u32::try_from(counted).ok().map(Self)
    }
}

/// What a story wants to be streamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRequest {
    /// `wss`, or `ws` where that is granted.
    pub url: String,
    /// What is sent.
    pub tracks: StreamTracks,
    /// What comes back is said to the peer.
    pub both_ways: bool,
    /// `start.customParameters`.
    pub parameters: Vec<(String, String)>,
    /// Unique within the call.
    pub name: Option<String>,
    /// Where the host tells of its begin and end.
    pub status_callback: Option<StatusCallback>,
}

/// What a stream sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamTracks {
    /// What the peer says.
    Inbound,
    /// What is said to it.
    Outbound,
    /// Both.
    Both,
}

impl StreamTracks {
    /// Whether what the peer says is sent.
    #[must_use]
    pub const fn inbound(self) -> bool {
        matches!(self, Self::Inbound | Self::Both)
    }

    /// Whether what is said to the peer is sent.
    #[must_use]
    pub const fn outbound(self) -> bool {
        matches!(self, Self::Outbound | Self::Both)
    }
}

/// What the API does to the streams of a call, beside its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamDeed {
    /// Begins one, which stays when the story ends or another takes its place.
    Start(StreamRequest),
    /// Ends one, of the story's or of the API's.
    Stop(StreamKey),
}

/// What the API calls a stream by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamKey {
    /// Its number in the call.
    Id(StreamId),
    /// Its name in the call.
    Name(String),
}

/// A stream that a [`StreamDeed`] was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneStream {
    /// Its number in the call.
    pub id: StreamId,
    /// Its name in the call.
    pub name: Option<String>,
}

/// How a stream came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamEnd {
    /// By the story. The end of the call is told by [`crate::Event::HungUp`] alone.
    Stopped,
    /// By the far end.
    Closed,
    /// It could not be begun, or did not go on.
    Failed(StreamError),
}

/// Why a stream failed. The text is for the tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum StreamError {
    /// The address is not granted to this tenant; names the setting that would allow it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// No such host, or nobody answers there.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The handshake was answered with another status than 101.
    #[error("refused: {0}")]
    Refused(String),
    /// The handshake took too long, or the far end was silent, or did not read, for too long.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// A message was larger than allowed.
    #[error("too large: {0}")]
    TooLarge(String),
    /// TLS, WebSocket, or a message in it went wrong.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The connection was lost.
    #[error("connection lost: {0}")]
    Lost(String),
}

/// What is to be done about a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamOrder {
    /// Begin it; answered by [`crate::Input::Stream`].
    Open(StreamRequest),
    /// It is there: join the call's audio to it.
    Join,
    /// Tell the far end of a key that the peer pressed.
    Key(char),
    /// End it; nothing more of it is to be told.
    Close,
}

/// What became of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamNews {
    /// The far end accepted it.
    Started,
    /// It is over, and not by [`StreamOrder::Close`].
    Ended(StreamEnd),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sids_of_a_calls_streams_differ_and_stay_the_same() {
        let call = CallSid::from_bytes([0xff; 16]);
        let sid = |id| StreamId(id).sid(call).to_string();
        assert_eq!(sid(1), "MZ00000000000000000000000000000000");
        assert_eq!(sid(3), "MZ00000000000000000000000000000002");
        let other = CallSid::from_bytes([0; 16]);
        assert_eq!(
            StreamId(258).sid(other).to_string(),
            "MZ00000000000000000000000000000102"
        );
        assert_eq!(
            StreamId::of_sid(StreamId(3).sid(call), call),
            Some(StreamId(3))
        );
        assert_eq!(
            StreamId::of_sid(StreamId(3).sid(call), other),
            Some(StreamId(2))
        );
        let far = CallSid::from_bytes([7; 16]);
        assert_eq!(StreamId::of_sid(StreamId(3).sid(far), other), None);
    }
}
