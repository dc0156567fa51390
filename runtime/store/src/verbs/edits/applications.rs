//! Edits of an account's applications.

use std::sync::Arc;

use call::ApplicationSid;

use super::Plan;
use crate::apply::{Change, Gone};
use crate::edit::Patch;
use crate::{Application, Directory, MAX_APPLICATIONS, Scope, StoreError};

pub(super) fn make(
    directory: &Directory,
    scope: Scope,
    application: Application,
    at: u64,
) -> Result<Plan, StoreError> {
    if directory.applications(scope.account()).count() >= MAX_APPLICATIONS {
        return Err(StoreError::NotPossible(format!(
            "An account has at most {MAX_APPLICATIONS} applications: delete one"
        )));
    }
    Ok(plan(Application {
        account: scope.account(),
        created_unix_ms: at,
        updated_unix_ms: at,
        ..application
    }))
}

pub(super) fn change(
    directory: &Directory,
    scope: Scope,
    sid: ApplicationSid,
    patch: Patch<Application>,
    at: u64,
) -> Result<Plan, StoreError> {
    let before = directory
        .application(scope, sid)
        .ok_or(StoreError::NotThere)?;
    let mut application = Application::clone(before);
    patch(&mut application);
    Ok(plan(Application {
        sid,
        account: before.account,
        created_unix_ms: before.created_unix_ms,
        updated_unix_ms: at,
        ..application
    }))
}

pub(super) fn delete(
    directory: &Directory,
    scope: Scope,
    sid: ApplicationSid,
) -> Result<Plan, StoreError> {
    directory
        .application(scope, sid)
        .ok_or(StoreError::NotThere)?;
    let gone = Change::Gone(Gone::Application(sid));
    Ok(Plan::beside(format!("application {sid}"), gone))
}

fn plan(application: Application) -> Plan {
    let thing = format!("application {}", application.sid);
    Plan::beside(thing, Change::Application(Arc::new(application)))
}
