//! Calls that wait: their places, their times, and how they leave.

use std::sync::Arc;
use std::time::Instant;

use call::{AccountSid, CallSid};
use store::{Priority, QueueTerms};

use super::held::Waited;
use super::routes::{Route, Way};
use super::{CallRequest, Dialer, Now, Output};
use crate::line::Place;
use crate::policy::Refusal;

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) request: CallRequest,
    pub(super) payer: AccountSid,
    pub(super) route: Arc<Route>,
    /// Its class when it was judged, as an index of the lines.
    pub(super) class: usize,
    /// Which directory it was judged by.
    pub(super) judged_by: u64,
    pub(super) sequence: u64,
    /// Its policy was asked about it, and did not decide.
    pub(super) is_asked: bool,
    /// It waits for this time, in milliseconds since the Unix epoch; without one it stands in a line.
    pub(super) due_unix_ms: Option<u64>,
    /// It was put off until then, however the clock on the wall is set.
    pub(super) put_off_until: Option<Instant>,
}

/// A call that is to wait, and for which no place is chosen yet.
pub(super) struct Unjudged {
    pub(super) request: CallRequest,
    pub(super) sequence: u64,
    pub(super) due_unix_ms: Option<u64>,
    pub(super) put_off_until: Option<Instant>,
    pub(super) is_asked: bool,
}

impl Waiting {
    fn place<'w>(&'w self, way: &'w Way) -> Place<'w> {
        Place {
            account: self.payer,
            route: &self.route,
            part: &way.part,
            sequence: self.sequence,
        }
    }

    /// To be judged again.
    pub(super) fn unjudged(self) -> Unjudged {
        Unjudged {
            request: self.request,
            sequence: self.sequence,
            due_unix_ms: self.due_unix_ms,
            put_off_until: self.put_off_until,
            is_asked: self.is_asked,
        }
    }
}

impl Dialer {
    /// Takes in a call that waited when the process before this one ended. Nobody is dialled for it before the next [`Self::handle`], so that
    /// the most urgent goes first, wherever it stands among those that are taken in. `place`: before and behind whom of its account and class
    /// it waits.
    pub fn take_in(&mut self, now: Now, place: u64, request: CallRequest) {
        self.next_sequence = self.next_sequence.max(place + 1);
        self.admit(now, request, place);
    }

    /// Takes a call that is on disk. Whoever ordered it asked whether there was [room](Self::has_room); that others asked at the same time
    /// does not make it fail.
    pub(super) fn accept(&mut self, now: Now, request: CallRequest) {
        if self.waiting.contains_key(&request.call) || self.held.contains_key(&request.call) {
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.admit(now, request, sequence);
    }

    /// Lets a call wait at this place in the order, or refuses it.
    pub(super) fn admit(&mut self, now: Now, request: CallRequest, sequence: u64) {
        self.admit_after(now, request, sequence, None);
    }

    /// As [`Self::admit`], no earlier than then.
    pub(super) fn admit_after(
        &mut self,
        now: Now,
        request: CallRequest,
        sequence: u64,
        put_off_until: Option<Instant>,
    ) {
        self.judge(Unjudged {
            due_unix_ms: due(now, &request.terms, put_off_until),
            request,
            sequence,
            put_off_until,
            is_asked: false,
        });
    }

    /// Lets a call wait where it belongs now, or refuses it.
    pub(super) fn judge(&mut self, call: Unjudged) {
        let request = call.request;
        match self.ways(&request) {
            Ok(ways) => {
                let waiting = Waiting {
                    payer: self.directory.payer(request.account),
                    route: self.routes.of(ways),
                    class: self.class(&request),
                    judged_by: self.judging.directory(),
                    sequence: call.sequence,
                    is_asked: call.is_asked,
                    due_unix_ms: call.due_unix_ms,
                    put_off_until: call.put_off_until,
                    request,
                };
                self.enqueue(waiting);
            }
            Err(reason) => self.refuse_call(&request, reason),
        }
    }

    pub(super) fn refuse_call(&mut self, request: &CallRequest, reason: Refusal) {
        self.outputs.push_back(Output::Refuse {
            call: request.call,
            account: request.account,
            reason,
        });
    }

    pub(super) fn cancel(&mut self, call: CallSid) {
        if let Some(waiting) = self.take_out(call) {
            let account = waiting.request.account;
            self.outputs.push_back(Output::Canceled { call, account });
        }
    }

    /// Lets a call that was attempted stand at its old place again, unless it was cancelled meanwhile.
    pub(super) fn wait_again(&mut self, now: Now, waited: Waited) {
        let CallRequest { call, account, .. } = waited.request;
        if waited.is_canceled {
            self.outputs.push_back(Output::Canceled { call, account });
            return;
        }
        self.judge(Unjudged {
            due_unix_ms: due(now, &waited.request.terms, None),
            request: waited.request,
            sequence: waited.sequence,
            put_off_until: None,
            is_asked: waited.is_asked,
        });
    }

    fn enqueue(&mut self, waiting: Waiting) {
        let CallRequest { call, account, .. } = waiting.request;
        self.schedule
            .add(call, waiting.due_unix_ms, &waiting.request.terms);
        if waiting.due_unix_ms.is_none() {
            self.join_line(&waiting);
        }
        let waits = self.waiting_by_account.entry(account).or_default();
        *waits.count(waiting.class, waiting.due_unix_ms.is_some()) += 1;
        self.waiting.insert(call, Box::new(waiting));
    }

    /// Takes a call out of the queue and every line it stands in.
    pub(super) fn take_out(&mut self, call: CallSid) -> Option<Waiting> {
        let waiting = *self.waiting.remove(&call)?;
        let account = waiting.request.account;
        if let Some(waits) = self.waiting_by_account.get_mut(&account) {
            *waits.count(waiting.class, waiting.due_unix_ms.is_some()) -= 1;
            if waits.total() == 0 {
                self.waiting_by_account.remove(&account);
            }
        }
        self.schedule
            .remove(call, waiting.due_unix_ms, &waiting.request.terms);
        self.leave_line(&waiting);
        Some(waiting)
    }

    /// The calls of an account whose queue is stopped stand in no line: the directory that lets it go on puts them into theirs.
    fn join_line(&mut self, waiting: &Waiting) {
        if self.directory.is_queue_stopped(waiting.request.account) {
            return;
        }
        let lines = &mut self.lines[waiting.class];
        for way in &waiting.route.ways {
            let place = waiting.place(way);
            match lines.get_mut(&way.trunk) {
                Some(line) => line.push(place, waiting.request.call),
                None => lines
                    .entry(way.trunk.clone())
                    .or_default()
                    .push(place, waiting.request.call),
            }
        }
    }

    fn leave_line(&mut self, waiting: &Waiting) {
        if waiting.due_unix_ms.is_some() {
            return;
        }
        for way in &waiting.route.ways {
            if let Some(line) = self.lines[waiting.class].get_mut(&way.trunk) {
                line.remove(waiting.place(way));
            }
        }
    }

    /// The class of a call, as an index of [`Self::lines`]: what it asks for, where its account may have that.
    pub(super) fn class(&self, request: &CallRequest) -> usize {
        let highest = self.highest_class(request.account);
        request.terms.priority.max(highest) as usize
    }

    /// The most urgent class that an account may have.
    pub(super) fn highest_class(&self, account: AccountSid) -> Priority {
        let account = self.directory.account(account);
        account.map_or(Priority::Normal, |account| {
            account.outbound.queue.highest_priority
        })
    }

    /// Lets a call stand in its line, or wait for the time at which it may be dialled.
    pub(super) fn put_off(&mut self, now: Now, call: CallSid) {
        if let Some(mut waiting) = self.take_out(call) {
            waiting.due_unix_ms = due(now, &waiting.request.terms, waiting.put_off_until);
            self.enqueue(waiting);
        }
    }
}

/// When a call may be dialled that was put off until then; none: now.
pub(super) fn due(now: Now, terms: &QueueTerms, put_off_until: Option<Instant>) -> Option<u64> {
    let pause = put_off_until.map(|until| until.saturating_duration_since(now.instant));
    let pause = pause.map_or(0, |pause| u64::try_from(pause.as_millis()).unwrap_or(0));
    let first = terms.first_time(now.unix_ms.saturating_add(pause));
    Some(first).filter(|at| *at > now.unix_ms)
}
