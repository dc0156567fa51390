//! What happens in a conference, for whoever keeps it and tells of it.

use serde::{Deserialize, Serialize};

use super::ConferenceCallback;
use crate::{CallSid, MediaSource, StatusCallback, WaitSound};

/// A participant, as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Its call.
    pub call: CallSid,
    /// Its name in the conference.
    pub label: Option<String>,
    /// Is not heard.
    pub muted: bool,
    /// Is on hold.
    pub held: bool,
    /// Is to be heard by this one alone.
    pub coaches: Option<CallSid>,
    /// The conference begins with it.
    pub start_on_enter: bool,
    /// The conference ends with it.
    pub end_on_exit: bool,
}

/// Ends of paths that are sounds; whatever else is at a URL may be a document.
const SOUNDS: [&str; 7] = [".mp3", ".wav", ".ogg", ".flac", ".aac", ".m4a", ".mp4"];

/// What the API lets a call hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderedSound {
    /// The host plays it over and over.
    Sound(WaitSound),
    /// For the story to ask for, and to play what it says. The host plays its music until then.
    Document(StatusCallback),
}

impl OrderedSound {
    /// What is at a URL: by the end of its path a sound, or else a document.
    #[must_use]
    pub fn at(document: StatusCallback) -> Self {
        let path = document.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.to_ascii_lowercase();
        match SOUNDS.iter().any(|end| path.ends_with(end)) {
            true => Self::Sound(WaitSound::Prompt(MediaSource::Url(document.url))),
            false => Self::Document(document),
        }
    }

    /// What the host plays.
    #[must_use]
    pub fn sound(&self) -> WaitSound {
        match self {
            Self::Sound(sound) => sound.clone(),
            Self::Document(_) => WaitSound::Music,
        }
    }
}

/// What is to be different about a participant. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParticipantChange {
    /// Is not heard, or is again.
    pub muted: Option<bool>,
    /// Is on hold with this sound, or takes part again.
    pub hold: Option<Option<OrderedSound>>,
    /// What is heard until the conference begins.
    pub wait_sound: Option<OrderedSound>,
    /// Whether the conference ends with it.
    pub end_on_exit: Option<bool>,
    /// Whether all hear a tone when it goes.
    pub beep_on_exit: Option<bool>,
    /// Whom it coaches; nobody, for whom it is heard by all.
    pub coach: Option<Option<CallSid>>,
}

/// One thing that happened in a conference. Of who is meant: as that participant is from now on, or was at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceTurn {
    /// It is there. Who is told of it.
    Opened(Option<ConferenceCallback>),
    /// What it shows as its region.
    Placed(String),
    /// Somebody is called, and comes when they answer.
    Expected(Participant),
    /// Somebody who was expected does not come.
    Missed(CallSid),
    /// Somebody is in it.
    Joined(Participant),
    /// They hear each other from now on.
    Began,
    /// Somebody is muted, or no longer.
    Muted(Participant),
    /// Somebody is on hold, or no longer.
    Held(Participant),
    /// Something else of somebody is different.
    Modified(Participant),
    /// An announcement is over.
    Announced {
        /// For whom it was; none: for all.
        participant: Option<Participant>,
        /// What was to be heard.
        source: MediaSource,
        /// Why nobody could hear it.
        outcome: Result<(), String>,
    },
    /// Somebody begins to speak, or ceases.
    Speaks(Participant, bool),
    /// Somebody is in it no longer.
    Left(Participant, ParticipantExit),
    /// It is over. With whom it came to its end, where one ended it.
    Ended(ConferenceEndReason, Option<Participant>),
}

/// How a participant went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParticipantExit {
    /// Its call is over.
    HungUp,
    /// Its story left.
    Left,
    /// It was removed through the API.
    Kicked,
    /// The conference ended without it.
    Ended,
}

/// Why a conference is over: Twilio's `reason_conference_ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceEndReason {
    /// By order of the API.
    Api,
    /// One with whom it ends went.
    EndOnExitLeft,
    /// One with whom it ends was removed.
    EndOnExitKicked,
    /// The last one went.
    LastLeft,
    /// The last one was removed.
    LastKicked,
}

impl ConferenceEndReason {
    /// Twilio's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "conference-ended-via-api",
            Self::EndOnExitLeft => "participant-with-end-conference-on-exit-left",
            Self::EndOnExitKicked => "participant-with-end-conference-on-exit-kicked",
            Self::LastLeft => "last-participant-left",
            Self::LastKicked => "last-participant-kicked",
        }
    }
}
