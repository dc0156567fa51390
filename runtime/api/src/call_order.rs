//! What the order for a call says besides whom to call, and what may be changed of it.

use call::{RecordingSource, StatusCallback};
use store::{CallChange, CallOrders, Outbound, PhoneNumber};

use crate::destination::normalise;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::{queue_terms, recording_order, status_callback};

/// Seconds that a call may be told to last: a day.
const TIME_LIMITS_S: std::ops::RangeInclusive<u32> = 1..=86_400;
/// Characters of a `CallReason`.
const MAX_REASON: usize = 64;

/// What `POST Calls` orders for an account with these limits.
pub(crate) fn orders(
    parameters: &Parameters,
    outbound: &Outbound,
    now_unix_ms: u64,
) -> Result<CallOrders, Problem> {
    Ok(CallOrders {
        time_limit_s: time_limit(parameters)?,
        recording: match is_recorded(parameters)? {
            true => Some(recording_order::start(
                parameters,
                RecordingSource::OutboundApi,
            )?),
            false => None,
        },
        caller_id: caller_id(parameters)?,
        reason: reason(parameters)?,
        queue: queue_terms::read(parameters, outbound, now_unix_ms)?,
        credentials: None, // sealed for the call, once it has a SID
    })
}

/// What `POST Calls/{Sid}` changes; none where it names nothing of it.
pub(crate) fn change(parameters: &Parameters) -> Result<Option<CallChange>, Problem> {
    let callback = status_callback::read(parameters)?;
    let change = CallChange {
        time_limit_s: time_limit(parameters)?,
        callback: callback.map(|callback| -> StatusCallback { callback.to }),
    };
    Ok((change != CallChange::default()).then_some(change))
}

fn time_limit(parameters: &Parameters) -> Result<Option<u32>, Problem> {
    let Some(text) = parameters.get("TimeLimit") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if TIME_LIMITS_S.contains(&seconds) => Ok(Some(seconds)),
        _ => Err(Problem::bad_parameter(
            "`TimeLimit` must be 1 to 86400 seconds",
        )),
    }
}

/// Parameters of a recording without one would have no effect.
fn is_recorded(parameters: &Parameters) -> Result<bool, Problem> {
    match parameters.get("Record") {
        Some("true") => Ok(true),
        None | Some("false") => {
            let mut names = recording_order::NAMES.into_iter();
            match names.find(|name| parameters.get(name).is_some()) {
                Some(name) => Err(Problem::bad_parameter(format!(
                    "`{name}` has no effect without `Record=true`"
                ))),
                None => Ok(false),
            }
        }
        Some(_) => Err(Problem::bad_parameter("`Record` must be `true` or `false`")),
    }
}

fn caller_id(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let Some(number) = parameters.get("CallerId").map(normalise) else {
        return Ok(None);
    };
    match number.parse::<PhoneNumber>() {
        Ok(_) => Ok(Some(number)),
        Err(_) => Err(Problem::bad(
            21210,
            format!("`CallerId` {number:?} is not a telephone number"),
        )),
    }
}

fn reason(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let Some(reason) = parameters.get("CallReason") else {
        return Ok(None);
    };
    if reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
        let message = format!("`CallReason` must be a line of at most {MAX_REASON} characters");
        return Err(Problem::bad_parameter(message));
    }
    Ok(Some(reason.to_owned()))
}
