//! INVITE server transaction (RFC 3261 §17.2.1, figure 7; RFC 6026 §7.1).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::outbox::Outbox;
use super::{Output, ServerInput};
use crate::timers::{Timers, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Ended,
}

/// The timers of figure 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Sends the failure again.
    G,
    /// Gives up waiting for the ACK.
    H,
    /// Ends `Confirmed`: no more ACKs can come.
    I,
    /// Ends `Accepted`: no more retransmissions of the INVITE can come.
    L,
}

/// One INVITE we received.
#[derive(Debug)]
pub(crate) struct InviteServer {
    state: State,
    timing: Timing,
    is_reliable: bool,
    timers: Timers<Timer>,
    last: Option<Bytes>,
    interval: Duration,
    outputs: Outbox,
}

impl InviteServer {
    pub(crate) fn new(timing: Timing, is_reliable: bool) -> Self {
        let (state, timers) = (State::Proceeding, Timers::new());
        Self {
            state,
            timing,
            is_reliable,
            timers,
            last: None,
            interval: timing.t1,
            outputs: Outbox::default(),
        }
    }

    /// Whether no final response was given yet.
    pub(crate) fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Feeds one input. Outputs wait in order for [`Self::poll`].
    pub(crate) fn handle(&mut self, now: Instant, input: ServerInput<Timer>) {
        match (self.state, input) {
            (
                State::Proceeding,
                ServerInput::Respond {
                    status: ..200,
                    bytes,
                },
            ) => {
                self.last = Some(bytes.clone());
                self.outputs.push(Output::Send(bytes));
            }
            (
                State::Proceeding,
                ServerInput::Respond {
                    status: 200..300,
                    bytes,
                },
            ) => {
                self.last = None; // the user repeats a 2xx until its ACK comes (RFC 3261 §13.3.1.4)
                self.outputs.push(Output::Send(bytes));
                self.timers.set(Timer::L, now + self.timing.give_up());
                self.state = State::Accepted;
            }
            (State::Proceeding, ServerInput::Respond { bytes, .. }) => {
                self.last = Some(bytes.clone());
                self.outputs.push(Output::Send(bytes));
                if !self.is_reliable {
                    self.timers.set(Timer::G, now + self.interval);
                }
                self.timers.set(Timer::H, now + self.timing.give_up());
                self.state = State::Completed;
            }
            (State::Proceeding | State::Completed, ServerInput::Request) => {
                self.outputs.extend(self.last.clone().map(Output::Send));
            }
            (State::Completed, ServerInput::Fired(Timer::G)) => {
                self.outputs.extend(self.last.clone().map(Output::Resend));
                self.interval = (2 * self.interval).min(self.timing.t2);
                self.timers.set(Timer::G, now + self.interval);
            }
            (State::Completed, ServerInput::Ack) => {
                self.last = None;
                self.timers.clear_all();
                let linger = if self.is_reliable {
                    Duration::ZERO
                } else {
                    self.timing.t4
                };
                self.timers.set(Timer::I, now + linger);
                self.state = State::Confirmed;
            }
            (
                State::Accepted,
                ServerInput::Respond {
                    status: 200..300,
                    bytes,
                },
            ) => {
                self.outputs.push(Output::Resend(bytes));
            }
            (State::Completed, ServerInput::Fired(Timer::H))
            | (State::Confirmed, ServerInput::Fired(Timer::I))
            | (State::Accepted, ServerInput::Fired(Timer::L)) => self.end(),
            // Absorbed: retransmissions of an answered INVITE, late answers, ACKs. The ACK of a 2xx has a transaction
            // of its own and is matched by its dialog, not here (RFC 6026 §7.1).
            (_, ServerInput::Request | ServerInput::Ack) => {}
            (_, ServerInput::Respond { .. } | ServerInput::Fired(_)) => {}
        }
    }

    /// The next output.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.poll()
    }

    /// When the next timer fires.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.deadline()
    }

    /// Takes a timer that is due, to be fed back as [`ServerInput::Fired`].
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        self.timers.due(now)
    }

    fn end(&mut self) {
        self.timers.clear_all();
        self.last = None;
        self.state = State::Ended;
        self.outputs.push(Output::Ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, T1, origin};

    struct Bench {
        core: InviteServer,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                core: InviteServer::new(Timing::default(), false),
                now: origin(),
            }
        }

        fn feed(&mut self, input: ServerInput<Timer>) {
            self.core.handle(self.now, input);
        }

        fn respond(&mut self, status: u16) {
            self.feed(ServerInput::Respond {
                status,
                bytes: testing::response_bytes("INVITE", status),
            });
        }

        fn advance(&mut self, to: Instant) {
            self.now = to;
            while let Some(timer) = self.core.due(to) {
                self.feed(ServerInput::Fired(timer));
            }
        }

        fn expect(&mut self, expected: &str) {
            let outputs: Vec<_> = std::iter::from_fn(|| self.core.poll())
                .map(|o| testing::word(&o))
                .collect();
            assert_eq!(outputs.join(", "), expected, "{:?}", self.core.state);
        }
    }

    #[test]
    fn retransmissions_get_the_last_provisional() {
        let mut bench = Bench::new();
        bench.feed(ServerInput::Request);
        bench.expect("");
        bench.respond(100);
        bench.feed(ServerInput::Request);
        bench.respond(180);
        bench.feed(ServerInput::Request);
        bench.expect("send 100, send 100, send 180, send 180");
        assert_eq!(bench.core.deadline(), None);
    }

    #[test]
    fn a_failure_is_sent_eleven_times_without_ack() {
        let mut bench = Bench::new();
        bench.respond(486);
        bench.expect("send 486");
        let (start, mut sent) = (bench.now, 1);
        while let Some(deadline) = bench.core.deadline() {
            bench.advance(deadline);
            if deadline < start + 64 * T1 {
                bench.expect("resend 486");
                sent += 1;
            }
        }
        bench.expect("ended");
        assert_eq!((sent, bench.now), (11, start + 64 * T1)); // doubling up to T2
    }

    #[test]
    fn an_ack_ends_a_failure_after_t4() {
        let mut bench = Bench::new();
        bench.respond(486);
        bench.feed(ServerInput::Request);
        bench.expect("send 486, send 486");
        bench.feed(ServerInput::Ack);
        bench.feed(ServerInput::Ack);
        bench.feed(ServerInput::Request);
        bench.respond(200);
        bench.expect("");
        assert_eq!(
            bench.core.deadline(),
            Some(bench.now + Timing::default().t4)
        );
        bench.advance(bench.now + Timing::default().t4);
        bench.expect("ended");
    }

    #[test]
    fn after_a_2xx_only_the_user_repeats() {
        let mut bench = Bench::new();
        bench.respond(200);
        bench.feed(ServerInput::Request);
        bench.respond(200);
        bench.respond(486);
        bench.feed(ServerInput::Ack);
        bench.expect("send 200, resend 200");
        bench.advance(bench.now + 64 * T1);
        bench.expect("ended");
        bench.respond(200);
        bench.expect("");
    }
}
