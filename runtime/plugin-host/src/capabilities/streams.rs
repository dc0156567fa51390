//! `jackfield:call/streams`: the call's audio over a WebSocket.

use call::{Command, Reply, StreamId};

use crate::bindings::{control, streams};
use crate::state::{Halt, StoryState};

impl streams::Host for StoryState {
    async fn start_stream(
        &mut self,
        request: streams::StreamRequest,
    ) -> wasmtime::Result<Result<streams::StartedStream, control::CallError>> {
        match self.command(Command::StartStream(request.into())).await? {
            Ok(Reply::Stream(id)) => Ok(Ok(streams::StartedStream {
                id: id.0,
                sid: id.sid(self.info.call_sid).to_string(),
            })),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn stop_stream(
        &mut self,
        stream: control::StreamId,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::StopStream(StreamId(stream))).await
    }
}

impl From<streams::StreamRequest> for call::StreamRequest {
    fn from(request: streams::StreamRequest) -> Self {
        Self {
            url: request.url,
            tracks: match request.tracks {
                streams::StreamTracks::Inbound => call::StreamTracks::Inbound,
                streams::StreamTracks::Outbound => call::StreamTracks::Outbound,
                streams::StreamTracks::Both => call::StreamTracks::Both,
            },
            both_ways: request.both_ways,
            parameters: request.parameters,
            name: request.name,
            status_callback: request.status_callback.map(Into::into),
        }
    }
}

impl From<call::StreamEnd> for control::StreamEnd {
    fn from(end: call::StreamEnd) -> Self {
        match end {
            call::StreamEnd::Stopped => Self::Stopped,
            call::StreamEnd::Closed => Self::Closed,
            call::StreamEnd::Failed(error) => Self::Failed(error.into()),
        }
    }
}

impl From<call::StreamError> for control::StreamError {
    fn from(error: call::StreamError) -> Self {
        match error {
            call::StreamError::NotGranted(why) => Self::NotGranted(why),
            call::StreamError::Unreachable(why) => Self::Unreachable(why),
            call::StreamError::Refused(why) => Self::Refused(why),
            call::StreamError::TimedOut(why) => Self::TimedOut(why),
            call::StreamError::TooLarge(why) => Self::TooLarge(why),
            call::StreamError::Protocol(why) => Self::Protocol(why),
            call::StreamError::Lost(why) => Self::Lost(why),
        }
    }
}
