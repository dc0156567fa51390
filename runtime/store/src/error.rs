//! What can go wrong with a read or a write.

use call::{AccountSid, CallSid, CallStatus, KeyValueError, RecordingSid};

/// Why the store did not do what it was asked. Nothing of the verb was done.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No call has this SID.
    #[error("no such call: {0}")]
    UnknownCall(CallSid),
    /// No account has this SID.
    #[error("no such account: {0}")]
    UnknownAccount(AccountSid),
    /// A call with this SID exists already.
    #[error("call {0} exists already")]
    DuplicateCall(CallSid),
    /// What is over cannot be changed.
    #[error("call {0} is over")]
    CallOver(CallSid),
    /// A call that goes on cannot be deleted.
    #[error("call {0} is not over: end it first")]
    CallGoesOn(CallSid),
    /// An attempt was to begin for a call that no longer waits for one: it was cancelled, or is being dialled.
    #[error("call {0} does not wait to be dialled")]
    NotQueued(CallSid),
    /// A call's status only goes forward, and only a record ends it.
    #[error("call {call} is {from} and cannot become {to}")]
    IllegalStatus {
        /// The call.
        call: CallSid,
        /// Its status.
        from: CallStatus,
        /// The status it was to take.
        to: CallStatus,
    },
    /// No recording has this SID.
    #[error("no such recording: {0}")]
    UnknownRecording(RecordingSid),
    /// A recording with this SID exists already.
    #[error("recording {0} exists already")]
    DuplicateRecording(RecordingSid),
    /// A recording ends once.
    #[error("recording {0} is over, or was to be ended without a final status")]
    RecordingOver(RecordingSid),
    /// A recording that goes on cannot be deleted.
    #[error("recording {0} goes on: stop it first")]
    RecordingGoesOn(RecordingSid),
    /// A key-value pair cannot be read or kept.
    #[error(transparent)]
    KeyValue(#[from] KeyValueError),
    /// The owner has no plugin of this name.
    #[error("no such plugin: {0}")]
    UnknownPlugin(String),
    /// The plugin has no version of this number, or it is kept no longer.
    #[error("there is no version {0}, or it is kept no longer")]
    UnknownVersion(u32),
    /// The owner has as many plugins, or as many bytes of them, as one may have; says what to do.
    #[error("{0}")]
    PluginsFull(String),
    /// There is no such thing, or nothing of this account.
    #[error("there is no such thing")]
    NotThere,
    /// What is there does not allow the change; says why.
    #[error("{0}")]
    NotPossible(String),
    /// The tenants file contradicts what is stored; says what to do.
    #[error("{0}")]
    Contradiction(String),
    /// A component's file could not be written; says why. The tenants file was not applied.
    #[error("cannot keep a component: {0}")]
    ComponentNotKept(String),
    /// The write queue is full; the same write may succeed a moment later.
    #[error("the store has too many writes waiting: try again in a moment")]
    Busy,
    /// Writing or syncing the disk failed. No further write is taken until a restart, since what is durable is not known. The
    /// directory can be read on, and calls as far as they are in the cache.
    #[error(
        "the store stopped writing after an error of the disk, and takes writes again after a restart: {0}"
    )]
    Failed(String),
    /// A row or file is not what was written.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}
