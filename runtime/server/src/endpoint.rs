//! The SIP endpoint's thread: the sans-IO core, the way to and from the network, and the way to each call's actor.
//!
//! It alone touches the core, so nothing is locked. Messages, commands and timers go in; messages and events come out.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use sip::digest::User;
use sip::registrar::Binding;
use sip::{Ask, DialogId, Outcome, Remains, RequestId};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::{debug, error, warn};

use crate::clock::sleep_until;
use crate::config;
use crate::transport::{ConnectionEvent, Connections, Server, Sockets, Tls, TlsKeeper, Udp};

/// Messages of one call that may wait for its actor. SIP has a handful of events a call.
pub(crate) const SIGNALS: usize = 32;
/// Commands of all calls that may wait for the endpoint.
const COMMANDS: usize = 65_536;
/// Ends of our connections that may wait for who listens. One that misses some finds out by its next request.
const LOSSES: usize = 64;
/// Datagrams, commands and events of connections taken before the outputs are sent: bounds the delay of what is due.
const BATCH: usize = 64;

/// The way to the endpoint, for actors and the outbound side.
#[derive(Debug, Clone)]
pub(crate) struct EndpointHandle {
    commands: mpsc::Sender<Message>,
    losses: broadcast::Sender<sip::Hop>,
    next_outgoing: Arc<AtomicU64>,
    /// The first bound address.
    pub(crate) local: SocketAddr,
}

#[derive(Debug)]
enum Message {
    Command(sip::Command),
    /// Events of this dialog go here from now on.
    Open(DialogId, mpsc::Sender<sip::Event>),
    SetPeers(sip::PeerSet),
    SetUsers(sip::digest::Users),
    SetDraining,
    Ask(Box<Ask>, oneshot::Sender<Outcome>),
    Bindings(User, oneshot::Sender<Vec<Binding>>),
    Remains(DialogId, oneshot::Sender<Option<Remains>>),
    /// Requests may go to this server, which is there.
    Expect(Server, Vec<sip::Hop>),
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

    /// From now on requests may go to this server, which is at these hops. To be said anew for each call and each look for where it
    /// is: what nobody asks for any more may be forgotten.
    pub(crate) fn expect(&self, server: Server, hops: Vec<sip::Hop>) -> sip::ServerId {
        let id = server.id();
        self.message(Message::Expect(server, hops));
        id
    }

    /// From now on these users may begin dialogs and register, from anywhere, when they prove who they are.
    pub(crate) fn set_users(&self, users: sip::digest::Users) {
        self.message(Message::SetUsers(users));
    }

    /// From now on new calls are refused, and OPTIONS says so.
    pub(crate) fn drain(&self) {
        self.message(Message::SetDraining);
    }

    /// Sends a request outside dialogs and waits for what comes of it.
    pub(crate) fn ask(&self, ask: Ask) -> impl Future<Output = Outcome> + Send + use<> {
        let (reply, outcome) = oneshot::channel();
        self.message(Message::Ask(Box::new(ask), reply));
        async { outcome.await.unwrap_or(Outcome::Unreachable) }
    }

    /// From now on, the remote ends of connections that we had opened and that are over.
    pub(crate) fn losses(&self) -> broadcast::Receiver<sip::Hop> {
        self.losses.subscribe()
    }

    /// Where a user is registered, what was heard of longest ago first; nowhere when the endpoint has stopped.
    pub(crate) async fn bindings(&self, user: User) -> Vec<Binding> {
        let (reply, bindings) = oneshot::channel();
        self.message(Message::Bindings(user, reply));
        bindings.await.unwrap_or_default()
    }

    /// What ends this dialog when the process is gone; none of one that is over.
    pub(crate) async fn remains(&self, dialog: DialogId) -> Option<Remains> {
        let (reply, remains) = oneshot::channel();
        self.message(Message::Remains(dialog, reply));
        remains.await.ok().flatten()
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

/// Bound sockets whose thread was not started yet.
pub(crate) struct Endpoint {
    sockets: Sockets,
    max_connections: usize,
    tls: (Tls, TlsKeeper),
    handle: EndpointHandle,
    commands: mpsc::Receiver<Message>,
}

impl Endpoint {
    /// Binds the sockets and reads the certificates, so that what is wrong is told before anything else starts.
    pub(crate) fn bind(settings: &config::Sip) -> anyhow::Result<Self> {
        let tls = Tls::load(settings).context("TLS for SIP cannot be set up")?;
        let sockets = Sockets::bind(settings)?;
        let local = *sockets
            .bound
            .plain
            .first()
            .context("sip.bind names no address")?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let next_outgoing = Arc::new(AtomicU64::new(2));
        Ok(Self {
            sockets,
            max_connections: settings.max_connections,
            tls,
            handle: EndpointHandle {
                commands: sender,
                losses: broadcast::Sender::new(LOSSES),
                next_outgoing,
                local,
            },
            commands,
        })
    }

    /// The addresses that were bound.
    pub(crate) fn bound(&self) -> &config::Bound {
        &self.sockets.bound
    }

    pub(crate) fn handle(&self) -> EndpointHandle {
        self.handle.clone()
    }

    /// Starts the thread; connections run on this runtime. It ends when every handle is gone.
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
        let Sockets {
            udp,
            listeners,
            bound,
        } = self.sockets;
        let udp = {
            let _within = runtime.enter();
            Udp::new(udp).context("cannot serve the SIP sockets")?
        };
        let connections_run = Handle::current();
        let (tls, keeper) = self.tls;
        connections_run.spawn(keeper.run());
        let (connections, events) =
            Connections::start(listeners, bound, self.max_connections, tls, connections_run);
        let driver = Driver {
            losses: self.handle.losses.clone(),
            core,
            admission,
            routes: HashMap::new(),
            asked: HashMap::new(),
            last_request: 0,
            udp,
            connections,
        };
        std::thread::Builder::new()
            .name("sip".to_owned())
            .spawn(move || {
                if let Err(error) = runtime.block_on(driver.run(self.commands, events)) {
                    error!("the SIP endpoint stopped: {error:#}");
                }
            })
            .context("cannot start the SIP endpoint's thread")?;
        Ok(())
    }
}

struct Driver<A> {
    losses: broadcast::Sender<sip::Hop>,
    core: sip::Endpoint,
    admission: A,
    routes: HashMap<DialogId, mpsc::Sender<sip::Event>>,
    /// Who waits for what comes of which request.
    asked: HashMap<RequestId, oneshot::Sender<Outcome>>,
    last_request: u64,
    udp: Udp,
    connections: Connections,
}

impl<A: Admission> Driver<A> {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Message>,
        mut events: mpsc::Receiver<ConnectionEvent>,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                ready = self.udp.readable() => ready?,
                Some(event) = events.recv() => self.hear(event),
                message = commands.recv() => match message {
                    Some(message) => self.take(message),
                    None => return Ok(()),
                },
                () = sleep_until(self.core.deadline()) => {}
            }
            // What has come goes before what is due: the message may be the one that a timer waits for.
            self.receive(&mut events);
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
            self.flush().await;
        }
    }

    fn receive(&mut self, events: &mut mpsc::Receiver<ConnectionEvent>) {
        let core = &mut self.core;
        self.udp.receive(BATCH, |source, bytes| {
            let from = sip::Hop::udp(source);
            core.handle(Instant::now(), sip::Input::Received { from, bytes });
        });
        for _ in 0..BATCH {
            let Ok(event) = events.try_recv() else {
                break;
            };
            self.hear(event);
        }
    }

    fn hear(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Opened(link) => self.connections.opened(link),
            ConnectionEvent::Message { from, bytes } => self
                .core
                .handle(Instant::now(), sip::Input::Received { from, bytes }),
            ConnectionEvent::Closed(closed) => {
                let (hop, is_ours) = (closed.hop, closed.is_ours);
                for to in self.connections.closed(closed) {
                    self.core
                        .handle(Instant::now(), sip::Input::Unreachable { to });
                }
                if !self.connections.has(hop) {
                    self.core.handle(Instant::now(), sip::Input::Closed { hop });
                    if is_ours {
                        // Nobody listening is no loss.
                        let _ = self.losses.send(hop);
                    }
                }
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Command(command) => {
                // Nothing is told of a call that was turned away.
                if let sip::Command::Reject { dialog, .. } = &command {
                    self.routes.remove(dialog);
                }
                self.core
                    .handle(Instant::now(), sip::Input::Command(command));
            }
            Message::Open(dialog, signals) => {
                self.routes.insert(dialog, signals);
            }
            Message::SetPeers(peers) => {
                self.connections.set_peers(peers.clone());
                self.core.set_peers(peers);
            }
            Message::Expect(server, hops) => self.connections.expect(server, hops),
            Message::SetUsers(users) => self.core.set_users(users),
            Message::SetDraining => self.core.set_draining(true),
            Message::Ask(ask, reply) => self.ask(ask, reply),
            Message::Bindings(user, reply) => {
                // As below.
                let _ = reply.send(self.core.bindings(&user).to_vec());
            }
            Message::Remains(dialog, reply) => {
                // As below.
                let _ = reply.send(self.core.remains(dialog));
            }
            Message::Counters(reply) => {
                // Nobody waiting any more is no loss.
                let _ = reply.send(*self.core.counters());
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(output) = self.core.poll() {
            match output {
                sip::Output::Transmit {
                    to,
                    otherwise,
                    bytes,
                } => self.transmit(to, otherwise, bytes).await,
                sip::Output::Incoming(incoming) => self.admit(*incoming),
                sip::Output::Bound(news) => {
                    debug!(realm = %news.user.realm, change = ?news.change, "a gateway's registration");
                }
                sip::Output::Event { dialog, event } => self.route(dialog, event),
                sip::Output::Answered { request, outcome } => {
                    if let Some(reply) = self.asked.remove(&request) {
                        // Who does not wait any longer needs no answer.
                        let _ = reply.send(outcome);
                    }
                }
            }
        }
    }

    async fn transmit(&mut self, to: sip::Hop, otherwise: Option<sip::Hop>, bytes: Bytes) {
        if to.transport == sip::Transport::Udp {
            return self.udp.send(to.address, &bytes).await;
        }
        if let Err(to) = self.connections.send(to, otherwise, bytes) {
            debug!(%to, "no SIP connection can be made");
            self.core
                .handle(Instant::now(), sip::Input::Unreachable { to });
        }
    }

    fn ask(&mut self, ask: Box<Ask>, reply: oneshot::Sender<Outcome>) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        self.asked.insert(request, reply);
        let command = sip::Command::Ask { request, ask };
        self.core
            .handle(Instant::now(), sip::Input::Command(command));
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
                    warning: None,
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
