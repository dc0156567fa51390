//! What callbacks say: the parameters of Twilio's status callbacks.

use call::{Detection, RecordingOf, RecordingTracks};

use crate::date::iso8601;
use crate::verbs::OpenStream;
use crate::{Broadcast, CallRow, ProgressEvent, Recipient, RecordingRow, rfc2822};

/// The names and values of a form.
pub(crate) type Form = Vec<(String, String)>;

/// Appends a parameter.
pub(crate) fn put(form: &mut Form, name: &str, value: impl ToString) {
    form.push((name.to_owned(), value.to_string()));
}

/// What every request about a call says.
fn standard_parameters(call: &CallRow, turn: ProgressEvent) -> Form {
    let mut form = Form::new();
    put(&mut form, "CallSid", call.sid);
    put(&mut form, "AccountSid", call.account);
    put(&mut form, "From", &call.from);
    put(&mut form, "To", &call.to);
    put(&mut form, "Caller", &call.from);
    put(&mut form, "Called", &call.to);
    put(&mut form, "CallStatus", status(call, turn));
    put(&mut form, "ApiVersion", "2010-04-01");
    put(&mut form, "Direction", call.direction);
    form
}

/// A call to a device that is to be woken.
pub(crate) fn notification_parameters(call: &CallRow, at_unix_ms: u64) -> Form {
    let mut form = standard_parameters(call, ProgressEvent::Initiated);
    if let Some(at) = rfc2822(at_unix_ms) {
        put(&mut form, "Timestamp", at);
    }
    form
}

/// A call's turn.
pub(crate) fn call_parameters(
    call: &CallRow,
    turn: ProgressEvent,
    sequence: u32,
    at_unix_ms: u64,
) -> Form {
    let mut form = standard_parameters(call, turn);
    put(&mut form, "CallbackSource", "call-progress-events");
    put(&mut form, "SequenceNumber", sequence);
    if let Some(at) = rfc2822(at_unix_ms) {
        put(&mut form, "Timestamp", at);
    }
    if let Some(parent) = call.parent {
        put(&mut form, "ParentCallSid", parent);
    }
    if let Some(leg) = &call.leg {
        put(&mut form, "SipCallId", &leg.sip_call_id);
    }
    form.extend(call.arrival());
    if turn == ProgressEvent::Completed
        && let Some(record) = &call.record
    {
        put(&mut form, "CallDuration", record.duration_s);
        put(&mut form, "Duration", record.duration_s.div_ceil(60));
        if let Some(code) = record.sip_status {
            put(&mut form, "SipResponseCode", code);
        }
        if let Some(who) = record.answered_by {
            put(&mut form, "AnsweredBy", who.as_str());
        }
    }
    form
}

/// What the end of a call tells of the recording that its order asked for; nothing where nothing was heard.
pub(crate) fn recording_of_call(recording: &RecordingRow, url: &str) -> Form {
    let mut form = Form::new();
    if recording.has_media() {
        put(&mut form, "RecordingUrl", url);
        put(&mut form, "RecordingSid", recording.sid);
        put(&mut form, "RecordingDuration", recording.duration_s());
    }
    form
}

/// Somebody has heard a broadcast, by this call.
pub(crate) fn reached_parameters(
    broadcast: &Broadcast,
    recipient: &Recipient,
    call: &CallRow,
    at_unix_ms: u64,
) -> Form {
    let mut form = Form::new();
    put(&mut form, "BroadcastSid", broadcast.sid);
    put(&mut form, "AccountSid", broadcast.account);
    put(&mut form, "CallSid", call.sid);
    put(&mut form, "From", &call.from);
    put(&mut form, "To", &call.to);
    put(&mut form, "Event", "reached");
    put(&mut form, "Attempts", recipient.attempts.len());
    if let Some(record) = &call.record {
        put(&mut form, "CallDuration", record.duration_s);
    }
    if let Some(at) = rfc2822(at_unix_ms) {
        put(&mut form, "Timestamp", at);
    }
    if let Some(language) = &recipient.language {
        put(&mut form, "Language", language);
    }
    for (name, value) in &recipient.fields {
        put(&mut form, &format!("Field.{name}"), value);
    }
    form
}

/// What the flow is told that is started for somebody who has heard a broadcast by this call.
pub(crate) fn flow_start_parameters(
    broadcast: &Broadcast,
    recipient: &Recipient,
    call: &CallRow,
) -> Form {
    let mut form = Form::new();
    put(&mut form, "broadcast_sid", broadcast.sid);
    put(&mut form, "broadcast", &broadcast.name);
    put(&mut form, "call_sid", call.sid);
    put(&mut form, "from", &call.from);
    put(&mut form, "to", recipient.number.as_str());
    put(&mut form, "attempts", recipient.attempts.len());
    if let Some(record) = &call.record {
        put(&mut form, "duration", record.duration_s);
    }
    if let Some(language) = &recipient.language {
        put(&mut form, "language", language);
    }
    for (name, value) in &recipient.fields {
        put(&mut form, &format!("field_{name}"), value);
    }
    form
}

/// A recording's turn. `url`: where its file is.
pub(crate) fn recording_parameters(row: &RecordingRow, url: &str) -> Form {
    let mut form = Form::new();
    put(&mut form, "AccountSid", row.account);
    match row.of {
        RecordingOf::Call(call) => put(&mut form, "CallSid", call),
        RecordingOf::Conference(conference) => put(&mut form, "ConferenceSid", conference),
    }
    put(&mut form, "RecordingSid", row.sid);
    put(&mut form, "RecordingUrl", url);
    put(&mut form, "RecordingStatus", row.status);
    if row.status.is_final() {
        put(&mut form, "RecordingDuration", row.duration_s());
    }
    put(&mut form, "RecordingChannels", row.channels);
    if let Some(at) = rfc2822(row.created_unix_ms) {
        put(&mut form, "RecordingStartTime", at);
    }
    put(&mut form, "RecordingSource", row.source);
    let track = match row.tracks {
        RecordingTracks::Both => "both",
        RecordingTracks::Caller => "inbound",
        RecordingTracks::Callee => "outbound",
    };
    put(&mut form, "RecordingTrack", track);
    form
}

/// A media stream's turn; why it failed, where it did.
pub(crate) fn stream_parameters(
    stream: &OpenStream,
    event: &str,
    error: Option<&str>,
    at_unix_ms: u64,
) -> Form {
    let mut form = Form::new();
    put(&mut form, "AccountSid", stream.account);
    put(&mut form, "CallSid", stream.call);
    put(&mut form, "StreamSid", stream.stream);
    let name = stream.told.name.as_deref();
    put(&mut form, "StreamName", name.unwrap_or_default());
    put(&mut form, "StreamEvent", event);
    if let Some(at) = iso8601(at_unix_ms) {
        put(&mut form, "Timestamp", at);
    }
    if let Some(error) = error {
        put(&mut form, "StreamError", error);
    }
    form
}

/// Who answered a call, where that is told beside its documents.
pub(crate) fn detection_parameters(call: &CallRow, detection: Detection) -> Form {
    let mut form = Form::new();
    put(&mut form, "CallSid", call.sid);
    put(&mut form, "AccountSid", call.account);
    put(&mut form, "AnsweredBy", detection.answered_by.as_str());
    let duration = detection.duration_ms;
    put(&mut form, "MachineDetectionDuration", duration);
    form
}

/// The status of then, in Twilio's words.
fn status(call: &CallRow, turn: ProgressEvent) -> String {
    match turn {
        ProgressEvent::Initiated => "initiated".to_owned(),
        ProgressEvent::Ringing => "ringing".to_owned(),
        ProgressEvent::Answered => "in-progress".to_owned(),
        ProgressEvent::Completed => call.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use call::{AccountSid, CallRecord, CallSid, CallStatus, Direction};

    use super::*;
    use crate::Flow;

    fn call() -> CallRow {
        CallRow {
            sid: CallSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            parent: None,
            direction: Direction::OutboundApi,
            from: "1294".to_owned(),
            to: "+85512345678".to_owned(),
            flow: Flow::Component("menu".to_owned()),
            ring_timeout_s: None,
            status: CallStatus::Busy,
            due_unix_ms: None,
            attempts: 1,
            leg: None,
            created_unix_ms: 0,
            started_unix_ms: Some(0),
            answered_unix_ms: None,
            ended_unix_ms: Some(0),
            updated_unix_ms: 0,
            record: Some(CallRecord {
                sip_status: Some(486),
                ..CallRecord::new(CallStatus::Busy, "Busy Here")
            }),
            events: 3,
            settings: Default::default(),
            orders: Default::default(),
            tried: Vec::new(),
        }
    }

    /// The values of these parameters.
    fn told(form: &Form, names: &[&str]) -> Vec<Option<String>> {
        let value = |name: &&str| form.iter().find(|(known, _)| known == name);
        let values = names.iter().map(value);
        values
            .map(|found| found.map(|(_, value)| value.clone()))
            .collect()
    }

    #[test]
    fn what_its_invite_said_is_told_with_every_turn() {
        let said = [
            ("ForwardedFrom", "+85523111111"),
            ("SipHeader_X-Ward", "7 & 8"),
        ];
        let said = said.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut call = call();
        call.settings = [(crate::ARRIVAL.to_owned(), crate::write_arrival(&said))].into();
        call.leg = Some(crate::Leg {
            trunk: crate::TrunkId("carrier".to_owned()),
            sip_call_id: "1@h".to_owned(),
        });
        let names = [
            "ForwardedFrom",
            "SipHeader_X-Ward",
            "SipCallId",
            "CallerName",
        ];
        let expected = [Some("+85523111111"), Some("7 & 8"), Some("1@h"), None];
        let expected: Vec<_> = expected.map(|word| word.map(str::to_owned)).into();
        for turn in [ProgressEvent::Initiated, ProgressEvent::Completed] {
            let form = call_parameters(&call, turn, 0, 0);
            assert_eq!(told(&form, &names), expected);
        }
    }

    #[test]
    fn each_turn_has_its_status_and_the_end_has_its_figures() {
        let names = [
            "CallStatus",
            "SequenceNumber",
            "Timestamp",
            "CallDuration",
            "SipResponseCode",
        ];
        let at = "Tue, 31 Aug 2010 20:36:28 +0000";
        for (turn, status, duration, code) in [
            (ProgressEvent::Initiated, "initiated", None, None),
            (ProgressEvent::Ringing, "ringing", None, None),
            (ProgressEvent::Answered, "in-progress", None, None),
            (ProgressEvent::Completed, "busy", Some("0"), Some("486")),
        ] {
            let expected = [Some(status), Some("2"), Some(at), duration, code];
            let expected: Vec<_> = expected.map(|word| word.map(str::to_owned)).into();
            let form = call_parameters(&call(), turn, 2, 1_283_286_988_000);
            assert_eq!(told(&form, &names), expected);
        }
    }
}
