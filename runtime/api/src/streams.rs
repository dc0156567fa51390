//! Twilio's `Streams` resource of a call: media streams that an application begins and ends while the call goes on.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::{Extension, Json};
use call::{AccountSid, CallSid, CallStatus, StatusCallback, StreamRequest, StreamTracks};
use serde_json::{Value, json};
use store::{Scope, rfc2822};
use url::Url;

use crate::calls;
use crate::live_streams::{LiveStream, StreamName, StreamRefusal};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::{ApiState, status_callback};

/// With the `Parameter1.Name` and `Parameter1.Value` to `Parameter99` of [`Parameters::of_numbered_form`].
const START: Vocabulary = Vocabulary {
    supported: &[
        "Url",
        "Name",
        "Track",
        "StatusCallback",
        "StatusCallbackMethod",
    ],
    unsupported: &["ConnectorName"],
};

const UPDATE: Vocabulary = Vocabulary {
    supported: &["Status"],
    unsupported: &[],
};

/// `POST /Calls/{Sid}/Streams.json`: a stream of a call that is up, beside what its flow does. At Twilio, too, it answers 200.
pub(crate) async fn start(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let parameters = Parameters::of_numbered_form(&headers, body, START)?;
    let request = request(&parameters)?;
    if call.status != CallStatus::InProgress {
        return Err(not_in_progress());
    }
    let begun = state
        .streams
        .begin_stream(scope.account(), call.sid, request);
    let stream = begun.await.map_err(|refusal| refused(refusal, &uri))?;
    let shown = show(&state, scope.account(), call.sid, &stream, "in-progress");
    Ok(Json(shown))
}

/// `POST /Calls/{Sid}/Streams/{Sid}.json`: ends a stream, which the path calls by its SID or its name.
pub(crate) async fn stop(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Path((_, call, name)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let call = calls::named(&state, scope, &call, &uri)?;
    let parameters = Parameters::of_form(&headers, body, UPDATE)?;
    if parameters.get("Status") != Some("stopped") {
        let message = "`Status` is required: `stopped`";
        return Err(Problem::bad_parameter(message));
    }
    let name = name.strip_suffix(".json").unwrap_or(&name);
    let name = match name.parse() {
        Ok(sid) => StreamName::Sid(sid),
        Err(_) => StreamName::Name(name.to_owned()),
    };
    let stopped = state.streams.stop_stream(scope.account(), call.sid, name);
    let stream = stopped.await.map_err(|refusal| match refusal {
        // Streams do not outlive their call.
        StreamRefusal::NotInProgress => Problem::not_found(&uri),
        refusal => refused(refusal, &uri),
    })?;
    let shown = show(&state, scope.account(), call.sid, &stream, "stopped");
    Ok(Json(shown))
}

/// The properties of Twilio's `Streams` resource.
fn show(
    state: &ApiState,
    account: AccountSid,
    call: CallSid,
    stream: &LiveStream,
    status: &str,
) -> Value {
    let sid = stream.sid;
    json!({
        "sid": sid,
        "account_sid": account,
        "call_sid": call,
        "name": stream.name,
        "status": status,
        "date_updated": rfc2822((state.clock)()),
        "uri": format!("/2010-04-01/Accounts/{account}/Calls/{call}/Streams/{sid}.json"),
    })
}

fn request(parameters: &Parameters) -> Result<StreamRequest, Problem> {
    let url = parameters
        .get("Url")
        .ok_or_else(|| Problem::bad_parameter("`Url` is required"))?;
    if !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "ws" | "wss")) {
        let message = "`Url` must begin with wss:// (or ws:// where granted)";
        return Err(Problem::bad(31922, message));
    }
    let tracks = match parameters.get("Track") {
        None | Some("inbound_track") => StreamTracks::Inbound,
        Some("outbound_track") => StreamTracks::Outbound,
        Some("both_tracks") => StreamTracks::Both,
        Some(_) => {
            let message = "`Track` must be one of: inbound_track, outbound_track, both_tracks";
            return Err(Problem::bad_parameter(message));
        }
    };
    let callback = status_callback::read(parameters)?;
    Ok(StreamRequest {
        url: url.to_owned(),
        tracks,
        both_ways: false,
        parameters: parameters.numbered()?,
        name: parameters.get("Name").map(str::to_owned),
        status_callback: callback.map(|callback| -> StatusCallback { callback.to }),
    })
}

fn not_in_progress() -> Problem {
    Problem::call_state("Invalid call state: a stream needs a call that is in-progress")
}

fn refused(refusal: StreamRefusal, uri: &Uri) -> Problem {
    match refusal {
        StreamRefusal::NotInProgress => not_in_progress(),
        StreamRefusal::Unknown => Problem::not_found(uri),
        StreamRefusal::Refused(why) => Problem::bad_parameter(why),
    }
}
