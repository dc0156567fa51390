//! Rust for `wit/call@0.1.0`, and between its words and those of `call`.
//!
//! Versions of the interface live side by side: a later one gets a module of its own beside this one.

// Generated code is not ours to document.
#![allow(missing_docs, unreachable_pub)]

pub(crate) mod conferences;
pub(crate) mod dial_terms;
pub(crate) mod dialled;
pub(crate) mod files;
pub(crate) mod people;
pub(crate) mod pin;
pub(crate) mod queues;
pub(crate) mod retry;
mod rooms;
pub(crate) mod routing;
pub(crate) mod transfers;

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/deps/wasi-keyvalue@0.2.0-draft",
        "../../wit/call@0.1.0",
    ],
    world: "jackfield:call/call-flow",
    imports: {
        "jackfield:call/control": async | trappable,
        "jackfield:call/conference": async | trappable,
        "jackfield:call/queue": async | trappable,
        "jackfield:call/dial": async | trappable,
        "jackfield:call/streams": async | trappable,
        "jackfield:call/machine-detection": async | trappable,
        "jackfield:call/recording": async | trappable,
        "jackfield:call/referral": async | trappable,
        "jackfield:call/speech-input": async | trappable,
        "wasi:keyvalue/store": async | trappable,
        "wasi:keyvalue/atomics": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: { "wasi:keyvalue/store.bucket": crate::capabilities::Bucket },
});

pub(crate) use jackfield::call::{
    conference, control, dial, machine_detection, queue, recording, referral, speech_input, streams,
};
pub(crate) use jackfield::types::types;
pub(crate) use wasi::config::store as config;
pub(crate) use wasi::keyvalue::{atomics, store as key_value};
pub(crate) use wasi::logging::logging;

impl From<call::Direction> for types::Direction {
    fn from(direction: call::Direction) -> Self {
        match direction {
            call::Direction::Inbound => Self::Inbound,
            call::Direction::OutboundApi => Self::OutboundApi,
            call::Direction::OutboundDial => Self::OutboundDial,
        }
    }
}

impl From<&call::CallInfo> for types::CallInfo {
    fn from(info: &call::CallInfo) -> Self {
        Self {
            call_sid: info.call_sid.to_string(),
            account_sid: info.account_sid.to_string(),
            caller: info.caller.clone(),
            callee: info.callee.clone(),
            direction: info.direction.into(),
            parent_call_sid: info.parent_call_sid.as_ref().map(ToString::to_string),
            sip_call_id: info.sip_call_id.clone(),
        }
    }
}

impl From<call::HangUpCause> for types::HangUpCause {
    fn from(cause: call::HangUpCause) -> Self {
        match cause {
            call::HangUpCause::Remote => Self::Remote,
            call::HangUpCause::Local => Self::Local,
            call::HangUpCause::Cancelled => Self::Cancelled,
            call::HangUpCause::Api => Self::Api,
            call::HangUpCause::Limit => Self::Limit,
            call::HangUpCause::Lost => Self::Lost,
            call::HangUpCause::Shutdown => Self::Shutdown,
        }
    }
}

impl From<call::CallError> for control::CallError {
    fn from(error: call::CallError) -> Self {
        match error {
            call::CallError::NotAnswered => Self::NotAnswered,
            call::CallError::AlreadyAnswered => Self::AlreadyAnswered,
            call::CallError::HungUp => Self::HungUp,
            call::CallError::UnsupportedMedia(what) => Self::UnsupportedMedia(what),
            call::CallError::InvalidArgument(what) => Self::InvalidArgument(what),
            call::CallError::NotGranted(what) => Self::NotGranted(what),
            call::CallError::LimitReached(what) => Self::LimitReached(what),
            call::CallError::UnknownId => Self::UnknownId,
            call::CallError::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

impl From<control::CallError> for call::CallError {
    fn from(error: control::CallError) -> Self {
        match error {
            control::CallError::NotAnswered => Self::NotAnswered,
            control::CallError::AlreadyAnswered => Self::AlreadyAnswered,
            control::CallError::HungUp => Self::HungUp,
            control::CallError::UnsupportedMedia(what) => Self::UnsupportedMedia(what),
            control::CallError::InvalidArgument(what) => Self::InvalidArgument(what),
            control::CallError::NotGranted(what) => Self::NotGranted(what),
            control::CallError::LimitReached(what) => Self::LimitReached(what),
            control::CallError::UnknownId => Self::UnknownId,
            control::CallError::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

impl From<control::MediaSource> for call::MediaSource {
    fn from(source: control::MediaSource) -> Self {
        match source {
            control::MediaSource::Url(url) => Self::Url(url),
            control::MediaSource::File(path) => Self::File(path),
        }
    }
}

impl From<control::Speech> for call::Speech {
    fn from(speech: control::Speech) -> Self {
        Self {
            text: speech.text,
            voice: speech.voice,
            language: speech.language,
        }
    }
}

impl From<control::RejectReason> for call::RejectReason {
    fn from(reason: control::RejectReason) -> Self {
        match reason {
            control::RejectReason::Busy => Self::Busy,
            control::RejectReason::Declined => Self::Declined,
            control::RejectReason::NotFound => Self::NotFound,
            control::RejectReason::Unavailable => Self::Unavailable,
        }
    }
}

impl From<control::HttpMethod> for call::HttpMethod {
    fn from(method: control::HttpMethod) -> Self {
        match method {
            control::HttpMethod::Get => Self::Get,
            control::HttpMethod::Post => Self::Post,
            control::HttpMethod::Put => Self::Put,
            control::HttpMethod::Delete => Self::Delete,
        }
    }
}

impl From<control::HttpRequest> for call::HttpRequest {
    fn from(request: control::HttpRequest) -> Self {
        Self {
            method: request.method.into(),
            url: request.url,
            headers: request.headers,
            body: request.body,
            sign: request.sign,
        }
    }
}

impl From<control::StatusCallback> for call::StatusCallback {
    fn from(callback: control::StatusCallback) -> Self {
        Self {
            url: callback.url,
            method: callback.method.into(),
        }
    }
}

impl From<call::HttpResponse> for control::HttpResponse {
    fn from(response: call::HttpResponse) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
            url: response.url,
        }
    }
}

impl From<call::HttpError> for control::HttpError {
    fn from(error: call::HttpError) -> Self {
        match error {
            call::HttpError::InvalidUrl(why) => Self::InvalidUrl(why),
            call::HttpError::NotGranted(why) => Self::NotGranted(why),
            call::HttpError::Unreachable(why) => Self::Unreachable(why),
            call::HttpError::TimedOut(why) => Self::TimedOut(why),
            call::HttpError::TooLarge(why) => Self::TooLarge(why),
            call::HttpError::TooManyRedirects(why) => Self::TooManyRedirects(why),
            call::HttpError::Protocol(why) => Self::Protocol(why),
        }
    }
}

impl From<call::PlaybackEnd> for control::PlaybackEnd {
    fn from(end: call::PlaybackEnd) -> Self {
        match end {
            call::PlaybackEnd::Finished => Self::Finished,
            call::PlaybackEnd::Stopped => Self::Stopped,
            call::PlaybackEnd::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<call::Event> for control::Event {
    fn from(event: call::Event) -> Self {
        match event {
            call::Event::Answered => Self::Answered,
            call::Event::Digit(digit) => Self::Digit(digit),
            call::Event::PlaybackEnded(id, end) => Self::PlaybackEnded((id.0, end.into())),
            call::Event::HttpResponse(id, result) => {
                Self::HttpResponse((id.0, result.map(Into::into).map_err(Into::into)))
            }
            call::Event::Conference(event) => Self::Conference(event.into()),
            call::Event::Queue(event) => Self::Queue(event.into()),
            call::Event::DialAnswered(id, sid) => Self::DialAnswered((id.0, sid.to_string())),
            call::Event::DialEnded(id, end)
            | call::Event::DialTransferred(id, end, _)
            | call::Event::DialEndedBy(id, end, _) => Self::DialEnded((id.0, end.into())),
            call::Event::StreamStarted(id) => Self::StreamStarted(id.0),
            call::Event::StreamEnded(id, end) => Self::StreamEnded((id.0, end.into())),
            call::Event::MachineDetected(detection) => Self::MachineDetected(detection.into()),
            call::Event::RecordingEnded(id, recording) => {
                Self::RecordingEnded((id.0, recording.into()))
            }
            call::Event::Referred(referral) => Self::Referred(referral.into()),
            call::Event::Speech(id, event) => Self::Speech((id.0, event.into())),
            call::Event::HungUp(cause) => Self::HungUp(cause.into()),
            call::Event::TakenFromQueue(_) => Self::HungUp(call::HangUpCause::Api.into()),
        }
    }
}

impl From<control::CallCallback> for call::CallCallback {
    fn from(callback: control::CallCallback) -> Self {
        let turn = |turn: control::CallTurn| match turn {
            control::CallTurn::Initiated => call::ProgressEvent::Initiated,
            control::CallTurn::Ringing => call::ProgressEvent::Ringing,
            control::CallTurn::Answered => call::ProgressEvent::Answered,
            control::CallTurn::Completed => call::ProgressEvent::Completed,
        };
        Self {
            to: callback.to.into(),
            on: callback.turns.into_iter().map(turn).collect(),
        }
    }
}

impl From<control::StoryFlow> for call::StoryFlow {
    fn from(story: control::StoryFlow) -> Self {
        match story {
            control::StoryFlow::Component(name) => Self::Component(name),
            control::StoryFlow::VoiceUrl(url) => Self::VoiceUrl(url.into()),
            control::StoryFlow::Twiml(document) => Self::Twiml(document),
        }
    }
}

impl From<control::Continuation> for call::Continuation {
    fn from(next: control::Continuation) -> Self {
        Self {
            story: next.story.into(),
            settings: next.settings,
        }
    }
}

impl From<recording::RecordingCallback> for call::RecordingCallback {
    fn from(callback: recording::RecordingCallback) -> Self {
        let turn = |turn: recording::RecordingTurn| match turn {
            recording::RecordingTurn::InProgress => call::RecordingTurn::InProgress,
            recording::RecordingTurn::Completed => call::RecordingTurn::Completed,
            recording::RecordingTurn::Absent => call::RecordingTurn::Absent,
        };
        Self {
            to: callback.to.into(),
            on: callback.turns.into_iter().map(turn).collect(),
        }
    }
}

impl From<recording::RecordingOptions> for call::StartRecording {
    fn from(options: recording::RecordingOptions) -> Self {
        Self {
            source: match options.source {
                recording::RecordingSource::RecordVerb => call::RecordingSource::RecordVerb,
                recording::RecordingSource::DialVerb => call::RecordingSource::DialVerb,
                recording::RecordingSource::StartVerb => {
                    call::RecordingSource::StartCallRecordingTwiml
                }
            },
            callback: options.status_callback.clone().map(Into::into),
            options: options.into(),
        }
    }
}

impl From<recording::RecordingOptions> for call::RecordingOptions {
    fn from(options: recording::RecordingOptions) -> Self {
        let length = |ms: u32| std::time::Duration::from_millis(ms.into());
        Self {
            tracks: match options.tracks {
                recording::RecordingTracks::Caller => call::RecordingTracks::Caller,
                recording::RecordingTracks::Callee => call::RecordingTracks::Callee,
                recording::RecordingTracks::Both => call::RecordingTracks::Both,
            },
            channels: match options.channels {
                recording::RecordingChannels::Mono => call::RecordingChannels::Mono,
                recording::RecordingChannels::Dual => call::RecordingChannels::Dual,
            },
            beep: options.beep,
            silence_timeout: options.silence_timeout_ms.map(length),
            finish_keys: options.finish_keys,
            max_length: options.max_length_ms.map(length),
            trim_silence: options.trim_silence,
        }
    }
}

impl From<recording::PauseBehavior> for call::PauseBehavior {
    fn from(behavior: recording::PauseBehavior) -> Self {
        match behavior {
            recording::PauseBehavior::Skip => Self::Skip,
            recording::PauseBehavior::Silence => Self::Silence,
        }
    }
}

impl From<call::Recording> for control::Recorded {
    fn from(recording: call::Recording) -> Self {
        Self {
            end: match recording.end {
                Ok(call::RecordingEnd::Silence) => control::RecordingEnd::Silence,
                Ok(call::RecordingEnd::Key(key)) => control::RecordingEnd::Key(key),
                Ok(call::RecordingEnd::MaxLength) => control::RecordingEnd::MaxLength,
                Ok(call::RecordingEnd::HungUp) => control::RecordingEnd::HungUp,
                Ok(call::RecordingEnd::Stopped) => control::RecordingEnd::Stopped,
                Err(why) => control::RecordingEnd::Failed(why),
            },
            sid: recording.sid.to_string(),
            url: recording.url,
            duration_ms: recording.duration_ms,
            heard_voice: recording.heard_voice,
        }
    }
}
