//! Over which trunk a call would go now, and why. Not at Twilio.

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use store::Scope;

use crate::ApiState;
use crate::destination::normalise;
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;

const EXPLAIN: Vocabulary = Vocabulary {
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
    let chosen = dial::chosen(&choices).map(|choice| choice.trunk.to_string());
    let trunks = choices.iter().map(|choice| {
        json!({
            "trunk": choice.trunk.to_string(),
            "prefix": choice.prefix,
            "down": choice.is_down,
            "channels_used": choice.channels_used,
            "channels": choice.channels,
            "waits": choice.waits,
            "reason": choice.reason(),
        })
    });
    let trunks: Vec<Value> = trunks.collect();
    Ok(Json(
        json!({ "to": to, "from": from, "chosen": chosen, "trunks": trunks }),
    ))
}
