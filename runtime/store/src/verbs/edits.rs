//! Changes of the directory that are not made by a tenants file: each with its entry in the audit log, in one transaction.

mod accounts;
mod applications;
mod caller_ids;
mod keys;
mod numbers;

use std::sync::Arc;

use crate::apply::{Change, Gone, Mark};
use crate::audit;
use crate::edit::{Edit, OperatorEdit};
use crate::rows::Rows;
use crate::{Account, Author, Directory, Item, Number, Scope, Sha256Digest, StoreError};

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
        Edit::MakeSubaccount { sid, name } => {
            accounts::make_subaccount(directory, account, sid, name, at)
        }
        Edit::ChangeAccount { name, status } => {
            accounts::change(directory, account, name, status, at)
        }
        Edit::StopQueue(is_stopped) => Ok(accounts::stop_queue(account, is_stopped, at)),
        Edit::CancelQueue => {
            let item = Item::Account(account.sid, account.name.clone());
            Ok(Plan::noted(item.key()))
        }
        Edit::MakeSecondaryToken(token) => accounts::make_secondary_token(account, token, at),
        Edit::DeleteSecondaryToken => accounts::delete_secondary_token(account, at),
        Edit::PromoteSecondaryToken => accounts::promote_secondary_token(account, at),
        Edit::MakeKey { sid, name, secret } => keys::make(account, sid, name, &secret, at),
        Edit::RenameKey(sid, name) => keys::rename(account, sid, name, at),
        Edit::DeleteKey(sid) => keys::delete(account, sid),
        Edit::NoteUploaded(name) | Edit::NoteRemoved(name) => {
            let thing = format!("media {name} of account {}", account.sid);
            Ok(Plan::noted(thing))
        }
        Edit::MakeApplication(application) => applications::make(directory, scope, application, at),
        Edit::ChangeApplication(sid, patch) => {
            applications::change(directory, scope, sid, patch, at)
        }
        Edit::DeleteApplication(sid) => applications::delete(directory, scope, sid),
        Edit::TakeNumber(number, patch) => numbers::take(directory, account, number, patch, at),
        Edit::ChangeNumber(sid, patch) => numbers::change(directory, scope, sid, patch, at),
        Edit::ReleaseNumber(sid) => numbers::release(directory, scope, sid),
        Edit::RenameCallerId(sid, name) => caller_ids::rename(directory, scope, sid, name, at),
        Edit::DeleteCallerId(sid) => caller_ids::delete(directory, scope, sid),
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
            caller_ids::make(directory, caller_id)
        }
        OperatorEdit::SetStatus(sid, status) => {
            accounts::change(directory, account(sid)?, None, Some(status), at)
        }
        OperatorEdit::StopQueue(sid, is_stopped) => {
            Ok(accounts::stop_queue(account(sid)?, is_stopped, at))
        }
        OperatorEdit::SetToken(sid, token) => Ok(accounts::set_token(account(sid)?, token, at)),
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
        OperatorEdit::DeleteAccount(sid) => accounts::delete(directory, account(sid)?),
        OperatorEdit::DeleteTrunk(id) => {
            directory.trunk(&id).ok_or(StoreError::NotThere)?;
            Ok(Plan::without(Item::Trunk(id.clone()), Gone::Trunk(id)))
        }
        OperatorEdit::DeleteNumber(carrier, number) => {
            let found = directory.number(&carrier, number.as_str());
            let found = found.filter(|found| found.number == number);
            Ok(numbers::without(found.ok_or(StoreError::NotThere)?))
        }
        OperatorEdit::DeleteCallerId(sid) => {
            directory
                .caller_id_of_any(sid)
                .ok_or(StoreError::NotThere)?;
            Ok(caller_ids::without(sid))
        }
    }
}

fn impossible(why: &str) -> StoreError {
    StoreError::NotPossible(why.to_owned())
}
