//! What an application is told of a stream: Twilio's `StreamEvent`s, as signed webhooks of the account.

use std::sync::Arc;

use call::{CallSid, HttpRequest, StatusCallback, StreamEnd, StreamId, StreamRequest};
use tokio::task::JoinHandle;
use tracing::{Instrument, debug};
use url::form_urlencoded;

use super::Owner;
use crate::clock;
use crate::services::Services;
use crate::web::Cookies;
use crate::webhook::webhook;

/// The callbacks of one stream, sent in order; nobody waits for them.
pub(super) struct Callbacks(Option<Told>);

struct Told {
    services: Arc<Services>,
    account: Arc<store::Account>,
    call: CallSid,
    callback: StatusCallback,
    id: StreamId,
    name: Option<String>,
    last: Option<JoinHandle<()>>,
}

impl Callbacks {
    pub(super) fn new(owner: &Owner, id: StreamId, request: &StreamRequest) -> Self {
        let callback = request.status_callback.clone();
        Self(callback.map(|callback| Told {
            services: Arc::clone(&owner.services),
            account: Arc::clone(&owner.account),
            call: owner.info.call_sid,
            callback,
            id,
            name: request.name.clone(),
            last: None,
        }))
    }

    pub(super) fn started(&mut self) {
        self.tell("stream-started", None);
    }

    pub(super) fn ended(&mut self, end: &StreamEnd) {
        match end {
            StreamEnd::Stopped | StreamEnd::Closed => self.tell("stream-stopped", None),
            StreamEnd::Failed(error) => self.tell("stream-error", Some(error.to_string())),
        }
    }

    fn tell(&mut self, event: &str, error: Option<String>) {
        let Some(told) = &mut self.0 else { return };
        let request = told.request(event, error.as_deref());
        let (services, account) = (Arc::clone(&told.services), Arc::clone(&told.account));
        let before = told.last.take();
        let send = async move {
            if let Some(before) = before {
                // It does nothing that panics.
                let _ = before.await;
            }
            let sent = services
                .web
                .request(&account, &Cookies::default(), request)
                .await;
            if let Err(error) = sent {
                debug!("a stream's status callback was lost: {error}");
            }
        };
        told.last = Some(tokio::spawn(send.in_current_span()));
    }
}

impl Told {
    fn request(&self, event: &str, error: Option<&str>) -> HttpRequest {
        let at = i64::try_from(clock::unix_ms()).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::MAX);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("AccountSid", &self.account.sid.to_string())
            .append_pair("CallSid", &self.call.to_string())
            .append_pair("StreamSid", &self.id.sid(self.call).to_string())
            .append_pair("StreamName", self.name.as_deref().unwrap_or_default())
            .append_pair("StreamEvent", event)
            .append_pair("Timestamp", &at.to_string());
        if let Some(error) = error {
            form.append_pair("StreamError", error);
        }
        webhook(&self.callback, &form.finish())
    }
}
