//! Where an INVITE of ours goes, one place after the other (RFC 3263 §4.3, RFC 3261 §8.1.3.4).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::session_timer::{MIN_INTERVAL, min_interval};
use super::{InviteTarget, OutgoingInvite, Redirects};
use crate::digest::Access;
use crate::field::Name;
use crate::lex;
use crate::{Hop, NameAddr, Response, Scheme, Uri};

/// The most redirections in a row.
const MAX_DEPTH: u8 = 3;

/// The most contacts of redirections that one INVITE is sent to.
const MAX_CONTACTS: usize = 5;

/// One place, and how many redirections led there.
#[derive(Debug)]
struct Step {
    target: InviteTarget,
    depth: u8,
}

/// The places of one INVITE: where it is, and what is left.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) invite: OutgoingInvite,
    current: Step,
    left: VecDeque<Step>,
    /// Contacts that were taken from redirections so far, tried or not.
    contacts: Vec<InviteTarget>,
    pub(super) access: Option<Access>,
    /// The shortest session that was asked for by who refused a shorter one.
    min_interval: Option<Duration>,
    pub(super) cseq: u32,
}

/// What a 3xx leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirected {
    /// To the current target.
    On,
    /// Nowhere that we may go.
    Nowhere,
    /// To where we have been.
    InACircle,
}

impl Targets {
    /// None: the INVITE names no target.
    pub(super) fn new(invite: OutgoingInvite) -> Option<Self> {
        let targets = invite.targets.iter().cloned();
        let mut left: VecDeque<_> = targets.map(|target| Step { target, depth: 0 }).collect();
        let current = left.pop_front()?;
        let hops: Vec<_> = invite.targets.iter().map(|target| target.hop).collect();
        let access = invite
            .credentials
            .clone()
            .map(|credentials| Access::new(credentials, &hops));
        Some(Self {
            invite,
            current,
            left,
            contacts: Vec::new(),
            access,
            min_interval: None,
            cseq: 1,
        })
    }

    /// Where the INVITE is.
    pub(super) fn current(&self) -> &InviteTarget {
        &self.current.target
    }

    /// Goes to the next target. For another server of the same URI the request stays the same but for its branch (RFC 3263
    /// §4.3); for another URI it is a new one, so that nobody who gets both takes the second for the first come round.
    pub(super) fn advance(&mut self) -> bool {
        let Some(next) = self.left.pop_front() else {
            return false;
        };
        let is_new = next.target.request_uri != self.current.target.request_uri;
        self.cseq += u32::from(is_new);
        self.current = next;
        if let Some(access) = &mut self.access {
            access.start_anew();
        }
        true
    }

    /// Where the current target is reached by datagrams and a later one by a stream to the same host, goes there first. True:
    /// it does.
    pub(super) fn prefer_stream(&mut self) -> bool {
        let hop = self.current.target.hop;
        let is_instead = |step: &Step| {
            let other = step.target.hop;
            other.transport.is_reliable() && other.address.ip() == hop.address.ip()
        };
        if hop.transport.is_reliable() {
            return false;
        }
        let at = self.left.iter().position(is_instead);
        let Some(stream) = at.and_then(|at| self.left.remove(at)) else {
            return false;
        };
        let datagrams = std::mem::replace(&mut self.current, stream);
        self.left.push_front(datagrams);
        true
    }

    /// Goes to the next contact of a redirection, where the last one did not take the call.
    pub(super) fn advance_among_contacts(&mut self) -> bool {
        let is_redirected = self.current.depth > 0;
        is_redirected && self.advance()
    }

    /// Takes the challenges of a 401 or 407. True: the same target is asked again.
    pub(super) fn is_challenged(&mut self, response: &Response, cnonce: &Bytes) -> bool {
        let hop = self.current.target.hop;
        let access = self.access.as_mut();
        let is_worth_it = access.is_some_and(|access| access.challenged(hop, response, cnonce));
        self.cseq += u32::from(is_worth_it);
        is_worth_it
    }

    /// Takes the interval a 422 asks for. True: the same target is asked again, which happens once (RFC 4028 §7.3).
    pub(super) fn is_too_short(&mut self, response: &Response) -> bool {
        let Some(asked) = min_interval(response).filter(|_| self.min_interval.is_none()) else {
            return false;
        };
        self.min_interval = Some(asked);
        self.cseq += 1;
        true
    }

    /// What the INVITE says of the session's time.
    pub(super) fn timer_fields(&self) -> Vec<(&'static str, Bytes)> {
        let seconds = |interval: Duration| Bytes::from(interval.as_secs().to_string());
        let least = self.min_interval.unwrap_or(MIN_INTERVAL);
        let wanted = self.invite.session_expires.map(|wanted| wanted.max(least));
        let expires = wanted.map(|wanted| ("Session-Expires", seconds(wanted)));
        let min = self.min_interval.map(|least| ("Min-SE", seconds(least)));
        expires.into_iter().chain(min).collect()
    }

    /// Goes to the best contact of a 3xx; the others of this set are left for later, older targets are not.
    pub(super) fn redirect(&mut self, response: &Response) -> Redirected {
        let Redirects::Within(_) = &self.invite.redirects else {
            return Redirected::Nowhere;
        };
        if self.current.depth >= MAX_DEPTH {
            return Redirected::Nowhere;
        }
        let allowed: Vec<_> = contacts(response)
            .iter()
            .filter_map(|uri| self.target_of(uri))
            .collect();
        let is_known = |target: &InviteTarget| {
            self.contacts.contains(target) || self.invite.targets.contains(target)
        };
        let (known, mut fresh): (Vec<_>, Vec<_>) = allowed.into_iter().partition(is_known);
        fresh.truncate(MAX_CONTACTS - self.contacts.len());
        if fresh.is_empty() {
            return match known[..] {
                [] => Redirected::Nowhere,
                _ => Redirected::InACircle,
            };
        }
        self.contacts.extend(fresh.iter().cloned());
        self.left.retain(|step| step.depth > 0);
        let depth = self.current.depth + 1;
        for target in fresh.into_iter().rev() {
            self.left.push_front(Step { target, depth });
        }
        self.advance();
        Redirected::On
    }

    /// This hop as that of the server that is known there: one of the INVITE's own targets.
    fn known(&self, hop: Hop) -> Hop {
        let mut ours = self.invite.targets.iter().map(|target| target.hop);
        ours.find(|ours| ours.of(None) == hop).unwrap_or(hop)
    }

    /// Where a contact leads, if we may go there: it is for the user that was called, at an address that is allowed. Its
    /// header fields would be others' words in our mouth; with them it is left alone.
    fn target_of(&self, uri: &Uri) -> Option<InviteTarget> {
        let Redirects::Within(addresses) = &self.invite.redirects else {
            return None;
        };
        let current = &self.current.target;
        let called = Uri::parse(&Bytes::copy_from_slice(current.request_uri.as_bytes()));
        let is_same_user = called.is_ok_and(|called| called.user() == uri.user());
        let is_sip = matches!(uri.scheme(), Scheme::Sip | Scheme::Sips);
        let transport = uri.transport().unwrap_or(current.hop.transport);
        let address = uri.socket_address_over(transport)?;
        let is_allowed = is_sip
            && is_same_user
            && addresses.contains(address.ip())
            && !uri.as_bytes().contains(&b'?');
        // A preloaded route is kept: its first router is the next hop, whatever the Request-URI.
        let hop = match current.routes[..] {
            [] => self.known(Hop::new(transport, address)),
            _ => current.hop,
        };
        is_allowed.then(|| InviteTarget {
            hop,
            request_uri: uri.to_string(),
            ..current.clone()
        })
    }
}

/// The contacts of a 3xx, highest `q` first, of equals in their order; `*` and what cannot be read are left out.
pub(super) fn contacts(response: &Response) -> Vec<Uri> {
    let read = |value: &[u8]| NameAddr::parse(&response.head.share(value)).ok();
    let values = response.head.items(Name::Contact);
    let mut rated: Vec<_> = values
        .filter_map(read)
        .map(|contact| {
            let preference = contact.param("q").map_or(1000, |q| thousandths(&q));
            (preference, contact.uri().clone())
        })
        .collect();
    rated.sort_by_key(|(preference, _)| std::cmp::Reverse(*preference));
    rated.into_iter().map(|(_, uri)| uri).collect()
}

/// A `qvalue` in thousandths: `0.7` is 700; what is none is 0.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: Vec<_> = fraction.bytes().chain(*b"000").take(3).collect();
    match (whole, lex::number(&digits)) {
        ("1", _) => 1000,
        ("0" | "", Some(fraction)) => fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_response;

    #[test]
    fn the_best_contact_comes_first() {
        for (lines, expected) in [
            (
                "Contact: <sip:a@h>;q=0.5, <sip:b@h>;q=0.7",
                "sip:b@h sip:a@h",
            ),
            ("Contact: <sip:a@h>;q=.5\r\nm: <sip:b@h>", "sip:b@h sip:a@h"),
            ("Contact: <sip:a@h>, <sip:b@h>;q=1.0", "sip:a@h sip:b@h"),
            (
                "Contact: <sip:a@h>;q=x, <sip:b@h>;q=0.001",
                "sip:b@h sip:a@h",
            ),
            ("Contact: *", ""),
            ("Contact: <tel:112>, ???", "tel:112"),
            ("Subject: none", ""),
        ] {
            let response = parse_response(&format!(
                "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
                 Call-ID: x\r\nCSeq: 1 INVITE\r\n{lines}\r\n\r\n"
            ));
            let uris: Vec<_> = contacts(&response).iter().map(Uri::to_string).collect();
            assert_eq!(uris.join(" "), expected, "{lines}");
        }
    }
}
