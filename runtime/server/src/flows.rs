//! What calls run: the bundled components, those that accounts uploaded, and the settings each story gets.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use call::StoryChoice;
use plugin_host::{Engine, Flow, LoadError};
use store::{Directory, Sha256Digest, Store, WebhookMethod};
use tracing::{error, info};

use crate::compiler::Compiler;

/// The component that interprets TwiML; every voice URL means this one.
const TWIML: &str = "twiml";

/// What a call does: the flow of its number, or the one an outbound call asked for, and the settings of the number.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) flow: store::Flow,
    pub(crate) settings: BTreeMap<String, String>,
}

/// Settings that are of a call's beginning: what takes its place later has nothing to do with them.
const OF_THE_BEGINNING: [&str; 4] = ["machine-detection", "async-amd", "send-digits", "fallback-"];

impl Story {
    /// Another flow takes the place of this one, in a call that is up. The settings of the number stay.
    pub(crate) fn take_over(&mut self, by: Self) {
        self.flow = by.flow;
        let is_kept = |name: &str| !OF_THE_BEGINNING.iter().any(|known| name.starts_with(known));
        self.settings.retain(|name, _| is_kept(name));
        self.settings.extend(by.settings);
        self.settings
            .insert("is-answered".to_owned(), "true".to_owned());
    }
}

/// Why a story cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlowError {
    #[error("the account has no component `{0}`, and none of that name is bundled (bundled: {bundled})", bundled = bundled_names())]
    Unknown(String),
    #[error("the account has no fallback")]
    NoFallback,
}

/// Compiled components, ready to start stories. Nothing is compiled while a call waits.
pub(crate) struct Flows {
    engine: Engine,
    compiler: Compiler,
    bundled: HashMap<&'static str, Flow>,
    uploaded: RwLock<HashMap<Sha256Digest, Flow>>,
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
            engine,
            bundled,
            uploaded: RwLock::default(),
        })
    }

    /// Compiles what was uploaded and is not ready yet. What cannot be loaded is logged; its calls take their fallback.
    pub(crate) fn reload(&self, store: &dyn Store) {
        for component in store.directory().components() {
            if self.uploaded(&component.sha256).is_some() {
                continue;
            }
            let loaded = store
                .component_bytes(component)
                .map_err(|error| error.to_string())
                .and_then(|wasm| self.load_upload(&wasm).map_err(|error| error.to_string()));
            match loaded {
                Ok(flow) => {
                    info!(tenant.id = %component.account, component = component.name, "component loaded");
                    let mut uploaded = self
                        .uploaded
                        .write()
                        .unwrap_or_else(PoisonError::into_inner);
                    uploaded.insert(component.sha256, flow);
                }
                Err(reason) => {
                    error!(tenant.id = %component.account, component = component.name, "cannot load the component: {reason}");
                }
            }
        }
    }

    /// Whether these bytes are a component that could run calls.
    pub(crate) fn check(&self, wasm: &[u8]) -> Result<(), LoadError> {
        self.load_upload(wasm).map(drop)
    }

    /// What a tenant uploaded is compiled in a process of its own.
    fn load_upload(&self, wasm: &[u8]) -> Result<Flow, LoadError> {
        self.engine
            .load_by(wasm, |wasm| self.compiler.compile(wasm))
    }

    /// The compiled flow of a story and what `wasi:config` answers in it: the flow's own keys, over the number's, over the
    /// account's.
    pub(crate) fn find(
        &self,
        directory: &Directory,
        account: &store::Account,
        story: &Story,
        choice: StoryChoice,
    ) -> Result<(Flow, BTreeMap<String, String>), FlowError> {
        let flow = match choice {
            StoryChoice::Flow => &story.flow,
            StoryChoice::Fallback => account.fallback.as_ref().ok_or(FlowError::NoFallback)?,
        };
        let mut settings = account.settings.clone();
        settings.extend(story.settings.clone());
        let name = match flow {
            store::Flow::Component(name) => name.as_str(),
            store::Flow::VoiceUrl { url, method } => {
                settings.insert("voice-url".to_owned(), url.clone());
                settings.insert(
                    "voice-method".to_owned(),
                    webhook_method(*method).to_owned(),
                );
                TWIML
            }
            store::Flow::Twiml(document) => {
                settings.insert("twiml".to_owned(), document.clone());
                TWIML
            }
        };
        let own = directory
            .component(account.sid, name)
            .and_then(|component| self.uploaded(&component.sha256));
        let found = own.or_else(|| self.bundled.get(name).cloned());
        found
            .map(|flow| (flow, settings))
            .ok_or_else(|| FlowError::Unknown(name.to_owned()))
    }

    fn uploaded(&self, sha256: &Sha256Digest) -> Option<Flow> {
        self.uploaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sha256)
            .cloned()
    }
}

const fn webhook_method(method: WebhookMethod) -> &'static str {
    match method {
        WebhookMethod::Get => "GET",
        WebhookMethod::Post => "POST",
    }
}

fn bundled_names() -> String {
    let names: Vec<_> = bundled::ALL.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
