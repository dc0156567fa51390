//! Whether a trunk's targets take calls: OPTIONS now and then, and no change of mind over a single answer (RFC 3261 §11).
//!
//! A target is taken to be up until it has failed so many times in a row, and then down until it has answered so many times
//! in a row.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::jitter::Jitter;
use crate::{Ask, Contacts, Hop, Method, Outcome};

/// Final responses that say that whoever would take the call is not there, from a proxy or from itself (RFC 3261 §21.4.9,
/// §21.5). Any other, even 404, 405 or 500, shows that somebody is.
const ABSENT: [u16; 4] = [408, 502, 503, 504];

/// Each time is the one that was asked for, give or take a tenth of it.
const SPREAD: f64 = 0.1;

/// How to ask, and when to believe it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The time from one question to a target to the next, unless its answer takes longer.
    pub every: Duration,
    /// A target that is up is down after this many failures in a row; 0 counts as 1.
    pub down_after: u32,
    /// A target that is down is up after this many answers in a row; 0 counts as 1.
    pub up_after: u32,
    /// Where each transport's peers reach us: goes into `From`.
    pub contacts: Contacts,
}

impl Config {
    /// Every 30 s; down after 3 failures, up after 2 answers.
    #[must_use]
    pub fn new(contacts: Contacts) -> Self {
        Self {
            every: Duration::from_secs(30),
            down_after: 3,
            up_after: 2,
            contacts,
        }
    }
}

/// What [`Health`] takes.
#[derive(Clone, Debug)]
pub enum Input {
    /// What came of an [`Output::Ask`].
    Answered {
        /// Of which target.
        target: Hop,
        /// What came.
        outcome: Outcome,
    },
    /// The trunk's targets, now. What is known of those that stay is kept. None: they could not be found now, and are those
    /// that they were.
    Targets(Vec<Hop>),
    /// [`Health::deadline`] is reached.
    Timeout,
}

/// What [`Health`] asks for or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this and tell with [`Input::Answered`] what came of it.
    Ask {
        /// Which target it is for.
        target: Hop,
        /// The question.
        ask: Box<Ask>,
    },
    /// A target came up or went down.
    Changed {
        /// Which.
        target: Hop,
        /// Whether it takes calls, as far as we know.
        is_up: bool,
    },
}

/// The health of one trunk's targets: [`Self::handle`] an [`Input`], [`Self::poll`] each [`Output`], come back at
/// [`Self::deadline`].
#[derive(Debug)]
pub struct Health {
    config: Config,
    targets: Vec<Target>,
    jitter: Jitter,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Target {
    hop: Hop,
    is_up: bool,
    /// How often in a row the answers have spoken against `is_up`.
    against: u32,
    /// When to ask next; as long as a question is open, when to ask again once it is answered.
    next_at: Instant,
    is_asked: bool,
}

impl Health {
    /// All targets are up until they are found to be down. The first questions are spread over one pause.
    #[must_use]
    pub fn new(now: Instant, config: Config, targets: Vec<Hop>, seed: [u8; 32]) -> Self {
        let mut health = Self {
            config,
            targets: Vec::new(),
            jitter: Jitter::new(seed),
            outputs: VecDeque::new(),
        };
        health.retarget(now, targets);
        health
    }

    /// Feeds one input. `now` never goes backwards; outputs wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Answered { target, outcome } => self.answered(target, &outcome),
            Input::Targets(targets) if targets.is_empty() => {}
            Input::Targets(targets) => self.retarget(now, targets),
            Input::Timeout => self.ask_due(now),
        }
    }

    /// The next output.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to feed [`Input::Timeout`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let waiting = self.targets.iter().filter(|target| !target.is_asked);
        waiting.map(|target| target.next_at).min()
    }

    /// Whether a target takes calls, as far as we know. One that is not ours may as well.
    #[must_use]
    pub fn is_up(&self, hop: Hop) -> bool {
        self.targets
            .iter()
            .find(|target| target.hop == hop)
            .is_none_or(|target| target.is_up)
    }

    fn retarget(&mut self, now: Instant, hops: Vec<Hop>) {
        self.targets.retain(|target| hops.contains(&target.hop));
        for hop in hops {
            if self.targets.iter().all(|target| target.hop != hop) {
                let first_at = now + self.jitter.between(Duration::ZERO, self.config.every);
                self.targets.push(Target {
                    hop,
                    is_up: true,
                    against: 0,
                    next_at: first_at,
                    is_asked: false,
                });
            }
        }
    }

    fn ask_due(&mut self, now: Instant) {
        let pause = self.config.every;
        let pauses = pause.mul_f64(1.0 - SPREAD)..pause.mul_f64(1.0 + SPREAD);
        for target in &mut self.targets {
            if !target.is_asked && target.next_at <= now {
                target.is_asked = true;
                target.next_at = now + self.jitter.between(pauses.start, pauses.end);
                self.outputs.push_back(Output::Ask {
                    target: target.hop,
                    ask: Box::new(question(target.hop, &self.config)),
                });
            }
        }
    }

    fn answered(&mut self, hop: Hop, outcome: &Outcome) {
        let Some(target) = self.targets.iter_mut().find(|target| target.hop == hop) else {
            return;
        };
        target.is_asked = false;
        if target.learn(is_alive(outcome), &self.config) {
            self.outputs.push_back(Output::Changed {
                target: hop,
                is_up: target.is_up,
            });
        }
    }
}

impl Target {
    /// Takes in one answer. True when it changed our mind.
    fn learn(&mut self, is_alive: bool, config: &Config) -> bool {
        self.against = if is_alive == self.is_up {
            0
        } else {
            self.against + 1
        };
        let needed = if self.is_up {
            config.down_after
        } else {
            config.up_after
        };
        let changed = self.against >= needed.max(1);
        if changed {
            self.is_up = is_alive;
            self.against = 0;
        }
        changed
    }
}

fn is_alive(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Response(response) => !ABSENT.contains(&response.status()),
        Outcome::Timeout | Outcome::Unreachable => false,
    }
}

fn question(target: Hop, config: &Config) -> Ask {
    let us = Hop::new(target.transport, config.contacts.towards(target));
    Ask {
        method: Method::Options,
        targets: vec![target],
        routes: Vec::new(),
        advertised: Some(us.address),
        request_uri: target.contact(None),
        from: us.contact(None),
        to: target.contact(None),
        call_id: None,
        cseq: 1,
        headers: vec![("Accept".to_owned(), "application/sdp".to_owned())],
        credentials: None,
        within: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Transport;
    use crate::testing::{origin, response};

    const SECOND: Duration = Duration::from_secs(1);

    /// The health of some targets under a simulated clock.
    struct Ward {
        health: Health,
        now: Instant,
    }

    impl Ward {
        fn new(targets: &[Hop]) -> Self {
            let contacts = Contacts::new("10.0.0.1:5060".parse().unwrap());
            let config = Config::new(contacts);
            let now = origin();
            Self {
                health: Health::new(now, config, targets.to_vec(), [1; 32]),
                now,
            }
        }

        /// Waits for the next question and gives its target.
        fn asked(&mut self) -> Hop {
            self.now = self.health.deadline().expect("some target is to be asked");
            self.health.handle(self.now, Input::Timeout);
            match self.health.poll() {
                Some(Output::Ask { target, ask }) => {
                    assert_eq!(ask.targets, [target]);
                    target
                }
                other => panic!("not a question: {other:?}"),
            }
        }

        /// Lets the next question come to that; 0 and 1 are no response and no connection. Tells what changed.
        fn answer(&mut self, status: u16) -> Option<bool> {
            let target = self.asked();
            let outcome = match status {
                0 => Outcome::Timeout,
                1 => Outcome::Unreachable,
                status => Outcome::Response(Box::new(response("OPTIONS", status))),
            };
            self.health
                .handle(self.now, Input::Answered { target, outcome });
            self.health.poll().map(|output| match output {
                Output::Changed { is_up, .. } => is_up,
                Output::Ask { .. } => panic!("asked too early"),
            })
        }
    }

    fn target(last: u8) -> Hop {
        Hop::udp(([192, 0, 2, last], 5060).into())
    }

    #[test]
    fn what_counts_as_alive() {
        for (status, is_alive) in [
            (200, true),
            (302, true),
            (401, true),
            (404, true),
            (405, true),
            (480, true),
            (483, true),
            (500, true),
            (501, true),
            (603, true),
            (0, false),
            (1, false),
            (408, false),
            (502, false),
            (503, false),
            (504, false),
        ] {
            let mut ward = Ward::new(&[target(1)]);
            for _ in 0..3 {
                ward.answer(status);
            }
            assert_eq!(ward.health.is_up(target(1)), is_alive, "{status}");
        }
    }

    #[test]
    fn nobody_changes_its_mind_at_once() {
        // Of each answer: does it turn the target (. no, v down, ^ up)?
        for (answers, expected) in [
            (&[503, 0, 1][..], "..v"),
            (&[503, 503, 200, 503, 503, 200], "......"),
            (&[0, 0, 0, 0, 200, 404], "..v..^"),
            (&[0, 0, 0, 200, 0, 200, 0, 200, 200], "..v.....^"),
            (&[0, 0, 0, 200, 200, 0, 0, 0], "..v.^..v"),
        ] {
            let mut ward = Ward::new(&[target(1)]);
            let word = |change| match change {
                None => '.',
                Some(false) => 'v',
                Some(true) => '^',
            };
            let turns: String = answers
                .iter()
                .map(|status| word(ward.answer(*status)))
                .collect();
            assert_eq!(turns, expected, "{answers:?}");
        }
    }

    #[test]
    fn pauses_are_kept_and_differ() {
        let mut ward = Ward::new(&[target(1)]);
        ward.answer(200);
        let mut pauses = Vec::new();
        for _ in 0..100 {
            let last = ward.now;
            ward.answer(200);
            pauses.push(ward.now - last);
        }
        let all = 27 * SECOND..33 * SECOND;
        assert!(pauses.iter().all(|pause| all.contains(pause)), "{pauses:?}");
        pauses.sort();
        pauses.dedup();
        assert!(pauses.len() > 90);
    }

    #[test]
    fn first_questions_are_spread() {
        let targets: Vec<_> = (1..=100).map(target).collect();
        let mut ward = Ward::new(&targets);
        let start = ward.now;
        let mut by_third = [0; 3];
        for _ in &targets {
            ward.asked();
            by_third[(ward.now - start).as_secs() as usize / 10] += 1;
        }
        assert!(by_third.iter().all(|count| *count > 20), "{by_third:?}");
        assert_eq!(ward.health.deadline(), None, "all questions are open");
    }

    #[test]
    fn one_question_at_a_time() {
        let mut ward = Ward::new(&[target(1)]);
        let asked = ward.asked();
        assert_eq!(ward.health.deadline(), None);
        ward.health.handle(ward.now + 32 * SECOND, Input::Timeout);
        assert_eq!(ward.health.poll(), None);
        ward.now += 32 * SECOND;
        let outcome = Outcome::Timeout;
        ward.health.handle(
            ward.now,
            Input::Answered {
                target: asked,
                outcome,
            },
        );
        assert!(
            ward.health.deadline().unwrap() <= ward.now + SECOND,
            "the time was spent waiting"
        );
    }

    #[test]
    fn targets_come_and_go() {
        let mut ward = Ward::new(&[target(1)]);
        for _ in 0..3 {
            ward.answer(0);
        }
        let tls = Hop::new(Transport::Tls, target(1).address);
        ward.health
            .handle(ward.now, Input::Targets(vec![target(1), tls]));
        assert!(!ward.health.is_up(target(1)), "what is known is kept");
        assert!(
            ward.health.is_up(tls),
            "another transport is another target"
        );
        ward.health.handle(ward.now, Input::Targets(Vec::new()));
        assert!(!ward.health.is_up(target(1)), "what was not found is kept");
        ward.health.handle(ward.now, Input::Targets(vec![tls]));
        assert_eq!(ward.asked(), tls);
        // The answer of one that is gone is nobody's.
        let gone = Input::Answered {
            target: target(1),
            outcome: Outcome::Timeout,
        };
        ward.health.handle(ward.now, gone);
        assert_eq!((ward.health.poll(), ward.health.deadline()), (None, None));
        ward.health
            .handle(ward.now, Input::Targets(vec![target(1)]));
        assert!(ward.health.is_up(target(1)), "and starts anew");
    }

    #[test]
    fn a_question_says_who_asks() {
        let contacts = Contacts::new("10.0.0.1:5060".parse().unwrap())
            .with(Transport::Tls, "203.0.113.1:5061".parse().unwrap());
        let tls = Hop::new(Transport::Tls, target(1).address);
        let mut health = Health::new(origin(), Config::new(contacts), vec![tls], [1; 32]);
        health.handle(origin() + 30 * SECOND, Input::Timeout);
        let Some(Output::Ask { ask, .. }) = health.poll() else {
            panic!("no question")
        };
        assert_eq!(ask.method, Method::Options);
        assert_eq!(ask.request_uri, "sip:192.0.2.1:5060;transport=tls");
        assert_eq!(ask.from, "sip:203.0.113.1:5061;transport=tls");
        assert_eq!(ask.advertised, Some("203.0.113.1:5061".parse().unwrap()));
    }
}
