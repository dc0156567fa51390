//! Reads of a whole broadcast, or of many calls: few at once, so that no account takes the disk and the processors from the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::AccountSid;

use crate::problem::Problem;

/// Of one account at once.
const OF_AN_ACCOUNT: usize = 2;
/// In all.
const IN_ALL: usize = 8;

/// Those that go on.
#[derive(Debug, Default)]
pub(crate) struct LongReads(Mutex<HashMap<AccountSid, usize>>);

/// One that goes on, until it is dropped.
#[derive(Debug)]
pub(crate) struct LongRead {
    all: Arc<LongReads>,
    account: AccountSid,
}

impl LongReads {
    /// Begins one; 429 where as many go on as may.
    pub(crate) fn begin(self: &Arc<Self>, account: AccountSid) -> Result<LongRead, Problem> {
        let mut going_on = self.lock();
        let own = going_on.get(&account).copied().unwrap_or(0);
        if own >= OF_AN_ACCOUNT {
            return Err(Problem::busy(format!(
                "This account has {OF_AN_ACCOUNT} long reads under way (statistics, dry runs, results, routed calls), which is the most: try again when one is over"
            )));
        }
        if going_on.values().sum::<usize>() >= IN_ALL {
            return Err(Problem::busy(
                "Other accounts have too many long reads under way: try again in a moment",
            ));
        }
        *going_on.entry(account).or_default() += 1;
        Ok(LongRead {
            all: Arc::clone(self),
            account,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountSid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LongRead {
    fn drop(&mut self) {
        let mut going_on = self.all.lock();
        match going_on.get_mut(&self.account) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(going_on.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_few_and_leaves_room_for_others() {
        let reads = Arc::new(LongReads::default());
        let of = |account: u8| reads.begin(AccountSid::from_bytes([account; 16]));
        let first = of(1).unwrap();
        let second = of(1).unwrap();
        assert_eq!(of(1).unwrap_err().code, 20429);
        let others: Vec<_> = (2..8).map(|account| of(account).unwrap()).collect();
        assert!(of(9).unwrap_err().message.starts_with("Other accounts"));
        drop(first);
        let again = of(9).unwrap();
        assert_eq!(of(1).unwrap_err().code, 20429, "there are {IN_ALL} again");
        drop((second, others, again));
        assert!(reads.lock().is_empty());
    }
}
