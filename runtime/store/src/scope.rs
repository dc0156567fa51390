//! For whom a read or a new call is made.

use call::AccountSid;

/// One account's view of the store. Only the [`crate::Directory`] gives one to a stranger, who has proved to be a user or asks for what is open
/// to all, so a query that is not limited to one account cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(AccountSid);

impl Scope {
    /// The host itself acts for an account, as when a call to the account's number comes in. Never for a request's sake:
    /// there the account comes from authentication.
    #[must_use]
    pub const fn of_host(account: AccountSid) -> Self {
        Self(account)
    }

    /// The account whose view this is.
    #[must_use]
    pub const fn account(self) -> AccountSid {
        self.0
    }
}
