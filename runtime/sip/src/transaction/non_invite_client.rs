//! Non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::outbox::Outbox;
use super::{ClientInput, Output};
use crate::timers::{Timers, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Ended,
}

/// The timers of figure 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Sends the request again.
    E,
    /// Gives up waiting for a final response.
    F,
    /// Ends `Completed`: no more retransmissions of the response can come.
    K,
}

/// One BYE or CANCEL we sent.
#[derive(Debug)]
pub(crate) struct NonInviteClient {
    state: State,
    timing: Timing,
    is_reliable: bool,
    timers: Timers<Timer>,
    request: Bytes,
    interval: Duration,
    outputs: Outbox,
}

impl NonInviteClient {
    /// Sends the request and starts timers E and F; over a reliable transport F alone.
    pub(crate) fn new(now: Instant, timing: Timing, is_reliable: bool, request: Bytes) -> Self {
        let mut timers = Timers::new();
        if !is_reliable {
            timers.set(Timer::E, now + timing.t1);
        }
        timers.set(Timer::F, now + timing.give_up());
        let mut outputs = Outbox::default();
        outputs.push(Output::Send(request.clone()));
        let (state, interval) = (State::Trying, timing.t1);
        Self {
            state,
            timing,
            is_reliable,
            timers,
            request,
            interval,
            outputs,
        }
    }

    /// Feeds one input. Outputs wait in order for [`Self::poll`].
    pub(crate) fn handle(&mut self, now: Instant, input: ClientInput<Timer>) {
        match (self.state, input) {
            (State::Trying, ClientInput::Fired(Timer::E)) => {
                self.interval = (2 * self.interval).min(self.timing.t2);
                self.resend(now);
            }
            (State::Proceeding, ClientInput::Fired(Timer::E)) => {
                self.interval = self.timing.t2;
                self.resend(now);
            }
            (State::Trying | State::Proceeding, ClientInput::Fired(Timer::F)) => {
                self.end(Output::TimedOut);
            }
            (State::Trying | State::Proceeding, ClientInput::Unreachable) => {
                self.end(Output::Unreachable);
            }
            (State::Trying | State::Proceeding, ClientInput::Response(response)) => {
                if response.status() < 200 {
                    self.state = State::Proceeding;
                } else {
                    self.request = Bytes::new();
                    self.timers.clear_all();
                    let linger = if self.is_reliable {
                        Duration::ZERO
                    } else {
                        self.timing.t4
                    };
                    self.timers.set(Timer::K, now + linger);
                    self.state = State::Completed;
                }
                self.outputs.push(Output::Received(response));
            }
            (State::Completed, ClientInput::Fired(Timer::K)) => self.end(Output::Ended),
            (_, ClientInput::Response(_) | ClientInput::Fired(_) | ClientInput::Unreachable) => {}
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

    /// Takes a timer that is due, to be fed back as [`ClientInput::Fired`].
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        self.timers.due(now)
    }

    fn resend(&mut self, now: Instant) {
        self.outputs.push(Output::Resend(self.request.clone()));
        self.timers.set(Timer::E, now + self.interval);
    }

    fn end(&mut self, output: Output) {
        self.timers.clear_all();
        self.state = State::Ended;
        self.outputs.push(output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, T1, origin};

    struct Bench {
        core: NonInviteClient,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let now = origin();
            let core = NonInviteClient::new(now, Timing::default(), false, testing::request("BYE"));
            let mut bench = Self { core, now };
            bench.expect("send BYE");
            bench
        }

        fn response(&mut self, status: u16) {
            self.core.handle(
                self.now,
                ClientInput::Response(Box::new(testing::response("BYE", status))),
            );
        }

        fn advance(&mut self, to: Instant) {
            self.now = to;
            while let Some(timer) = self.core.due(to) {
                self.core.handle(to, ClientInput::Fired(timer));
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
    fn timer_e_doubles_up_to_t2_until_timer_f() {
        let mut bench = Bench::new();
        let start = bench.now;
        for units in [1, 3, 7, 15, 23, 31, 39, 47, 55, 63] {
            assert_eq!(bench.core.deadline(), Some(start + units * T1));
            bench.advance(start + units * T1);
            bench.expect("resend BYE");
        }
        bench.advance(start + 64 * T1);
        bench.expect("timed out");
    }

    #[test]
    fn in_proceeding_the_interval_is_t2() {
        let mut bench = Bench::new();
        let start = bench.now;
        bench.response(100);
        bench.expect("received 100");
        for units in [1, 9, 17] {
            assert_eq!(bench.core.deadline(), Some(start + units * T1));
            bench.advance(start + units * T1);
            bench.expect("resend BYE");
        }
        bench.advance(start + 63 * T1);
        bench.expect("resend BYE");
        bench.advance(start + 64 * T1);
        bench.expect("timed out");
    }

    #[test]
    fn a_final_response_is_told_once_and_absorbed_for_t4() {
        for status in [200, 481] {
            let mut bench = Bench::new();
            bench.response(status);
            bench.response(status);
            bench.expect(&format!("received {status}"));
            assert_eq!(
                bench.core.deadline(),
                Some(bench.now + Timing::default().t4)
            );
            bench.advance(bench.now + Timing::default().t4);
            bench.expect("ended");
        }
    }
}
