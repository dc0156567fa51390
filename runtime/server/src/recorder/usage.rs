//! What each account records and keeps in the data folder.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use call::AccountSid;

/// What an account may record and keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub(super) recordings: u32,
    /// None: as much as there is room for.
    pub(super) bytes: Option<u64>,
}

/// Counts of all accounts.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<HashMap<AccountSid, Account>>);

#[derive(Debug, Default)]
struct Account {
    recordings: u32,
    bytes: u64,
}

impl Usage {
    pub(super) fn of(kept: Vec<(AccountSid, u64)>) -> Self {
        let accounts = kept.into_iter().map(|(account, bytes)| {
            let recordings = 0;
            (account, Account { recordings, bytes })
        });
        Self(Mutex::new(accounts.collect()))
    }

    /// One more recording of the account begins, or why none may.
    pub(super) fn begin(&self, account: AccountSid, caps: Caps) -> Result<(), String> {
        let mut accounts = self.lock();
        let own = accounts.entry(account).or_default();
        if own.recordings >= caps.recordings {
            return Err(format!(
                "the account has {} recordings going on, which is its limit (recording.max_per_account)",
                caps.recordings
            ));
        }
        if caps.bytes.is_some_and(|most| own.bytes >= most) {
            return Err(format!(
                "the account keeps {} bytes of recordings, which is its limit: delete some (recording.max_mib_per_account)",
                own.bytes
            ));
        }
        own.recordings += 1;
        Ok(())
    }

    /// One has ended and left a file of so many bytes.
    pub(super) fn end(&self, account: AccountSid, bytes: u64) {
        let mut accounts = self.lock();
        let own = accounts.entry(account).or_default();
        own.recordings = own.recordings.saturating_sub(1);
        own.bytes = own.bytes.saturating_add(bytes);
    }

    /// Files of so many bytes are gone from the data folder.
    pub(super) fn removed(&self, account: AccountSid, bytes: u64) {
        let mut accounts = self.lock();
        let own = accounts.entry(account).or_default();
        own.bytes = own.bytes.saturating_sub(bytes);
    }

    /// Recordings that go on, of all accounts.
    pub(super) fn going_on(&self) -> u64 {
        self.lock()
            .values()
            .map(|own| u64::from(own.recordings))
            .sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountSid, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_limits_and_others_have_theirs() {
        let [one, other] = [1, 2].map(|byte| AccountSid::from_bytes([byte; 16]));
        let usage = Usage::of(vec![(one, 90)]);
        let caps = Caps {
            recordings: 2,
            bytes: Some(100),
        };
        let begin = |account| usage.begin(account, caps);
        assert_eq!((begin(one), begin(one)), (Ok(()), Ok(())));
        assert!(
            begin(one)
                .unwrap_err()
                .contains("recording.max_per_account")
        );
        assert_eq!(begin(other), Ok(()));
        assert_eq!(usage.going_on(), 3);
        usage.end(one, 10);
        assert!(
            begin(one)
                .unwrap_err()
                .contains("recording.max_mib_per_account")
        );
        usage.removed(one, 50);
        assert_eq!(begin(one), Ok(()));
    }
}
