//! Calls that a call's story dials: what goes to them and what comes from them.

use serde::{Deserialize, Serialize};

use crate::{CallCallback, CallSid, DetectionRequest, DialEnd, SipLogin, StatusCallback, Transfer};

/// Whom to call, and how. Mirrors `jackfield:call/dial@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialRequest {
    /// 1 to 10.
    pub targets: Vec<DialTarget>,
    /// One after the other; else all at once.
    pub in_turn: bool,
    /// One of the account's numbers; without it the account's side of this call.
    pub caller_id: Option<String>,
    /// Seconds that each may ring, 1 to 600.
    pub ring_timeout_s: u32,
    /// Seconds of the conversation, 1 to 86,400; without it the longest that a call may have.
    pub time_limit_s: Option<u32>,
    /// An inbound call that rings is answered only when somebody has answered.
    pub answer_on_bridge: bool,
    /// A `*` of this call's side ends the conversation.
    pub hang_up_on_star: bool,
    /// A name of [`media::RingTone::of`].
    pub ring_tone: Option<String>,
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialTarget {
    /// An E.164 number, a short code or a SIP URI.
    pub to: String,
    /// What they hear first, alone.
    pub whisper: Option<Whisper>,
    /// Who is told of their call.
    pub callback: Option<CallCallback>,
    /// Listens for who answers, from the answer on.
    pub detection: Option<DetectionRequest>,
}

impl From<&str> for DialTarget {
    /// Without a whisper, and nobody is told.
    fn from(to: &str) -> Self {
        Self {
            to: to.to_owned(),
            whisper: None,
            callback: None,
            detection: None,
        }
    }
}

/// A story that whoever answers hears alone, before the two are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whisper {
    /// What tells it.
    pub story: StoryFlow,
    /// What it reads, over the settings of the account: names and values.
    pub settings: Vec<(String, String)>,
}

/// Another story that goes on with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// What tells it.
    pub story: StoryFlow,
    /// What it reads, over the settings that the call began with: names and values.
    pub settings: Vec<(String, String)>,
}

/// What tells a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoryFlow {
    /// A component of the account, or a bundled one, by its name.
    Component(String),
    /// A `TwiML` document at this URL, asked for by GET or POST.
    VoiceUrl(StatusCallback),
    /// A `TwiML` document.
    Twiml(String),
}

/// One call to be placed for another call's story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildCall {
    /// Whom, and what they hear first.
    pub target: DialTarget,
    /// As in [`DialRequest`].
    pub caller_id: Option<String>,
    /// Seconds.
    pub ring_timeout_s: u32,
    /// Seconds from its answer to its end.
    pub time_limit_s: Option<u32>,
    /// What is proved to the far end in place of what its trunk has.
    pub login: Option<SipLogin>,
}

/// What a call tells the one whose story dialled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildNews {
    /// Its peer is heard before it has answered.
    EarlyMedia,
    /// Answered, and its own story is told first.
    Whispering,
    /// Answered, its story told if it had one, and its media flows.
    Answered(CallSid),
    /// Its peer asks that the caller be sent on.
    Transfers(Transfer),
    /// What passed in SIP; comes before [`Self::Ended`] of a call whose INVITE left.
    Signalled(CallSid, Signalled),
    /// Over, never placed, or a call of its own from now on. The last news.
    Ended(ChildEnd),
}

/// What passed in SIP on the leg of a call that was dialled. Mirrors `jackfield:dialled/signalling@0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signalled {
    /// The `Call-ID` of its dialog.
    pub sip_call_id: String,
    /// `User-to-User` and what begins with `X-` of the final response: names and values.
    pub fields: Vec<(String, String)>,
}

/// How a dialled call ended.
pub type ChildEnd = DialEnd;
