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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::digest::algorithm::work;
    use crate::digest::{Challenge, proof};
    use crate::lex::escaped;
    use crate::testing::{origin, parse_request};

    const GATEWAY: &str = "192.0.2.7";
    const ELSEWHERE: &str = "203.0.113.5";

    /// A guard and a client that answers it.
    struct Bench {
        guard: Guard,
        now: Instant,
        calls: u32,
    }

    /// What a client says of itself.
    #[derive(Clone, Copy)]
    struct Client {
        source: &'static str,
        username: &'static str,
        password: &'static str,
        hash: Hash,
    }

    const GW: Client = Client {
        source: GATEWAY,
        username: "gw",
        password: "secret",
        hash: Hash::Sha256,
    };

    impl Bench {
        fn new() -> Self {
            let mut users = Users::new("sip.example").unwrap();
            users
                .add("sip.example", "gw", "secret", PeerRules::default())
                .unwrap();
            let mut guard = Guard::new([1; 32], Hash::ALL.to_vec());
            guard.set_users(users);
            let (now, calls) = (origin(), 0);
            Self { guard, now, calls }
        }

        fn request(&self, authorization: &str) -> Request {
            let call = self.calls;
            parse_request(&format!(
                "INVITE sip:1294@sip.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{call}\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:1294@sip.example>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{authorization}\r\n"
            ))
        }

        fn judge(&mut self, source: &str, authorization: &str) -> String {
            let request = self.request(authorization);
            let verdict = self
                .guard
                .judge(self.now, source.parse().unwrap(), &request);
            match verdict {
                Some(Verdict::Proved(user)) => user.name.to_string(),
                Some(Verdict::Ask(question)) if question.is_stale => "stale".to_owned(),
                Some(Verdict::Ask(_)) => "ask".to_owned(),
                None => "nobody".to_owned(),
            }
        }

        /// A new challenge for a client.
        fn challenge(&mut self, client: Client) -> Challenge {
            self.calls += 1;
            let request = self.request("");
            let source = client.source.parse().unwrap();
            let Some(Verdict::Ask(question)) = self.guard.judge(self.now, source, &request) else {
                panic!("no question")
            };
            let hashes = [client.hash];
            let values = self
                .guard
                .challenges(self.now, source, &request, &question, &hashes);
            Challenge::read(values[0].as_bytes()).next().unwrap()
        }

        /// The verdict on a client's answer to a new challenge.
        fn visit(&mut self, client: Client) -> String {
            let challenge = self.challenge(client);
            self.judge(client.source, &answer(client, &challenge, 1))
        }

        fn advance(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }
    }

    fn answer(client: Client, challenge: &Challenge, count: u32) -> String {
        let count = format!("{count:08x}");
        let (realm, hash) = ("sip.example", client.hash);
        let ha1 = proof::ha1(
            hash,
            client.username.as_bytes(),
            realm.as_bytes(),
            client.password.as_bytes(),
        );
        let terms = Terms {
            algorithm: Algorithm::plain(hash),
            nonce: &challenge.nonce,
            cnonce: b"c",
            qop: Some((Qop::Auth, count.as_bytes())),
        };
        let uri = "sip:1294@192.0.2.1";
        let subject = Subject {
            method: b"INVITE",
            uri: uri.as_bytes(),
            body: b"",
        };
        format!(
            "Authorization: Digest username=\"{}\", realm=\"{realm}\", nonce=\"{}\", uri=\"{uri}\", response=\"{}\", \
             algorithm={}, cnonce=\"c\", qop=auth, nc={count}\r\n",
            escaped(client.username),
            String::from_utf8_lossy(&challenge.nonce),
            response(&ha1, terms, subject),
            Algorithm::plain(hash).name(),
        )
    }

    #[test]
    fn the_right_password_is_taken_under_every_algorithm() {
        for hash in Hash::ALL {
            assert_eq!(Bench::new().visit(Client { hash, ..GW }), "gw", "{hash:?}");
        }
    }

    #[test]
    fn what_is_asked() {
        let mut bench = Bench::new();
        let (now, source) = (bench.now, GATEWAY.parse().unwrap());
        let request = bench.request("");
        let question = |is_stale| Question {
            realm: "sip.example".into(),
            is_stale,
        };
        let values = bench
            .guard
            .challenges(now, source, &request, &question(false), &Hash::ALL);
        for (value, name) in values.iter().zip(["SHA-256", "SHA-512-256", "MD5"]) {
            let challenge = Challenge::read(value.as_bytes()).next().unwrap();
            assert_eq!(challenge.realm, "sip.example");
            assert_eq!(challenge.algorithm().name(), name);
            assert_eq!(
                (challenge.qop, challenge.is_stale),
                (Some(Qop::Auth), false)
            );
            assert!(value.len() < 110, "{value}");
        }
        let again = bench
            .guard
            .challenges(now, source, &request, &question(false), &Hash::ALL);
        assert_eq!(again, values, "each copy of a request is asked the same");
        let stale = bench
            .guard
            .challenges(now, source, &request, &question(true), &[Hash::Md5]);
        assert!(
            Challenge::read(stale[0].as_bytes())
                .next()
                .unwrap()
                .is_stale
        );
    }

    #[test]
    fn what_is_not_proved_is_asked_again() {
        for (client, from, to) in [
            (
                Client {
                    password: "Secret",
                    ..GW
                },
                "",
                "",
            ),
            (
                Client {
                    username: "other",
                    ..GW
                },
                "",
                "",
            ),
            (
                Client {
                    username: "GW",
                    ..GW
                },
                "",
                "",
            ),
            // Another number than the one that was proved.
            (GW, "sip:1294@192", "sip:1295@192"),
            // Without qop the count is not proved: a replay could not be told.
            (GW, "qop=auth, ", ""),
            (GW, "realm=\"sip.example\"", "realm=\"other\""),
            (GW, "nc=00000001", "nc=00000002"),
            (GW, "Authorization", "Proxy-Authorization"),
            (GW, "Digest", "NoOneKnowsThisScheme"),
            (GW, "algorithm=SHA-256", "algorithm=MD5"),
        ] {
            let mut bench = Bench::new();
            let challenge = bench.challenge(client);
            let authorization = answer(client, &challenge, 1).replace(from, to);
            assert_eq!(
                bench.judge(GATEWAY, &authorization),
                "ask",
                "{authorization}"
            );
        }
        assert_eq!(Bench::new().judge(GATEWAY, ""), "ask");
        let mut bench = Bench::new();
        bench.guard.set_users(Users::default());
        assert_eq!(bench.judge(GATEWAY, ""), "nobody");
    }

    #[test]
    fn the_right_of_two_fields_is_found() {
        let mut bench = Bench::new();
        let challenge = bench.challenge(GW);
        let other = "Authorization: Digest username=\"x\", realm=\"y\", nonce=\"z\", uri=\"u\", response=\"0\"\r\n";
        let fields = format!("{other}{}", answer(GW, &challenge, 1));
        assert_eq!(bench.judge(GATEWAY, &fields), "gw");
    }

    #[test]
    fn a_nonce_lives_half_a_minute() {
        let mut bench = Bench::new();
        bench.advance(100);
        let challenge = bench.challenge(GW);
        bench.advance(30);
        assert_eq!(bench.judge(GATEWAY, &answer(GW, &challenge, 1)), "gw");
        bench.advance(1);
        assert_eq!(bench.judge(GATEWAY, &answer(GW, &challenge, 2)), "stale");
        let wrong = Client {
            password: "x",
            ..GW
        };
        assert_eq!(bench.judge(GATEWAY, &answer(wrong, &challenge, 3)), "ask");
    }

    #[test]
    fn a_replay_is_stale() {
        let mut bench = Bench::new();
        let challenge = bench.challenge(GW);
        for (count, expected) in [(1, "gw"), (1, "stale"), (3, "gw"), (2, "stale"), (4, "gw")] {
            let authorization = answer(GW, &challenge, count);
            assert_eq!(bench.judge(GATEWAY, &authorization), expected, "{count}");
        }
    }

    #[test]
    fn a_nonce_of_another_process_or_for_another_address_proves_nothing() {
        let mut bench = Bench::new();
        let challenge = bench.challenge(GW);
        for password in ["secret", "wrong"] {
            let client = Client { password, ..GW };
            let authorization = answer(client, &challenge, 1);
            for _ in 0..10 {
                assert_eq!(bench.judge(ELSEWHERE, &authorization), "stale");
            }
        }
        let mut later = Bench::new();
        later.guard.mint = Mint::new([2; 32]);
        assert_eq!(later.judge(GATEWAY, &answer(GW, &challenge, 1)), "stale");
        // Nobody was locked out by it.
        assert_eq!(bench.visit(GW), "gw");
    }

    #[test]
    fn guessing_ends_after_five_and_locks_nobody_out() {
        let mut bench = Bench::new();
        assert_eq!(bench.visit(GW), "gw");
        let guess = |password| Client {
            source: ELSEWHERE,
            password,
            ..GW
        };
        for _ in 0..5 {
            assert_eq!(bench.visit(guess("wrong")), "ask");
        }
        assert_eq!(bench.visit(guess("secret")), "ask", "not even looked at");
        assert_eq!(bench.visit(GW), "gw", "from where it always comes");
        bench.advance(60);
        assert_eq!(bench.visit(guess("secret")), "gw");
        // The gateway's own address has a counter as well.
        for _ in 0..5 {
            assert_eq!(bench.visit(guess("wrong")), "ask");
        }
        assert_eq!(bench.visit(guess("secret")), "ask");
    }

    #[test]
    fn ten_thousand_guesses_find_nothing() {
        let mut bench = Bench::new();
        for attempt in 0..10_000 {
            let password = if attempt % 100 == 99 {
                "secret"
            } else {
                "wrong"
            };
            assert_eq!(bench.visit(Client { password, ..GW }), "ask");
        }
    }

    #[test]
    fn an_unknown_user_costs_what_a_known_one_does() {
        for hash in Hash::ALL {
            let mut work_of = Vec::new();
            for username in ["gw", "nobody-of-that-name"] {
                let mut bench = Bench::new();
                let client = Client {
                    username,
                    password: "wrong",
                    hash,
                    ..GW
                };
                let challenge = bench.challenge(client);
                let authorization = answer(client, &challenge, 1);
                work_of.push(work::of(|| {
                    assert_eq!(bench.judge(GATEWAY, &authorization), "ask");
                }));
            }
            assert_eq!(work_of[0], work_of[1]);
            assert!(work_of[0] > 0);
        }
    }

    #[test]
    fn users_come_and_go() {
        let mut bench = Bench::new();
        assert_eq!(bench.visit(GW), "gw");
        let mut users = Users::new("sip.example").unwrap();
        users
            .add("sip.example", "new", "secret", PeerRules::default())
            .unwrap();
        bench.guard.set_users(users);
        assert!(bench.guard.usual.is_empty());
        assert_eq!(bench.visit(GW), "ask");
        assert_eq!(
            bench.visit(Client {
                username: "new",
                ..GW
            }),
            "new"
        );
    }
}
