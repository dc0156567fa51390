//! Who has a recording in hand: whoever sends its file to the bucket, or whoever deletes it. Never both at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::RecordingSid;
use tokio::sync::Notify;

/// The recordings that are in somebody's hand, each with whether its deletion waits.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Mutex<HashMap<RecordingSid, Arc<AtomicBool>>>,
    released: Notify,
}

/// A recording is in nobody else's hand until this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Arc<Claims>,
    sid: RecordingSid,
    is_unwanted: Arc<AtomicBool>,
}

impl Claims {
    /// None where somebody has it.
    pub(super) fn take(self: &Arc<Self>, sid: RecordingSid) -> Option<Claim> {
        let mut held = self.lock();
        if held.contains_key(&sid) {
            return None;
        }
        let is_unwanted = Arc::default();
        held.insert(sid, Arc::clone(&is_unwanted));
        Some(Claim {
            claims: Arc::clone(self),
            sid,
            is_unwanted,
        })
    }

    /// Waits for whoever has it, and lets them know that it is to be deleted.
    pub(super) async fn take_to_delete(self: &Arc<Self>, sid: RecordingSid) -> Claim {
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            // What is released from here on is heard of.
            released.as_mut().enable();
            if let Some(claim) = self.take(sid) {
                return claim;
            }
            if let Some(is_unwanted) = self.lock().get(&sid) {
                is_unwanted.store(true, Ordering::Relaxed);
            }
            released.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RecordingSid, Arc<AtomicBool>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Nobody waits to delete it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.is_unwanted.load(Ordering::Relaxed)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.sid);
        self.claims.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_deletion_waits_for_whoever_sends_and_lets_them_know() {
        let [one, other] = [1, 2].map(|byte| RecordingSid::from_bytes([byte; 16]));
        let claims = Arc::<Claims>::default();
        let sending = claims.take(one).unwrap();
        assert!(sending.is_wanted());
        assert!(claims.take(one).is_none());
        assert!(claims.take(other).is_some(), "of others nobody waits");
        let waits = Arc::clone(&claims);
        let deletion = tokio::spawn(async move { waits.take_to_delete(one).await });
        while sending.is_wanted() {
            tokio::task::yield_now().await;
        }
        assert!(!deletion.is_finished());
        drop(sending);
        let deleting = deletion.await.unwrap();
        assert!(claims.take(one).is_none());
        drop(deleting);
        assert!(claims.take(one).is_some_and(|claim| claim.is_wanted()));
    }
}
