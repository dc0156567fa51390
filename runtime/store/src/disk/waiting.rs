//! The outbound queue on the disk: what the scheduler needs of each call that waits, in the order in which they are due.
//!
//! A start reads it from one end to the other. In layout 1 it named the calls alone, and a start had to find a million rows, one by one,
//! and to read all of each.

use call::{AccountSid, CallSid};
use redb::{
    Database, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::tables::{self, SidKey, decode_row, encode_as, failed, unknown_version, version};
use crate::{CallRow, QueueTerms, QueuedCall, StoreError, TrunkId};

/// Due (ms), call → `Entry`: the calls whose `due_unix_ms` is set.
const WAITING: TableDefinition<'_, (u64, SidKey), &[u8]> = TableDefinition::new("waiting");
/// Due (ms), call: the same in layout 1.
const FIRST_QUEUE: TableDefinition<'_, (u64, SidKey), ()> = TableDefinition::new("queue");

/// The version of the entries that are written.
const VERSION: u8 = 1;

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

/// Writes the queue of layout 1 anew.
pub(super) fn renew(database: &Database) -> Result<(), StoreError> {
    match database
        .begin_read()
        .map_err(failed)?
        .open_table(FIRST_QUEUE)
    {
        Ok(_) => {}
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    {
        let first = transaction.open_table(FIRST_QUEUE).map_err(failed)?;
        let calls = transaction.open_table(tables::CALLS).map_err(failed)?;
        let mut waiting = WaitingTable::open(&transaction).map_err(failed)?;
        for entry in first.iter().map_err(failed)? {
            let (key, _) = entry.map_err(failed)?;
            let row = tables::indexed_call(&calls, CallSid::from_bytes(*key.value().1))?;
            waiting.put(None, &row)?;
        }
    }
    transaction.delete_table(FIRST_QUEUE).map_err(failed)?;
    transaction.commit().map_err(failed)
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
    encode_as(VERSION, &entry)
}

fn read(call: CallSid, stored: &[u8]) -> Result<QueuedCall, StoreError> {
    let entry: Entry = match version("place in the queue", stored)? {
        (VERSION, entry) => decode_row("place in the queue", entry)?,
        (other, _) => return Err(unknown_version("place in the queue", other)),
    };
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
        assert!(read(row.sid, &[VERSION + 1, 0]).is_err(), "a later version");
    }

    #[test]
    fn a_queue_of_the_first_layout_is_written_anew() {
        let backend = redb::backends::InMemoryBackend::new();
        let database = redb::Builder::new().create_with_backend(backend).unwrap();
        let rows: Vec<CallRow> = (1..=3).map(row).collect();
        let transaction = database.begin_write().unwrap();
        {
            let mut queue = transaction.open_table(FIRST_QUEUE).unwrap();
            let mut calls = transaction.open_table(tables::CALLS).unwrap();
            for row in &rows {
                let due = row.due_unix_ms.unwrap();
                queue.insert((due, row.sid.as_bytes()), ()).unwrap();
                let stored = super::super::call_rows::stored_call(row);
                calls.insert(row.sid.as_bytes(), &*stored).unwrap();
            }
        }
        transaction.commit().unwrap();

        // The second time there is nothing to do.
        for _ in 0..2 {
            renew(&database).unwrap();
            let mut seen = Vec::new();
            visit(&database, &mut |place, call| seen.push((place, call))).unwrap();
            let in_order = rows.iter().rev().map(QueuedCall::of);
            assert_eq!(seen, (0..).zip(in_order).collect::<Vec<_>>());
        }
    }
}
