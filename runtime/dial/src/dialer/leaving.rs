//! INVITEs that are ready, and leave one after the other as the rates have it.
//!
//! A call takes a start of its trunk, account and carrier when it begins, and the disk and the name servers may take any time from there to its
//! INVITE. After a stall a second's worth of calls would leave together. So each takes a start again at the last moment.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use call::{AccountSid, CallSid};
use store::TrunkId;

use super::{Dialer, Output};
use crate::pace::Pace;

/// For how long calls begin behind one that is ready and cannot leave. A disk that writes some together makes these wait for less than that, and
/// nothing is lost; after a long stall those who wait go first.
const MOST_BEHIND: Duration = Duration::from_secs(1);

/// Whose starts a call needs: the trunk's, with its carrier's, and the account's.
type Starts = (TrunkId, AccountSid);

/// The calls that are ready, in the order in which they were.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    lines: BTreeMap<Starts, VecDeque<Ready>>,
    next_number: u64,
}

#[derive(Debug)]
struct Ready {
    call: CallSid,
    number: u64,
    since: Instant,
}

impl Dialer {
    /// The INVITE of a call may leave as soon as the rates have room for it, where nobody has given the call up meanwhile.
    pub(super) fn ready(&mut self, now: Instant, call: CallSid) {
        let Some(held) = self.held.get_mut(&call) else {
            // It holds nothing that a limit counts.
            return self.outputs.push_back(Output::Leave(call));
        };
        if let Some(waited) = held.waited.as_ref().filter(|waited| waited.is_canceled) {
            let account = waited.request.account;
            return self.outputs.push_back(Output::Canceled { call, account });
        }
        let number = self.leaving.next_number;
        self.leaving.next_number += 1;
        held.ready = Some(number);
        let line = (held.trunk.clone(), held.payer);
        self.leaving
            .lines
            .entry(line)
            .or_default()
            .push_back(Ready {
                call,
                number,
                since: now,
            });
        self.let_leave(now);
        self.deadline = self.deadline.into_iter().chain(self.next_leaves_at()).min();
    }

    /// Lets those leave for whom the rates have room, and nobody begin behind those who have waited for it for long.
    pub(super) fn let_leave(&mut self, now: Instant) {
        if self.leaving.lines.is_empty() {
            return;
        }
        self.forget_those_who_ended();
        while let Some(line) = self.next_to_leave(now) {
            self.pace_of(&line, |pace| pace.leaves.take(now));
            let ready = self.leaving.lines.get_mut(&line);
            if let Some(ready) = ready.and_then(VecDeque::pop_front) {
                if let Some(held) = self.held.get_mut(&ready.call) {
                    held.ready = None;
                }
                self.outputs.push_back(Output::Leave(ready.call));
            }
            self.forget_those_who_ended();
        }
        let is_late = |ready: &Ready| ready.since + MOST_BEHIND <= now;
        let late = self.leaving.lines.iter();
        let late = late.filter(|(_, line)| line.front().is_some_and(is_late));
        let late: Vec<Starts> = late.map(|(starts, _)| starts.clone()).collect();
        for starts in late {
            // Whose rate it is that they wait for; others' calls begin as before.
            let at = self.leaves_at(&starts).filter(|at| *at > now);
            self.pace_of(&starts, |pace| {
                if at.is_some() && pace.leaves.ready_at() == at {
                    pace.hold_back();
                }
            });
        }
    }

    /// When the next of those who are ready may leave.
    pub(super) fn next_leaves_at(&self) -> Option<Instant> {
        let lines = self.leaving.lines.keys();
        lines.filter_map(|line| self.leaves_at(line)).min()
    }

    /// Of those in front of their lines who may leave, the one that was ready first.
    fn next_to_leave(&self, now: Instant) -> Option<Starts> {
        let lines = self.leaving.lines.iter();
        let may_leave =
            lines.filter(|(starts, _)| self.leaves_at(starts).is_none_or(|at| at <= now));
        let fronts = may_leave.filter_map(|(starts, line)| Some((line.front()?.number, starts)));
        fronts.min().map(|(_, starts)| starts.clone())
    }

    /// When trunk, account and carrier have a start; none: at any time.
    fn leaves_at(&self, (trunk, payer): &Starts) -> Option<Instant> {
        let carrier = self.directory.trunk(trunk);
        let carrier = carrier.and_then(|trunk| self.carriers.get(&trunk.carrier));
        let trunk = self.trunks.get(trunk).map(|trunk| &trunk.whole.pace);
        let own = self.accounts.get(payer).map(|own| &own.pace);
        let all = [carrier, trunk, own].into_iter().flatten();
        all.filter_map(|pace| pace.leaves.ready_at()).max()
    }

    fn pace_of(&mut self, (trunk, payer): &Starts, mut change: impl FnMut(&mut Pace)) {
        let carrier = self.directory.trunk(trunk);
        let carrier = carrier.and_then(|trunk| self.carriers.get_mut(&trunk.carrier));
        let trunk = self.trunks.get_mut(trunk);
        let trunk = trunk.map(|trunk| &mut trunk.whole.pace);
        let own = self.accounts.get_mut(payer).map(|own| &mut own.pace);
        for pace in [carrier, trunk, own].into_iter().flatten() {
            change(pace);
        }
    }

    /// Those who were given up while they waited take no start.
    fn forget_those_who_ended(&mut self) {
        let held = &self.held;
        let is_there = |ready: &Ready| {
            let held = held.get(&ready.call);
            held.is_some_and(|held| held.ready == Some(ready.number))
        };
        self.leaving.lines.retain(|_, line| {
            while line.front().is_some_and(|ready| !is_there(ready)) {
                line.pop_front();
            }
            !line.is_empty()
        });
    }
}
