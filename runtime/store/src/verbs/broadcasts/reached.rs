//! Who is told that somebody has heard a broadcast.

use call::{CallbackSubject, HttpMethod, StatusCallback};

use crate::callback_parameters::{flow_start_parameters, reached_parameters};
use crate::rows::Rows;
use crate::verbs::callbacks::{self, NewCallback};
use crate::{AttemptOutcome, Broadcast, CallRow, Recipient, StoreError};

/// The event of a row that starts a flow.
const FLOW_START: &str = "flow-start";

/// The webhook of the broadcast is told, and its flow started: both leave from the outbox.
pub(super) fn tell(
    rows: &mut dyn Rows,
    row: &Broadcast,
    recipient: &Recipient,
    call: &CallRow,
    at_unix_ms: u64,
) -> Result<(), StoreError> {
    let new = |event: &str, to, parameters, start| NewCallback {
        account: row.account,
        subject: CallbackSubject::Call(call.sid),
        event: event.to_owned(),
        sequence: 0,
        to,
        parameters,
        start,
        at_unix_ms,
    };
    if let Some(to) = &row.rules.webhook {
        let parameters = reached_parameters(row, recipient, call, at_unix_ms);
        let event = AttemptOutcome::Reached.as_str();
        callbacks::tell(rows, new(event, to.clone(), parameters, None))?;
    }
    if let Some(start) = &row.flow_start {
        let to = StatusCallback {
            url: start.url(),
            method: HttpMethod::Post,
        };
        let parameters = flow_start_parameters(row, recipient, call);
        callbacks::tell(rows, new(FLOW_START, to, parameters, Some(start.clone())))?;
    }
    Ok(())
}
