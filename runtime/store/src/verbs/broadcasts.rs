//! A broadcast's life, and its recipients': the rules, once for all implementations.

mod ends;
mod reached;
mod recipients;

use call::{BroadcastSid, CallSid};
use numbers::PhoneNumber;

pub(super) use self::ends::note_end;
pub(crate) use self::recipients::{open_recipient, shuffled};
use self::recipients::{put, recipient};

use super::accept_call;
use crate::broadcast::{MAX_BROADCASTS, MAX_RECIPIENTS, MAX_WRITTEN_AT_ONCE};
use crate::rows::Rows;
use crate::{
    Broadcast, BroadcastChange, BroadcastCounts, BroadcastOrder, BroadcastState, ByOperator,
    CallRow, Judgement, NewBroadcast, NewCall, NewRecipient, Recipient, RecipientState, Scope,
    StoreError,
};

pub(crate) fn create_broadcast(
    rows: &mut dyn Rows,
    scope: Scope,
    new: NewBroadcast,
) -> Result<Broadcast, StoreError> {
    rows.directory().account_of(scope)?;
    if rows.broadcast_count(scope.account())? >= MAX_BROADCASTS {
        return Err(StoreError::NotPossible(format!(
            "an account has {MAX_BROADCASTS} broadcasts at most"
        )));
    }
    let row = Broadcast {
        sid: new.sid,
        account: scope.account(),
        name: new.name,
        from: new.from,
        message: new.message,
        rules: new.rules,
        state: BroadcastState::Draft,
        counts: BroadcastCounts::default(),
        created_unix_ms: new.created_unix_ms,
        started_unix_ms: None,
        ended_unix_ms: None,
        updated_unix_ms: new.created_unix_ms,
        flow_start: new.flow_start,
        by_operator: ByOperator::default(),
    };
    rows.put_broadcast(&row)?;
    Ok(row)
}

pub(crate) fn change_broadcast(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: BroadcastSid,
    change: BroadcastChange,
    at_unix_ms: u64,
) -> Result<Option<Broadcast>, StoreError> {
    let Some(before) = draft(rows, scope, sid)? else {
        return Ok(None);
    };
    let row = Broadcast {
        name: change.name.unwrap_or(before.name),
        from: change.from.unwrap_or(before.from),
        message: change.message.unwrap_or(before.message),
        rules: change.rules.unwrap_or(before.rules),
        flow_start: change.flow_start.unwrap_or(before.flow_start),
        updated_unix_ms: at_unix_ms,
        ..before
    };
    rows.put_broadcast(&row)?;
    Ok(Some(row))
}

pub(crate) fn add_recipients(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: BroadcastSid,
    recipients: Vec<NewRecipient>,
    at_unix_ms: u64,
) -> Result<Option<Broadcast>, StoreError> {
    let Some(mut row) = draft(rows, scope, sid)? else {
        return Ok(None);
    };
    if recipients.len() > MAX_WRITTEN_AT_ONCE
        || row.counts.total() + recipients.len() as u64 > MAX_RECIPIENTS
    {
        return Err(StoreError::NotPossible(format!(
            "a broadcast has {MAX_RECIPIENTS} recipients at most, and takes {MAX_WRITTEN_AT_ONCE} at once"
        )));
    }
    let directory = rows.directory();
    for new in recipients {
        let is_new = rows.recipient(sid, new.number.as_str())?.is_none();
        row.counts.waiting += u64::from(is_new);
        if is_new {
            row.by_operator.add(&directory, &new.number);
        }
        let waiting = RecipientState::Waiting { due_unix_ms: 0 };
        let recipient = Recipient {
            number: new.number,
            language: new.language,
            areas: new.areas,
            fields: new.fields,
            state: waiting.clone(),
            attempts: Vec::new(),
        };
        let before = (!is_new).then_some(&waiting);
        put(rows, &row, before, &recipient)?;
    }
    row.updated_unix_ms = at_unix_ms;
    rows.put_broadcast(&row)?;
    Ok(Some(row))
}

pub(crate) fn order_broadcast(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: BroadcastSid,
    order: BroadcastOrder,
    at_unix_ms: u64,
) -> Result<Option<Broadcast>, StoreError> {
    let Some(mut row) = own(rows, scope, sid)? else {
        return Ok(None);
    };
    let state = order.from(row.state).map_err(StoreError::NotPossible)?;
    if order == BroadcastOrder::Start && row.counts.total() == 0 {
        return Err(StoreError::NotPossible(
            "the broadcast has no recipients: add some first".to_owned(),
        ));
    }
    if state == row.state {
        return Ok(Some(row));
    }
    row.state = state;
    row.updated_unix_ms = at_unix_ms;
    row.started_unix_ms = row.started_unix_ms.or(Some(at_unix_ms));
    if state == BroadcastState::Stopped {
        row.ended_unix_ms = Some(at_unix_ms);
    }
    rows.put_broadcast(&row)?;
    Ok(Some(row))
}

pub(crate) fn delete_broadcast(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: BroadcastSid,
) -> Result<bool, StoreError> {
    let Some(row) = own(rows, scope, sid)? else {
        return Ok(false);
    };
    match row.state {
        BroadcastState::Draft | BroadcastState::Completed => {}
        BroadcastState::Stopped if row.counts.left() == 0 => {}
        BroadcastState::Stopped => {
            return Err(StoreError::NotPossible(format!(
                "the broadcast is stopped, and {} of its recipients are not done with yet: delete it when their calls are over",
                row.counts.left()
            )));
        }
        state @ (BroadcastState::Running | BroadcastState::Paused) => {
            return Err(StoreError::NotPossible(format!(
                "the broadcast is {}: stop it first",
                state.as_str()
            )));
        }
    }
    rows.remove_broadcast(&row)?;
    Ok(true)
}

pub(crate) fn call_recipients(
    rows: &mut dyn Rows,
    sid: BroadcastSid,
    calls: Vec<NewCall>,
    at_unix_ms: u64,
) -> Result<Vec<CallRow>, StoreError> {
    let found = rows.broadcast(sid)?;
    let Some(mut row) = found.filter(|row| row.state == BroadcastState::Running) else {
        return Ok(Vec::new());
    };
    let scope = Scope::of_host(row.account);
    let mut accepted = Vec::new();
    for call in calls {
        let number = parsed(&call.to)?;
        let Some(recipient) = recipient(rows, &row, &number)? else {
            continue;
        };
        let RecipientState::Waiting { due_unix_ms } = recipient.state else {
            continue;
        };
        if due_unix_ms > at_unix_ms {
            continue;
        }
        let called = move_to(rows, &mut row, recipient, RecipientState::Calling(call.sid));
        called?;
        accepted.push(accept_call(rows, scope, call)?);
    }
    row.updated_unix_ms = at_unix_ms;
    rows.put_broadcast(&row)?;
    Ok(accepted)
}

pub(crate) fn judge_recipients(
    rows: &mut dyn Rows,
    sid: BroadcastSid,
    judgements: Vec<(PhoneNumber, Judgement)>,
    at_unix_ms: u64,
) -> Result<Option<Broadcast>, StoreError> {
    let Some(mut row) = rows.broadcast(sid)? else {
        return Ok(None);
    };
    for (number, judgement) in judgements {
        let Some(recipient) = recipient(rows, &row, &number)? else {
            continue;
        };
        let is_open = matches!(
            recipient.state,
            RecipientState::Waiting { .. } | RecipientState::Judged
        );
        if !is_open {
            continue;
        }
        let state = match judgement {
            Judgement::Again(due_unix_ms) => RecipientState::Waiting { due_unix_ms },
            Judgement::GiveUp(reason) => RecipientState::GivenUp(reason),
        };
        move_to(rows, &mut row, recipient, state)?;
    }
    written(rows, row, at_unix_ms).map(Some)
}

/// Whether a call is one of a broadcast's in which nobody is called for now.
pub(super) fn is_halted(rows: &dyn Rows, call: CallSid) -> Result<bool, StoreError> {
    let Some((sid, _)) = rows.recipient_of_call(call)? else {
        return Ok(false);
    };
    let broadcast = rows.broadcast(sid)?;
    Ok(broadcast.is_some_and(|row| row.state != BroadcastState::Running))
}

/// Writes a broadcast, which is completed once nobody is left.
fn written(
    rows: &mut dyn Rows,
    mut row: Broadcast,
    at_unix_ms: u64,
) -> Result<Broadcast, StoreError> {
    row.updated_unix_ms = at_unix_ms;
    let is_open = matches!(row.state, BroadcastState::Running | BroadcastState::Paused);
    if is_open && row.counts.left() == 0 {
        row.state = BroadcastState::Completed;
        row.ended_unix_ms = Some(at_unix_ms);
    }
    rows.put_broadcast(&row)?;
    Ok(row)
}

/// Moves a recipient, and counts them where they now stand.
fn move_to(
    rows: &mut dyn Rows,
    row: &mut Broadcast,
    before: Recipient,
    state: RecipientState,
) -> Result<(), StoreError> {
    let was = before.state.clone();
    let after = Recipient { state, ..before };
    // Whoever is judged has been called, so an attempt that was just added changes none of the counts before.
    let called = !after.attempts.is_empty();
    *counted(&mut row.counts, &was, called) -= 1;
    *counted(&mut row.counts, &after.state, called) += 1;
    let directory = rows.directory();
    row.by_operator
        .stands(&directory, &after.number, &after.state);
    put(rows, row, Some(&was), &after)
}

fn counted<'c>(
    counts: &'c mut BroadcastCounts,
    state: &RecipientState,
    called: bool,
) -> &'c mut u64 {
    match state {
        RecipientState::Waiting { .. } if called => &mut counts.again,
        RecipientState::Waiting { .. } => &mut counts.waiting,
        RecipientState::Calling(_) => &mut counts.calling,
        RecipientState::Judged => &mut counts.judged,
        RecipientState::Reached => &mut counts.reached,
        RecipientState::GivenUp(_) => &mut counts.given_up,
    }
}

fn own(rows: &dyn Rows, scope: Scope, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError> {
    let found = rows.broadcast(sid)?;
    Ok(found.filter(|row| row.account == scope.account()))
}

fn draft(
    rows: &dyn Rows,
    scope: Scope,
    sid: BroadcastSid,
) -> Result<Option<Broadcast>, StoreError> {
    match own(rows, scope, sid)? {
        Some(row) if row.state != BroadcastState::Draft => Err(StoreError::NotPossible(format!(
            "the broadcast is {}: only a draft can be changed",
            row.state.as_str()
        ))),
        other => Ok(other),
    }
}

fn parsed(number: &str) -> Result<PhoneNumber, StoreError> {
    let number = number.parse();
    number.map_err(|error: numbers::InvalidNumber| StoreError::NotPossible(error.to_string()))
}
