//! Routing policies of accounts and carriers: asked over which trunks a call goes.

mod bounds;
mod question;
mod recent;
mod troubles;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dial::{CallRequest, TrunkState};
use plugin_host::routing::{Decision, Policy, Request, Trunk};
use plugin_host::{DecisionLimits, DecisionSetup};
use store::{Account, Directory, PluginLogLine, PluginOwner, Scope, StoreError};
use tracing::{Instrument as _, info_span, warn};
use troubles::{Case, FAILURES, Troubles};

pub(crate) use bounds::trouble;
pub(crate) use recent::RecentCalls;

use crate::clock;
use crate::flows::{Adviser, VersionId};
use crate::services::Services;

/// How long a call waits for its decision, its turn included.
const PATIENCE: Duration = Duration::from_secs(2);
/// Characters of a reason that are kept.
const REASON_CHARS: usize = 200;

/// Who is asked, and what policies are told of the past.
#[derive(Default)]
pub(crate) struct Policies {
    desks: Mutex<HashMap<PluginOwner, Arc<Desk>>>,
    /// What came of calls lately.
    pub(crate) recent: RecentCalls,
}

/// Where the policy of one owner is asked: one question at a time, so that no policy has more than one processor.
#[derive(Default)]
struct Desk(tokio::sync::Mutex<Troubles>);

/// What a policy is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// A call begins as it says.
    ForACall,
    /// Somebody wants to know; what goes wrong does not count.
    ToExplain,
}

/// What a policy made of a call.
pub(crate) struct Asked {
    pub(crate) version: VersionId,
    pub(crate) decided: Result<Decision, Undecided>,
}

/// Why the built-in order holds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecided {
    /// It failed again and again; said once, when it began to rest.
    #[error(
        "it failed {FAILURES} times one after the other for this account, and is not asked about its calls for a minute"
    )]
    Rests,
    /// It was asked, or could not be.
    #[error("{0}")]
    Failed(String),
}

impl Policies {
    /// Asks the policy of the account about a call; none where it has none. The decision is one that the account may have: of the trunks in
    /// question, with numbers that are its own to show, and to the number that is called.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn ask(
        &self,
        services: &Services,
        account: &Account,
        call: &CallRequest,
        trunks: Vec<TrunkState>,
        asking: Asking,
    ) -> Result<Option<Asked>, StoreError> {
        let Some(adviser) = services.flows.router(account, call.call) else {
            return Ok(None);
        };
        let directory = services.store.directory();
        let request = request(services, &directory, call)?;
        let trunks = self.trunks(services, &directory, trunks, request.now_unix_ms);
        let Adviser { version, decider } = adviser;
        let decided = match decider {
            Ok((policy, settings)) => {
                let setup = DecisionSetup {
                    settings,
                    limits: DecisionLimits::default(),
                    log: services.tenant_log(call.call, Some(version.clone().into())),
                };
                let desk = self.desk(&version.owner);
                let (account, to, owner) = (account.sid, call.to.as_str(), version.owner.clone());
                let may_show = |shown: &str| directory.may_show(account, shown);
                let check = |decision: &Decision| trouble(decision, to, &owner, may_show);
                let span = info_span!("routing", call.sid = %call.call, tenant.id = %account);
                let case = (account, version.number);
                let question = (&request, &*trunks);
                let asked = desk.ask(case, asking, &policy, question, setup, check);
                match tokio::time::timeout(PATIENCE, asked.instrument(span)).await {
                    Ok(decided) => decided,
                    Err(_) => Err(Undecided::Failed("it did not answer in 2 s".to_owned())),
                }
            }
            Err(error) => Err(Undecided::Failed(error.to_string())),
        };
        Ok(Some(Asked { version, decided }))
    }

    fn trunks(
        &self,
        services: &Services,
        directory: &Directory,
        states: Vec<TrunkState>,
        now_unix_ms: u64,
    ) -> Vec<Trunk> {
        let now = (Instant::now(), now_unix_ms);
        let trunks = states.into_iter().filter_map(|state| {
            let row = directory.trunk(&state.trunk)?;
            let is_degraded = !services.trunks.standing(&state.trunk).down.is_empty();
            let recent = self.recent.of(&state.trunk, now_unix_ms);
            let prefixes = &row.prefixes;
            Some(question::trunk(state, prefixes, is_degraded, recent, now))
        });
        trunks.collect()
    }

    fn desk(&self, owner: &PluginOwner) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(owner.clone()).or_default())
    }
}

/// The question, with what was tried so far.
fn request(
    services: &Services,
    directory: &Directory,
    call: &CallRequest,
) -> Result<Request, StoreError> {
    let scope = Scope::of_host(call.account);
    let row = services.store.call(scope, call.call)?;
    let attempts = match call.tried.is_empty() {
        true => Vec::new(),
        false => {
            let events = services.store.events(scope, call.call)?;
            question::attempts(&events.unwrap_or_default())
        }
    };
    let purpose = row.and_then(|row| row.orders.reason);
    let now = clock::unix_ms();
    Ok(question::request(directory, call, purpose, attempts, now))
}

impl Desk {
    async fn ask(
        &self,
        case: Case,
        asking: Asking,
        policy: &Policy,
        (request, trunks): (&Request, &[Trunk]),
        setup: DecisionSetup,
        check: impl Fn(&Decision) -> Option<String>,
    ) -> Result<Decision, Undecided> {
        let mut troubles = self.0.lock().await;
        if troubles.rests(case, Instant::now()) {
            return Err(Undecided::Rests);
        }
        let answered = policy.route(request, trunks, setup).await;
        let decided = answered.result.map_err(|error| error.to_string());
        let decided = decided.and_then(|decision| match check(&decision) {
            Some(trouble) => Err(format!("its answer cannot be followed: {trouble}")),
            None => Ok(decision),
        });
        match (decided, asking) {
            (Err(why), Asking::ToExplain) => Err(Undecided::Failed(why)),
            (Err(why), Asking::ForACall) => Err(Undecided::Failed(
                match troubles.failed(case, Instant::now()) {
                    true => format!("{why}; {}", Undecided::Rests),
                    false => why,
                },
            )),
            (Ok(decision), Asking::ToExplain) => Ok(decision),
            (Ok(decision), Asking::ForACall) => {
                troubles.went_well(case);
                Ok(decision)
            }
        }
    }
}

/// The tenant's log says that the built-in order held, and why.
pub(crate) fn tell(services: &Services, version: &VersionId, call: &CallRequest, why: &str) {
    let message = format!(
        "routing policy `{}` did not decide, the built-in order did: {why}",
        version.name
    );
    info_span!("routing", call.sid = %call.call, tenant.id = %call.account)
        .in_scope(|| warn!(target: "tenant", "{message}"));
    let line = PluginLogLine {
        at_unix_ms: clock::unix_ms(),
        version: version.number,
        call: call.call.to_string(),
        level: "warn".to_owned(),
        message,
    };
    services.flows.ledger().log(version, line);
}

/// What a component gave as its reason, as it may be kept.
pub(crate) fn shown(reason: &str) -> String {
    let plain = reason.chars().filter(|c| !c.is_control());
    plain.take(REASON_CHARS).collect()
}
