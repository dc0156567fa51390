//! INVITE client transaction (RFC 3261 §17.1.1, figure 5; RFC 6026 §7.2).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::outbox::Outbox;
use super::{ClientInput, Output};
use crate::Response;
use crate::from_invite::ack_of_failure;
use crate::timers::{Timers, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Ended,
}

/// The timers of figure 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Sends the INVITE again.
    A,
    /// Gives up waiting for any response; within a dialog, for the next one.
    B,
    /// Ends `Completed`: no more retransmissions of the final response can come.
    D,
    /// Ends `Accepted`: no more 2xx can come, from this or other forks.
    M,
}

/// One INVITE we sent.
#[derive(Debug)]
pub(crate) struct InviteClient {
    state: State,
    timing: Timing,
    is_reliable: bool,
    is_within_dialog: bool,
    timers: Timers<Timer>,
    /// The INVITE, for retransmission and to make the ACK of a failure from.
    request: Bytes,
    interval: Duration,
    ack: Option<Bytes>,
    outputs: Outbox,
}

impl InviteClient {
    /// Sends the INVITE and starts timers A and B; over a reliable transport B alone.
    pub(crate) fn new(now: Instant, timing: Timing, is_reliable: bool, request: Bytes) -> Self {
        let mut timers = Timers::new();
        if !is_reliable {
            timers.set(Timer::A, now + timing.t1);
        }
        timers.set(Timer::B, now + timing.give_up());
        let mut outputs = Outbox::default();
        outputs.push(Output::Send(request.clone()));
        let (state, interval) = (State::Calling, timing.t1);
        Self {
            state,
            timing,
            is_reliable,
            is_within_dialog: false,
            timers,
            request,
            interval,
            ack: None,
            outputs,
        }
    }

    /// A re-INVITE: nobody has to be rung for it, so that after a provisional response timer B runs again. A final response that
    /// got lost for good must not be waited for as long as the process lives.
    pub(crate) fn within_dialog(mut self) -> Self {
        self.is_within_dialog = true;
        self
    }

    /// Feeds one input. Outputs wait in order for [`Self::poll`].
    pub(crate) fn handle(&mut self, now: Instant, input: ClientInput<Timer>) {
        match (self.state, input) {
            (State::Calling, ClientInput::Fired(Timer::A)) => {
                self.outputs.push(Output::Resend(self.request.clone()));
                self.interval *= 2;
                self.timers.set(Timer::A, now + self.interval);
            }
            (State::Calling | State::Proceeding, ClientInput::Fired(Timer::B)) => {
                self.end(Output::TimedOut);
            }
            (State::Calling, ClientInput::Unreachable) => self.end(Output::Unreachable),
            (State::Calling | State::Proceeding, ClientInput::Response(response)) => {
                self.timers.clear_all();
                match response.status() {
                    ..200 => {
                        self.state = State::Proceeding;
                        if self.is_within_dialog {
                            self.timers.set(Timer::B, now + self.timing.give_up());
                        }
                    }
                    200..300 => {
                        self.timers.set(Timer::M, now + self.timing.give_up());
                        self.state = State::Accepted;
                    }
                    300.. => {
                        self.acknowledge(&response);
                        self.timers.set(Timer::D, now + self.linger());
                        self.state = State::Completed;
                    }
                }
                self.outputs.push(Output::Received(response));
            }
            (State::Completed, ClientInput::Response(response)) if response.status() >= 300 => {
                self.outputs.extend(self.ack.clone().map(Output::Send));
            }
            (State::Accepted, ClientInput::Response(response))
                if (200..300).contains(&response.status()) =>
            {
                self.outputs.push(Output::Received(response));
            }
            (State::Completed, ClientInput::Fired(Timer::D))
            | (State::Accepted, ClientInput::Fired(Timer::M)) => self.end(Output::Ended),
            (_, ClientInput::Response(_) | ClientInput::Fired(_) | ClientInput::Unreachable) => {}
        }
    }

    /// Stops sending the INVITE again. Timer B goes on: copies that are on their way may still be answered.
    pub(crate) fn hush(&mut self) {
        self.timers.clear(Timer::A);
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

    /// How long retransmissions of a failure can come: each must find its ACK. Over a reliable transport none come.
    fn linger(&self) -> Duration {
        if self.is_reliable {
            Duration::ZERO
        } else {
            self.timing.give_up().max(Duration::from_secs(32))
        }
    }

    fn acknowledge(&mut self, response: &Response) {
        let ack = ack_of_failure(&self.request, response);
        self.outputs.push(Output::Send(ack.clone()));
        self.ack = Some(ack);
        self.request = Bytes::new();
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
        core: InviteClient,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self::over(false)
        }

        fn over(is_reliable: bool) -> Self {
            let now = origin();
            let core = InviteClient::new(
                now,
                Timing::default(),
                is_reliable,
                testing::request("INVITE"),
            );
            let mut bench = Self { core, now };
            bench.expect("send INVITE");
            bench
        }

        fn response(&mut self, status: u16) {
            self.core.handle(
                self.now,
                ClientInput::Response(Box::new(testing::response("INVITE", status))),
            );
        }

        fn advance(&mut self, to: Instant) {
            self.now = to;
            while let Some(timer) = self.core.due(self.now) {
                self.core.handle(self.now, ClientInput::Fired(timer));
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
    fn timer_a_doubles_until_timer_b() {
        let mut bench = Bench::new();
        let start = bench.now;
        for units in [1, 3, 7, 15, 31, 63] {
            assert_eq!(bench.core.deadline(), Some(start + units * T1));
            bench.advance(start + units * T1);
            bench.expect("resend INVITE");
        }
        bench.advance(start + 64 * T1);
        bench.expect("timed out");
        assert_eq!(bench.core.deadline(), None);
    }

    #[test]
    fn over_a_reliable_transport_nothing_is_sent_twice() {
        let mut bench = Bench::over(true);
        let start = bench.now;
        assert_eq!(bench.core.deadline(), Some(start + 64 * T1));
        bench.response(486);
        bench.expect("send ACK, received 486");
        bench.advance(start);
        bench.expect("ended");
        let mut bench = Bench::over(true);
        bench.advance(bench.now + 64 * T1);
        bench.expect("timed out");
    }

    #[test]
    fn a_broken_way_ends_it() {
        let mut bench = Bench::over(true);
        bench.core.handle(bench.now, ClientInput::Unreachable);
        bench.expect("unreachable");
        assert_eq!(bench.core.deadline(), None);
        let mut bench = Bench::over(true);
        bench.response(180);
        bench.core.handle(bench.now, ClientInput::Unreachable);
        bench.expect("received 180");
    }

    #[test]
    fn a_provisional_stops_all_timers() {
        let mut bench = Bench::new();
        bench.response(100);
        bench.expect("received 100");
        assert_eq!(bench.core.deadline(), None);
        bench.response(180);
        bench.expect("received 180");
    }

    #[test]
    fn a_reinvite_is_not_waited_for_forever() {
        for is_reliable in [false, true] {
            let mut bench = Bench::over(is_reliable);
            bench.core = bench.core.within_dialog();
            for status in [100, 180] {
                bench.response(status);
                bench.expect(&format!("received {status}"));
                assert_eq!(bench.core.deadline(), Some(bench.now + 64 * T1));
                bench.advance(bench.now + 63 * T1);
                bench.expect("");
            }
            bench.advance(bench.now + T1);
            bench.expect("timed out");
            assert_eq!(bench.core.deadline(), None);
        }
    }

    #[test]
    fn a_failure_is_acknowledged_each_time_and_told_once() {
        for first in [false, true] {
            let mut bench = Bench::new();
            if first {
                bench.response(180);
                bench.expect("received 180");
            }
            bench.response(486);
            bench.expect("send ACK, received 486");
            bench.response(486);
            bench.expect("send ACK");
            bench.response(200);
            bench.response(180);
            bench.expect("");
            assert_eq!(
                bench.core.deadline(),
                Some(bench.now + Duration::from_secs(32))
            );
            bench.advance(bench.now + Duration::from_secs(32));
            bench.expect("ended");
            bench.response(486);
            bench.expect("");
        }
    }

    #[test]
    fn every_2xx_goes_up_until_timer_m() {
        let mut bench = Bench::new();
        bench.response(200);
        bench.response(200);
        bench.response(180);
        bench.response(486);
        bench.expect("received 200, received 200");
        assert_eq!(bench.core.deadline(), Some(bench.now + 64 * T1));
        bench.advance(bench.now + 64 * T1);
        bench.expect("ended");
    }
}
