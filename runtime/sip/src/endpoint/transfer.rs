//! REFER of the peer: it asks that we call somebody else in its place, and hears how that goes (RFC 3515, RFC 4488).

use std::time::Instant;

use bytes::Bytes;

use super::errand::Errand;
use super::received::{Answer, Received};
use super::{DialogId, Endpoint, Event};
use crate::dialog::{Content, Wording};
use crate::transaction::{MergeKey, ServerKey};
use crate::write::reason_phrase;
use crate::{Method, NameAddr, Request};

/// A header field of a REFER that is told beside those for applications.
const REFERRED_BY: &str = "Referred-By";

/// What becomes of a REFER of the peer.
#[derive(Debug, Default)]
pub(super) enum Transfer {
    /// It is refused: nobody but us says whom we call.
    #[default]
    Refused,
    /// The next one is taken.
    Wanted,
    /// One was taken; its last report is still to come.
    UnderWay {
        /// Of the reports; none where the peer wants none (RFC 4488).
        event: Option<String>,
    },
}

/// Whom the peer wants to be called in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferAsked {
    /// The URI of `Refer-To`, header fields behind its `?` included.
    pub to: String,
    /// `Referred-By`, `User-to-User` and what begins with `X-`: names and values.
    pub fields: Vec<(String, String)>,
}

impl Endpoint {
    /// The next REFER of the peer is taken. False where the dialog is not confirmed, or one is under way.
    pub(super) fn take_refer(&mut self, id: DialogId) -> bool {
        let Some(up) = self.legs.up(id) else {
            return false;
        };
        let is_free = matches!(up.transfer, Transfer::Refused);
        if is_free {
            up.transfer = Transfer::Wanted;
        }
        is_free
    }

    /// None is taken any more. False where the dialog is not confirmed.
    pub(super) fn refuse_refer(&mut self, id: DialogId) -> bool {
        let Some(up) = self.legs.up(id) else {
            return false;
        };
        if matches!(up.transfer, Transfer::Wanted) {
            up.transfer = Transfer::Refused;
        }
        true
    }

    /// A REFER. False where none is wanted.
    pub(super) fn on_refer(
        &mut self,
        now: Instant,
        id: DialogId,
        keys: (ServerKey, MergeKey),
        received: &Received,
    ) -> bool {
        let Some(up) = self.legs.up(id) else {
            return false;
        };
        if !matches!(up.transfer, Transfer::Wanted) || up.farewell.is_some() {
            return false;
        }
        let request = &received.request;
        let Some(asked) = asked(request) else {
            let answer = received.response(&self.config, Answer::new(400, b""));
            self.answer_asked(now, keys, received, answer.finish());
            return true;
        };
        let wants_none = request.header("Refer-Sub");
        let wants_none = wants_none.is_some_and(|value| value.trim().starts_with("false"));
        // Another one may have been refused before it: then the peer tells them apart by their number (RFC 3515 §2.4.6).
        let event = format!("refer;id={}", request.cseq().number);
        up.transfer = Transfer::UnderWay {
            event: (!wants_none).then_some(event),
        };
        let mut answer = received.dialog_response(&self.config, Answer::new(202, b""));
        if wants_none {
            answer.header("Refer-Sub", b"false");
        }
        self.answer_asked(now, keys, received, answer.finish());
        self.report(now, id, 100);
        self.tell(id, Event::ReferAsked(Box::new(asked)));
        true
    }

    /// Tells the peer how the call goes that it asked for; from 200 on nothing follows. False where it asked for none.
    pub(super) fn report(&mut self, now: Instant, id: DialogId, status: u16) -> bool {
        let Some(up) = self.legs.up(id) else {
            return false;
        };
        let Transfer::UnderWay { event } = &up.transfer else {
            return false;
        };
        let event = event.clone();
        let is_final = status >= 200;
        if is_final {
            up.transfer = Transfer::Refused;
        }
        let Some(event) = event else {
            return true;
        };
        let state: &[u8] = match is_final {
            true => b"terminated;reason=noresource",
            false => b"active;expires=60",
        };
        let fragment = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status));
        let wording = Wording {
            method: Method::Notify,
            fields: vec![
                ("Event", event.into()),
                ("Subscription-State", Bytes::from_static(state)),
            ],
            content: Some(Content {
                media_type: Bytes::from_static(b"message/sipfrag;version=2.0"),
                body: fragment.into(),
            }),
        };
        let errand = Errand::new(id, up.dialog.remote_tag(), wording);
        self.send_within(now, errand)
    }
}

/// What a REFER asks for; none where it does not name one URI.
fn asked(request: &Request) -> Option<ReferAsked> {
    let mut targets = request
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Refer-To"));
    let (_, target) = targets.next()?;
    if targets.next().is_some() {
        return None;
    }
    let target = NameAddr::parse(&Bytes::copy_from_slice(target.as_bytes())).ok()?;
    Some(ReferAsked {
        to: target.uri().to_string(),
        fields: request.own_fields_and(&[REFERRED_BY]),
    })
}
