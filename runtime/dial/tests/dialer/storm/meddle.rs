//! What others do meanwhile: they call us, change limits, stop queues, and kill the process.

use call::{CallRecord, CallStatus};
use jackfield_dial::{CallRequest, Dialer, Input, NotNow, QueueLimits};
use store::{AccountStore as _, Author, OperatorEdit, QueueTerms, Store as _};

use super::agenda::{Happening, MINUTE, SECOND};
use super::observer::Up;
use super::plan::{PREFIXES, own_number};
use super::run::{Run, trunk_id, trunk_number};
use crate::world::{account, ms};

/// The longest that a far end takes to notice that a process has died.
const LOST: u64 = 30 * SECOND;

impl Run {
    /// A story's `dial`: now or never.
    pub(super) fn story_dials(&mut self, of: usize) {
        let prefix = self.random.below(PREFIXES.len() as u64) as usize;
        let asked = CallRequest {
            call: self.new_sid(),
            account: account(of),
            from: own_number(of),
            to: format!("{}999999", PREFIXES[prefix]),
            terms: QueueTerms::default(),
            tried: Vec::new(),
            plan: None,
        };
        let instant = self.now().instant;
        let trunk = match self.dialer.begin_now(instant, &asked) {
            Ok((trunk, _)) => trunk_number(&trunk),
            Err(NotNow::Refused(_)) if self.observer.plan.accounts[of].may_call => {
                self.observer.fail("refuses a story what is allowed")
            }
            Err(_) => return,
        };
        let up = Up {
            account: of,
            trunk,
            part: self.observer.plan.trunks[trunk].part_of(prefix),
            is_inbound: false,
        };
        self.observer.begin(self.clocks, asked.call, up);
        self.ring(asked.call, up);
    }

    /// A call comes in over a trunk, for an account of its carrier.
    pub(super) fn come_in(&mut self, trunk: usize) {
        let plan = &self.observer.plan;
        let (max, carrier) = (plan.trunks[trunk].limits.0, plan.trunks[trunk].carrier);
        let of_carrier = plan.accounts.iter().position(|of| of.carrier == carrier);
        let Some(of) = of_carrier else {
            return;
        };
        let prefix = self.random.below(PREFIXES.len() as u64) as usize;
        let part = self.observer.plan.trunks[trunk].part_of(prefix);
        let caller = format!("{}888888", PREFIXES[prefix]);
        let call = self.new_sid();
        let taken = self
            .dialer
            .take_channel(call, account(of), &trunk_id(trunk), &caller);
        if taken.is_err() {
            return;
        }
        if self.observer.up_on(trunk) >= max {
            self.observer.fail("lets a call in that has no channel");
        }
        let up = Up {
            account: of,
            trunk,
            part,
            is_inbound: true,
        };
        self.observer.up.insert(call, up);
        let ends = self.clocks.at_ms + SECOND + self.random.below(3 * MINUTE);
        self.at(ends, Happening::End(call));
    }

    /// The operator applies other limits.
    pub(super) fn change(&mut self) {
        self.observer.change(&mut self.random);
        self.observer.plan.apply(&self.store);
        self.feed(Input::Directory(self.store.directory()));
    }

    /// An account's queue is stopped, or goes on.
    pub(super) fn stop(&mut self, of: usize, is_stopped: bool) {
        let edit = OperatorEdit::StopQueue(account(of), is_stopped);
        let author = Author::operator(self.clocks.unix_ms);
        self.store.administer(edit, author).wait().unwrap();
        match is_stopped {
            true => self.observer.stopped.insert(of),
            false => self.observer.stopped.remove(&of),
        };
        self.observer.forget_turns();
        self.feed(Input::Directory(self.store.directory()));
    }

    /// The server asks its trunks whether they are there.
    pub(super) fn notice_soon(&mut self) {
        let soon = self.clocks.at_ms + self.random.below(5 * SECOND);
        self.at(soon, Happening::Watch);
    }

    /// The dialer is told which trunks do not answer.
    pub(super) fn watch(&mut self) {
        if self.observer.down == self.broken {
            return;
        }
        self.observer.down.clone_from(&self.broken);
        self.observer.forget_turns();
        let down = self.broken.iter().copied().map(trunk_id).collect();
        self.feed(Input::Down(down));
    }

    /// The process is killed, and after a while the next one finds what is on disk: calls that were up are over, those that wait go on
    /// waiting.
    pub(super) fn crash(&mut self) {
        self.totals.crashes += 1;
        let later = self.clocks.at_ms + self.random.below(20 * SECOND);
        self.pass_to(later);
        let up: Vec<_> = self
            .observer
            .up
            .iter()
            .map(|(sid, up)| (*sid, *up))
            .collect();
        for (call, up) in up {
            let lost = CallRecord::new(CallStatus::Failed, "node_lost");
            self.settle(call, Some(up.trunk), lost);
        }
        self.dialer = Dialer::new(self.store.directory(), QueueLimits::default());
        let now_ms = self.clocks.at_ms;
        self.observer.restart(now_ms + LOST);
        let until = self.now().instant + ms(LOST);
        for (call, up) in self.observer.orphans.clone() {
            // A number of the same part, or of none.
            let party = up
                .part
                .map_or("+85599", |prefix| PREFIXES[prefix])
                .to_owned()
                + "000000";
            let (of, trunk) = (account(up.account), trunk_id(up.trunk));
            self.dialer
                .take_lost(call, of, &trunk, &party, up.is_inbound, until);
            let notices = now_ms + self.random.below(LOST);
            self.at(notices, Happening::LetsGo(call));
        }
        let (now, dialer) = (self.now(), &mut self.dialer);
        self.store
            .queued(&mut |place, call| dialer.take_in(now, place, call.into()))
            .unwrap();
        self.notice_soon();
        self.feed(Input::Timeout);
    }
}
