//! What is told of a call to its owner: what web servers were asked for it and answered, and what went wrong.
//!
//! The requests of its stories stand in their journals, those of its callbacks are kept by the outbox: both go with the call.

use call::{CallSid, Exchange};
use store::{CallRow, Scope};

use crate::ApiState;
use crate::problem::Problem;

/// What a call's journals tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What was asked of web servers, in order.
    pub exchanges: Vec<Exchange>,
    /// What went wrong, in order.
    pub faults: Vec<Fault>,
}

/// An error or a warning in the log of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// When, in milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// Whether it is no mere warning.
    pub is_error: bool,
    /// What it says; Twilio's code stands first.
    pub message: String,
}

/// All that is told of a call.
pub(crate) struct OfCall {
    /// What its journals tell.
    pub(crate) told: Told,
    /// What its callbacks were answered, each with its sequence number within the call.
    pub(crate) callbacks: Vec<(u32, Exchange)>,
}

/// Of a call that goes on: as far as it has come.
pub(crate) async fn read(state: &ApiState, scope: Scope, row: &CallRow) -> Result<OfCall, Problem> {
    let live = match row.status.is_final() {
        true => None,
        false => state.live.journal(scope.account(), row.sid).await,
    };
    let (state, call) = (state.clone(), row.sid);
    // A journal may be long: not on a thread that other requests wait for.
    let reading = tokio::task::spawn_blocking(move || read_now(&state, scope, call, live));
    reading.await.expect("reading a journal does not panic")
}

fn read_now(
    state: &ApiState,
    scope: Scope,
    call: CallSid,
    live: Option<Vec<u8>>,
) -> Result<OfCall, Problem> {
    let journal = match live {
        Some(journal) => Some(journal),
        None => state.store.journal(scope, call)?,
    };
    let told = match journal {
        Some(journal) => (state.read_journal)(&journal).ok_or_else(Problem::internal)?,
        None => Told::default(),
    };
    let callbacks = state.store.exchanges(scope, call)?;
    Ok(OfCall { told, callbacks })
}
