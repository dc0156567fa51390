//! Whether somebody whom a call has not reached is called again.

use std::sync::Arc;

use dial::pump::{self, STEP};
use store::{Broadcast, Scope, StoreError};

use crate::clock;
use crate::services::Services;

/// Decides about some of those who are to be judged.
pub(super) async fn judge(
    services: &Arc<Services>,
    broadcast: &Broadcast,
) -> Result<(), StoreError> {
    let scope = Scope::of_host(broadcast.account);
    let open = services
        .store
        .judged_recipients(scope, broadcast.sid, STEP)?;
    let now = clock::unix_ms();
    let judgements = open.into_iter().map(|recipient| {
        (
            recipient.number.clone(),
            pump::decide(broadcast, &recipient, now),
        )
    });
    let judged = services
        .store
        .judge_recipients(broadcast.sid, judgements.collect(), now)
        .await?;
    super::told_of_end(judged.as_ref());
    Ok(())
}
