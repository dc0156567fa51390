//! Edits of accounts: their subaccounts, their names and status, their tokens.

use std::collections::BTreeMap;

use call::AccountSid;

use super::{Plan, impossible, numbers};
use crate::apply::{Change, Gone};
use crate::seal::DataKey;
use crate::{
    Account, AccountStatus, Directory, Item, MAX_SUBACCOUNTS, PluginOwner, Secret, StoreError,
};

/// Only an account without a parent has subaccounts. Names are one of their kind within the carrier.
pub(super) fn make_subaccount(
    directory: &Directory,
    parent: &Account,
    sid: AccountSid,
    name: String,
    at: u64,
) -> Result<Plan, StoreError> {
    if parent.parent.is_some() {
        return Err(impossible("A subaccount has no subaccounts"));
    }
    let used = directory.subaccounts(parent.sid);
    if used
        .filter(|account| account.status != AccountStatus::Closed)
        .count()
        >= MAX_SUBACCOUNTS
    {
        return Err(StoreError::NotPossible(format!(
            "An account has at most {MAX_SUBACCOUNTS} subaccounts: close one"
        )));
    }
    check_name(directory, parent, sid, &name)?;
    Ok(Plan::of_account(Account {
        sid,
        name,
        parent: Some(parent.sid),
        status: AccountStatus::Active,
        is_queue_stopped: false,
        created_unix_ms: at,
        updated_unix_ms: at,
        auth_token: Secret::random(),
        secondary_token: None,
        keys: BTreeMap::new(),
        key: DataKey::random(),
        secrets: BTreeMap::new(),
        ..parent.clone()
    }))
}

fn check_name(
    directory: &Directory,
    like: &Account,
    sid: AccountSid,
    name: &str,
) -> Result<(), StoreError> {
    match directory.account_by_name(&like.carrier, name) {
        Some(other) if other.sid != sid => Err(StoreError::NotPossible(format!(
            "The name `{name}` is taken: choose another"
        ))),
        _ => Ok(()),
    }
}

/// A closed account stays closed, and has no numbers.
pub(super) fn change(
    directory: &Directory,
    account: &Account,
    name: Option<String>,
    status: Option<AccountStatus>,
    at: u64,
) -> Result<Plan, StoreError> {
    let before = account.status;
    if before == AccountStatus::Closed && status.is_some_and(|status| status != before) {
        return Err(impossible("The account is closed for ever"));
    }
    if let Some(name) = &name {
        check_name(directory, account, account.sid, name)?;
    }
    let mut plan = Plan::of_account(changed(account, at, |account| {
        account.name = name.unwrap_or_else(|| account.name.clone());
        account.status = status.unwrap_or(before);
    }));
    if status == Some(AccountStatus::Closed) {
        for number in directory.numbers(account.sid) {
            let without = numbers::without(number);
            plan.changes.extend(without.changes);
            plan.items.extend(without.items);
        }
    }
    Ok(plan)
}

pub(super) fn delete(directory: &Directory, account: &Account) -> Result<Plan, StoreError> {
    let sid = account.sid;
    if account.status != AccountStatus::Closed {
        return Err(impossible(
            "The account is in use: close it first (`status`: `closed`)",
        ));
    }
    if directory.subaccounts(sid).next().is_some() || directory.numbers(sid).next().is_some() {
        return Err(impossible(
            "The account has subaccounts or numbers: delete these first",
        ));
    }
    if directory.trunks().any(|trunk| trunk.account == Some(sid)) {
        return Err(impossible(
            "The account has trunks of its own: delete these first, or take `account` away from them",
        ));
    }
    let mut plan = Plan::without(Item::Account(sid, account.name.clone()), Gone::Account(sid));
    let applications = directory.applications(sid);
    plan.changes
        .extend(applications.map(|one| Change::Gone(Gone::Application(one.sid))));
    let caller_ids = directory.caller_ids(sid);
    plan.changes
        .extend(caller_ids.map(|one| Change::Gone(Gone::CallerId(one.sid))));
    for plugin in directory.plugins_of(&PluginOwner::Account(sid)) {
        let versions = plugin.versions.iter();
        plan.forgotten
            .extend(versions.map(|version| version.sha256));
        let gone = Gone::Plugin(plugin.owner.clone(), plugin.name.clone());
        plan.changes.push(Change::Gone(gone));
    }
    Ok(plan)
}

pub(super) fn stop_queue(account: &Account, is_stopped: bool, at: u64) -> Plan {
    Plan::of_account(changed(account, at, |account| {
        account.is_queue_stopped = is_stopped;
    }))
}

pub(super) fn make_secondary_token(
    account: &Account,
    token: Secret,
    at: u64,
) -> Result<Plan, StoreError> {
    if account.secondary_token.is_some() {
        return Err(impossible(
            "The account has a secondary token: promote or delete it first",
        ));
    }
    Ok(Plan::of_account(changed(account, at, |account| {
        account.secondary_token = Some(token);
    })))
}

pub(super) fn delete_secondary_token(account: &Account, at: u64) -> Result<Plan, StoreError> {
    account
        .secondary_token
        .as_ref()
        .ok_or(StoreError::NotThere)?;
    Ok(Plan::of_account(changed(account, at, |account| {
        account.secondary_token = None;
    })))
}

pub(super) fn promote_secondary_token(account: &Account, at: u64) -> Result<Plan, StoreError> {
    let token = account
        .secondary_token
        .clone()
        .ok_or(StoreError::NotThere)?;
    Ok(set_token(account, token, at))
}

/// The only token from then on.
pub(super) fn set_token(account: &Account, token: Secret, at: u64) -> Plan {
    Plan::of_account(changed(account, at, |account| {
        account.auth_token = token;
        account.secondary_token = None;
    }))
}

fn changed(account: &Account, at: u64, change: impl FnOnce(&mut Account)) -> Account {
    let mut account = Account::clone(account);
    change(&mut account);
    account.updated_unix_ms = at;
    account
}
