//! What a tenant's server is told of who answered: Twilio's asynchronous answer, as a signed webhook of the account.

use call::{CallInfo, Detection, HttpRequest, StatusCallback};
use url::form_urlencoded;

use crate::webhook::webhook;

/// The callback of a detection.
pub(crate) fn callback(info: &CallInfo, to: &StatusCallback, detection: Detection) -> HttpRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("CallSid", &info.call_sid.to_string())
        .append_pair("AccountSid", &info.account_sid.to_string())
        .append_pair("AnsweredBy", detection.answered_by.as_str())
        .append_pair(
            "MachineDetectionDuration",
            &detection.duration_ms.to_string(),
        );
    webhook(to, &form.finish())
}
