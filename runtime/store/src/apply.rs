//! Applying a tenants file: what it changes in a directory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use call::{AccountSid, ApplicationSid, PhoneNumberSid};
use serde::{Deserialize, Serialize};

use crate::audit;
use crate::component::Component;
use crate::rows::Rows;
use crate::seal::DataKey;
use crate::tenants::NewAccount;
use crate::verbs::Life;
use crate::{
    Account, AccountStatus, Application, CallerId, Carrier, CarrierId, Directory, MAX_VERSIONS,
    Number, OPERATOR, Operator, OperatorId, PhoneNumber, Plugin, PluginEvent, PluginOwner, Secret,
    Sha256Digest, StoreError, Tenants, Trunk, TrunkId,
};

/// What applying a tenants file did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was not there before, in the order of the file's kinds: carriers, accounts, trunks, components, numbers,
    /// operators.
    pub created: Vec<Item>,
    /// What was there and now is different.
    pub changed: Vec<Item>,
    /// What was changed or removed otherwise since a file last named it, and this file says of it just what that one did: it stays as it
    /// is.
    pub kept: Vec<Item>,
    /// Those of `created` and `changed` that were changed or removed otherwise since a file last named them, and of which this file says
    /// something else: it goes before.
    pub overwritten: Vec<Item>,
    /// How many things were there just as the file has them.
    pub unchanged: usize,
    /// The tokens made for accounts that name none. They are told here and never again.
    pub tokens: Vec<GeneratedToken>,
}

/// A token that was made for a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedToken {
    /// The user name of the account's API user.
    pub account: AccountSid,
    /// The account's name.
    pub name: String,
    /// The password of the account's API user.
    pub token: Secret,
}

/// What a tenants file said of a thing, and whether it was changed otherwise since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) said: Sha256Digest,
    pub(crate) is_edited: bool,
}

/// Something that a tenants file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A carrier.
    Carrier(CarrierId),
    /// An account, and its name.
    Account(AccountSid, String),
    /// A trunk.
    Trunk(TrunkId),
    /// An account's component.
    Component(AccountSid, String),
    /// A carrier's number.
    Number(CarrierId, PhoneNumber),
    /// A network operator.
    Operator(OperatorId),
}

impl Item {
    /// What kind of thing it is.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Carrier(_) => "carrier",
            Self::Account(..) => "account",
            Self::Trunk(_) => "trunk",
            Self::Component(..) => "component",
            Self::Number(..) => "number",
            Self::Operator(_) => "operator",
        }
    }

    /// Names it whatever it is called for people.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Account(sid, _) => format!("account {sid}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carrier(id) => write!(f, "carrier {id}"),
            Self::Account(sid, name) => write!(f, "account {name} ({sid})"),
            Self::Trunk(id) => write!(f, "trunk {id}"),
            Self::Component(account, name) => write!(f, "component {name} of {account}"),
            Self::Number(carrier, number) => write!(f, "number {number} of carrier {carrier}"),
            Self::Operator(id) => write!(f, "operator {id}"),
        }
    }
}

/// One row of the directory that is new or different.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Operator(Arc<Operator>),
    Carrier(Arc<Carrier>),
    Account(Arc<Account>),
    Trunk(Arc<Trunk>),
    /// And what was done to it.
    Plugin(Arc<Plugin>, Vec<PluginEvent>),
    Number(Arc<Number>),
    Application(Arc<Application>),
    CallerId(Arc<CallerId>),
    /// By [`Item::key`].
    Mark(String, Mark),
    Gone(Gone),
}

/// A row of the directory that is no more.
#[derive(Debug, Clone)]
pub(crate) enum Gone {
    Carrier(CarrierId),
    Account(AccountSid),
    Trunk(TrunkId),
    Number(CarrierId, PhoneNumber),
    Application(ApplicationSid),
    CallerId(PhoneNumberSid),
    Plugin(PluginOwner, String),
}

/// The verb behind [`crate::Store::apply`].
pub(crate) fn apply(rows: &mut dyn Rows, tenants: &Tenants) -> Result<Applied, StoreError> {
    let plan = Plan::of(rows, tenants)?;
    for component in &tenants.components {
        rows.keep_component(component.row.sha256, &component.bytes)?;
    }
    rows.set_directory(plan.directory, &plan.changes)?;
    rows.forget_components(plan.forgotten);
    for item in &plan.applied.created {
        let deed = format!("{}.create", item.kind());
        audit::note(rows, &tenants.author, &deed, item.key())?;
    }
    for item in &plan.applied.changed {
        let deed = format!("{}.update", item.kind());
        audit::note(rows, &tenants.author, &deed, item.key())?;
    }
    Ok(plan.applied)
}

struct Plan<'r> {
    rows: &'r dyn Rows,
    keeps_edits: bool,
    is_edit: bool,
    directory: Directory,
    changes: Vec<Change>,
    applied: Applied,
    forgotten: Vec<Sha256Digest>,
}

/// What is taken out of a plan, which looks at the rows no more.
struct Planned {
    directory: Directory,
    changes: Vec<Change>,
    applied: Applied,
    forgotten: Vec<Sha256Digest>,
}

impl<'r> Plan<'r> {
    fn of(rows: &'r dyn Rows, tenants: &Tenants) -> Result<Planned, StoreError> {
        let current = rows.directory();
        let current = &*current;
        let mut plan = Self {
            rows,
            keeps_edits: !tenants.overwrites,
            is_edit: tenants.is_edit,
            directory: current.clone(),
            changes: Vec::new(),
            applied: Applied::default(),
            forgotten: Vec::new(),
        };
        let at = tenants.author.at_unix_ms;
        for (carrier, said) in tenants.said(&tenants.carriers, "carrier") {
            let item = Item::Carrier(carrier.id.clone());
            let before = current
                .carrier(&carrier.id)
                .map(|before| **before == *carrier);
            let change = Change::Carrier(Arc::new(carrier.clone()));
            plan.take(item, before, said, change);
        }
        for (account, said) in tenants.said(&tenants.accounts, "account") {
            plan.take_account(current, account, said, at)?;
        }
        for (trunk, said) in tenants.said(&tenants.trunks, "trunk") {
            plan.take_trunk(current, trunk, said)?;
        }
        for component in &tenants.components {
            plan.take_component(current, &component.row, at)?;
        }
        for (number, said) in tenants.said(&tenants.numbers, "number") {
            plan.take_number(current, number, said, at);
        }
        for (operator, said) in tenants.said(&tenants.operators, "operator") {
            let item = Item::Operator(operator.id.clone());
            let before = current
                .operator_by_id(&operator.id)
                .map(|before| **before == *operator);
            let change = Change::Operator(Arc::new(operator.clone()));
            plan.take(item, before, said, change);
        }
        plan.directory = std::mem::take(&mut plan.directory).indexed();
        check_logins(&plan.directory)?;
        plan.check_operators()?;
        Ok(Planned {
            directory: plan.directory,
            changes: plan.changes,
            applied: plan.applied,
            forgotten: plan.forgotten,
        })
    }

    fn check_operators(&self) -> Result<(), StoreError> {
        let mut seen = BTreeMap::new();
        for operator in self.directory.operators() {
            for prefix in &operator.prefixes {
                if let Some(other) = seen.insert(prefix, &operator.id) {
                    return Err(StoreError::Contradiction(format!(
                        "operators {other} and {} have the same prefix `{prefix}`: take it from one",
                        operator.id
                    )));
                }
            }
        }
        Ok(())
    }

    fn take_trunk(
        &mut self,
        current: &Directory,
        trunk: &Trunk,
        said: &str,
    ) -> Result<(), StoreError> {
        let before = current.trunk(&trunk.id);
        let owner = before.map(|before| &before.carrier);
        if let Some(owner) = owner.filter(|owner| **owner != trunk.carrier) {
            return Err(StoreError::Contradiction(format!(
                "trunk `{}` belongs to carrier `{owner}` already: give this one another id",
                trunk.id
            )));
        }
        let item = Item::Trunk(trunk.id.clone());
        let before = before.map(|before| **before == *trunk);
        self.take(item, before, said, Change::Trunk(Arc::new(trunk.clone())));
        Ok(())
    }

    /// A component that is not what the file had last time is uploaded as the operator's, and active.
    fn take_component(
        &mut self,
        current: &Directory,
        component: &Component,
        at_unix_ms: u64,
    ) -> Result<(), StoreError> {
        let owner = PluginOwner::Account(component.account);
        let before = current.plugin(&owner, &component.name);
        let item = Item::Component(component.account, component.name.clone());
        if before.is_some_and(|before| before.applied == Some(component.sha256)) {
            self.applied.unchanged += 1;
            return Ok(());
        }
        let plugin = before.map_or_else(
            || Plugin::new(owner, component.name.clone()),
            |before| Plugin::clone(before),
        );
        let kept = plugin.version_of(component.sha256);
        let kept = kept.map(|kept| kept.number);
        let mut life = Life::with(plugin, at_unix_ms, OPERATOR);
        let number = kept.unwrap_or_else(|| {
            life.keep_at_most(MAX_VERSIONS - 1);
            life.add(component.clone().into_version(at_unix_ms)).number
        });
        life.activate(number).map_err(|error| {
            StoreError::Contradiction(format!("component `{}`: {error}", component.name))
        })?;
        let (mut plugin, events, forgotten) = life.end();
        plugin.applied = Some(component.sha256);
        self.forgotten.extend(forgotten);
        match before {
            Some(_) => self.applied.changed.push(item),
            None => self.applied.created.push(item),
        }
        self.put(Change::Plugin(Arc::new(plugin), events));
        Ok(())
    }

    /// The number may have stood among the carrier's free ones.
    fn take_number(&mut self, current: &Directory, number: &Number, said: &str, at: u64) {
        let item = Item::Number(number.carrier.clone(), number.number.clone());
        let before = current.number(&number.carrier, number.number.as_str());
        let before = before.filter(|before| before.number == number.number);
        let new = Number {
            created_unix_ms: before.map_or(at, |before| before.created_unix_ms),
            updated_unix_ms: before.map_or(at, |before| before.updated_unix_ms),
            ..number.clone()
        };
        // What a file's table has no keys for.
        let new = match before.filter(|_| self.is_edit) {
            Some(before) => Number {
                name: before.name.clone(),
                fallback: before.fallback.clone(),
                application: before.application,
                kept: before.kept.clone(),
                ..new
            },
            None => new,
        };
        let same = before.map(|before| **before == new);
        let new = Number {
            updated_unix_ms: at,
            ..new
        };
        self.take(item, same, said, Change::Number(Arc::new(new)));
    }

    /// Takes one thing in; `same` says whether it was there and just as the file has it, `said` is the file's own text. False where it
    /// stays as it is although the file has it otherwise.
    fn take(&mut self, item: Item, same: Option<bool>, said: &str, change: Change) -> bool {
        let key = item.key();
        let mark = Mark {
            said: self.rows.keyed_digest(said.as_bytes()),
            is_edited: false,
        };
        let before = self.directory.mark(&key);
        if self.is_edit {
            return self.take_edit(item, same, before, change);
        }
        let is_edited = before.is_some_and(|before| before.is_edited) && same != Some(true);
        let says_the_same = before.is_some_and(|before| before.said == mark.said);
        if is_edited && says_the_same && self.keeps_edits {
            self.applied.kept.push(item);
            return false;
        }
        if is_edited {
            self.applied.overwritten.push(item.clone());
        }
        match same {
            Some(true) => self.applied.unchanged += 1,
            Some(false) => self.applied.changed.push(item),
            None => self.applied.created.push(item),
        }
        if same != Some(true) {
            self.put(change);
        }
        if before != Some(mark) {
            self.put(Change::Mark(key, mark));
        }
        true
    }

    /// Takes a change over the API in. Only what a file has named can be overwritten by one unawares.
    fn take_edit(
        &mut self,
        item: Item,
        same: Option<bool>,
        mark: Option<Mark>,
        change: Change,
    ) -> bool {
        let key = item.key();
        match same {
            Some(true) => {
                self.applied.unchanged += 1;
                return true;
            }
            Some(false) => self.applied.changed.push(item),
            None => self.applied.created.push(item),
        }
        self.put(change);
        if let Some(mark) = mark {
            let mark = Mark {
                is_edited: true,
                ..mark
            };
            self.put(Change::Mark(key, mark));
        }
        true
    }

    fn put(&mut self, change: Change) {
        self.directory.take(change.clone());
        self.changes.push(change);
    }

    /// An account keeps its key, and its token unless the file names another.
    fn take_account(
        &mut self,
        current: &Directory,
        new: &NewAccount,
        said: &str,
        at: u64,
    ) -> Result<(), StoreError> {
        let before = current.account(new.sid);
        if let Some(owner) = before
            .map(|before| &before.carrier)
            .filter(|owner| **owner != new.carrier)
        {
            return Err(StoreError::Contradiction(format!(
                "account {} belongs to carrier `{owner}` already: leave `sid` out, or give another",
                new.sid
            )));
        }
        let same_name = current.account_by_name(&new.carrier, &new.name);
        if let Some(other) = same_name.filter(|other| other.sid != new.sid) {
            return Err(StoreError::Contradiction(format!(
                "carrier `{}` has an account `{}` already, with the SID {}: name that SID, or choose another name",
                new.carrier, new.name, other.sid
            )));
        }
        let token = new
            .auth_token
            .clone()
            .or_else(|| before.map(|before| before.auth_token.clone()))
            .unwrap_or_else(Secret::random);
        let generated = GeneratedToken {
            account: new.sid,
            name: new.name.clone(),
            token: token.clone(),
        };
        let is_generated = before.is_none() && new.auth_token.is_none();
        let account = Account {
            sid: new.sid,
            carrier: new.carrier.clone(),
            name: new.name.clone(),
            parent: before.and_then(|before| before.parent),
            status: before.map_or(AccountStatus::Active, |before| before.status),
            is_queue_stopped: before.is_some_and(|before| before.is_queue_stopped),
            created_unix_ms: before.map_or(at, |before| before.created_unix_ms),
            updated_unix_ms: before.map_or(at, |before| before.updated_unix_ms),
            secondary_token: before.and_then(|before| before.secondary_token.clone()),
            keys: before.map_or_else(BTreeMap::new, |before| before.keys.clone()),
            auth_token: token,
            key: before.map_or_else(DataKey::random, |before| before.key.clone()),
            egress: new.egress.clone(),
            outbound: new.outbound.clone(),
            fallback: new.fallback.clone(),
            media_dir: new.media_dir.clone(),
            voice: new.voice.clone(),
            has_open_recordings: new.has_open_recordings,
            settings: new.settings.clone(),
            secrets: new.secrets.clone(),
            grants: new.grants.clone(),
        };
        let item = Item::Account(account.sid, account.name.clone());
        let before = before.map(|before| **before == account);
        let account = Account {
            updated_unix_ms: at,
            ..account
        };
        if self.take(item, before, said, Change::Account(Arc::new(account))) && is_generated {
            self.applied.tokens.push(generated);
        }
        Ok(())
    }
}

/// Two trunks of one file differ in this; those of several files must too.
pub(crate) fn check_logins(directory: &Directory) -> Result<(), StoreError> {
    let mut seen = BTreeMap::new();
    for (realm, login, trunk) in directory.logins() {
        let other = seen.insert((realm, login.username.as_str()), &trunk.id);
        if let Some(other) = other {
            return Err(StoreError::Contradiction(format!(
                "trunks `{other}` and `{}` have the same user name `{}` in the realm `{realm}`: change one",
                trunk.id, login.username
            )));
        }
    }
    Ok(())
}
