//! SIP over a stream of bytes: TCP, and TLS on it (RFC 3261 §18.3).

use sip::{Frame, Framer, MAX_BODY_BYTES, MAX_HEAD_BYTES};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

use super::connection::{Ends, LAST_ANSWER, Patience, Queue, Reading, WRITE, run_both};

/// Room made for the peer's next bytes.
const READ: usize = 4_096;

/// How large a message a peer may send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    head: usize,
    body: usize,
}

impl Bounds {
    /// For peers that are listed, and those we connected to.
    pub(super) const LISTED: Self = Self {
        head: MAX_HEAD_BYTES,
        body: MAX_BODY_BYTES,
    };
    /// For everybody: enough for any registration or call.
    pub(super) const UNLISTED: Self = Self {
        head: 16_384,
        body: 16_384,
    };

    /// A message as a whole.
    pub(super) const fn whole(self) -> usize {
        self.head + self.body
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(stream: S, mut ends: Ends, bounds: Bounds) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    run_both(
        read(&mut reader, &ends.reading, bounds),
        write(&mut writer, &mut ends.queue, &ends.reading),
        &mut ends.dropped,
    )
    .await;
    // A peer that is gone needs no good-bye.
    let _ = timeout(WRITE, writer.shutdown()).await;
    ends.close().await;
}

async fn read<R: AsyncRead + Unpin>(reader: &mut R, reading: &Reading, bounds: Bounds) {
    let mut framer = Framer::new(bounds.head, bounds.body);
    let mut patience = Patience::new(Instant::now());
    loop {
        let until = patience.until(reading);
        framer.buffer().reserve(READ);
        let now = match timeout_at(until, reader.read_buf(framer.buffer())).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(_)) => Instant::now(),
            // It may have become known meanwhile.
            Err(_) if patience.until(reading) > until => continue,
            Err(_) => return debug!("a SIP connection was silent for too long"),
        };
        patience.heard(now);
        loop {
            match framer.poll() {
                Ok(Some(Frame::Message(bytes))) => {
                    patience.message_ended();
                    reading.deliver(bytes).await;
                }
                Ok(Some(Frame::Ping)) => reading.pong.notify_one(),
                Ok(None) => break,
                Err(broken) => {
                    debug!("a SIP connection is closed: {broken}");
                    if let Some(head) = broken.head {
                        reading.deliver(head).await;
                        // Closed with bytes unread, the socket would take our answer back.
                        let _ = timeout(LAST_ANSWER, discard(reader)).await;
                    }
                    return;
                }
            }
        }
        patience.is_within_message(now, framer.is_within_message());
    }
}

/// Reads to the end, for nobody.
async fn discard<R: AsyncRead + Unpin>(reader: &mut R) {
    let mut nowhere = [0; READ];
    while reader.read(&mut nowhere).await.is_ok_and(|read| read > 0) {}
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, queue: &mut Queue, reading: &Reading) {
    loop {
        let bytes = tokio::select! {
            bytes = queue.next() => bytes,
            () = reading.pong.notified() => {
                if !write_one(writer, b"\r\n").await {
                    return;
                }
                continue;
            }
        };
        let Some(bytes) = bytes else { return };
        reading.note_sent(&bytes);
        if !write_one(writer, &bytes).await {
            return;
        }
        queue.sent();
    }
}

/// False when the peer is gone or does not read.
async fn write_one<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> bool {
    let written = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    matches!(timeout(WRITE, written).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip::{Hop, Transport};
    use tokio::io::DuplexStream;
    use tokio::sync::mpsc;

    use super::super::connection::{Closed, ConnectionEvent, Link, Outgoing, link};
    use super::*;

    /// A connection on the test's clock, and its peer.
    struct Bench {
        peer: DuplexStream,
        link: Option<Link>,
        events: mpsc::Receiver<ConnectionEvent>,
        started: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let hop = Hop::new(Transport::Tcp, "192.0.2.1:9".parse().unwrap());
            let (sender, events) = mpsc::channel(16);
            let (link, ends) = link(hop, false, sender);
            let (peer, stream) = tokio::io::duplex(256);
            tokio::spawn(serve(stream, ends, Bounds::UNLISTED));
            Self {
                peer,
                link: Some(link),
                events,
                started: Instant::now(),
            }
        }

        /// The end of the connection, and how many seconds it lasted.
        async fn closed(&mut self) -> (Closed, u64) {
            loop {
                match self.events.recv().await.expect("a last word") {
                    ConnectionEvent::Closed(closed) => {
                        return (closed, self.started.elapsed().as_secs());
                    }
                    ConnectionEvent::Message { .. } | ConnectionEvent::Opened(_) => {}
                }
            }
        }

        /// Sends `bytes` every `pause` until the connection is gone.
        async fn drip(&mut self, bytes: &[u8], pause: Duration) -> u64 {
            loop {
                tokio::select! {
                    (_, seconds) = async {
                        let closed = self.events.recv().await;
                        (closed, self.started.elapsed().as_secs())
                    } => return seconds,
                    () = tokio::time::sleep(pause) => {}
                }
                // When it is gone, its last word is next.
                let _ = self.peer.write_all(bytes).await;
            }
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_dropped() {
        assert_eq!(Bench::new().closed().await.1, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_message_too_slowly_is_dropped() {
        assert_eq!(Bench::new().drip(b"x", SECOND).await, 1 + 32);
    }

    #[tokio::test(start_paused = true)]
    async fn who_falls_silent_is_dropped_and_who_keeps_alive_is_not() {
        let mut bench = Bench::new();
        for _ in 0..10 {
            bench.peer.write_all(b"\r\n\r\n").await.unwrap();
            let mut pong = [0; 2];
            bench.peer.read_exact(&mut pong).await.unwrap();
            assert_eq!(&pong, b"\r\n");
            tokio::time::sleep(500 * SECOND).await;
        }
        assert_eq!(bench.closed().await.1, 9 * 500 + 600);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_dropped_and_nothing_is_lost() {
        let mut bench = Bench::new();
        let queue = bench.link.as_ref().map(|link| link.queue.clone()).unwrap();
        for size in [200, 200, 300] {
            let out = Outgoing {
                bytes: vec![b'x'; size].into(),
                otherwise: None,
                is_retry: false,
            };
            queue.try_send(out).unwrap();
        }
        bench.peer.write_all(b"\r\n").await.unwrap();
        let (closed, seconds) = bench.closed().await;
        let unsent: Vec<_> = closed.unsent.iter().map(|out| out.bytes.len()).collect();
        // The second was half written.
        assert_eq!((unsent, seconds), (vec![200, 300], WRITE.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_link_closes_the_connection() {
        let mut bench = Bench::new();
        bench.link = None;
        assert_eq!(bench.closed().await.1, 0);
        let mut rest = Vec::new();
        bench.peer.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    }
}
