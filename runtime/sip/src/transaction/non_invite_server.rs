//! Non-INVITE server transaction (RFC 3261 §17.2.2, figure 8), without `Proceeding`: nothing of ours is worth a
//! provisional response (RFC 4320 §4.1).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::outbox::Outbox;
use super::{Output, ServerInput};
use crate::timers::{Timers, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Completed,
    Ended,
}

/// The timer of figure 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Ends `Completed`: no more retransmissions of the request can come.
    J,
}

/// One BYE, CANCEL or other request that is no INVITE.
#[derive(Debug)]
pub(crate) struct NonInviteServer {
    state: State,
    timing: Timing,
    is_reliable: bool,
    timers: Timers<Timer>,
    response: Bytes,
    outputs: Outbox,
}

impl NonInviteServer {
    pub(crate) fn new(timing: Timing, is_reliable: bool) -> Self {
        Self {
            state: State::Trying,
            timing,
            is_reliable,
            timers: Timers::new(),
            response: Bytes::new(),
            outputs: Outbox::default(),
        }
    }

    /// Feeds one input. Outputs wait in order for [`Self::poll`].
    pub(crate) fn handle(&mut self, now: Instant, input: ServerInput<Timer>) {
        match (self.state, input) {
            (State::Trying, ServerInput::Respond { bytes, .. }) => {
                let linger = if self.is_reliable {
                    Duration::ZERO
                } else {
                    self.timing.give_up()
                };
                self.timers.set(Timer::J, now + linger);
                self.response = bytes.clone();
                self.outputs.push(Output::Send(bytes));
                self.state = State::Completed;
            }
            (State::Completed, ServerInput::Request) => {
                self.outputs.push(Output::Send(self.response.clone()));
            }
            (State::Completed, ServerInput::Fired(Timer::J)) => {
                self.state = State::Ended;
                self.outputs.push(Output::Ended);
            }
            // Absorbed: copies of a request in work, second answers. There is no ACK here.
            (State::Trying, ServerInput::Request | ServerInput::Ack | ServerInput::Fired(_)) => {}
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

    fn sent(core: &mut NonInviteServer) -> Vec<String> {
        std::iter::from_fn(|| core.poll())
            .map(|o| testing::word(&o))
            .collect()
    }

    fn answer(core: &mut NonInviteServer, now: Instant, status: u16) {
        let bytes = testing::response_bytes("BYE", status);
        core.handle(now, ServerInput::Respond { status, bytes });
    }

    #[test]
    fn each_copy_of_the_request_gets_the_response_until_timer_j() {
        let now = origin();
        let mut core = NonInviteServer::new(Timing::default(), false);
        answer(&mut core, now, 200);
        core.handle(now, ServerInput::Request);
        core.handle(now, ServerInput::Ack);
        answer(&mut core, now, 500);
        assert_eq!(sent(&mut core), ["send 200", "send 200"]);
        assert_eq!(core.deadline(), Some(now + 64 * T1));
        let timer = core.due(now + 64 * T1).unwrap();
        core.handle(now, ServerInput::Fired(timer));
        assert_eq!(core.poll(), Some(Output::Ended));
        core.handle(now, ServerInput::Request);
        assert_eq!(core.poll(), None);
    }

    #[test]
    fn copies_before_the_response_are_absorbed() {
        let now = origin();
        let mut core = NonInviteServer::new(Timing::default(), true);
        core.handle(now, ServerInput::Request);
        assert_eq!((core.poll(), core.deadline()), (None, None));
        answer(&mut core, now + T1, 200);
        assert_eq!(sent(&mut core), ["send 200"]);
        assert_eq!(core.deadline(), Some(now + T1)); // no copies come over a reliable transport
    }
}
