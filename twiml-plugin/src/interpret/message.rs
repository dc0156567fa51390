//! A text goes to the account's connector: a web server that the settings name.

use jackfield_guest::{CallError, Direction, HttpMethod, StatusCallback, debug, warn};

use super::{Interpreter, Next};
use crate::document::Document;
use crate::fault::{Fault, MESSAGE_NO_CONNECTOR, MESSAGE_TO, RETRIEVAL_FAILED};
use crate::fetch::{Parameter, fault_of, form, request};
use crate::reference::{is_web_url, resolve};
use crate::verb::Message;

impl Interpreter<'_> {
    /// Hands a text over, and tells whoever is to be told what came of it. Where to go then; none when the document goes on.
    pub(super) fn send_message(
        &mut self,
        message: &Message,
        document: &Document,
    ) -> Result<Option<Next>, CallError> {
        self.messages += 1;
        let parameters = self.message_parameters(message);
        let outcome = self.hand_to_connector(&parameters)?;
        let (status, code) = match outcome {
            Ok(()) => ("sent", None),
            Err(fault) => {
                warn!(self.call, "{fault}");
                ("failed", Some(fault.code))
            }
        };
        let mut told: Vec<Parameter> = vec![
            ("MessageStatus", status.to_owned()),
            ("SmsStatus", status.to_owned()),
        ];
        told.extend(code.map(|code| ("ErrorCode", code.to_string())));
        if let Some(callback) = &message.status_callback {
            let without_text = parameters.iter().filter(|(name, _)| *name != "Body");
            let all: Vec<_> = without_text.cloned().chain(told.clone()).collect();
            self.tell_of_message(callback, &all, document);
        }
        let sids = parameters
            .into_iter()
            .filter(|(name, _)| matches!(*name, "MessageSid" | "SmsSid"));
        let told = sids.chain(told).collect();
        Ok(message
            .action
            .clone()
            .map(|action| Next::Fetch(action, told)))
    }

    /// From the account's side of the call to the other, where nothing else is said.
    fn message_parameters(&self, message: &Message) -> Vec<Parameter> {
        let info = self.call.info();
        let (own, other) = match info.direction {
            Direction::Inbound => (info.callee, info.caller),
            Direction::OutboundApi | Direction::OutboundDial => (info.caller, info.callee),
        };
        let sid = message_sid(&info.call_sid, self.messages);
        vec![
            ("MessageSid", sid.clone()),
            ("SmsSid", sid),
            ("AccountSid", info.account_sid),
            ("CallSid", info.call_sid),
            ("From", message.from.clone().unwrap_or(own)),
            ("To", message.to.clone().unwrap_or(other)),
            ("Body", message.body.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
        ]
    }

    fn hand_to_connector(&self, parameters: &[Parameter]) -> Result<Result<(), Fault>, CallError> {
        let setting = |name| self.call.setting(name).filter(|value| !value.is_empty());
        let Some(url) = setting("message-url") else {
            let message = "the text is not sent: the account has no connector for texts: set its setting message-url";
            return Ok(Err(Fault::new(MESSAGE_NO_CONNECTOR, message)));
        };
        let to = parameters.iter().find(|(name, _)| *name == "To");
        if to.is_none_or(|(_, to)| {
            !to.trim_start_matches('+')
                .bytes()
                .all(|b| b.is_ascii_digit())
        }) {
            let message =
                "the text is not sent: the other side has no telephone number; give one as `to`";
            return Ok(Err(Fault::new(MESSAGE_TO, message)));
        }
        let mut order = request(HttpMethod::Post, &url, &form(parameters));
        if let Some(secret) = setting("message-secret") {
            order = order.secret_header("Authorization", "Bearer ", &secret);
        }
        Ok(match self.call.http(order)? {
            Ok(response) if response.is_success() => Ok(()),
            Ok(response) => {
                let message = format!("{url}: the text is not sent: status {}", response.status);
                Err(Fault::new(RETRIEVAL_FAILED, message))
            }
            Err(error) => Err(fault_of(&error, &url)),
        })
    }

    /// Nobody waits for the answer.
    fn tell_of_message(
        &self,
        callback: &StatusCallback,
        parameters: &[Parameter],
        document: &Document,
    ) {
        let base = document.url.as_deref();
        let url = base.map_or_else(|| callback.url.clone(), |base| resolve(base, &callback.url));
        if !is_web_url(&url) {
            return warn!(self.call, "14105 {url:?} is not an http or https URL");
        }
        if let Err(error) = self
            .call
            .send(request(callback.method, &url, &form(parameters)))
        {
            debug!(self.call, "{url} is not told: {error}");
        }
    }
}

/// The same each time the call is run again: the call's number and, in its last four digits, which of its texts it is.
fn message_sid(call: &str, number: u16) -> String {
    let digits = call.strip_prefix("CA").unwrap_or(call);
    let kept = digits.len().saturating_sub(4);
    format!("SM{}{number:04x}", digits.get(..kept).unwrap_or_default())
}
