//! An account's own retry strategy, asked about those whom a call has not reached.

use std::time::{Duration, Instant};

use call::CallSid;
use dial::pump;
use plugin_host::attempts::OutboundCall;
use plugin_host::retry::{Decision, Strategy};
use plugin_host::{DecisionLimits, DecisionSetup};
use store::{Account, Broadcast, Judgement, PluginLogLine, Recipient};
use tracing::{Instrument as _, info_span, warn};

use crate::clock;
use crate::flows::{Adviser, VersionId};
use crate::retry::question;
use crate::routing::shown;
use crate::services::Services;

/// How long one broadcast's turn takes, at most: other accounts wait for one.
const STEP_TIME: Duration = Duration::from_millis(250);
/// Failures one after the other, after which it is not asked any more in this step.
const FAILURES: u32 = 3;

/// The questions of one step.
pub(super) struct Hearing<'s> {
    services: &'s Services,
    account: &'s Account,
    broadcast: &'s Broadcast,
    began: Instant,
    /// Failures since it last decided.
    in_a_row: u32,
    /// Recipients about whom it decided nothing, or was not asked.
    undecided: u32,
    last: Option<Failure>,
}

/// A question that was not answered.
struct Failure {
    version: VersionId,
    call: String,
    why: String,
}

impl<'s> Hearing<'s> {
    pub(super) fn new(
        services: &'s Services,
        account: &'s Account,
        broadcast: &'s Broadcast,
    ) -> Self {
        Self {
            services,
            account,
            broadcast,
            began: Instant::now(),
            in_a_row: 0,
            undecided: 0,
            last: None,
        }
    }

    /// Whether the rest is for the next step.
    pub(super) fn is_over(&self) -> bool {
        self.began.elapsed() >= STEP_TIME
    }

    /// What becomes of a recipient: by the account's strategy, within what the broadcast and the host allow, or by the usual rules. Where there is a
    /// strategy that does not decide, or is not asked since nobody was called, these give up nobody before the host does.
    pub(super) async fn judge(&mut self, recipient: &Recipient) -> Judgement {
        let last = recipient.attempts.last();
        let adviser = last.and_then(|last| {
            let call = last.call;
            Some((call, self.services.flows.adviser(self.account, call)?))
        });
        match adviser {
            None => pump::decide(self.broadcast, recipient, clock::unix_ms()),
            Some((call, adviser)) => {
                let decided = self.ask(recipient, call, adviser).await;
                decided.unwrap_or_else(|| {
                    pump::decide_for_strategy(self.broadcast, recipient, clock::unix_ms())
                })
            }
        }
    }

    async fn ask(
        &mut self,
        recipient: &Recipient,
        call: CallSid,
        adviser: Adviser<Strategy>,
    ) -> Option<Judgement> {
        let Adviser { version, decider } = adviser;
        if self.in_a_row >= FAILURES {
            self.undecided += 1;
            return None;
        }
        let now = clock::unix_ms();
        let request = question::question(
            self.call(recipient)?,
            &pump::attempts(recipient),
            &pump::wish(&self.broadcast.rules),
            now,
        )?;
        let decided = match decider {
            Ok((strategy, settings)) => {
                let setup = DecisionSetup {
                    settings,
                    limits: DecisionLimits::default(),
                    log: self.services.tenant_log(call, Some(version.clone().into())),
                };
                let span =
                    info_span!("retry", call.sid = %call, tenant.id = %self.broadcast.account);
                let answered = strategy.next(&request, setup).instrument(span).await;
                answered.result.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match decided {
            Ok(decision) => {
                self.in_a_row = 0;
                Some(self.judgement(recipient, decision, now))
            }
            Err(why) => {
                self.in_a_row += 1;
                self.undecided += 1;
                self.last = Some(Failure {
                    version,
                    call: call.to_string(),
                    why,
                });
                None
            }
        }
    }

    /// The tenant's log says what the strategy did not decide; one line for all of a step, so that what it wrote itself is not pushed out.
    pub(super) fn close(self) {
        let Some(Failure { version, call, why }) = self.last else {
            return;
        };
        let Broadcast { sid, account, .. } = self.broadcast;
        let message = format!(
            "retry strategy `{}` did not decide about {} recipients of {sid}, the usual rules did: {why}",
            version.name, self.undecided
        );
        info_span!("retry", call.sid = %call, tenant.id = %account)
            .in_scope(|| warn!(target: "tenant", "{message}"));
        let line = PluginLogLine {
            at_unix_ms: clock::unix_ms(),
            version: version.number,
            call,
            level: "warn".to_owned(),
            message,
        };
        self.services.flows.ledger().log(&version, line);
    }

    fn call(&self, recipient: &Recipient) -> Option<OutboundCall> {
        let Broadcast {
            account,
            from,
            name,
            rules,
            ..
        } = self.broadcast;
        let directory = self.services.store.directory();
        Some(OutboundCall {
            call_sid: recipient.attempts.last()?.call.to_string(),
            account_sid: account.to_string(),
            caller: from.clone(),
            callee: recipient.number.to_string(),
            operator: question::operator(&directory, &recipient.number),
            priority: question::priority(rules.terms.priority),
            purpose: Some(name.clone()),
        })
    }

    fn judgement(&self, recipient: &Recipient, decision: Decision, now: u64) -> Judgement {
        match decision {
            Decision::Again(next) => {
                let (at, reason) = (next.at_unix_ms, shown(&next.reason));
                pump::within(self.broadcast, recipient, at, reason, now)
            }
            Decision::Stop(why) => Judgement::GiveUp(shown(&why)),
        }
    }
}
