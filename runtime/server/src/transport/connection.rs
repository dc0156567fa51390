//! What every connection has, whatever its kind: a link to the endpoint's thread, a queue of what is to be sent, and times.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sip::Hop;
use store::TrunkId;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

/// Messages that may wait to be written. A peer that leaves so many unread is dropped.
const QUEUE: usize = 64;
/// Within this the first byte of a connection that was opened to us must come.
const FIRST_BYTE: Duration = Duration::from_secs(5);
/// Within this after its first byte a message must be whole: no transaction waits longer (64 × T1).
const WHOLE_MESSAGE: Duration = Duration::from_secs(32);
/// How long a peer may be silent that was never answered 2xx nor sent a request.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long any other may be: its calls and registrations may go on without a word.
const IDLE_KNOWN: Duration = Duration::from_secs(4 * 3_600);
/// How long one message may take to be written.
pub(super) const WRITE: Duration = Duration::from_secs(10);
/// How long the answer to the last message of a broken stream has to be written.
pub(super) const LAST_ANSWER: Duration = Duration::from_millis(500);

/// Tells two connections between the same addresses apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionId(u64);

/// What connections tell the endpoint's thread.
#[derive(Debug)]
pub(crate) enum ConnectionEvent {
    /// A peer connected.
    Opened(Link),
    /// A message came.
    Message {
        /// The remote end of its connection.
        from: Hop,
        bytes: Bytes,
    },
    /// A connection is over, or could not be made.
    Closed(Closed),
}

/// A connection's last word.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(super) id: ConnectionId,
    /// Its remote end.
    pub(crate) hop: Hop,
    /// We opened it, and it was there.
    pub(crate) is_ours: bool,
    /// What it was given and did not send.
    pub(super) unsent: Vec<Outgoing>,
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Bytes,
    /// Where to send it instead when the connection is gone.
    pub(super) otherwise: Option<Hop>,
    /// It was given to a connection before.
    pub(super) is_retry: bool,
}

/// The endpoint's end of a connection. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) id: ConnectionId,
    pub(super) hop: Hop,
    /// We opened it.
    pub(super) is_ours: bool,
    /// The trunk that has it for itself.
    pub(super) owner: Option<TrunkId>,
    /// When it was sent over last, as [`Connections`](super::Connections) counts.
    pub(super) used: u64,
    pub(super) queue: mpsc::Sender<Outgoing>,
    _closed_when_dropped: oneshot::Sender<()>,
}

/// The connection's end of it.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) reading: Reading,
    pub(super) queue: Queue,
    pub(super) dropped: oneshot::Receiver<()>,
}

/// What the reading side needs.
#[derive(Debug)]
pub(super) struct Reading {
    id: ConnectionId,
    hop: Hop,
    events: mpsc::Sender<ConnectionEvent>,
    /// A keep-alive wants its answer.
    pub(super) pong: Notify,
    /// The peer was answered 2xx or sent a request.
    is_known: AtomicBool,
    is_ours: bool,
}

/// What is to be sent, and what of it may not have been.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: mpsc::Receiver<Outgoing>,
    in_flight: Option<Outgoing>,
}

/// A link to a connection, and the connection's end of it.
pub(super) fn link(hop: Hop, is_ours: bool, events: mpsc::Sender<ConnectionEvent>) -> (Link, Ends) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed));
    let (queue, waiting) = mpsc::channel(QUEUE);
    let (closed_when_dropped, dropped) = oneshot::channel();
    let link = Link {
        id,
        hop,
        is_ours,
        owner: None,
        used: 0,
        queue,
        _closed_when_dropped: closed_when_dropped,
    };
    let ends = Ends {
        reading: Reading {
            id,
            hop,
            events,
            pong: Notify::new(),
            is_known: AtomicBool::new(is_ours),
            is_ours,
        },
        queue: Queue {
            waiting,
            in_flight: None,
        },
        dropped,
    };
    (link, ends)
}

impl Ends {
    /// Says that the connection is over, and gives back what was not sent.
    pub(super) async fn close(self) {
        let was_there = true;
        self.end(was_there).await;
    }

    /// Says that there could be no connection, and gives back what was to be sent.
    pub(super) async fn fail(self) {
        let was_there = false;
        self.end(was_there).await;
    }

    async fn end(self, was_there: bool) {
        let closed = Closed {
            id: self.reading.id,
            hop: self.reading.hop,
            is_ours: self.reading.is_ours && was_there,
            unsent: self.queue.into_unsent(),
        };
        self.reading.tell(ConnectionEvent::Closed(closed)).await;
    }
}

impl Reading {
    /// Hands a message to the endpoint, and waits while that is busy: the peer feels it.
    pub(super) async fn deliver(&self, bytes: Bytes) {
        let from = self.hop;
        self.tell(ConnectionEvent::Message { from, bytes }).await;
    }

    pub(super) async fn tell(&self, events: ConnectionEvent) {
        // The endpoint has stopped: so does this connection, for its link is dropped.
        let _ = self.events.send(events).await;
    }

    /// Looks at what is sent: success, or a request, is for somebody we know.
    pub(super) fn note_sent(&self, bytes: &[u8]) {
        if bytes.starts_with(b"SIP/2.0 2") || !bytes.starts_with(b"SIP/2.0 ") {
            self.is_known.store(true, Ordering::Relaxed);
        }
    }
}

impl Queue {
    /// The next message to send. It counts as unsent until [`Self::sent`]. None: there will be no more.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.in_flight = Some(self.waiting.recv().await?);
        self.in_flight.as_ref().map(|out| out.bytes.clone())
    }

    /// The message is with the kernel.
    pub(super) fn sent(&mut self) {
        self.in_flight = None;
    }

    fn into_unsent(mut self) -> Vec<Outgoing> {
        self.waiting.close();
        let mut unsent: Vec<_> = self.in_flight.take().into_iter().collect();
        while let Ok(out) = self.waiting.try_recv() {
            unsent.push(out);
        }
        unsent
    }
}

/// Runs both directions until one of them ends or the link is dropped.
pub(super) async fn run_both(
    reading: impl Future<Output = ()>,
    writing: impl Future<Output = ()>,
    dropped: &mut oneshot::Receiver<()>,
) {
    tokio::select! {
        () = reading => {}
        () = writing => {}
        _ = dropped => {}
    }
}

/// How long there is to wait for the peer's next bytes.
#[derive(Debug)]
pub(super) struct Patience {
    opened: Instant,
    heard: Option<Instant>,
    within_message: Option<Instant>,
}

impl Patience {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            heard: None,
            within_message: None,
        }
    }

    /// Bytes came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// A message was whole.
    pub(super) fn message_ended(&mut self) {
        self.within_message = None;
    }

    /// Whether what came ends within a message.
    pub(super) fn is_within_message(&mut self, now: Instant, is_within: bool) {
        if is_within {
            self.within_message.get_or_insert(now);
        } else {
            self.within_message = None;
        }
    }

    /// When it is over.
    pub(super) fn until(&self, reading: &Reading) -> Instant {
        let idle = if reading.is_known.load(Ordering::Relaxed) {
            IDLE_KNOWN
        } else {
            IDLE
        };
        match (self.within_message, self.heard) {
            (Some(since), _) => since + WHOLE_MESSAGE,
            (None, Some(heard)) => heard + idle,
            (None, None) if reading.is_ours => self.opened + idle,
            (None, None) => self.opened + FIRST_BYTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(is_ours: bool) -> (Link, Ends) {
        let hop = Hop::new(sip::Transport::Tcp, "192.0.2.1:9".parse().unwrap());
        link(hop, is_ours, mpsc::channel(1).0)
    }

    #[test]
    fn patience_depends_on_what_came() {
        let origin = Instant::now();
        let at = |seconds| origin + Duration::from_secs(seconds);
        let (_link, Ends { reading, .. }) = ends(false);
        let mut patience = Patience::new(origin);
        assert_eq!(patience.until(&reading), at(5), "the first byte");
        patience.heard(at(4));
        patience.is_within_message(at(4), true);
        patience.heard(at(20));
        patience.is_within_message(at(20), true);
        assert_eq!(patience.until(&reading), at(4 + 32), "the whole message");
        patience.message_ended();
        patience.is_within_message(at(20), true);
        assert_eq!(patience.until(&reading), at(20 + 32), "the next message");
        patience.is_within_message(at(20), false);
        assert_eq!(patience.until(&reading), at(20 + 600), "anything at all");
        for (sent, seconds) in [
            ("SIP/2.0 401 Unauthorized", 600),
            ("SIP/2.0 200 OK", 4 * 3_600),
        ] {
            reading.note_sent(sent.as_bytes());
            assert_eq!(patience.until(&reading), at(20 + seconds), "{sent}");
        }
        let (_link, Ends { reading, .. }) = ends(true);
        assert_eq!(Patience::new(origin).until(&reading), at(4 * 3_600), "ours");
    }

    #[tokio::test]
    async fn what_was_not_sent_comes_back_in_order() {
        let (link, Ends { mut queue, .. }) = ends(false);
        for text in ["a", "b", "c"] {
            let out = Outgoing {
                bytes: Bytes::from(text),
                otherwise: None,
                is_retry: false,
            };
            link.queue.try_send(out).unwrap();
        }
        queue.next().await;
        queue.sent();
        queue.next().await;
        let unsent: Vec<_> = queue
            .into_unsent()
            .into_iter()
            .map(|out| out.bytes)
            .collect();
        assert_eq!(unsent, ["b", "c"]);
        assert!(link.queue.is_closed());
    }
}
