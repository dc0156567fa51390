//! The running host: everything made, connected and started in one place.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use plugin_host::{CodeCache, Engine, EngineConfig, EngineError};
use speech::{Flite, Provider, Recognition, Speaker};
use store::{CallRow, DiskStore, Places, Recovered, Store};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::broadcasts::Broadcasts;
use crate::callbacks::Callbacks;
use crate::config::{Bound, Config};
use crate::endpoint::Endpoint;
use crate::flite::SandboxedFlite;
use crate::flows::{Flows, bookkeeper};
use crate::inbound::Inbound;
use crate::library::Library;
use crate::live::LiveCalls;
use crate::lost_calls::{self, LostCalls};
use crate::media_plane::MediaPlane;
use crate::news::NewsDesk;
use crate::operator::{self, OperatorToken};
use crate::outbound::Outbound;
use crate::recorder::Studio;
use crate::resolver::Resolver;
use crate::rooms::{Conferences, Notary, Queues};
use crate::routing::Policies;
use crate::services::{Limits, Services, random};
use crate::shares::{ShareLimits, Shares};
use crate::trunks::Trunks;
use crate::uploads::Uploads;
use crate::web::Web;

/// How long hung-up calls have to finish their bookkeeping and be written down.
const GOODBYE: Duration = Duration::from_secs(5);

/// The host, up and taking calls.
pub(crate) struct Runtime {
    services: Arc<Services>,
    sip: SocketAddr,
    bound: Bound,
    api: SocketAddr,
    stop_api: oneshot::Sender<()>,
    api_task: JoinHandle<()>,
}

impl Runtime {
    /// Binds, opens, loads and starts everything, in the order in which a failure is cheapest.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let endpoint = Endpoint::bind(&config.sip)?;
        let listener = TcpListener::bind(config.api.bind).await.with_context(|| {
            format!("cannot bind the API address {} (api.bind)", config.api.bind)
        })?;
        let (store, Recovered { lost, farewells }) = open_store(&config.data_dir)?;
        let token = OperatorToken::load_or_create(&config.data_dir)?;
        let engine = make_engine(&config, &token)?;
        let local = endpoint.handle().local;
        let api = listener.local_addr()?;
        let services = make_services(&config, &endpoint, api, store, engine).await?;
        let held = lost_calls::still_held(&lost, &farewells);
        take_over(&config, &services, &held).await?;

        let core = sip_core(&config, &services, local);
        let inbound = Inbound {
            services: Arc::clone(&services),
            runtime: Handle::current(),
        };
        let bound = endpoint.bound().clone();
        endpoint.start(core, inbound)?;
        lost_calls::hang_up(&services, farewells);
        let (stop_api, stopped) = oneshot::channel();
        let router = operator::router(&services, &token);
        let api_task = tokio::spawn(serve_api(listener, router, stopped));
        info!(sip = %local, %api, max_calls = services.limits.max_calls, "takes calls");
        Ok(Self {
            services,
            sip: local,
            bound,
            api,
            stop_api,
            api_task,
        })
    }

    pub(crate) fn sip_address(&self) -> SocketAddr {
        self.sip
    }

    /// Every address that SIP is spoken at.
    pub(crate) fn sip_addresses(&self) -> &Bound {
        &self.bound
    }

    pub(crate) fn api_address(&self) -> SocketAddr {
        self.api
    }

    pub(crate) fn live_calls(&self) -> usize {
        self.services.live.count()
    }

    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Refuses new calls; returns when the last one has ended, or after `at_most`.
    pub(crate) async fn drain(&self, at_most: Duration) {
        self.services.live.close();
        self.services.endpoint.drain();
        self.wait_for_calls(at_most).await;
    }

    /// Hangs up what is left, and waits until it is written down.
    pub(crate) async fn stop(self) {
        self.services.live.close();
        self.services.live.hang_up_all(call::HangUpCause::Shutdown);
        self.wait_for_calls(GOODBYE).await;
        self.wait_for_recordings(GOODBYE).await;
        self.services.callbacks.settle(GOODBYE).await;
        self.services.trunks.stop().await;
        bookkeeper::keep(&self.services).await;
        // The API goes last, so that an operator can watch until the end.
        let _ = self.stop_api.send(());
        if let Err(error) = self.api_task.await {
            warn!("the API stopped badly: {error}");
        }
    }

    async fn wait_for_recordings(&self, at_most: Duration) {
        let none_left = async {
            while self.services.studio.going_on() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // What is left after this is repaired at the next start.
        let _ = tokio::time::timeout(at_most, none_left).await;
    }

    async fn wait_for_calls(&self, at_most: Duration) {
        let none_left = async {
            while self.live_calls() + self.services.live.on_their_way() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // What is left after this is ended by the caller.
        let _ = tokio::time::timeout(at_most, none_left).await;
    }
}

/// Everything that calls use, connected; nothing of it takes a call yet.
async fn make_services(
    config: &Config,
    endpoint: &Endpoint,
    api: SocketAddr,
    store: Arc<dyn Store>,
    engine: Engine,
) -> anyhow::Result<Arc<Services>> {
    let web = Arc::new(Web::trusting(config.egress.roots()?));
    let sound_library = open_library(config, &engine, &web).await?;
    let recognition = find_recognition(config).await?;
    let limits = Limits {
        max_calls: config.limits.max_calls.min(engine.ceiling() as usize),
        max_duration: Duration::from_secs(config.limits.max_duration_s),
    };
    let flows = tokio::task::spawn_blocking(move || Flows::load(engine))
        .await?
        .context("a bundled component")?;
    let contacts = config.sip.contacts(endpoint.bound());
    let mut our_sip = endpoint.bound().plain.to_vec();
    our_sip.push(contacts.towards(sip::Hop::udp(endpoint.handle().local)));
    let media =
        MediaPlane::start(&config.rtp, &our_sip).context("cannot start the media threads")?;
    let callbacks = Arc::new(Callbacks::new());
    let studio = Arc::new(start_studio(config, Arc::clone(&store), &callbacks, api).await?);
    let resolver = Resolver::new(&config.dns, endpoint.bound().reach())?;
    let notary = Notary {
        store: Arc::clone(&store),
        callbacks: Arc::clone(&callbacks),
    };
    Ok(Arc::new_cyclic(|services| Services {
        outbound: Arc::new(Outbound::new(
            services.clone(),
            store.directory(),
            Handle::current(),
        )),
        applications: Arc::default(),
        broadcasts: Arc::default(),
        policies: Policies::default(),
        store,
        endpoint: endpoint.handle(),
        media,
        studio: Arc::clone(&studio),
        sound_library,
        recognition,
        web,
        flows,
        callbacks,
        live: LiveCalls::default(),
        lost_calls: LostCalls::default(),
        conferences: Conferences::new(
            config.limits.max_rooms,
            config.limits.max_participants,
            notary.clone(),
            studio,
        ),
        queues: Queues::new(config.limits.max_rooms, notary),
        news: NewsDesk::new(),
        limits,
        shares: make_shares(config),
        trunks: Trunks::new(endpoint.handle(), resolver, contacts),
        pins: Arc::default(),
        taking_over: Mutex::default(),
        contacts,
    }))
}

/// Takes over from the process before this one: what it left half done, and the calls that wait.
async fn take_over(
    config: &Config,
    services: &Arc<Services>,
    lost: &[CallRow],
) -> anyhow::Result<()> {
    bookkeeper::start(services);
    let taking_over = Arc::clone(services);
    tokio::task::spawn_blocking(move || operator::take_over(&taking_over)).await?;
    Callbacks::start(services);
    let lost_for = Duration::from_secs(config.limits.lost_call_s);
    services.outbound.take_lost(lost, lost_for);
    services.outbound.start(services)?;
    Broadcasts::start(services);
    Ok(())
}

fn sip_core(config: &Config, services: &Services, local: SocketAddr) -> sip::Endpoint {
    let advertised = services.contacts.towards(sip::Hop::udp(local));
    let config = sip::Config {
        max_dialogs: 2 * services.limits.max_calls,
        contacts: services.contacts,
        digest: config.sip.digest.0.clone(),
        ..sip::Config::new(advertised)
    };
    sip::Endpoint::new(config, random())
}

fn make_shares(config: &Config) -> Arc<Shares> {
    Shares::new(ShareLimits {
        stories: config.limits.account_stories.unwrap_or(u32::MAX),
        memory_bytes: config.limits.account_memory_mib.saturating_mul(1024 * 1024),
        interpreted: config.limits.max_interpreted,
    })
}

/// What calls play: uploaded audio, and whatever can be spoken or fetched.
async fn open_library(config: &Config, engine: &Engine, web: &Arc<Web>) -> anyhow::Result<Library> {
    let uploads = Uploads::new(&config.data_dir);
    uploads.sweep().context("the folder of uploaded media")?;
    let speaker = find_speaker(config, engine).await?;
    Ok(Library::new(speaker, Arc::clone(web), uploads))
}

/// Repairs what the process before this one left, and starts the recorder.
async fn start_studio(
    config: &Config,
    store: Arc<dyn Store>,
    callbacks: &Arc<Callbacks>,
    api: SocketAddr,
) -> anyhow::Result<Studio> {
    let folder = config.data_dir.join("recordings");
    let settings = config.recording.clone();
    let public_url = config.api.public_url(api);
    let (callbacks, runtime) = (Arc::clone(callbacks), Handle::current());
    let started = tokio::task::spawn_blocking(move || {
        Studio::start(&folder, &settings, public_url, store, callbacks, runtime)
    });
    started.await?.context("cannot start the recorder")
}

/// The store, and what the process before this one left behind in it.
fn open_store(data_dir: &Path) -> anyhow::Result<(Arc<dyn Store>, Recovered)> {
    let (store, recovered) = DiskStore::open(&Places::in_folder(data_dir), crate::clock::unix_ms())
        .with_context(|| format!("cannot open the store in {} (data_dir)", data_dir.display()))?;
    if !recovered.lost.is_empty() {
        warn!(
            "{} calls were up when the process before this one ended; they are closed as lost",
            recovered.lost.len()
        );
    }
    Ok((Arc::new(store), recovered))
}

async fn serve_api(listener: TcpListener, router: axum::Router, stopped: oneshot::Receiver<()>) {
    let stopped = async {
        // Dropped without a word means the same.
        let _ = stopped.await;
    };
    // Who changes tenants' data is written down with where the request came from.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await
    {
        error!("the API stopped: {error}");
    }
}

/// Flite in the sandbox when its module is there, and who else can speak here.
async fn find_speaker(config: &Config, engine: &Engine) -> anyhow::Result<Speaker> {
    let module = config.speech.flite.clone().filter(|path| path.is_file());
    let flite = module.map(|path| {
        Box::new(Flite::new(SandboxedFlite::new(path, engine.clone()))) as Box<dyn Provider>
    });
    let (speaker, warnings) = Speaker::find(&config.speech, flite).await?;
    for warning in warnings {
        warn!("{warning}");
    }
    Ok(speaker)
}

async fn find_recognition(config: &Config) -> anyhow::Result<Arc<Recognition>> {
    let (recognition, warnings) = Recognition::find(&config.speech.input).await?;
    for warning in warnings {
        warn!("{warning}");
    }
    if !recognition.is_empty() {
        info!("speech is understood by {}", recognition.names().join(", "));
    }
    Ok(Arc::new(recognition))
}

fn make_engine(config: &Config, token: &OperatorToken) -> anyhow::Result<Engine> {
    let cache = CodeCache::new(
        config.data_dir.join("compiled"),
        token.derive("compiled code"),
    );
    let max_stories = u32::try_from(config.limits.max_calls).unwrap_or(u32::MAX);
    let engine = Engine::new(EngineConfig {
        max_stories,
        cache: Some(cache),
    })
    .and_then(|engine| interpreters(engine, config))
    .context("cannot start the WebAssembly engine")?;
    if engine.ceiling() < max_stories {
        warn!(
            "vm.max_map_count has room for {} stories, fewer than limits.max_calls: raise it (sysctl -w vm.max_map_count=262144)",
            engine.ceiling()
        );
    }
    Ok(engine)
}

/// Lets the engine take interpreters, where the configuration does.
pub(crate) fn interpreters(engine: Engine, config: &Config) -> Result<Engine, EngineError> {
    match config.limits.max_interpreted {
        0 => Ok(engine),
        stories => engine.with_interpreters(stories),
    }
}
