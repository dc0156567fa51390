//! Who sent a request that its source address does not vouch for: asked without keeping state (RFC 3261 §22.1, §26.3.2.4).

use std::time::Instant;

use super::Endpoint;
use super::receive::Refusal;
use super::received::{Answer, Received};
use crate::digest::{Question, User, Users, Verdict};
use crate::{Method, PeerRules};

impl Endpoint {
    /// Says who may register gateways, and send INVITEs from addresses that are no peer's, by proving a password. Without
    /// users nobody may. Dialogs that exist go on; gateways of users that are no more are forgotten.
    pub fn set_users(&mut self, users: Users) {
        self.keep_bindings_of(&users);
        self.guard.set_users(users);
    }

    /// Whether a request outside dialogs is let in: that of a peer, or of a user, who is told. None: it was refused, or asked
    /// to prove who sent it.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        received: Received,
    ) -> Option<(Received, Option<User>)> {
        if self.is_peer(received.source) {
            return Some((received, None));
        }
        if self.is_ping_of_gateway(&received) {
            let rules = PeerRules {
                force_rport: true,
                ..self.rules_of(received.source)
            };
            return Some((received.under(&self.config, rules), None));
        }
        let is_asked = matches!(received.request.method(), Method::Invite | Method::Register);
        if !is_asked {
            self.counters.refused += 1;
            self.refuse(&received, Refusal::new(403));
            return None;
        }
        let user = self.authenticate(now, &received)?;
        let received = received.under(&self.config, self.guard.rules(&user));
        Some((received, Some(user)))
    }

    /// The user who sent a request, whatever its source. None: it was asked to prove it, or refused because there are none.
    pub(super) fn authenticate(&mut self, now: Instant, received: &Received) -> Option<User> {
        let source = received.source.address.ip();
        let verdict = self.guard.judge(now, source, &received.request);
        match verdict {
            Some(Verdict::Proved(user)) => return Some(user),
            Some(Verdict::Ask(question)) => self.challenge(now, received, &question),
            None => {
                self.counters.refused += 1;
                self.refuse(received, Refusal::new(403));
            }
        }
        None
    }

    /// Answers 401, with as many algorithms as there is room for. Nothing vouches for the source of a datagram, so that our
    /// answer is at most half as large again as the request: nobody is flooded through us.
    fn challenge(&mut self, now: Instant, received: &Received, question: &Question) {
        self.counters.challenged += 1;
        let source = received.source;
        let tag = self.stateless_tag(&received.request);
        for algorithms in self.guard.offers() {
            let request = &received.request;
            let ip = source.address.ip();
            let values = self
                .guard
                .challenges(now, ip, request, question, &algorithms);
            let mut writer = received.response(&self.config, Answer::new(401, &tag));
            for value in values {
                writer.header("WWW-Authenticate", value.as_bytes());
            }
            let answer = writer.finish();
            let room = request.size() * 3 / 2;
            let is_vouched_for = source.transport.is_reliable() || self.is_peer(source);
            if is_vouched_for || answer.len() <= room {
                return self.transmit(received.way_back, answer);
            }
        }
        self.counters.answers_withheld += 1;
    }
}
