//! When, and before whom, a new call is dialled: parameters of `POST Calls` that Twilio has not.

use jiff::Timestamp;
use store::{Outbound, Priority, QueueTerms};

use crate::parameters::Parameters;
use crate::problem::Problem;

/// How far ahead a call may be ordered: a year and a day, in milliseconds.
const HORIZON_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// What the parameters ask for; what they leave out is as the account has it. `now_unix_ms` is when the call is accepted.
pub(crate) fn read(
    parameters: &Parameters,
    outbound: &Outbound,
    now_unix_ms: u64,
) -> Result<QueueTerms, Problem> {
    let usual = outbound.queue.terms(now_unix_ms);
    let terms = QueueTerms {
        priority: priority(parameters, outbound)?.unwrap_or(usual.priority),
        not_before_unix_ms: time(parameters, "NotBefore", now_unix_ms)?,
        expires_unix_ms: match time(parameters, "ExpiresAt", now_unix_ms)? {
            Some(end) if end <= now_unix_ms => {
                return Err(Problem::bad_parameter("`ExpiresAt` has passed already"));
            }
            Some(end) => Some(end),
            None => usual.expires_unix_ms,
        },
        window: match parameters.get("Window") {
            Some(hours) => Some(
                hours
                    .parse()
                    .map_err(|error| Problem::bad_parameter(format!("`Window`: {error}")))?,
            ),
            None => usual.window,
        },
    };
    if terms.is_expired(terms.first_time(now_unix_ms)) {
        let message = "The call could never be dialled: `ExpiresAt`, or what the account has for it, comes before `NotBefore` and the hours of \
             `Window`";
        return Err(Problem::bad_parameter(message));
    }
    Ok(terms)
}

fn priority(parameters: &Parameters, outbound: &Outbound) -> Result<Option<Priority>, Problem> {
    let Some(text) = parameters.get("Priority") else {
        return Ok(None);
    };
    let asked: Priority = text
        .parse()
        .map_err(|error| Problem::bad_parameter(format!("`Priority` {text:?}: {error}")))?;
    let highest = outbound.queue.highest_priority;
    if asked < highest {
        return Err(Problem::bad_parameter(format!(
            "`Priority` may be at most `{highest}` for this account: the operator sets its `outbound.highest_priority`"
        )));
    }
    Ok(Some(asked))
}

/// A time as RFC 3339 writes it, no more than a year ahead.
fn time(parameters: &Parameters, name: &str, now_unix_ms: u64) -> Result<Option<u64>, Problem> {
    let Some(text) = parameters.get(name) else {
        return Ok(None);
    };
    let wrong = |what| Problem::bad_parameter(format!("`{name}` {what}"));
    let at: Timestamp = text.parse().map_err(|_| {
        wrong("must be a time with its offset, such as 2026-11-23T09:00:00+07:00 or 2026-11-23T02:00:00Z")
    })?;
    let at = u64::try_from(at.as_millisecond()).map_err(|_| wrong("is before 1970"))?;
    match at > now_unix_ms + HORIZON_MS {
        true => Err(wrong("is more than a year away")),
        false => Ok(Some(at)),
    }
}
