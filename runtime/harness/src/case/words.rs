//! A file of cases as it is written: what TOML gives, not read yet.

use std::collections::BTreeMap;

use call::{AnsweredBy, HttpError, HttpResponse};
use serde::Deserialize;

use crate::registered::PersonWords;
use crate::sent::Sent;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) world: World,
    #[serde(default, rename = "case")]
    pub(super) cases: Vec<Entry>,
    /// What every `[[route]]` finds.
    #[serde(default, rename = "trunk")]
    pub(super) trunks: Vec<toml::Table>,
    #[serde(default, rename = "route")]
    pub(super) routes: Vec<toml::Table>,
    #[serde(default, rename = "retry")]
    pub(super) retries: Vec<toml::Table>,
}

/// What surrounds a call: of all cases of a file, and of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct World {
    pub(super) starts_at: Option<toml::value::Datetime>,
    pub(super) settings: BTreeMap<String, String>,
    /// The account's pairs when the call comes in.
    pub(super) key_value: BTreeMap<String, String>,
    /// Whom the account knows when the call comes in, by number.
    pub(super) people: BTreeMap<String, PersonWords>,
    /// Secrets of the account that are PINs.
    pub(super) pins: BTreeMap<String, String>,
    /// No PIN is looked at for so many seconds.
    pub(super) pin_locked: Option<u32>,
    /// Seconds.
    pub(super) prompts: BTreeMap<String, f64>,
    pub(super) missing_prompts: Vec<String>,
    pub(super) http: Vec<Answer>,
    pub(super) callees: BTreeMap<String, CalleeWords>,
    pub(super) referee: Option<RefereeWords>,
    pub(super) answered_by: Option<AnsweredByWords>,
    /// The number of the other side, and of ours.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) others_in_conference: Option<u8>,
    pub(super) others_in_queue: Option<u8>,
    pub(super) streams: Vec<StreamWords>,
    /// Somebody understands speech; nobody does where this is false.
    pub(super) recogniser: Option<bool>,
}

/// The far end of media streams whose URLs begin so. Others stay open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StreamWords {
    pub(super) url: String,
    /// Seconds.
    #[serde(default)]
    pub(super) after: f64,
    pub(super) does: StreamEndWords,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StreamEndWords {
    Closes,
    Fails,
}

/// Who answered, as far as a flow asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnsweredByWords {
    pub(super) who: AnsweredBy,
    /// Seconds until that is known.
    pub(super) after: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) outbound: bool,
    /// Of somebody who was dialled, and hears a whisper.
    #[serde(default)]
    pub(super) whisper: bool,
    pub(super) steps: Vec<StepWords>,
    pub(super) sent: Option<Vec<Sent>>,
    pub(super) kept: Option<BTreeMap<String, String>>,
    pub(super) people: Option<BTreeMap<String, PersonWords>>,
    pub(super) files: Option<BTreeMap<String, f64>>,
    #[serde(default)]
    pub(super) world: World,
}

/// What a web server says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Answer {
    pub(super) url: String,
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
    /// A body that is TwiML, and says so.
    pub(super) twiml: Option<String>,
    /// Nobody answers.
    #[serde(default)]
    pub(super) unreachable: bool,
    /// To each such request; else to one.
    #[serde(default)]
    pub(super) always: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CalleeWords {
    Busy,
    NeverAnswers,
    /// Until a step says otherwise.
    Rings,
    /// After so many seconds.
    Answers(f64),
    AnswersAndTalks {
        after: f64,
        talks: f64,
        /// How long a whisper to them takes.
        #[serde(default = "two")]
        listens: f64,
    },
    /// A whisper to them ends with a hang-up.
    Declines {
        after: f64,
        #[serde(default = "two")]
        listens: f64,
    },
}

/// What the caller does when they are sent on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RefereeWords {
    /// With this SIP status.
    Refuses(u16),
    /// This SIP status, after so many seconds.
    Reports { after: f64, status: u16 },
    /// Says nothing more once it has accepted.
    Silent,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StepWords {
    Flow(FlowDoes),
    Caller(CallerDoes),
    Callee(CalleeDoes),
    Other(OtherDoes),
    Api(ApiDoes),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FlowDoes {
    Answers,
    /// With this SIP status.
    Rejects(u16),
    HangsUp,
    /// The one who heard a whisper, to the caller.
    PutsThrough,
    Plays(String),
    Says(String),
    Presses(String),
    Echoes(bool),
    Joins(String),
    WaitsInQueue(String),
    ServesQueue(String),
    Dials(Vec<String>),
    Streams(String),
    Records,
    Refers(String),
    ContinuesWith(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallerDoes {
    Presses(String),
    /// Seconds, as the next one.
    Speaks(f64),
    Waits(f64),
    Says(String),
    HangsUp,
}

/// By what they were dialled.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CalleeDoes {
    Answers(String),
    IsBusy(String),
    HangsUp(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OtherDoes {
    JoinsConference,
    LeavesConference,
    EndsConference,
    ComesToQueue,
    GivesUpInQueue,
    HangsUp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ApiDoes {
    HangsUp,
}

impl Answer {
    pub(super) fn into_response(self) -> Result<HttpResponse, HttpError> {
        if self.unreachable {
            let why = "nobody answers, as the script has it".to_owned();
            return Err(HttpError::Unreachable(why));
        }
        let headers = self.headers.into_iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        if self.twiml.is_some() {
            headers.push(("content-type".to_owned(), "text/xml".to_owned()));
        }
        Ok(HttpResponse {
            status: self.status,
            headers,
            body: self.twiml.unwrap_or(self.body).into_bytes(),
            url: String::new(),
        })
    }
}

const fn ok() -> u16 {
    200
}

const fn two() -> f64 {
    2.0
}
