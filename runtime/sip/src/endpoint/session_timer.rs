//! Session timers: a call whose other side is gone ends by itself (RFC 4028).
//!
//! Whoever is the refresher says in time that the call is still on, by UPDATE or re-INVITE; the other waits for it, and
//! either hangs up when the session runs out.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::errand::Errand;
use super::offer::OurOffer;
use super::receive::Refusal;
use super::{DialogId, Endpoint};
use crate::dialog::Wording;
use crate::field::Name;
use crate::lex::{self, Params};
use crate::message::Fields;
use crate::write::Writer;
use crate::{Method, Request, Response};

/// The shortest interval anybody may ask for (RFC 4028 §4).
pub(super) const MIN_INTERVAL: Duration = Duration::from_secs(90);

/// The longest interval we agree to, unless the peer insists: what is remembered of a call that ended is kept as long.
const MAX_INTERVAL: Duration = Duration::from_secs(7_200);

/// Who of the two sides of a request refreshes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

/// What `Session-Expires` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SessionExpires {
    interval: Duration,
    refresher: Option<Refresher>,
}

impl SessionExpires {
    fn of(message: &Fields) -> Option<Self> {
        let value = message.head.values(Name::SessionExpires).next()?;
        let (digits, params) = value.split_at(lex::length_while(value, |b| b != b';'));
        let seconds = lex::number(lex::trim(digits))?;
        let refresher = match Params::new(params).get("refresher") {
            Some(side) if side.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(side) if side.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(Self {
            interval: Duration::from_secs(seconds.into()),
            refresher,
        })
    }
}

/// The interval `Min-SE` asks for.
pub(super) fn min_interval(message: &Fields) -> Option<Duration> {
    let value = message.head.values(Name::MinSe).next()?;
    let digits = &value[..lex::length_while(value, |b| b.is_ascii_digit())];
    lex::number(digits).map(|seconds| Duration::from_secs(seconds.into()))
}

/// Refuses an interval that would keep both sides busy with refreshes, where the peer can choose another (RFC 4028 §9).
pub(super) fn check_interval(request: &Request) -> Result<(), Refusal> {
    let is_short = SessionExpires::of(request).is_some_and(|wish| wish.interval < MIN_INTERVAL);
    if is_short && request.has_option(Name::Supported, "timer") {
        let seconds = MIN_INTERVAL.as_secs().to_string();
        return Err(Refusal::with(422, "Min-SE", seconds.as_bytes()));
    }
    Ok(())
}

/// The agreement on refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    interval: Duration,
    is_ours: bool,
}

impl Terms {
    /// Our 2xx to a request with a wish, or to one that keeps silent about what was agreed before (RFC 4028 §9, table 2).
    fn as_uas(request: &Request, current: Option<&SessionTimer>) -> Option<Self> {
        let is_able = request.has_option(Name::Supported, "timer");
        match (SessionExpires::of(request), current) {
            (Some(wish), _) => Some(Self {
                interval: wish
                    .interval
                    .min(MAX_INTERVAL)
                    .max(min_interval(request).unwrap_or(MIN_INTERVAL))
                    .max(MIN_INTERVAL),
                is_ours: !is_able || wish.refresher == Some(Refresher::Uas),
            }),
            (None, Some(timer)) if timer.terms.is_ours || is_able => Some(timer.terms),
            (None, _) => None,
        }
    }

    /// The peer's 2xx to a request of ours. One that does not say who refreshes leaves it to us.
    fn as_uac(response: &Response) -> Option<Self> {
        SessionExpires::of(response).map(|agreed| Self {
            interval: agreed.interval.max(MIN_INTERVAL),
            is_ours: agreed.refresher != Some(Refresher::Uas),
        })
    }

    fn value(self, ours: Refresher) -> String {
        let refresher = match (self.is_ours, ours) {
            (true, Refresher::Uac) | (false, Refresher::Uas) => "uac",
            (true, Refresher::Uas) | (false, Refresher::Uac) => "uas",
        };
        format!("{};refresher={refresher}", self.interval.as_secs())
    }
}

/// A session that expires.
#[derive(Debug)]
pub(super) struct SessionTimer {
    terms: Terms,
    /// When we say that the call is still on; none where that is the peer's to do.
    refresh_at: Option<Instant>,
    /// When we hang up: somewhat before the session expires (RFC 4028 §10).
    ends_at: Instant,
}

impl SessionTimer {
    fn new(now: Instant, terms: Terms) -> Self {
        let margin = Duration::from_secs(32).min(terms.interval / 3);
        Self {
            terms,
            refresh_at: terms.is_ours.then(|| now + terms.interval / 2),
            ends_at: now + terms.interval - margin,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.refresh_at
            .map_or(self.ends_at, |at| at.min(self.ends_at))
    }

    /// After a refresh that failed: again when half of what is left is over.
    fn try_again(&mut self, now: Instant) {
        let left = self.ends_at.saturating_duration_since(now);
        let is_worth_it = left >= Duration::from_secs(2);
        self.refresh_at = is_worth_it.then(|| now + left / 2);
    }
}

/// What every request of ours that refreshes says.
fn fields(terms: Option<Terms>) -> Vec<(&'static str, Bytes)> {
    let supported = ("Supported", Bytes::from_static(b"timer"));
    let expires = terms.map(|terms| ("Session-Expires", terms.value(Refresher::Uac).into()));
    let longer = terms.filter(|terms| terms.interval > MIN_INTERVAL);
    let min = longer.map(|_| ("Min-SE", MIN_INTERVAL.as_secs().to_string().into()));
    [Some(supported), expires, min]
        .into_iter()
        .flatten()
        .collect()
}

/// The timer that our 2xx to a request of the peer starts, and what the 2xx says of it.
pub(super) fn agree(
    now: Instant,
    request: &Request,
    current: Option<&SessionTimer>,
    writer: &mut Writer,
) -> Option<SessionTimer> {
    let terms = Terms::as_uas(request, current)?;
    writer.header("Session-Expires", terms.value(Refresher::Uas).as_bytes());
    if request.has_option(Name::Supported, "timer") {
        writer.header("Require", b"timer");
    }
    Some(SessionTimer::new(now, terms))
}

impl Endpoint {
    /// Restarts the timer of a confirmed dialog with our 2xx to a request of the peer.
    pub(super) fn agree_again(
        &mut self,
        now: Instant,
        id: DialogId,
        request: &Request,
        writer: &mut Writer,
    ) {
        if let Some(up) = self.legs.up(id) {
            up.timer = agree(now, request, up.timer.as_ref(), writer);
            self.legs.arm(id, &mut self.schedule);
        }
    }

    /// Starts or restarts the timer with the peer's 2xx to a request of ours.
    pub(super) fn agree_as_uac(&mut self, now: Instant, id: DialogId, response: &Response) {
        if let Some(up) = self.legs.up(id) {
            up.timer = Terms::as_uac(response).map(|terms| SessionTimer::new(now, terms));
            self.legs.arm(id, &mut self.schedule);
        }
    }

    /// What a re-INVITE of ours says of the session's time.
    pub(super) fn timer_fields(&mut self, id: DialogId) -> Vec<(&'static str, Bytes)> {
        let timer = self.legs.up(id).and_then(|up| up.timer.as_ref());
        fields(timer.map(|timer| timer.terms))
    }

    /// Refreshes the session, or ends one that nobody refreshed.
    pub(super) fn wake_session(&mut self, now: Instant, id: DialogId) {
        let Some(timer) = self.legs.up(id).and_then(|up| up.timer.as_mut()) else {
            return;
        };
        if now >= timer.ends_at {
            return self.lose(now, id);
        }
        if timer.refresh_at.take_if(|at| *at <= now).is_some() {
            self.refresh(now, id);
        }
    }

    /// Says that the call is still on: without touching the session where the peer takes an UPDATE, else by offering again
    /// what it knows.
    fn refresh(&mut self, now: Instant, id: DialogId) {
        let fields = self.timer_fields(id);
        let Some(up) = self.legs.up(id) else {
            return;
        };
        if up.dialog.allows_update() {
            let wording = Wording {
                fields,
                ..Wording::new(Method::Update)
            };
            let errand = Errand::new(id, up.dialog.remote_tag(), wording);
            self.send_within(now, errand);
        } else if up.ours.is_none() {
            let sdp = up.dialog.description().clone();
            up.ours = Some(OurOffer::refresh(sdp));
            self.send_offer(now, id);
        }
    }

    /// What became of our UPDATE.
    pub(super) fn on_update_response(
        &mut self,
        now: Instant,
        id: DialogId,
        status: u16,
        response: Option<&Response>,
    ) {
        match (status, response) {
            (200..300, Some(response)) => {
                if let Some(up) = self.legs.up(id) {
                    up.dialog.retarget(response);
                }
                self.agree_as_uac(now, id, response);
            }
            (408 | 481, _) => self.lose(now, id),
            (405 | 501, _) => {
                if let Some(up) = self.legs.up(id) {
                    up.dialog.forbid_update();
                    self.refresh(now, id);
                }
            }
            _ => self.on_refresh_failed(now, id, response),
        }
    }

    /// A refresh that came to nothing is tried again while there is time; one that was too short at once.
    pub(super) fn on_refresh_failed(
        &mut self,
        now: Instant,
        id: DialogId,
        response: Option<&Response>,
    ) {
        let Some(timer) = self.legs.up(id).and_then(|up| up.timer.as_mut()) else {
            return;
        };
        let asked = response
            .filter(|response| response.status() == 422)
            .and_then(|response| min_interval(response));
        match asked.filter(|asked| *asked > timer.terms.interval) {
            Some(asked) => {
                timer.terms.interval = asked;
                self.refresh(now, id);
            }
            None => {
                timer.try_again(now);
                self.legs.arm(id, &mut self.schedule);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{origin, parse_request};

    fn request(fields: &str) -> Request {
        parse_request(&format!(
            "UPDATE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n\
             CSeq: 1 UPDATE\r\n{fields}\r\n"
        ))
    }

    fn terms(seconds: u64, is_ours: bool) -> Option<Terms> {
        Some(Terms {
            interval: Duration::from_secs(seconds),
            is_ours,
        })
    }

    #[test]
    fn who_refreshes_is_the_callers_choice_where_it_can() {
        // RFC 4028 table 2, and what the peer leaves out.
        for (fields, expected) in [
            ("", None),
            ("Supported: timer\r\n", None),
            ("Session-Expires: 1800\r\n", terms(1800, true)),
            ("x: 1800;refresher=uac\r\n", terms(1800, true)), // it cannot: a proxy asked for it
            ("Supported: timer\r\nx: 1800\r\n", terms(1800, false)),
            (
                "k: 100rel, timer\r\nx: 1800;refresher=uac\r\n",
                terms(1800, false),
            ),
            (
                "k: timer\r\nSession-Expires: 1800 ; Refresher=UAS\r\n",
                terms(1800, true),
            ),
            (
                "k: timer\r\nSession-Expires: 1800;refresher=me\r\n",
                terms(1800, false),
            ),
            ("Session-Expires: 5\r\n", terms(90, true)),
            ("Session-Expires: 4294967295\r\n", terms(7_200, true)),
            (
                "Session-Expires: 90000\r\nMin-SE: 86400\r\n",
                terms(86_400, true),
            ),
            ("Session-Expires: soon\r\n", None),
        ] {
            assert_eq!(Terms::as_uas(&request(fields), None), expected, "{fields}");
        }
    }

    #[test]
    fn what_was_agreed_stays_where_the_peer_keeps_silent() {
        for (is_ours, fields, expected) in [
            (true, "", terms(1800, true)),
            (true, "k: timer\r\n", terms(1800, true)),
            (false, "k: timer\r\n", terms(1800, false)),
            (false, "", None),
        ] {
            let timer = SessionTimer::new(origin(), terms(1800, is_ours).unwrap());
            assert_eq!(Terms::as_uas(&request(fields), Some(&timer)), expected);
        }
    }

    #[test]
    fn short_sessions_are_refused_where_the_peer_can_do_better() {
        for (fields, is_fine) in [
            ("k: timer\r\nx: 89\r\n", false),
            ("k: timer\r\nx: 90\r\n", true),
            ("x: 89\r\n", true),
            ("k: timer\r\n", true),
        ] {
            assert_eq!(
                check_interval(&request(fields)).is_ok(),
                is_fine,
                "{fields}"
            );
        }
    }

    #[test]
    fn a_refresh_that_fails_is_repeated_ever_sooner() {
        let now = origin();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut timer = SessionTimer::new(now, terms(1800, true).unwrap());
        assert_eq!((timer.refresh_at, timer.ends_at), (Some(at(900)), at(1768)));
        timer.try_again(at(900));
        assert_eq!(timer.refresh_at, Some(at(1334)));
        timer.try_again(at(1767));
        assert_eq!((timer.refresh_at, timer.deadline()), (None, at(1768)));
        let short = SessionTimer::new(now, terms(90, false).unwrap());
        assert_eq!((short.refresh_at, short.ends_at), (None, at(60)));
    }
}
