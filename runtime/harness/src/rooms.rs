//! The conference or the queue that the call is at, and the others there.

use std::collections::VecDeque;
use std::time::Instant;

use call::{
    CallSid, Conference, ConferenceEffect, ConferenceInput, ConferenceOptions, ConferenceRequest,
    ConferenceSid, Input, Queue, QueueEffect, QueueInput, QueueRequest, QueueSid,
};

use crate::script::Others;

/// As many as a conference takes where nothing is said.
const MOST: u32 = 250;

/// What somebody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// Joins the caller's conference.
    Joins,
    /// Leaves it; the one who joined last.
    LeavesConference,
    /// Ends it.
    EndsConference,
    /// Serves the caller's queue, or waits in it where the caller serves.
    ComesToQueue,
    /// Hangs up on the caller.
    LeavesQueue,
    /// Waits before the caller in the queue no longer.
    GivesUp,
}

impl Other {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Joins => "joins the conference",
            Self::LeavesConference => "leaves the conference",
            Self::EndsConference => "ends the conference",
            Self::ComesToQueue => "comes to the queue",
            Self::LeavesQueue => "hangs up on the caller",
            Self::GivesUp => "gives up waiting in the queue",
        }
    }
}

/// A call is at one of them at a time: one of each is enough.
#[derive(Debug)]
pub(crate) struct Rooms {
    conference: Conference,
    queue: Queue,
    /// The call, while it is in a queue; whether it serves.
    serves: bool,
    caller: Option<CallSid>,
    others: Others,
    /// How many others there have been: each is another one.
    met: u8,
    /// Who else is in the conference.
    participants: Vec<CallSid>,
    /// Who waits before the caller in the queue.
    ahead: VecDeque<CallSid>,
    /// Who came to the queue last, or is joined to the caller there.
    partner: Option<CallSid>,
    news: VecDeque<Input>,
}

impl Rooms {
    pub(crate) fn new(others: Others) -> Self {
        Self {
            conference: new_conference(),
            queue: Queue::new(QueueSid::from_bytes([0x55; 16])),
            serves: false,
            caller: None,
            others,
            met: 0,
            participants: Vec::new(),
            ahead: VecDeque::new(),
            partner: None,
            news: VecDeque::new(),
        }
    }

    /// What the call is told next.
    pub(crate) fn news(&mut self) -> Option<Input> {
        self.news.pop_front()
    }

    pub(crate) fn conference(&mut self, call: CallSid, request: ConferenceRequest) {
        let input = match request {
            ConferenceRequest::Join { options, terms, .. } => {
                self.caller = Some(call);
                self.conference = new_conference();
                self.participants.clear();
                for _ in 0..self.others.in_conference {
                    self.join(false);
                }
                ConferenceInput::Join {
                    call,
                    options,
                    terms,
                }
            }
            ConferenceRequest::Leave { hung_up } => ConferenceInput::Leave { call, hung_up },
            ConferenceRequest::Mute(muted) => ConferenceInput::Mute(call, muted),
            ConferenceRequest::Hold(held) => ConferenceInput::Hold(call, held),
            ConferenceRequest::Announced(outcome) => ConferenceInput::Announced(call, outcome),
        };
        self.conference.handle(input);
        self.note_conference();
    }

    pub(crate) fn queue(&mut self, now: Instant, call: CallSid, request: QueueRequest) {
        self.caller = Some(call);
        let input = match request {
            QueueRequest::Wait { max_size, .. } => {
                self.serves = false;
                self.begin_queue(now);
                QueueInput::Wait { call, max_size }
            }
            QueueRequest::Serve { .. } => {
                self.serves = true;
                QueueInput::Serve(call)
            }
            QueueRequest::Leave => QueueInput::Leave(call),
        };
        self.queue.handle(now, input);
        self.note_queue();
    }

    /// Somebody else does something. False where nobody is there who could.
    pub(crate) fn act(&mut self, now: Instant, other: Other) -> bool {
        let is_done = match other {
            Other::Joins => {
                self.join(false);
                true
            }
            Other::LeavesConference => self.leave_conference(),
            Other::EndsConference => {
                self.join(true);
                let is_done = self.leave_conference();
                self.participants.clear();
                is_done
            }
            Other::ComesToQueue => {
                self.come_to_queue(now);
                true
            }
            Other::LeavesQueue => self.leave_queue(now, self.partner),
            Other::GivesUp => {
                let first = self.ahead.pop_front();
                self.leave_queue(now, first)
            }
        };
        self.note_conference();
        self.note_queue();
        is_done
    }

    fn somebody(&mut self) -> CallSid {
        self.met = self.met.wrapping_add(1);
        let mut bytes = [0x66; 16];
        bytes[15] = self.met;
        CallSid::from_bytes(bytes)
    }

    fn join(&mut self, end_on_exit: bool) {
        let call = self.somebody();
        self.participants.push(call);
        let options = Box::new(ConferenceOptions {
            end_on_exit,
            ..ConferenceOptions::default()
        });
        let input = ConferenceInput::Join {
            call,
            options,
            terms: Box::default(),
        };
        self.conference.handle(input);
    }

    fn leave_conference(&mut self) -> bool {
        let Some(last) = self.participants.pop() else {
            return false;
        };
        let (call, hung_up) = (last, true);
        self.conference
            .handle(ConferenceInput::Leave { call, hung_up });
        true
    }

    /// The queue as the caller finds it: with others in it, unless somebody who serves is there already.
    fn begin_queue(&mut self, now: Instant) {
        while self.partner.is_none() && self.ahead.len() < self.others.in_queue.into() {
            let call = self.somebody();
            self.ahead.push_back(call);
            let max_size = None;
            self.queue.handle(now, QueueInput::Wait { call, max_size });
        }
    }

    fn come_to_queue(&mut self, now: Instant) {
        let call = self.somebody();
        if self.serves {
            let max_size = None;
            self.queue.handle(now, QueueInput::Wait { call, max_size });
        } else {
            self.queue.handle(now, QueueInput::Serve(call));
            if self.ahead.pop_front().is_some() {
                return; // who talks to somebody else
            }
        }
        self.partner = Some(call);
    }

    fn leave_queue(&mut self, now: Instant, call: Option<CallSid>) -> bool {
        let Some(call) = call else {
            return false;
        };
        self.queue.handle(now, QueueInput::Leave(call));
        if self.partner == Some(call) {
            self.partner = None;
        }
        true
    }

    fn note_conference(&mut self) {
        while let Some(effect) = self.conference.poll() {
            if let ConferenceEffect::Tell(call, event) = effect
                && Some(call) == self.caller
            {
                self.news.push_back(Input::Conference(event));
            }
        }
    }

    fn note_queue(&mut self) {
        while let Some(effect) = self.queue.poll() {
            if let QueueEffect::Tell(call, event) = effect
                && Some(call) == self.caller
            {
                self.news.push_back(Input::Queue(event));
            }
        }
    }
}

fn new_conference() -> Conference {
    Conference::new(ConferenceSid::from_bytes([0x44; 16]), MOST)
}
