//! What an account's stories may take together of what all have: how many run at once, how much memory they have, and their part of the
//! few places that interpreters have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::AccountSid;
use plugin_host::{Allowance, Class};

/// What bounds the stories of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareLimits {
    /// Stories at once, of both classes together.
    pub(crate) stories: u32,
    /// Linear memory of them together, in bytes.
    pub(crate) memory_bytes: u64,
    /// Places for interpreters, of all accounts together.
    pub(crate) interpreted: u32,
}

/// Who has what, by account.
#[derive(Debug)]
pub(crate) struct Shares {
    limits: ShareLimits,
    accounts: Mutex<HashMap<AccountSid, Taken>>,
}

/// Of one account that has stories.
#[derive(Debug)]
struct Taken {
    stories: u32,
    interpreted: u32,
    memory: Allowance,
}

/// One story's part, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    account: AccountSid,
    class: Class,
    /// The account's memory.
    pub(crate) memory: Allowance,
}

/// Why a story of an account does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoShare {
    #[error("{0} flows of its account run: that is all it may have at once")]
    Stories(u32),
    #[error(
        "{0} interpreters of its account run: that is half of what others leave, and all it may have now"
    )]
    Interpreted(u32),
}

impl Shares {
    pub(crate) fn new(limits: ShareLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            accounts: Mutex::default(),
        })
    }

    /// A part for one more story.
    ///
    /// # Errors
    /// [`NoShare`], where the account has all that it may.
    pub(crate) fn take(
        self: &Arc<Self>,
        account: AccountSid,
        class: Class,
    ) -> Result<Share, NoShare> {
        let mut accounts = self.accounts();
        let by_all: u32 = accounts.values().map(|taken| taken.interpreted).sum();
        let (stories, own) = accounts
            .get(&account)
            .map_or((0, 0), |taken| (taken.stories, taken.interpreted));
        if stories >= self.limits.stories {
            return Err(NoShare::Stories(stories));
        }
        // Half of what the others leave, so that there is a place for one more account for as long as there is any.
        let left_by_others = self.limits.interpreted.saturating_sub(by_all - own);
        if class == Class::Interpreted && own > 0 && own >= left_by_others.div_ceil(2) {
            return Err(NoShare::Interpreted(own));
        }
        let taken = accounts.entry(account).or_insert_with(|| Taken {
            stories: 0,
            interpreted: 0,
            memory: Allowance::of(self.limits.memory_bytes),
        });
        taken.stories += 1;
        taken.interpreted += u32::from(class == Class::Interpreted);
        Ok(Share {
            shares: Arc::clone(self),
            account,
            class,
            memory: taken.memory.clone(),
        })
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountSid, Taken>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut accounts = self.shares.accounts();
        if let Some(taken) = accounts.get_mut(&self.account) {
            taken.stories -= 1;
            taken.interpreted -= u32::from(self.class == Class::Interpreted);
            if taken.stories == 0 {
                accounts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(stories: u32, interpreted: u32) -> Arc<Shares> {
        Shares::new(ShareLimits {
            stories,
            memory_bytes: 1_000,
            interpreted,
        })
    }

    fn account(number: u8) -> AccountSid {
        AccountSid::from_bytes([number; 16])
    }

    /// How many interpreters this account can begin now.
    fn interpreters(shares: &Arc<Shares>, number: u8) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(account(number), Class::Interpreted).ok()).collect()
    }

    #[test]
    fn no_account_takes_all_interpreters() {
        let shares = shares(5_000, 16);
        let first = interpreters(&shares, 1);
        let others: Vec<Vec<Share>> = (2..=5)
            .map(|number| interpreters(&shares, number))
            .collect();
        let counts: Vec<usize> = others.iter().map(Vec::len).collect();
        assert_eq!((first.len(), counts), (8, vec![4, 2, 1, 1]));
        let refused = shares.take(account(1), Class::Interpreted).unwrap_err();
        assert_eq!(refused, NoShare::Interpreted(8));
        assert!(
            shares.take(account(1), Class::Native).is_ok(),
            "another class"
        );
        // Who gives places back finds them there again.
        drop(first);
        assert_eq!(interpreters(&shares, 1).len(), 4);
    }

    #[test]
    fn a_single_place_is_for_whoever_comes() {
        let shares = shares(10, 1);
        let one = interpreters(&shares, 1);
        assert_eq!(one.len(), 1);
        drop(one);
        assert_eq!(interpreters(&shares, 2).len(), 1);
    }

    #[test]
    fn stories_of_both_classes_count_together_and_of_each_account_alone() {
        let shares = shares(3, 16);
        let held: Vec<Share> = [Class::Native, Class::Interpreted, Class::Native]
            .into_iter()
            .map(|class| shares.take(account(1), class).unwrap())
            .collect();
        let refused = shares.take(account(1), Class::Native).unwrap_err();
        assert_eq!(refused, NoShare::Stories(3));
        assert!(
            refused
                .to_string()
                .starts_with("3 flows of its account run")
        );
        assert!(shares.take(account(2), Class::Native).is_ok());
        drop(held);
        assert!(shares.accounts().is_empty(), "nothing is left");
    }
}
