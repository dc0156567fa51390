//! The server's side: who is it, and if that is not proved, what to ask (RFC 3261 §22.1, RFC 7616 §3.3, RFC 8760 §2.3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use subtle::ConstantTimeEq;

use super::limits::{Failures, Uses};
use super::nonce::Mint;
use super::proof::{Subject, Terms, response};
use super::{Algorithm, Authorization, Hash, Qop, User, Users};
use crate::field::Name;
use crate::{PeerRules, Request, Uri};

/// How long a nonce can be used, in seconds.
const NONCE_LIFE: u32 = 30;

/// What a request's credentials are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This user sent it.
    Proved(User),
    /// Ask for (better) credentials.
    Ask(Question),
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    realm: Arc<str>,
    /// Only the nonce was wrong: the client can try again without asking its user.
    is_stale: bool,
}

/// Checks credentials. Keeps nothing of those it asks; what it keeps of those who answer is bounded.
pub(crate) struct Guard {
    mint: Mint,
    users: Users,
    /// What is offered and taken, most preferred first.
    algorithms: Vec<Hash>,
    /// Stands in for the password of users that are not there, so that they cost the same.
    nobody: [String; Hash::ALL.len()],
    /// When the first request came: nonces count seconds from here.
    epoch: Option<Instant>,
    uses: Uses,
    failures: Failures,
    /// Where each user was last. Failures from there are counted apart from those of elsewhere, so that nobody who knows a
    /// name can lock its owner out.
    usual: HashMap<User, IpAddr>,
}

impl Guard {
    /// A guard without users that takes proofs by these algorithms, the most preferred first. Nonces are made with `secret`.
    pub(crate) fn new(secret: [u8; 32], algorithms: Vec<Hash>) -> Self {
        let mint = Mint::new(secret);
        let nobody = Hash::ALL.map(|hash| hash.hex(&[b"nobody", &secret]));
        Self {
            mint,
            users: Users::default(),
            algorithms,
            nobody,
            epoch: None,
            uses: Uses::default(),
            failures: Failures::default(),
            usual: HashMap::new(),
        }
    }

    /// Replaces the users. What was counted stays.
    pub(crate) fn set_users(&mut self, users: Users) {
        self.usual.retain(|user, _| users.rules(user).is_some());
        self.users = users;
    }

    /// Whether nobody could prove anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// How a user is spoken to.
    pub(crate) fn rules(&self, user: &User) -> PeerRules {
        self.users.rules(user).unwrap_or_default()
    }

    /// Judges a request by its `Authorization` fields. An unknown user and a wrong password get the same answer for the same
    /// work. None: there are no users.
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        source: IpAddr,
        request: &Request,
    ) -> Option<Verdict> {
        if self.users.is_empty() {
            return None;
        }
        let realm = self.users.realm_of(request)?.clone();
        let fields = request.head.values(Name::Authorization);
        let given = fields.filter_map(Authorization::read).find(|given| {
            given.realm == realm.as_bytes() && self.algorithms.contains(&given.algorithm.hash)
        });
        let verdict = given.map_or(Err(false), |given| {
            self.check(now, source, request, &realm, &given)
        });
        Some(match verdict {
            Ok(user) => Verdict::Proved(user),
            Err(is_stale) => Verdict::Ask(Question { realm, is_stale }),
        })
    }

    /// The user that is proved, or whether only the nonce was at fault.
    fn check(
        &mut self,
        now: Instant,
        source: IpAddr,
        request: &Request,
        realm: &Arc<str>,
        given: &Authorization,
    ) -> Result<User, bool> {
        let second = self.second(now);
        let Some(nonce) = self.mint.read(&given.nonce, source) else {
            // Of an earlier process, or for another address. Its proof is not looked at: only who heard our question, at the
            // address that the answer comes from, gets to guess passwords.
            return Err(true);
        };
        let (user, is_right) = self.prove(request, realm, given);
        let is_usual = user
            .as_ref()
            .is_some_and(|user| self.usual.get(user) == Some(&source));
        let name = &given.username;
        let slot = self
            .mint
            .slot(&[realm.as_bytes(), name, &[u8::from(is_usual)]]);
        if self.failures.is_blocked(slot, second) {
            return Err(false);
        }
        let Some(user) = user.filter(|_| is_right) else {
            self.failures.count(slot, second);
            return Err(false);
        };
        let Some((Qop::Auth, count)) = &given.qop else {
            return Err(false);
        };
        if second - nonce.second > NONCE_LIFE || !self.uses.take(nonce, user.clone(), count.number)
        {
            return Err(true);
        }
        if second > NONCE_LIFE {
            self.uses.forget(second - NONCE_LIFE - 1);
        }
        self.usual.insert(user.clone(), source);
        Ok(user)
    }

    /// The user that is named, and whether the proof is right.
    fn prove(
        &self,
        request: &Request,
        realm: &Arc<str>,
        given: &Authorization,
    ) -> (Option<User>, bool) {
        let hash = given.algorithm.hash;
        let known = self.users.hashed(realm, &given.username, hash);
        let ha1 = known.map_or(self.nobody[hash.index()].as_str(), |(_, ha1)| ha1);
        let terms = Terms {
            algorithm: given.algorithm,
            nonce: &given.nonce,
            cnonce: &given.cnonce,
            qop: given
                .qop
                .as_ref()
                .map(|(qop, count)| (*qop, &*count.digits)),
        };
        let subject = Subject {
            method: request.method().as_bytes(),
            uri: &given.uri,
            body: request.body(),
        };
        let expected = response(ha1, terms, subject);
        let is_equal = bool::from(expected.as_bytes().ct_eq(&given.response));
        let user = known.map(|(name, _)| User {
            realm: realm.clone(),
            name: name.clone(),
        });
        (user, is_equal && is_for(request, &given.uri))
    }

    /// Lists of algorithms to offer, each shorter than the one before: where room is scarce the last, which everybody speaks,
    /// stays longest.
    pub(crate) fn offers(&self) -> Vec<Vec<Hash>> {
        let Some((last, others)) = self.algorithms.split_last() else {
            return Vec::new();
        };
        let shorter = (0..=others.len()).rev();
        shorter
            .map(|count| [&others[..count], &[*last]].concat())
            .collect()
    }

    /// The values of `WWW-Authenticate` that ask for this, one for each of the algorithms.
    pub(crate) fn challenges(
        &mut self,
        now: Instant,
        source: IpAddr,
        request: &Request,
        question: &Question,
        algorithms: &[Hash],
    ) -> Vec<String> {
        let via = request.via().as_bytes();
        let number = request.cseq().number.to_be_bytes();
        let second = self.second(now);
        let nonce = self
            .mint
            .make(second, source, &[&request.call_id, &number, via]);
        let realm = &question.realm;
        let stale = if question.is_stale {
            ", stale=true"
        } else {
            ""
        };
        let write = |&hash: &Hash| {
            let algorithm = Algorithm::plain(hash).name();
            format!(
                r#"Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{stale}"#
            )
        };
        algorithms.iter().map(write).collect()
    }

    fn second(&mut self, now: Instant) -> u32 {
        let epoch = *self.epoch.get_or_insert(now);
        let seconds = now.saturating_duration_since(epoch).as_secs();
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// Whether the URI that was proved is the one the request is for. Hosts and parameters are not compared, for proxies and
/// gateways rewrite them; the user part is what is called.
fn is_for(request: &Request, proved: &bytes::Bytes) -> bool {
    let proved = Uri::parse(proved);
    proved.is_ok_and(|proved| proved.user() == request.request_uri().user())
}

#[cfg(test)]
mod tests;
