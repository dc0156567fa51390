//! What a routing policy is asked: a call and the trunks that may carry it, in its words.

use std::time::Instant;

use call::{CallRecord, CallStatus};
use dial::{CallRequest, TrunkState};
use plugin_host::attempts::{Attempt, OutboundCall, Status};
use plugin_host::routing::{Channels, Health, PrefixChannels, Recent, Request, Trunk};
use store::{CallEvent, CallEventKind, Directory};

use crate::retry::question;

/// The question over which trunks a call goes. `attempts`: those that failed so far.
pub(super) fn request(
    directory: &Directory,
    call: &CallRequest,
    purpose: Option<String>,
    attempts: Vec<Attempt>,
    now_unix_ms: u64,
) -> Request {
    let number = call.to.parse().ok();
    Request {
        call: OutboundCall {
            call_sid: call.call.to_string(),
            account_sid: call.account.to_string(),
            caller: call.from.clone(),
            callee: call.to.clone(),
            operator: number.and_then(|number| question::operator(directory, &number)),
            priority: question::priority(call.terms.priority),
            purpose,
        },
        attempts,
        now_unix_ms,
    }
}

/// A trunk as it stands. `is_degraded`: some of its servers do not answer. Trunks have neither prices nor labels yet.
pub(super) fn trunk(
    state: TrunkState,
    prefixes: &[String],
    is_degraded: bool,
    recent: Recent,
    (now, now_unix_ms): (Instant, u64),
) -> Trunk {
    let (used, limit) = state.channels;
    let parts = state.parts.into_iter();
    let closed_for = state
        .closed_until
        .map(|until| until.saturating_duration_since(now).as_millis());
    Trunk {
        id: state.trunk.0,
        prefixes: prefixes.to_vec(),
        health: match (state.is_down, is_degraded) {
            (true, _) => Health::Down,
            (false, true) => Health::Degraded,
            (false, false) => Health::Up,
        },
        channels: Channels { used, limit },
        prefix_channels: parts
            .map(|(prefix, used, limit)| PrefixChannels {
                prefix,
                channels: Channels { used, limit },
            })
            .collect(),
        starts_left: state.starts_left,
        closed_until_unix_ms: closed_for
            .map(|ms| now_unix_ms.saturating_add(u64::try_from(ms).unwrap_or(u64::MAX))),
        recent,
        prices: Vec::new(),
        labels: Default::default(),
    }
}

/// The attempts of a call that failed before it rang, as its events tell of them.
pub(super) fn attempts(events: &[CallEvent]) -> Vec<Attempt> {
    let mut started = None;
    let mut attempts = Vec::new();
    for event in events {
        match &event.kind {
            CallEventKind::Attempted(_) => started = Some(event.at_unix_ms),
            CallEventKind::AttemptFailed(failed) => {
                let record = CallRecord {
                    sip_status: failed.sip_status,
                    ..CallRecord::new(CallStatus::Failed, "")
                };
                attempts.push(Attempt {
                    trunk: failed.trunk.0.clone(),
                    started_unix_ms: started.take().unwrap_or(event.at_unix_ms),
                    ended_unix_ms: event.at_unix_ms,
                    status: Status::Failed,
                    outcome: record.outcome(),
                    sip_code: failed.sip_status,
                    retry_after_s: None,
                    duration_s: 0,
                    answered_by_machine: None,
                });
            }
            _ => {}
        }
    }
    attempts
}
