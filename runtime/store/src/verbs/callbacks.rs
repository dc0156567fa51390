//! What is put into the outbox, and taken out.

use call::{
    AccountSid, CallSid, CallStatus, CallbackSubject, Detection, Exchange, RecordingOf,
    RecordingSource, StatusCallback,
};

use super::exchanges;
use crate::callback_parameters::{
    call_parameters, detection_parameters, notification_parameters, recording_of_call,
};
use crate::callback_row::{CallbackState, OrderedRecording, turn_of};
use crate::rows::Rows;
use crate::seal::random_bytes;
use crate::{
    CallCallback, CallEvent, CallEventKind, CallRow, CallbackOutcome, CallbackRow, FlowStart,
    ProgressEvent, RecordingRow, Scope, StoreError,
};

/// Keeps who is told of a new call.
pub(super) fn begin(
    rows: &mut dyn Rows,
    call: CallSid,
    callback: Option<CallCallback>,
) -> Result<(), StoreError> {
    match callback {
        Some(callback) => {
            let state = CallbackState {
                callback,
                told: 0,
                recording: None,
            };
            rows.put_callback_state(call, &state)
        }
        None => Ok(()),
    }
}

/// Somebody else is told of a call from now on: of the same turns, or of its end where nobody was told.
pub(super) fn redirect(
    rows: &mut dyn Rows,
    call: CallSid,
    to: StatusCallback,
) -> Result<(), StoreError> {
    let state = match rows.callback_state(call)? {
        Some(mut state) => {
            state.callback.to = to;
            state
        }
        None => CallbackState {
            callback: CallCallback {
                to,
                on: vec![ProgressEvent::Completed],
            },
            told: 0,
            recording: None,
        },
    };
    rows.put_callback_state(call, &state)
}

/// Puts an event of a call into the outbox where its account's server is to be told of it. A call that is cancelled before it left the queue
/// tells nobody.
pub(super) fn note(
    rows: &mut dyn Rows,
    row: &CallRow,
    event: &CallEvent,
) -> Result<(), StoreError> {
    let Some(turn) = turn_of(&event.kind) else {
        return Ok(());
    };
    let Some(mut state) = rows.callback_state(row.sid)? else {
        return Ok(());
    };
    // It is one call: a second attempt does not initiate it again, nor one after an attempt that was undone.
    let is_first = row.attempts == 1 && row.started_unix_ms == Some(event.at_unix_ms);
    let is_again = matches!(event.kind, CallEventKind::Attempted(_)) && !is_first;
    let is_told = !is_again && (row.leg.is_some() || row.status != CallStatus::Canceled);
    if is_told && state.callback.on.contains(&turn) {
        let recording = match (turn, &state.recording) {
            (ProgressEvent::Completed, Some(ordered)) => rows.recording(ordered.sid)?,
            _ => None,
        };
        if recording.as_ref().is_some_and(|row| !row.status.is_final()) {
            return Ok(()); // told when that is over
        }
        let mut parameters = call_parameters(row, turn, state.told, event.at_unix_ms);
        if let Some((recording, ordered)) = recording.zip(state.recording.as_ref()) {
            parameters.extend(recording_of_call(&recording, &ordered.url));
        }
        let new = NewCallback {
            account: row.account,
            subject: CallbackSubject::Call(row.sid),
            event: turn.as_str().to_owned(),
            sequence: state.told,
            to: state.callback.to.clone(),
            parameters,
            start: None,
            at_unix_ms: event.at_unix_ms,
        };
        tell(rows, new)?;
        state.told += 1;
    }
    match event.kind {
        CallEventKind::Ended(_) => rows.remove_callback_state(row.sid),
        _ => rows.put_callback_state(row.sid, &state),
    }
}

/// The end of the call tells of a recording that its order asked for.
pub(super) fn expect_recording(
    rows: &mut dyn Rows,
    recording: &RecordingRow,
    url: String,
) -> Result<(), StoreError> {
    let RecordingOf::Call(call) = recording.of else {
        return Ok(());
    };
    let is_ordered = recording.source == RecordingSource::OutboundApi;
    let state = rows.callback_state(call)?.filter(|_| is_ordered);
    let Some(mut state) = state else {
        return Ok(());
    };
    let sid = recording.sid;
    state.recording = Some(OrderedRecording { sid, url });
    rows.put_callback_state(call, &state)
}

/// Tells the end of a call that waited for its recording.
pub(super) fn recording_is_over(
    rows: &mut dyn Rows,
    recording: &RecordingRow,
) -> Result<(), StoreError> {
    let RecordingOf::Call(call) = recording.of else {
        return Ok(());
    };
    let ordered = rows.callback_state(call)?.and_then(|state| state.recording);
    if ordered.is_none_or(|ordered| ordered.sid != recording.sid) {
        return Ok(());
    }
    let Some(row) = rows.call(call)? else {
        return rows.remove_callback_state(call); // deleted meanwhile
    };
    let (Some(record), Some(at_unix_ms)) = (&row.record, row.ended_unix_ms) else {
        return Ok(());
    };
    let kind = CallEventKind::Ended(record.clone());
    let event = CallEvent {
        sequence: row.events,
        at_unix_ms,
        kind,
    };
    note(rows, &row, &event)
}

/// What is new, and who is told of it.
pub(super) struct NewCallback {
    pub(super) account: AccountSid,
    pub(super) subject: CallbackSubject,
    pub(super) event: String,
    pub(super) sequence: u32,
    pub(super) to: StatusCallback,
    pub(super) parameters: Vec<(String, String)>,
    /// The flow that is started, in place of a form that is sent.
    pub(super) start: Option<FlowStart>,
    pub(super) at_unix_ms: u64,
}

/// Puts a callback into the outbox.
pub(super) fn tell(rows: &mut dyn Rows, new: NewCallback) -> Result<(), StoreError> {
    let id = rows.next_callback()?;
    rows.put_callback(&CallbackRow {
        id,
        account: new.account,
        subject: new.subject,
        event: new.event,
        sequence: new.sequence,
        to: new.to,
        parameters: new.parameters,
        token: random_bytes(),
        created_unix_ms: new.at_unix_ms,
        attempts: 0,
        due_unix_ms: Some(new.at_unix_ms),
        error: None,
        start: new.start,
    })
}

/// Puts into the outbox that a device is to be woken, because this call is for it.
pub(super) fn notify(
    rows: &mut dyn Rows,
    row: &CallRow,
    to: StatusCallback,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let new = NewCallback {
        account: row.account,
        subject: CallbackSubject::Notification(row.sid),
        event: "client-notification".to_owned(),
        sequence: 0,
        to,
        parameters: notification_parameters(row, at_unix_ms),
        start: None,
        at_unix_ms,
    };
    tell(rows, new)
}

/// Puts who answered a call into the outbox.
pub(crate) fn tell_detection(
    rows: &mut dyn Rows,
    call: CallSid,
    to: StatusCallback,
    detection: Detection,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let row = rows.call(call)?.ok_or(StoreError::UnknownCall(call))?;
    let new = NewCallback {
        account: row.account,
        subject: CallbackSubject::Detection(call),
        event: "machine-detection".to_owned(),
        sequence: 0,
        to,
        parameters: detection_parameters(&row, detection),
        start: None,
        at_unix_ms,
    };
    tell(rows, new)
}

pub(crate) fn settle_callback(
    rows: &mut dyn Rows,
    id: u64,
    outcome: CallbackOutcome,
    tried: Option<Exchange>,
) -> Result<(), StoreError> {
    let Some(row) = rows.callback(id)? else {
        return Ok(());
    };
    if let Some(exchange) = tried {
        exchanges::note(rows, &row, exchange)?;
    }
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

/// Takes out what was given up and is old. How many they were.
pub(crate) fn forget_callbacks(
    rows: &mut dyn Rows,
    before_unix_ms: u64,
    limit: usize,
) -> Result<usize, StoreError> {
    let old = rows.old_callbacks(before_unix_ms, limit)?;
    for row in &old {
        rows.remove_callback(row)?;
    }
    Ok(old.len())
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
