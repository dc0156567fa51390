//! The outbound queue on the disk: what the scheduler needs of each call that waits, in the order in which they are due.
//!
//! A start reads it from one end to the other, and need not find a million rows of calls one by one.

use call::{AccountSid, CallSid};
use redb::{
    Database, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::tables::{SidKey, decode, encode, failed};
use crate::{CallRow, QueueTerms, QueuedCall, StoreError, TrunkId};

/// Due (ms), call → `Entry`: the calls whose `due_unix_ms` is set.
const WAITING: TableDefinition<'_, (u64, SidKey), &[u8]> = TableDefinition::new("waiting");

/// A [`QueuedCall`] as it is stored: SIDs in their 16 bytes, and its own in the key.
#[derive(Serialize, Deserialize)]
struct Entry {
    account: [u8; 16],
    from: String,
    to: String,
    terms: QueueTerms,
    tried: Vec<TrunkId>,
}

/// The queue as an open write transaction sees it.
pub(super) struct WaitingTable<'t>(Table<'t, (u64, SidKey), &'static [u8]>);

impl<'t> WaitingTable<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        transaction.open_table(WAITING).map(Self)
    }

    /// Gives a call its place, another one, or none.
    pub(super) fn put(
        &mut self,
        before: Option<&CallRow>,
        after: &CallRow,
    ) -> Result<(), StoreError> {
        let place = |row: &CallRow| row.due_unix_ms;
        let due_before = before.and_then(place);
        let is_same = before.is_some_and(|before| {
            place(before) == place(after)
                && before.tried == after.tried
                && before.orders.queue == after.orders.queue
        });
        if is_same {
            return Ok(());
        }
        let sid = after.sid.as_bytes();
        if let Some(due) = due_before.filter(|due| Some(*due) != after.due_unix_ms) {
            self.0.remove((due, sid)).map_err(failed)?;
        }
        if let Some(due) = after.due_unix_ms {
            self.0.insert((due, sid), &*stored(after)).map_err(failed)?;
        }
        Ok(())
    }
}

/// Visits the calls that wait, each with its place.
pub(super) fn visit(
    database: &Database,
    visit: &mut dyn FnMut(u64, QueuedCall),
) -> Result<(), StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let waiting = transaction.open_table(WAITING).map_err(failed)?;
    for (entry, place) in waiting.iter().map_err(failed)?.zip(0..) {
        let (key, stored) = entry.map_err(failed)?;
        let call = CallSid::from_bytes(*key.value().1);
        visit(place, read(call, stored.value())?);
    }
    Ok(())
}

fn stored(row: &CallRow) -> Vec<u8> {
    #[derive(Serialize)]
    struct Borrowed<'r> {
        account: &'r [u8; 16],
        from: &'r str,
        to: &'r str,
        terms: &'r QueueTerms,
        tried: &'r [TrunkId],
    }
    let entry = Borrowed {
        account: row.account.as_bytes(),
        from: &row.from,
        to: &row.to,
        terms: &row.orders.queue,
        tried: &row.tried,
    };
    encode(&entry)
}

fn read(call: CallSid, stored: &[u8]) -> Result<QueuedCall, StoreError> {
    let entry: Entry = decode("place in the queue", stored)?;
    Ok(QueuedCall {
        call,
        account: AccountSid::from_bytes(entry.account),
        from: entry.from,
        to: entry.to,
        terms: entry.terms,
        tried: entry.tried,
    })
}

#[cfg(test)]
mod tests {
    use call::Direction;

    use super::*;
    use crate::verbs;
    use crate::{Flow, NewCall, Priority, Scope};

    fn row(number: u8) -> CallRow {
        let new = NewCall {
            sid: CallSid::from_bytes([number; 16]),
            from: "1294".to_owned(),
            to: format!("+85512000{number:03}"),
            direction: Direction::OutboundApi,
            parent: None,
            flow: Flow::rejecting(),
            ring_timeout_s: None,
            settings: Default::default(),
            callback: None,
            notification: None,
            orders: crate::CallOrders {
                queue: QueueTerms {
                    priority: Priority::Bulk,
                    not_before_unix_ms: Some(7),
                    expires_unix_ms: Some(9_000_000),
                    window: Some("08:00-20:00 mon-fri UTC".parse().unwrap()),
                },
                ..Default::default()
            },
            created_unix_ms: 5,
        };
        let scope = Scope::of_host(AccountSid::from_bytes([2; 16]));
        CallRow {
            due_unix_ms: Some(100 - u64::from(number)),
            tried: vec![TrunkId("north".to_owned())],
            ..verbs::new_row(scope, new, call::CallStatus::Queued)
        }
    }

    #[test]
    fn an_entry_has_what_the_row_has() {
        let row = row(1);
        assert_eq!(read(row.sid, &stored(&row)).unwrap(), QueuedCall::of(&row));
        assert_eq!(decode::<CallRow>("call", &encode(&row)).unwrap(), row);
    }
}
