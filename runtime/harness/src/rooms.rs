//! The conference or the queue that the call is at, and the others there.

use std::collections::VecDeque;
use std::time::Instant;

use call::{
    CallSid, Conference, ConferenceEffect, ConferenceInput, ConferenceOptions, ConferenceRequest,
    ConferenceSid, Input, Queue, QueueEffect, QueueInput, QueueRequest, QueueSid,
};

use crate::script::Other;

/// As many as a conference takes where nothing is said.
const MOST: u32 = 250;
/// Who ends conferences and comes to queues.
const SOMEBODY: CallSid = CallSid::from_bytes([0x33; 16]);

/// A call is at one of them at a time: one of each is enough.
#[derive(Debug)]
pub(crate) struct Rooms {
    conference: Conference,
    queue: Queue,
    /// The call, while it is in a queue; whether it serves.
    serves: bool,
    caller: Option<CallSid>,
    others: u8,
    news: VecDeque<Input>,
}

impl Rooms {
    pub(crate) fn new(others: u8) -> Self {
        Self {
            conference: new_conference(),
            queue: Queue::new(QueueSid::from_bytes([0x55; 16])),
            serves: false,
            caller: None,
            others,
            news: VecDeque::new(),
        }
    }

    /// What the call is told next.
    pub(crate) fn news(&mut self) -> Option<Input> {
        self.news.pop_front()
    }

    pub(crate) fn conference(&mut self, call: CallSid, request: ConferenceRequest) {
        let input = match request {
            ConferenceRequest::Join { options, .. } => {
                self.caller = Some(call);
                self.conference = new_conference();
                for other in 1..=self.others {
                    self.join(CallSid::from_bytes([other; 16]), false);
                }
                ConferenceInput::Join { call, options }
            }
            ConferenceRequest::Leave => ConferenceInput::Leave(call),
            ConferenceRequest::Mute(muted) => ConferenceInput::Mute(call, muted),
            ConferenceRequest::Hold(held) => ConferenceInput::Hold(call, held),
        };
        self.conference.handle(input);
        self.note_conference();
    }

    pub(crate) fn queue(&mut self, now: Instant, call: CallSid, request: QueueRequest) {
        self.caller = Some(call);
        let input = match request {
            QueueRequest::Wait { max_size, .. } => {
                self.serves = false;
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

    /// Somebody else does something.
    pub(crate) fn act(&mut self, now: Instant, other: Other) {
        let (call, max_size) = (SOMEBODY, None);
        match other {
            Other::Joins => {
                self.others += 1;
                self.join(CallSid::from_bytes([self.others; 16]), false);
            }
            Other::EndsConference => {
                self.join(SOMEBODY, true);
                self.conference.handle(ConferenceInput::Leave(SOMEBODY));
            }
            Other::ComesToQueue if self.serves => {
                self.queue.handle(now, QueueInput::Wait { call, max_size });
            }
            Other::ComesToQueue => self.queue.handle(now, QueueInput::Serve(SOMEBODY)),
            Other::LeavesQueue => self.queue.handle(now, QueueInput::Leave(SOMEBODY)),
        }
        self.note_conference();
        self.note_queue();
    }

    fn join(&mut self, call: CallSid, end_on_exit: bool) {
        let options = Box::new(ConferenceOptions {
            end_on_exit,
            ..ConferenceOptions::default()
        });
        self.conference
            .handle(ConferenceInput::Join { call, options });
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
