//! The tables of key-value pairs.

use call::{AccountSid, KeyValueRead, KeyValueReply, KeyValueUsage, page_of_keys};
use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::tables::{KEY_VALUE_USAGE, KEY_VALUES, failed};
use crate::{Directory, Scope, StoreError, verbs};

/// Answers from the last durable state.
pub(super) fn read(
    database: &Database,
    directory: &Directory,
    scope: Scope,
    read: KeyValueRead,
) -> Result<KeyValueReply, StoreError> {
    read.check()?;
    let transaction = database.begin_read().map_err(failed)?;
    let pairs = transaction.open_table(KEY_VALUES).map_err(failed)?;
    let account = scope.account();
    match read {
        KeyValueRead::Get(key) => {
            let place = (account.as_bytes(), key.as_str());
            let sealed = pairs.get(place).map_err(failed)?;
            let value =
                sealed.map(|sealed| verbs::open_key_value(directory, scope, &key, sealed.value()));
            Ok(KeyValueReply::Value(value.transpose()?))
        }
        KeyValueRead::Exists(key) => {
            let found = pairs.get((account.as_bytes(), key.as_str()));
            Ok(KeyValueReply::Exists(found.map_err(failed)?.is_some()))
        }
        KeyValueRead::List { after } => {
            // No key is empty, so the empty text stands before them all.
            let after = after.unwrap_or_default();
            let places = pairs
                .range((account.as_bytes(), after.as_str())..)
                .map_err(failed)?
                .map(|place| {
                    let (key, _) = place.map_err(failed)?;
                    let (owner, key) = key.value();
                    Ok((*owner == *account.as_bytes(), key.to_owned()))
                })
                .take_while(|place| !matches!(place, Ok((false, _))))
                .map(|place| place.map(|(_, key)| key))
                .skip_while(|key| key.as_ref().is_ok_and(|key| *key == after));
            page_of_keys(places)
        }
    }
}

/// What an account's pairs take, as an open transaction sees it.
pub(super) fn usage(
    transaction: &WriteTransaction,
    account: AccountSid,
) -> Result<KeyValueUsage, StoreError> {
    let usages = transaction.open_table(KEY_VALUE_USAGE).map_err(failed)?;
    let usage = usages.get(account.as_bytes()).map_err(failed)?;
    let (keys, bytes) = usage.map_or((0, 0), |usage| usage.value());
    Ok(KeyValueUsage { keys, bytes })
}

/// A value as it is sealed, as an open transaction sees it.
pub(super) fn sealed(
    transaction: &WriteTransaction,
    account: AccountSid,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let pairs = transaction.open_table(KEY_VALUES).map_err(failed)?;
    let sealed = pairs.get((account.as_bytes(), key)).map_err(failed)?;
    Ok(sealed.map(|sealed| sealed.value().to_vec()))
}

/// Writes a value as it is sealed, or takes it out.
pub(super) fn put(
    transaction: &WriteTransaction,
    account: AccountSid,
    key: &str,
    sealed: Option<&[u8]>,
    usage: KeyValueUsage,
) -> Result<(), redb::Error> {
    let mut pairs = transaction.open_table(KEY_VALUES)?;
    match sealed {
        Some(sealed) => drop(pairs.insert((account.as_bytes(), key), sealed)?),
        None => drop(pairs.remove((account.as_bytes(), key))?),
    }
    transaction
        .open_table(KEY_VALUE_USAGE)?
        .insert(account.as_bytes(), (usage.keys, usage.bytes))?;
    Ok(())
}
