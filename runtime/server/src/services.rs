//! What every call's actor may use.

use std::sync::{Arc, Mutex, PoisonError};

use call::{CallInfo, CallRecord, CallSid, CallStatus};
use plugin_host::{Allowance, LogLevel, LogLine, Stop, StorySetup};
use speech::Recognition;
use store::{Commit, Directory, PluginLogLine, Store, StoreError};
use tracing::{debug, error, info, info_span, warn};

use crate::applications::Applications;
use crate::broadcasts::Broadcasts;
use crate::callbacks::Callbacks;
use crate::clock;
use crate::endpoint::EndpointHandle;
use crate::flows::{Begun, Flows, VersionId};
use crate::library::Library;
use crate::live::LiveCalls;
use crate::lost_calls::LostCalls;
use crate::media_plane::MediaPlane;
use crate::news::{News, NewsDesk};
use crate::outbound::Outbound;
use crate::pins::Pins;
use crate::recorder::Studio;
use crate::rooms::{Conferences, Queues};
use crate::routing::Policies;
use crate::shares::Shares;
use crate::trunks::Trunks;
use crate::web::Web;

/// The host as its calls see it. One for each process.
pub(crate) struct Services {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) endpoint: EndpointHandle,
    pub(crate) media: MediaPlane,
    /// After the media plane, whose legs end their recordings on drop.
    pub(crate) studio: Arc<Studio>,
    pub(crate) sound_library: Library,
    pub(crate) recognition: Arc<Recognition>,
    pub(crate) web: Arc<Web>,
    pub(crate) flows: Flows,
    pub(crate) lost_calls: LostCalls,
    pub(crate) live: LiveCalls,
    pub(crate) callbacks: Arc<Callbacks>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) broadcasts: Arc<Broadcasts>,
    pub(crate) policies: Policies,
    pub(crate) conferences: Conferences,
    pub(crate) queues: Queues,
    pub(crate) trunks: Trunks,
    pub(crate) pins: Arc<Pins>,
    pub(crate) news: NewsDesk,
    pub(crate) limits: Limits,
    /// What each account's stories have of what all have.
    pub(crate) shares: Arc<Shares>,
    /// Held while tenants are put in force.
    pub(crate) taking_over: Mutex<()>,
    /// What peers are told to reach SIP at.
    pub(crate) contacts: sip::Contacts,
}

/// What bounds every call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Calls at a time, by configuration and by what the machine has room for.
    pub(crate) max_calls: usize,
    pub(crate) max_duration: std::time::Duration,
}

impl Services {
    /// Puts the store's tenants in force somewhere. Whoever comes last brings the newest: one change at a time.
    pub(crate) fn in_force(&self, put: impl FnOnce(&Arc<Directory>)) {
        let _one_at_a_time = self
            .taking_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        put(&self.store.directory());
    }

    /// The limits of one account's call.
    pub(crate) fn call_limits(&self, account: &store::Account) -> call::Limits {
        call::Limits {
            max_duration: self.limits.max_duration,
            has_fallback: account.fallback.is_some(),
            has_recogniser: !self.recognition.is_empty(),
        }
    }

    /// Everything that a story starts with.
    pub(crate) fn story_setup(
        &self,
        info: &CallInfo,
        begun: &Begun,
        memory: Allowance,
        stop: Stop,
    ) -> StorySetup {
        StorySetup {
            info: info.clone(),
            settings: begun.settings.clone(),
            grants: Arc::clone(&begun.grants),
            seed: random(),
            started_unix_ms: clock::unix_ms(),
            limits: begun.flow.class().limits(),
            memory,
            log: self.tenant_log(info.call_sid, begun.version.clone()),
            stop,
        }
    }

    pub(crate) fn set_status(&self, info: &CallInfo, status: CallStatus) {
        self.keep(
            self.store
                .set_status(info.call_sid, status, clock::unix_ms()),
            "the status",
            info,
        );
    }

    /// Keeps how a call ended. Resolves when that is on disk.
    pub(crate) async fn finish(
        &self,
        info: &CallInfo,
        record: CallRecord,
        at_unix_ms: u64,
        journal: Option<Vec<u8>>,
    ) {
        let commit = self
            .store
            .finish_call(info.call_sid, record, at_unix_ms, journal);
        see_through(commit, "the record", info.call_sid).await;
        self.callbacks.look();
        self.broadcasts.look();
    }

    /// Sees a write through that the call does not wait for.
    pub(crate) fn keep(&self, commit: Commit<()>, what: &'static str, info: &CallInfo) {
        let (callbacks, call_sid) = (Arc::clone(&self.callbacks), info.call_sid);
        tokio::spawn(async move {
            see_through(commit, what, call_sid).await;
            callbacks.look();
        });
    }

    /// Where a story's log lines go: to the process's log, marked as the tenant's, and to whoever watches. The story's task
    /// stands in the call's span, so they are marked with the call too.
    pub(crate) fn tenant_log(
        &self,
        call: CallSid,
        version: Option<Arc<VersionId>>,
    ) -> plugin_host::LogSink {
        let news = self.news.clone();
        let ledger = Arc::clone(self.flows.ledger());
        Arc::new(move |line: LogLine| {
            let LogLine {
                level,
                context,
                message,
                at_unix_ms,
            } = &line;
            match level {
                LogLevel::Critical | LogLevel::Error => {
                    error!(target: "tenant", context, "{message}");
                }
                LogLevel::Warn => warn!(target: "tenant", context, "{message}"),
                LogLevel::Info => info!(target: "tenant", context, "{message}"),
                LogLevel::Debug | LogLevel::Trace => debug!(target: "tenant", context, "{message}"),
            }
            if let Some(version) = &version {
                let line = PluginLogLine {
                    at_unix_ms: *at_unix_ms,
                    version: version.number,
                    call: call.to_string(),
                    level: level_word(*level).to_owned(),
                    message: message.clone(),
                };
                ledger.log(version, line);
            }
            news.tell(|| News::Logged(message.clone()));
        })
    }
}

const fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
        LogLevel::Critical => "critical",
    }
}

/// A write that fails is logged: nobody else can do anything about it.
async fn see_through(commit: Commit<()>, what: &'static str, call_sid: CallSid) {
    match commit.await {
        Ok(()) => {}
        Err(StoreError::IllegalStatus { .. }) => {
            debug!(call.sid = %call_sid, "{what} came too late to be kept");
        }
        Err(error) => error!(call.sid = %call_sid, "cannot keep {what}: {error}"),
    }
}

/// What every log line of a call is marked with.
pub(crate) fn call_span(info: &CallInfo) -> tracing::Span {
    info_span!("call", call.sid = %info.call_sid, tenant.id = %info.account_sid)
}

/// Fresh random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
