//! `POST Participants`: somebody is called, and is in the conference when they answer.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::{
    CallSid, ConferenceCallback, ConferenceTerms, ConferenceTopic, HttpMethod, Participant,
    StatusCallback,
};
use serde_json::Value;
use store::{CALLER_DISPLAY_NAME, Flow, PhoneNumber, Scope};

use crate::calls::{accept, new_call};
use crate::conference_recordings;
use crate::conferences::own;
use crate::machine_detection;
use crate::parameters::{Parameters, Vocabulary, is_web};
use crate::participants::{coach, flag, nobody_to_coach, one_of, shown};
use crate::problem::Problem;
use crate::{ApiState, NotExpected};

/// Characters of a name, and of a label.
const MAX_NAME: usize = 128;
/// Characters of a display name.
const DISPLAY_NAMES: std::ops::RangeInclusive<usize> = 2..=255;
/// Where Twilio mixes conferences, and its word for the place that is nearest.
const REGIONS: [&str; 9] = [
    "au1", "br1", "de1", "gll", "ie1", "in1", "jp1", "sg1", "us1",
];

const CREATE: Vocabulary = Vocabulary {
    supported: &[
        "From",
        "To",
        "Label",
        "Timeout",
        "EarlyMedia",
        "SendDigits",
        "StatusCallback",
        "StatusCallbackEvent",
        "StatusCallbackMethod",
        "Muted",
        "Beep",
        "StartConferenceOnEnter",
        "EndConferenceOnExit",
        "WaitUrl",
        "WaitMethod",
        "MaxParticipants",
        "Coaching",
        "CallSidToCoach",
        "ConferenceStatusCallback",
        "ConferenceStatusCallbackEvent",
        "ConferenceStatusCallbackMethod",
        "ConferenceRecord",
        "ConferenceTrim",
        "ConferenceRecordingStatusCallback",
        "ConferenceRecordingStatusCallbackEvent",
        "ConferenceRecordingStatusCallbackMethod",
        "AmdStatusCallback",
        "AmdStatusCallbackMethod",
        "CallReason",
        "CallerDisplayName",
        "CallerId",
        "ClientNotificationUrl",
        "MachineDetection",
        "MachineDetectionSilenceTimeout",
        "MachineDetectionSpeechEndThreshold",
        "MachineDetectionSpeechThreshold",
        "MachineDetectionTimeout",
        "Record",
        "RecordingChannels",
        "RecordingStatusCallback",
        "RecordingStatusCallbackEvent",
        "RecordingStatusCallbackMethod",
        "RecordingTrack",
        "Region",
        "SipAuthPassword",
        "SipAuthUsername",
        "TimeLimit",
        "Trim",
    ],
    unsupported: &["Byoc", "CallToken", "JitterBufferSize"],
};

/// `POST /Conferences/{Sid or name}/Participants.json`. A conference of a name that is not there begins.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = name(&state, scope, &conference, &uri)?;
    let parameters = Parameters::of_form(&headers, body, CREATE)?;
    // Nobody hears a call ring that is not in the conference yet.
    parameters.only(&[("EarlyMedia", "false")])?;
    let wanted = Wanted::read(&parameters)?;
    let callback = conference_callback(&parameters)?;
    let recording = conference_recordings::wanted(&parameters)?;
    let region = region(&parameters)?;
    let terms = ConferenceTerms { recording, region };
    let document = |_: &Parameters| Ok(Flow::Twiml(wanted.document(&name)));
    let mut call = new_call(&state, scope, &parameters, document)?;
    let detection = machine_detection::of_participant(&parameters)?;
    call.settings.extend(detection);
    call.settings.extend(display_name(&parameters, &call.to)?);
    let sid = call.sid;
    let (rooms, participant) = (&state.rooms, wanted.participant(sid));
    let expected = rooms.expect_participant(scope.account(), name, participant, callback, terms);
    let conference = expected.await.map_err(not_expected)?;
    if let Err(problem) = accept(state.clone(), scope, call).await {
        state.rooms.expects_no_longer(sid);
        return Err(problem);
    }
    let row = own(&state, scope, &conference.to_string(), &uri)?;
    let row = one_of(&state, scope, &row, &sid.to_string(), &uri)?;
    Ok((StatusCode::CREATED, Json(shown(&state, scope, row))))
}

fn not_expected(why: NotExpected) -> Problem {
    match why {
        NotExpected::LabelTaken => {
            let message = "`Label` is that of another participant: give one that nobody in the conference has";
            Problem::bad(16026, message)
        }
        NotExpected::CoachedMissing => nobody_to_coach(),
        NotExpected::Impossible(why) => Problem::bad_parameter(why),
    }
}

/// What the conference is called that the path names by SID or by name.
fn name(state: &ApiState, scope: Scope, conference: &str, uri: &Uri) -> Result<String, Problem> {
    if let Ok(sid) = conference.parse() {
        let name = state.rooms.conference_name(scope.account(), sid);
        return name.ok_or_else(|| Problem::not_found(uri));
    }
    match conference.chars().count() {
        1..=MAX_NAME => Ok(conference.to_owned()),
        _ => Err(Problem::bad_parameter(format!(
            "The name of a conference has at most {MAX_NAME} characters"
        ))),
    }
}

/// How the one who is called is to take part.
struct Wanted {
    label: Option<String>,
    muted: bool,
    start_on_enter: bool,
    end_on_exit: bool,
    coaches: Option<CallSid>,
    /// What the document says besides.
    attributes: Vec<(&'static str, String)>,
}

impl Wanted {
    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let flag = |name: &str, default: bool| {
            let given = flag(parameters, name)?;
            Ok::<bool, Problem>(given.unwrap_or(default))
        };
        Ok(Self {
            label: label(parameters)?,
            muted: flag("Muted", false)?,
            start_on_enter: flag("StartConferenceOnEnter", true)?,
            end_on_exit: flag("EndConferenceOnExit", false)?,
            coaches: coach(parameters)?.flatten(),
            attributes: attributes(parameters)?,
        })
    }

    fn participant(&self, call: CallSid) -> Participant {
        Participant {
            call,
            label: self.label.clone(),
            muted: self.muted,
            held: false,
            coaches: self.coaches,
            start_on_enter: self.start_on_enter,
            end_on_exit: self.end_on_exit,
        }
    }

    /// What the call does when it is answered.
    fn document(&self, name: &str) -> String {
        let mut attributes = vec![
            ("muted", self.muted.to_string()),
            ("startConferenceOnEnter", self.start_on_enter.to_string()),
            ("endConferenceOnExit", self.end_on_exit.to_string()),
        ];
        let label = self.label.as_ref();
        attributes.extend(label.map(|label| ("participantLabel", label.clone())));
        attributes.extend(self.coaches.map(|call| ("coach", call.to_string())));
        attributes.extend(self.attributes.iter().cloned());
        let mut document = "<Response><Dial><Conference".to_owned();
        for (attribute, value) in attributes {
            let _infallible = write!(document, " {attribute}=\"{}\"", escaped(&value));
        }
        let name = escaped(name);
        let _infallible = write!(document, ">{name}</Conference></Dial></Response>");
        document
    }
}

/// What a SIP URI or a device is shown beside the caller's number, as a setting of the call.
fn display_name(parameters: &Parameters, to: &str) -> Result<Option<(String, String)>, Problem> {
    const NAME: &str = "CallerDisplayName";
    let Some(name) = parameters.get(NAME) else {
        return Ok(None);
    };
    if !DISPLAY_NAMES.contains(&name.chars().count()) || name.contains(char::is_control) {
        let message = format!("`{NAME}` must be a line of 2 to 255 characters");
        return Err(Problem::bad_parameter(message));
    }
    if to.parse::<PhoneNumber>().is_ok() {
        let message = format!("`{NAME}` has no effect where `To` is a telephone number");
        return Err(Problem::bad_parameter(message));
    }
    Ok(Some((CALLER_DISPLAY_NAME.to_owned(), name.to_owned())))
}

/// What the conference shows as its region where it begins with this call.
fn region(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let region = parameters.get("Region");
    if region.is_some_and(|region| !REGIONS.contains(&region)) {
        let message = format!("`Region` must be one of: {}", REGIONS.join(", "));
        return Err(Problem::bad_parameter(message));
    }
    Ok(region.map(str::to_owned))
}

fn label(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let label = parameters.get("Label");
    let is_wrong = |label: &str| {
        let has_slash = ["/", "%2F", "%2f"]
            .iter()
            .any(|slash| label.contains(slash));
        label.chars().count() > MAX_NAME || has_slash || label.parse::<CallSid>().is_ok()
    };
    if label.is_some_and(is_wrong) {
        let message = format!(
            "`Label` must have at most {MAX_NAME} characters, no `/`, and be no call's SID"
        );
        return Err(Problem::bad(16024, message));
    }
    Ok(label.map(str::to_owned))
}

/// What a document says that the resource does not show.
fn attributes(parameters: &Parameters) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut attributes = Vec::new();
    match parameters.get("Beep") {
        None => {}
        Some(beep @ ("true" | "false" | "onEnter" | "onExit")) => {
            attributes.push(("beep", beep.to_owned()));
        }
        Some(_) => {
            let message = "`Beep` must be one of: true, false, onEnter, onExit";
            return Err(Problem::bad_parameter(message));
        }
    }
    if let Some(most) = parameters.get("MaxParticipants") {
        let is_right = most
            .parse()
            .is_ok_and(|most: u32| (2..=250).contains(&most));
        if !is_right {
            let message = "`MaxParticipants` must be 2 to 250";
            return Err(Problem::bad_parameter(message));
        }
        attributes.push(("maxParticipants", most.to_owned()));
    }
    let method = method(parameters, "WaitMethod", "WaitUrl")?;
    match parameters.raw("WaitUrl") {
        None => {}
        // Silence, as in a document.
        Some("") => attributes.push(("waitUrl", String::new())),
        Some(url) => {
            check_url("WaitUrl", url)?;
            attributes.push(("waitUrl", url.to_owned()));
            attributes.push(("waitMethod", method.as_str().to_owned()));
        }
    }
    Ok(attributes)
}

/// A text as it stands in XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Who is told of the conference, where it begins with this call. Without events of its beginning and its end, as at Twilio.
fn conference_callback(parameters: &Parameters) -> Result<Option<ConferenceCallback>, Problem> {
    const URL: &str = "ConferenceStatusCallback";
    const EVENT: &str = "ConferenceStatusCallbackEvent";
    let method = method(parameters, "ConferenceStatusCallbackMethod", URL)?;
    let topics: Result<Vec<_>, _> = parameters.all(EVENT).map(topic).collect();
    let mut topics = topics?;
    let Some(url) = parameters.get(URL) else {
        return match topics.is_empty() {
            true => Ok(None),
            false => Err(Problem::bad_parameter(format!(
                "`{EVENT}` has no effect without `{URL}`"
            ))),
        };
    };
    check_url(URL, url)?;
    if topics.is_empty() {
        topics = vec![ConferenceTopic::Start, ConferenceTopic::End];
    }
    let url = url.to_owned();
    let to = StatusCallback { url, method };
    Ok(Some(ConferenceCallback { to, topics }))
}

fn topic(word: &str) -> Result<ConferenceTopic, Problem> {
    let all = ConferenceTopic::ALL;
    let known = all.into_iter().find(|topic| topic.as_str() == word);
    known.ok_or_else(|| {
        let words = all.map(ConferenceTopic::as_str).join(", ");
        Problem::bad_parameter(format!(
            "`ConferenceStatusCallbackEvent` must be some of: {words}"
        ))
    })
}

fn method(parameters: &Parameters, name: &str, of: &str) -> Result<HttpMethod, Problem> {
    if parameters.get(name).is_some() && parameters.get(of).is_none() {
        let message = format!("`{name}` has no effect without `{of}`");
        return Err(Problem::bad_parameter(message));
    }
    parameters.method(name)
}

fn check_url(name: &str, url: &str) -> Result<(), Problem> {
    if is_web(url) {
        return Ok(());
    }
    let message = format!("`{name}` must begin with http:// or https://");
    Err(Problem::bad(21205, message))
}
