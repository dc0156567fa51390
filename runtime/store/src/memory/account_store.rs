//! What an account sees of the store in memory.

use std::sync::Arc;

use call::{CallSid, ConferenceSid, Exchange, QueueSid, RecordingSid};

use super::MemoryStore;
use crate::rows::Rows;
use crate::{
    AccountStore, AuditEntry, Author, CallChange, CallEvent, CallFilter, CallRow, CallbackRow,
    Commit, ConferenceCursor, ConferenceFilter, ConferencePage, ConferenceRow, Cursor, Directory,
    Edit, NewCall, NewQueue, Page, ParticipantFilter, ParticipantPage, PluginEvent, PluginOwner,
    QueueChange, QueueCursor, QueuePage, QueueRow, RecordingCursor, RecordingFilter, RecordingPage,
    RecordingRow, Scope, StoreError, UsageOfDay, page, verbs,
};

impl AccountStore for MemoryStore {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.rows().directory)
    }

    fn accept_call(&self, scope: Scope, call: NewCall) -> Commit<CallRow> {
        self.write(|rows| verbs::accept_call(rows, scope, call))
    }

    fn call(&self, scope: Scope, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        Ok(self.rows().call_of(scope, sid).cloned())
    }

    fn calls(
        &self,
        scope: Scope,
        filter: &CallFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut calls: Vec<&CallRow> = rows
            .calls
            .values()
            .filter(|row| {
                row.account == scope.account() && (first..before).contains(&row.created_unix_ms)
            })
            .filter(|row| from.is_none_or(|from| Cursor::at(row) < from))
            .collect();
        calls.sort_by_key(|row| std::cmp::Reverse(Cursor::at(row)));
        let calls = calls.into_iter().cloned().map(Ok);
        page::take(calls, Cursor::at, |row| filter.fits(row), limit)
    }

    fn events(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<CallEvent>>, StoreError> {
        let rows = self.rows();
        Ok(rows
            .call_of(scope, sid)
            .and_then(|_| rows.events.get(&sid))
            .cloned())
    }

    fn exchanges(&self, scope: Scope, sid: CallSid) -> Result<Vec<(u32, Exchange)>, StoreError> {
        let rows = self.rows();
        let kept = rows
            .call_of(scope, sid)
            .and_then(|_| rows.exchanges.get(&sid));
        let opened = |(sequence, sealed): &(u32, Vec<u8>)| {
            let exchange = verbs::open_exchange(&rows.directory, scope, sid, sealed)?;
            Ok((*sequence, exchange))
        };
        kept.into_iter().flatten().map(opened).collect()
    }

    fn journal(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows();
        let sealed = rows
            .call_of(scope, sid)
            .and_then(|_| rows.journals.get(&sid));
        sealed
            .map(|sealed| verbs::open_journal(&rows.directory, scope, sid, sealed))
            .transpose()
    }

    fn recording(
        &self,
        scope: Scope,
        sid: RecordingSid,
    ) -> Result<Option<RecordingRow>, StoreError> {
        let rows = self.rows();
        let row = rows.recordings.get(&sid);
        Ok(row.filter(|row| row.account == scope.account()).cloned())
    }

    fn recordings(
        &self,
        scope: Scope,
        filter: &RecordingFilter,
        from: Option<RecordingCursor>,
        limit: usize,
    ) -> Result<RecordingPage, StoreError> {
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut found: Vec<&RecordingRow> = rows
            .recordings
            .values()
            .filter(|row| (first..before).contains(&row.created_unix_ms))
            .filter(|row| filter.of.is_none_or(|of| row.of == of))
            .filter(|row| from.is_none_or(|from| RecordingCursor::of(row) < from))
            .collect();
        found.sort_by_key(|row| std::cmp::Reverse(RecordingCursor::of(row)));
        let found = found.into_iter().cloned().map(Ok);
        let is_own = |row: &RecordingRow| row.account == scope.account();
        page::take(found, RecordingCursor::of, is_own, limit)
    }

    fn change_call(
        &self,
        scope: Scope,
        sid: CallSid,
        change: CallChange,
        at_unix_ms: u64,
    ) -> Commit<Option<CallRow>> {
        self.write(|rows| verbs::change_call(rows, scope, sid, change, at_unix_ms))
    }

    fn delete_call(&self, scope: Scope, sid: CallSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_call(rows, scope, sid))
    }

    fn delete_recording(&self, scope: Scope, sid: RecordingSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_recording(rows, scope, sid))
    }

    fn conference(
        &self,
        scope: Scope,
        sid: ConferenceSid,
    ) -> Result<Option<ConferenceRow>, StoreError> {
        let rows = self.rows();
        let row = rows.conferences.get(&sid);
        Ok(row.filter(|row| row.account == scope.account()).cloned())
    }

    fn conferences(
        &self,
        scope: Scope,
        filter: &ConferenceFilter,
        from: Option<ConferenceCursor>,
        limit: usize,
    ) -> Result<ConferencePage, StoreError> {
        let at = ConferenceCursor::of_conference;
        let rows = self.rows();
        let (first, before) = filter.created();
        let mut found: Vec<&ConferenceRow> = rows
            .conferences
            .values()
            .filter(|row| row.account == scope.account())
            .filter(|row| (first..before).contains(&row.created_unix_ms))
            .filter(|row| from.is_none_or(|from| at(row) < from))
            .collect();
        found.sort_by_key(|row| std::cmp::Reverse(at(row)));
        let found = found.into_iter().cloned().map(Ok);
        page::take(found, at, |row| filter.fits(row), limit)
    }

    fn participants(
        &self,
        scope: Scope,
        sid: ConferenceSid,
        filter: ParticipantFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<ParticipantPage, StoreError> {
        let all = Rows::participants(&*self.rows(), sid)?;
        page::of_participants(all, scope, filter, from, limit)
    }

    fn queue(&self, scope: Scope, sid: QueueSid) -> Result<Option<QueueRow>, StoreError> {
        let all = Rows::queues(&*self.rows(), scope.account())?;
        Ok(all.into_iter().find(|row| row.sid == sid))
    }

    fn queue_named(&self, scope: Scope, name: &str) -> Result<Option<QueueRow>, StoreError> {
        let all = Rows::queues(&*self.rows(), scope.account())?;
        Ok(all.into_iter().find(|row| row.name == name))
    }

    fn queues(
        &self,
        scope: Scope,
        from: Option<QueueCursor>,
        limit: usize,
    ) -> Result<QueuePage, StoreError> {
        page::of_queues(Rows::queues(&*self.rows(), scope.account())?, from, limit)
    }

    fn begin_queue(&self, scope: Scope, new: NewQueue) -> Commit<QueueRow> {
        self.write(|rows| verbs::begin_queue(rows, scope, new))
    }

    fn change_queue(
        &self,
        scope: Scope,
        sid: QueueSid,
        change: QueueChange,
        at_unix_ms: u64,
    ) -> Commit<Option<QueueRow>> {
        self.write(|rows| verbs::change_queue(rows, scope, sid, change, at_unix_ms))
    }

    fn delete_queue(&self, scope: Scope, sid: QueueSid) -> Commit<bool> {
        self.write(|rows| verbs::delete_queue(rows, scope, sid))
    }

    fn undelivered(
        &self,
        scope: Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, StoreError> {
        let rows = self.rows();
        let own = rows.callbacks.range(after + 1..).map(|(_, row)| row);
        let given_up =
            own.filter(|row| row.account == scope.account() && row.due_unix_ms.is_none());
        Ok(given_up.take(limit).cloned().collect())
    }

    fn redeliver(&self, scope: Scope, id: u64, at_unix_ms: u64) -> Commit<Option<CallbackRow>> {
        self.write(|rows| verbs::redeliver(rows, scope, id, at_unix_ms))
    }

    fn edit(&self, scope: Scope, edit: Edit, author: Author) -> Commit<Arc<Directory>> {
        self.write(|rows| verbs::edit(rows, scope, edit, &author))
    }

    fn usage(&self, scope: Scope, first: u32, last: u32) -> Result<Vec<UsageOfDay>, StoreError> {
        let rows = self.rows();
        let own = rows.usage.iter();
        let own = own.filter(|((account, day, _), _)| {
            *account == scope.account() && (first..=last).contains(day)
        });
        let own = own.map(|((_, day, category), (count, minutes))| UsageOfDay {
            day: *day,
            category: *category,
            count: *count,
            minutes: *minutes,
        });
        Ok(own.collect())
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.rows();
        let wanted = rows.audit.iter().rev();
        let wanted = wanted.filter(|entry| before.is_none_or(|before| entry.id < before));
        Ok(wanted.take(limit).cloned().collect())
    }

    fn plugin_history(
        &self,
        owner: &PluginOwner,
        name: &str,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<PluginEvent>, StoreError> {
        let rows = self.rows();
        let key = (owner.clone(), name.to_owned());
        let events = rows.plugin_events.get(&key).into_iter().flatten().rev();
        let wanted = events.filter(|event| before.is_none_or(|before| event.sequence < before));
        Ok(wanted.take(limit).cloned().collect())
    }
}
