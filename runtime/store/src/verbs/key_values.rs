//! What a write of a key-value pair does, and how values are sealed.

use call::{AccountSid, KeyValueReply, KeyValueWrite};
use sha2::{Digest, Sha256};

use crate::rows::Rows;
use crate::seal::Purpose;
use crate::{Account, Directory, Scope, StoreError};

/// Changes one pair of the account.
pub(crate) fn write_key_value(
    rows: &mut dyn Rows,
    scope: Scope,
    write: KeyValueWrite,
) -> Result<KeyValueReply, StoreError> {
    let directory = rows.directory();
    let account = directory.account_of(scope)?;
    let sealed = rows.key_value(account.sid, write.key())?;
    let before = sealed.map(|sealed| open(account, write.key(), &sealed));
    let usage = rows.key_value_usage(account.sid)?;
    let change = write.plan(before.transpose()?.as_deref(), usage)?;
    let bound = bound_to(account.sid, &change.key);
    let seal = |value: Vec<u8>| account.key.seal(Purpose::KeyValue, &bound, &value);
    let sealed = change.value.map(seal);
    rows.put_key_value(account.sid, &change.key, sealed.as_deref(), change.usage)?;
    Ok(change.reply)
}

/// Opens what [`write_key_value`] sealed.
pub(crate) fn open_key_value(
    directory: &Directory,
    scope: Scope,
    key: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    open(directory.account_of(scope)?, key, sealed)
}

fn open(account: &Account, key: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let bound = bound_to(account.sid, key);
    let value = account.key.open(Purpose::KeyValue, &bound, sealed);
    value.map_err(|error| {
        StoreError::Corrupt(format!(
            "key-value pair {key:?} of {}: {error}",
            account.sid
        ))
    })
}

/// A value is bound to its account and its key, so that none opens in another's place.
fn bound_to(account: AccountSid, key: &str) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(account.as_bytes())
        .chain_update(key)
        .finalize();
    *digest
        .first_chunk()
        .expect("a digest of 32 bytes has a first half")
}
