//! A call: one leg (our end of one SIP dialog), its media as seen from control, its story, its record.
//!
//! [`Call`] is a core: it takes `(now, input)` and returns effects. It knows the types of `sip`, `sdp` and `media`, and
//! nobody above it. [`Command`] and [`Event`] are the plugin interface in Rust's words; `wit/call@0.1.0` is their source.

mod call;
mod callback;
mod callback_subject;
mod child;
mod command;
mod conference;
mod detection;
mod event;
mod exchange;
mod grants;
mod ids;
mod io;
mod kept_audio;
mod key_value;
mod leg;
mod login;
mod outcome;
mod person;
mod pin;
mod playlist;
mod quality;
mod queue;
mod record;
mod recording;
mod referral;
mod secret;
mod signalled_digit;
mod speech_input;
mod stream;
mod transfer;

pub use call::{Call, HUNG_UP_BY_US, LIMIT_REACHED, Limits, NOT_CONFIRMED, NOT_HEARD};
pub use callback::{CallCallback, ProgressEvent};
pub use callback_subject::CallbackSubject;
pub use child::{
    ChildCall, ChildEnd, ChildNews, Continuation, DialRequest, DialTarget, Signalled, StoryFlow,
    Whisper,
};
pub use command::{
    CallError, Command, HttpMethod, HttpRequest, MediaSource, RejectReason, Reply, Speech,
    StatusCallback, WaitSound,
};
pub use conference::{
    Beep, Conference, ConferenceCallback, ConferenceCommand, ConferenceEffect, ConferenceEnd,
    ConferenceEndReason, ConferenceEvent, ConferenceInput, ConferenceOptions, ConferencePlace,
    ConferenceRecording, ConferenceRequest, ConferenceTerms, ConferenceTopic, ConferenceTurn,
    Hearing, OrderedSound, Participant, ParticipantChange, ParticipantExit,
};
pub use detection::{Detection, DetectionRequest};
pub use event::{DialEnd, Event, HangUpCause, HttpError, HttpResponse, PlaybackEnd};
pub use exchange::Exchange;
pub use grants::{Grants, NotGranted};
pub use ids::{
    AccountSid, ApplicationSid, BroadcastSid, CallSid, ChildId, ConferenceSid, DialId, InvalidSid,
    KeySid, ListeningId, MessageSid, PhoneNumberSid, PlaybackId, QueueSid, RecordingId,
    RecordingSid, RequestId, StreamSid,
};
pub use io::{
    Effect, Input, MediaCommand, MediaEvent, MediaPath, PromptSource, StoryChoice, StoryOutcome,
    media_codec,
};
pub use kept_audio::{AudioCommand, AudioError, AudioReply, check_audio_name};
pub use key_value::{
    KeyValueChange, KeyValueCommand, KeyValueError, KeyValueRead, KeyValueReply, KeyValueUsage,
    KeyValueWrite, KeyValues, page_of_keys,
};
pub use leg::{InboundLeg, OutboundLeg};
pub use login::{Password, SipLogin, TargetTerms};
pub use media::{AnsweredBy, MachineDetection, MachineDetectionOptions};
pub use outcome::{Outcome, Outcomes};
pub use person::{People, PeopleCommand, PeopleError, PeopleReply, Person, PersonChange};
pub use pin::{ConcealedKeys, PinError, PinVerdict, check_pin};
pub use quality::CallQuality;
pub use queue::{
    DEFAULT_QUEUE_SIZE, Queue, QueueBridge, QueueCommand, QueueEffect, QueueEvent, QueueExit,
    QueueInput, QueueOutcome, QueuePlace, QueueRequest,
};
pub use record::{CallInfo, CallRecord, CallStatus, Direction};
pub use recording::{
    PauseBehavior, Recording, RecordingCallback, RecordingChannels, RecordingCommand, RecordingEnd,
    RecordingOf, RecordingOptions, RecordingOrder, RecordingSource, RecordingTracks, RecordingTurn,
    StartRecording,
};
pub use referral::{ReferRequest, Referral};
pub use secret::{secrets_in, with_secrets};
pub use speech_input::{
    DEFAULT_END_SILENCE, ListenOrder, ListenRequest, PartialWords, SpeechEnd, SpeechEvent, Words,
};
pub use stream::{
    DoneStream, StreamDeed, StreamEnd, StreamError, StreamId, StreamKey, StreamNews, StreamOrder,
    StreamRequest, StreamTracks,
};
pub use transfer::{Transfer, TransferCommand};
