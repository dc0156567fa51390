//! The one thread that writes.

use std::sync::{Arc, RwLock};

use redb::{Database, ReadableDatabase, ReadableTable};

use super::components::ComponentFolder;
use super::conferences;
use super::open_streams;
use super::queue::Queue;
use super::rows::DiskRows;
use super::tables::{self, failed};
use crate::rows::Rows;
use crate::seal::OperatorKey;
use crate::{CallRow, Directory, StoreError, verbs};
use call::CallSid;

/// Takes batches of verbs from the queue until the store is closed or the disk fails.
pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) directory: Arc<RwLock<Arc<Directory>>>,
    pub(super) components: ComponentFolder,
    pub(super) key: OperatorKey,
    pub(super) queue: Arc<Queue>,
}

impl Writer {
    pub(super) fn run(mut self) {
        while let Some(mut batch) = self.queue.take() {
            let outcome = self.transact(|rows| batch.iter_mut().try_for_each(|job| job.run(rows)));
            if let Err(error) = &outcome {
                tracing::error!(%error, "the store stops writing");
                self.queue.fail(error);
            }
            for job in batch {
                job.resolve(outcome.clone());
            }
        }
    }

    /// Runs `work` in one transaction and makes it durable. On an error nothing of it is kept.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Rows) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        // Otherwise opening after a kill would walk the whole database, and take longer with every call ever kept (at 200,000
        // calls 1.3 s, against 0.1 s). It costs a second sync and a fifth more CPU for each batch.
        transaction.set_quick_repair(true);
        let before = Arc::clone(
            &self
                .directory
                .read()
                .expect("nobody panics while the directory is locked"),
        );
        let (done, directory, forgotten) = {
            let mut rows = DiskRows::open(
                &transaction,
                Arc::clone(&before),
                &self.components,
                &self.key,
            )?;
            let done = work(&mut rows)?;
            let forgotten = std::mem::take(&mut rows.forgotten);
            (done, rows.directory(), forgotten)
        };
        transaction.commit().map_err(failed)?;
        for sha256 in forgotten {
            if !directory.has_component(sha256) {
                self.components.forget(sha256);
            }
        }
        if !Arc::ptr_eq(&before, &directory) {
            *self
                .directory
                .write()
                .expect("nobody panics while the directory is locked") = directory;
        }
        Ok(done)
    }

    /// Ends the calls, conferences and media streams that the last process left live.
    pub(super) fn recover(&mut self, now_unix_ms: u64) -> Result<Vec<CallRow>, StoreError> {
        let live = self.live_calls()?;
        let conferences = conferences::live(&self.database)?;
        let streams = open_streams::all(&self.database)?;
        if live.is_empty() && conferences.is_empty() && streams.is_empty() {
            return Ok(Vec::new());
        }
        self.transact(|rows| {
            let lost = verbs::recover(rows, &live, now_unix_ms)?;
            verbs::recover_conferences(rows, &conferences, now_unix_ms)?;
            verbs::recover_streams(rows, streams, now_unix_ms)?;
            Ok(lost)
        })
    }

    fn live_calls(&self) -> Result<Vec<CallSid>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let live = transaction.open_table(tables::LIVE).map_err(failed)?;
        let sid = |row: Result<(redb::AccessGuard<'_, tables::SidKey>, _), _>| -> Result<CallSid, StoreError> {
            let (key, _): (_, redb::AccessGuard<'_, ()>) = row.map_err(failed)?;
            Ok(CallSid::from_bytes(*key.value()))
        };
        live.iter().map_err(failed)?.map(sid).collect()
    }
}

impl Drop for Writer {
    /// Should a verb panic, nobody waits for ever.
    fn drop(&mut self) {
        self.queue
            .fail(&StoreError::Failed("the writer has stopped".to_owned()));
    }
}
