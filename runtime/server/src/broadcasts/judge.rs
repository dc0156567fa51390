//! Whether somebody whom a call has not reached is called again.

use dial::pump::{self, STEP};
use store::{Broadcast, BroadcastState, Scope, StoreError};

use super::strategy::Hearing;
use crate::clock;
use crate::services::Services;

/// Decides about some of those who are to be judged: the account's retry strategy does, where it has one, and otherwise the usual rules.
pub(super) async fn judge(services: &Services, broadcast: &Broadcast) -> Result<(), StoreError> {
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
        let decided = match broadcast.state {
            BroadcastState::Stopped => None,
            _ => hearing.ask(&recipient).await,
        };
        let judgement =
            decided.unwrap_or_else(|| pump::decide(broadcast, &recipient, clock::unix_ms()));
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
