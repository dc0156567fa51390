//! The calls that are up in this process, and the way to each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::call_actor::{Inbox, Message};
use crate::children::EndOrder;
use call::{AccountSid, CallSid, HangUpCause, Input};

/// Every live call by its SID. A call is put on before its actor starts, which takes it off at its end.
#[derive(Debug, Default)]
pub(crate) struct LiveCalls {
    calls: Mutex<HashMap<CallSid, Entry>>,
    /// Those that another call's story dials and that have no actor yet, or none any more between two trunks.
    placing: Mutex<HashMap<CallSid, (AccountSid, EndOrder)>>,
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

    /// A call is on its way to its actor: until [`Self::placed`] it is ended by this order.
    pub(crate) fn place(&self, sid: CallSid, account: AccountSid, end: EndOrder) {
        self.lock_placing().insert(sid, (account, end));
    }

    /// It has its actor, or is over. An order that was given is seen by whoever looks from now on.
    pub(crate) fn placed(&self, sid: &CallSid) {
        self.lock_placing().remove(sid);
    }

    /// How many are on their way to their actors.
    pub(crate) fn on_their_way(&self) -> usize {
        self.lock_placing().len()
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
            _ => return self.give_up(account, sid, cause),
        };
        // A full inbox belongs to a call that is drowning in its own results; it will be asked again.
        inbox.try_send(Message::Input(Input::HangUp(cause))).is_ok()
    }

    /// The same for one that has no actor.
    fn give_up(&self, account: AccountSid, sid: CallSid, cause: HangUpCause) -> bool {
        let placing = self.lock_placing();
        let found = placing.get(&sid).filter(|(owner, _)| *owner == account);
        if let Some((_, end)) = found {
            end.give(cause);
        }
        found.is_some()
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
        for (_, end) in self.lock_placing().values() {
            end.give(cause);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallSid, Entry>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_placing(&self) -> MutexGuard<'_, HashMap<CallSid, (AccountSid, EndOrder)>> {
        self.placing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
