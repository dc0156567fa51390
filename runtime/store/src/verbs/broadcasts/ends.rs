//! What the end of a call means to the broadcast that it was made for.

use call::{CallRecord, CallStatus, Direction};

use super::{move_to, reached, recipient, written};
use crate::broadcast::{RECALLED, REFUSED_BY_POLICY, outcome};
use crate::rows::Rows;
use crate::{AttemptOutcome, CallRow, EXPIRED, RecipientAttempt, RecipientState, StoreError};

/// How long somebody waits whose call was refused before it was dialled, in milliseconds.
const AFTER_REFUSAL_MS: u64 = 60_000;

/// A call is over: if it was one of a broadcast's, its recipient hears of it.
pub(in crate::verbs) fn note_end(
    rows: &mut dyn Rows,
    call: &CallRow,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let (Direction::OutboundApi, Some(record)) = (call.direction, &call.record) else {
        return Ok(());
    };
    let Some((sid, number)) = rows.recipient_of_call(call.sid)? else {
        return Ok(());
    };
    let missing = || StoreError::Corrupt(format!("{} is made for nobody", call.sid));
    let mut row = rows.broadcast(sid)?.ok_or_else(missing)?;
    // Its account was deleted: nobody can open its recipients any more.
    if rows.directory().account(row.account).is_none() {
        return Ok(());
    }
    let mut recipient = recipient(rows, &row, &number)?.ok_or_else(missing)?;
    if let Some(due_unix_ms) = due_again(call, record, at_unix_ms) {
        let waiting = RecipientState::Waiting { due_unix_ms };
        move_to(rows, &mut row, recipient, waiting)?;
        return written(rows, row, at_unix_ms).map(drop);
    }
    let outcome = outcome(&row.rules, record);
    *row.counts.outcomes.entry(outcome).or_default() += 1;
    row.by_operator.called(&rows.directory(), &number, outcome);
    recipient
        .attempts
        .push(attempt(call, record, outcome, at_unix_ms));
    let state = match outcome {
        AttemptOutcome::Reached => RecipientState::Reached,
        _ => RecipientState::Judged,
    };
    if state == RecipientState::Reached {
        reached::tell(rows, &row, &recipient, call, at_unix_ms)?;
    }
    move_to(rows, &mut row, recipient, state)?;
    written(rows, row, at_unix_ms).map(drop)
}

/// When somebody is called again whose call was over before anybody was called; none where it was an attempt.
fn due_again(call: &CallRow, record: &CallRecord, at_unix_ms: u64) -> Option<u64> {
    let host_reason = record.host_reason();
    // A pause or a stop took it back, though a trunk may have had no room for it. What somebody cancelled is an attempt, though it was
    // not made.
    if host_reason == Some(RECALLED) {
        return Some(0);
    }
    // The dialler refused it, such as for an account that is closed or a trunk that is gone: whoever feeds says why.
    let is_refused = call.leg.is_none() && record.status == CallStatus::Failed;
    let is_last_word =
        host_reason.is_some_and(|why| why == EXPIRED || why.starts_with(REFUSED_BY_POLICY));
    (is_refused && !is_last_word).then_some(at_unix_ms + AFTER_REFUSAL_MS)
}

fn attempt(
    call: &CallRow,
    record: &CallRecord,
    outcome: AttemptOutcome,
    at_unix_ms: u64,
) -> RecipientAttempt {
    RecipientAttempt {
        call: call.sid,
        started_unix_ms: call.started_unix_ms.unwrap_or(call.created_unix_ms),
        // A process that died cannot say when: the gap begins when the next one looks.
        ended_unix_ms: at_unix_ms,
        trunk: call.leg.as_ref().map(|leg| leg.trunk.clone()),
        outcome,
        record: CallRecord {
            quality: None,
            ..record.clone()
        },
    }
}
