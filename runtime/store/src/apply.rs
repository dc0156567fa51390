//! Applying a tenants file: what it changes in a directory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use call::AccountSid;

use crate::component::Component;
use crate::rows::Rows;
use crate::seal::DataKey;
use crate::tenants::NewAccount;
use crate::verbs::Life;
use crate::{
    Account, Carrier, CarrierId, Directory, MAX_VERSIONS, Number, OPERATOR, Operator, OperatorId,
    PhoneNumber, Plugin, PluginEvent, PluginOwner, Secret, Sha256Digest, StoreError, Tenants,
    Trunk, TrunkId,
};

/// What applying a tenants file did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was not there before, in the order of the file's kinds: carriers, accounts, trunks, components, numbers,
    /// operators.
    pub created: Vec<Item>,
    /// What was there and now is different.
    pub changed: Vec<Item>,
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
}

/// The verb behind [`crate::Store::apply`].
pub(crate) fn apply(rows: &mut dyn Rows, tenants: &Tenants) -> Result<Applied, StoreError> {
    let plan = Plan::new(&rows.directory(), tenants)?;
    for component in &tenants.components {
        rows.keep_component(component.row.sha256, &component.bytes)?;
    }
    rows.set_directory(plan.directory, &plan.changes)?;
    rows.forget_components(plan.forgotten);
    Ok(plan.applied)
}

struct Plan {
    directory: Directory,
    changes: Vec<Change>,
    applied: Applied,
    forgotten: Vec<Sha256Digest>,
}

impl Plan {
    fn new(current: &Directory, tenants: &Tenants) -> Result<Self, StoreError> {
        let mut plan = Self {
            directory: current.clone(),
            changes: Vec::new(),
            applied: Applied::default(),
            forgotten: Vec::new(),
        };
        for carrier in &tenants.carriers {
            let item = Item::Carrier(carrier.id.clone());
            let before = current
                .carrier(&carrier.id)
                .map(|before| **before == *carrier);
            plan.take(item, before, Change::Carrier(Arc::new(carrier.clone())));
        }
        for account in &tenants.accounts {
            plan.take_account(current, account)?;
        }
        for trunk in &tenants.trunks {
            plan.take_trunk(current, trunk)?;
        }
        for component in &tenants.components {
            plan.take_component(current, &component.row, tenants.at_unix_ms)?;
        }
        for number in &tenants.numbers {
            let item = Item::Number(number.carrier.clone(), number.number.clone());
            let before = current.number(&number.carrier, number.number.as_str());
            let before = before
                .filter(|before| before.number == number.number)
                .map(|before| **before == *number);
            plan.take(item, before, Change::Number(Arc::new(number.clone())));
        }
        for operator in &tenants.operators {
            let item = Item::Operator(operator.id.clone());
            let before = current
                .operator_by_id(&operator.id)
                .map(|before| **before == *operator);
            plan.take(item, before, Change::Operator(Arc::new(operator.clone())));
        }
        plan.directory = plan.directory.indexed();
        plan.check_logins()?;
        plan.check_operators()?;
        Ok(plan)
    }

    /// Two trunks of one file differ in this; those of several files must too.
    fn check_logins(&self) -> Result<(), StoreError> {
        let mut seen = BTreeMap::new();
        for (realm, login, trunk) in self.directory.logins() {
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

    fn take_trunk(&mut self, current: &Directory, trunk: &Trunk) -> Result<(), StoreError> {
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
        self.take(item, before, Change::Trunk(Arc::new(trunk.clone())));
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
        let same = before.map(|_| false);
        self.take(item, same, Change::Plugin(Arc::new(plugin), events));
        Ok(())
    }

    /// Takes one thing in; `same` says whether it was there and just as the file has it.
    fn take(&mut self, item: Item, same: Option<bool>, change: Change) {
        match same {
            Some(true) => {
                self.applied.unchanged += 1;
                return;
            }
            Some(false) => self.applied.changed.push(item),
            None => self.applied.created.push(item),
        }
        self.directory.take(change.clone());
        self.changes.push(change);
    }

    /// An account keeps its key, and its token unless the file names another.
    fn take_account(&mut self, current: &Directory, new: &NewAccount) -> Result<(), StoreError> {
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
            .unwrap_or_else(|| {
                let token = Secret::random();
                let generated = GeneratedToken {
                    account: new.sid,
                    name: new.name.clone(),
                    token: token.clone(),
                };
                self.applied.tokens.push(generated);
                token
            });
        let account = Account {
            sid: new.sid,
            carrier: new.carrier.clone(),
            name: new.name.clone(),
            auth_token: token,
            key: before.map_or_else(DataKey::random, |before| before.key.clone()),
            egress: new.egress.clone(),
            outbound: new.outbound.clone(),
            fallback: new.fallback.clone(),
            media_dir: new.media_dir.clone(),
            voice: new.voice.clone(),
            settings: new.settings.clone(),
            secrets: new.secrets.clone(),
            grants: new.grants.clone(),
        };
        let item = Item::Account(account.sid, account.name.clone());
        let before = before.map(|before| **before == account);
        self.take(item, before, Change::Account(Arc::new(account)));
        Ok(())
    }
}
