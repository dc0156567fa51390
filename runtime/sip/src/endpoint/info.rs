//! INFO: digits of peers that send them no other way (RFC 6086; Cisco's `application/dtmf-relay`).

use std::time::Instant;

use bytes::Bytes;

use super::errand::Errand;
use super::leg::Stage;
use super::received::{Answer, Received};
use super::{DialogId, Endpoint, Event};
use crate::dialog::{Content, Wording};
use crate::transaction::{MergeKey, ServerKey};
use crate::{Method, lex};

/// The bodies that are told.
const DIGITS: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

impl Endpoint {
    /// An INFO. One without a body, which some peers send as a ping, is answered 200.
    pub(super) fn on_info(
        &mut self,
        now: Instant,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        received: &Received,
    ) {
        let request = &received.request;
        let media_type = request.media_type();
        let known = DIGITS
            .into_iter()
            .find(|known| media_type.eq_ignore_ascii_case(known.as_bytes()));
        let is_packaged = request.header("Info-Package").is_some();
        let (status, field) = match known {
            _ if is_packaged => (469, Some(("Recv-Info", String::new()))),
            _ if request.body().is_empty() => (200, None),
            Some(_) => (200, None),
            None => (415, Some(("Accept", DIGITS.join(", ")))),
        };
        let mut writer = received.response(&self.config, Answer::new(status, b""));
        if let Some((name, value)) = field {
            writer.header(name, value.as_bytes());
        }
        self.answer_asked(now, keys, received, writer.finish());
        let is_over = matches!(self.legs.stage(dialog), Some(Stage::Ending(_)) | None);
        if let Some(content_type) = known.filter(|_| !is_over && !is_packaged) {
            let body = request.body().clone();
            if !body.is_empty() {
                self.tell(dialog, Event::Info { content_type, body });
            }
        }
    }

    /// Sends an INFO. False where the dialog is not confirmed, or the type is none.
    pub(super) fn info(
        &mut self,
        now: Instant,
        dialog: DialogId,
        content_type: &str,
        body: Bytes,
    ) -> bool {
        let is_type = content_type
            .split_once('/')
            .is_some_and(|(kind, name)| [kind, name].iter().all(|w| lex::is_token(w.as_bytes())));
        let Some(up) = self.legs.up(dialog).filter(|_| is_type) else {
            return false;
        };
        let wording = Wording {
            content: Some(Content {
                media_type: Bytes::copy_from_slice(content_type.as_bytes()),
                body,
            }),
            ..Wording::new(Method::Info)
        };
        let remote_tag = up.dialog.remote_tag();
        let errand = Errand::new(dialog, remote_tag, wording);
        self.send_within(now, errand)
    }
}
