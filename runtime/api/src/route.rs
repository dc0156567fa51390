//! Over which trunk a call would go now, and why. Not at Twilio.

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use dial::Choice;
use serde_json::{Value, json};
use store::Scope;

use crate::ApiState;
use crate::date::iso8601;
use crate::destination::normalise;
use crate::live_calls::{PolicyAnswer, PolicyAttempt, PolicyDecision};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

pub(crate) const EXPLAIN: Vocabulary = Vocabulary {
    supported: &["To", "From"],
    unsupported: &[],
};

pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/v1/Accounts/{account}/Route", get(explain))
}

async fn explain(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::of_query(uri.query(), EXPLAIN)?;
    let needed = |name, code| {
        let value = parameters.get(name).map(normalise);
        value.ok_or_else(|| Problem::bad(code, format!("`{name}` is required")))
    };
    let (to, from) = (needed("To", 21201)?, needed("From", 21213)?);
    let choices = state.live.explain_route(scope.account(), &from, &to)?;
    let policy = state.live.ask_policy(scope.account(), &from, &to).await;
    let chosen = chosen(&choices, policy.as_ref());
    let trunks = choices.iter().map(|choice| {
        json!({
            "trunk": choice.trunk.to_string(),
            "prefix": choice.prefix,
            "own": choice.is_own,
            "rank": choice.rank,
            "down": choice.is_down,
            "channels_used": choice.channels_used,
            "channels": choice.channels,
            "waits": choice.waits,
            "reason": choice.reason(),
        })
    });
    let trunks: Vec<Value> = trunks.collect();
    Ok(Json(json!({
        "to": to,
        "from": from,
        "chosen": chosen,
        "trunks": trunks,
        "policy": policy.as_ref().map(shown),
    })))
}

/// The trunk that a call would take now: by the policy's decision where it has made one, else by the built-in order.
fn chosen(choices: &[Choice], policy: Option<&PolicyAnswer>) -> Option<String> {
    let planned: Vec<Choice> = match policy.map(|policy| &policy.decision) {
        None | Some(Err(_)) => choices.to_vec(),
        Some(Ok(PolicyDecision::Attempts(attempts))) => {
            let choice = |attempt: &PolicyAttempt| {
                let mut choices = choices.iter();
                choices.find(|choice| choice.trunk.0 == attempt.trunk)
            };
            attempts.iter().filter_map(choice).cloned().collect()
        }
        Some(Ok(PolicyDecision::Wait { .. } | PolicyDecision::Refuse(_))) => Vec::new(),
    };
    dial::chosen(&planned).map(|choice| choice.trunk.to_string())
}

fn shown(policy: &PolicyAnswer) -> Value {
    let attempt = |attempt: &PolicyAttempt| {
        json!({
            "trunk": attempt.trunk,
            "dialled": attempt.dialled,
            "caller_id": attempt.caller_id,
            "ring_timeout_s": attempt.ring_timeout_s,
            "reason": attempt.reason,
        })
    };
    let (decision, attempts, until, reason) = match &policy.decision {
        Ok(PolicyDecision::Attempts(attempts)) => ("attempts", attempts.as_slice(), None, None),
        Ok(PolicyDecision::Wait {
            until_unix_ms,
            reason,
        }) => ("wait", &[][..], *until_unix_ms, Some(reason)),
        Ok(PolicyDecision::Refuse(why)) => ("refuse", &[][..], None, Some(why)),
        Err(why) => ("none", &[][..], None, Some(why)),
    };
    json!({
        "plugin": policy.plugin,
        "version": policy.version,
        "decision": decision,
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
        "until": until.and_then(iso8601),
        "reason": reason,
    })
}
