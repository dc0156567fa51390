//! Edits of an account's keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use call::KeySid;

use super::Plan;
use crate::apply::Change;
use crate::{Account, ApiKey, MAX_KEYS, Secret, Sha256Digest, StoreError};

pub(super) fn make(
    account: &Account,
    sid: KeySid,
    name: String,
    secret: &Secret,
    at: u64,
) -> Result<Plan, StoreError> {
    if account.keys.len() >= MAX_KEYS {
        return Err(StoreError::NotPossible(format!(
            "An account has at most {MAX_KEYS} keys: delete one"
        )));
    }
    let key = ApiKey {
        name,
        secret: Sha256Digest::of(secret.expose().as_bytes()),
        created_unix_ms: at,
        updated_unix_ms: at,
    };
    let mut account = account.clone();
    account.keys.insert(sid, key);
    Ok(of_key(account, sid))
}

pub(super) fn rename(
    account: &Account,
    sid: KeySid,
    name: String,
    at: u64,
) -> Result<Plan, StoreError> {
    with_keys(account, sid, |keys| {
        if let Some(key) = keys.get_mut(&sid) {
            key.name = name;
            key.updated_unix_ms = at;
        }
    })
}

pub(super) fn delete(account: &Account, sid: KeySid) -> Result<Plan, StoreError> {
    with_keys(account, sid, |keys| drop(keys.remove(&sid)))
}

fn with_keys(
    account: &Account,
    sid: KeySid,
    change: impl FnOnce(&mut BTreeMap<KeySid, ApiKey>),
) -> Result<Plan, StoreError> {
    account.keys.get(&sid).ok_or(StoreError::NotThere)?;
    let mut account = account.clone();
    change(&mut account.keys);
    Ok(of_key(account, sid))
}

/// What a file says of an account has nothing to do with its keys.
fn of_key(account: Account, sid: KeySid) -> Plan {
    let thing = format!("key {sid} of account {}", account.sid);
    Plan::beside(thing, Change::Account(Arc::new(account)))
}
