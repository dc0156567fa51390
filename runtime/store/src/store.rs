//! The storage trait.

use std::sync::Arc;

use call::{
    CallRecord, CallSid, CallStatus, ConferenceSid, Detection, Exchange, KeyValueRead,
    KeyValueReply, KeyValueWrite, QueueSid, RecordingSid, StatusCallback,
};

use crate::{
    Applied, Attempt, AuditEntry, Author, BroadcastWork, CallChange, CallEvent, CallFilter,
    CallRow, CallbackOutcome, CallbackRow, Commit, ConferenceCursor, ConferenceFilter,
    ConferenceNote, ConferencePage, ConferenceRow, Cursor, Directory, Edit, FailedAttempt,
    Farewell, Leg, NewCall, NewQueue, NewRecording, NewVersion, OperatorEdit, Page,
    ParticipantFilter, ParticipantPage, PeopleStore, Plugin, PluginChange, PluginEvent,
    PluginOwner, PluginPage, QueueChange, QueueCursor, QueuePage, QueueRow, QueuedCall,
    RecordingCursor, RecordingEnding, RecordingFilter, RecordingPage, RecordingRow,
    RecordingStatus, RoutedBy, Scope, Sha256Digest, StoreError, StreamNote, Tenants,
    UploadedPlugin, UsageOfDay,
};

/// What may be asked and done on behalf of one account.
///
/// Another account's call is answered like one that does not exist.
pub trait AccountStore: Send + Sync {
    /// The carriers, accounts, trunks and numbers as of now.
    fn directory(&self) -> Arc<Directory>;

    /// Keeps a new outbound call, due at once or when its [`QueueTerms`](crate::QueueTerms) say. Acknowledge it (201) only after the commit.
    fn accept_call(&self, scope: Scope, call: NewCall) -> Commit<CallRow>;

    /// One call.
    fn call(&self, scope: Scope, sid: CallSid) -> Result<Option<CallRow>, StoreError>;

    /// At most `limit` calls, newest first, from the cursor of the page before or from the newest.
    fn calls(
        &self,
        scope: Scope,
        filter: &CallFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Changes what was ordered of a call that is not over, and who is told of it; none if there is no such call. One that is over fails
    /// with [`StoreError::CallOver`].
    fn change_call(
        &self,
        scope: Scope,
        sid: CallSid,
        change: CallChange,
        at_unix_ms: u64,
    ) -> Commit<Option<CallRow>>;
    /// Forgets a call with its events and its journal; false if there is no such one. Its recordings are to be deleted before. One
    /// that goes on fails with [`StoreError::CallGoesOn`].
    fn delete_call(&self, scope: Scope, sid: CallSid) -> Commit<bool>;
    /// What happened to one call, in order; none if there is no such call.
    fn events(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<CallEvent>>, StoreError>;

    /// The journal of one call, unsealed; none if there is no such call or it has no journal.
    fn journal(&self, scope: Scope, sid: CallSid) -> Result<Option<Vec<u8>>, StoreError>;

    /// What the callbacks of one call were answered, each with its sequence number within the call, in order: of the last
    /// [`MOST_EXCHANGES`](crate::MOST_EXCHANGES) attempts. None if there is no such call.
    fn exchanges(&self, scope: Scope, sid: CallSid) -> Result<Vec<(u32, Exchange)>, StoreError>;

    /// One recording.
    fn recording(
        &self,
        scope: Scope,
        sid: RecordingSid,
    ) -> Result<Option<RecordingRow>, StoreError>;

    /// At most `limit` recordings, newest first, from the cursor of the page before or from the newest.
    fn recordings(
        &self,
        scope: Scope,
        filter: &RecordingFilter,
        from: Option<RecordingCursor>,
        limit: usize,
    ) -> Result<RecordingPage, StoreError>;

    /// Forgets a recording; false if there is no such one. Its file goes before: a row without a file can be deleted again. One that
    /// goes on fails with [`StoreError::RecordingGoesOn`].
    fn delete_recording(&self, scope: Scope, sid: RecordingSid) -> Commit<bool>;

    /// One conference.
    fn conference(
        &self,
        scope: Scope,
        sid: ConferenceSid,
    ) -> Result<Option<ConferenceRow>, StoreError>;

    /// At most `limit` conferences, newest first, from the cursor of the page before or from the newest.
    fn conferences(
        &self,
        scope: Scope,
        filter: &ConferenceFilter,
        from: Option<ConferenceCursor>,
        limit: usize,
    ) -> Result<ConferencePage, StoreError>;

    /// At most `limit` of those who are in a conference, newest first, from the cursor of the page before or from the newest.
    fn participants(
        &self,
        scope: Scope,
        sid: ConferenceSid,
        filter: ParticipantFilter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<ParticipantPage, StoreError>;

    /// One queue.
    fn queue(&self, scope: Scope, sid: QueueSid) -> Result<Option<QueueRow>, StoreError>;

    /// The queue of this name.
    fn queue_named(&self, scope: Scope, name: &str) -> Result<Option<QueueRow>, StoreError>;

    /// At most `limit` queues, newest first, from the cursor of the page before or from the newest.
    fn queues(
        &self,
        scope: Scope,
        from: Option<QueueCursor>,
        limit: usize,
    ) -> Result<QueuePage, StoreError>;

    /// Keeps a new queue. Where the account has one of that name it stays as it is, and is given back. Fails with
    /// [`StoreError::NotPossible`] where the account has [`MAX_QUEUES`](crate::MAX_QUEUES).
    fn begin_queue(&self, scope: Scope, new: NewQueue) -> Commit<QueueRow>;

    /// Changes a queue; none if there is no such one. Fails with [`StoreError::NotPossible`] where another has the name.
    fn change_queue(
        &self,
        scope: Scope,
        sid: QueueSid,
        change: QueueChange,
        at_unix_ms: u64,
    ) -> Commit<Option<QueueRow>>;

    /// Forgets a queue; false if there is no such one.
    fn delete_queue(&self, scope: Scope, sid: QueueSid) -> Commit<bool>;

    /// At most `limit` of the callbacks that nobody tries any more, oldest first, after the one with this id; 0 for the first.
    fn undelivered(
        &self,
        scope: Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CallbackRow>, StoreError>;

    /// Puts a callback that was given up back into the outbox, under a new id, with a day of attempts before it. None if there is no such
    /// one.
    fn redeliver(&self, scope: Scope, id: u64, at_unix_ms: u64) -> Commit<Option<CallbackRow>>;

    /// Changes what an account has, and writes into the audit log who did it. The directory as it then is.
    ///
    /// Fails with [`StoreError::NotThere`] for what is not there or not this account's, and with [`StoreError::NotPossible`] where it cannot be.
    fn edit(&self, scope: Scope, edit: Edit, author: Author) -> Commit<Arc<Directory>>;

    /// What the account's calls and recordings came to from the first of these days to the last (days since 1970-01-01), in their order.
    fn usage(&self, scope: Scope, first: u32, last: u32) -> Result<Vec<UsageOfDay>, StoreError>;

    /// At most `limit` entries of the audit log, the newest first, from before that id or from the newest.
    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// At most `limit` events of a plugin, the newest first, from before that sequence number or from the newest; none where
    /// the owner has no plugin of that name.
    fn plugin_history(
        &self,
        owner: &PluginOwner,
        name: &str,
        before: Option<u32>,
        limit: usize,
    ) -> Result<Vec<PluginEvent>, StoreError>;
}

/// What the host itself does besides. The API never gets at this half.
pub trait Store: AccountStore + PeopleStore + BroadcastWork {
    /// Loads a tenants file. What it names is created or changed to be as it says; what it does not name stays. Applying
    /// the same file again changes nothing.
    fn apply(&self, tenants: Tenants) -> Commit<Applied>;

    /// Does what the operator asks for beside tenants files, and writes it into the audit log. Fails as [`AccountStore::edit`] does.
    fn administer(&self, edit: OperatorEdit, author: Author) -> Commit<Arc<Directory>>;

    /// Takes a call out of the queue because its INVITE is about to leave; let it leave only after the commit. Fails with
    /// [`StoreError::NotQueued`] if the call no longer waits: then do not dial it.
    fn begin_attempt(&self, sid: CallSid, attempt: Attempt, at_unix_ms: u64) -> Commit<()>;

    /// Keeps that an attempt failed before it rang, and puts the call back into the queue at its old place, to be tried over another trunk.
    /// Fails with [`StoreError::IllegalStatus`] if it rang or is over.
    fn fail_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()>;

    /// Puts a call back into the queue, at its old place, that was attempted and whose INVITE has not left: the attempt is not counted among its
    /// attempts, and the trunk not among those that were tried.
    ///
    /// # Errors
    /// [`StoreError::IllegalStatus`] where it is over, or waits already.
    fn undo_attempt(&self, sid: CallSid, failed: FailedAttempt, at_unix_ms: u64) -> Commit<()>;

    /// Keeps among its events what a routing policy has planned for a call. Fails with [`StoreError::NotQueued`] if the call neither waits nor
    /// is dialled: it rang, or is over.
    fn note_route(&self, sid: CallSid, routed: RoutedBy, at_unix_ms: u64) -> Commit<()>;

    /// Keeps a new call that came in, ringing.
    fn begin_inbound(&self, scope: Scope, call: NewCall, leg: Leg) -> Commit<()>;

    /// Keeps what ends the dialog of a call when this process is gone, until the call is over. Of one that is over nothing is kept.
    fn note_farewell(&self, sid: CallSid, farewell: Farewell) -> Commit<()>;

    /// Forgets what [`Self::note_farewell`] kept: the far end knows that the call is over, or cannot be told.
    fn forget_farewell(&self, sid: CallSid) -> Commit<()>;

    /// Keeps a new call that another call's story dials: its INVITE is about to leave, and does so only after the commit.
    fn begin_dialled(&self, scope: Scope, call: NewCall, attempt: Attempt) -> Commit<CallRow>;

    /// Keeps that an attempt of a call that another call's story dials failed before it rang, and that the next one is about to leave: it does so
    /// only after the commit. The call never waits in the queue. Fails with [`StoreError::IllegalStatus`] if it rang or is over.
    fn dial_again(
        &self,
        sid: CallSid,
        failed: FailedAttempt,
        attempt: Attempt,
        at_unix_ms: u64,
    ) -> Commit<CallRow>;

    /// Keeps that a call rings or was answered, with its event. Its present status again changes nothing; an earlier or
    /// a final one fails with [`StoreError::IllegalStatus`].
    fn set_status(&self, sid: CallSid, status: CallStatus, at_unix_ms: u64) -> Commit<()>;

    /// Keeps how a call ended, its last event, and its journal (sealed), in one transaction. A call ends once: a second
    /// record fails with [`StoreError::IllegalStatus`]. A call that waits leaves the queue.
    fn finish_call(
        &self,
        sid: CallSid,
        record: CallRecord,
        at_unix_ms: u64,
        journal: Option<Vec<u8>>,
    ) -> Commit<()>;

    /// Keeps a recording that begins.
    fn begin_recording(&self, scope: Scope, new: NewRecording) -> Commit<RecordingRow>;

    /// Keeps that a recording is paused, goes on, or is being made whole. One that is over fails with
    /// [`StoreError::RecordingOver`].
    fn set_recording_status(
        &self,
        sid: RecordingSid,
        status: RecordingStatus,
        at_unix_ms: u64,
    ) -> Commit<()>;

    /// Keeps how a recording ended. It ends once: a second time fails with [`StoreError::RecordingOver`].
    fn finish_recording(
        &self,
        sid: RecordingSid,
        ending: RecordingEnding,
        at_unix_ms: u64,
    ) -> Commit<()>;

    /// Keeps one thing that happened in a conference; with the first participant it is there. What comes after its end changes nothing.
    fn note_conference(&self, scope: Scope, note: ConferenceNote) -> Commit<()>;

    /// Keeps a turn of a media stream in the outbox. One that began and of which no end was noted is told to have ended by the next start.
    fn note_stream(&self, scope: Scope, note: StreamNote) -> Commit<()>;

    /// Keeps who answered a call in the outbox. Fails with [`StoreError::UnknownCall`] where there is no such call.
    fn tell_detection(
        &self,
        call: CallSid,
        to: StatusCallback,
        detection: Detection,
        at_unix_ms: u64,
    ) -> Commit<()>;

    /// The recordings that have not ended, of all accounts: at a start those that the last process left behind.
    fn live_recordings(&self) -> Result<Vec<RecordingRow>, StoreError>;

    /// Visits the calls that wait to be dialled in the order in which they are due, each with its place in it: a million of them may wait.
    fn queued(&self, visit: &mut dyn FnMut(u64, QueuedCall)) -> Result<(), StoreError>;

    /// At most `limit` callbacks of all accounts after the one with this id (0 for the first), in the order in which they were written; those
    /// given up are among them.
    fn callbacks_after(&self, id: u64, limit: usize) -> Result<Vec<CallbackRow>, StoreError>;

    /// One callback of the outbox, of whichever account.
    fn callback(&self, id: u64) -> Result<Option<CallbackRow>, StoreError>;

    /// Takes out at most `limit` callbacks that were written before then and given up. How many they were.
    fn forget_callbacks(&self, before_unix_ms: u64, limit: usize) -> Commit<usize>;

    /// Keeps how an attempt to deliver a callback ended, and with the call that it tells of what was sent and answered. One that is not there any
    /// more is no error.
    fn settle_callback(
        &self,
        id: u64,
        outcome: CallbackOutcome,
        tried: Option<Exchange>,
    ) -> Commit<()>;

    /// Keeps a version of a plugin; bytes that are kept already are not kept twice. Older versions that have no part to play
    /// go where there are too many.
    fn upload_plugin(&self, new: NewVersion) -> Commit<UploadedPlugin>;

    /// Changes which versions of a plugin run calls, and writes down who did it. Fails with [`StoreError::NotPossible`] where
    /// that cannot be.
    fn change_plugin(
        &self,
        owner: PluginOwner,
        name: String,
        change: PluginChange,
        who: String,
        at_unix_ms: u64,
    ) -> Commit<Arc<Plugin>>;

    /// Keeps what came of plugins' calls, in place of what was kept before. Plugins that are not there are left out.
    fn keep_plugin_pages(&self, pages: Vec<PluginPage>) -> Commit<()>;

    /// What [`Self::keep_plugin_pages`] kept, of all plugins.
    fn plugin_pages(&self) -> Result<Vec<PluginPage>, StoreError>;

    /// The bytes of an uploaded component, checked against their hash.
    fn component_bytes(&self, sha256: Sha256Digest) -> Result<Vec<u8>, StoreError>;

    /// Answers from the account's key-value pairs. Fails with [`StoreError::KeyValue`] for what cannot be asked.
    fn read_key_value(&self, scope: Scope, read: KeyValueRead)
    -> Result<KeyValueReply, StoreError>;

    /// Changes one of the account's key-value pairs. Fails with [`StoreError::KeyValue`] at a limit.
    fn write_key_value(&self, scope: Scope, write: KeyValueWrite) -> Commit<KeyValueReply>;
}
