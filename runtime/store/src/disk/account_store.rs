//! What an account sees of the store on the disk.

use std::sync::Arc;

use call::{CallSid, ConferenceSid, Exchange, QueueSid, RecordingSid};
use redb::ReadableDatabase;

use super::queue::Lane;
use super::{
    DiskStore, audit, callbacks, conferences, exchanges, plugins, queues, recordings, tables, usage,
};
use crate::{
    AccountStore, AuditEntry, Author, CallChange, CallEvent, CallFilter, CallRow, CallbackRow,
    Commit, ConferenceCursor, ConferenceFilter, ConferencePage, ConferenceRow, Cursor, Directory,
    Edit, NewCall, NewQueue, Page, ParticipantFilter, ParticipantPage, PluginEvent, PluginOwner,
    QueueChange, QueueCursor, QueuePage, QueueRow, RecordingCursor, RecordingFilter, RecordingPage,
    RecordingRow, Scope, StoreError, UsageOfDay, page, verbs,
};

impl AccountStore for DiskStore {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(
            &self
                .directory
                .read()
                .expect("nobody panics while the directory is locked"),
        )
    }

    fn accept_call(&self, scope: Scope, call: NewCall) -> Commit<CallRow> {
        self.write(Lane::New, move |rows| verbs::accept_call(rows, scope, call))
    }

    fn call(&self, scope: Scope, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        self.call_of(scope, sid)
    }

    fn calls(
        &self,
        scope: Scope,
        filter: &CallFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let transaction = self.database.begin_read().map_err(tables::failed)?;
        let places = transaction
            .open_table(tables::CALLS_BY_ACCOUNT)
            .map_err(tables::failed)?;
        let calls = transaction
            .open_table(tables::CALLS)
            .map_err(tables::failed)?;
        let account = scope.account();
        let (first, before) = filter.created();
        let end = from.map_or((before, [0; 16]), |from| {
            (from.created_unix_ms, *from.sid.as_bytes()).min((before, [0; 16]))
        });
        let (lowest, highest) = (
            (account.as_bytes(), first, &[0; 16]),
            (account.as_bytes(), end.0, &end.1),
        );
        if lowest >= highest {
            return page::take(
                std::iter::empty(),
                Cursor::at,
                |row| filter.fits(row),
                limit,
            );
        }
        let rows = places
            .range(lowest..highest)
            .map_err(tables::failed)?
            .rev()
            .map(|place| {
                let (key, _) = place.map_err(tables::failed)?;
                tables::indexed_call(&calls, CallSid::from_bytes(*key.value().2))
            });
        page::take(rows, Cursor::at, |row| filter.fits(row), limit)
    }

    fn events(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<CallEvent>>, StoreError> {
        if self.call_of(scope, sid)?.is_none() {
            return Ok(None);
        }
        let transaction = self.database.begin_read().map_err(tables::failed)?;
        let events = transaction
            .open_table(tables::EVENTS)
            .map_err(tables::failed)?;
        let range = events
            .range((sid.as_bytes(), 0)..=(sid.as_bytes(), u32::MAX))
            .map_err(tables::failed)?;
        let decode = |event: Result<_, _>| {
            let (_, value): (_, redb::AccessGuard<'_, &[u8]>) = event.map_err(tables::failed)?;
            tables::decode("event", value.value())
        };
        range.map(decode).collect::<Result<_, _>>().map(Some)
    }

    fn exchanges(&self, scope: Scope, sid: CallSid) -> Result<Vec<(u32, Exchange)>, StoreError> {
        if self.call_of(scope, sid)?.is_none() {
            return Ok(Vec::new());
        }
        let directory = self.directory();
        let opened = |(sequence, sealed): (u32, Vec<u8>)| {
            let exchange = verbs::open_exchange(&directory, scope, sid, &sealed)?;
            Ok((sequence, exchange))
        };
        exchanges::of(&self.database, sid)?
            .into_iter()
            .map(opened)
            .collect()
    }

    fn journal(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<u8>>, StoreError> {
        if self.call_of(scope, sid)?.is_none() {
            return Ok(None);
        }
        let transaction = self.database.begin_read().map_err(tables::failed)?;
        let journals = transaction
            .open_table(tables::JOURNALS)
            .map_err(tables::failed)?;
        let sealed = journals.get(sid.as_bytes()).map_err(tables::failed)?;
        sealed
            .map(|sealed| verbs::open_journal(&self.directory(), scope, sid, sealed.value()))
            .transpose()
    }

    fn recording(
        &self,
        scope: Scope,
        sid: RecordingSid,
    ) -> Result<Option<RecordingRow>, StoreError> {
        recordings::one(&self.database, scope, sid)
    }

    fn recordings(
        &self,
        scope: Scope,
        filter: &RecordingFilter,
        from: Option<RecordingCursor>,
        limit: usize,
    ) -> Result<RecordingPage, StoreError> {
        recordings::list(&self.database, scope, filter, from, limit)
    }

    fn change_call(
        &self,
        scope: Scope,
        sid: CallSid,
        change: CallChange,
        at_unix_ms: u64,
    ) -> Commit<Option<CallRow>> {
        self.write(Lane::New, move |rows| {
            verbs::change_call(rows, scope, sid, change, at_unix_ms)
        })
    }

    fn delete_call(&self, scope: Scope, sid: CallSid) -> Commit<bool> {
        self.write(Lane::New, move |rows| verbs::delete_call(rows, scope, sid))
    }

    fn delete_recording(&self, scope: Scope, sid: RecordingSid) -> Commit<bool> {
        self.write(Lane::New, move |rows| {
            verbs::delete_recording(rows, scope, sid)
        })
    }

    fn conference(
        &self,
        scope: Scope,
        sid: ConferenceSid,
    ) -> Result<Option<ConferenceRow>, StoreError> {
        conferences::one(&self.database, scope, sid)
    }

    fn conferences(
        &self,
        scope: Scope,
        filter: &ConferenceFilter,
        from: Option<ConferenceCursor>,
        limit: usize,
    ) -> Result<ConferencePage, StoreError> {
        conferences::list(&self.database, scope, filter, from, limit)
    }

    fn participants(
        &self,
        scope: Scope,
        sid: ConferenceSid,
        filter: ParticipantFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<ParticipantPage, StoreError> {
        conferences::participants(&self.database, scope, sid, filter, from, limit)
    }

    fn queue(&self, scope: Scope, sid: QueueSid) -> Result<Option<QueueRow>, StoreError> {
        let all = queues::read(&self.database, scope.account())?;
        Ok(all.into_iter().find(|row| row.sid == sid))
    }

    fn queue_named(&self, scope: Scope, name: &str) -> Result<Option<QueueRow>, StoreError> {
        let all = queues::read(&self.database, scope.account())?;
        Ok(all.into_iter().find(|row| row.name == name))
    }

    fn queues(
        &self,
        scope: Scope,
        from: Option<QueueCursor>,
        limit: usize,
    ) -> Result<QueuePage, StoreError> {
        page::of_queues(queues::read(&self.database, scope.account())?, from, limit)
    }

    fn begin_queue(&self, scope: Scope, new: NewQueue) -> Commit<QueueRow> {
        self.write(Lane::New, move |rows| verbs::begin_queue(rows, scope, new))
    }

    fn change_queue(
        &self,
        scope: Scope,
        sid: QueueSid,
        change: QueueChange,
        at_unix_ms: u64,
    ) -> Commit<Option<QueueRow>> {
        self.write(Lane::New, move |rows| {
            verbs::change_queue(rows, scope, sid, change, at_unix_ms)
        })
    }

    fn delete_queue(&self, scope: Scope, sid: QueueSid) -> Commit<bool> {
        self.write(Lane::New, move |rows| verbs::delete_queue(rows, scope, sid))
    }

    fn undelivered(
        &self,
        scope: Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, StoreError> {
        callbacks::given_up(&self.database, scope, after, limit)
    }

    fn redeliver(&self, scope: Scope, id: u64, at_unix_ms: u64) -> Commit<Option<CallbackRow>> {
        self.write(Lane::New, move |rows| {
            verbs::redeliver(rows, scope, id, at_unix_ms)
        })
    }

    fn edit(&self, scope: Scope, edit: Edit, author: Author) -> Commit<Arc<Directory>> {
        self.write(Lane::New, move |rows| {
            verbs::edit(rows, scope, edit, &author)
        })
    }

    fn usage(&self, scope: Scope, first: u32, last: u32) -> Result<Vec<UsageOfDay>, StoreError> {
        usage::list(&self.database, scope.account(), first, last)
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        audit::list(&self.database, before, limit)
    }

    fn plugin_history(
        &self,
        owner: &PluginOwner,
        name: &str,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<PluginEvent>, StoreError> {
        plugins::history(&self.database, owner, name, before, limit)
    }
}
