//! What calls join: conferences and queues, each an actor of its own, known by a name of its account.
//!
//! Calls join and leave by message, and are told by message. Nobody else holds anything of a room.

mod api;
mod conference;
mod minutes;
mod queue;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::AccountSid;
use tokio::sync::mpsc;

pub(crate) use conference::{ConferenceMessage, Conferences, JoiningConference};
pub(crate) use minutes::Notary;
pub(crate) use queue::{Arrival, QueueMessage, QueueWhisper, Queues};

/// Messages that may wait for a room. It waits for nothing itself.
const INBOX: usize = 1_024;

/// The rooms of one kind that are open.
struct Directory<M> {
    rooms: Mutex<HashMap<Key, mpsc::Sender<M>>>,
    /// Rooms that one account may have at a time.
    most: usize,
}

/// Whose room it is, and what they call it.
type Key = (AccountSid, String);

impl<M> Directory<M> {
    fn new(most: usize) -> Self {
        Self {
            rooms: Mutex::default(),
            most,
        }
    }

    /// Hands a message to the room of that name. Where there is none `open` begins it, with where its messages go in and come out.
    ///
    /// # Errors
    /// Why there is no such room, or why it does not take the message.
    fn enter(
        &self,
        key: &Key,
        message: M,
        open: impl FnOnce(&mpsc::Sender<M>, mpsc::Receiver<M>) -> Result<(), String>,
    ) -> Result<mpsc::Sender<M>, String> {
        // Under the lock, so that a room that is about to close sees the message, or is gone.
        let mut rooms = self.lock();
        let room = match rooms.get(key) {
            Some(room) => room.clone(),
            None => {
                let (account, _) = key;
                let count = rooms.keys().filter(|(other, _)| other == account).count();
                if count >= self.most {
                    let most = self.most;
                    return Err(format!(
                        "the account has {most} of them already: limits.max_rooms allows no more"
                    ));
                }
                let (room, messages) = mpsc::channel(INBOX);
                open(&room, messages)?;
                rooms.insert(key.clone(), room.clone());
                room
            }
        };
        room.try_send(message)
            .map_err(|_| "it does not keep up".to_owned())?;
        Ok(room)
    }

    /// The room of that name, if it is open.
    fn find(&self, key: &Key) -> Option<mpsc::Sender<M>> {
        self.lock().get(key).cloned()
    }

    /// Closes an empty room: false if somebody is about to enter.
    fn close(&self, key: &Key, messages: &mpsc::Receiver<M>) -> bool {
        let mut rooms = self.lock();
        let closes = messages.is_empty();
        if closes {
            rooms.remove(key);
        }
        closes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, mpsc::Sender<M>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what must not be lost: where the queue is full, beside whatever the sender does next. Lost with a receiver that is gone.
pub(crate) fn send<M: Send + 'static>(to: &mpsc::Sender<M>, message: M) {
    if let Err(mpsc::error::TrySendError::Full(message)) = to.try_send(message) {
        let to = to.clone();
        tokio::spawn(async move {
            // Gone meanwhile: then nobody misses it.
            let _ = to.send(message).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: u8, name: &str) -> Key {
        (AccountSid::from_bytes([account; 16]), name.to_owned())
    }

    #[test]
    fn a_room_is_opened_once_and_closed_when_nobody_is_about_to_enter() {
        let directory = Directory::new(2);
        let mut opened = Vec::new();
        let mut enter = |key: &Key, message: u32| {
            directory
                .enter(key, message, |_, messages| {
                    opened.push(messages);
                    Ok(())
                })
                .map(drop)
        };
        assert_eq!(enter(&key(1, "a"), 1), Ok(()));
        assert_eq!(enter(&key(1, "a"), 2), Ok(()));
        assert_eq!(enter(&key(1, "b"), 3), Ok(()));
        let refused = enter(&key(1, "c"), 4).unwrap_err();
        assert!(refused.contains("limits.max_rooms"), "{refused}");
        assert_eq!(enter(&key(2, "a"), 5), Ok(()), "another account's");
        let mut messages = opened.remove(0);
        assert_eq!(messages.try_recv(), Ok(1));
        assert!(!directory.close(&key(1, "a"), &messages));
        assert_eq!(messages.try_recv(), Ok(2));
        assert!(directory.close(&key(1, "a"), &messages));
        assert_eq!(directory.lock().len(), 2);
    }

    #[test]
    fn a_room_that_cannot_be_opened_is_not_there() {
        let directory = Directory::<u32>::new(2);
        let entered = directory.enter(&key(1, "a"), 1, |_, _| Err("no thread".to_owned()));
        assert_eq!(entered.err().as_deref(), Some("no thread"));
        assert!(directory.lock().is_empty());
    }
}
