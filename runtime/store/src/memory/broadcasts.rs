//! Broadcasts in memory, their recipients sealed as they are on a disk.

use std::collections::{BTreeMap, BTreeSet};

use call::{AccountSid, BroadcastSid, CallSid};
use numbers::PhoneNumber;

use super::{MemoryRows, MemoryStore};
use crate::broadcast::{
    BroadcastRows, BroadcastStore, BroadcastWork, MAX_WRITTEN_AT_ONCE, Place, Standing,
};
use crate::verbs::shuffled;
use crate::{
    Broadcast, BroadcastChange, BroadcastCursor, BroadcastOrder, BroadcastPage, CallRow, Commit,
    Judgement, NewBroadcast, NewCall, NewRecipient, Page, Recipient, RecipientPage, Scope,
    StoreError, broadcast, verbs,
};

/// What is kept of all broadcasts.
#[derive(Debug, Default)]
pub(super) struct Kept {
    broadcasts: BTreeMap<BroadcastSid, Broadcast>,
    recipients: BTreeMap<(BroadcastSid, PhoneNumber), Vec<u8>>,
    due: BTreeSet<(BroadcastSid, u64, u32, PhoneNumber)>,
    judged: BTreeSet<(BroadcastSid, PhoneNumber)>,
    calling: BTreeMap<(BroadcastSid, PhoneNumber), CallSid>,
    of_calls: BTreeMap<CallSid, (BroadcastSid, PhoneNumber)>,
}

impl MemoryRows {
    fn open(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        number: &PhoneNumber,
    ) -> Result<Recipient, StoreError> {
        let sealed = &self.kept.recipients[&(sid, number.clone())];
        verbs::open_recipient(&self.directory, scope, sid, number, sealed)
    }
}

impl BroadcastStore for MemoryStore {
    fn create_broadcast(&self, scope: Scope, new: NewBroadcast) -> Commit<Broadcast> {
        self.write(|rows| verbs::create_broadcast(rows, scope, new))
    }

    fn change_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        change: BroadcastChange,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(|rows| verbs::change_broadcast(rows, scope, sid, change, at_unix_ms))
    }

    fn add_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        recipients: Vec<NewRecipient>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(|rows| verbs::add_recipients(rows, scope, sid, recipients, at_unix_ms))
    }

    fn order_broadcast(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        order: BroadcastOrder,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(|rows| verbs::order_broadcast(rows, scope, sid, order, at_unix_ms))
    }

    fn delete_broadcast(&self, scope: Scope, sid: BroadcastSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_broadcast(rows, scope, sid))
    }

    fn broadcast(&self, scope: Scope, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError> {
        let row = BroadcastRows::broadcast(&*self.rows(), sid)?;
        Ok(row.filter(|row| row.account == scope.account()))
    }

    fn broadcasts(
        &self,
        scope: Scope,
        from: Option<BroadcastCursor>,
        limit: usize,
    ) -> Result<BroadcastPage, StoreError> {
        let rows = self.rows();
        let own = rows.kept.broadcasts.values();
        let own = own.filter(|row| row.account == scope.account()).cloned();
        let at = |row: &Broadcast| (row.created_unix_ms, row.sid);
        Ok(Page::of(own, at, from, limit))
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
        let rows = self.rows();
        let is_there = rows.kept.recipients.contains_key(&(sid, number.clone()));
        is_there.then(|| rows.open(scope, sid, number)).transpose()
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
        let rows = self.rows();
        let numbers = rows.kept.recipients.keys();
        let numbers =
            numbers.filter(|(of, number)| *of == sid && after.is_none_or(|after| number > after));
        let all = numbers.map(|(_, number)| rows.open(scope, sid, number));
        broadcast::page(all, standing, limit).map(Some)
    }
}

impl BroadcastWork for MemoryStore {
    fn begun_broadcasts(&self) -> Result<Vec<Broadcast>, StoreError> {
        let rows = self.rows();
        let all = rows.kept.broadcasts.values();
        Ok(all.filter(|row| row.has_work()).cloned().collect())
    }

    fn has_deleted_broadcasts(&self) -> Result<bool, StoreError> {
        let rows = self.rows();
        let mut all = rows.kept.recipients.keys();
        Ok(all.any(|(of, _)| !rows.kept.broadcasts.contains_key(of)))
    }

    fn sweep_broadcasts(&self) -> Commit<()> {
        self.write(|rows| rows.sweep_recipients(MAX_WRITTEN_AT_ONCE))
    }

    fn due_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        now_unix_ms: u64,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError> {
        let rows = self.rows();
        let due = rows.kept.due.iter();
        let due = due.filter(|(of, due, ..)| *of == sid && *due <= now_unix_ms);
        due.take(limit)
            .map(|(.., number)| rows.open(scope, sid, number))
            .collect()
    }

    fn next_due(&self, sid: BroadcastSid) -> Result<Option<u64>, StoreError> {
        let rows = self.rows();
        let mut due = rows.kept.due.iter();
        Ok(due.find(|(of, ..)| *of == sid).map(|(_, due, ..)| *due))
    }

    fn judged_recipients(
        &self,
        scope: Scope,
        sid: BroadcastSid,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError> {
        let rows = self.rows();
        let judged = rows.kept.judged.iter().filter(|(of, _)| *of == sid);
        judged
            .take(limit)
            .map(|(_, number)| rows.open(scope, sid, number))
            .collect()
    }

    fn broadcast_calls(&self, sid: BroadcastSid) -> Result<Vec<CallSid>, StoreError> {
        let rows = self.rows();
        let calling = rows.kept.calling.iter();
        let own = calling.filter(|((of, _), _)| *of == sid);
        Ok(own.map(|(_, call)| *call).collect())
    }

    fn call_recipients(
        &self,
        sid: BroadcastSid,
        calls: Vec<NewCall>,
        at_unix_ms: u64,
    ) -> Commit<Vec<CallRow>> {
        self.write(|rows| verbs::call_recipients(rows, sid, calls, at_unix_ms))
    }

    fn judge_recipients(
        &self,
        sid: BroadcastSid,
        judgements: Vec<(PhoneNumber, Judgement)>,
        at_unix_ms: u64,
    ) -> Commit<Option<Broadcast>> {
        self.write(|rows| verbs::judge_recipients(rows, sid, judgements, at_unix_ms))
    }
}

impl BroadcastRows for MemoryRows {
    fn broadcast(&self, sid: BroadcastSid) -> Result<Option<Broadcast>, StoreError> {
        Ok(self.kept.broadcasts.get(&sid).cloned())
    }

    fn broadcast_count(&self, account: AccountSid) -> Result<usize, StoreError> {
        let all = self.kept.broadcasts.values();
        Ok(all.filter(|row| row.account == account).count())
    }

    fn put_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError> {
        self.kept.broadcasts.insert(row.sid, row.clone());
        Ok(())
    }

    fn remove_broadcast(&mut self, row: &Broadcast) -> Result<(), StoreError> {
        self.kept.broadcasts.remove(&row.sid);
        Ok(())
    }

    fn sweep_recipients(&mut self, limit: usize) -> Result<(), StoreError> {
        let Kept {
            broadcasts,
            recipients,
            due,
            ..
        } = &mut self.kept;
        let swept = recipients.keys();
        let swept: BTreeSet<_> = swept
            .filter(|(of, _)| !broadcasts.contains_key(of))
            .take(limit)
            .cloned()
            .collect();
        recipients.retain(|key, _| !swept.contains(key));
        due.retain(|(of, _, _, number)| !swept.contains(&(*of, number.clone())));
        Ok(())
    }

    fn recipient(&self, sid: BroadcastSid, number: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(number) = number.parse::<PhoneNumber>() else {
            return Ok(None);
        };
        Ok(self.kept.recipients.get(&(sid, number)).cloned())
    }

    fn put_recipient(
        &mut self,
        sid: BroadcastSid,
        number: &PhoneNumber,
        sealed: &[u8],
        before: Option<Place>,
        after: Place,
    ) -> Result<(), StoreError> {
        let key = (sid, number.clone());
        let at = |due: u64| (sid, due, shuffled(number.as_str()), number.clone());
        let kept = &mut self.kept;
        kept.recipients.insert(key.clone(), sealed.to_vec());
        match before {
            Some(Place::Due(time)) => drop(kept.due.remove(&at(time))),
            Some(Place::Judged) => drop(kept.judged.remove(&key)),
            Some(Place::Calling(call)) => {
                kept.calling.remove(&key);
                kept.of_calls.remove(&call);
            }
            Some(Place::Over) | None => {}
        }
        match after {
            Place::Due(time) => drop(kept.due.insert(at(time))),
            Place::Judged => drop(kept.judged.insert(key)),
            Place::Calling(call) => {
                kept.of_calls.insert(call, key.clone());
                kept.calling.insert(key, call);
            }
            Place::Over => {}
        }
        Ok(())
    }

    fn recipient_of_call(
        &self,
        call: CallSid,
    ) -> Result<Option<(BroadcastSid, PhoneNumber)>, StoreError> {
        Ok(self.kept.of_calls.get(&call).cloned())
    }
}
