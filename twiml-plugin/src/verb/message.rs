//! `<Sms>` and `<Message>`: a text for the account's connector.

use jackfield_guest::{HttpMethod, StatusCallback};

use super::{Link, Reading};
use crate::fault::{
    MESSAGE_BODY, MESSAGE_CALLBACK, MESSAGE_FROM, MESSAGE_METHOD, MESSAGE_TO, NOT_IN_SCHEMA,
};
use crate::parse::Element;
use crate::reference::is_web_url;

use super::callees::plain_number;

/// A text to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Without one the other side of the call.
    pub(crate) to: Option<String>,
    /// Without one the account's side of the call.
    pub(crate) from: Option<String>,
    pub(crate) body: String,
    /// Without one the document goes on.
    pub(crate) action: Option<Link>,
    /// As written: relative to this document.
    pub(crate) status_callback: Option<StatusCallback>,
}

/// Characters of a text (Twilio error 21617).
const MOST_CHARS: usize = 1_600;

impl Reading {
    /// None where it cannot be sent to anybody.
    pub(super) fn message(&mut self, element: &Element) -> Option<Message> {
        self.know(
            element,
            &["action", "from", "method", "statusCallback", "to"],
        );
        let mut body = element.text();
        for inner in element.elements() {
            if inner.name == "Body" && element.name == "Message" {
                self.know(inner, &[]);
                body = inner.text();
            } else {
                let message = format!("<{}> in <{}> is ignored", inner.name, element.name);
                self.warn(NOT_IN_SCHEMA, message);
            }
        }
        let verb = &element.name;
        if body.is_empty() || body.chars().count() > MOST_CHARS {
            let message =
                format!("{verb}: nothing is sent: a text has 1 to {MOST_CHARS} characters");
            self.warn(MESSAGE_BODY, message);
            return None;
        }
        let is_number = |text: &str| {
            let digits = text.strip_prefix('+').unwrap_or(text);
            (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let to = element.attribute("to").map(plain_number);
        if let Some(to) = to.as_ref().filter(|to| !is_number(to)) {
            let message = format!("{verb}: nothing is sent: {to:?} is no telephone number");
            self.warn(MESSAGE_TO, message);
            return None;
        }
        let from = element.attribute("from").map(plain_number);
        let is_name = |text: &str| (1..=11).contains(&text.len()) && text.is_ascii();
        if let Some(from) = from
            .as_ref()
            .filter(|from| !is_number(from) && !is_name(from))
        {
            let message = format!(
                "{verb}: nothing is sent: {from:?} is neither a telephone number nor a name of 1 to 11 characters"
            );
            self.warn(MESSAGE_FROM, message);
            return None;
        }
        let action = element.attribute("action").map(str::trim);
        let action = action.filter(|url| !url.is_empty()).map(|url| Link {
            url: url.to_owned(),
            method: self.method(element, MESSAGE_METHOD),
        });
        Some(Message {
            to,
            from,
            body,
            action,
            status_callback: self.message_callback(element),
        })
    }

    fn message_callback(&mut self, element: &Element) -> Option<StatusCallback> {
        let url = element.attribute("statusCallback")?.trim();
        if url.contains("://") && !is_web_url(url) {
            let message = format!(
                "{}: statusCallback {url:?} is not an http or https URL",
                element.name
            );
            self.warn(MESSAGE_CALLBACK, message);
            return None;
        }
        Some(StatusCallback {
            url: url.to_owned(),
            method: HttpMethod::Post,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verb;
    use super::super::tests::{check, check_ignored};
    use super::*;

    fn plain(body: &str) -> Message {
        Message {
            to: None,
            from: None,
            body: body.to_owned(),
            action: None,
            status_callback: None,
        }
    }

    #[test]
    fn reads_texts() {
        for inner in [
            "<Sms>Come &amp; see</Sms>",
            "<Message>Come &amp; see</Message>",
            "<Message><Body> Come &amp; see\n</Body></Message>",
        ] {
            check(inner, Verb::Message(plain("Come & see")), &[]);
        }
        let whole = Message {
            to: Some("+85510000001".to_owned()),
            from: Some("Clinic".to_owned()),
            action: Some(Link {
                url: "/after".to_owned(),
                method: HttpMethod::Get,
            }),
            status_callback: Some(StatusCallback {
                url: "/told".to_owned(),
                method: HttpMethod::Post,
            }),
            ..plain("Hello")
        };
        check(
            "<Sms to='+855 10 000-001' from='Clinic' action='/after' method='GET' statusCallback='/told'>Hello</Sms>",
            Verb::Message(whole),
            &[],
        );
        check(
            "<Message statusCallback='ftp://a/' method='PUT' action='/a'><Media>http://a/</Media>Hello</Message>",
            Verb::Message(Message {
                action: Some(Link {
                    url: "/a".to_owned(),
                    method: HttpMethod::Post,
                }),
                ..plain("Hello")
            }),
            &[
                "12200 <Media> in <Message> is ignored",
                "14104 Message: invalid method \"PUT\": the default is used",
                "14105 Message: statusCallback \"ftp://a/\" is not an http or https URL",
            ],
        );
    }

    #[test]
    fn what_cannot_be_sent_is_told_with_its_code() {
        let long = format!("<Sms>{}</Sms>", "é".repeat(1_601));
        for (inner, warning) in [
            (
                "<Sms/>",
                "14103 Sms: nothing is sent: a text has 1 to 1600 characters",
            ),
            (
                &*long,
                "14103 Sms: nothing is sent: a text has 1 to 1600 characters",
            ),
            (
                "<Sms to='sip:a@b'>x</Sms>",
                "14101 Sms: nothing is sent: \"sip:a@b\" is no telephone number",
            ),
            (
                "<Message from='a name that is long'>x</Message>",
                "14102 Message: nothing is sent: \"a name that is long\" is neither a telephone number nor a name of 1 to 11 characters",
            ),
        ] {
            check_ignored(inner, &[warning]);
        }
    }
}
