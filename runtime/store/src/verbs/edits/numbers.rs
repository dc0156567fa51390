//! Edits of the numbers that an account has.

use call::PhoneNumberSid;

use super::Plan;
use crate::apply::Gone;
use crate::edit::Patch;
use crate::{Account, Directory, Item, Number, PhoneNumber, Scope, StoreError};

pub(super) fn take(
    directory: &Directory,
    account: &Account,
    number: PhoneNumber,
    patch: Patch<Number>,
    at: u64,
) -> Result<Plan, StoreError> {
    if !directory
        .free_numbers(&account.carrier)
        .any(|free| *free == number)
    {
        return Err(StoreError::NotThere);
    }
    let taken = Number {
        created_unix_ms: at,
        ..Number::taken(number, account.carrier.clone(), account.sid)
    };
    Ok(Plan::of_number(patched(&taken, patch, at)))
}

pub(super) fn change(
    directory: &Directory,
    scope: Scope,
    sid: PhoneNumberSid,
    patch: Patch<Number>,
    at: u64,
) -> Result<Plan, StoreError> {
    let before = directory
        .number_of(scope, sid)
        .ok_or(StoreError::NotThere)?;
    Ok(Plan::of_number(patched(before, patch, at)))
}

pub(super) fn release(
    directory: &Directory,
    scope: Scope,
    sid: PhoneNumberSid,
) -> Result<Plan, StoreError> {
    let number = directory
        .number_of(scope, sid)
        .ok_or(StoreError::NotThere)?;
    Ok(without(number))
}

fn patched(before: &Number, patch: Patch<Number>, at: u64) -> Number {
    let mut number = before.clone();
    patch(&mut number);
    Number {
        number: before.number.clone(),
        carrier: before.carrier.clone(),
        account: before.account,
        created_unix_ms: before.created_unix_ms,
        updated_unix_ms: at,
        ..number
    }
}

pub(super) fn without(number: &Number) -> Plan {
    let (carrier, number) = (number.carrier.clone(), number.number.clone());
    Plan::without(
        Item::Number(carrier.clone(), number.clone()),
        Gone::Number(carrier, number),
    )
}
