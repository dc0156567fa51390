//! What is put into the outbox, and taken out.

use call::{CallSid, CallStatus};

use crate::callback_row::CallbackState;
use crate::rows::Rows;
use crate::seal::random_bytes;
use crate::{
    CallCallback, CallEvent, CallEventKind, CallRow, CallbackOutcome, CallbackRow, ProgressEvent,
    Scope, StoreError,
};

/// Keeps who is told of a new call.
pub(super) fn begin(
    rows: &mut dyn Rows,
    call: CallSid,
    callback: Option<CallCallback>,
) -> Result<(), StoreError> {
    match callback {
        Some(callback) => rows.put_callback_state(call, &CallbackState { callback, told: 0 }),
        None => Ok(()),
    }
}

/// Puts an event of a call into the outbox where its account's server is to be told of it. A call that is cancelled before it left the queue
/// tells nobody.
pub(super) fn note(
    rows: &mut dyn Rows,
    row: &CallRow,
    event: &CallEvent,
) -> Result<(), StoreError> {
    let Some(turn) = ProgressEvent::of(&event.kind) else {
        return Ok(());
    };
    let Some(mut state) = rows.callback_state(row.sid)? else {
        return Ok(());
    };
    let is_told = row.leg.is_some() || row.status != CallStatus::Canceled;
    if is_told && state.callback.on.contains(&turn) {
        let id = rows.next_callback()?;
        rows.put_callback(&CallbackRow {
            id,
            account: row.account,
            call: row.sid,
            event: turn,
            sequence: state.told,
            to: state.callback.to.clone(),
            token: random_bytes(),
            created_unix_ms: event.at_unix_ms,
            attempts: 0,
            due_unix_ms: Some(event.at_unix_ms),
            error: None,
        })?;
        state.told += 1;
    }
    match event.kind {
        CallEventKind::Ended(_) => rows.remove_callback_state(row.sid),
        _ => rows.put_callback_state(row.sid, &state),
    }
}

pub(crate) fn settle_callback(
    rows: &mut dyn Rows,
    id: u64,
    outcome: CallbackOutcome,
) -> Result<(), StoreError> {
    let Some(row) = rows.callback(id)? else {
        return Ok(());
    };
    match outcome {
        CallbackOutcome::Delivered => rows.remove_callback(&row),
        CallbackOutcome::Failed {
            attempts,
            due_unix_ms,
            error,
        } => rows.put_callback(&CallbackRow {
            attempts,
            due_unix_ms,
            error: Some(error),
            ..row
        }),
    }
}

/// Gives what was given up a new id, so that it is found behind all others, and a day of attempts from now on.
pub(crate) fn redeliver(
    rows: &mut dyn Rows,
    scope: Scope,
    id: u64,
    at_unix_ms: u64,
) -> Result<Option<CallbackRow>, StoreError> {
    let found = rows.callback(id)?;
    let Some(row) = found.filter(|row| row.account == scope.account() && row.due_unix_ms.is_none())
    else {
        return Ok(None);
    };
    rows.remove_callback(&row)?;
    let again = CallbackRow {
        id: rows.next_callback()?,
        attempts: 0,
        created_unix_ms: at_unix_ms,
        due_unix_ms: Some(at_unix_ms),
        ..row
    };
    rows.put_callback(&again)?;
    Ok(Some(again))
}
