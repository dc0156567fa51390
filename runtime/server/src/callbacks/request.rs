//! What is told of a call's turn: the parameters of Twilio's status callbacks.

use call::HttpRequest;
use store::{CallRow, CallbackRow, ProgressEvent};
use url::form_urlencoded;

use crate::webhook::webhook;

/// The request that tells it, in each of its attempts.
pub(super) fn request(call: &CallRow, row: &CallbackRow) -> HttpRequest {
    webhook(&row.to, &form(call, row))
}

fn form(call: &CallRow, row: &CallbackRow) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("CallSid", &call.sid.to_string())
        .append_pair("AccountSid", &call.account.to_string())
        .append_pair("From", &call.from)
        .append_pair("To", &call.to)
        .append_pair("Caller", &call.from)
        .append_pair("Called", &call.to)
        .append_pair("CallStatus", &status(call, row.event))
        .append_pair("ApiVersion", "2010-04-01")
        .append_pair("Direction", &call.direction.to_string())
        .append_pair("CallbackSource", "call-progress-events")
        .append_pair("SequenceNumber", &row.sequence.to_string());
    if let Some(at) = api::rfc2822(row.created_unix_ms) {
        form.append_pair("Timestamp", &at);
    }
    if let Some(parent) = call.parent {
        form.append_pair("ParentCallSid", &parent.to_string());
    }
    if row.event == ProgressEvent::Completed
        && let Some(record) = &call.record
    {
        let minutes = record.duration_s.div_ceil(60);
        form.append_pair("CallDuration", &record.duration_s.to_string())
            .append_pair("Duration", &minutes.to_string());
        if let Some(code) = record.sip_status {
            form.append_pair("SipResponseCode", &code.to_string());
        }
        if let Some(who) = record.answered_by {
            form.append_pair("AnsweredBy", who.as_str());
        }
    }
    form.finish()
}

/// The status of then, in Twilio's words.
fn status(call: &CallRow, event: ProgressEvent) -> String {
    match event {
        ProgressEvent::Initiated => "initiated".to_owned(),
        ProgressEvent::Ringing => "ringing".to_owned(),
        ProgressEvent::Answered => "in-progress".to_owned(),
        ProgressEvent::Completed => call.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use call::{
        AccountSid, CallRecord, CallSid, CallStatus, Direction, HttpMethod, StatusCallback,
    };
    use store::Flow;

    use super::*;

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
        }
    }

    fn row(event: ProgressEvent) -> CallbackRow {
        CallbackRow {
            id: 1,
            account: AccountSid::from_bytes([2; 16]),
            call: CallSid::from_bytes([1; 16]),
            event,
            sequence: 2,
            to: StatusCallback {
                url: "https://a/status".to_owned(),
                method: HttpMethod::Post,
            },
            token: std::array::from_fn(|at| at as u8),
            created_unix_ms: 1_283_286_988_000,
            attempts: 0,
            due_unix_ms: None,
            error: None,
        }
    }

    /// The parameters that a query names, in its order.
    fn told(event: ProgressEvent, names: &[&str]) -> Vec<Option<String>> {
        let request = request(&call(), &row(event));
        let form: Vec<(String, String)> =
            form_urlencoded::parse(&request.body).into_owned().collect();
        let value = |name: &&str| form.iter().find(|(known, _)| known == name);
        names
            .iter()
            .map(|name| value(name).map(|(_, value)| value.clone()))
            .collect()
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
        for (event, status, duration, code) in [
            (ProgressEvent::Initiated, "initiated", None, None),
            (ProgressEvent::Ringing, "ringing", None, None),
            (ProgressEvent::Answered, "in-progress", None, None),
            (ProgressEvent::Completed, "busy", Some("0"), Some("486")),
        ] {
            let expected = [Some(status), Some("2"), Some(at), duration, code];
            let expected: Vec<_> = expected.map(|word| word.map(str::to_owned)).into();
            assert_eq!(told(event, &names), expected);
        }
    }
}
