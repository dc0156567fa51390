//! Twilio's `Participants` resource: who is in a conference.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::{
    CallSid, CallStatus, ConferenceInput, OrderedSound, ParticipantChange, StatusCallback,
    WaitSound,
};
use serde_json::Value;
use store::{ConferenceRow, ParticipantFilter, ParticipantRow, Scope};

use crate::conference_resource::show_participant;
use crate::conferences::{announcement, json_name, own};
use crate::page::{ListPage, PageRequest};
use crate::parameters::{Parameters, Vocabulary, is_web};
use crate::problem::Problem;
use crate::{ApiState, End, EndError};

/// As many as can be in one conference.
const ALL: usize = 250;

const LIST: Vocabulary = Vocabulary {
    supported: &["Muted", "Hold", "Coaching", "PageSize", "Page", "PageToken"],
    unsupported: &[],
};

const UPDATE: Vocabulary = Vocabulary {
    supported: &[
        "Muted",
        "Hold",
        "HoldUrl",
        "HoldMethod",
        "EndConferenceOnExit",
        "BeepOnExit",
        "Coaching",
        "CallSidToCoach",
        "WaitUrl",
        "WaitMethod",
        "AnnounceUrl",
        "AnnounceMethod",
    ],
    unsupported: &[],
};

/// `GET /Conferences/{Sid}/Participants.json`: who is in it now.
pub(crate) async fn list(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<ListPage>, Problem> {
    let conference = own(&state, scope, &conference, &uri)?;
    let parameters = Parameters::of_query(uri.query(), LIST)?;
    let request = PageRequest::<CallSid>::read(&parameters)?;
    let filter = ParticipantFilter {
        muted: flag(&parameters, "Muted")?,
        held: flag(&parameters, "Hold")?,
        coaching: flag(&parameters, "Coaching")?,
    };
    let store = &state.store;
    let page = store.participants(scope, conference.sid, filter, request.from, request.size)?;
    let filters = parameters.given(["Muted", "Hold", "Coaching"]);
    let path = uri.path();
    let shown = |row| shown(&state, scope, row);
    Ok(Json(request.answer(
        "participants",
        path,
        &filters,
        page,
        shown,
    )))
}

/// `GET /Conferences/{Sid}/Participants/{CallSid or label}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, participant)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let conference = own(&state, scope, &conference, &uri)?;
    let row = one_of(&state, scope, &conference, &participant, &uri)?;
    Ok(Json(shown(&state, scope, row)))
}

/// `POST /Conferences/{Sid}/Participants/{CallSid or label}.json`.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, participant)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let conference = own(&state, scope, &conference, &uri)?;
    let row = one_of(&state, scope, &conference, &participant, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let (change, announcement) = (change(&parameters)?, announcement(&parameters)?);
    if let Some(coached) = change.coach.flatten() {
        check_coached(&state, scope, &conference, coached)?;
    }
    let call = row.participant.call;
    let orders = [
        (change != ParticipantChange::default()).then_some(ConferenceInput::Change(call, change)),
        announcement.map(|source| ConferenceInput::Announce(Some(call), source)),
    ];
    if orders.iter().all(Option::is_none) {
        let message = format!("One of these is required: {}", UPDATE.supported.join(", "));
        return Err(Problem::bad_parameter(message));
    }
    let (rooms, account) = (&state.rooms, scope.account());
    for order in orders.into_iter().flatten() {
        if !rooms.order_conference(account, conference.sid, order).await {
            return Err(Problem::not_found(&uri));
        }
    }
    let row = one_of(&state, scope, &conference, &participant, &uri)?;
    Ok(Json(shown(&state, scope, row)))
}

/// `DELETE /Conferences/{Sid}/Participants/{CallSid or label}.json`: out of the conference. The call goes on with what its
/// document says next; one that is being called for the conference ends.
pub(crate) async fn kick(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, conference, participant)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    let conference = own(&state, scope, &conference, &uri)?;
    let row = one_of(&state, scope, &conference, &participant, &uri)?;
    let (rooms, account) = (&state.rooms, scope.account());
    if !row.is_connected {
        let ended = state.live.end(account, row.participant.call, End::Complete);
        // One that has ended meanwhile is not in it either.
        return match ended.await {
            Ok(()) | Err(EndError::WrongState) => Ok(StatusCode::NO_CONTENT),
            Err(EndError::Store(error)) => Err(error.into()),
        };
    }
    let order = ConferenceInput::Kick(row.participant.call);
    match rooms.order_conference(account, conference.sid, order).await {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(&uri)),
    }
}

/// A participant with the status of its call.
pub(crate) fn shown(state: &ApiState, scope: Scope, row: ParticipantRow) -> Value {
    let call = state.store.call(scope, row.participant.call).ok().flatten();
    let status = match call {
        _ if row.is_connected => "connected",
        None => "connecting",
        Some(call) => match call.status {
            CallStatus::Queued if call.leg.is_none() => "queued",
            CallStatus::Queued | CallStatus::InProgress => "connecting",
            CallStatus::Ringing => "ringing",
            CallStatus::Completed => "complete",
            CallStatus::Busy | CallStatus::NoAnswer | CallStatus::Canceled | CallStatus::Failed => {
                "failed"
            }
        },
    };
    show_participant(row, status)
}

/// Who is in this conference by this SID or label.
pub(crate) fn one_of(
    state: &ApiState,
    scope: Scope,
    conference: &ConferenceRow,
    name: &str,
    uri: &Uri,
) -> Result<ParticipantRow, Problem> {
    let name = json_name(name);
    let sid = name.parse::<CallSid>().ok();
    let all = state.store.participants(
        scope,
        conference.sid,
        ParticipantFilter::default(),
        None,
        ALL,
    )?;
    let is_meant = |row: &ParticipantRow| match sid {
        Some(sid) => row.participant.call == sid,
        None => row.participant.label.as_deref() == Some(name),
    };
    let found = all.rows.into_iter().find(is_meant);
    found.ok_or_else(|| Problem::not_found(uri))
}

/// What is to be different. An empty `WaitUrl` is silence.
fn change(parameters: &Parameters) -> Result<ParticipantChange, Problem> {
    let hold_url = sound(parameters, "HoldUrl", "HoldMethod")?;
    let hold = match (flag(parameters, "Hold")?, hold_url) {
        (Some(true), Some(sound)) => Some(Some(sound)),
        (Some(true), None) => Some(Some(OrderedSound::Sound(WaitSound::Music))),
        (_, Some(_)) => {
            let message = "`HoldUrl` has no effect without `Hold=true`";
            return Err(Problem::bad_parameter(message));
        }
        (Some(false), None) => Some(None),
        (None, None) => None,
    };
    let wait_sound = match sound(parameters, "WaitUrl", "WaitMethod")? {
        None if parameters.raw("WaitUrl").is_some() => {
            Some(OrderedSound::Sound(WaitSound::Silence))
        }
        sound => sound,
    };
    let change = ParticipantChange {
        muted: flag(parameters, "Muted")?,
        hold,
        wait_sound,
        end_on_exit: flag(parameters, "EndConferenceOnExit")?,
        beep_on_exit: flag(parameters, "BeepOnExit")?,
        coach: coach(parameters)?,
    };
    Ok(change)
}

/// Refuses to have somebody coached who is not in the conference.
fn check_coached(
    state: &ApiState,
    scope: Scope,
    conference: &ConferenceRow,
    coached: CallSid,
) -> Result<(), Problem> {
    let filter = ParticipantFilter::default();
    let all = state
        .store
        .participants(scope, conference.sid, filter, None, ALL)?;
    let is_there = |row: &ParticipantRow| row.is_connected && row.participant.call == coached;
    match all.rows.iter().any(is_there) {
        true => Ok(()),
        false => Err(nobody_to_coach()),
    }
}

pub(crate) fn nobody_to_coach() -> Problem {
    let message = "`CallSidToCoach` is not in the conference: wait until that call has joined it";
    Problem::bad(16028, message)
}

pub(crate) fn coach(parameters: &Parameters) -> Result<Option<Option<CallSid>>, Problem> {
    let coached = parameters.get("CallSidToCoach").map(str::parse::<CallSid>);
    let coached = coached
        .transpose()
        .map_err(|error| Problem::bad_parameter(format!("`CallSidToCoach`: {error}")))?;
    match (flag(parameters, "Coaching")?, coached) {
        (Some(false), None) => Ok(Some(None)),
        (Some(true), None) => {
            let message = "`CallSidToCoach` is required where `Coaching` is true";
            Err(Problem::bad_parameter(message))
        }
        (Some(false), Some(_)) => {
            let message = "`CallSidToCoach` has no effect where `Coaching` is false";
            Err(Problem::bad_parameter(message))
        }
        (_, Some(coached)) => Ok(Some(Some(coached))),
        (None, None) => Ok(None),
    }
}

/// What is to be heard over and over: a sound, or what a document says.
fn sound(
    parameters: &Parameters,
    url_name: &str,
    method_name: &str,
) -> Result<Option<OrderedSound>, Problem> {
    let method = parameters.method(method_name)?;
    let Some(url) = parameters.get(url_name) else {
        return match parameters.get(method_name) {
            Some(_) => Err(Problem::bad_parameter(format!(
                "`{method_name}` has no effect without `{url_name}`"
            ))),
            None => Ok(None),
        };
    };
    if !is_web(url) {
        let message = format!("`{url_name}` must begin with http:// or https://");
        return Err(Problem::bad(21205, message));
    }
    let url = url.to_owned();
    Ok(Some(OrderedSound::at(StatusCallback { url, method })))
}

pub(crate) fn flag(parameters: &Parameters, name: &str) -> Result<Option<bool>, Problem> {
    let given = parameters.get(name).map(str::to_ascii_lowercase);
    match given.as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Problem::bad_parameter(format!(
            "`{name}` must be `true` or `false`"
        ))),
    }
}
