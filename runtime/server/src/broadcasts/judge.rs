//! Whether somebody whom a call has not reached is called again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::AccountSid;
use dial::pump::{self, STEP};
use store::{Broadcast, BroadcastState, Scope, StoreError};
use tokio::sync::Semaphore;
use tracing::error;

use super::strategy::Hearing;
use crate::clock;
use crate::services::Services;

/// Accounts whose recipients are decided about at the same time, at most; the others wait for their turn.
const AT_ONCE: usize = 8;

/// Decides for each account on a task of its own: however long one's strategy thinks, the broadcasts of the others go on.
#[derive(Clone)]
pub(super) struct Judges {
    busy: Arc<Mutex<HashSet<AccountSid>>>,
    turns: Arc<Semaphore>,
}

impl Default for Judges {
    fn default() -> Self {
        Self {
            busy: Arc::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Judges {
    /// Whether recipients of the account are being decided about.
    pub(super) fn are_busy(&self, account: AccountSid) -> bool {
        self.lock().contains(&account)
    }

    /// Decides about some of a broadcast's recipients, unless the account's are being decided about. The pump looks again when that is done.
    pub(super) fn begin(&self, services: &Arc<Services>, broadcast: Broadcast) {
        let account = broadcast.account;
        if !self.lock().insert(account) {
            return;
        }
        let (judges, services) = (self.clone(), Arc::clone(services));
        tokio::spawn(async move {
            let done = Done {
                judges,
                services,
                account,
            };
            let turn = done.judges.turns.acquire().await;
            if let Err(why) = judge(&done.services, &broadcast).await {
                error!(broadcast = %broadcast.sid, tenant.id = %account, "nobody is decided about for a moment: {why}");
                drop(turn);
                tokio::time::sleep(super::AFTER_FAILURE).await;
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<AccountSid>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says so when an account's judge is done, in whichever way.
struct Done {
    judges: Judges,
    services: Arc<Services>,
    account: AccountSid,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.judges.lock().remove(&self.account);
        self.services.broadcasts.look();
    }
}

/// Decides about some of those who are to be judged: the account's retry strategy does, where it has one, and otherwise the usual rules.
async fn judge(services: &Services, broadcast: &Broadcast) -> Result<(), StoreError> {
    let scope = Scope::of_host(broadcast.account);
    let directory = services.store.directory();
    let Some(account) = directory.account(broadcast.account) else {
        return Ok(());
    };
    let open = services
        .store
        .judged_recipients(scope, broadcast.sid, STEP)?;
    let mut hearing = Hearing::new(services, account, broadcast);
    let mut judgements = Vec::new();
    for recipient in open {
        let judgement = match broadcast.state {
            BroadcastState::Stopped => pump::decide(broadcast, &recipient, clock::unix_ms()),
            _ => hearing.judge(&recipient).await,
        };
        judgements.push((recipient.number, judgement));
        if hearing.is_over() {
            break;
        }
    }
    hearing.close();
    let judged = services
        .store
        .judge_recipients(broadcast.sid, judgements, clock::unix_ms())
        .await?;
    super::told_of_end(judged.as_ref());
    Ok(())
}
