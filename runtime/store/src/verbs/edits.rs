//! Changes of the directory that are not made by a tenants file: each with its entry in the audit log, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use call::{AccountSid, KeySid, PhoneNumberSid};

use crate::apply::{Change, Gone, Mark};
use crate::audit;
use crate::edit::{Edit, OperatorEdit, Patch};
use crate::rows::Rows;
use crate::seal::DataKey;
use crate::{
    Account, AccountStatus, ApiKey, Application, Author, CallerId, Directory, Item,
    MAX_APPLICATIONS, MAX_KEYS, MAX_SUBACCOUNTS, Number, PhoneNumber, PluginOwner, Scope, Secret,
    Sha256Digest, StoreError,
};

/// What an edit comes to.
struct Plan {
    changes: Vec<Change>,
    /// For the audit log.
    thing: String,
    /// What of it tenants files may name.
    items: Vec<Item>,
    /// Bytes of components that nobody has any more.
    forgotten: Vec<Sha256Digest>,
}

impl Plan {
    fn of_account(account: Account) -> Self {
        let item = Item::Account(account.sid, account.name.clone());
        Self {
            thing: item.key(),
            changes: vec![Change::Account(Arc::new(account))],
            items: vec![item],
            forgotten: Vec::new(),
        }
    }

    fn of_number(number: Number) -> Self {
        let item = Item::Number(number.carrier.clone(), number.number.clone());
        Self {
            thing: item.key(),
            changes: vec![Change::Number(Arc::new(number))],
            items: vec![item],
            forgotten: Vec::new(),
        }
    }

    fn without(item: Item, gone: Gone) -> Self {
        Self {
            thing: item.key(),
            changes: vec![Change::Gone(gone)],
            items: vec![item],
            forgotten: Vec::new(),
        }
    }

    /// Nothing of the directory.
    fn noted(thing: String) -> Self {
        Self {
            thing,
            changes: Vec::new(),
            items: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    fn beside(thing: String, change: Change) -> Self {
        Self {
            thing,
            changes: vec![change],
            items: Vec::new(),
            forgotten: Vec::new(),
        }
    }
}

/// The verb behind [`crate::AccountStore::edit`].
pub(crate) fn edit(
    rows: &mut dyn Rows,
    scope: Scope,
    edit: Edit,
    author: &Author,
) -> Result<Arc<Directory>, StoreError> {
    let directory = rows.directory();
    let account = directory
        .account(scope.account())
        .ok_or(StoreError::UnknownAccount(scope.account()))?;
    let (deed, at) = (edit.deed(), author.at_unix_ms);
    let plan = plan(&directory, scope, account, edit, at)?;
    carry_out(rows, &directory, plan, deed, author)
}

/// The verb behind [`crate::Store::administer`].
pub(crate) fn administer(
    rows: &mut dyn Rows,
    edit: OperatorEdit,
    author: &Author,
) -> Result<Arc<Directory>, StoreError> {
    let directory = rows.directory();
    let deed = edit.deed();
    let plan = plan_of_operator(&directory, edit, author.at_unix_ms)?;
    carry_out(rows, &directory, plan, deed, author)
}

fn carry_out(
    rows: &mut dyn Rows,
    before: &Directory,
    plan: Plan,
    deed: &str,
    author: &Author,
) -> Result<Arc<Directory>, StoreError> {
    let mut changes = plan.changes;
    for key in plan.items.iter().map(Item::key) {
        // Only what a file has named can be overwritten by one unawares.
        changes.extend(before.mark(&key).map(|mark| {
            let mark = Mark {
                is_edited: true,
                ..mark
            };
            Change::Mark(key, mark)
        }));
    }
    let mut directory = before.clone();
    for change in &changes {
        directory.take(change.clone());
    }
    rows.set_directory(directory.indexed(), &changes)?;
    rows.forget_components(plan.forgotten);
    audit::note(rows, author, deed, plan.thing)?;
    Ok(rows.directory())
}

fn plan(
    directory: &Directory,
    scope: Scope,
    account: &Account,
    edit: Edit,
    at: u64,
) -> Result<Plan, StoreError> {
    match edit {
        Edit::MakeSubaccount { sid, name } => subaccount(directory, account, sid, name, at),
        Edit::ChangeAccount { name, status } => {
            change_account(directory, account, name, status, at)
        }
        Edit::StopQueue(is_stopped) => Ok(stop_queue(account, is_stopped, at)),
        Edit::MakeSecondaryToken(token) => {
            if account.secondary_token.is_some() {
                return Err(impossible(
                    "The account has a secondary token: promote or delete it first",
                ));
            }
            Ok(Plan::of_account(changed(account, at, |account| {
                account.secondary_token = Some(token);
            })))
        }
        Edit::DeleteSecondaryToken => {
            account
                .secondary_token
                .as_ref()
                .ok_or(StoreError::NotThere)?;
            Ok(Plan::of_account(changed(account, at, |account| {
                account.secondary_token = None;
            })))
        }
        Edit::PromoteSecondaryToken => {
            let token = account
                .secondary_token
                .clone()
                .ok_or(StoreError::NotThere)?;
            Ok(Plan::of_account(changed(account, at, |account| {
                account.auth_token = token;
                account.secondary_token = None;
            })))
        }
        Edit::MakeKey { sid, name, secret } => make_key(account, sid, name, &secret, at),
        Edit::RenameKey(sid, name) => with_keys(account, sid, |keys| {
            if let Some(key) = keys.get_mut(&sid) {
                key.name = name;
                key.updated_unix_ms = at;
            }
        }),
        Edit::DeleteKey(sid) => with_keys(account, sid, |keys| drop(keys.remove(&sid))),
        Edit::NoteUploaded(name) | Edit::NoteRemoved(name) => {
            let thing = format!("media {name} of account {}", account.sid);
            Ok(Plan::noted(thing))
        }
        Edit::MakeApplication(application) => make_application(directory, scope, application, at),
        Edit::ChangeApplication(sid, patch) => {
            let before = directory
                .application(scope, sid)
                .ok_or(StoreError::NotThere)?;
            let mut application = Application::clone(before);
            patch(&mut application);
            Ok(of_application(Application {
                sid,
                account: before.account,
                created_unix_ms: before.created_unix_ms,
                updated_unix_ms: at,
                ..application
            }))
        }
        Edit::DeleteApplication(sid) => {
            directory
                .application(scope, sid)
                .ok_or(StoreError::NotThere)?;
            let gone = Change::Gone(Gone::Application(sid));
            Ok(Plan::beside(format!("application {sid}"), gone))
        }
        Edit::TakeNumber(number, patch) => take_number(directory, account, number, patch, at),
        Edit::ChangeNumber(sid, patch) => {
            let before = directory
                .number_of(scope, sid)
                .ok_or(StoreError::NotThere)?;
            Ok(Plan::of_number(patched(before, patch, at)))
        }
        Edit::ReleaseNumber(sid) => {
            let number = directory
                .number_of(scope, sid)
                .ok_or(StoreError::NotThere)?;
            Ok(without_number(number))
        }
        Edit::RenameCallerId(sid, name) => {
            let before = directory
                .caller_id(scope, sid)
                .ok_or(StoreError::NotThere)?;
            Ok(of_caller_id(CallerId {
                name,
                updated_unix_ms: at,
                ..CallerId::clone(before)
            }))
        }
        Edit::DeleteCallerId(sid) => {
            directory
                .caller_id(scope, sid)
                .ok_or(StoreError::NotThere)?;
            Ok(without_caller_id(sid))
        }
    }
}

fn plan_of_operator(
    directory: &Directory,
    edit: OperatorEdit,
    at: u64,
) -> Result<Plan, StoreError> {
    let account = |sid| directory.account(sid).ok_or(StoreError::NotThere);
    match edit {
        OperatorEdit::MakeCallerId(caller_id) => {
            account(caller_id.account)?;
            if directory.may_show(caller_id.account, caller_id.number.as_str()) {
                return Err(impossible("The account may show this number already"));
            }
            Ok(of_caller_id(caller_id))
        }
        OperatorEdit::SetStatus(sid, status) => {
            change_account(directory, account(sid)?, None, Some(status), at)
        }
        OperatorEdit::StopQueue(sid, is_stopped) => Ok(stop_queue(account(sid)?, is_stopped, at)),
        OperatorEdit::SetToken(sid, token) => {
            Ok(Plan::of_account(changed(account(sid)?, at, |account| {
                account.auth_token = token;
                account.secondary_token = None;
            })))
        }
        OperatorEdit::DeleteCarrier(id) => {
            directory.carrier(&id).ok_or(StoreError::NotThere)?;
            let is_used = directory.accounts().any(|account| account.carrier == id)
                || directory.trunks().any(|trunk| trunk.carrier == id);
            if is_used {
                return Err(impossible(
                    "The carrier has accounts or trunks: delete these first",
                ));
            }
            Ok(Plan::without(Item::Carrier(id.clone()), Gone::Carrier(id)))
        }
        OperatorEdit::DeleteAccount(sid) => delete_account(directory, account(sid)?),
        OperatorEdit::DeleteTrunk(id) => {
            directory.trunk(&id).ok_or(StoreError::NotThere)?;
            Ok(Plan::without(Item::Trunk(id.clone()), Gone::Trunk(id)))
        }
        OperatorEdit::DeleteNumber(carrier, number) => {
            let found = directory.number(&carrier, number.as_str());
            let found = found.filter(|found| found.number == number);
            Ok(without_number(found.ok_or(StoreError::NotThere)?))
        }
        OperatorEdit::DeleteCallerId(sid) => {
            directory
                .caller_id_of_any(sid)
                .ok_or(StoreError::NotThere)?;
            Ok(without_caller_id(sid))
        }
    }
}

fn impossible(why: &str) -> StoreError {
    StoreError::NotPossible(why.to_owned())
}

fn changed(account: &Account, at: u64, change: impl FnOnce(&mut Account)) -> Account {
    let mut account = Account::clone(account);
    change(&mut account);
    account.updated_unix_ms = at;
    account
}

fn stop_queue(account: &Account, is_stopped: bool, at: u64) -> Plan {
    Plan::of_account(changed(account, at, |account| {
        account.is_queue_stopped = is_stopped;
    }))
}

/// Only an account without a parent has subaccounts. Names are one of their kind within the carrier.
fn subaccount(
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
fn change_account(
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
            let without = without_number(number);
            plan.changes.extend(without.changes);
            plan.items.extend(without.items);
        }
    }
    Ok(plan)
}

fn delete_account(directory: &Directory, account: &Account) -> Result<Plan, StoreError> {
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

fn make_key(
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

fn make_application(
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
    Ok(of_application(Application {
        account: scope.account(),
        created_unix_ms: at,
        updated_unix_ms: at,
        ..application
    }))
}

fn of_application(application: Application) -> Plan {
    let thing = format!("application {}", application.sid);
    Plan::beside(thing, Change::Application(Arc::new(application)))
}

fn of_caller_id(caller_id: CallerId) -> Plan {
    let thing = format!("caller-id {}", caller_id.sid);
    Plan::beside(thing, Change::CallerId(Arc::new(caller_id)))
}

fn without_caller_id(sid: PhoneNumberSid) -> Plan {
    let gone = Change::Gone(Gone::CallerId(sid));
    Plan::beside(format!("caller-id {sid}"), gone)
}

fn take_number(
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

fn without_number(number: &Number) -> Plan {
    let (carrier, number) = (number.carrier.clone(), number.number.clone());
    Plan::without(
        Item::Number(carrier.clone(), number.clone()),
        Gone::Number(carrier, number),
    )
}
