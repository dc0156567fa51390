//! What is said of a conference as a whole by whoever opens it.

use media::{RecordingChannels, RecordingOptions};
use serde::{Deserialize, Serialize};

use crate::{RecordingCallback, RecordingSource, StartRecording};

/// What is said of a conference as a whole. The first call's counts. The default asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConferenceTerms {
    /// It is recorded, from its beginning on.
    pub recording: Option<ConferenceRecording>,
    /// What it shows as its region. It is mixed here, whatever that is. No story says it, and no journal has it: requests of the API alone do.
    #[serde(skip)]
    pub region: Option<String>,
}

/// How a conference is recorded: all that is heard by all, in one channel. What is heard by those who wait is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceRecording {
    /// Silence at its beginning and end is left out.
    pub trim_silence: bool,
    /// Who is told of the recording.
    pub callback: Option<RecordingCallback>,
}

impl From<ConferenceRecording> for StartRecording {
    fn from(recording: ConferenceRecording) -> Self {
        Self {
            options: RecordingOptions {
                trim_silence: recording.trim_silence,
                ..RecordingOptions::of_call(RecordingChannels::Mono)
            },
            source: RecordingSource::Conference,
            callback: recording.callback,
        }
    }
}
