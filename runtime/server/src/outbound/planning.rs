//! A call that may begin, and whose account or carrier has a routing policy.

use std::sync::Arc;
use std::time::Instant;

use call::{AccountSid, CallSid, CallStatus};
use dial::{CallRequest, Input, PlannedAttempt};
use plugin_host::routing::{self, Decision};
use store::broadcast::REFUSED_BY_POLICY;
use store::{QueueTerms, RoutedBy, TrunkId};
use tracing::{error, info};

use super::{Outbound, end};
use crate::clock;
use crate::flows::VersionId;
use crate::routing::{Asked, Asking, Undecided, shown, tell};
use crate::services::Services;

/// A call that its policy lets wait without a time is asked about again after so long.
const ASK_AGAIN_MS: u64 = 5_000;
/// The soonest that it is asked about again.
const SOONEST_MS: u64 = 1_000;

/// What a routing policy makes of a call that another call's story dials.
pub(crate) enum StoryPlan {
    /// It goes over these trunks.
    Go {
        plan: Vec<PlannedAttempt>,
        routed: RoutedBy,
    },
    /// It is asked about again then.
    Wait { until_unix_ms: u64, why: String },
    /// It is not made.
    Refuse(String),
}

impl Outbound {
    /// Asks the routing policy about a call that holds a channel and has no plan yet. False: it goes over the trunk that the built-in order chose.
    pub(super) async fn follow_policy(
        self: &Arc<Self>,
        services: &Services,
        account: AccountSid,
        call: CallSid,
    ) -> bool {
        let directory = services.store.directory();
        let Some(account) = directory.account(account) else {
            return false;
        };
        if services.flows.router(account, call).is_none() {
            return false;
        }
        let question = {
            let dialer = self.lock();
            dialer.unplanned(call).and_then(|request| {
                let states = dialer.trunk_states(Instant::now(), request).ok()?;
                Some((request.clone(), states))
            })
        };
        let Some((request, trunks)) = question else {
            return false;
        };
        match services
            .policies
            .ask(services, account, &request, trunks, Asking::ForACall)
            .await
        {
            Ok(Some(asked)) => {
                self.follow(services, &request, asked).await;
                true
            }
            Ok(None) => false,
            Err(error) => {
                error!(call.sid = %call, "the routing policy is not asked: {error}");
                false
            }
        }
    }

    /// What the account's routing policy would make of such a call now. None where it has none, or the call may not be made.
    pub(crate) async fn ask_policy(
        &self,
        services: &Services,
        account: AccountSid,
        from: String,
        to: String,
    ) -> Option<api::PolicyAnswer> {
        let request = CallRequest {
            call: store::random_call_sid(),
            account,
            from,
            to,
            terms: QueueTerms::default(),
            tried: Vec::new(),
            plan: None,
        };
        let trunks = self.lock().trunk_states(Instant::now(), &request).ok()?;
        let directory = services.store.directory();
        let account = directory.account(account)?;
        let policies = &services.policies;
        let asked = policies.ask(services, account, &request, trunks, Asking::ToExplain);
        let Asked { version, decided } = asked.await.ok()??;
        Some(api::PolicyAnswer {
            plugin: version.name,
            version: version.number,
            decision: decided.map(in_apis_words).map_err(|why| why.to_string()),
        })
    }

    /// Asks the routing policy about a call that another call's story dials, and that holds no channel yet. None: the built-in order holds.
    pub(crate) async fn plan_for_story(
        &self,
        services: &Services,
        request: &CallRequest,
    ) -> Option<StoryPlan> {
        let directory = services.store.directory();
        let account = directory.account(request.account)?;
        services.flows.router(account, request.call)?;
        let trunks = self.lock().trunk_states(Instant::now(), request).ok()?;
        let policies = &services.policies;
        let asked = policies.ask(services, account, request, trunks, Asking::ForACall);
        let Asked { version, decided } = match asked.await {
            Ok(asked) => asked?,
            Err(error) => {
                error!(call.sid = %request.call, "the routing policy is not asked: {error}");
                return None;
            }
        };
        match decided {
            Ok(Decision::Attempts(attempts)) => {
                let routed = routed_by(&version, &attempts);
                let plan = attempts.into_iter().map(planned).collect();
                Some(StoryPlan::Go { plan, routed })
            }
            Ok(Decision::Wait(pause)) => Some(StoryPlan::Wait {
                until_unix_ms: again_at(&pause),
                why: format!(
                    "the routing policy `{}` lets it wait: {}",
                    version.name,
                    shown(&pause.reason)
                ),
            }),
            Ok(Decision::Refuse(reason)) => {
                let reason = shown(&reason);
                let why = format!("{REFUSED_BY_POLICY} `{}`: {reason}", version.name);
                Some(StoryPlan::Refuse(why))
            }
            Err(undecided) => {
                if let Undecided::Failed(why) = undecided {
                    tell(services, &version, request, &why);
                }
                None
            }
        }
    }

    async fn follow(self: &Arc<Self>, services: &Services, request: &CallRequest, asked: Asked) {
        let (call, version) = (request.call, &asked.version);
        match asked.decided {
            Ok(Decision::Attempts(attempts)) => {
                let routed = routed_by(version, &attempts);
                let kept = services.store.note_route(call, routed, clock::unix_ms());
                if let Err(error) = kept.await {
                    // It may be over meanwhile; then it is not dialled.
                    info!(call.sid = %call, "the reasons of its route are not kept: {error}");
                }
                let plan = attempts.into_iter().map(planned).collect();
                self.feed(Input::Planned { call, plan });
            }
            Ok(Decision::Wait(pause)) => {
                self.feed(Input::PutOff {
                    call,
                    until_unix_ms: again_at(&pause),
                });
            }
            Ok(Decision::Refuse(reason)) => {
                let reason = shown(&reason);
                let reason = format!("{REFUSED_BY_POLICY} `{}`: {reason}", version.name);
                info!(call.sid = %call, tenant.id = %request.account, "not dialled: {reason}");
                end(services, call, CallStatus::Failed, reason).await;
                self.ended(call);
            }
            Err(undecided) => {
                if let Undecided::Failed(why) = undecided {
                    tell(services, version, request, &why);
                }
                self.feed(Input::Undecided(call));
            }
        }
    }
}

fn in_apis_words(decision: Decision) -> api::PolicyDecision {
    let attempt = |attempt: routing::PlannedAttempt| api::PolicyAttempt {
        trunk: attempt.trunk,
        dialled: attempt.dialled,
        caller_id: attempt.caller_id,
        ring_timeout_s: attempt.ring_timeout_s,
        reason: shown(&attempt.reason),
    };
    match decision {
        Decision::Attempts(attempts) => {
            api::PolicyDecision::Attempts(attempts.into_iter().map(attempt).collect())
        }
        Decision::Wait(pause) => api::PolicyDecision::Wait {
            until_unix_ms: pause.until_unix_ms,
            reason: shown(&pause.reason),
        },
        Decision::Refuse(why) => api::PolicyDecision::Refuse(shown(&why)),
    }
}

fn routed_by(version: &VersionId, attempts: &[routing::PlannedAttempt]) -> RoutedBy {
    RoutedBy {
        plugin: version.name.clone(),
        version: version.number,
        attempts: attempts.iter().map(why).collect(),
    }
}

/// When a call is asked about again that is let wait.
fn again_at(pause: &routing::Pause) -> u64 {
    let now = clock::unix_ms();
    let until = pause.until_unix_ms.unwrap_or(now + ASK_AGAIN_MS);
    until.max(now + SOONEST_MS)
}

fn why(attempt: &routing::PlannedAttempt) -> (TrunkId, String) {
    (TrunkId(attempt.trunk.clone()), shown(&attempt.reason))
}

fn planned(attempt: routing::PlannedAttempt) -> PlannedAttempt {
    PlannedAttempt {
        trunk: TrunkId(attempt.trunk),
        dialled: attempt.dialled,
        caller_id: attempt.caller_id,
        ring_timeout_s: attempt.ring_timeout_s,
    }
}
