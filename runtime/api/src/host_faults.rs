//! What went wrong in a call outside its stories, and is in no journal: how the call ended tells it.

use call::{Direction, LIMIT_REACHED, NOT_CONFIRMED, NOT_HEARD};
use store::CallRow;

use crate::told::Fault;

/// Twilio's code of a call that was not let in for want of a password.
const BAD_CREDENTIALS: u32 = 32_202;

/// Each reason for an end that has a code, with what is to be said of it.
const ENDS: [(&str, u32, &str); 3] = [
    (
        NOT_HEARD,
        32_014,
        "no audio: neither RTP nor RTCP came from the other side any more",
    ),
    (
        LIMIT_REACHED,
        32_015,
        "the call was up for as long as it may be: by its own limit, or by the server's `limits.max_duration_s`",
    ),
    (
        NOT_CONFIRMED,
        32_022,
        "the other side never confirmed that it heard of the answer (no ACK)",
    ),
];

/// The fault that the call ended with, if it did.
pub(crate) fn of(row: &CallRow) -> Option<Fault> {
    let record = row.record.as_ref()?;
    // Of a call that was refused it says what the far end did, in whatever words.
    let is_refused = record.sip_status.is_some_and(|status| status >= 300);
    let mut ends = ENDS.iter();
    let known = ends.find(|(end, ..)| !is_refused && record.end_reason == *end);
    let message = match known {
        Some((_, code, words)) => format!("{code} {words}"),
        None => refused_credentials(row)?,
    };
    Some(Fault {
        at_unix_ms: row.ended_unix_ms.unwrap_or(row.updated_unix_ms),
        is_error: true,
        message,
    })
}

/// The far end of a call that we dialled wanted a user name and a password, and took none. Such a call has no story, and so no journal.
fn refused_credentials(row: &CallRow) -> Option<String> {
    let status = row.record.as_ref()?.sip_status?;
    let is_refused = matches!(status, 401 | 407) && row.answered_unix_ms.is_none();
    (is_refused && row.direction != Direction::Inbound).then(|| {
        format!(
            "{BAD_CREDENTIALS} SIP: Bad user credentials: the far end answered {status}: give those that it knows as `SipAuthUsername` and `SipAuthPassword`, as `username` and `password` of <Sip>, or as the trunk's `credentials`"
        )
    })
}
