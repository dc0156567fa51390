//! A broadcast and its recipients, as the API shows them.

use std::collections::BTreeMap;

use dial::retry::{USUAL_ATTEMPTS, USUAL_GAP};
use serde_json::{Map, Value, json};
use store::{AttemptOutcome, Broadcast, BroadcastState, Message, Recipient, RecipientState};

use crate::date::iso8601;

/// A broadcast with its progress. `strategy`: the plugin that says when somebody is called again; the usual rules do where there is none.
pub(crate) fn show(row: &Broadcast, strategy: Option<&str>, now_unix_ms: u64) -> Value {
    let rules = &row.rules;
    let usual = strategy.is_none();
    let time = |at: Option<u64>| at.and_then(iso8601);
    json!({
        "sid": row.sid.to_string(),
        "account_sid": row.account.to_string(),
        "name": row.name,
        "from": row.from,
        "message": message(&row.message),
        "state": row.state.as_str(),
        "priority": rules.terms.priority.as_str(),
        "not_before": time(rules.terms.not_before_unix_ms),
        "expires": time(rules.terms.expires_unix_ms),
        "window": rules.terms.window.as_ref().map(ToString::to_string),
        "retry_strategy": strategy,
        "max_attempts": rules.max_attempts.or(usual.then_some(USUAL_ATTEMPTS)),
        "gap_s": rules.gap_s.map(u64::from).or(usual.then_some(USUAL_GAP.as_secs())),
        "bounds": { "max_attempts": rules.max_attempts, "gap_s": rules.gap_s },
        "reached_after_s": rules.reached_after_s,
        "ring_timeout_s": rules.ring_timeout_s,
        "webhook": rules.webhook.as_ref().map(|webhook| json!({
            "url": webhook.url,
            "method": webhook.method.as_str(),
        })),
        "rapidpro": row.flow_start.as_ref().map(|start| json!({
            "url": start.server,
            "flow": start.flow,
        })),
        "progress": progress(row, now_unix_ms),
        "date_created": iso8601(row.created_unix_ms),
        "date_updated": iso8601(row.updated_unix_ms),
        "date_started": time(row.started_unix_ms),
        "date_ended": time(row.ended_unix_ms),
    })
}

fn message(message: &Message) -> Value {
    match message {
        Message::Audio { files, fallback } => json!({ "audio": files, "fallback": fallback }),
        Message::Twiml(document) => json!({ "twiml": document }),
        Message::Url { url, method } => json!({ "url": url, "method": method.as_str() }),
        Message::Plugin(name) => json!({ "plugin": name }),
    }
}

/// Who stands where, how calls ended, and how fast it goes. Pauses count as time.
fn progress(row: &Broadcast, now_unix_ms: u64) -> Value {
    let counts = &row.counts;
    let by_operator = row.by_operator.iter().map(|(name, counts)| {
        let told = json!({
            "recipients": counts.recipients,
            "reached": counts.reached,
            "given_up": counts.given_up,
            "outcomes": outcomes(&counts.outcomes),
        });
        (name.to_owned(), told)
    });
    let until = row.ended_unix_ms.unwrap_or(now_unix_ms);
    let elapsed_ms = row
        .started_unix_ms
        .map(|from| until.saturating_sub(from).max(1));
    let per_minute = elapsed_ms.map(|elapsed| counts.attempts() * 60_000 / elapsed);
    let done = counts.reached + counts.given_up;
    let left_s = elapsed_ms
        .filter(|_| row.state == BroadcastState::Running && done > 0)
        .map(|elapsed| counts.left() * elapsed / done / 1_000);
    json!({
        "recipients": counts.total(),
        "waiting": counts.waiting,
        "again": counts.again,
        "calling": counts.calling + counts.judged,
        "reached": counts.reached,
        "given_up": counts.given_up,
        "attempts": counts.attempts(),
        "outcomes": outcomes(&counts.outcomes),
        "by_operator": by_operator.collect::<Map<_, _>>(),
        "attempts_per_minute": per_minute,
        "time_left_s": left_s,
    })
}

/// Calls that are over, by how they ended.
fn outcomes(counts: &BTreeMap<AttemptOutcome, u64>) -> Map<String, Value> {
    let all = AttemptOutcome::ALL.iter();
    all.filter_map(|outcome| Some((outcome.to_string(), json!(counts.get(outcome)?))))
        .collect()
}

/// A recipient with all of their calls.
pub(crate) fn show_recipient(recipient: &Recipient) -> Value {
    let attempts: Vec<Value> = recipient
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "call_sid": attempt.call.to_string(),
                "outcome": attempt.outcome.as_str(),
                "sip_status": attempt.record.sip_status,
                "retry_after_s": attempt.record.retry_after_s,
                "duration_s": attempt.record.duration_s,
                "end_reason": attempt.record.end_reason,
                "trunk": attempt.trunk.as_ref().map(ToString::to_string),
                "date_started": iso8601(attempt.started_unix_ms),
                "date_ended": iso8601(attempt.ended_unix_ms),
            })
        })
        .collect();
    let (due, call, reason) = match &recipient.state {
        RecipientState::Waiting { due_unix_ms } => (iso8601(*due_unix_ms), None, None),
        RecipientState::Calling(call) => (None, Some(call.to_string()), None),
        RecipientState::GivenUp(reason) => (None, None, Some(reason)),
        RecipientState::Judged | RecipientState::Reached => (None, None, None),
    };
    let due = due.filter(|_| !recipient.attempts.is_empty());
    json!({
        "number": recipient.number.as_str(),
        "language": recipient.language,
        "areas": recipient.areas,
        "fields": recipient.fields,
        "state": recipient.state.as_str(),
        "date_due": due,
        "call_sid": call,
        "reason": reason,
        "attempts": attempts,
    })
}
