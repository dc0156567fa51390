//! `jackfield:call/dial`: calls to others, through the story's port.

use call::{CallStatus, Command, DialEnd, DialId, DialRequest, DialTarget, Reply, Whisper};

use crate::bindings::control::{self, CallError, DialStatus};
use crate::bindings::dial::{self, Host};
use crate::state::{Halt, StoryState};

impl Host for StoryState {
    async fn dial(
        &mut self,
        request: dial::DialRequest,
    ) -> wasmtime::Result<Result<control::DialId, CallError>> {
        match self.command(Command::Dial(request.into())).await? {
            Ok(Reply::Dial(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn stop_dial(
        &mut self,
        dial: control::DialId,
    ) -> wasmtime::Result<Result<(), CallError>> {
        self.do_simply(Command::StopDial(DialId(dial))).await
    }
}

impl From<dial::DialRequest> for DialRequest {
    fn from(request: dial::DialRequest) -> Self {
        Self {
            targets: request.targets.into_iter().map(Into::into).collect(),
            in_turn: request.in_turn,
            caller_id: request.caller_id,
            ring_timeout_s: request.ring_timeout_s,
            time_limit_s: request.time_limit_s,
            answer_on_bridge: request.answer_on_bridge,
            hang_up_on_star: request.hang_up_on_star,
            ring_tone: request.ring_tone,
        }
    }
}

impl From<dial::Whisper> for Whisper {
    fn from(whisper: dial::Whisper) -> Self {
        Self {
            story: whisper.story.into(),
            settings: whisper.settings,
        }
    }
}

impl From<dial::Target> for DialTarget {
    fn from(target: dial::Target) -> Self {
        Self {
            to: target.to,
            whisper: target.whisper.map(Into::into),
            callback: target.status_callback.map(Into::into),
            detection: target.detection.map(Into::into),
        }
    }
}

impl From<DialEnd> for control::DialEnd {
    fn from(end: DialEnd) -> Self {
        Self {
            status: match end.status {
                CallStatus::Completed => DialStatus::Completed,
                CallStatus::Busy => DialStatus::Busy,
                CallStatus::NoAnswer => DialStatus::NoAnswer,
                CallStatus::Canceled => DialStatus::Canceled,
                // No other status is final.
                CallStatus::Failed
                | CallStatus::Queued
                | CallStatus::Ringing
                | CallStatus::InProgress => DialStatus::Failed,
            },
            call_sid: end.call_sid.map(|sid| sid.to_string()),
            duration_s: end.duration_s,
            sip_status: end.sip_status,
            reason: end.reason,
        }
    }
}
