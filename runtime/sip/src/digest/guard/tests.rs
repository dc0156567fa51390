//! Who is let in, and who is not.

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
