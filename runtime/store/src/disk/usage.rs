//! The table of what accounts' calls and recordings came to.

use call::AccountSid;
use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::tables::{self, failed};
use crate::{StoreError, UsageCategory, UsageOfDay};

/// Counts one more.
pub(super) fn add(
    transaction: &WriteTransaction,
    account: AccountSid,
    day: u32,
    category: UsageCategory,
    minutes: u64,
) -> Result<(), redb::Error> {
    let mut usage = transaction.open_table(tables::USAGE)?;
    let key = (account.as_bytes(), day, category.number());
    let (count, before) = usage.get(key)?.map_or((0, 0), |usage| usage.value());
    usage.insert(key, (count + 1, before + minutes))?;
    Ok(())
}

/// What an account's came to from the first of these days to the last.
pub(super) fn list(
    database: &Database,
    account: AccountSid,
    first: u32,
    last: u32,
) -> Result<Vec<UsageOfDay>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let usage = transaction.open_table(tables::USAGE).map_err(failed)?;
    let (lowest, highest) = (
        (account.as_bytes(), first, 0),
        (account.as_bytes(), last, u8::MAX),
    );
    if lowest > highest {
        return Ok(Vec::new());
    }
    let mut days = Vec::new();
    for row in usage.range(lowest..=highest).map_err(failed)? {
        let (key, value) = row.map_err(failed)?;
        let (_, day, number) = key.value();
        let (count, minutes) = value.value();
        let all = UsageCategory::ALL.into_iter();
        let category = all.clone().find(|category| category.number() == number);
        days.extend(category.map(|category| UsageOfDay {
            day,
            category,
            count,
            minutes,
        }));
    }
    Ok(days)
}
