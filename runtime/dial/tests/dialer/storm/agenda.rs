//! What is going to happen, and when.

use call::CallSid;

use super::people::ORDERS_WITHIN_MS;
use super::run::Run;
use crate::random::Random;

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;

/// What is bound to happen, by virtual milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// The application orders a call, not before this time on the wall.
    Order(usize, Option<u64>),
    TakeBack(usize),
    TakeAllBack(usize),
    /// A story dials somebody, who does not wait.
    StoryDials(usize),
    ComesIn(usize),
    End(CallSid),
    /// The far end notices that nobody is there any more.
    LetsGo(CallSid),
    /// The far end has no room; seconds of its `Retry-After`, 0 for none.
    Congested(CallSid, u64),
    Change,
    Stop(usize),
    Resume(usize),
    Breaks(usize),
    Works(usize),
    /// The server notices which trunks do not answer.
    Watch,
    /// Somebody sets the clock on the wall by so many milliseconds.
    Jump(i64),
    Crash,
}

impl Run {
    /// Writes down what is going to happen whatever the dialer does.
    pub(super) fn foretell(&mut self) {
        let (trunks, accounts) = {
            let plan = &self.observer.plan;
            (plan.trunks.len() as u64, plan.accounts.len() as u64)
        };
        let has_hidden_lines = self.random.below(2) == 0;
        for person in 0..self.people.len() {
            let at = self.some_time();
            self.at(at, Happening::Order(person, None));
            if self.random.below(10) == 0 {
                let later = at + self.random.below(5 * MINUTE);
                self.at(later, Happening::TakeBack(person));
            }
        }
        for trunk in 0..trunks as usize {
            let part = self.observer.plan.trunks[trunk].part.map(|(of, _)| of);
            for part in [None, part] {
                if has_hidden_lines && self.random.below(2) == 0 {
                    self.lines
                        .insert((trunk, part), self.random.below(4) as u32);
                }
            }
            if self.random.below(3) == 0 {
                let at = self.some_time();
                self.at(at, Happening::Breaks(trunk));
                let later = at + self.random.below(20 * MINUTE);
                self.at(later, Happening::Works(trunk));
            }
        }
        self.some_times(3, |_| Happening::Change);
        self.some_times(4, |_| Happening::Crash);
        self.some_times(
            6,
            |random| Happening::ComesIn(random.below(trunks) as usize),
        );
        self.some_times(6, |random| {
            Happening::StoryDials(random.below(accounts) as usize)
        });
        self.some_times(2, |random| {
            Happening::TakeAllBack(random.below(accounts) as usize)
        });
        self.some_times(4, jump);
        if self.random.below(3) == 0 {
            let (of, at) = (self.random.below(accounts) as usize, self.some_time());
            self.at(at, Happening::Stop(of));
            let later = at + self.random.below(10 * MINUTE);
            self.at(later, Happening::Resume(of));
        }
    }

    fn some_time(&mut self) -> u64 {
        self.random.below(ORDERS_WITHIN_MS)
    }

    /// Up to `most - 1` times.
    fn some_times(&mut self, most: u64, happening: impl Fn(&mut Random) -> Happening) {
        for _ in 0..self.random.below(most) {
            let at = self.some_time();
            let happening = happening(&mut self.random);
            self.at(at, happening);
        }
    }
}

fn jump(random: &mut Random) -> Happening {
    let far = [SECOND, MINUTE, 10 * MINUTE, 120 * MINUTE][random.below(4) as usize] as i64;
    Happening::Jump(if random.below(2) == 0 { far } else { -far })
}
