//! The tables of broadcasts.

use call::{AccountSid, BroadcastSid, CallSid};
use numbers::PhoneNumber;
use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::DiskStore;
use super::queue::Lane;
use super::rows::DiskRows;
use super::tables::{SidKey, decode, encode, failed};
use crate::broadcast::{
    BroadcastRows, BroadcastStore, BroadcastWork, MAX_BROADCASTS, MAX_WRITTEN_AT_ONCE, Place,
    Standing,
};
use crate::verbs::shuffled;
use crate::{
    AccountStore as _, Broadcast, BroadcastChange, BroadcastCursor, BroadcastOrder, BroadcastPage,
    CallRow, Commit, Directory, Judgement, NewBroadcast, NewCall, NewRecipient, Page, Recipient,
    RecipientPage, Scope, StoreError, broadcast, verbs,
};

/// Broadcast → `Broadcast`.
const BROADCASTS: TableDefinition<'_, SidKey, &[u8]> = TableDefinition::new("broadcasts");
/// Account, broadcast: for lists.
const BY_ACCOUNT: TableDefinition<'_, (SidKey, SidKey), ()> =
    TableDefinition::new("broadcasts_by_account");
/// Broadcast: those that are begun and not completed.
const BEGUN: TableDefinition<'_, SidKey, ()> = TableDefinition::new("broadcasts_begun");
/// Broadcast, number → `Recipient`, sealed with the account's key.
const RECIPIENTS: TableDefinition<'_, (SidKey, &str), &[u8]> = TableDefinition::new("recipients");
/// Broadcast, due (ms), [`shuffled`], number: who waits to be called.
const DUE: TableDefinition<'_, (SidKey, u64, u32, &str), ()> =
    TableDefinition::new("recipients_due");
/// Broadcast, number: of whom it is to be decided whether they are called again.
const JUDGED: TableDefinition<'_, (SidKey, &str), ()> = TableDefinition::new("recipients_judged");
/// Broadcast, number → the call that is made.
const CALLING: TableDefinition<'_, (SidKey, &str), SidKey> =
    TableDefinition::new("recipients_calling");
/// Call → broadcast, number: while it is made.
const OF_CALLS: TableDefinition<'_, SidKey, (SidKey, &str)> =
    TableDefinition::new("recipients_of_calls");

/// Broadcast: those that were deleted, and whose recipients are left.
const DELETED: TableDefinition<'_, SidKey, ()> = TableDefinition::new("broadcasts_deleted");

/// Makes the tables that are not there yet.
pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(BROADCASTS)?;
    transaction.open_table(BY_ACCOUNT)?;
    transaction.open_table(BEGUN)?;
    transaction.open_table(RECIPIENTS)?;
    transaction.open_table(DUE)?;
    transaction.open_table(JUDGED)?;
    transaction.open_table(CALLING)?;
    transaction.open_table(OF_CALLS)?;
    transaction.open_table(DELETED)?;
    Ok(())
}

impl BroadcastStore for DiskStore {
    fn create_broadcast(&self, scope: Scope, new: NewBroadcast) -> Commit<Broadcast> {
        self.write(Lane::New, move |rows| {
            verbs::create_broadcast(rows, scope, new)
        })
    }

    fn change_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        change: BroadcastChange,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(Lane::New, move |rows| {
            verbs::change_broadcast(rows, scope, sid, change, at_unix_ms)
        })
    }

    fn add_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        recipients: Vec<NewRecipient>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(Lane::New, move |rows| {
            verbs::add_recipients(rows, scope, sid, recipients, at_unix_ms)
        })
    }

    fn order_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        order: BroadcastOrder,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(Lane::New, move |rows| {
            verbs::order_broadcast(rows, scope, sid, order, at_unix_ms)
        })
    }

    fn delete_broadcast(&self, scope: Scope, sid: BroadcastSid) -> Commit<bool> {
        self.write(Lane::New, move |rows| {
            verbs::delete_broadcast(rows, scope, sid)
        })
    }

    fn broadcast(&self, scope: Scope, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(BROADCASTS).map_err(failed)?;
        let row = read(&table, sid)?;
        Ok(row.filter(|row| row.account == scope.account()))
    }

    fn broadcasts(
        &self,
        scope: Scope,
        from: Option<BroadcastCursor>,
        limit: usize,
    ) -> Result<BroadcastPage, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(BROADCASTS).map_err(failed)?;
        let places = transaction.open_table(BY_ACCOUNT).map_err(failed)?;
        let account = scope.account();
        let account = account.as_bytes();
        let own = places
            .range((account, &[0; 16])..=(account, &[0xff; 16]))
            .map_err(failed)?;
        let own = own.map(|place| {
            let (key, _) = place.map_err(failed)?;
            read(&table, BroadcastSid::from_bytes(*key.value().1))
        });
        let own = own.collect::<Result<Vec<_>, _>>()?;
        debug_assert!(own.len() <= MAX_BROADCASTS);
        let at = |row: &Broadcast| (row.created_unix_ms, row.sid);
        Ok(Page::of(own.into_iter().flatten(), at, from, limit))
    }

    fn recipient(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        number: &PhoneNumber,
    ) -> Result<Option<Recipient>, StoreError> {
        if self.broadcast(scope, sid)?.is_none() {
            return Ok(None);
        }
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(RECIPIENTS).map_err(failed)?;
        let sealed = table
            .get((sid.as_bytes(), number.as_str()))
            .map_err(failed)?;
        sealed
            .map(|sealed| {
                verbs::open_recipient(&self.directory(), scope, sid, number, sealed.value())
            })
            .transpose()
    }

    fn recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        standing: Option<Standing>,
        after: Option<&PhoneNumber>,
        limit: usize,
    ) -> Result<Option<RecipientPage>, StoreError> {
        if self.broadcast(scope, sid)?.is_none() {
            return Ok(None);
        }
        let directory = self.directory();
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(RECIPIENTS).map_err(failed)?;
        // No number is empty, so the empty text stands before them all.
        let after = after.map_or("", PhoneNumber::as_str);
        let rows = table
            .range((sid.as_bytes(), after)..)
            .map_err(failed)?
            .map(|row| {
                let (key, sealed) = row.map_err(failed)?;
                let (owner, number) = key.value();
                match owner == sid.as_bytes() {
                    true => Ok(Some((number.to_owned(), sealed.value().to_vec()))),
                    false => Ok(None),
                }
            })
            .map_while(Result::transpose)
            .filter(|row: &Result<_, StoreError>| {
                !row.as_ref().is_ok_and(|(number, _)| number == after)
            })
            .map(|row| {
                let (number, sealed) = row?;
                open(&directory, scope, sid, &number, &sealed)
            });
        broadcast::page(rows, standing, limit).map(Some)
    }
}

impl BroadcastWork for DiskStore {
    fn begun_broadcasts(&self) -> Result<Vec<Broadcast>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(BROADCASTS).map_err(failed)?;
        let begun = transaction.open_table(BEGUN).map_err(failed)?;
        let rows = begun.iter().map_err(failed)?.map(|place| {
            let (key, _) = place.map_err(failed)?;
            read(&table, BroadcastSid::from_bytes(*key.value()))
        });
        Ok(rows
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    fn has_deleted_broadcasts(&self) -> Result<bool, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let deleted = transaction.open_table(DELETED).map_err(failed)?;
        Ok(deleted.first().map_err(failed)?.is_some())
    }

    fn sweep_broadcasts(&self) -> Commit<()> {
        self.write(Lane::New, |rows| rows.sweep_recipients(MAX_WRITTEN_AT_ONCE))
    }

    fn due_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        now_unix_ms: u64,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let due = transaction.open_table(DUE).map_err(failed)?;
        let table = transaction.open_table(RECIPIENTS).map_err(failed)?;
        let sid_bytes = sid.as_bytes();
        let end = now_unix_ms.saturating_add(1);
        let rows = due
            .range((sid_bytes, 0, 0, "")..(sid_bytes, end, 0, ""))
            .map_err(failed)?;
        let directory = self.directory();
        rows.take(limit)
            .map(|row| {
                let (key, ()) = row
                    .map(|(key, value)| (key, value.value()))
                    .map_err(failed)?;
                one(&table, &directory, scope, sid, key.value().3)
            })
            .collect()
    }

    fn next_due(&self, sid: BroadcastSid) -> Result<Option<u64>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let due = transaction.open_table(DUE).map_err(failed)?;
        let sid = sid.as_bytes();
        let mut rows = due.range((sid, 0, 0, "")..).map_err(failed)?;
        let Some(first) = rows.next() else {
            return Ok(None);
        };
        let (key, _) = first.map_err(failed)?;
        let (owner, due, ..) = key.value();
        Ok((owner == sid).then_some(due))
    }

    fn judged_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let judged = transaction.open_table(JUDGED).map_err(failed)?;
        let table = transaction.open_table(RECIPIENTS).map_err(failed)?;
        let directory = self.directory();
        let mut found = Vec::new();
        for row in judged.range((sid.as_bytes(), "")..).map_err(failed)? {
            let (key, _) = row.map_err(failed)?;
            let (owner, number) = key.value();
            if owner != sid.as_bytes() || found.len() == limit {
                break;
            }
            found.push(one(&table, &directory, scope, sid, number)?);
        }
        Ok(found)
    }

    fn broadcast_calls(&self, sid: BroadcastSid) -> Result<Vec<CallSid>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let calling = transaction.open_table(CALLING).map_err(failed)?;
        let mut calls = Vec::new();
        for row in calling.range((sid.as_bytes(), "")..).map_err(failed)? {
            let (key, call) = row.map_err(failed)?;
            if key.value().0 != sid.as_bytes() {
                break;
            }
            calls.push(CallSid::from_bytes(*call.value()));
        }
        Ok(calls)
    }

    fn call_recipients(
        &self,
        sid: BroadcastSid,
        calls: Vec<NewCall>,
        at_unix_ms: u64,
    ) -> Commit<Vec<CallRow>> {
        self.write(Lane::New, move |rows| {
            verbs::call_recipients(rows, sid, calls, at_unix_ms)
        })
    }

    fn judge_recipients(
        &self,
        sid: BroadcastSid,
        judgements: Vec<(PhoneNumber, Judgement)>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(Lane::New, move |rows| {
            verbs::judge_recipients(rows, sid, judgements, at_unix_ms)
        })
    }
}

fn read(
    table: &impl ReadableTable<SidKey, &'static [u8]>,
    sid: BroadcastSid,
) -> Result<Option<Broadcast>, StoreError> {
    let stored = table.get(sid.as_bytes()).map_err(failed)?;
    stored
        .map(|stored| decode("broadcast", stored.value()))
        .transpose()
}

/// A recipient that an index names.
fn one(
    table: &impl ReadableTable<(SidKey, &'static str), &'static [u8]>,
    directory: &Directory,
    scope: Scope,
    sid: BroadcastSid,
    number: &str,
) -> Result<Recipient, StoreError> {
    let sealed = table.get((sid.as_bytes(), number)).map_err(failed)?;
    let sealed = sealed.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "an index of {sid} names a recipient who is not there"
        ))
    })?;
    open(directory, scope, sid, number, sealed.value())
}

fn open(
    directory: &Directory,
    scope: Scope,
    sid: BroadcastSid,
    number: &str,
    sealed: &[u8],
) -> Result<Recipient, StoreError> {
    let number: PhoneNumber = number
        .parse()
        .map_err(|error| StoreError::Corrupt(format!("recipients of {sid}: {error}")))?;
    verbs::open_recipient(directory, scope, sid, &number, sealed)
}

impl BroadcastRows for DiskRows<'_> {
    fn broadcast(&self, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError> {
        let table = self.transaction.open_table(BROADCASTS).map_err(failed)?;
        read(&table, sid)
    }

    fn broadcast_count(&self, account: AccountSid) -> Result<usize, StoreError> {
        let places = self.transaction.open_table(BY_ACCOUNT).map_err(failed)?;
        let account = account.as_bytes();
        let own = places.range((account, &[0; 16])..=(account, &[0xff; 16]));
        Ok(own.map_err(failed)?.count())
    }

    fn put_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError> {
        let sid = row.sid.as_bytes();
        let mut table = self.transaction.open_table(BROADCASTS).map_err(failed)?;
        let before = table.insert(sid, &*encode(row)).map_err(failed)?;
        if before.is_none() {
            let mut places = self.transaction.open_table(BY_ACCOUNT).map_err(failed)?;
            let place = (row.account.as_bytes(), sid);
            places.insert(place, ()).map_err(failed)?;
        }
        let mut begun = self.transaction.open_table(BEGUN).map_err(failed)?;
        match row.has_work() {
            true => drop(begun.insert(sid, ()).map_err(failed)?),
            false => drop(begun.remove(sid).map_err(failed)?),
        }
        Ok(())
    }

    fn remove_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError> {
        let (sid, account) = (row.sid.as_bytes(), row.account.as_bytes());
        let mut table = self.transaction.open_table(BROADCASTS).map_err(failed)?;
        table.remove(sid).map_err(failed)?;
        let mut places = self.transaction.open_table(BY_ACCOUNT).map_err(failed)?;
        places.remove((account, sid)).map_err(failed)?;
        let mut deleted = self.transaction.open_table(DELETED).map_err(failed)?;
        deleted.insert(sid, ()).map_err(failed)?;
        Ok(())
    }

    fn sweep_recipients(&mut self, limit: usize) -> Result<(), StoreError> {
        let mut deleted = self.transaction.open_table(DELETED).map_err(failed)?;
        let Some(sid) = deleted
            .first()
            .map_err(failed)?
            .map(|(sid, _)| *sid.value())
        else {
            return Ok(());
        };
        let mut table = self.transaction.open_table(RECIPIENTS).map_err(failed)?;
        let mut numbers = Vec::new();
        for row in table.range((&sid, "")..).map_err(failed)?.take(limit) {
            let (key, _) = row.map_err(failed)?;
            let (owner, number) = key.value();
            if *owner != sid {
                break;
            }
            numbers.push(number.to_owned());
        }
        let mut due = self.transaction.open_table(DUE).map_err(failed)?;
        for number in &numbers {
            let number = number.as_str();
            table.remove((&sid, number)).map_err(failed)?;
            // Whoever waits in a draft is due at once.
            due.remove((&sid, 0, shuffled(number), number))
                .map_err(failed)?;
        }
        if numbers.len() < limit {
            deleted.remove(&sid).map_err(failed)?;
        }
        Ok(())
    }

    fn recipient(&self, sid: BroadcastSid, number: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.transaction.open_table(RECIPIENTS).map_err(failed)?;
        let sealed = table.get((sid.as_bytes(), number)).map_err(failed)?;
        Ok(sealed.map(|sealed| sealed.value().to_vec()))
    }

    fn put_recipient(
        &mut self,
        sid: BroadcastSid,
        number: &PhoneNumber,
        sealed: &[u8],
        before: Option<Place>,
        after: Place,
    ) -> Result<(), StoreError> {
        let transaction = self.transaction;
        let number = number.as_str();
        let key = (sid.as_bytes(), number);
        let mut table = transaction.open_table(RECIPIENTS).map_err(failed)?;
        table.insert(key, sealed).map_err(failed)?;
        if before == Some(after) {
            return Ok(());
        }
        let mut due = transaction.open_table(DUE).map_err(failed)?;
        let mut judged = transaction.open_table(JUDGED).map_err(failed)?;
        let mut calling = transaction.open_table(CALLING).map_err(failed)?;
        let mut of_calls = transaction.open_table(OF_CALLS).map_err(failed)?;
        let at = |due: u64| (sid.as_bytes(), due, shuffled(number), number);
        match before {
            Some(Place::Due(time)) => drop(due.remove(at(time)).map_err(failed)?),
            Some(Place::Judged) => drop(judged.remove(key).map_err(failed)?),
            Some(Place::Calling(call)) => {
                calling.remove(key).map_err(failed)?;
                of_calls.remove(call.as_bytes()).map_err(failed)?;
            }
            Some(Place::Over) | None => {}
        }
        match after {
            Place::Due(time) => drop(due.insert(at(time), ()).map_err(failed)?),
            Place::Judged => drop(judged.insert(key, ()).map_err(failed)?),
            Place::Calling(call) => {
                calling.insert(key, call.as_bytes()).map_err(failed)?;
                of_calls.insert(call.as_bytes(), key).map_err(failed)?;
            }
            Place::Over => {}
        }
        Ok(())
    }

    fn recipient_of_call(
        &self,
        call: CallSid,
    ) -> Result<Option<(BroadcastSid, PhoneNumber)>, StoreError> {
        let of_calls = self.transaction.open_table(OF_CALLS).map_err(failed)?;
        let found = of_calls.get(call.as_bytes()).map_err(failed)?;
        let Some(found) = found else {
            return Ok(None);
        };
        let (sid, number) = found.value();
        let number = number
            .parse()
            .map_err(|error| StoreError::Corrupt(format!("whom {call} is made for: {error}")))?;
        Ok(Some((BroadcastSid::from_bytes(*sid), number)))
    }
}
