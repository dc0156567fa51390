//! The store of one node: redb, one file, every acknowledged write synced to the disk.
//!
//! One thread writes. It takes all verbs that have queued up meanwhile, runs them in one transaction, syncs once, and then
//! resolves their commits (group commit): the busier the store, the fewer syncs a verb costs. Reads run on the asking thread
//! against the last durable state and never wait for the writer.

mod account_row;
mod account_store;
mod audit;
mod broadcasts;
mod callbacks;
mod components;
mod conferences;
mod exchanges;
mod farewells;
mod key_values;
mod open;
mod open_streams;
mod people;
mod plugin_pages;
mod plugins;
mod queue;
mod queues;
mod recordings;
mod rows;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod trunk_row;
mod usage;
mod waiting;
mod writer;

use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

use call::CallSid;
use redb::{Database, ReadableDatabase};

use self::components::ComponentFolder;
use self::open::{cannot_open, make_folder, operator_key};
use self::queue::{Lane, Queue};
use self::writer::Writer;
use crate::rows::Rows;
use crate::seal::OperatorKey;
use crate::{CallRow, Commit, Directory, Farewell, Scope, StoreError};

pub use self::open::{OpenError, Places};

/// How much of the database redb may keep in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What opening a store found to repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The calls that were being dialled or were up when the last process died, as they ended: failed, or completed if they
    /// had been answered, with `end_reason` `node_lost` and the duration that is known for sure.
    pub lost: Vec<CallRow>,
    /// What ends the dialogs of those that had been answered, and of calls of earlier processes that nobody could be told of.
    pub farewells: Vec<(CallRow, Farewell)>,
}

/// Keeps everything in a redb database. See the module's text.
#[derive(Debug)]
pub struct DiskStore {
    database: Arc<Database>,
    directory: Arc<RwLock<Arc<Directory>>>,
    components: ComponentFolder,
    key: OperatorKey,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl DiskStore {
    /// Opens the store, or makes it (and its key) where there is none, and ends the calls that the last process left live.
    pub fn open(places: &Places, now_unix_ms: u64) -> Result<(Self, Recovered), OpenError> {
        make_folder(places.database.parent())?;
        make_folder(Some(&places.components))?;
        let database = redb::Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create(&places.database)
            .map_err(|error| cannot_open(places, error))?;
        Self::start(database, places, now_unix_ms)
    }

    fn start(
        database: Database,
        places: &Places,
        now_unix_ms: u64,
    ) -> Result<(Self, Recovered), OpenError> {
        let key = operator_key(&database, places)?;
        tables::create(&database).map_err(|error| cannot_open(places, error))?;
        let directory = Arc::new(rows::load_directory(&database, &key).map_err(OpenError::Rows)?);
        let components = ComponentFolder::new(places.components.clone());
        let mut writer = Writer {
            database: Arc::new(database),
            directory: Arc::new(RwLock::new(directory)),
            components: components.clone(),
            key: key.clone(),
            queue: Arc::new(Queue::default()),
        };
        let lost = writer.recover(now_unix_ms).map_err(OpenError::Rows)?;
        let farewells = farewells::all(&writer.database).map_err(OpenError::Rows)?;
        let (database, directory) = (Arc::clone(&writer.database), Arc::clone(&writer.directory));
        let queue = Arc::clone(&writer.queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run());
        let writer = Some(thread.expect("a process that starts up has room for a thread"));
        Ok((
            Self {
                database,
                directory,
                components,
                key,
                queue,
                writer,
            },
            Recovered { lost, farewells },
        ))
    }

    fn write<T, F>(&self, lane: Lane, verb: F) -> Commit<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Rows) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue.submit(lane, verb)
    }

    fn call_of(&self, scope: Scope, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        let transaction = self.database.begin_read().map_err(tables::failed)?;
        let row = tables::read_call(
            &transaction
                .open_table(tables::CALLS)
                .map_err(tables::failed)?,
            sid,
        )?;
        Ok(row.filter(|row| row.account == scope.account()))
    }
}

impl Drop for DiskStore {
    /// Writes what is queued, then closes the database.
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(writer) = self.writer.take() {
            let _its_panic_was_logged = writer.join();
        }
    }
}
