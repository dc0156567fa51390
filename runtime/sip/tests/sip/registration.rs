//! Our registration at a provider that is another endpoint, over a network that loses, doubles, delays, and breaks down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jackfield_sip::digest::{Credentials, User, Users};
use jackfield_sip::registration::{self, Registration, State};
use jackfield_sip::{Command, Contacts, Outcome, PeerRules, RequestId};

use crate::host::{PEER, US, udp};
use crate::network::{Network, Told, Weather};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

const FAIR: Weather = Weather {
    lost_percent: 0,
    doubled_percent: 0,
    delay_ms: 200,
    cut_percent: 0,
};
const BAD: Weather = Weather {
    lost_percent: 30,
    doubled_percent: 10,
    delay_ms: 1500,
    cut_percent: 0,
};
const DOWN: Weather = Weather {
    lost_percent: 100,
    doubled_percent: 0,
    delay_ms: 0,
    cut_percent: 0,
};

/// We are side 0, the provider is side 1.
struct Line {
    network: Network,
    registration: Registration,
    asked: u64,
    /// Final statuses, 0 where there was none.
    outcomes: Vec<u16>,
}

impl Line {
    fn new(seed: u64, password: &str) -> Self {
        let mut network = Network::new(seed, FAIR);
        let mut users = Users::new("provider.example").unwrap();
        let rules = PeerRules::default();
        users
            .add("provider.example", "us", "secret", rules)
            .unwrap();
        network.sides[1].endpoint.set_users(users);
        let config = registration::Config {
            registrar: "sip:provider.example".to_owned(),
            address_of_record: "sip:us@provider.example".to_owned(),
            contact_user: "us".to_owned(),
            contacts: Contacts::new(US.parse().unwrap()),
            credentials: Some(Arc::new(Credentials::new("us", password, None).unwrap())),
            expires: 10 * MINUTE,
        };
        let seed = [seed.to_le_bytes()[0]; 32];
        let mut line = Self {
            network,
            registration: Registration::new(config, vec![udp(PEER)], seed),
            asked: 0,
            outcomes: Vec::new(),
        };
        line.send();
        line
    }

    fn send(&mut self) {
        while let Some(ask) = self.registration.poll() {
            self.asked += 1;
            let ask = Command::Ask {
                request: RequestId(self.asked),
                ask: Box::new(ask),
            };
            self.network.command(0, ask);
        }
    }

    fn feed(&mut self, input: registration::Input) {
        self.registration.handle(self.network.now, input);
        self.send();
    }

    fn run(&mut self, weather: Weather, duration: Duration) {
        self.network.weather = weather;
        let until = self.network.now + duration;
        while self.network.now < until {
            let deadline = self.registration.deadline().filter(|at| *at <= until);
            for (_, told) in self.network.run_until(deadline.unwrap_or(until)) {
                if let Told::Answered(outcome) = told {
                    self.outcomes.push(match &outcome {
                        Outcome::Response(response) => response.status(),
                        Outcome::Timeout | Outcome::Unreachable => 0,
                    });
                    self.feed(registration::Input::Answered(outcome));
                }
            }
            if deadline.is_some_and(|at| at <= self.network.now) {
                self.feed(registration::Input::Timeout);
            }
        }
    }

    fn is_registered(&self) -> bool {
        matches!(self.registration.state(), State::Registered { until } if until > self.network.now)
    }

    /// When the provider will have forgotten us.
    fn known_until(&self) -> Option<Instant> {
        let user = User {
            realm: "provider.example".into(),
            name: "us".into(),
        };
        match self.network.sides[1].endpoint.bindings(&user) {
            [] => None,
            [binding] => {
                assert_eq!(binding.hop, udp(US));
                Some(binding.expires_at)
            }
            several => panic!("we are one: {several:?}"),
        }
    }
}

#[test]
fn a_registration_holds_for_a_day() {
    let mut line = Line::new(1, "secret");
    line.run(FAIR, SECOND);
    for _ in 0..24 * 60 {
        assert!(line.is_registered() && line.known_until() > Some(line.network.now));
        line.run(FAIR, MINUTE);
    }
    // One each 480 s, the challenges within them not counted.
    assert_eq!(line.outcomes, vec![200; line.outcomes.len()]);
    assert_eq!(line.outcomes.len(), 180);
}

#[test]
fn a_registration_survives_the_network() {
    for seed in 0..100 {
        let mut line = Line::new(seed, "secret");
        for _ in 0..3 {
            let (bad, down) = (
                line.network.chance.below(1800),
                line.network.chance.below(3600),
            );
            line.run(BAD, Duration::from_secs(bad));
            line.run(DOWN, Duration::from_secs(down));
        }
        // The longest pause between two tries, and a try.
        line.run(FAIR, 31 * MINUTE);
        assert!(
            line.is_registered(),
            "seed {seed}: {:?}",
            line.registration.state()
        );
        assert!(line.known_until() > Some(line.network.now), "seed {seed}");
        assert!(
            line.outcomes.iter().all(|status| [0, 200].contains(status)),
            "seed {seed}: neither asked out of order nor with an old proof: {:?}",
            line.outcomes
        );
        line.feed(registration::Input::Stop);
        line.run(FAIR, MINUTE);
        assert_eq!(line.registration.state(), State::Stopped, "seed {seed}");
        assert_eq!(line.known_until(), None, "seed {seed}");
        line.network.sides[0].expect_idle();
    }
}

#[test]
fn a_wrong_password_is_not_tried_often() {
    let mut line = Line::new(1, "guess");
    line.run(FAIR, 24 * 60 * MINUTE);
    assert!(
        line.outcomes.iter().all(|status| *status == 401),
        "{:?}",
        line.outcomes
    );
    // At most each 15 minutes once it has slowed down.
    assert!(
        (48..=100).contains(&line.outcomes.len()),
        "{}",
        line.outcomes.len()
    );
    assert_eq!(line.known_until(), None);
    let State::Failing { failure, .. } = line.registration.state() else {
        panic!("{:?}", line.registration.state())
    };
    assert_eq!(failure.status, Some(401));
}
