//! A queue: who waits, who serves, and who of them hear each other.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{CallSid, QueueSid, WaitSound, Whisper};

/// Twilio's bound for the size of a queue.
pub(crate) const MAX_SIZE: u32 = 5_000;
/// The size of a queue of which nothing is said (Twilio's too).
pub const DEFAULT_QUEUE_SIZE: u32 = 100;

/// What a story asks of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueCommand {
    /// Waits at the one of this name.
    Wait {
        /// 1 to 64 characters.
        name: String,
        /// Heard meanwhile.
        sound: WaitSound,
        /// 1 to 5,000; refused where so many wait already. 100 where nothing is said.
        max_size: Option<u32>,
    },
    /// Serves the one who waits longest, or else who comes next.
    Serve {
        /// 1 to 64 characters.
        name: String,
    },
    /// Waits or serves no longer.
    Leave,
    /// Serves as [`Self::Serve`] does. Who waits hears a story alone before.
    ServeWith {
        /// 1 to 64 characters.
        name: String,
        /// What they hear.
        whisper: Whisper,
    },
}

/// What a call asks of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRequest {
    /// Waits at the one of this name in its account.
    Wait {
        /// 1 to 64 characters.
        name: String,
        /// 1 to 5,000.
        max_size: Option<u32>,
    },
    /// Serves at the one of this name in its account.
    Serve {
        /// 1 to 64 characters.
        name: String,
        /// What the one who waits hears first, alone.
        whisper: Option<Whisper>,
    },
    /// Is there no longer.
    Leave,
}

/// What becomes of a call at a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueEvent {
    /// It waits. Told again whenever its position changes.
    Waiting(QueuePlace),
    /// It and another one hear each other.
    Bridged(QueueBridge),
    /// It has to do with the queue no longer.
    Left(QueueExit),
}

/// Where in the queue a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePlace {
    /// The queue.
    pub sid: QueueSid,
    /// 1 is the next.
    pub position: u32,
    /// How many wait.
    pub size: u32,
    /// Seconds that those who were taken off waited on average.
    pub average_wait_s: u32,
}

/// Two calls that hear each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueBridge {
    /// The queue.
    pub sid: QueueSid,
    /// The other one.
    pub call: CallSid,
    /// Seconds that the one of the two who waited did so.
    pub waited_s: u32,
}

/// How a call's time at a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueExit {
    /// The queue.
    pub sid: QueueSid,
    /// How.
    pub outcome: QueueOutcome,
    /// Seconds in the queue, none of them with somebody.
    pub waited_s: u32,
}

/// How a call's time at a queue ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueOutcome {
    /// It and another one heard each other, until one of them went.
    Bridged,
    /// It left before anybody came.
    Left,
    /// As many as may wait did so.
    Full,
    /// The account has as many queues as it may have, or the runtime failed.
    Failed,
}

/// One thing that happened to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueInput {
    /// A call wants to wait.
    Wait {
        /// Which.
        call: CallSid,
        /// 1 to 5,000.
        max_size: Option<u32>,
    },
    /// A call serves.
    Serve(CallSid),
    /// A call serves, and who waits hears a whisper first.
    ServeWhispering(CallSid),
    /// The whisper of a call that waited is over.
    Whispered(CallSid),
    /// A call goes, or is over.
    Leave(CallSid),
}

/// One thing to be done for a queue, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueEffect {
    /// Tell a call.
    Tell(CallSid, QueueEvent),
    /// Let two calls hear each other, until they are told that they have left. Each is told by its [`Self::Tell`] then.
    Bridge(CallSid, CallSid),
    /// Let a call that waited hear the whisper of the one that serves it; answered by [`QueueInput::Whispered`].
    Whisper {
        /// Who waited.
        to: CallSid,
        /// Whose whisper it is.
        from: CallSid,
        /// Seconds that they waited.
        waited_s: u32,
    },
}

/// Decides who is served when. It is over when no call is at it.
#[derive(Debug)]
pub struct Queue {
    sid: QueueSid,
    /// How many may wait, where whoever comes says nothing.
    max_size: u32,
    /// The one who waits longest is the first.
    waiting: VecDeque<Waiter>,
    /// Those for whom nobody is there yet, in the order they came.
    serving: VecDeque<Server>,
    bridged: Vec<Pair>,
    /// Of those who were served.
    served: u64,
    waited_s: u64,
    effects: VecDeque<QueueEffect>,
}

#[derive(Debug)]
struct Waiter {
    call: CallSid,
    since: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Server {
    call: CallSid,
    /// Who waits hears a whisper first.
    whispers: bool,
}

#[derive(Debug)]
struct Pair {
    waiter: CallSid,
    server: CallSid,
    waited_s: u32,
    /// They do not hear each other yet.
    whispers: bool,
}

impl Queue {
    /// A queue at which nobody is.
    #[must_use]
    pub fn new(sid: QueueSid) -> Self {
        Self {
            sid,
            max_size: DEFAULT_QUEUE_SIZE,
            waiting: VecDeque::new(),
            serving: VecDeque::new(),
            bridged: Vec::new(),
            served: 0,
            waited_s: 0,
            effects: VecDeque::new(),
        }
    }

    /// Feeds one input. `now` never goes backwards; effects wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Instant, input: QueueInput) {
        match input {
            QueueInput::Wait { call, max_size } => self.wait(now, call, max_size),
            QueueInput::Serve(call) | QueueInput::ServeWhispering(call) => {
                let whispers = matches!(input, QueueInput::ServeWhispering(_));
                let server = Server { call, whispers };
                if !self.serve(now, server) {
                    self.serving.push_back(server);
                }
            }
            QueueInput::Whispered(call) => self.whispered(call),
            QueueInput::Leave(call) => self.leave(now, call),
        }
    }

    /// The next thing to be done. Drain it before the next [`Self::handle`].
    pub fn poll(&mut self) -> Option<QueueEffect> {
        self.effects.pop_front()
    }

    /// Its name in every reference.
    #[must_use]
    pub const fn sid(&self) -> QueueSid {
        self.sid
    }

    /// So many may wait from now on, where whoever comes says nothing. Who waits already stays.
    pub fn set_max_size(&mut self, max_size: u32) {
        self.max_size = max_size;
    }

    /// Who waits, and for how long; who waits longest is the first.
    pub fn members(&self, now: Instant) -> impl Iterator<Item = (CallSid, Duration)> + '_ {
        let waited = move |one: &Waiter| now.saturating_duration_since(one.since);
        self.waiting.iter().map(move |one| (one.call, waited(one)))
    }

    /// No call is at it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.serving.is_empty() && self.bridged.is_empty()
    }

    /// False where nobody waits.
    fn serve(&mut self, now: Instant, server: Server) -> bool {
        let Some(waiter) = self.waiting.pop_front() else {
            return false;
        };
        self.bridge(now, &waiter, server);
        self.tell_places(0);
        true
    }

    fn wait(&mut self, now: Instant, call: CallSid, max_size: Option<u32>) {
        if self.waiting.len() >= max_size.unwrap_or(self.max_size) as usize {
            return self.tell_exit(call, QueueOutcome::Full, 0);
        }
        let waiter = Waiter { call, since: now };
        match self.serving.pop_front() {
            Some(server) => self.bridge(now, &waiter, server),
            None => {
                self.waiting.push_back(waiter);
                self.tell_places(self.waiting.len() - 1);
            }
        }
    }

    /// Takes one off the queue. Who waited is told of it at once, and hears the whisper before the other one.
    fn bridge(&mut self, now: Instant, waiter: &Waiter, server: Server) {
        let waited_s = waiter.seconds(now);
        self.served += 1;
        self.waited_s += u64::from(waited_s);
        let pair = Pair {
            waiter: waiter.call,
            server: server.call,
            waited_s,
            whispers: server.whispers,
        };
        let (to, from) = (pair.waiter, pair.server);
        self.effects.push_back(match pair.whispers {
            true => QueueEffect::Whisper { to, from, waited_s },
            false => QueueEffect::Bridge(to, from),
        });
        self.tell_bridge(to, from, waited_s);
        if !pair.whispers {
            self.tell_bridge(from, to, waited_s);
        }
        self.bridged.push(pair);
    }

    /// The two hear each other from now on.
    fn whispered(&mut self, call: CallSid) {
        let mut pairs = self.bridged.iter_mut();
        let Some(pair) = pairs.find(|pair| pair.waiter == call && pair.whispers) else {
            return; // one of them has gone meanwhile
        };
        pair.whispers = false;
        let (server, waited_s) = (pair.server, pair.waited_s);
        self.effects.push_back(QueueEffect::Bridge(call, server));
        self.tell_bridge(server, call, waited_s);
    }

    fn tell_bridge(&mut self, call: CallSid, other: CallSid, waited_s: u32) {
        let event = QueueEvent::Bridged(QueueBridge {
            sid: self.sid,
            call: other,
            waited_s,
        });
        self.effects.push_back(QueueEffect::Tell(call, event));
    }

    fn leave(&mut self, now: Instant, call: CallSid) {
        if let Some(at) = self.waiting.iter().position(|one| one.call == call) {
            let waited_s = self.waiting[at].seconds(now);
            self.waiting.remove(at);
            self.tell_exit(call, QueueOutcome::Left, waited_s);
            self.tell_places(at);
        } else if let Some(at) = self.serving.iter().position(|one| one.call == call) {
            self.serving.remove(at);
            self.tell_exit(call, QueueOutcome::Left, 0);
        } else if let Some(at) = self.bridged.iter().position(|pair| pair.has(call)) {
            let pair = self.bridged.swap_remove(at);
            self.tell_exit(pair.waiter, QueueOutcome::Bridged, pair.waited_s);
            if pair.whispers && pair.waiter == call {
                let server = Server {
                    call: pair.server,
                    whispers: true,
                };
                if !self.serve(now, server) {
                    self.serving.push_front(server); // nobody has come for it yet
                }
                return;
            }
            self.tell_exit(pair.server, QueueOutcome::Bridged, 0);
        }
    }

    /// Says where they are to those from this one on.
    fn tell_places(&mut self, from: usize) {
        let size = self.waiting.len() as u32;
        let average_wait_s = self.waited_s.checked_div(self.served).unwrap_or(0) as u32;
        for (position, waiter) in (1..).zip(&self.waiting).skip(from) {
            let event = QueueEvent::Waiting(QueuePlace {
                sid: self.sid,
                position,
                size,
                average_wait_s,
            });
            self.effects
                .push_back(QueueEffect::Tell(waiter.call, event));
        }
    }

    fn tell_exit(&mut self, call: CallSid, outcome: QueueOutcome, waited_s: u32) {
        let event = QueueEvent::Left(QueueExit {
            sid: self.sid,
            outcome,
            waited_s,
        });
        self.effects.push_back(QueueEffect::Tell(call, event));
    }
}

impl Waiter {
    fn seconds(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.since).as_secs()).unwrap_or(u32::MAX)
    }
}

impl Pair {
    fn has(&self, call: CallSid) -> bool {
        self.waiter == call || self.server == call
    }
}

#[cfg(test)]
mod tests;
