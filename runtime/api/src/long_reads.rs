//! Reads that take long: of a whole broadcast, of many calls and their journals, of a recording as MP3. Few at once, so that no account takes the disk and the
//! processors from the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::AccountSid;

use crate::problem::Problem;

/// How many go on at once.
#[derive(Debug)]
struct Bounds {
    of_an_account: usize,
    in_all: usize,
    /// What they are called.
    name: &'static str,
}

const OF_ROWS: Bounds = Bounds {
    of_an_account: 2,
    in_all: 8,
    name: "long reads (statistics, dry runs, results, routed calls, notifications)",
};
/// What a slow client has not taken yet lies on the disk meanwhile.
const OF_MP3: Bounds = Bounds {
    of_an_account: 32,
    in_all: 256,
    name: "downloads of MP3 files",
};

/// Those of one kind that go on.
#[derive(Debug)]
pub(crate) struct LongReads {
    bounds: Bounds,
    going_on: Mutex<HashMap<AccountSid, usize>>,
}

/// Recordings that are fetched as MP3.
#[derive(Debug, Clone)]
pub(crate) struct Mp3Reads(pub(crate) Arc<LongReads>);

impl Default for LongReads {
    /// Of rows of the store.
    fn default() -> Self {
        Self::of(OF_ROWS)
    }
}

impl Default for Mp3Reads {
    fn default() -> Self {
        Self(Arc::new(LongReads::of(OF_MP3)))
    }
}

/// One that goes on, until it is dropped.
#[derive(Debug)]
pub(crate) struct LongRead {
    all: Arc<LongReads>,
    account: AccountSid,
}

impl LongReads {
    fn of(bounds: Bounds) -> Self {
        Self {
            bounds,
            going_on: Mutex::default(),
        }
    }

    /// Begins one; 429 where as many go on as may.
    pub(crate) fn begin(self: &Arc<Self>, account: AccountSid) -> Result<LongRead, Problem> {
        let mut going_on = self.lock();
        let own = going_on.get(&account).copied().unwrap_or(0);
        let Bounds {
            of_an_account,
            in_all,
            name,
        } = self.bounds;
        if own >= of_an_account {
            return Err(Problem::busy(format!(
                "This account has {of_an_account} {name} under way, which is the most: try again when one is over"
            )));
        }
        if going_on.values().sum::<usize>() >= in_all {
            return Err(Problem::busy(format!(
                "Other accounts have too many {name} under way: try again in a moment"
            )));
        }
        *going_on.entry(account).or_default() += 1;
        Ok(LongRead {
            all: Arc::clone(self),
            account,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountSid, usize>> {
        self.going_on.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(of(1).unwrap_err().code, 20429, "there are eight again");
        drop((second, others, again));
        assert!(reads.lock().is_empty());
    }
}
