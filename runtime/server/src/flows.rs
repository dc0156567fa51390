//! What calls run: the bundled components, those that accounts uploaded, and the settings each story gets.

pub(crate) mod bookkeeper;
mod ledger;
mod shelf;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use call::{CallSid, Grants, StoryChoice};
use ledger::Ledger;
use plugin_host::retry::Strategy;
use plugin_host::routing::Policy;
use plugin_host::{Engine, Flow, LoadError, Worlds};
use shelf::{Loaded, Serving, Shelf};
use store::{Plugin, PluginOwner, SelfTest, Store};
use tracing::{error, info};

use crate::compiler::Compiler;
use crate::self_test::Tester;
use crate::shares::NoShare;

/// The component that interprets TwiML; every voice URL means this one.
const TWIML: &str = "twiml";

/// What a call does: the flow of its number, or the one an outbound call asked for, and the settings of the number.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) flow: store::Flow,
    pub(crate) settings: BTreeMap<String, String>,
}

/// Settings that are of a call's beginning: what takes its place later has nothing to do with them.
const OF_THE_BEGINNING: [&str; 6] = [
    "machine-detection",
    "async-amd",
    "send-digits",
    "fallback-",
    "parameters",
    "twiml-ignored",
];

impl Story {
    /// Another flow takes the place of this one. The settings of the number stay.
    pub(crate) fn take_over(&mut self, by: Self, is_answered: bool) {
        self.flow = by.flow;
        let is_kept = |name: &str| !OF_THE_BEGINNING.iter().any(|known| name.starts_with(known));
        self.settings.retain(|name, _| is_kept(name));
        self.settings.extend(by.settings);
        if is_answered {
            self.settings
                .insert("is-answered".to_owned(), "true".to_owned());
        }
    }
}

/// Why a story cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlowError {
    #[error("the account has no component `{0}`, and none of that name is bundled (bundled: {bundled})", bundled = bundled_names())]
    Unknown(String),
    #[error("the account has no fallback")]
    NoFallback,
    /// The account's stories have all that they may.
    #[error(transparent)]
    NoShare(#[from] NoShare),
    /// What was granted when it was uploaded is granted no more.
    #[error("the component `{0}` is not run: {1}")]
    NotGranted(String, LoadError),
}

/// What a call begins its story with, and begins it with again if need be: whatever becomes of the plugin meanwhile, the call stays with
/// this version.
#[derive(Clone)]
pub(crate) struct Begun {
    pub(crate) flow: Flow,
    /// What `wasi:config` answers.
    pub(crate) settings: BTreeMap<String, String>,
    /// What it may use beyond its call.
    pub(crate) grants: Arc<Grants>,
    /// None for bundled components.
    pub(crate) version: Option<Arc<VersionId>>,
}

/// One version of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct VersionId {
    pub(crate) owner: PluginOwner,
    pub(crate) name: String,
    pub(crate) number: u32,
}

/// A plugin that is asked for a decision: a retry strategy, a routing policy.
pub(crate) struct Adviser<T> {
    pub(crate) version: VersionId,
    /// With its settings; not where what was granted when it was uploaded is granted no more.
    pub(crate) decider: Result<(T, BTreeMap<String, String>), LoadError>,
}

/// What an upload came to before it was tested.
pub(crate) struct Checked {
    /// Those that it runs.
    pub(crate) worlds: Vec<&'static str>,
    /// None where the engine had it already.
    code: Option<Vec<u8>>,
}

/// Compiled components, ready to start stories. Nothing is compiled while a call waits.
pub(crate) struct Flows {
    engine: Engine,
    compiler: Compiler,
    tester: Tester,
    bundled: HashMap<&'static str, Flow>,
    shelf: RwLock<Arc<Shelf>>,
    ledger: Arc<Ledger>,
    /// Held while a new shelf is made, so that an older one never takes the place of a newer one.
    reloading: Mutex<()>,
}

impl Flows {
    /// Compiles the bundled components, or takes them from the engine's cache.
    pub(crate) fn load(engine: Engine) -> Result<Self, LoadError> {
        let bundled = bundled::ALL
            .iter()
            .map(|(name, wasm)| Ok((*name, engine.load(wasm)?)))
            .collect::<Result<_, LoadError>>()?;
        Ok(Self {
            compiler: Compiler::new(&engine),
            tester: Tester::new(),
            engine,
            bundled,
            shelf: RwLock::default(),
            ledger: Arc::default(),
            reloading: Mutex::default(),
        })
    }

    /// Puts the store's plugins in force, all at once: compiles what is not ready yet. What cannot be loaded is logged; what ran before in
    /// its place goes on.
    pub(crate) fn reload(&self, store: &dyn Store) {
        let _one_at_a_time = self
            .reloading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = self.shelf();
        let mut shelf = Shelf::default();
        for plugin in store.directory().plugins() {
            let load = |number: Option<u32>| self.load_version(store, plugin, number?);
            let standing = plugin.standing;
            let canary = standing.canary;
            let before = || old.get(&plugin.owner, &plugin.name)?.active.clone();
            let serving = Serving {
                active: load(standing.active).or_else(|| standing.active.and_then(|_| before())),
                last_good: load(standing.last_good),
                canary: load(canary.map(|canary| canary.version)).zip(canary),
            };
            self.begin_trials(old.get(&plugin.owner, &plugin.name), &serving, plugin);
            shelf.put(plugin.owner.clone(), plugin.name.clone(), serving);
        }
        self.ledger
            .keep_only(store.directory().plugins().map(Arc::clone));
        let mut current = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(shelf);
    }

    /// A version that has another part to play than before is judged by what it does from now on.
    fn begin_trials(&self, old: Option<&Serving>, new: &Serving, plugin: &Plugin) {
        let parts = |serving: &Serving| {
            let active = serving.active.as_ref().map(|one| one.number);
            let canary = serving.canary.as_ref().map(|(one, _)| one.number);
            [active, canary]
        };
        let before = old.map_or([None, None], parts);
        for (number, before) in parts(new).into_iter().zip(before) {
            if let Some(number) = number.filter(|number| Some(*number) != before) {
                self.ledger.begin_trial(&plugin.owner, &plugin.name, number);
            }
        }
    }

    /// What each version's calls came to.
    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    fn load_version(&self, store: &dyn Store, plugin: &Plugin, number: u32) -> Option<Loaded> {
        let loaded = self.worlds_of(store, plugin, number);
        if let Err(reason) = &loaded {
            error!(
                owner = %plugin.owner, plugin = plugin.name, version = number,
                "cannot load the version: {reason}"
            );
        }
        let sha256 = plugin.version(number)?.sha256;
        let worlds = loaded.ok()?;
        Some(Loaded {
            number,
            sha256,
            worlds,
        })
    }

    /// The compiled code of a version, from where it is ready or else made anew.
    ///
    /// # Errors
    /// In words, when its bytes are damaged or this host cannot run it.
    pub(crate) fn worlds_of(
        &self,
        store: &dyn Store,
        plugin: &Plugin,
        number: u32,
    ) -> Result<Worlds, String> {
        let version = plugin.version(number).ok_or("it is kept no longer")?;
        if let Some(worlds) = self.shelf().worlds(version.sha256) {
            return Ok(worlds);
        }
        let wasm = store
            .component_bytes(version.sha256)
            .map_err(|error| error.to_string())?;
        let worlds = self.load_upload(&wasm).map_err(|error| error.to_string())?;
        info!(owner = %plugin.owner, plugin = plugin.name, version = number, "version loaded");
        Ok(worlds)
    }

    /// The worlds that the active version of a plugin runs; none where there is no such version.
    pub(crate) fn active_worlds(&self, owner: &PluginOwner, name: &str) -> Vec<&'static str> {
        let shelf = self.shelf();
        let serving = shelf.get(owner, name);
        let active = serving.and_then(|serving| serving.active.as_ref());
        active.map_or_else(Vec::new, |active| active.worlds.names())
    }

    /// Whether these bytes are a component that could run calls with what its owner grants. What a tenants file names passes here.
    pub(crate) fn check(&self, wasm: &[u8], grants: &Grants) -> Result<(), LoadError> {
        let flow = self
            .engine
            .load_by(wasm, |wasm| self.compiler.compile(wasm))?;
        plugin_host::require(flow.asks(), grants)
    }

    /// Whether these bytes are a component that this host could use with what its owner grants, in whichever world. Every upload passes here.
    pub(crate) fn check_upload(&self, wasm: &[u8], grants: &Grants) -> Result<Checked, LoadError> {
        let mut code = None;
        let worlds = self.engine.worlds_by(wasm, |wasm| {
            let compiled = self.compiler.compile(wasm)?;
            code = Some(compiled.clone());
            Ok(compiled)
        })?;
        plugin_host::require(&worlds.asks, grants)?;
        plugin_host::cases(wasm)?;
        Ok(Checked {
            worlds: worlds.names(),
            code,
        })
    }

    /// Tests an upload, in a process of its own. Takes up to some seconds, and longer where others wait.
    pub(crate) fn self_test(&self, wasm: &[u8], checked: Checked) -> SelfTest {
        let code = checked.code.map_or_else(|| self.compiler.compile(wasm), Ok);
        match code {
            Ok(code) => self.tester.test(wasm, &code),
            Err(error) => SelfTest::CouldNotRun {
                why: error.to_string(),
            },
        }
    }

    /// What a tenant uploaded is compiled in a process of its own.
    fn load_upload(&self, wasm: &[u8]) -> Result<Worlds, LoadError> {
        self.engine
            .worlds_by(wasm, |wasm| self.compiler.compile(wasm))
    }

    /// What a call begins its story with: the version that has its turn, what `wasi:config` answers in it (the flow's own keys, over the
    /// number's, over the account's), and what it may use: a plugin of the account what is granted, the operator's and the bundled ones
    /// everything.
    pub(crate) fn find(
        &self,
        account: &store::Account,
        story: &Story,
        choice: StoryChoice,
        call: CallSid,
    ) -> Result<Begun, FlowError> {
        let flow = match choice {
            StoryChoice::Flow => &story.flow,
            StoryChoice::Fallback => account.fallback.as_ref().ok_or(FlowError::NoFallback)?,
        };
        let mut settings = story.settings.clone();
        let name = match flow {
            store::Flow::Component(name) => name.as_str(),
            store::Flow::VoiceUrl { url, method } => {
                settings.insert("voice-url".to_owned(), url.clone());
                settings.insert("voice-method".to_owned(), method.as_str().to_owned());
                TWIML
            }
            store::Flow::Twiml(document) => {
                settings.insert("twiml".to_owned(), document.clone());
                TWIML
            }
        };
        if let Some(chosen) = self.shelf().choose(account, name, call) {
            let grants = granted_to(&chosen.owner, account);
            plugin_host::require(chosen.flow.asks(), &grants)
                .map_err(|error| FlowError::NotGranted(name.to_owned(), error))?;
            add_settings(&mut settings, account, &grants);
            let version = VersionId {
                owner: chosen.owner,
                name: name.to_owned(),
                number: chosen.number,
            };
            return Ok(Begun {
                flow: chosen.flow.clone(),
                settings,
                grants: Arc::new(grants),
                version: Some(Arc::new(version)),
            });
        }
        let bundled = self.bundled.get(name).cloned();
        let flow = bundled.ok_or_else(|| FlowError::Unknown(name.to_owned()))?;
        let grants = Grants::everything();
        add_settings(&mut settings, account, &grants);
        Ok(Begun {
            flow,
            settings,
            grants: Arc::new(grants),
            version: None,
        })
    }

    /// The retry strategy of an account, as it has its turn after this call; none where there is none: the first by name of the account's own plugins
    /// that are one, or else of its carrier's.
    pub(crate) fn adviser(
        &self,
        account: &store::Account,
        call: CallSid,
    ) -> Option<Adviser<Strategy>> {
        self.decider(account, call, |worlds| worlds.retry_strategy.as_ref())
    }

    /// The routing policy of an account, as it has its turn with this call; found as a retry strategy is.
    pub(crate) fn router(
        &self,
        account: &store::Account,
        call: CallSid,
    ) -> Option<Adviser<Policy>> {
        self.decider(account, call, |worlds| worlds.routing_policy.as_ref())
    }

    fn decider<T: Clone>(
        &self,
        account: &store::Account,
        call: CallSid,
        of: fn(&Worlds) -> Option<&T>,
    ) -> Option<Adviser<T>> {
        let shelf = self.shelf();
        let found = shelf.decider(account, call, of)?;
        let grants = granted_to(found.owner, account);
        let decider = plugin_host::require(found.asks, &grants).map(|()| {
            let mut settings = BTreeMap::new();
            add_settings(&mut settings, account, &grants);
            (found.decider.clone(), settings)
        });
        let version = VersionId {
            owner: found.owner.clone(),
            name: found.name.to_owned(),
            number: found.number,
        };
        Some(Adviser { version, decider })
    }

    /// The name of the strategy that [`Self::adviser`] gives.
    pub(crate) fn strategy_of(&self, account: &store::Account) -> Option<String> {
        let any_call = CallSid::from_bytes([0; 16]);
        self.adviser(account, any_call)
            .map(|adviser| adviser.version.name)
    }

    fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a plugin of this owner may use in calls of the account. A carrier's are the operator's, as the bundled ones are.
fn granted_to(owner: &PluginOwner, account: &store::Account) -> Grants {
    match owner {
        PluginOwner::Account(_) => account.grants.clone(),
        PluginOwner::Carrier(_) => Grants::everything(),
    }
}

/// Those of the account that are granted, where nothing goes before.
fn add_settings(
    settings: &mut BTreeMap<String, String>,
    account: &store::Account,
    grants: &Grants,
) {
    for (name, value) in &account.settings {
        if grants.has_setting(name) && !settings.contains_key(name) {
            settings.insert(name.clone(), value.clone());
        }
    }
}

fn bundled_names() -> String {
    let names: Vec<_> = bundled::ALL.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
