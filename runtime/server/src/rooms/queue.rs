//! One actor owns one queue: who waits, who serves, and who of them hear each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{QueueMember, QueueView};
use call::{
    CallSid, DEFAULT_QUEUE_SIZE, Queue, QueueEffect, QueueEvent, QueueInput, QueueSid, Whisper,
};
use store::{NewQueue, Scope, StoreError};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, error, info, info_span};

use super::{Directory, Key, Notary, send};
use crate::call_actor::{Inbox, Message};
use crate::clock;
use crate::media_plane::line;
use crate::services::random;

/// The queues of all accounts.
pub(crate) struct Queues {
    directory: Arc<Directory<QueueMessage>>,
    notary: Notary,
    /// Queues that have begun and whose rows are on their way to the disk.
    being_kept: Arc<Mutex<HashMap<Key, QueueSid>>>,
}

/// What reaches a queue.
pub(crate) enum QueueMessage {
    Arrive(Arrival),
    Leave(CallSid),
    /// A call that waited has heard the whisper.
    Whispered(CallSid),
    /// The API wants to see who is there.
    Look(oneshot::Sender<QueueView>),
    /// So many may wait from now on.
    Resize(u32),
}

/// A call that comes to wait, or to serve.
pub(crate) struct Arrival {
    pub(crate) call: CallSid,
    /// Where it is told.
    pub(crate) inbox: Inbox,
    /// To wait, or to serve.
    pub(crate) input: QueueInput,
    /// What the one whom it serves hears first.
    pub(crate) whisper: Option<Whisper>,
}

/// What a call that waited hears before the one that serves it.
#[derive(Debug)]
pub(crate) struct QueueWhisper {
    pub(crate) whisper: Whisper,
    /// Twilio's parameters of the request for its document: names and values.
    pub(crate) told: [(&'static str, String); 3],
}

impl Queues {
    /// No queue. `rooms`: those that an account may have at a time; those that begin are written down by `notary`.
    pub(crate) fn new(rooms: usize, notary: Notary) -> Self {
        Self {
            directory: Arc::new(Directory::new(rooms)),
            notary,
            being_kept: Arc::default(),
        }
    }

    /// Who is at the queue of this name; none where no call is.
    pub(crate) async fn look(&self, key: &Key) -> Option<QueueView> {
        let (view, seen) = oneshot::channel();
        let room = self.directory.find(key)?;
        // A room that is gone meanwhile has nobody in it.
        room.send(QueueMessage::Look(view)).await.ok()?;
        seen.await.ok()
    }

    /// So many may wait at the queue of this name from now on.
    pub(crate) fn resize(&self, key: &Key, max_size: u32) {
        if let Some(room) = self.directory.find(key) {
            send(&room, QueueMessage::Resize(max_size));
        }
    }

    /// Comes to the queue of this name, or begins it. What comes of it goes to the call's inbox.
    ///
    /// # Errors
    /// Why there is no such queue.
    pub(crate) fn arrive(
        &self,
        key: &Key,
        arrival: Arrival,
    ) -> Result<mpsc::Sender<QueueMessage>, String> {
        // Looked up before the lock of all rooms is taken.
        let known = match self.directory.find(key) {
            Some(_) => None,
            None => self.known(key),
        };
        let wanted_size = match arrival.input {
            QueueInput::Wait { max_size, .. } => max_size,
            _ => None,
        };
        let message = QueueMessage::Arrive(arrival);
        self.directory.enter(key, message, |_, messages| {
            let (sid, max_size) = known.unwrap_or_else(|| self.keep(key, wanted_size));
            let mut queue = Queue::new(sid);
            queue.set_max_size(max_size);
            let actor = QueueActor {
                directory: Arc::clone(&self.directory),
                key: key.clone(),
                messages,
                queue,
                calls: HashMap::new(),
                whispers: HashMap::new(),
            };
            let (account, _) = key;
            let span = info_span!("queue", queue.sid = %sid, tenant.id = %account);
            tokio::spawn(actor.run().instrument(span));
            Ok(())
        })
    }
}

impl Queues {
    /// The queue of this name and its size, as it was written down.
    fn known(&self, key: &Key) -> Option<(QueueSid, u32)> {
        let (account, name) = key;
        let scope = Scope::of_host(*account);
        match self.notary.store.queue_named(scope, name) {
            Ok(row) => row.map(|row| (row.sid, row.max_size)),
            Err(why) => {
                error!("cannot read the queues of {account}: {why}");
                None
            }
        }
    }

    /// Writes a new queue down; nobody waits for it. One that begins again before that is done is the same one.
    fn keep(&self, key: &Key, max_size: Option<u32>) -> (QueueSid, u32) {
        let max_size = max_size.unwrap_or(DEFAULT_QUEUE_SIZE);
        let mut being_kept = lock(&self.being_kept);
        if let Some(sid) = being_kept.get(key) {
            return (*sid, max_size);
        }
        let sid = QueueSid::from_bytes(random());
        being_kept.insert(key.clone(), sid);
        let (account, name) = key.clone();
        let new = NewQueue {
            sid,
            name,
            max_size,
            created_unix_ms: clock::unix_ms(),
        };
        let commit = self.notary.store.begin_queue(Scope::of_host(account), new);
        let (key, being_kept) = (key.clone(), Arc::clone(&self.being_kept));
        tokio::spawn(async move {
            match commit.await {
                Ok(_) => {}
                Err(StoreError::NotPossible(why)) => {
                    info!(target: "tenant", "a queue of {account} is not listed: {why}");
                }
                Err(why) => error!("cannot keep a queue: {why}"),
            }
            lock(&being_kept).remove(&key);
        });
        (sid, max_size)
    }
}

fn lock(being_kept: &Mutex<HashMap<Key, QueueSid>>) -> MutexGuard<'_, HashMap<Key, QueueSid>> {
    being_kept.lock().unwrap_or_else(PoisonError::into_inner)
}

struct QueueActor {
    directory: Arc<Directory<QueueMessage>>,
    key: Key,
    messages: mpsc::Receiver<QueueMessage>,
    queue: Queue,
    calls: HashMap<CallSid, Inbox>,
    /// By who serves.
    whispers: HashMap<CallSid, Whisper>,
}

impl QueueActor {
    async fn run(mut self) {
        info!("the queue is open");
        while let Some(message) = self.messages.recv().await {
            self.take(message);
            if self.queue.is_empty() && self.directory.close(&self.key, &self.messages) {
                break;
            }
        }
        info!("the queue is over");
    }

    fn take(&mut self, message: QueueMessage) {
        let input = match message {
            QueueMessage::Leave(call) => QueueInput::Leave(call),
            QueueMessage::Whispered(call) => QueueInput::Whispered(call),
            QueueMessage::Resize(max_size) => return self.queue.set_max_size(max_size),
            QueueMessage::Look(view) => {
                // Nobody may be waiting for it any more.
                let _ = view.send(self.view());
                return;
            }
            QueueMessage::Arrive(arrival) => {
                self.calls.insert(arrival.call, arrival.inbox);
                if let Some(whisper) = arrival.whisper {
                    self.whispers.insert(arrival.call, whisper);
                }
                arrival.input
            }
        };
        self.queue.handle(Instant::now(), input);
        while let Some(effect) = self.queue.poll() {
            match effect {
                QueueEffect::Tell(call, event) => self.tell(call, event),
                QueueEffect::Bridge(one, other) => self.bridge(one, other),
                QueueEffect::Whisper { to, from, waited_s } => self.whisper(to, from, waited_s),
            }
        }
    }

    fn view(&self) -> QueueView {
        let now = clock::unix_ms();
        let seconds = |waited: Duration| u32::try_from(waited.as_secs()).unwrap_or(u32::MAX);
        let members = self.queue.members(Instant::now());
        let members: Vec<_> = members
            .map(|(call, waited)| QueueMember {
                call,
                since_unix_ms: now.saturating_sub(waited.as_millis() as u64),
                waited_s: seconds(waited),
            })
            .collect();
        let waited: u64 = members.iter().map(|one| u64::from(one.waited_s)).sum();
        let average = waited.checked_div(members.len() as u64).unwrap_or(0);
        QueueView {
            average_wait_s: u32::try_from(average).unwrap_or(u32::MAX),
            members,
        }
    }

    /// Has a call hear what is said to it before the two are joined.
    fn whisper(&self, to: CallSid, from: CallSid, waited_s: u32) {
        let (Some(inbox), Some(whisper)) = (self.calls.get(&to), self.whispers.get(&from)) else {
            return;
        };
        let whisper = QueueWhisper {
            whisper: whisper.clone(),
            told: [
                ("QueueSid", self.queue.sid().to_string()),
                ("QueueTime", waited_s.to_string()),
                ("DequeingCallSid", from.to_string()), // so spelt by Twilio
            ],
        };
        send(inbox, Message::Whisper(Box::new(whisper)));
    }

    fn bridge(&self, one: CallSid, other: CallSid) {
        let (here, there) = line();
        for (call, end) in [(one, here), (other, there)] {
            if let Some(inbox) = self.calls.get(&call) {
                send(inbox, Message::Line(Box::new(end)));
            }
        }
    }

    /// Tells a call. One that has left is told last.
    fn tell(&mut self, call: CallSid, event: QueueEvent) {
        if let Some(inbox) = self.calls.get(&call) {
            send(inbox, Message::Queue(event));
        }
        if matches!(event, QueueEvent::Left(_)) {
            self.calls.remove(&call);
            self.whispers.remove(&call);
        }
    }
}
