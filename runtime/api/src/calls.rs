//! Twilio's `Calls` resource.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use call::{CallStatus, Direction};
use store::{
    CallCallback, CallChange, CallRow, Flow, NewCall, PhoneNumber, ProgressEvent, Scope,
    StoreError, random_call_sid,
};

use crate::call_flow::{fallback, flow, ignored_twiml, of_application};
use crate::call_resource::CallResource;
use crate::client_notification;
use crate::destination::normalise;
use crate::machine_detection;
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::status_callback;
use crate::{ApiState, End, EndError, call_order, sip_login};

/// Keys that `SendDigits` may have.
const MAX_SEND_DIGITS: usize = 32;
/// Seconds that a call may ring.
const RING_TIMEOUTS_S: std::ops::RangeInclusive<u32> = 1..=600;

const CREATE: Vocabulary = Vocabulary {
    supported: &[
        "To",
        "From",
        "Url",
        "Twiml",
        "ApplicationSid",
        "Method",
        "FallbackUrl",
        "FallbackMethod",
        "SendDigits",
        "Timeout",
        "StatusCallback",
        "StatusCallbackEvent",
        "StatusCallbackMethod",
        "MachineDetection",
        "MachineDetectionTimeout",
        "MachineDetectionSpeechThreshold",
        "MachineDetectionSpeechEndThreshold",
        "MachineDetectionSilenceTimeout",
        "AsyncAmd",
        "AsyncAmdStatusCallback",
        "AsyncAmdStatusCallbackMethod",
        "CallReason",
        "CallerId",
        "ClientNotificationUrl",
        "Record",
        "RecordingChannels",
        "RecordingStatusCallback",
        "RecordingStatusCallbackEvent",
        "RecordingStatusCallbackMethod",
        "RecordingTrack",
        "SipAuthPassword",
        "SipAuthUsername",
        "TimeLimit",
        "Trim",
        // Not at Twilio.
        "Priority",
        "NotBefore",
        "ExpiresAt",
        "Window",
    ],
    unsupported: &["Byoc", "CallToken", "RecordingConfigurationId"],
};

const UPDATE: Vocabulary = Vocabulary {
    supported: &[
        "Status",
        "Url",
        "Twiml",
        "Method",
        "FallbackUrl",
        "FallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "TimeLimit",
    ],
    unsupported: &[],
};

/// `POST /Calls.json`: a new outbound call. It is on disk before the 201.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<CallResource>), Problem> {
    let parameters = Parameters::of_form(&headers, body, CREATE)?;
    let call = new_call(&state, scope, &parameters, flow)?;
    let directory = state.store.directory();
    let row = accept(state, scope, call).await?;
    let shown = CallResource::of(row, &directory);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Keeps a new call and has it dialled.
pub(crate) async fn accept(
    state: ApiState,
    scope: Scope,
    call: NewCall,
) -> Result<CallRow, Problem> {
    let place = state.live.take_place(scope.account());
    let place = place.ok_or_else(Problem::too_many)?;
    let is_announced = call.notification.is_some();
    // On a task of its own: a client that goes away must not leave a call on disk that nobody dials.
    let accept = tokio::spawn(async move {
        let row = state.store.accept_call(scope, call).await?;
        state.live.accepted(&row);
        drop(place);
        if is_announced {
            state.live.callbacks_wait();
        }
        Ok::<CallRow, Problem>(row)
    });
    accept.await.expect("accepting a call does not panic")
}

/// What the parameters ask for, if the account may have it; `flow` reads what it does when it is answered. Missing parameters come before wrong ones.
pub(crate) fn new_call(
    state: &ApiState,
    scope: Scope,
    parameters: &Parameters,
    flow: impl FnOnce(&Parameters) -> Result<Flow, Problem>,
) -> Result<NewCall, Problem> {
    let to = parameters
        .get("To")
        .ok_or_else(|| Problem::bad(21201, "`To` is required"))?;
    let from = parameters
        .get("From")
        .ok_or_else(|| Problem::bad(21213, "`From` is required"))?;
    let answer = match parameters.get("ApplicationSid") {
        Some(sid) => Some(of_application(state, scope, sid, parameters)?),
        None => None,
    };
    let flow = match &answer {
        Some(answer) => answer.flow.clone(),
        None => flow(parameters)?,
    };
    let ring_timeout_s = ring_timeout(parameters)?;
    let mut settings = machine_detection::settings(parameters)?;
    settings.extend(fallback(parameters)?);
    settings.extend(ignored_twiml(parameters));
    let told = answer
        .as_ref()
        .and_then(|answer| answer.status_callback.clone());
    settings.extend(answer.map(|answer| answer.settings).unwrap_or_default());
    settings.extend(send_digits(parameters)?);
    // What the request says of its own goes before what the application says.
    let callback = status_callback::read(parameters)?.or_else(|| {
        Some(CallCallback {
            to: told?,
            on: vec![ProgressEvent::Completed],
        })
    });
    let directory = state.store.directory();
    let account = directory.account(scope.account());
    let outbound = account.map(|account| account.outbound.clone());
    let now = (state.clock)();
    let mut orders = call_order::orders(parameters, &outbound.unwrap_or_default(), now)?;
    let (to, from) = (normalise(to), normalise(from));
    let notification = client_notification::read(parameters, &to)?;
    let sid = random_call_sid();
    let login = sip_login::read(parameters, &to)?;
    orders.credentials = account
        .zip(login)
        .map(|(account, login)| account.seal_credentials(sid, login.username, &login.password));
    if from.parse::<PhoneNumber>().is_err() {
        let message = format!("`From` {from:?} is not a telephone number");
        return Err(Problem::bad(21212, message));
    }
    dial::permit(&directory, scope.account(), &from, &to)?;
    if let Some(shown) = &orders.caller_id {
        dial::permit(&directory, scope.account(), shown, &to)?;
    }
    Ok(NewCall {
        sid,
        from,
        to,
        direction: Direction::OutboundApi,
        parent: None,
        flow,
        ring_timeout_s,
        settings,
        callback,
        notification,
        orders,
        created_unix_ms: now,
    })
}

/// Keys that are pressed when the call is answered.
fn send_digits(parameters: &Parameters) -> Result<Option<(String, String)>, Problem> {
    let Some(keys) = parameters.get("SendDigits") else {
        return Ok(None);
    };
    let are_keys = keys.chars().all(|key| "0123456789*#wW".contains(key));
    if are_keys && keys.len() <= MAX_SEND_DIGITS {
        return Ok(Some(("send-digits".to_owned(), keys.to_owned())));
    }
    let message =
        format!("`SendDigits` must be at most {MAX_SEND_DIGITS} of `0-9`, `*`, `#`, `w` and `W`");
    Err(Problem::bad(21206, message))
}

fn ring_timeout(parameters: &Parameters) -> Result<Option<u32>, Problem> {
    let Some(text) = parameters.get("Timeout") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if RING_TIMEOUTS_S.contains(&seconds) => Ok(Some(seconds)),
        _ => Err(Problem::bad(21208, "`Timeout` must be 1 to 600 seconds")),
    }
}

/// `GET /Calls/{Sid}.json`.
pub(crate) async fn fetch(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<CallResource>, Problem> {
    let row = existing(&state, scope, &uri)?;
    Ok(Json(CallResource::of(row, &state.store.directory())))
}

/// `POST /Calls/{Sid}.json`: ends a call, or gives it other documents. A refusal leaves the call as it is: all is judged before
/// anything is done.
pub(crate) async fn update(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CallResource>, Problem> {
    let row = existing(&state, scope, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    let change = call_order::change(&parameters)?;
    let turn = Turn::read(&parameters, change.is_some())?;
    turn.permit(&row)?;
    if let Some(change) = change {
        alter(&state, scope, &row, change).await?;
    }
    match turn {
        Turn::None => {}
        Turn::End(how) => match state.live.end(scope.account(), row.sid, how).await {
            Ok(()) => {}
            Err(EndError::WrongState) => return Err(wrong_state(&existing(&state, scope, &uri)?)),
            Err(EndError::Store(error)) => return Err(error.into()),
        },
        Turn::Redirect(flow, settings) => {
            let (live, account) = (&state.live, scope.account());
            if !live.redirect(account, row.sid, flow, settings) {
                return Err(not_redirected(&row));
            }
        }
    }
    fetch(State(state), Extension(scope), uri).await
}

/// Another server is told of the call, or it may last for another time.
async fn alter(
    state: &ApiState,
    scope: Scope,
    row: &CallRow,
    change: CallChange,
) -> Result<(), Problem> {
    let longest = change.time_limit_s;
    let changed = state
        .store
        .change_call(scope, row.sid, change, (state.clock)());
    match changed.await {
        Ok(_) => {}
        Err(StoreError::CallOver(_)) => return Err(wrong_state(row)),
        Err(error) => return Err(error.into()),
    }
    if let Some(seconds) = longest {
        let longest = Duration::from_secs(seconds.into());
        state.live.limit(scope.account(), row.sid, longest);
    }
    Ok(())
}

/// Where the call goes with its update.
enum Turn {
    /// Nowhere: it goes on as it does.
    None,
    End(End),
    /// To other documents, with these settings. What runs is broken off; who was dialled is let go, and leaves whoever dialled it where
    /// it is this call.
    Redirect(Flow, BTreeMap<String, String>),
}

impl Turn {
    /// What the parameters ask for; `is_changed` says whether they ask for something else besides.
    fn read(parameters: &Parameters, is_changed: bool) -> Result<Self, Problem> {
        let given = |name: &&str| parameters.get(name).is_some();
        let document = ["Url", "Twiml"].into_iter().find(given);
        let idle = ["Method", "FallbackUrl", "FallbackMethod"];
        match (parameters.get("Status"), document) {
            (None, Some(_)) => {
                let flow = flow(parameters)?;
                let settings = fallback(parameters)?.into_iter();
                let settings = settings.chain(ignored_twiml(parameters)).collect();
                Ok(Self::Redirect(flow, settings))
            }
            (Some(_), Some(name)) => Err(Problem::bad_parameter(format!(
                "`{name}` has no effect on a call that `Status` ends"
            ))),
            (status, None) => match (idle.into_iter().find(given), status) {
                (Some(name), _) => Err(Problem::bad_parameter(format!(
                    "`{name}` has no effect without `Url` or `Twiml`"
                ))),
                (None, Some("completed")) => Ok(Self::End(End::Complete)),
                (None, Some("canceled")) => Ok(Self::End(End::Cancel)),
                (None, None) if is_changed => Ok(Self::None),
                (None, _) => {
                    let message = "`Status` (`canceled` or `completed`), `Url`, `Twiml`, `StatusCallback` or `TimeLimit` is required";
                    Err(Problem::bad_parameter(message))
                }
            },
        }
    }

    /// Whether the call is so far that it can go there.
    fn permit(&self, row: &CallRow) -> Result<(), Problem> {
        let is_over = row.status.is_final();
        let is_up = row.status == CallStatus::InProgress;
        match self {
            Self::Redirect(..) if !is_up => Err(not_redirected(row)),
            Self::End(End::Cancel) if is_over || is_up => Err(wrong_state(row)),
            Self::None | Self::End(End::Complete) if is_over => Err(wrong_state(row)),
            _ => Ok(()),
        }
    }
}

/// Other documents are for a call that is up.
fn not_redirected(row: &CallRow) -> Problem {
    Problem::call_state(format!(
        "Invalid call state: the call is {}, not in-progress",
        row.status
    ))
}

fn wrong_state(row: &CallRow) -> Problem {
    Problem::call_state(format!("Invalid call state: the call is {}", row.status))
}

/// The account's call that the path names: `…/Calls/{Sid}.json`.
pub(crate) fn existing(state: &ApiState, scope: Scope, uri: &Uri) -> Result<CallRow, Problem> {
    let segment = uri
        .path()
        .rsplit('/')
        .next()
        .and_then(|last| last.strip_suffix(".json"));
    let sid = segment.and_then(|text| text.parse().ok());
    let row = sid
        .map(|sid| state.store.call(scope, sid))
        .transpose()?
        .flatten();
    row.ok_or_else(|| Problem::not_found(uri))
}

/// The account's call of a route below `…/Calls/{Sid}/`.
pub(crate) fn named(
    state: &ApiState,
    scope: Scope,
    sid: &str,
    uri: &Uri,
) -> Result<CallRow, Problem> {
    let sid = sid.parse().map_err(|_| Problem::not_found(uri))?;
    let row = state.store.call(scope, sid)?;
    row.ok_or_else(|| Problem::not_found(uri))
}
