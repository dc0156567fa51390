//! REFER: the peer is asked to call somebody else, and reports how that goes (RFC 3515).

use std::time::Instant;

use bytes::Bytes;

use super::errand::Errand;
use super::received::{Answer, Received};
use super::{DialogId, Endpoint, Event};
use crate::dialog::Wording;
use crate::transaction::{MergeKey, ServerKey};
use crate::{Method, Request, Response, Uri};

/// What is known of a REFER of ours.
#[derive(Debug, Default)]
pub(super) struct Referral {
    /// The last report was told; others may still come and mean nothing.
    is_over: bool,
}

impl Endpoint {
    /// Sends a REFER. False where the dialog is not confirmed, another one is not over, or the URI is none.
    pub(super) fn refer(&mut self, now: Instant, id: DialogId, to: &str) -> bool {
        let is_uri = Uri::parse(&Bytes::copy_from_slice(to.as_bytes())).is_ok();
        let Some(up) = self.legs.up(id).filter(|_| is_uri) else {
            return false;
        };
        if up.referral.as_ref().is_some_and(|old| !old.is_over) {
            return false;
        }
        up.referral = Some(Referral::default());
        let mut fields = vec![("Refer-To", format!("<{to}>").into())];
        fields.extend(up.dialog.local_uri().map(|uri| ("Referred-By", uri)));
        let wording = Wording {
            fields,
            ..Wording::new(Method::Refer)
        };
        let errand = Errand::new(id, up.dialog.remote_tag(), wording);
        self.send_within(now, errand)
    }

    /// What the peer says to our REFER. A 2xx is followed by reports, unless it says that there will be none (RFC 4488).
    pub(super) fn on_refer_response(
        &mut self,
        now: Instant,
        id: DialogId,
        status: u16,
        response: Option<&Response>,
    ) {
        let has_reports = response.and_then(|response| response.header("Refer-Sub"));
        let has_reports = has_reports.is_none_or(|value| !value.trim().starts_with("false"));
        if status == 481 {
            return self.lose(now, id);
        }
        let is_final = !((200..300).contains(&status) && has_reports);
        self.tell_referral(id, Event::ReferAnswered { status, is_final }, is_final);
    }

    /// A NOTIFY. False where it reports on no REFER of ours.
    pub(super) fn on_report(
        &mut self,
        now: Instant,
        id: DialogId,
        keys: (ServerKey, MergeKey),
        received: &Received,
    ) -> bool {
        let request = &received.request;
        let is_referred = self.legs.up(id).is_some_and(|up| up.referral.is_some());
        if !is_referred || !is_about_a_referral(request) {
            return false;
        }
        let answer = received.response(&self.config, Answer::new(200, b""));
        self.answer_asked(now, keys, received, answer.finish());
        let state = request.header("Subscription-State").unwrap_or_default();
        let is_terminated = state.trim_start().starts_with("terminated");
        let status = reported_status(request);
        let is_final = is_terminated || status.is_some_and(|status| status >= 200);
        if status.is_some() || is_final {
            self.tell_referral(id, Event::Referred { status, is_final }, is_final);
        }
        true
    }

    /// What comes after the last word is not told.
    fn tell_referral(&mut self, id: DialogId, event: Event, is_final: bool) {
        let Some(referral) = self.legs.up(id).and_then(|up| up.referral.as_mut()) else {
            return;
        };
        if !referral.is_over {
            referral.is_over = is_final;
            self.tell(id, event);
        }
    }
}

/// Whether a NOTIFY is of the event package `refer` (RFC 3515 §2.4.6).
pub(super) fn is_about_a_referral(notify: &Request) -> bool {
    let event = notify.header("Event").unwrap_or_default();
    let package = event.split(';').next().unwrap_or_default();
    package.trim().eq_ignore_ascii_case("refer")
}

/// The status in the first line of a `message/sipfrag` (RFC 3420).
fn reported_status(notify: &Request) -> Option<u16> {
    let is_fragment = notify.media_type().eq_ignore_ascii_case(b"message/sipfrag");
    let body = std::str::from_utf8(notify.body()).ok()?;
    let words = body.strip_prefix("SIP/2.0 ").filter(|_| is_fragment)?;
    let status = words.split([' ', '\r', '\n']).next()?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}
