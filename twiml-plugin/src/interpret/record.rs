//! `<Record>`, and what its action is told.

use jackfield_guest::{CallError, Recorded, RecordingEnd, error};

use super::Interpreter;
use crate::fetch::Parameter;
use crate::verb::Record;

impl Interpreter<'_> {
    /// What is sent to `action`; none where nobody spoke, and the document goes on.
    pub(super) fn record(&mut self, record: &Record) -> Result<Option<Vec<Parameter>>, CallError> {
        self.call.clear_digits()?; // what was pressed before it does not end it
        let recorded = match self.call.record(record.options.clone()) {
            Ok(recorded) => recorded,
            Err(CallError::HungUp) => return Err(CallError::HungUp),
            Err(refusal) => {
                error!(self.call, "Record is left out: {refusal}");
                return Ok(None);
            }
        };
        if matches!(recorded.end, RecordingEnd::Key(_)) {
            self.documents.heard_a_key();
        }
        let is_something = recorded.heard_voice && recorded.duration_ms > 0;
        Ok(is_something.then(|| parameters(recorded)))
    }
}

fn parameters(recorded: Recorded) -> Vec<Parameter> {
    let digits = match recorded.end {
        RecordingEnd::Key(key) => key.to_string(),
        RecordingEnd::HungUp => "hangup".to_owned(),
        _ => String::new(),
    };
    let mut parameters = Vec::from(recording_parameters(recorded));
    parameters.push(("Digits", digits));
    parameters
}

/// Where it is, and how long: in whole seconds, one at least.
pub(super) fn recording_parameters(recorded: Recorded) -> [Parameter; 3] {
    let seconds = recorded.duration_ms.saturating_add(500) / 1_000;
    [
        ("RecordingUrl", recorded.url),
        ("RecordingSid", recorded.sid),
        ("RecordingDuration", seconds.max(1).to_string()),
    ]
}
