//! Edits of the numbers that an account may show beside its own.

use std::sync::Arc;

use call::PhoneNumberSid;

use super::{Plan, impossible};
use crate::apply::{Change, Gone};
use crate::{CallerId, Directory, Scope, StoreError};

/// One that an account may not show yet.
pub(super) fn make(directory: &Directory, caller_id: CallerId) -> Result<Plan, StoreError> {
    if directory.may_show(caller_id.account, caller_id.number.as_str()) {
        return Err(impossible("The account may show this number already"));
    }
    Ok(plan(caller_id))
}

pub(super) fn rename(
    directory: &Directory,
    scope: Scope,
    sid: PhoneNumberSid,
    name: String,
    at: u64,
) -> Result<Plan, StoreError> {
    let before = directory
        .caller_id(scope, sid)
        .ok_or(StoreError::NotThere)?;
    Ok(plan(CallerId {
        name,
        updated_unix_ms: at,
        ..CallerId::clone(before)
    }))
}

pub(super) fn delete(
    directory: &Directory,
    scope: Scope,
    sid: PhoneNumberSid,
) -> Result<Plan, StoreError> {
    directory
        .caller_id(scope, sid)
        .ok_or(StoreError::NotThere)?;
    Ok(without(sid))
}

fn plan(caller_id: CallerId) -> Plan {
    let thing = format!("caller-id {}", caller_id.sid);
    Plan::beside(thing, Change::CallerId(Arc::new(caller_id)))
}

pub(super) fn without(sid: PhoneNumberSid) -> Plan {
    let gone = Change::Gone(Gone::CallerId(sid));
    Plan::beside(format!("caller-id {sid}"), gone)
}
