//! The SIP endpoint's thread: one UDP socket, the sans-IO core, and the way to each call's actor.
//!
//! It alone touches the core, so nothing is locked. Datagrams, commands and timers go in; datagrams and events come out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use sip::DialogId;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error, warn};

/// Messages of one call that may wait for its actor. SIP has a handful of events a call.
pub(crate) const SIGNALS: usize = 32;
/// Commands of all calls that may wait for the endpoint.
const COMMANDS: usize = 65_536;
/// Datagrams and commands taken before the outputs are sent: bounds the delay of what is due.
const BATCH: usize = 64;
/// A datagram cannot be larger.
const MAX_DATAGRAM: usize = 65_535;

/// The way to the endpoint, for actors and the outbound side.
#[derive(Debug, Clone)]
pub(crate) struct EndpointHandle {
    commands: mpsc::Sender<Message>,
    next_outgoing: Arc<AtomicU64>,
    /// The bound address.
    pub(crate) local: SocketAddr,
}

#[derive(Debug)]
enum Message {
    Command(sip::Command),
    /// Events of this dialog go here from now on.
    Open(DialogId, mpsc::Sender<sip::Event>),
    SetPeers(sip::PeerSet),
    Counters(oneshot::Sender<sip::Counters>),
}

/// Decides about one new INVITE on the endpoint's thread: at once, without waiting for anything.
pub(crate) trait Admission: Send + 'static {
    /// Takes the call on and says where its events go, or refuses it with a status.
    fn admit(
        &mut self,
        now: Instant,
        incoming: sip::Incoming,
    ) -> Result<mpsc::Sender<sip::Event>, Refusal>;
}

/// How an INVITE is turned away before there is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
}

impl EndpointHandle {
    /// Hands a command over. A full queue means that the endpoint's thread stands still; the command is dropped then.
    pub(crate) fn send(&self, command: sip::Command) {
        self.message(Message::Command(command));
    }

    /// A name for a dialog that we begin; its events go to `signals`.
    pub(crate) fn open(&self, signals: mpsc::Sender<sip::Event>) -> DialogId {
        let dialog = DialogId(self.next_outgoing.fetch_add(2, Ordering::Relaxed));
        self.message(Message::Open(dialog, signals));
        dialog
    }

    /// From now on these peers may begin dialogs, and no others.
    pub(crate) fn set_peers(&self, peers: sip::PeerSet) {
        self.message(Message::SetPeers(peers));
    }

    /// What the endpoint counted so far; none when it has stopped.
    pub(crate) async fn counters(&self) -> Option<sip::Counters> {
        let (reply, counters) = oneshot::channel();
        self.message(Message::Counters(reply));
        counters.await.ok()
    }

    fn message(&self, message: Message) {
        if let Err(error) = self.commands.try_send(message) {
            error!("the SIP endpoint does not take commands: {error}");
        }
    }
}

/// A bound socket whose thread was not started yet.
pub(crate) struct Endpoint {
    socket: std::net::UdpSocket,
    handle: EndpointHandle,
    commands: mpsc::Receiver<Message>,
}

impl Endpoint {
    /// Binds the socket, so that a taken port is told before anything else starts.
    pub(crate) fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = bind_udp(address)
            .with_context(|| format!("cannot bind the SIP address {address} (sip.bind)"))?;
        let local = socket
            .local_addr()
            .context("the SIP socket has no address")?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let next_outgoing = Arc::new(AtomicU64::new(2));
        Ok(Self {
            socket,
            handle: EndpointHandle {
                commands: sender,
                next_outgoing,
                local,
            },
            commands,
        })
    }

    pub(crate) fn handle(&self) -> EndpointHandle {
        self.handle.clone()
    }

    /// Starts the thread. It ends when every handle is gone.
    pub(crate) fn start(
        self,
        core: sip::Endpoint,
        admission: impl Admission,
    ) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .context("cannot start the SIP endpoint's runtime")?;
        let driver = Driver {
            core,
            admission,
            routes: HashMap::new(),
        };
        std::thread::Builder::new()
            .name("sip".to_owned())
            .spawn(move || {
                if let Err(error) = runtime.block_on(driver.run(self.socket, self.commands)) {
                    error!("the SIP endpoint stopped: {error:#}");
                }
            })
            .context("cannot start the SIP endpoint's thread")?;
        Ok(())
    }
}

struct Driver<A> {
    core: sip::Endpoint,
    admission: A,
    routes: HashMap<DialogId, mpsc::Sender<sip::Event>>,
}

impl<A: Admission> Driver<A> {
    async fn run(
        mut self,
        socket: std::net::UdpSocket,
        mut commands: mpsc::Receiver<Message>,
    ) -> anyhow::Result<()> {
        let socket = UdpSocket::from_std(socket)?;
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            tokio::select! {
                ready = socket.readable() => ready?,
                message = commands.recv() => match message {
                    Some(message) => self.take(message),
                    None => return Ok(()),
                },
                () = sleep_until(self.core.deadline()) => {}
            }
            // What has come goes before what is due: the datagram may be the one that a timer waits for.
            self.receive(&socket, &mut buffer);
            for _ in 0..BATCH {
                let Ok(message) = commands.try_recv() else {
                    break;
                };
                self.take(message);
            }
            let now = Instant::now();
            if self.core.deadline().is_some_and(|deadline| deadline <= now) {
                self.core.handle(now, sip::Input::Timeout);
            }
            self.flush(&socket).await;
        }
    }

    fn receive(&mut self, socket: &UdpSocket, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            let (length, source) = match socket.try_recv_from(buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // An ICMP error of an earlier send: the transaction's timer will notice.
                Err(error) => return debug!("SIP socket: {error}"),
            };
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            let from = sip::Hop::udp(source);
            self.core
                .handle(Instant::now(), sip::Input::Received { from, bytes });
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Command(command) => self
                .core
                .handle(Instant::now(), sip::Input::Command(command)),
            Message::Open(dialog, signals) => {
                self.routes.insert(dialog, signals);
            }
            Message::SetPeers(peers) => self.core.set_peers(peers),
            Message::Counters(reply) => {
                // Nobody waiting any more is no loss.
                let _ = reply.send(*self.core.counters());
            }
        }
    }

    async fn flush(&mut self, socket: &UdpSocket) {
        while let Some(output) = self.core.poll() {
            match output {
                sip::Output::Transmit { to, bytes, .. } => self.transmit(socket, to, &bytes).await,
                sip::Output::Incoming(incoming) => self.admit(*incoming),
                sip::Output::Bound(news) => {
                    debug!(realm = %news.user.realm, change = ?news.change, "a gateway's registration");
                }
                sip::Output::Event { dialog, event } => self.route(dialog, event),
                // Nobody in this process asks yet.
                sip::Output::Answered { .. } => {}
            }
        }
    }

    async fn transmit(&mut self, socket: &UdpSocket, to: sip::Hop, bytes: &[u8]) {
        if to.transport != sip::Transport::Udp {
            return self
                .core
                .handle(Instant::now(), sip::Input::Unreachable { to });
        }
        if let Err(error) = socket.send_to(bytes, to.address).await {
            debug!(%to, "cannot send SIP: {error}");
        }
    }

    fn admit(&mut self, incoming: sip::Incoming) {
        let dialog = incoming.dialog;
        match self.admission.admit(Instant::now(), incoming) {
            Ok(signals) => {
                self.routes.insert(dialog, signals);
            }
            Err(Refusal {
                status,
                retry_after,
            }) => {
                let command = sip::Command::Reject {
                    dialog,
                    status,
                    reason: None,
                    retry_after,
                    cause: None,
                };
                self.core
                    .handle(Instant::now(), sip::Input::Command(command));
            }
        }
    }

    fn route(&mut self, dialog: DialogId, event: sip::Event) {
        let is_last = matches!(
            event,
            sip::Event::Failed { .. }
                | sip::Event::NoAck
                | sip::Event::Canceled { .. }
                | sip::Event::Bye { .. }
                | sip::Event::Terminated
        );
        if let Some(signals) = self.routes.get(&dialog) {
            match signals.try_send(event) {
                Ok(()) => {}
                // The actor has ended: what comes late concerns nobody.
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.routes.remove(&dialog);
                }
                Err(mpsc::error::TrySendError::Full(event)) => {
                    warn!(
                        ?dialog,
                        ?event,
                        "a call does not take its SIP events: this one is lost"
                    );
                }
            }
        }
        if is_last {
            self.routes.remove(&dialog);
        }
    }
}

/// A socket with room for a burst: 2,000 INVITEs may arrive within a few milliseconds.
fn bind_udp(address: SocketAddr) -> std::io::Result<std::net::UdpSocket> {
    const BUFFER: usize = 4 << 20;
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::DGRAM,
        None,
    )?;
    // The kernel may give less; that is no failure.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
