//! How many calls of an account wait, by class.

use std::iter::Sum;

use store::Priority;

/// How many calls wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// Whose time has come: they wait for room, or for their queue to go on.
    pub due: usize,
    /// They wait for their time, or for the hours in which they may be dialled.
    pub later: usize,
}

/// How many calls of an account wait, the most urgent class first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountWaits([Waits; Priority::ALL.len()]);

impl AccountWaits {
    /// Each class, the most urgent first.
    pub fn by_class(&self) -> impl Iterator<Item = (Priority, Waits)> {
        Priority::ALL.into_iter().zip(self.0)
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().map(|waits| waits.due + waits.later).sum()
    }

    pub(crate) const fn count(&mut self, class: usize, is_later: bool) -> &mut usize {
        let waits = &mut self.0[class];
        match is_later {
            true => &mut waits.later,
            false => &mut waits.due,
        }
    }
}

impl Sum for AccountWaits {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            for (sum, one) in sum.0.iter_mut().zip(one.0) {
                sum.due += one.due;
                sum.later += one.later;
            }
            sum
        })
    }
}
