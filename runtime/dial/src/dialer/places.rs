//! How many calls may wait.

use call::AccountSid;

use super::Dialer;

impl Dialer {
    /// Whether one more call of the account may wait.
    #[must_use]
    pub fn has_room(&self, account: AccountSid) -> bool {
        self.places(account) > 0
    }

    /// How many more calls of the account may wait.
    #[must_use]
    pub fn places(&self, account: AccountSid) -> usize {
        let expected: usize = self.expected.values().sum();
        let all = self.limits.all;
        let all = all.saturating_sub(self.waiting.len() + expected);
        let expected = self.expected.get(&account).copied().unwrap_or(0);
        let own = self.waits(account).total() + expected;
        let most = self.directory.account(account);
        // One that does not exist is refused for that.
        let most = most.map_or(all, |account| account.outbound.max_waiting as usize);
        most.saturating_sub(own).min(all)
    }

    /// Takes a place for a call of the account that is about to be accepted, so that nobody else has it meanwhile; false where none is left. It is
    /// given back by [`Self::give_place_back`] when the call waits, or is not accepted.
    pub fn take_place(&mut self, account: AccountSid) -> bool {
        let has_room = self.has_room(account);
        if has_room {
            *self.expected.entry(account).or_default() += 1;
        }
        has_room
    }

    /// A place that was taken is needed no more.
    pub fn give_place_back(&mut self, account: AccountSid) {
        if let Some(expected) = self.expected.get_mut(&account) {
            *expected = expected.saturating_sub(1);
            if *expected == 0 {
                self.expected.remove(&account);
            }
        }
    }
}
