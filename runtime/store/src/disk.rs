//! The store of one node: redb, one file, every acknowledged write synced to the disk.
//!
//! One thread writes. It takes all verbs that have queued up meanwhile, runs them in one transaction, syncs once, and then
//! resolves their commits (group commit): the busier the store, the fewer syncs a verb costs. Reads run on the asking thread
//! against the last durable state and never wait for the writer.

mod account_row;
mod audit;
mod broadcasts;
mod callbacks;
mod components;
mod conferences;
mod exchanges;
mod key_values;
mod open_streams;
mod people;
mod plugin_pages;
mod plugins;
mod queue;
mod queues;
mod recordings;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod trunk_row;
mod usage;
mod waiting;
mod writer;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

use call::{
    CallRecord, CallSid, CallStatus, ConferenceSid, Detection, Exchange, KeyValueRead,
    KeyValueReply, KeyValueWrite, QueueSid, RecordingSid, StatusCallback,
};
use redb::{Database, ReadableDatabase};

use self::components::ComponentFolder;
use self::queue::{Lane, Queue};
use self::writer::Writer;
use crate::rows::Rows;
use crate::seal::{KeyFileError, OperatorKey};
use crate::{
    AccountStore, Applied, AuditEntry, Author, CallChange, CallEvent, CallFilter, CallRow,
    CallbackOutcome, CallbackRow, Commit, ConferenceCursor, ConferenceFilter, ConferenceNote,
    ConferencePage, ConferenceRow, Cursor, Directory, Edit, FailedAttempt, Leg, NewCall, NewQueue,
    NewRecording, NewVersion, OperatorEdit, Page, ParticipantFilter, ParticipantPage, Plugin,
    PluginChange, PluginEvent, PluginOwner, PluginPage, QueueChange, QueueCursor, QueuePage,
    QueueRow, QueuedCall, RecordingCursor, RecordingEnding, RecordingFilter, RecordingPage,
    RecordingRow, RecordingStatus, RoutedBy, Scope, Sha256Digest, Store, StoreError, StreamNote,
    Tenants, UploadedPlugin, UsageOfDay, apply, page, verbs,
};

/// How much of the database redb may keep in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Where a store keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The database file.
    pub database: PathBuf,
    /// The operator's key file; best kept apart from backups of the database.
    pub key_file: PathBuf,
    /// The folder of uploaded components.
    pub components: PathBuf,
}

impl Places {
    /// The usual names in one folder: `jackfield.redb`, `operator.key`, `components/`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            database: folder.join("jackfield.redb"),
            key_file: folder.join("operator.key"),
            components: folder.join("components"),
        }
    }
}

/// Why a store could not be opened.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("{} is in use: a server is running on it; stop it first, or ask it through its API", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// A folder could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database file cannot be read, or is damaged.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<redb::Error>,
    },
    /// A version of this program from before the first release wrote the database; nothing is carried over.
    #[error("{} has layout {found}, and this program reads {} alone: name another data folder and apply the tenants file anew, or use the version that wrote it", path.display(), tables::LAYOUT)]
    EarlierLayout {
        /// The database file.
        path: PathBuf,
        /// The layout it has.
        found: u32,
    },
    /// A later version of this program wrote the database.
    #[error("{} has layout {found}, and this program reads {} alone: use the version that wrote it, or a later one", path.display(), tables::LAYOUT)]
    LaterLayout {
        /// The database file.
        path: PathBuf,
        /// The layout it has.
        found: u32,
    },
    /// The key file is gone, and without it no account's token can be read.
    #[error("the key file {} is missing, and the database is sealed with it: restore it from a backup", path.display())]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A row cannot be read, or the key is not the one that sealed it.
    #[error("cannot read the database")]
    Rows(#[source] StoreError),
}

/// What opening a store found to repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The calls that were being dialled or were up when the last process died, as they ended: failed, or completed if they
    /// had been answered, with `end_reason` `node_lost` and the duration that is known for sure.
    pub lost: Vec<CallRow>,
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
            Recovered { lost },
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

fn make_folder(folder: Option<&Path>) -> Result<(), OpenError> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })
}

fn cannot_open(places: &Places, error: impl Into<redb::Error>) -> OpenError {
    let path = places.database.clone();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => OpenError::InUse { path },
        source => OpenError::Database {
            path,
            source: Box::new(source),
        },
    }
}

/// The operator's key: made for a new database, and never for one that is sealed already.
fn operator_key(database: &Database, places: &Places) -> Result<OperatorKey, OpenError> {
    let layout = tables::layout(database).map_err(|error| cannot_open(places, error))?;
    let path = places.database.clone();
    match layout {
        Some(found) if found < tables::LAYOUT => Err(OpenError::EarlierLayout { path, found }),
        Some(found) if found > tables::LAYOUT => Err(OpenError::LaterLayout { path, found }),
        _ if places.key_file.exists() => Ok(OperatorKey::load(&places.key_file)?),
        Some(_) => Err(OpenError::KeyMissing {
            path: places.key_file.clone(),
        }),
        None => {
            make_folder(places.key_file.parent())?;
            Ok(OperatorKey::create(&places.key_file)?)
        }
    }
}

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

impl Store for DiskStore {
    fn apply(&self, tenants: Tenants) -> Commit<Applied> {
        self.write(Lane::New, move |rows| apply::apply(rows, &tenants))
    }

    fn administer(&self, edit: OperatorEdit, author: Author) -> Commit<Arc<Directory>> {
        self.write(Lane::New, move |rows| {
            verbs::administer(rows, edit, &author)
        })
    }

    fn begin_attempt(&self, sid: CallSid, leg: Leg, at_unix_ms: u64) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::begin_attempt(rows, sid, leg, at_unix_ms)
        })
    }

    fn fail_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::fail_attempt(rows, sid, failed, at_unix_ms)
        })
    }

    fn note_route(&self, sid: CallSid, routed: RoutedBy, at_unix_ms: u64) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::note_route(rows, sid, routed, at_unix_ms)
        })
    }

    fn begin_inbound(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<()> {
        self.write(Lane::New, move |rows| {
            verbs::begin_inbound(rows, scope, call, leg)
        })
    }

    fn begin_dialled(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<CallRow> {
        self.write(Lane::New, move |rows| {
            verbs::begin_dialled(rows, scope, call, leg)
        })
    }

    fn dial_again(
        &self,
        sid: CallSid,
        failed: FailedAttempt,
        leg: Leg,
        at_unix_ms: u64,
    ) -> Commit<CallRow> {
        self.write(Lane::Running, move |rows| {
            verbs::dial_again(rows, sid, failed, leg, at_unix_ms)
        })
    }

    fn set_status(&self, sid: CallSid, status: CallStatus, at_unix_ms: u64) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::set_status(rows, sid, status, at_unix_ms)
        })
    }

    fn finish_call(
        &self,
        sid: CallSid,
        record: CallRecord,
        at_unix_ms: u64,
        journal: Option<Vec<u8>>,
    ) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::finish_call(rows, sid, record, at_unix_ms, journal.as_deref())
        })
    }

    fn begin_recording(&self, scope: Scope, new: NewRecording) -> Commit<RecordingRow> {
        self.write(Lane::Running, move |rows| {
            verbs::begin_recording(rows, scope, new)
        })
    }

    fn set_recording_status(
        &self,
        sid: RecordingSid,
        status: RecordingStatus,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::set_recording_status(rows, sid, status, at_unix_ms)
        })
    }

    fn finish_recording(
        &self,
        sid: RecordingSid,
        ending: RecordingEnding,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::finish_recording(rows, sid, ending, at_unix_ms)
        })
    }

    fn note_conference(&self, scope: Scope, note: ConferenceNote) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::note_conference(rows, scope, note)
        })
    }

    fn note_stream(&self, scope: Scope, note: StreamNote) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::note_stream(rows, scope, note)
        })
    }

    fn tell_detection(
        &self,
        call: CallSid,
        to: StatusCallback,
        detection: Detection,
        at_unix_ms: u64,
    ) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::tell_detection(rows, call, to, detection, at_unix_ms)
        })
    }

    fn live_recordings(&self) -> Result<Vec<RecordingRow>, StoreError> {
        recordings::live(&self.database)
    }

    fn queued(&self, visit: &mut dyn FnMut(u64, QueuedCall)) -> Result<(), StoreError> {
        waiting::visit(&self.database, visit)
    }

    fn callbacks_after(&self, id: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError> {
        callbacks::after(&self.database, id, limit)
    }

    fn settle_callback(
        &self,
        id: u64,
        outcome: CallbackOutcome,
        tried: Option<Exchange>,
    ) -> Commit<()> {
        self.write(Lane::Running, move |rows| {
            verbs::settle_callback(rows, id, outcome, tried)
        })
    }

    fn upload_plugin(&self, new: NewVersion) -> Commit<UploadedPlugin> {
        self.write(Lane::New, move |rows| verbs::upload_plugin(rows, new))
    }

    fn change_plugin(
        &self,
        owner: PluginOwner,
        name: String,
        change: PluginChange,
        who: String,
        at_unix_ms: u64,
    ) -> Commit<Arc<Plugin>> {
        self.write(Lane::New, move |rows| {
            verbs::change_plugin(rows, &owner, &name, change, &who, at_unix_ms)
        })
    }

    fn keep_plugin_pages(&self, pages: Vec<PluginPage>) -> Commit<()> {
        self.write(Lane::New, move |rows| {
            verbs::keep_plugin_pages(rows, &pages)
        })
    }

    fn plugin_pages(&self) -> Result<Vec<PluginPage>, StoreError> {
        plugin_pages::all(&self.database, &self.directory(), &self.key)
    }

    fn component_bytes(&self, sha256: Sha256Digest) -> Result<Vec<u8>, StoreError> {
        self.components.read(sha256)
    }

    fn read_key_value(
        &self,
        scope: Scope,
        read: KeyValueRead,
    ) -> Result<KeyValueReply, StoreError> {
        key_values::read(&self.database, &self.directory(), scope, read)
    }

    /// In the lane of what may be refused: a call can go on without its pair, and its own rows go before.
    fn write_key_value(&self, scope: Scope, write: KeyValueWrite) -> Commit<KeyValueReply> {
        self.write(Lane::New, move |rows| {
            verbs::write_key_value(rows, scope, write)
        })
    }
}
