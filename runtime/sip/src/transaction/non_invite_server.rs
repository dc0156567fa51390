//! Non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
//!
//! The endpoint answers such requests the moment they come, so the machine starts where the figure has `Completed`:
//! the states before it would be entered and left within one call.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::outbox::Outbox;
use super::{Output, ServerInput};
use crate::timers::{Timers, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Completed,
    Ended,
}

/// The timer of figure 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Ends `Completed`: no more retransmissions of the request can come.
    J,
}

/// One BYE, CANCEL or other request we answered.
#[derive(Debug)]
pub(crate) struct NonInviteServer {
    state: State,
    timers: Timers<Timer>,
    response: Bytes,
    outputs: Outbox,
}

impl NonInviteServer {
    /// Sends the final response and starts timer J, which fires at once over a reliable transport.
    pub(crate) fn new(now: Instant, timing: Timing, is_reliable: bool, response: Bytes) -> Self {
        let mut timers = Timers::new();
        let linger = if is_reliable {
            Duration::ZERO
        } else {
            timing.give_up()
        };
        timers.set(Timer::J, now + linger);
        let mut outputs = Outbox::default();
        outputs.push(Output::Send(response.clone()));
        Self {
            state: State::Completed,
            timers,
            response,
            outputs,
        }
    }

    /// Feeds one input. Outputs wait in order for [`Self::poll`].
    pub(crate) fn handle(&mut self, input: &ServerInput<Timer>) {
        match (self.state, input) {
            (State::Completed, ServerInput::Request) => {
                self.outputs.push(Output::Send(self.response.clone()));
            }
            (State::Completed, ServerInput::Fired(Timer::J)) => {
                self.state = State::Ended;
                self.outputs.push(Output::Ended);
            }
            // The final response is given; there is no ACK here.
            (State::Completed, ServerInput::Respond { .. } | ServerInput::Ack) => {}
            (State::Ended, _) => {}
        }
    }

    /// The next output.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.poll()
    }

    /// When the timer fires.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timers.deadline()
    }

    /// Takes the timer when it is due, to be fed back as [`ServerInput::Fired`].
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        self.timers.due(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, T1, origin};

    #[test]
    fn each_copy_of_the_request_gets_the_response_until_timer_j() {
        let now = origin();
        let response = testing::response_bytes("BYE", 200);
        let mut core = NonInviteServer::new(now, Timing::default(), false, response);
        core.handle(&ServerInput::Request);
        core.handle(&ServerInput::Ack);
        let sent: Vec<_> = std::iter::from_fn(|| core.poll())
            .map(|o| testing::word(&o))
            .collect();
        assert_eq!(sent, ["send 200", "send 200"]);
        assert_eq!(core.deadline(), Some(now + 64 * T1));
        let timer = core.due(now + 64 * T1).unwrap();
        core.handle(&ServerInput::Fired(timer));
        assert_eq!(core.poll(), Some(Output::Ended));
        core.handle(&ServerInput::Request);
        assert_eq!(core.poll(), None);
    }
}
