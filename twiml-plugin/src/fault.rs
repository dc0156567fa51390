//! What is wrong with a document or its fetching, under Twilio's error codes.

use std::fmt;

pub(crate) use fault_codes::{
    INVALID_URL, LABEL_WRONG, RETRIEVAL_FAILED, STREAM_URL, TOO_LARGE, TOO_MANY_REDIRECTS,
};

/// One error or warning: its code in Twilio's dictionary, and what happened here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: u16,
    message: String,
}

impl Fault {
    pub(crate) fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The same fault, with the place it is in: a URL, a line.
    pub(crate) fn of(self, place: &str) -> Self {
        Self::new(self.code, format!("{place}: {}", self.message))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.message)
    }
}

// Fetching.
pub(crate) const EMPTY: u16 = 11770;
pub(crate) const URL_AND_TWIML: u16 = 32019;

// Documents.
pub(crate) const NOT_XML: u16 = 12100;
pub(crate) const WRONG_XML_VERSION: u16 = 12101;
pub(crate) const WRONG_ROOT: u16 = 12102;
pub(crate) const NOT_IN_SCHEMA: u16 = 12200;
pub(crate) const WRONG_CONTENT_TYPE: u16 = 12300;
pub(crate) const VERB_UNSUPPORTED: u16 = 13750;

// Streams.
pub(crate) const STREAM_TIMEOUT: u16 = 31901;
pub(crate) const STREAM_REFUSED: u16 = 31902;
pub(crate) const STREAM_HANDSHAKE: u16 = 31920;
pub(crate) const STREAM_CLOSED: u16 = 31921;
pub(crate) const STREAM_SCHEME: u16 = 31922;
pub(crate) const STREAM_TRACK: u16 = NOT_IN_SCHEMA;
pub(crate) const STREAM_METHOD: u16 = NOT_IN_SCHEMA;

// Verbs.
/// From a call that was dialled itself.
pub(crate) const DIAL_IN_DIAL: u16 = 13201;
pub(crate) const DIAL_METHOD: u16 = 13210;
pub(crate) const DIAL_TIMEOUT: u16 = 13212;
pub(crate) const DIAL_HANGUP_ON_STAR: u16 = 13213;
pub(crate) const CONFERENCE_MUTED: u16 = 13230;
pub(crate) const CONFERENCE_END: u16 = 13231;
pub(crate) const CONFERENCE_START: u16 = 13232;
pub(crate) const CONFERENCE_WAIT_METHOD: u16 = 13234;
pub(crate) const CONFERENCE_WAIT_VERB: u16 = 13238;
pub(crate) const DIAL_CALLER_ID: u16 = 13214;
pub(crate) const DIAL_NESTED: u16 = 13215;
pub(crate) const DIAL_TIME_LIMIT: u16 = 13216;
pub(crate) const DIAL_RECORD: u16 = 13217;
pub(crate) const DIAL_SEQUENTIAL: u16 = 13218;
pub(crate) const DIAL_ANSWER_ON_BRIDGE: u16 = 13219;
pub(crate) const DIAL_RING_TONE: u16 = 13220;
pub(crate) const DIAL_SEND_DIGITS: u16 = 13222;
pub(crate) const DIAL_NUMBER: u16 = 13223;
pub(crate) const DIAL_NOT_PLACED: u16 = 13224;
pub(crate) const DIAL_CREDENTIALS: u16 = 13249;
pub(crate) const DIAL_TOO_MANY: u16 = 13250;
pub(crate) const GATHER_FINISH_ON_KEY: u16 = 13310;
pub(crate) const GATHER_METHOD: u16 = 13312;
pub(crate) const GATHER_TIMEOUT: u16 = 13313;
pub(crate) const GATHER_NUM_DIGITS: u16 = 13314;
pub(crate) const GATHER_NESTED_VERB: u16 = 13320;
pub(crate) const GATHER_INPUT: u16 = 13326;
pub(crate) const GATHER_SPEECH_TIMEOUT: u16 = 13327;
pub(crate) const GATHER_MAX_SPEECH_TIME: u16 = 13328;
pub(crate) const GATHER_PARTIAL_METHOD: u16 = 13329;
pub(crate) const GATHER_HINTS: u16 = 13330;
pub(crate) const GATHER_LANGUAGE: u16 = 13331;
pub(crate) const GATHER_BARGE_IN: u16 = 13332;
pub(crate) const GATHER_PROFANITY_FILTER: u16 = 13333;
pub(crate) const GATHER_SPEECH_MODEL: u16 = 13334;
pub(crate) const GATHER_ACTION_ON_EMPTY_RESULT: u16 = 13338;
pub(crate) const PLAY_LOOP: u16 = 13410;
pub(crate) const PLAY_CONTENT: u16 = 13420;
pub(crate) const PLAY_DIGITS: u16 = 13430;
pub(crate) const SAY_LOOP: u16 = 13510;
pub(crate) const SAY_VOICE: u16 = 13511;
pub(crate) const SAY_LANGUAGE: u16 = 13512;
pub(crate) const SAY_TEXT: u16 = 13520;
pub(crate) const SAY_TOO_LONG: u16 = 13521;
pub(crate) const RECORD_METHOD: u16 = 13610;
pub(crate) const RECORD_TIMEOUT: u16 = 13611;
pub(crate) const RECORD_MAX_LENGTH: u16 = 13612;
pub(crate) const RECORD_FINISH_ON_KEY: u16 = 13613;
pub(crate) const RECORD_TRANSCRIBE: u16 = 13614;
pub(crate) const RECORD_PLAY_BEEP: u16 = 13616;
pub(crate) const REDIRECT_METHOD: u16 = 13710;
pub(crate) const REJECT_REASON: u16 = 13810;
pub(crate) const PAUSE_LENGTH: u16 = 13910;
pub(crate) const MESSAGE_TO: u16 = 14101;
pub(crate) const MESSAGE_FROM: u16 = 14102;
pub(crate) const MESSAGE_BODY: u16 = 14103;
pub(crate) const MESSAGE_METHOD: u16 = 14104;
pub(crate) const MESSAGE_CALLBACK: u16 = 14105;
/// Twilio's words: the sender cannot send texts.
pub(crate) const MESSAGE_NO_CONNECTOR: u16 = 14108;
