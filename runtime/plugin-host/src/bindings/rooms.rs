//! The words of conferences and queues.

use super::{conference, control};

impl From<control::WaitSound> for call::WaitSound {
    fn from(sound: control::WaitSound) -> Self {
        match sound {
            control::WaitSound::Music => Self::Music,
            control::WaitSound::Silence => Self::Silence,
            control::WaitSound::Prompt(source) => Self::Prompt(source.into()),
        }
    }
}

impl From<conference::Beep> for call::Beep {
    fn from(beep: conference::Beep) -> Self {
        match beep {
            conference::Beep::Never => Self::Never,
            conference::Beep::OnEnter => Self::OnEnter,
            conference::Beep::OnExit => Self::OnExit,
            conference::Beep::Always => Self::Always,
        }
    }
}

impl TryFrom<conference::ConferenceOptions> for call::ConferenceOptions {
    type Error = call::CallError;

    fn try_from(options: conference::ConferenceOptions) -> Result<Self, Self::Error> {
        let coach = options.coach.map(|sid| sid.parse::<call::CallSid>());
        let coach = coach.transpose().map_err(|error| {
            call::CallError::InvalidArgument(format!("the one who is coached: {error}"))
        })?;
        Ok(Self {
            muted: options.muted,
            beep: options.beep.into(),
            start_on_enter: options.start_on_enter,
            end_on_exit: options.end_on_exit,
            wait_sound: options.wait_sound.into(),
            coach,
            max_participants: options.max_participants,
            label: options.label,
            status_callback: options.status_callback.map(Into::into),
        })
    }
}

impl From<conference::ConferenceCallback> for call::ConferenceCallback {
    fn from(callback: conference::ConferenceCallback) -> Self {
        Self {
            to: callback.to.into(),
            topics: callback.topics.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<conference::ConferenceTopic> for call::ConferenceTopic {
    fn from(topic: conference::ConferenceTopic) -> Self {
        match topic {
            conference::ConferenceTopic::Start => Self::Start,
            conference::ConferenceTopic::End => Self::End,
            conference::ConferenceTopic::Join => Self::Join,
            conference::ConferenceTopic::Leave => Self::Leave,
            conference::ConferenceTopic::Mute => Self::Mute,
            conference::ConferenceTopic::Hold => Self::Hold,
            conference::ConferenceTopic::Modify => Self::Modify,
            conference::ConferenceTopic::Announcement => Self::Announcement,
        }
    }
}

impl From<call::ConferenceEvent> for control::ConferenceEvent {
    fn from(event: call::ConferenceEvent) -> Self {
        match event {
            call::ConferenceEvent::Joined(place) => Self::Joined(control::ConferencePlace {
                conference_sid: place.sid.to_string(),
                participants: place.participants,
            }),
            call::ConferenceEvent::Began => Self::Began,
            call::ConferenceEvent::Muted(muted) => Self::Muted(muted),
            call::ConferenceEvent::Held(sound) => Self::Held(sound.map(Into::into)),
            call::ConferenceEvent::WaitsWith(sound) => Self::WaitsWith(sound.into()),
            call::ConferenceEvent::Left(end) => Self::Left(match end {
                call::ConferenceEnd::Left => control::ConferenceEnd::Left,
                call::ConferenceEnd::Ended => control::ConferenceEnd::Ended,
                call::ConferenceEnd::Removed => control::ConferenceEnd::Removed,
                call::ConferenceEnd::Refused(why) => control::ConferenceEnd::Refused(why),
            }),
        }
    }
}

impl From<call::OrderedSound> for control::OrderedSound {
    fn from(sound: call::OrderedSound) -> Self {
        match sound {
            call::OrderedSound::Sound(sound) => Self::Sound(sound.into()),
            call::OrderedSound::Document(document) => Self::Document(document.into()),
        }
    }
}

impl From<call::StatusCallback> for control::StatusCallback {
    fn from(document: call::StatusCallback) -> Self {
        Self {
            url: document.url,
            method: match document.method {
                call::HttpMethod::Get => control::HttpMethod::Get,
                call::HttpMethod::Post => control::HttpMethod::Post,
                call::HttpMethod::Put => control::HttpMethod::Put,
                call::HttpMethod::Delete => control::HttpMethod::Delete,
            },
        }
    }
}

impl From<call::MediaSource> for control::MediaSource {
    fn from(source: call::MediaSource) -> Self {
        match source {
            call::MediaSource::Url(url) => Self::Url(url),
            call::MediaSource::File(path) => Self::File(path),
        }
    }
}

impl From<call::WaitSound> for control::WaitSound {
    fn from(sound: call::WaitSound) -> Self {
        match sound {
            call::WaitSound::Music => Self::Music,
            call::WaitSound::Silence => Self::Silence,
            call::WaitSound::Prompt(source) => Self::Prompt(source.into()),
        }
    }
}

impl From<call::QueueEvent> for control::QueueEvent {
    fn from(event: call::QueueEvent) -> Self {
        match event {
            call::QueueEvent::Waiting(place) => Self::Waiting(control::QueuePlace {
                queue_sid: place.sid.to_string(),
                position: place.position,
                size: place.size,
                average_wait_s: place.average_wait_s,
            }),
            call::QueueEvent::Bridged(bridge) => Self::Bridged(control::QueueBridge {
                queue_sid: bridge.sid.to_string(),
                call_sid: bridge.call.to_string(),
                waited_s: bridge.waited_s,
            }),
            call::QueueEvent::Left(exit) => Self::Left(control::QueueExit {
                queue_sid: exit.sid.to_string(),
                outcome: exit.outcome.into(),
                waited_s: exit.waited_s,
            }),
        }
    }
}

impl From<call::QueueOutcome> for control::QueueOutcome {
    fn from(outcome: call::QueueOutcome) -> Self {
        match outcome {
            call::QueueOutcome::Bridged => Self::Bridged,
            call::QueueOutcome::Left => Self::Left,
            call::QueueOutcome::Full => Self::Full,
            call::QueueOutcome::Failed => Self::Failed,
        }
    }
}
