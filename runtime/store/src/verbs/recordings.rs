//! The life of a recording: begun, paused and resumed, ended once, deleted.

use call::{CallbackSubject, RecordingSid, RecordingTurn};

use super::callbacks::{self, NewCallback, tell};
use super::{Rows, Scope, StoreError};
use crate::callback_parameters::recording_parameters;
use crate::usage;
use crate::{NewRecording, RecordingEnding, RecordingRow, RecordingStatus, RecordingTold};

pub(crate) fn begin_recording(
    rows: &mut dyn Rows,
    scope: Scope,
    new: NewRecording,
) -> Result<RecordingRow, StoreError> {
    if rows.directory().account(scope.account()).is_none() {
        return Err(StoreError::UnknownAccount(scope.account()));
    }
    if rows.recording(new.sid)?.is_some() {
        return Err(StoreError::DuplicateRecording(new.sid));
    }
    let row = RecordingRow {
        sid: new.sid,
        account: scope.account(),
        of: new.of,
        source: new.source,
        channels: new.channels,
        rate_hz: new.rate_hz,
        status: RecordingStatus::InProgress,
        duration_ms: 0,
        file_bytes: 0,
        created_unix_ms: new.created_unix_ms,
        updated_unix_ms: new.created_unix_ms,
        tracks: new.tracks,
        told: new.callback.map(|callback| RecordingTold {
            callback,
            url: new.url.clone(),
        }),
    };
    rows.put_recording(None, &row)?;
    callbacks::expect_recording(rows, &row, new.url)?;
    note(rows, &row)?;
    Ok(row)
}

/// Between going on and being paused, and from there to being made whole.
pub(crate) fn set_recording_status(
    rows: &mut dyn Rows,
    sid: RecordingSid,
    status: RecordingStatus,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if status.is_final() || before.status.is_final() {
        return Err(StoreError::RecordingOver(sid));
    }
    let after = RecordingRow {
        status,
        updated_unix_ms: at_unix_ms,
        ..before.clone()
    };
    rows.put_recording(Some(&before), &after)
}

pub(crate) fn finish_recording(
    rows: &mut dyn Rows,
    sid: RecordingSid,
    ending: RecordingEnding,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status.is_final() || !ending.status.is_final() {
        return Err(StoreError::RecordingOver(sid));
    }
    let after = RecordingRow {
        status: ending.status,
        duration_ms: ending.duration_ms,
        file_bytes: ending.file_bytes,
        updated_unix_ms: at_unix_ms,
        ..before.clone()
    };
    rows.put_recording(Some(&before), &after)?;
    usage::count_recording(rows, &after)?;
    note(rows, &after)?;
    callbacks::recording_is_over(rows, &after)
}

/// Puts what a recording has come to into the outbox, where its account's server is to be told of it.
fn note(rows: &mut dyn Rows, row: &RecordingRow) -> Result<(), StoreError> {
    let turn = match row.status {
        RecordingStatus::InProgress => RecordingTurn::InProgress,
        RecordingStatus::Completed | RecordingStatus::Failed => RecordingTurn::Completed,
        RecordingStatus::Absent => RecordingTurn::Absent,
        RecordingStatus::Paused | RecordingStatus::Processing => return Ok(()),
    };
    let Some(told) = &row.told else { return Ok(()) };
    if !told.callback.on.contains(&turn) {
        return Ok(());
    }
    let begun_was_told = told.callback.on.contains(&RecordingTurn::InProgress);
    let new = NewCallback {
        account: row.account,
        subject: CallbackSubject::Recording(row.sid),
        event: row.status.to_string(),
        sequence: u32::from(begun_was_told && turn != RecordingTurn::InProgress),
        to: told.callback.to.clone(),
        parameters: recording_parameters(row, &told.url),
        start: None,
        at_unix_ms: row.updated_unix_ms,
    };
    tell(rows, new)
}

/// Whether there was such a recording of this account that had ended.
pub(crate) fn delete_recording(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: RecordingSid,
) -> Result<bool, StoreError> {
    let row = rows
        .recording(sid)?
        .filter(|row| row.account == scope.account());
    match row {
        None => Ok(false),
        Some(row) if !row.status.is_final() => Err(StoreError::RecordingGoesOn(sid)),
        Some(row) => rows.remove_recording(&row).map(|()| true),
    }
}

fn existing(rows: &dyn Rows, sid: RecordingSid) -> Result<RecordingRow, StoreError> {
    rows.recording(sid)?
        .ok_or(StoreError::UnknownRecording(sid))
}
