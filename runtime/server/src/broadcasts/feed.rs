//! Whoever is due is handed to the dialler, where a line has a place for them.

use std::sync::Arc;
use std::time::Duration;

use call::{CallSid, Direction};
use dial::pump::Step;
use dial::{CallRequest, Refusal};
use store::broadcast::MAX_WRITTEN_AT_ONCE;
use store::{Broadcast, CallOrders, Judgement, NewCall, PhoneNumber, Recipient, Scope, StoreError};
use tracing::info;

use super::{message, millis, told_of_end};
use crate::clock;
use crate::services::Services;

/// How long people wait whom nobody may call for now: the account is closed, or has no trunk.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
/// When so many who are due, one after the other, find no place, others are looked at for a while.
const LOOKED_AT: usize = MAX_WRITTEN_AT_ONCE;
/// For how long these wait.
const PASSED_OVER: Duration = Duration::from_secs(20);
/// When to look again, where nobody who is due finds a place.
pub(super) const LINES_FULL: Duration = Duration::from_millis(500);

/// Accepts calls to those who are due and find a place in a line, at most so many. Who may not be called at all is given up. Gives a
/// wait where nobody found one.
pub(super) async fn feed(
    services: &Arc<Services>,
    broadcast: &Broadcast,
    limit: usize,
) -> Result<Step, StoreError> {
    let now = clock::unix_ms();
    let mut due = places(services, broadcast, limit, limit)?;
    if due.passed_over.len() + due.chosen.len() == limit && !due.passed_over.is_empty() {
        due = places(services, broadcast, LOOKED_AT, limit)?;
    }
    if !due.chosen.is_empty() {
        accept(services, broadcast, due.chosen, now).await?;
    } else if due.passed_over.len() == LOOKED_AT {
        let later = Judgement::Again(now + millis(PASSED_OVER));
        let later = due
            .passed_over
            .into_iter()
            .map(|number| (number, later.clone()));
        let judged = services
            .store
            .judge_recipients(broadcast.sid, later.collect(), now);
        judged.await?;
    } else if !due.passed_over.is_empty() {
        return Ok(Step::Wait(Some(now + millis(LINES_FULL))));
    }
    Ok(Step::Feed(limit))
}

/// Those who are due.
struct Due {
    /// For whom a line has a place.
    chosen: Vec<Recipient>,
    /// For whom none has.
    passed_over: Vec<PhoneNumber>,
}

/// Looks at so many who are due, and chooses at most `limit` of them.
fn places(
    services: &Services,
    broadcast: &Broadcast,
    looked_at: usize,
    limit: usize,
) -> Result<Due, StoreError> {
    let scope = Scope::of_host(broadcast.account);
    let now = clock::unix_ms();
    let recipients = services
        .store
        .due_recipients(scope, broadcast.sid, now, looked_at)?;
    let requests: Vec<CallRequest> = recipients
        .iter()
        .map(|recipient| request(broadcast, recipient))
        .collect();
    let have_places = services.outbound.with_places(&requests, limit);
    let mut due = Due {
        chosen: Vec::new(),
        passed_over: Vec::new(),
    };
    for (recipient, has_place) in recipients.into_iter().zip(have_places) {
        match has_place {
            true => due.chosen.push(recipient),
            false => due.passed_over.push(recipient.number),
        }
    }
    Ok(due)
}

/// The call as the dialler would know it.
fn request(broadcast: &Broadcast, recipient: &Recipient) -> CallRequest {
    CallRequest {
        call: CallSid::from_bytes([0; 16]), // it has none yet
        account: broadcast.account,
        from: broadcast.from.clone(),
        to: recipient.number.to_string(),
        terms: broadcast.rules.terms.clone(),
        tried: Vec::new(),
        plan: None,
    }
}

async fn accept(
    services: &Arc<Services>,
    broadcast: &Broadcast,
    due: Vec<Recipient>,
    now: u64,
) -> Result<(), StoreError> {
    let directory = services.store.directory();
    let mut calls = Vec::new();
    let mut refused = Vec::new();
    for recipient in due {
        let number = recipient.number.as_str();
        match dial::permit(&directory, broadcast.account, &broadcast.from, number) {
            Ok(_) => match new_call(broadcast, &recipient, now) {
                Ok(call) => calls.push(call),
                Err(why) => refused.push((recipient.number, Judgement::GiveUp(why))),
            },
            Err(why) => refused.push((recipient.number, refusal(&why, now))),
        }
    }
    if !refused.is_empty() {
        info!(broadcast = %broadcast.sid, tenant.id = %broadcast.account, "{} recipients cannot be called", refused.len());
        let judged = services
            .store
            .judge_recipients(broadcast.sid, refused, now)
            .await?;
        told_of_end(judged.as_ref());
    }
    for row in services
        .store
        .call_recipients(broadcast.sid, calls, now)
        .await?
    {
        services.outbound.accepted(&row);
    }
    Ok(())
}

/// What becomes of somebody whom the account may not call. What does not lie in their number may pass: they wait, and that counts as nothing.
fn refusal(why: &Refusal, now: u64) -> Judgement {
    match why {
        Refusal::NotAllowed(_) | Refusal::Emergency(_) | Refusal::InvalidDestination(_) => {
            Judgement::GiveUp(why.to_string())
        }
        _ => Judgement::Again(now + millis(AFTER_REFUSAL)),
    }
}

fn new_call(broadcast: &Broadcast, recipient: &Recipient, now: u64) -> Result<NewCall, String> {
    let (flow, settings) = message::flow(&broadcast.message, recipient)?;
    Ok(NewCall {
        sid: store::random_call_sid(),
        from: broadcast.from.clone(),
        to: recipient.number.to_string(),
        direction: Direction::OutboundApi,
        parent: None,
        flow,
        ring_timeout_s: broadcast.rules.ring_timeout_s,
        settings,
        callback: None,
        notification: None,
        orders: CallOrders {
            queue: broadcast.rules.terms.clone(),
            ..CallOrders::default()
        },
        created_unix_ms: now,
    })
}
