//! Routing policies of accounts and carriers: asked over which trunks a call goes.

mod question;
mod recent;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use call::AccountSid;
use dial::{CallRequest, TrunkState};
use plugin_host::routing::{Decision, Policy, Request, Trunk};
use plugin_host::{DecisionLimits, DecisionSetup};
use recent::RecentCalls;
use store::{Account, Directory, PluginLogLine, PluginOwner, Scope, StoreError};
use tracing::{Instrument as _, info_span, warn};

use crate::clock;
use crate::flows::{Adviser, VersionId};
use crate::services::Services;

/// How long a call waits for its decision, its turn included.
const PATIENCE: Duration = Duration::from_secs(2);
/// Failures one after the other, after which a version is left alone.
const FAILURES: u32 = 5;
/// For how long.
const REST: Duration = Duration::from_secs(60);
/// Digits and signs that may stand in front of a number.
const LONGEST_DIAL_PREFIX: usize = 10;
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
struct Desk(tokio::sync::Mutex<Trouble>);

/// How a version did of late.
#[derive(Default)]
struct Trouble {
    version: u32,
    in_a_row: u32,
    rests_until: Option<Instant>,
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
    #[error("it failed {FAILURES} times one after the other, and is not asked for a minute")]
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
                let check =
                    |decision: &Decision| trouble(&directory, account, to, &owner, decision);
                let span = info_span!("routing", call.sid = %call.call, tenant.id = %account);
                let asked = desk.ask(version.number, &policy, (&request, &trunks), setup, check);
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
        version: u32,
        policy: &Policy,
        (request, trunks): (&Request, &[Trunk]),
        setup: DecisionSetup,
        check: impl Fn(&Decision) -> Option<String>,
    ) -> Result<Decision, Undecided> {
        let mut trouble = self.0.lock().await;
        if trouble.version != version {
            *trouble = Trouble {
                version,
                ..Trouble::default()
            };
        }
        if trouble
            .rests_until
            .is_some_and(|until| Instant::now() < until)
        {
            return Err(Undecided::Rests);
        }
        let answered = policy.route(request, trunks, setup).await;
        let decided = answered.result.map_err(|error| error.to_string());
        let decided = decided.and_then(|decision| match check(&decision) {
            Some(trouble) => Err(format!("its answer cannot be followed: {trouble}")),
            None => Ok(decision),
        });
        let Err(why) = decided else {
            trouble.in_a_row = 0;
            return decided.map_err(Undecided::Failed);
        };
        trouble.in_a_row += 1;
        if trouble.in_a_row < FAILURES {
            return Err(Undecided::Failed(why));
        }
        trouble.in_a_row = 0;
        trouble.rests_until = Some(Instant::now() + REST);
        Err(Undecided::Failed(format!("{why}; {}", Undecided::Rests)))
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

/// Why a decision is not followed, where it shows or dials what the account may not.
fn trouble(
    directory: &Directory,
    account: AccountSid,
    to: &str,
    owner: &PluginOwner,
    decision: &Decision,
) -> Option<String> {
    let Decision::Attempts(attempts) = decision else {
        return None;
    };
    attempts.iter().zip(1..).find_map(|(attempt, nth)| {
        let may_show = |shown: &String| directory.may_show(account, shown);
        let trouble = if !attempt.caller_id.as_ref().is_none_or(may_show) {
            "shows a number that is not the account's"
        } else if !attempt.dialled.as_ref().is_none_or(|dialled| leads_to(dialled, to, owner)) {
            match owner {
                PluginOwner::Account(_) => {
                    "dials another number: an account's policy may put + or 00 in front of the called one, with its country's digits, and change nothing else"
                }
                PluginOwner::Carrier(_) => {
                    "dials another number: it may put up to 10 digits in front of the called one, with its country's, and change nothing else"
                }
            }
        } else {
            return None;
        };
        Some(format!("attempt {nth} {trouble}"))
    })
}

/// Whether who dials this calls `to`. Other digits in front can lead to another country, or to an emergency service: they are for those who
/// have the trunks.
fn leads_to(dialled: &str, to: &str, owner: &PluginOwner) -> bool {
    let may_precede = |front: &str| match owner {
        PluginOwner::Account(_) => ["", "+", "00"].contains(&front),
        PluginOwner::Carrier(_) => front.len() <= LONGEST_DIAL_PREFIX,
    };
    match to.strip_prefix('+') {
        Some(digits) => dialled.strip_suffix(digits).is_some_and(may_precede),
        // A short code means another number behind every prefix.
        None => dialled == to,
    }
}

#[cfg(test)]
mod tests {
    use store::CarrierId;

    use super::*;

    #[test]
    fn a_dial_prefix_changes_nothing_of_the_number() {
        for (dialled, to, expected) in [
            ("85512345678", "+85512345678", [true, true]),
            ("+85512345678", "+85512345678", [true, true]),
            ("0085512345678", "+85512345678", [true, true]),
            ("9900#85512345678", "+85512345678", [false, true]),
            ("11285512345678", "+85512345678", [false, true]),
            ("0025285512345678", "+85512345678", [false, true]),
            ("012345678", "+85512345678", [false, false]),
            ("0025212345678", "+85512345678", [false, false]),
            ("1234567890185512345678", "+85512345678", [false, false]),
            ("117", "+85512345678", [false, false]),
            ("1294", "1294", [true, true]),
            ("91294", "1294", [false, false]),
            ("1000", "sip:1000@192.0.2.1", [false, false]),
        ] {
            let account = PluginOwner::Account(AccountSid::from_bytes([1; 16]));
            let carrier = PluginOwner::Carrier(CarrierId("angkor".to_owned()));
            let may = [account, carrier].map(|owner| leads_to(dialled, to, &owner));
            assert_eq!(may, expected, "{dialled} for {to}");
        }
    }
}
