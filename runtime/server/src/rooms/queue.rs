//! One actor owns one queue: who waits, who serves, and who of them hear each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use call::{CallSid, Queue, QueueEffect, QueueEvent, QueueInput, QueueSid};
use tokio::sync::mpsc;
use tracing::{Instrument, info, info_span};

use super::{Directory, Key, send};
use crate::call_actor::{Inbox, Message};
use crate::media_plane::line;
use crate::services::random;

/// The queues of all accounts.
pub(crate) struct Queues {
    directory: Arc<Directory<QueueMessage>>,
}

/// What reaches a queue.
pub(crate) enum QueueMessage {
    Arrive(Arrival),
    Leave(CallSid),
}

/// A call that comes to wait, or to serve.
pub(crate) struct Arrival {
    pub(crate) call: CallSid,
    /// Where it is told.
    pub(crate) inbox: Inbox,
    /// [`QueueInput::Wait`] or [`QueueInput::Serve`].
    pub(crate) input: QueueInput,
}

impl Queues {
    /// No queue. `rooms`: those that an account may have at a time.
    pub(crate) fn new(rooms: usize) -> Self {
        Self {
            directory: Arc::new(Directory::new(rooms)),
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
        let message = QueueMessage::Arrive(arrival);
        self.directory.enter(key, message, |messages| {
            let sid = QueueSid::from_bytes(random());
            let actor = QueueActor {
                directory: Arc::clone(&self.directory),
                key: key.clone(),
                messages,
                queue: Queue::new(sid),
                calls: HashMap::new(),
            };
            let (account, _) = key;
            let span = info_span!("queue", queue.sid = %sid, tenant.id = %account);
            tokio::spawn(actor.run().instrument(span));
            Ok(())
        })
    }
}

struct QueueActor {
    directory: Arc<Directory<QueueMessage>>,
    key: Key,
    messages: mpsc::Receiver<QueueMessage>,
    queue: Queue,
    calls: HashMap<CallSid, Inbox>,
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
            QueueMessage::Arrive(arrival) => {
                self.calls.insert(arrival.call, arrival.inbox);
                arrival.input
            }
        };
        self.queue.handle(Instant::now(), input);
        while let Some(effect) = self.queue.poll() {
            match effect {
                QueueEffect::Tell(call, event) => self.tell(call, event),
                QueueEffect::Bridge(one, other) => self.bridge(one, other),
            }
        }
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
        }
    }
}
