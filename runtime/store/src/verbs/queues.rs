//! Queues: begun by whoever waits first, or through the API; changed and removed through the API.

use call::QueueSid;

use super::{Rows, Scope, StoreError};
use crate::{MAX_QUEUES, NewQueue, QueueChange, QueueRow};

/// Keeps a new queue; where the account has one of that name, that one is given back and stays as it is.
pub(crate) fn begin_queue(
    rows: &mut dyn Rows,
    scope: Scope,
    new: NewQueue,
) -> Result<QueueRow, StoreError> {
    let account = scope.account();
    if rows.directory().account(account).is_none() {
        return Err(StoreError::UnknownAccount(account));
    }
    let known = rows.queues(account)?;
    if let Some(known) = known.iter().find(|known| known.name == new.name) {
        return Ok(known.clone());
    }
    if known.len() >= MAX_QUEUES {
        return Err(StoreError::NotPossible(format!(
            "the account has {MAX_QUEUES} queues already: delete one that is not used"
        )));
    }
    let row = QueueRow {
        sid: new.sid,
        account,
        name: new.name,
        max_size: new.max_size,
        created_unix_ms: new.created_unix_ms,
        updated_unix_ms: new.created_unix_ms,
    };
    rows.put_queue(&row)?;
    Ok(row)
}

/// Changes a queue of this account; none if there is no such one.
pub(crate) fn change_queue(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: QueueSid,
    change: QueueChange,
    at_unix_ms: u64,
) -> Result<Option<QueueRow>, StoreError> {
    let known = rows.queues(scope.account())?;
    let Some(before) = known.iter().find(|known| known.sid == sid) else {
        return Ok(None);
    };
    let name = change.name.unwrap_or_else(|| before.name.clone());
    if known
        .iter()
        .any(|known| known.sid != sid && known.name == name)
    {
        let message = format!("the account has another queue of the name {name:?}");
        return Err(StoreError::NotPossible(message));
    }
    let row = QueueRow {
        name,
        max_size: change.max_size.unwrap_or(before.max_size),
        updated_unix_ms: at_unix_ms,
        ..before.clone()
    };
    rows.put_queue(&row)?;
    Ok(Some(row))
}

/// Whether there was such a queue of this account.
pub(crate) fn delete_queue(
    rows: &mut dyn Rows,
    scope: Scope,
    sid: QueueSid,
) -> Result<bool, StoreError> {
    let known = rows.queues(scope.account())?;
    match known.iter().any(|known| known.sid == sid) {
        true => rows.remove_queue(scope.account(), sid).map(|()| true),
        false => Ok(false),
    }
}
