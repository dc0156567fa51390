//! What a broadcast needs next: the rules of its pump, without a clock and without a store.
//!
//! The store knows who waits, who is being called and who was reached; the pump looks at these counts and says one step. It holds nothing of its own, so
//! that a process which dies leaves nothing behind: the next one looks at the same counts.

use std::time::Duration;

use call::{CallRecord, CallStatus};
use store::{AttemptOutcome, Broadcast, BroadcastRules, BroadcastState, Judgement, Recipient};

use crate::retry::{self, Attempt, Decision, Wish};

/// Recipients that one step takes on.
pub const STEP: usize = 200;
/// Calls of one broadcast that are made or wait in the queue, at most.
const MOST_AHEAD: u64 = 2_000;

/// A broadcast as it stands.
#[derive(Debug, Clone, Copy)]
pub struct View<'b> {
    /// Its row.
    pub broadcast: &'b Broadcast,
    /// When the next recipient may be called, in milliseconds since the Unix epoch; none where nobody waits.
    pub next_due_unix_ms: Option<u64>,
    /// How many of its calls may be made or wait in the queue: see [`ahead`].
    pub ahead: u64,
    /// Whether its queued calls were taken back since it was halted.
    pub is_recalled: bool,
    /// Whether its account's recipients are being decided about.
    pub is_judging: bool,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Decide about recipients whom a call has not reached.
    Judge,
    /// Call so many recipients who are due, at most.
    Feed(usize),
    /// Take back the calls that wait in the queue.
    Recall,
    /// Nobody who waits is called any more; says why.
    GiveUp(&'static str),
    /// Come back at this time in milliseconds since the Unix epoch; without one when something has changed.
    Wait(Option<u64>),
}

/// How many calls of a broadcast to hand to the dialler: a few times what can go at once, so that lines never stand idle and a pause still takes
/// effect at once.
#[must_use]
pub fn ahead(channels: u32, calls_per_second: f32) -> u64 {
    // A second's worth of calls, for trunks that take more of them than they have channels.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate of calls is positive and small, and the cast saturates"
    )]
    let per_second = calls_per_second.ceil() as u64;
    (u64::from(channels) * 2)
        .max(per_second)
        .clamp(4, MOST_AHEAD)
}

/// The next step of a broadcast.
#[must_use]
pub fn next(view: &View<'_>, now_unix_ms: u64) -> Step {
    let counts = &view.broadcast.counts;
    let terms = &view.broadcast.rules.terms;
    let is_expired = terms.is_expired(now_unix_ms);
    // Those who are being decided about are not to be dealt with meanwhile.
    let judged = counts.judged * u64::from(!view.is_judging);
    let left = counts.waiting + counts.again + judged;
    match view.broadcast.state {
        BroadcastState::Draft | BroadcastState::Completed => Step::Wait(None),
        _ if judged > 0 => Step::Judge,
        BroadcastState::Stopped if !view.is_recalled && counts.calling > 0 => Step::Recall,
        BroadcastState::Stopped if left > 0 => Step::GiveUp("stopped"),
        BroadcastState::Stopped => Step::Wait(None),
        _ if is_expired && left > 0 => Step::GiveUp("the broadcast's time is over"),
        BroadcastState::Paused if !view.is_recalled && counts.calling > 0 => Step::Recall,
        BroadcastState::Paused => Step::Wait(terms.expires_unix_ms.filter(|_| left > 0)),
        BroadcastState::Running => feed(view, now_unix_ms),
    }
}

/// Feeds where a quarter of what may be ahead has gone, so that each step is worth its transaction.
fn feed(view: &View<'_>, now_unix_ms: u64) -> Step {
    let counts = &view.broadcast.counts;
    let terms = &view.broadcast.rules.terms;
    let Some(due) = view.next_due_unix_ms else {
        return Step::Wait(None);
    };
    let room = view.ahead.saturating_sub(counts.calling);
    let opens = terms.first_time(now_unix_ms.max(due));
    if opens > now_unix_ms {
        let ends = terms.expires_unix_ms.unwrap_or(u64::MAX);
        return Step::Wait(Some(opens.min(ends)));
    }
    match room >= (view.ahead / 4).max(1) {
        true => Step::Feed(usize::try_from(room).unwrap_or(STEP).min(STEP)),
        // The end of a call is told.
        false => Step::Wait(terms.expires_unix_ms),
    }
}

/// Whether somebody whom a call has not reached is called again, by the usual rules within the broadcast's.
#[must_use]
pub fn decide(broadcast: &Broadcast, recipient: &Recipient, now_unix_ms: u64) -> Judgement {
    if broadcast.state == BroadcastState::Stopped {
        return Judgement::GiveUp("stopped".to_owned());
    }
    judgement(retry::next(
        &attempts(recipient),
        &wish(&broadcast.rules),
        now_unix_ms,
    ))
}

/// The same where a strategy of the account's own was to decide, and did not.
#[must_use]
pub fn decide_for_strategy(
    broadcast: &Broadcast,
    recipient: &Recipient,
    now_unix_ms: u64,
) -> Judgement {
    let wish = wish(&broadcast.rules).in_place_of_a_strategy();
    judgement(retry::next(&attempts(recipient), &wish, now_unix_ms))
}

/// What becomes of a recipient of whom a strategy said that they are called again at this time: no sooner than the broadcast and the host allow, or
/// not at all.
#[must_use]
pub fn within(
    broadcast: &Broadcast,
    recipient: &Recipient,
    at_unix_ms: u64,
    reason: String,
    now_unix_ms: u64,
) -> Judgement {
    judgement(retry::bounded(
        &attempts(recipient),
        &wish(&broadcast.rules),
        at_unix_ms,
        reason,
        now_unix_ms,
    ))
}

fn judgement(decision: Decision) -> Judgement {
    match decision {
        Decision::Again { at_unix_ms, .. } => Judgement::Again(at_unix_ms),
        Decision::Stop(why) => Judgement::GiveUp(why),
    }
}

/// What a broadcast says of its attempts.
#[must_use]
pub fn wish(rules: &BroadcastRules) -> Wish {
    Wish {
        max_attempts: rules.max_attempts,
        gap: rules.gap_s.map(|gap| Duration::from_secs(gap.into())),
        terms: rules.terms.clone(),
    }
}

/// A recipient's attempts, as whoever decides about another one is told of them.
#[must_use]
pub fn attempts(recipient: &Recipient) -> Vec<Attempt> {
    recipient.attempts.iter().map(attempt).collect()
}

/// Whoever hung up before the end was not reached: for the rules nobody has answered.
fn attempt(attempt: &store::RecipientAttempt) -> Attempt {
    let record = match attempt.outcome {
        AttemptOutcome::CutShort => CallRecord {
            status: CallStatus::NoAnswer,
            sip_status: None,
            ..attempt.record.clone()
        },
        _ => attempt.record.clone(),
    };
    Attempt {
        started_unix_ms: attempt.started_unix_ms,
        ended_unix_ms: attempt.ended_unix_ms,
        trunk: attempt.trunk.clone(),
        record,
    }
}
