//! Texts of the API, handed to the web server that an account's settings name.

use std::sync::Arc;

use api::{Done, LiveMessages, Message, MessageOutcome};
use call::{AccountSid, Grants, HttpMethod, HttpRequest, StatusCallback};
use tracing::{debug, info};
use url::form_urlencoded::Serializer;

use crate::operator::Host;
use crate::services::Services;
use crate::web::Cookies;
use crate::webhook::webhook;

/// The settings of [the TwiML component](../../../twiml-plugin/src/lib.rs): where texts go, and the name of a secret for them.
const URL: &str = "message-url";
const SECRET: &str = "message-secret";

impl LiveMessages for Host {
    fn send_message(&self, account: AccountSid, message: Message) -> Done<MessageOutcome> {
        let services = self.services();
        Box::pin(async move {
            let directory = services.store.directory();
            let Some(account) = directory.account(account).cloned() else {
                return MessageOutcome::NoConnector;
            };
            let Some(url) = account.settings.get(URL).filter(|url| !url.is_empty()) else {
                return MessageOutcome::NoConnector;
            };
            let request = order(&account, url, &message);
            let grants = Arc::new(Grants::everything());
            let cookies = Cookies::default();
            let answer = services
                .web
                .story_request(&account, grants, &cookies, request);
            let outcome = match answer.await {
                Ok(response) if (200..300).contains(&response.status) => MessageOutcome::Sent,
                Ok(response) => {
                    MessageOutcome::Failed(format!("the connector answered {}", response.status))
                }
                Err(error) => MessageOutcome::Failed(error.to_string()),
            };
            if let MessageOutcome::Failed(why) = &outcome {
                info!(tenant.id = %account.sid, "a text is not sent: {why}");
            }
            if let Some(callback) = &message.status_callback {
                tell(&services, &account, callback, &message, &outcome);
            }
            outcome
        })
    }
}

/// The text as its connector gets it.
fn order(account: &store::Account, url: &str, message: &Message) -> HttpRequest {
    let mut form = parameters(account, message);
    form.append_pair("Body", &message.body);
    let to = StatusCallback {
        url: url.to_owned(),
        method: HttpMethod::Post,
    };
    let mut request = webhook(&to, &form.finish());
    if let Some(secret) = account.settings.get(SECRET) {
        let value = format!("Bearer {{{{secret:{secret}}}}}");
        request.headers.push(("authorization".to_owned(), value));
    }
    request
}

/// Nobody waits for it.
fn tell(
    services: &Arc<Services>,
    account: &Arc<store::Account>,
    callback: &StatusCallback,
    message: &Message,
    outcome: &MessageOutcome,
) {
    let mut form = parameters(account, message);
    let status = match outcome {
        MessageOutcome::Sent => "sent",
        _ => "failed",
    };
    form.append_pair("MessageStatus", status)
        .append_pair("SmsStatus", status);
    if status == "failed" {
        form.append_pair("ErrorCode", "30008");
    }
    let request = webhook(callback, &form.finish());
    let (services, account) = (Arc::clone(services), Arc::clone(account));
    tokio::spawn(async move {
        let sent = services
            .web
            .request(&account, &Cookies::default(), request)
            .await;
        if let Err(error) = sent {
            debug!("a text's status callback was lost: {error}");
        }
    });
}

fn parameters(account: &store::Account, message: &Message) -> Serializer<'static, String> {
    let sid = message.sid.to_string();
    let mut form = Serializer::new(String::new());
    form.append_pair("MessageSid", &sid)
        .append_pair("SmsSid", &sid)
        .append_pair("AccountSid", &account.sid.to_string())
        .append_pair("From", &message.from)
        .append_pair("To", &message.to)
        .append_pair("ApiVersion", "2010-04-01");
    form
}
