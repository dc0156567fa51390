//! What a broadcast would come to, and what came of it, by language, area and network operator.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Extension, Json, Router};
use dial::estimate::Estimate;
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    Broadcast, BroadcastStore, Directory, Message, Recipient, RecipientState, Scope, StoreError,
};

use crate::ApiState;
use crate::broadcasts::existing;
use crate::long_reads::LongReads;
use crate::parameters::{Parameters, Vocabulary};
use crate::people::read;
use crate::problem::Problem;

/// Recipients that are read at a time.
const PAGE: usize = 1_000;
/// Groups of one kind that are told; those behind them are told together.
const MAX_GROUPS: usize = 10_000;
/// What stands for no language, no area and no known operator, and for the groups behind the last.
const OTHER: &str = "other";
/// Seconds that a call takes where nobody says how many.
const USUAL_CALL_S: u32 = 30;

pub(crate) const DRY_RUN: Vocabulary = Vocabulary {
    supported: &["MeanCallSeconds"],
    unsupported: &[],
};

/// Below one broadcast.
pub(crate) fn routes(one: &str) -> Router<ApiState> {
    Router::new()
        .route(&format!("{one}/Statistics"), get(statistics))
        .route(&format!("{one}/DryRun"), get(dry_run))
}

/// A group of recipients.
#[derive(Debug, Default, Serialize)]
struct Group {
    recipients: u64,
    reached: u64,
    given_up: u64,
    attempts: u64,
}

/// Groups of one kind.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
struct Groups(BTreeMap<String, Group>);

impl Groups {
    fn add(&mut self, name: &str, recipient: &Recipient) {
        let has_room = self.0.len() < MAX_GROUPS || self.0.contains_key(name);
        let name = if has_room { name } else { OTHER };
        let group = self.0.entry(name.to_owned()).or_default();
        group.recipients += 1;
        group.attempts += recipient.attempts.len() as u64;
        match recipient.state {
            RecipientState::Reached => group.reached += 1,
            RecipientState::GivenUp(_) => group.given_up += 1,
            _ => {}
        }
    }
}

#[derive(Debug, Default, Serialize)]
struct Statistics {
    by_language: Groups,
    by_area: Groups,
    by_operator: Groups,
}

impl Statistics {
    fn add(&mut self, directory: &Directory, recipient: &Recipient) {
        let language = recipient.language.as_deref().unwrap_or(OTHER);
        self.by_language.add(language, recipient);
        for area in &recipient.areas {
            self.by_area.add(area, recipient);
        }
        if recipient.areas.is_empty() {
            self.by_area.add(OTHER, recipient);
        }
        let operator = directory.operator(&recipient.number);
        let operator =
            operator.map_or_else(|| OTHER.to_owned(), |operator| operator.id.to_string());
        self.by_operator.add(&operator, recipient);
    }
}

/// `GET …/Statistics`: who stands where, by language, area and operator.
async fn statistics(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(reads): Extension<Arc<LongReads>>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let broadcast = existing(&state, scope, &sid, &uri)?;
    let directory = state.store.directory();
    let store = Arc::clone(&state.broadcasts);
    let reading = reads.begin(state.payer(scope.account()))?;
    let statistics = read(move || {
        let _reading = reading;
        let mut statistics = Statistics::default();
        each(&*store, scope, &broadcast, |recipient| {
            statistics.add(&directory, recipient);
        })?;
        Ok(statistics)
    });
    Ok(Json(json!(statistics.await?)))
}

/// `GET …/DryRun`: who would be called, who could not be, and how long it would take. Nobody is called.
async fn dry_run(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    Extension(reads): Extension<Arc<LongReads>>,
    Path((_, sid)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let broadcast = existing(&state, scope, &sid, &uri)?;
    let parameters = Parameters::of_query(uri.query(), DRY_RUN)?;
    let mean_call_s: u32 = match parameters.get("MeanCallSeconds").map(str::parse) {
        None => USUAL_CALL_S,
        Some(Ok(seconds)) if (1..=3_600).contains(&seconds) => seconds,
        Some(_) => {
            let message = "`MeanCallSeconds` must be 1 to 3600";
            return Err(Problem::bad_parameter(message));
        }
    };
    let directory = state.store.directory();
    let strategy = state.live_broadcasts.retry_strategy(scope.account());
    let store = Arc::clone(&state.broadcasts);
    let reading = reads.begin(state.payer(scope.account()))?;
    let answer = read(move || {
        let _reading = reading;
        let mut statistics = Statistics::default();
        let mut estimate = Estimate::new(&directory, scope.account(), &broadcast.from);
        let mut refused: BTreeMap<String, u64> = BTreeMap::new();
        each(&*store, scope, &broadcast, |recipient| {
            statistics.add(&directory, recipient);
            let why = match has_message(&broadcast.message, recipient) {
                false => Some("there is no message for their language, and no fallback".to_owned()),
                true => {
                    let added = estimate.add(&recipient.number);
                    added.err().map(|why| grouped(&why))
                }
            };
            if let Some(why) = why {
                *refused.entry(why).or_default() += 1;
            }
        })?;
        Ok(told(
            &broadcast,
            strategy.as_deref(),
            &statistics,
            &estimate,
            &refused,
            mean_call_s,
        ))
    });
    Ok(Json(answer.await?))
}

fn told(
    broadcast: &Broadcast,
    strategy: Option<&str>,
    statistics: &Statistics,
    estimate: &Estimate<'_>,
    refused: &BTreeMap<String, u64>,
    mean_call_s: u32,
) -> Value {
    let rules = &broadcast.rules;
    let once = estimate.seconds(mean_call_s.into()).ceil();
    let most = rules.max_attempts.unwrap_or(dial::retry::USUAL_ATTEMPTS);
    let gap = rules
        .gap_s
        .map_or(dial::retry::USUAL_GAP.as_secs(), u64::from);
    let pauses = f64::from(most - 1) * f64::from(u32::try_from(gap).unwrap_or(u32::MAX));
    json!({
        "recipients": broadcast.counts.total(),
        "callable": estimate.calls(),
        "refused": refused,
        "by_language": statistics.by_language,
        "by_area": statistics.by_area,
        "by_operator": statistics.by_operator,
        "mean_call_s": mean_call_s,
        "everybody_once_s": once,
        "retry_strategy": strategy,
        // A strategy says when, and how often, as it goes.
        "nobody_answers_s": strategy.is_none().then_some(once * f64::from(most) + pauses),
    })
}

/// Reasons that name no number, so that there are few of them.
fn grouped(why: &dial::Refusal) -> String {
    match why {
        dial::Refusal::NotAllowed(_) => {
            "this account may not call there: the operator allows destinations in its `outbound.allow`".to_owned()
        }
        dial::Refusal::Emergency(_) => "it is an emergency number".to_owned(),
        dial::Refusal::NoTrunk(_) => "no trunk of the carrier leads there".to_owned(),
        other => other.to_string(),
    }
}

fn has_message(message: &Message, recipient: &Recipient) -> bool {
    let Message::Audio { files, fallback } = message else {
        return true;
    };
    let own = recipient.language.as_ref();
    own.is_some_and(|language| files.contains_key(language)) || fallback.is_some()
}

/// Shows every recipient.
fn each(
    store: &dyn BroadcastStore,
    scope: Scope,
    broadcast: &Broadcast,
    mut show: impl FnMut(&Recipient),
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store.recipients(scope, broadcast.sid, None, after.as_ref(), PAGE)?;
        let page = page.ok_or(StoreError::NotThere)?;
        page.recipients.iter().for_each(&mut show);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
