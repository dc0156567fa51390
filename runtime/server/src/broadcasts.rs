//! Broadcasts that are begun: whoever is due is handed to the dialler, and whoever was not reached is judged.

mod feed;
mod judge;
mod message;
mod strategy;
mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use call::BroadcastSid;
use dial::pump::{self, STEP, Step, View};
use futures_util::future::join_all;
use store::{Broadcast, BroadcastState, Judgement, Scope, StoreError};
use tokio::sync::Notify;
use tracing::{error, info};

use self::feed::{LINES_FULL, feed};
use self::judge::Judges;
use self::turns::Turns;
use crate::clock;
use crate::services::Services;

/// How long the store is left alone when it has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often the calls of a halted broadcast are taken back out of the queue, while it has any.
const RECALLED_FOR: Duration = Duration::from_secs(1);
/// Longer than that nobody waits: the clock may be set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The pump of all broadcasts as the rest of the host sees it.
#[derive(Default)]
pub(crate) struct Broadcasts {
    changed: Notify,
}

impl Broadcasts {
    /// A broadcast was ordered to do something, or a call is over.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// Goes on with what was begun, until the services are gone.
    pub(crate) fn start(services: &Arc<Services>) {
        let broadcasts = Arc::clone(&services.broadcasts);
        let worker = Worker {
            services: Arc::downgrade(services),
            recalled: HashMap::new(),
            full: HashMap::new(),
            judges: Judges::default(),
            turns: Turns::default(),
        };
        tokio::spawn(broadcasts.run(worker));
    }

    async fn run(self: Arc<Self>, mut worker: Worker) {
        loop {
            let wait = match worker.turn().await {
                Ok(None) => return,
                Ok(Some(wake)) => wake.map_or(LONGEST_WAIT, |at| {
                    Duration::from_millis(at.saturating_sub(clock::unix_ms())).min(LONGEST_WAIT)
                }),
                Err(why) => {
                    error!("broadcasts stand still for a moment: {why}");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// Does one step after another. Nothing of a broadcast is done at the same time as another step of it.
struct Worker {
    services: Weak<Services>,
    /// Halted ones whose queued calls were taken back, and when.
    recalled: HashMap<BroadcastSid, Instant>,
    /// Those of whose recipients nobody found a place in a line, and when.
    full: HashMap<BroadcastSid, Instant>,
    judges: Judges,
    turns: Turns,
}

impl Worker {
    /// Does what there is to do, a step of each broadcast in turn. When to come back; the outer none once the services are gone.
    async fn turn(&mut self) -> Result<Option<Option<u64>>, StoreError> {
        loop {
            let Some(services) = self.services.upgrade() else {
                return Ok(None);
            };
            let mut wake: Option<u64> = None;
            let mut has_acted = services.store.has_deleted_broadcasts()?;
            if has_acted {
                services.store.sweep_broadcasts().await?;
            }
            let mut to_judge = Vec::new();
            for broadcast in services.store.begun_broadcasts()? {
                match self.step(&services, &broadcast).await {
                    Ok(Step::Wait(at)) => wake = [wake, at].into_iter().flatten().min(),
                    Ok(Step::Judge) => to_judge.push(broadcast),
                    Ok(_) => has_acted = true,
                    Err(why) => wake = Some(after(&broadcast, &why, wake)),
                }
            }
            has_acted |= !to_judge.is_empty();
            self.begin_to_judge(&services, to_judge);
            if !has_acted {
                return Ok(Some(wake));
            }
        }
    }

    /// Decides for one broadcast of each account.
    fn begin_to_judge(&mut self, services: &Arc<Services>, broadcasts: Vec<Broadcast>) {
        let asking = broadcasts.iter().map(|one| (one.account, one.sid));
        let next = self.turns.next(asking.collect());
        let has_turn = |one: &Broadcast| next.contains(&one.sid);
        for broadcast in broadcasts.into_iter().filter(has_turn) {
            self.judges.begin(services, broadcast);
        }
    }

    /// Does one step of a broadcast, but for judging: what that is to be done for is told.
    async fn step(
        &mut self,
        services: &Arc<Services>,
        broadcast: &Broadcast,
    ) -> Result<Step, StoreError> {
        let sid = broadcast.sid;
        // Nobody can open its recipients any more.
        if services
            .store
            .directory()
            .account(broadcast.account)
            .is_none()
        {
            return Ok(Step::Wait(None));
        }
        if broadcast.state == BroadcastState::Running {
            self.recalled.remove(&sid);
        }
        let room = services.outbound.places(broadcast.account) as u64;
        let view = View {
            broadcast,
            next_due_unix_ms: services.store.next_due(sid)?,
            ahead: ahead(services, broadcast).min(broadcast.counts.calling + room),
            is_recalled: self.recalled.get(&sid).is_some_and(is_fresh),
            is_judging: self.judges.are_busy(broadcast.account),
        };
        let step = pump::next(&view, clock::unix_ms());
        match &step {
            Step::Feed(_)
                if self
                    .full
                    .get(&sid)
                    .is_some_and(|at| at.elapsed() < LINES_FULL) =>
            {
                return Ok(Step::Wait(Some(clock::unix_ms() + millis(LINES_FULL))));
            }
            Step::Feed(limit) => {
                let fed = feed(services, broadcast, *limit).await?;
                match fed {
                    Step::Wait(_) => self.full.insert(sid, Instant::now()),
                    _ => self.full.remove(&sid),
                };
                return Ok(fed);
            }
            Step::Recall => {
                self.recalled.insert(sid, Instant::now());
                let calls = services.store.broadcast_calls(sid)?.into_iter();
                join_all(calls.map(|call| services.outbound.recall(call))).await;
            }
            Step::GiveUp(why) => give_up(services, broadcast, why).await?,
            // A call that was being dialled may have gone back into the queue.
            Step::Wait(at) if is_halted(broadcast) && broadcast.counts.calling > 0 => {
                let again = clock::unix_ms() + millis(RECALLED_FOR);
                return Ok(Step::Wait(Some(at.map_or(again, |at| at.min(again)))));
            }
            Step::Judge | Step::Wait(_) => {}
        }
        Ok(step)
    }
}

fn is_halted(broadcast: &Broadcast) -> bool {
    matches!(
        broadcast.state,
        BroadcastState::Paused | BroadcastState::Stopped
    )
}

fn is_fresh(recalled: &Instant) -> bool {
    recalled.elapsed() < RECALLED_FOR
}

/// A broadcast cannot go on; the others do. When to look again.
fn after(broadcast: &Broadcast, why: &StoreError, wake: Option<u64>) -> u64 {
    error!(broadcast = %broadcast.sid, tenant.id = %broadcast.account, "a broadcast stands still for a moment: {why}");
    let again = clock::unix_ms() + millis(AFTER_FAILURE);
    wake.map_or(again, |at| at.min(again))
}

/// How many of a broadcast's calls may be made or wait: by the channels of its account and of its carrier's trunks.
pub(crate) fn ahead(services: &Services, broadcast: &Broadcast) -> u64 {
    let directory = services.store.directory();
    let Some(account) = directory.account(broadcast.account) else {
        return 0;
    };
    let payer = directory.payer(account.sid);
    let limits = directory.account(payer).map(|payer| &payer.outbound);
    let trunks = directory.trunks();
    let trunks = trunks.filter(|trunk| {
        trunk.carrier == account.carrier && trunk.is_for(account) && trunk.is_outbound()
    });
    let (channels, rate) = trunks.fold((0_u32, 0.0), |(channels, rate), trunk| {
        (
            channels.saturating_add(trunk.max_channels),
            rate + trunk.calls_per_second,
        )
    });
    let channels = channels.min(limits.map_or(0, |limits| limits.max_channels));
    let rate = limits
        .map_or(0.0, |limits| limits.calls_per_second)
        .min(rate);
    pump::ahead(channels, rate)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Some of those who wait are called no more.
async fn give_up(
    services: &Arc<Services>,
    broadcast: &Broadcast,
    why: &str,
) -> Result<(), StoreError> {
    let scope = Scope::of_host(broadcast.account);
    let waiting = services
        .store
        .due_recipients(scope, broadcast.sid, u64::MAX - 1, STEP)?;
    let judgements = waiting
        .into_iter()
        .map(|recipient| (recipient.number, Judgement::GiveUp(why.to_owned())));
    let given_up = services
        .store
        .judge_recipients(broadcast.sid, judgements.collect(), clock::unix_ms())
        .await?;
    told_of_end(given_up.as_ref());
    Ok(())
}

/// A line for the operator once a broadcast is over.
fn told_of_end(broadcast: Option<&Broadcast>) {
    if let Some(broadcast) = broadcast.filter(|one| one.counts.left() == 0) {
        info!(
            broadcast = %broadcast.sid,
            tenant.id = %broadcast.account,
            "{}: {} reached, {} not, by {} calls",
            broadcast.state.as_str(),
            broadcast.counts.reached,
            broadcast.counts.given_up,
            broadcast.counts.attempts()
        );
    }
}
