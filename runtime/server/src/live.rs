//! The calls that are up in this process, and the way to each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::call_actor::{Inbox, Message};
use call::{AccountSid, CallSid, HangUpCause, Input};

/// Every live call by its SID. A call is put on before its actor starts, which takes it off at its end.
#[derive(Debug, Default)]
pub(crate) struct LiveCalls {
    calls: Mutex<HashMap<CallSid, Entry>>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Entry {
    account: AccountSid,
    inbox: Inbox,
}

impl LiveCalls {
    pub(crate) fn insert(&self, sid: CallSid, account: AccountSid, inbox: Inbox) {
        self.lock().insert(sid, Entry { account, inbox });
    }

    pub(crate) fn remove(&self, sid: &CallSid) {
        self.lock().remove(sid);
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// No further call is to be taken on: the process is about to stop.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to stop.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether one more call may be taken on.
    pub(crate) fn has_room(&self, max: usize) -> bool {
        !self.is_closed() && self.count() < max
    }

    /// Tells one call of the account to end; false when it has no such live call.
    pub(crate) fn hang_up(&self, account: AccountSid, sid: CallSid, cause: HangUpCause) -> bool {
        let inbox = match self.lock().get(&sid) {
            Some(entry) if entry.account == account => entry.inbox.clone(),
            _ => return false,
        };
        // A full inbox belongs to a call that is drowning in its own results; it will be asked again.
        inbox.try_send(Message::Input(Input::HangUp(cause))).is_ok()
    }

    /// Where a live call of the account is reached.
    pub(crate) fn inbox(&self, account: AccountSid, sid: CallSid) -> Option<Inbox> {
        let calls = self.lock();
        let entry = calls.get(&sid).filter(|entry| entry.account == account)?;
        Some(entry.inbox.clone())
    }

    /// Tells every call to end.
    pub(crate) fn hang_up_all(&self, cause: HangUpCause) {
        for entry in self.lock().values() {
            // As above; what is left when the process ends is ended by it.
            let _ = entry.inbox.try_send(Message::Input(Input::HangUp(cause)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallSid, Entry>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
