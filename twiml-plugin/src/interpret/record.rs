//! `<Record>`, and what its action is told.

use jackfield_guest::{Call, CallError, Recorded, RecordingEnd, RecordingOptions, error, warn};

use super::Interpreter;
use crate::document::Document;
use crate::fetch::Parameter;
use crate::reference::resolve;
use crate::verb::Record;

impl Interpreter<'_> {
    /// What is sent to `action`; none where nobody spoke, and the document goes on.
    pub(super) fn record(
        &mut self,
        record: &Record,
        document: &Document,
    ) -> Result<Option<Vec<Parameter>>, CallError> {
        self.call.clear_digits()?; // what was pressed before it does not end it
        let recorded = match self.call.record(absolute(&record.options, document)) {
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

impl<'a> Interpreter<'a> {
    /// Begins to record the call; the document goes on, whatever becomes of it.
    pub(super) fn start_recording(
        &mut self,
        options: &RecordingOptions,
        document: &Document,
    ) -> Result<(), CallError> {
        let call: &'a Call = self.call;
        match call.start_recording(absolute(options, document)) {
            Ok(recording) => self.recordings.push(recording),
            Err(CallError::HungUp) => return Err(CallError::HungUp),
            Err(refusal) => error!(self.call, "Start: the call is not recorded: {refusal}"),
        }
        Ok(())
    }

    /// Ends the latest of those, and waits for its file.
    pub(super) fn stop_recording(&mut self) -> Result<(), CallError> {
        match self.recordings.pop() {
            Some(recording) => recording.stop().map(drop),
            None => {
                warn!(self.call, "Stop: these documents have begun no recording");
                Ok(())
            }
        }
    }
}

/// Who is told is at a URL relative to the document.
pub(super) fn absolute(options: &RecordingOptions, document: &Document) -> RecordingOptions {
    let mut options = options.clone();
    if let (Some(told), Some(base)) = (&mut options.status_callback, &document.url) {
        told.to.url = resolve(base, &told.to.url);
    }
    options
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
