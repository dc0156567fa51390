//! Twilio's `Messages` resource, as far as it goes here: a text is handed to the account's connector, and the answer says what became of it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use call::{MessageSid, StatusCallback};
use serde_json::{Value, json};
use store::{PhoneNumber, Scope, random_call_sid, rfc2822};

use crate::destination::normalise;
use crate::live_messages::{Message, MessageOutcome};
use crate::parameters::{Parameters, Vocabulary};
use crate::problem::Problem;
use crate::{ApiState, status_callback};

/// Characters of a text.
const MOST_CHARS: usize = 1_600;

const CREATE: Vocabulary = Vocabulary {
    supported: &["To", "From", "Body", "StatusCallback"],
    unsupported: &[
        "AddressRetention",
        "ApplicationSid",
        "Attempt",
        "ContentRetention",
        "ContentSid",
        "ContentVariables",
        "ForceDelivery",
        "MaxPrice",
        "MediaUrl",
        "MessagingServiceSid",
        "PersistentAction",
        "ProvideFeedback",
        "RiskCheck",
        "ScheduleType",
        "SendAsMms",
        "SendAt",
        "ShortenUrls",
        "SmartEncoded",
        "TrafficType",
        "ValidityPeriod",
    ],
};

/// `POST /Messages.json`: the 201 comes when the connector has answered.
pub(crate) async fn create(
    State(state): State<ApiState>,
    Extension(scope): Extension<Scope>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let parameters = Parameters::of_form(&headers, body, CREATE)?;
    let message = message(&state, scope, &parameters)?;
    let created = rfc2822((state.clock)());
    // On a task of its own: a text whose client goes away is handed over none the less.
    let (messages, text) = (Arc::clone(&state.messages), message.clone());
    let account = scope.account();
    let sending = tokio::spawn(async move { messages.send_message(account, text).await });
    let sent = sending.await.expect("sending a text does not panic");
    let (status, error) = match sent {
        MessageOutcome::Sent => ("sent", None),
        MessageOutcome::Failed(why) => ("failed", Some(why)),
        MessageOutcome::NoConnector => {
            let message = "This account has no connector for texts: the operator sets its setting `message-url`";
            return Err(Problem::bad(21606, message));
        }
    };
    let updated = rfc2822((state.clock)());
    let sid = message.sid;
    let path = format!("/2010-04-01/Accounts/{account}/Messages/{sid}");
    let shown = json!({
        "sid": sid,
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": created,
        "date_sent": error.is_none().then_some(&updated),
        "date_updated": updated,
        "direction": "outbound-api",
        "error_code": error.is_some().then_some(30_008),
        "error_message": error,
        "from": message.from,
        "to": message.to,
        "messaging_service_sid": null,
        "num_media": "0",
        "num_segments": null,
        "price": null,
        "price_unit": null,
        "status": status,
        "uri": format!("{path}.json"),
        "subresource_uris": {},
    });
    Ok((StatusCode::CREATED, Json(shown)))
}

/// What the parameters ask for. Missing parameters come before wrong ones.
fn message(state: &ApiState, scope: Scope, parameters: &Parameters) -> Result<Message, Problem> {
    let required = |name: &str, code| {
        let missing = || Problem::bad(code, format!("`{name}` is required"));
        parameters.get(name).ok_or_else(missing)
    };
    let to = normalise(required("To", 21604)?);
    let from = normalise(required("From", 21603)?);
    let body = required("Body", 21602)?.to_owned();
    if to.parse::<PhoneNumber>().is_err() {
        let message = format!("`To` {to:?} is not a telephone number");
        return Err(Problem::bad(21211, message));
    }
    if !state.store.directory().may_show(scope.account(), &from) {
        let message = format!("`From` {from:?} is not a number of this account");
        return Err(Problem::bad(21606, message));
    }
    if body.chars().count() > MOST_CHARS {
        let message = format!("`Body` is longer than {MOST_CHARS} characters");
        return Err(Problem::bad(21617, message));
    }
    let callback = status_callback::read(parameters)?;
    Ok(Message {
        sid: MessageSid::from_bytes(*random_call_sid().as_bytes()),
        from,
        to,
        body,
        status_callback: callback.map(|callback| -> StatusCallback { callback.to }),
    })
}
