//! What each verb does to the rows: the rules of a call's life, once for all implementations.

mod broadcasts;
mod callbacks;
mod conferences;
mod edits;
mod exchanges;
mod key_values;
mod people;
mod plugins;
mod queues;
mod recordings;
mod streams;

use call::{CallRecord, CallSid, CallStatus};

use crate::rows::Rows;
use crate::seal::Purpose;
use crate::usage;
use crate::{
    Attempt, CallChange, CallEvent, CallEventKind, CallOrders, CallRow, Directory, FailedAttempt,
    Farewell, Leg, NewCall, RoutedBy, Scope, StoreError,
};

pub(crate) use self::broadcasts::{
    add_recipients, call_recipients, change_broadcast, create_broadcast, delete_broadcast,
    judge_recipients, open_recipient, order_broadcast, shuffled,
};
pub(crate) use self::callbacks::{forget_callbacks, redeliver, settle_callback, tell_detection};
pub(crate) use self::conferences::{note_conference, recover_conferences};
pub(crate) use self::edits::{administer, edit};
pub(crate) use self::exchanges::open_exchange;
pub(crate) use self::key_values::{open_key_value, write_key_value};
pub(crate) use self::people::{open_person, remove_person, save_people, save_person};
pub(crate) use self::plugins::{Life, change_plugin, keep_plugin_pages, upload_plugin};
pub(crate) use self::queues::{begin_queue, change_queue, delete_queue};
pub(crate) use self::recordings::{
    begin_recording, delete_recording, finish_recording, set_recording_status,
};
pub(crate) use self::streams::{OpenStream, note_stream, recover_streams};

/// The `end_reason` of a call that a crash of this process ended.
pub(crate) const NODE_LOST: &str = "node_lost";

pub(crate) fn accept_call(
    rows: &mut dyn Rows,
    scope: Scope,
    call: NewCall,
) -> Result<CallRow, StoreError> {
    check_new(rows, scope, call.sid)?;
    let at = call.created_unix_ms;
    callbacks::begin(rows, call.sid, call.callback.clone())?;
    let notification = call.notification.clone();
    let row = new_row(scope, call, CallStatus::Queued);
    let row = CallRow {
        due_unix_ms: Some(first_due(&row)),
        ..row
    };
    let row = write(rows, None, row, at, CallEventKind::Accepted)?;
    if let Some(to) = notification {
        callbacks::notify(rows, &row, to, at)?;
    }
    Ok(row)
}

/// When a call may first be dialled.
fn first_due(row: &CallRow) -> u64 {
    let not_before = row.orders.queue.not_before_unix_ms;
    not_before.unwrap_or(0).max(row.created_unix_ms)
}

pub(crate) fn begin_inbound(
    rows: &mut dyn Rows,
    scope: Scope,
    call: NewCall,
    leg: Leg,
) -> Result<(), StoreError> {
    check_new(rows, scope, call.sid)?;
    let at = call.created_unix_ms;
    callbacks::begin(rows, call.sid, call.callback.clone())?;
    let row = CallRow {
        leg: Some(leg.clone()),
        started_unix_ms: Some(at),
        ..new_row(scope, call, CallStatus::Ringing)
    };
    write(rows, None, row, at, CallEventKind::CameIn(leg)).map(drop)
}

pub(crate) fn begin_dialled(
    rows: &mut dyn Rows,
    scope: Scope,
    call: NewCall,
    attempt: Attempt,
) -> Result<CallRow, StoreError> {
    check_new(rows, scope, call.sid)?;
    let at = call.created_unix_ms;
    callbacks::begin(rows, call.sid, call.callback.clone())?;
    let row = CallRow {
        attempts: 1,
        leg: Some(attempt.leg.clone()),
        started_unix_ms: Some(at),
        ..new_row(scope, call, CallStatus::Queued)
    };
    write(rows, None, row, at, CallEventKind::Attempted(attempt))
}

pub(crate) fn begin_attempt(
    rows: &mut dyn Rows,
    sid: CallSid,
    attempt: Attempt,
    at: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.due_unix_ms.is_none() {
        return Err(StoreError::NotQueued(sid));
    }
    // One that was taken into the queue before its broadcast was halted.
    if broadcasts::is_halted(rows, sid)? {
        return Err(StoreError::NotQueued(sid));
    }
    let row = CallRow {
        due_unix_ms: None,
        attempts: before.attempts + 1,
        leg: Some(attempt.leg.clone()),
        started_unix_ms: before.started_unix_ms.or(Some(at)),
        ..before.clone()
    };
    let attempted = CallEventKind::Attempted(attempt);
    write(rows, Some(&before), row, at, attempted).map(drop)
}

/// Puts a call back into the queue, at its old place, because it failed over one trunk and may go over another.
pub(crate) fn fail_attempt(
    rows: &mut dyn Rows,
    sid: CallSid,
    failed: FailedAttempt,
    at: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status != CallStatus::Queued {
        return Err(StoreError::IllegalStatus {
            call: sid,
            from: before.status,
            to: CallStatus::Queued,
        });
    }
    let mut row = CallRow {
        due_unix_ms: Some(first_due(&before)),
        ..before.clone()
    };
    row.tried.push(failed.trunk.clone());
    let failed = CallEventKind::AttemptFailed(failed);
    write(rows, Some(&before), row, at, failed).map(drop)
}

/// Puts a call back into the queue, at its old place, whose INVITE has not left: its attempt does not count, and its trunk was not tried.
pub(crate) fn undo_attempt(
    rows: &mut dyn Rows,
    sid: CallSid,
    failed: FailedAttempt,
    at: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status != CallStatus::Queued || before.due_unix_ms.is_some() {
        return Err(StoreError::IllegalStatus {
            call: sid,
            from: before.status,
            to: CallStatus::Queued,
        });
    }
    let row = CallRow {
        due_unix_ms: Some(first_due(&before)),
        attempts: before.attempts - 1,
        ..before.clone()
    };
    let failed = CallEventKind::AttemptFailed(failed);
    write(rows, Some(&before), row, at, failed).map(drop)
}

/// Goes on with a call that another call's story dials over another trunk: it is dialled all the while, so that a kill between two attempts
/// ends it with its parent.
pub(crate) fn dial_again(
    rows: &mut dyn Rows,
    sid: CallSid,
    failed: FailedAttempt,
    attempt: Attempt,
    at: u64,
) -> Result<CallRow, StoreError> {
    let before = existing(rows, sid)?;
    if before.status != CallStatus::Queued || before.due_unix_ms.is_some() {
        return Err(StoreError::IllegalStatus {
            call: sid,
            from: before.status,
            to: CallStatus::Queued,
        });
    }
    let mut row = before.clone();
    row.tried.push(failed.trunk.clone());
    let failed = CallEventKind::AttemptFailed(failed);
    let between = write(rows, Some(&before), row, at, failed)?;
    let row = CallRow {
        attempts: between.attempts + 1,
        leg: Some(attempt.leg.clone()),
        ..between.clone()
    };
    let attempted = CallEventKind::Attempted(attempt);
    write(rows, Some(&between), row, at, attempted)
}

/// Notes what a routing policy has planned for a call that waits, or that another call's story dials.
pub(crate) fn note_route(
    rows: &mut dyn Rows,
    sid: CallSid,
    routed: RoutedBy,
    at: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status != CallStatus::Queued {
        return Err(StoreError::NotQueued(sid));
    }
    let routed = CallEventKind::Routed(routed);
    write(rows, Some(&before), before.clone(), at, routed).map(drop)
}

pub(crate) fn set_status(
    rows: &mut dyn Rows,
    sid: CallSid,
    status: CallStatus,
    at: u64,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status == status && !status.is_final() {
        return Ok(());
    }
    let forward = match (before.status, status) {
        (CallStatus::Queued, CallStatus::Ringing | CallStatus::InProgress) => before.is_live(),
        (CallStatus::Ringing, CallStatus::InProgress) => true,
        _ => false,
    };
    if !forward {
        return Err(StoreError::IllegalStatus {
            call: sid,
            from: before.status,
            to: status,
        });
    }
    let answered = (status == CallStatus::InProgress).then_some(at);
    let row = CallRow {
        status,
        answered_unix_ms: answered,
        ..before.clone()
    };
    write(rows, Some(&before), row, at, CallEventKind::Status(status)).map(drop)
}

pub(crate) fn finish_call(
    rows: &mut dyn Rows,
    sid: CallSid,
    record: CallRecord,
    at: u64,
    journal: Option<&[u8]>,
) -> Result<(), StoreError> {
    let before = existing(rows, sid)?;
    if before.status.is_final() || !record.status.is_final() {
        return Err(StoreError::IllegalStatus {
            call: sid,
            from: before.status,
            to: record.status,
        });
    }
    if let Some(journal) = journal {
        let directory = rows.directory();
        let account = directory
            .account(before.account)
            .ok_or(StoreError::UnknownAccount(before.account))?;
        rows.put_journal(
            sid,
            &account.key.seal(Purpose::Journal, sid.as_bytes(), journal),
        )?;
    }
    rows.remove_farewell(sid)?;
    end(rows, &before, record, at, at).map(drop)
}

/// Keeps what ends the dialog of a call that goes on.
pub(crate) fn note_farewell(
    rows: &mut dyn Rows,
    sid: CallSid,
    farewell: &Farewell,
) -> Result<(), StoreError> {
    match existing(rows, sid)?.status.is_final() {
        true => Ok(()),
        false => rows.put_farewell(sid, farewell),
    }
}

/// Ends the calls that a process was at work on when it was killed. Returns them as they now are.
pub(crate) fn recover(
    rows: &mut dyn Rows,
    live: &[CallSid],
    at: u64,
) -> Result<Vec<CallRow>, StoreError> {
    let mut lost = Vec::new();
    for &sid in live {
        let before = existing(rows, sid)?;
        let last_seen = before.updated_unix_ms;
        let status = before
            .answered_unix_ms
            .map_or(CallStatus::Failed, |_| CallStatus::Completed);
        let record = CallRecord {
            duration_s: before
                .answered_unix_ms
                .map_or(0, |answered| seconds_up(last_seen.saturating_sub(answered))),
            ..CallRecord::new(status, NODE_LOST)
        };
        lost.push(end(rows, &before, record, last_seen, at)?);
    }
    Ok(lost)
}

fn end(
    rows: &mut dyn Rows,
    before: &CallRow,
    record: CallRecord,
    ended: u64,
    at: u64,
) -> Result<CallRow, StoreError> {
    let row = CallRow {
        status: record.status,
        due_unix_ms: None,
        orders: CallOrders {
            credentials: None,
            ..before.orders.clone()
        },
        ended_unix_ms: Some(ended),
        record: Some(record.clone()),
        ..before.clone()
    };
    let row = write(rows, Some(before), row, at, CallEventKind::Ended(record))?;
    broadcasts::note_end(rows, &row, at)?;
    usage::count_call(rows, &row)?;
    Ok(row)
}

/// Changes what was ordered of a call that is not over, and who is told of it. None if the account has no such call.
pub(crate) fn change_call(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: CallSid,
    change: CallChange,
    at_unix_ms: u64,
) -> Result<Option<CallRow>, StoreError> {
    let found = rows.call(sid)?;
    let Some(before) = found.filter(|row| row.account == scope.account()) else {
        return Ok(None);
    };
    if before.status.is_final() {
        return Err(StoreError::CallOver(sid));
    }
    if let Some(to) = change.callback {
        callbacks::redirect(rows, sid, to)?;
    }
    let mut row = before.clone();
    row.orders.time_limit_s = change.time_limit_s.or(row.orders.time_limit_s);
    row.updated_unix_ms = at_unix_ms;
    rows.put_call(Some(&before), &row)?;
    Ok(Some(row))
}

/// Forgets a call that is over, with its events and its journal. False if the account has no such call.
pub(crate) fn delete_call(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: CallSid,
) -> Result<bool, StoreError> {
    let found = rows.call(sid)?;
    match found.filter(|row| row.account == scope.account()) {
        None => Ok(false),
        Some(row) if !row.status.is_final() => Err(StoreError::CallGoesOn(sid)),
        Some(row) => rows.remove_call(&row).map(|()| true),
    }
}

/// Milliseconds in seconds, rounded up.
fn seconds_up(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

fn check_new(rows: &dyn Rows, scope: Scope, sid: CallSid) -> Result<(), StoreError> {
    if rows.directory().account(scope.account()).is_none() {
        return Err(StoreError::UnknownAccount(scope.account()));
    }
    match rows.call(sid)? {
        Some(_) => Err(StoreError::DuplicateCall(sid)),
        None => Ok(()),
    }
}

fn existing(rows: &dyn Rows, sid: CallSid) -> Result<CallRow, StoreError> {
    rows.call(sid)?.ok_or(StoreError::UnknownCall(sid))
}

pub(crate) fn new_row(scope: Scope, call: NewCall, status: CallStatus) -> CallRow {
    CallRow {
        sid: call.sid,
        account: scope.account(),
        parent: call.parent,
        direction: call.direction,
        from: call.from,
        to: call.to,
        flow: call.flow,
        ring_timeout_s: call.ring_timeout_s,
        status,
        due_unix_ms: None,
        attempts: 0,
        leg: None,
        created_unix_ms: call.created_unix_ms,
        started_unix_ms: None,
        answered_unix_ms: None,
        ended_unix_ms: None,
        updated_unix_ms: call.created_unix_ms,
        record: None,
        events: 0,
        settings: call.settings,
        orders: call.orders,
        tried: Vec::new(),
    }
}

/// Writes the row, the event that made it so, and who is told of it.
fn write(
    rows: &mut dyn Rows,
    before: Option<&CallRow>,
    row: CallRow,
    at_unix_ms: u64,
    kind: CallEventKind,
) -> Result<CallRow, StoreError> {
    let event = CallEvent {
        sequence: row.events,
        at_unix_ms,
        kind,
    };
    let row = CallRow {
        events: row.events + 1,
        updated_unix_ms: at_unix_ms,
        ..row
    };
    rows.put_call(before, &row)?;
    rows.add_event(row.sid, &event)?;
    callbacks::note(rows, &row, &event)?;
    Ok(row)
}

/// Opens what [`finish_call`] sealed.
pub(crate) fn open_journal(
    directory: &Directory,
    scope: Scope,
    sid: CallSid,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let account = directory
        .account(scope.account())
        .ok_or(StoreError::UnknownAccount(scope.account()))?;
    account
        .key
        .open(Purpose::Journal, sid.as_bytes(), sealed)
        .map_err(|error| StoreError::Corrupt(format!("journal of {sid}: {error}")))
}
