//! What one trunk needs done all the time: its registration at a provider, and questions to its targets.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::locate::LocateError;
use sip::registration::{self, Registration};
use sip::{Contacts, Hop, Outcome, health};
use store::{Target, TargetUri, Trunk};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{Parting, Standing};
use crate::clock::sleep_until;
use crate::endpoint::EndpointHandle;
use crate::resolver::Resolver;
use crate::services::random;
use crate::transport::Server;

/// How often DNS is asked again where a trunk's servers are. What it said is remembered by the resolver.
const RELOCATE: Duration = Duration::from_secs(30);
/// How long a provider may take to let us go.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a keeper works with.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) endpoint: EndpointHandle,
    pub(super) resolver: Arc<Resolver>,
    pub(super) contacts: Contacts,
}

impl Tools {
    /// The servers of a URI that a trunk is configured with, in the order to try them. All trunks share the connections to them.
    ///
    /// # Errors
    /// When they cannot be found.
    pub(super) async fn servers(&self, uri: &str) -> Result<Vec<Hop>, LocateError> {
        let located = self.resolver.hops(uri).await?;
        let server = located.verify_name.as_ref().map(|name| {
            let server = Server {
                name: Arc::clone(name),
                owner: None,
            };
            self.endpoint.expect(server, located.hops.clone())
        });
        let of_server = |hop: &Hop| hop.of(server.filter(|_| hop.transport.is_secure()));
        Ok(located.hops.iter().map(of_server).collect())
    }
}

/// Keeps one trunk, in a task of its own.
pub(super) struct Keeper {
    tools: Tools,
    trunk: Arc<Trunk>,
    credentials: Option<Arc<sip::digest::Credentials>>,
    registration: Option<Registration>,
    health: Option<health::Health>,
    /// Where the registrar is has been looked up once: before that, no news is no failure.
    is_registrar_sought: bool,
    jobs: JoinSet<Done>,
    standing: watch::Sender<Standing>,
}

/// A job that came to its end.
enum Done {
    Registered(Outcome),
    Probed(Hop, Outcome),
    /// Where the registrar's servers are.
    Registrar(Vec<Hop>),
    /// Where the targets' servers are.
    Targets(Vec<Hop>),
}

impl Keeper {
    /// A keeper for a trunk that registers or is probed; none for one that needs nothing.
    pub(super) fn new(
        tools: &Tools,
        trunk: &Arc<Trunk>,
        standing: watch::Sender<Standing>,
    ) -> Option<Self> {
        let contacts = trunk
            .nat
            .advertised_sip
            .map_or(tools.contacts, Contacts::new);
        let registration = trunk.registration.as_ref().map(|registration| {
            let config = registration_config(registration, contacts, super::credentials(trunk));
            Registration::new(config, Vec::new(), random())
        });
        let health = trunk.health.filter(|_| trunk.is_outbound()).map(|rules| {
            let config = health_config(rules, contacts);
            health::Health::new(Instant::now(), config, Vec::new(), random())
        });
        (registration.is_some() || health.is_some()).then(|| Self {
            tools: tools.clone(),
            credentials: super::credentials(trunk),
            trunk: Arc::clone(trunk),
            registration,
            health,
            is_registrar_sought: false,
            jobs: JoinSet::new(),
            standing,
        })
    }

    /// Works until it is to part from its trunk.
    pub(super) async fn run(mut self, mut parting: watch::Receiver<Option<Parting>>) {
        let mut relocate = tokio::time::interval(RELOCATE);
        let mut losses = self.tools.endpoint.losses();
        loop {
            self.ask();
            self.tell();
            let deadline = self.deadline();
            tokio::select! {
                _ = relocate.tick() => self.relocate(),
                Some(Ok(done)) = self.jobs.join_next() => self.take(done),
                () = sleep_until(deadline) => self.wake(),
                Ok(hop) = losses.recv() => self.lose(hop),
                _ = parting.changed() => break,
            }
        }
        if *parting.borrow() == Some(Parting::Farewell) {
            // A provider that does not answer forgets us by itself.
            let _ = tokio::time::timeout(FAREWELL, self.say_farewell()).await;
        }
    }

    async fn say_farewell(&mut self) {
        self.health = None;
        if let Some(registration) = &mut self.registration {
            registration.handle(Instant::now(), registration::Input::Stop);
        }
        while !self.is_farewell_said() {
            self.ask();
            match self.jobs.join_next().await {
                Some(Ok(done)) => self.take(done),
                _ => return,
            }
        }
    }

    fn is_farewell_said(&self) -> bool {
        self.registration
            .as_ref()
            .is_none_or(|registration| registration.state() == registration::State::Stopped)
    }

    fn deadline(&self) -> Option<Instant> {
        let registration = self.registration.as_ref().and_then(Registration::deadline);
        let health = self.health.as_ref().and_then(health::Health::deadline);
        registration.into_iter().chain(health).min()
    }

    fn wake(&mut self) {
        let now = Instant::now();
        if let Some(registration) = &mut self.registration {
            registration.handle(now, registration::Input::Timeout);
        }
        if let Some(health) = &mut self.health {
            health.handle(now, health::Input::Timeout);
        }
    }

    /// A connection is over: what the provider has for us would have come by it.
    fn lose(&mut self, hop: Hop) {
        if let Some(registration) = &mut self.registration {
            registration.handle(Instant::now(), registration::Input::Lost(hop));
        }
    }

    /// Sends what the cores ask for.
    fn ask(&mut self) {
        while let Some(ask) = self.registration.as_mut().and_then(Registration::poll) {
            let answer = self.tools.endpoint.ask(ask);
            self.jobs.spawn(async { Done::Registered(answer.await) });
        }
        while let Some(output) = self.health.as_mut().and_then(health::Health::poll) {
            match output {
                health::Output::Ask { target, ask } => {
                    let answer = self.tools.endpoint.ask(self.with_credentials(*ask));
                    self.jobs
                        .spawn(async move { Done::Probed(target, answer.await) });
                }
                health::Output::Changed { target, is_up } => self.note(target, is_up),
            }
        }
    }

    fn with_credentials(&self, ask: sip::Ask) -> sip::Ask {
        let credentials = self.credentials.clone();
        sip::Ask { credentials, ..ask }
    }

    fn note(&self, target: Hop, is_up: bool) {
        let trunk = &self.trunk.id;
        if is_up {
            info!(%trunk, %target, "the target takes calls again");
        } else {
            warn!(%trunk, %target, "the target does not answer: calls go to the others first");
        }
        self.standing.send_modify(|standing| {
            if is_up {
                standing.down.remove(&target);
            } else {
                standing.down.insert(target);
            }
        });
    }

    /// Lets everybody see where the registration stands, and the log when that changed.
    fn tell(&self) {
        let registration = self
            .registration
            .as_ref()
            .filter(|_| self.is_registrar_sought);
        let state = registration.map(Registration::state);
        let is_known = |state: &Option<registration::State>| {
            matches!(state, Some(registration::State::Registered { .. }))
        };
        let trunk = &self.trunk.id;
        self.standing.send_if_modified(|standing| {
            if standing.registration == state {
                return false;
            }
            match (&state, is_known(&standing.registration)) {
                (Some(registration::State::Registered { .. }), false) => {
                    info!(%trunk, "registered");
                }
                (Some(registration::State::Failing { failure, .. }), _) => {
                    warn!(%trunk, status = failure.status, "not registered: {}", failure.reason);
                }
                _ => {}
            }
            standing.registration = state;
            true
        });
    }

    fn take(&mut self, done: Done) {
        let now = Instant::now();
        match (done, &mut self.registration, &mut self.health) {
            (Done::Registered(outcome), Some(registration), _) => {
                registration.handle(now, registration::Input::Answered(outcome));
            }
            (Done::Registrar(hops), Some(registration), _) => {
                self.is_registrar_sought = true;
                registration.handle(now, registration::Input::Targets(hops));
            }
            (Done::Probed(target, outcome), _, Some(health)) => {
                health.handle(now, health::Input::Answered { target, outcome });
            }
            (Done::Targets(hops), _, Some(health)) => {
                let still: BTreeSet<_> = hops.iter().copied().collect();
                self.standing.send_modify(|standing| {
                    standing.down.retain(|hop| still.contains(hop));
                    standing.servers = still.len();
                });
                health.handle(now, health::Input::Targets(hops));
            }
            // Late: the core it was for is gone.
            _ => {}
        }
    }

    fn relocate(&mut self) {
        if let (Some(rules), Some(_)) = (&self.trunk.registration, &self.registration) {
            let hops = self.locate(vec![rules.registrar.clone()]);
            self.jobs.spawn(async { Done::Registrar(hops.await) });
        }
        if self.health.is_some() {
            let servers = self.trunk.targets.iter().filter_map(|target| match target {
                Target::Uri(uri) => Some(uri.clone()),
                Target::Registered => None,
            });
            let hops = self.locate(servers.collect());
            self.jobs.spawn(async { Done::Targets(hops.await) });
        }
    }

    /// The servers of some URIs, in their order; those that cannot be found are left out.
    fn locate(&self, uris: Vec<TargetUri>) -> impl Future<Output = Vec<Hop>> + use<> {
        let (tools, trunk) = (self.tools.clone(), self.trunk.id.clone());
        async move {
            let mut hops = Vec::new();
            for uri in uris {
                match tools.servers(uri.as_str()).await {
                    Ok(servers) => hops.extend(servers),
                    Err(error) => warn!(%trunk, "cannot find {}: {error}", uri.as_str()),
                }
            }
            hops
        }
    }
}

fn registration_config(
    rules: &store::Registration,
    contacts: Contacts,
    credentials: Option<Arc<sip::digest::Credentials>>,
) -> registration::Config {
    let host = rules.registrar.host();
    registration::Config {
        registrar: format!("sip:{host}"),
        address_of_record: format!("sip:{}@{host}", rules.user),
        contact_user: rules.contact_user.clone(),
        contacts,
        credentials,
        expires: Duration::from_secs(rules.expires_s.into()),
    }
}

fn health_config(rules: store::Health, contacts: Contacts) -> health::Config {
    health::Config {
        every: Duration::from_secs(rules.every_s.into()),
        down_after: rules.down_after,
        up_after: rules.up_after,
        contacts,
    }
}
