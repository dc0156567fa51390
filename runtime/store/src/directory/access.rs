//! Who an API user is, and whose data that user may see.

use std::sync::Arc;

use call::{AccountSid, KeySid};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Directory;
use crate::{Account, Scope};

/// Who has proved to be asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiUser {
    /// Whose user it is.
    pub account: AccountSid,
    /// The key that was used; none for the account's own token.
    pub key: Option<KeySid>,
}

impl Directory {
    /// The user that `name`, an account's or a key's SID, and `password`, its token or secret, prove to be asking (Basic authentication of
    /// the API). Whether the account is in use is another question: [`Account::status`].
    ///
    /// The work is the same for a wrong password, an unknown SID and a text that is no SID: one hash of the password, two
    /// comparisons in constant time.
    #[must_use]
    pub fn authenticate(&self, name: &str, password: &str) -> Option<ApiUser> {
        let given = Sha256::digest(password);
        let hash = |secret: &str| -> [u8; 32] { Sha256::digest(secret).into() };
        let key: Option<KeySid> = name.parse().ok();
        let owner = match key {
            Some(key) => self.keys.get(&key).copied(),
            None => name.parse().ok(),
        };
        let account = owner.and_then(|sid| self.accounts.get(&sid));
        let [first, second] = match (account, key) {
            (Some(account), Some(key)) => {
                let secret = account.keys.get(&key).map(|key| key.secret.0);
                [secret, None]
            }
            (Some(account), None) => [
                Some(hash(account.auth_token.expose())),
                account
                    .secondary_token
                    .as_ref()
                    .map(|token| hash(token.expose())),
            ],
            (None, _) => [None, None],
        };
        // Nothing has the hash of zeros.
        let is = |expected: Option<[u8; 32]>| given.ct_eq(&expected.unwrap_or_default());
        let equal = is(first) | is(second);
        account
            .filter(|_| bool::from(equal))
            .map(|account| ApiUser {
                account: account.sid,
                key,
            })
    }

    /// What the user sees under the path of `account`: its own account's data, or those of a subaccount. None for all others, which look as
    /// if they did not exist.
    #[must_use]
    pub fn scope_of(&self, user: ApiUser, account: AccountSid) -> Option<Scope> {
        let is_own = user.account == account
            || self
                .accounts
                .get(&account)
                .is_some_and(|account| account.parent == Some(user.account));
        is_own.then(|| Scope::of_host(account))
    }

    /// What somebody sees who gives no credentials and asks for the file of a recording; to be used for nothing else. None unless the account
    /// is in use and set so.
    #[must_use]
    pub fn scope_of_open_recordings(&self, account: AccountSid) -> Option<Scope> {
        let is_open = self.accounts.get(&account)?.has_open_recordings;
        (is_open && self.is_active(account)).then(|| Scope::of_host(account))
    }

    /// The account whose channels, and calls in a second, this one uses: its parent's, or its own.
    #[must_use]
    pub fn payer(&self, account: AccountSid) -> AccountSid {
        let account_row = self.accounts.get(&account);
        account_row.map_or(account, |row| row.payer())
    }

    /// The accounts that this one made.
    pub fn subaccounts(&self, parent: AccountSid) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts
            .values()
            .filter(move |account| account.parent == Some(parent))
    }

    /// Whether the account is in use, and its parent too.
    #[must_use]
    pub fn is_active(&self, account: AccountSid) -> bool {
        let is_active = |sid: AccountSid| {
            let account = self.accounts.get(&sid);
            account.is_some_and(|account| account.status == crate::AccountStatus::Active)
        };
        is_active(account) && is_active(self.payer(account))
    }

    /// Whether the outbound calls of an account are to wait: its own queue is stopped, or its parent's.
    #[must_use]
    pub fn is_queue_stopped(&self, sid: AccountSid) -> bool {
        let is_stopped = |sid| {
            let account = self.accounts.get(&sid);
            account.is_some_and(|account| account.is_queue_stopped)
        };
        is_stopped(sid) || is_stopped(self.payer(sid))
    }

    /// The indexes of what is found by keys, and what subaccounts have from their parents.
    pub(super) fn index_accounts(&mut self) {
        let inherited: Vec<_> = (self.accounts.values())
            .filter_map(|account| {
                let parent = self.accounts.get(&account.parent?)?;
                let inherited = Account {
                    egress: parent.egress.clone(),
                    outbound: parent.outbound.clone(),
                    fallback: parent.fallback.clone(),
                    media_dir: parent.media_dir.clone(),
                    voice: parent.voice.clone(),
                    has_open_recordings: parent.has_open_recordings,
                    settings: parent.settings.clone(),
                    grants: parent.grants.clone(),
                    ..Account::clone(account)
                };
                // Whoever has changed nothing stays the same one: its calls that wait are not judged anew.
                (inherited != **account).then(|| Arc::new(inherited))
            })
            .collect();
        for account in inherited {
            self.accounts.insert(account.sid, account);
        }
        self.keys = (self.accounts.values())
            .flat_map(|account| account.keys.keys().map(|key| (*key, account.sid)))
            .collect();
    }
}
