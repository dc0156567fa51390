//! Calls outlive their process at the far end: what ends them is on the disk from the answer on, and the next start hangs them up.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use call::CallSid;
use dial::SipUri;
use sip::{DialogId, Outcome, Remains};
use store::{CallRow, Farewell};
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use crate::clock;
use crate::services::Services;
use crate::trunks;

/// Goodbyes that wait for their answers at a time. One that nobody answers waits for 32 s (RFC 3261 section 17.1.2.2), and those of others should
/// not wait for it.
const AT_ONCE: usize = 8_192;
/// From one to the next.
const PACE: Duration = Duration::from_millis(2);
/// One that could not be sent is tried again by the next start, for so long after the end of its call.
const LONGEST_MS: u64 = 3_600_000;

/// How often it was done, since the start.
#[derive(Debug, Default)]
pub(crate) struct LostCalls {
    kept: AtomicU64,
    hung_up: AtomicU64,
}

impl LostCalls {
    /// Dialogs that were kept on the disk.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Calls of processes before this one whose far end has answered to its hang-up.
    pub(crate) fn hung_up(&self) -> u64 {
        self.hung_up.load(Ordering::Relaxed)
    }
}

/// Keeps what would end a call that was answered. Nobody waits for it.
pub(crate) fn keep(services: &Arc<Services>, call: CallSid, dialog: DialogId) {
    let services = Arc::clone(services);
    tokio::spawn(async move {
        let Some(remains) = services.endpoint.remains(dialog).await else {
            return; // it is over already
        };
        let noted = services.store.note_farewell(call, Farewell::from(remains));
        match noted.await {
            Ok(()) => {
                services.lost_calls.kept.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => error!(call.sid = %call, "cannot keep what would end the call: {error}"),
        }
    });
}

/// The calls whose channels are still taken at the far end: those that were up now, and those of earlier processes that nobody could be told of.
pub(crate) fn still_held(lost: &[CallRow], farewells: &[(CallRow, Farewell)]) -> Vec<CallRow> {
    let known: HashSet<CallSid> = lost.iter().map(|row| row.sid).collect();
    let earlier = farewells.iter().map(|(row, _)| row);
    let earlier = earlier.filter(|row| !known.contains(&row.sid));
    lost.iter().chain(earlier).cloned().collect()
}

/// Hangs up what the processes before this one left behind.
pub(crate) fn hang_up(services: &Arc<Services>, farewells: Vec<(CallRow, Farewell)>) {
    if farewells.is_empty() {
        return;
    }
    info!(
        "{} calls of the process before this one are hung up",
        farewells.len()
    );
    let services = Arc::clone(services);
    tokio::spawn(async move {
        let mut under_way = JoinSet::new();
        for (row, farewell) in farewells {
            while under_way.len() >= AT_ONCE {
                under_way.join_next().await;
            }
            under_way.spawn(say_goodbye(Arc::clone(&services), row, farewell));
            tokio::time::sleep(PACE).await;
        }
        while under_way.join_next().await.is_some() {}
    });
}

/// Tells the far end. Its answer frees the call's channels; otherwise they are free in their time.
async fn say_goodbye(services: Arc<Services>, row: CallRow, farewell: Farewell) {
    let directory = services.store.directory();
    let trunk = row.leg.as_ref();
    let trunk = trunk.and_then(|leg| directory.trunk(&leg.trunk));
    let mut remains = Remains::from(farewell);
    if let Some(trunk) = trunk
        && remains.hops.iter().any(|hop| hop.transport.is_secure())
    {
        // Looking for its servers is what tells whose certificate they have; where there are none now, nobody is called either.
        let realm = directory.realm(trunk);
        let stops = services.trunks.route_to(realm, trunk, &row.to).await;
        let stops = stops.unwrap_or_default();
        for hop in &mut remains.hops {
            let mut known = stops.iter().map(|stop| stop.hop);
            *hop = known.find(|known| known.of(None) == *hop).unwrap_or(*hop);
        }
    }
    // A host that the operator lets accounts call is proved nothing that is the trunk's.
    let own = trunk.filter(|trunk| SipUri::over(trunk, &row.to).is_none());
    let credentials = own.and_then(|trunk| trunks::credentials(trunk));
    let advertised = trunk.and_then(|trunk| trunk.nat.advertised_sip);
    let outcome = services
        .endpoint
        .ask(remains.bye(advertised, credentials))
        .await;
    let ended = row.ended_unix_ms.unwrap_or(row.created_unix_ms);
    if !is_done(&outcome, ended, clock::unix_ms()) {
        return debug!(call.sid = %row.sid, "the next start hangs it up");
    }
    if let Err(error) = services.store.forget_farewell(row.sid).await {
        error!(call.sid = %row.sid, "cannot forget what ended the call: {error}");
    }
    match outcome {
        Outcome::Response(response) if lets_go(response.status()) => {
            debug!(call.sid = %row.sid, sip.status = response.status(), "hung up after the fact");
            services.outbound.ended(row.sid);
            services.lost_calls.hung_up.fetch_add(1, Ordering::Relaxed);
        }
        Outcome::Response(response) => {
            info!(call.sid = %row.sid, sip.status = response.status(), "the far end is not hung up on");
        }
        Outcome::Timeout | Outcome::Unreachable => {
            debug!(call.sid = %row.sid, "nobody is there to be hung up on");
        }
    }
}

/// Whether there is nothing more to try. Where a BYE could not be sent, its peer or this server may be about to stop or to start.
fn is_done(outcome: &Outcome, ended_unix_ms: u64, now_unix_ms: u64) -> bool {
    *outcome != Outcome::Unreachable || ended_unix_ms + LONGEST_MS <= now_unix_ms
}

/// Whether who answers so to a BYE has no such call any more: it took the BYE, or knows of no such dialog. Not where it wants a proof that we
/// do not have, or is in trouble.
fn lets_go(status: u16) -> bool {
    !matches!(status, 401 | 403 | 407 | 500..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_sent_is_kept_for_a_while() {
        for (outcome, ended, expected) in [
            (Outcome::Timeout, 5, true),
            (Outcome::Unreachable, 5, false),
            (Outcome::Unreachable, 4, true),
        ] {
            let now = LONGEST_MS + 4;
            assert_eq!(
                is_done(&outcome, ended, now),
                expected,
                "{outcome:?} {ended}"
            );
        }
    }

    #[test]
    fn who_refuses_a_proof_still_has_the_call() {
        for (status, expected) in [
            (200, true),
            (401, false),
            (403, false),
            (404, true),
            (407, false),
            (408, true),
            (481, true),
            (500, false),
            (503, false),
            (603, false),
        ] {
            assert_eq!(lets_go(status), expected, "{status}");
        }
    }
}
