//! What the call path knows of carriers, accounts, trunks and numbers: one immutable snapshot.

mod access;
mod numbers;
mod rerouted;
mod source_index;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::numbers::normalise;
use call::{AccountSid, ApplicationSid, KeySid, PhoneNumberSid};
use source_index::SourceIndex;

pub use access::ApiUser;

use crate::apply::{Change, Gone, Mark};
use crate::carrier::DEFAULT_REALM;
use crate::{
    Account, Application, CallerId, Carrier, CarrierId, Login, Number, Operator, OperatorId,
    PhoneNumber, Plugin, PluginOwner, Scope, Sha256Digest, StoreError, Trunk, TrunkId,
};

/// Everything but calls and what belongs to them. A new one is made at each change; whoever holds an old one keeps it.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    operators: BTreeMap<OperatorId, Arc<Operator>>,
    carriers: BTreeMap<CarrierId, Arc<Carrier>>,
    accounts: BTreeMap<AccountSid, Arc<Account>>,
    trunks: BTreeMap<TrunkId, Arc<Trunk>>,
    numbers: BTreeMap<CarrierId, BTreeMap<PhoneNumber, Arc<Number>>>,
    plugins: BTreeMap<PluginOwner, BTreeMap<String, Arc<Plugin>>>,
    applications: BTreeMap<ApplicationSid, Arc<Application>>,
    caller_ids: BTreeMap<PhoneNumberSid, Arc<CallerId>>,
    /// What tenants files said last, by [`crate::Item::key`].
    marks: BTreeMap<String, Mark>,
    keys: BTreeMap<KeySid, AccountSid>,
    numbers_by_sid: BTreeMap<PhoneNumberSid, (CarrierId, PhoneNumber)>,
    sources: SourceIndex,
    /// By realm and user name.
    logins: BTreeMap<String, BTreeMap<String, Arc<Trunk>>>,
    operator_prefixes: BTreeMap<String, Arc<Operator>>,
}

/// Who sent a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A peer known by nothing but its address.
    Address(IpAddr),
    /// The peer of this trunk: it has proved its login.
    Trunk(&'a TrunkId),
}

/// Why an inbound call is turned away before any account is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefusal {
    /// No trunk has that source address or login (SIP 403).
    #[error("the source address belongs to no trunk")]
    UnknownTrunk,
    /// None of the carriers with that source address has the number (SIP 404).
    #[error("no account has the number")]
    UnknownNumber,
}

impl InboundRefusal {
    /// The SIP status the caller gets.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownTrunk => 403,
            Self::UnknownNumber => 404,
        }
    }
}

impl Directory {
    /// The carrier of that id.
    #[must_use]
    pub fn carrier(&self, id: &CarrierId) -> Option<&Arc<Carrier>> {
        self.carriers.get(id)
    }

    /// The account of that SID.
    #[must_use]
    pub fn account(&self, sid: AccountSid) -> Option<&Arc<Account>> {
        self.accounts.get(&sid)
    }

    /// The account of a scope.
    pub(crate) fn account_of(&self, scope: Scope) -> Result<&Account, StoreError> {
        let account = self.accounts.get(&scope.account());
        account
            .map(AsRef::as_ref)
            .ok_or(StoreError::UnknownAccount(scope.account()))
    }

    /// The carrier's account of that name.
    #[must_use]
    pub fn account_by_name(&self, carrier: &CarrierId, name: &str) -> Option<&Arc<Account>> {
        self.accounts
            .values()
            .find(|account| account.carrier == *carrier && account.name == name)
    }

    /// All carriers, in the order of their ids.
    pub fn carriers(&self) -> impl Iterator<Item = &Arc<Carrier>> {
        self.carriers.values()
    }

    /// All accounts, in the order of their SIDs.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// The trunk of that id.
    #[must_use]
    pub fn trunk(&self, id: &TrunkId) -> Option<&Arc<Trunk>> {
        self.trunks.get(id)
    }

    /// All trunks, in the order of their ids.
    pub fn trunks(&self) -> impl Iterator<Item = &Arc<Trunk>> {
        self.trunks.values()
    }

    /// The trunks that a request from `source` may belong to, those with the longest prefix first. Two carriers may share
    /// a gateway's address: then the called number tells whose call it is.
    #[must_use]
    pub fn trunks_by_source(&self, source: IpAddr) -> Vec<&Arc<Trunk>> {
        self.sources.trunks(source)
    }

    /// The realm in which a trunk's peer has its user name.
    #[must_use]
    pub fn realm(&self, trunk: &Trunk) -> &str {
        self.carriers
            .get(&trunk.carrier)
            .map_or(DEFAULT_REALM, |carrier| carrier.realm())
    }

    /// The trunk whose peer proves itself by this user name in this realm.
    #[must_use]
    pub fn trunk_by_login(&self, realm: &str, username: &str) -> Option<&Arc<Trunk>> {
        self.logins.get(realm)?.get(username)
    }

    /// All logins: the realm, what is proved, and the trunk it proves.
    pub fn logins(&self) -> impl Iterator<Item = (&str, &Login, &Arc<Trunk>)> {
        self.trunks.values().filter_map(|trunk| {
            let login = trunk.login.as_ref()?;
            Some((self.realm(trunk), login, trunk))
        })
    }

    /// The trunk and the number of a call to `called`, the user part of its request URI, by who sent it. Over a trunk that one account has only that
    /// account's numbers are there.
    pub fn route_inbound(
        &self,
        sender: Sender<'_>,
        called: &str,
    ) -> Result<(&Arc<Trunk>, &Arc<Number>), InboundRefusal> {
        let trunks = match sender {
            Sender::Address(source) => self.trunks_by_source(source),
            Sender::Trunk(id) => self.trunk(id).into_iter().collect(),
        };
        if trunks.is_empty() {
            return Err(InboundRefusal::UnknownTrunk);
        }
        trunks
            .into_iter()
            .find_map(|trunk| {
                let number = self.number_called(trunk, called)?;
                let account = self.accounts.get(&number.account)?;
                trunk.is_for(account).then_some((trunk, number))
            })
            .ok_or(InboundRefusal::UnknownNumber)
    }

    /// The number of the trunk's carrier that a peer on the trunk means by `called`: as it is written, if the carrier has it so (a
    /// short code), or else as it reads in the trunk's country.
    #[must_use]
    pub fn number_called(&self, trunk: &Trunk, called: &str) -> Option<&Arc<Number>> {
        self.number(&trunk.carrier, called).or_else(|| {
            let party = normalise(called, trunk.numbers.country);
            self.numbers.get(&trunk.carrier)?.get(party.number()?)
        })
    }

    /// The carrier's number written as `called`, or as `called` with a plus before it, which many peers leave out.
    #[must_use]
    pub fn number(&self, carrier: &CarrierId, called: &str) -> Option<&Arc<Number>> {
        let numbers = self.numbers.get(carrier)?;
        numbers
            .get(called)
            .or_else(|| numbers.get(format!("+{called}").as_str()))
    }

    /// All network operators.
    pub fn operators(&self) -> impl Iterator<Item = &Arc<Operator>> {
        self.operators.values()
    }

    /// The network operator that the number was given to, by its longest known beginning. A number that was carried along to
    /// another operator is not noticed.
    #[must_use]
    pub fn operator(&self, number: &PhoneNumber) -> Option<&Arc<Operator>> {
        let text = number.as_str();
        let longest_first = (1..=text.len()).rev();
        longest_first
            .filter_map(|length| self.operator_prefixes.get(&text[..length]))
            .next()
    }

    pub(crate) fn operator_by_id(&self, id: &OperatorId) -> Option<&Arc<Operator>> {
        self.operators.get(id)
    }

    /// All numbers of an account.
    pub fn numbers(&self, account: AccountSid) -> impl Iterator<Item = &Arc<Number>> {
        self.numbers
            .values()
            .flat_map(BTreeMap::values)
            .filter(move |number| number.account == account)
    }

    /// The owner's plugin of that name.
    #[must_use]
    pub fn plugin(&self, owner: &PluginOwner, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.get(owner)?.get(name)
    }

    /// Whether a flow of this account may name the plugin: it is the account's own, or its carrier's.
    #[must_use]
    pub fn has_plugin(&self, carrier: &CarrierId, account: AccountSid, name: &str) -> bool {
        let carriers = PluginOwner::Carrier(carrier.clone());
        self.plugin(&PluginOwner::Account(account), name)
            .or_else(|| self.plugin(&carriers, name))
            .is_some()
    }

    /// All plugins of an owner, by name.
    pub fn plugins_of(&self, owner: &PluginOwner) -> impl Iterator<Item = &Arc<Plugin>> + use<'_> {
        self.plugins
            .get(owner)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// All plugins.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values().flat_map(BTreeMap::values)
    }

    /// Whether a version of some plugin has these bytes.
    pub(crate) fn has_component(&self, sha256: Sha256Digest) -> bool {
        self.plugins()
            .any(|plugin| plugin.version_of(sha256).is_some())
    }

    /// What tenants files said last of a thing.
    pub(crate) fn mark(&self, key: &str) -> Option<Mark> {
        self.marks.get(key).copied()
    }

    /// Takes one row in, in place of the old one of the same key. [`Self::indexed`] comes after the last.
    pub(crate) fn take(&mut self, change: Change) {
        match change {
            Change::Operator(operator) => {
                self.operators.insert(operator.id.clone(), operator);
            }
            Change::Carrier(carrier) => {
                self.carriers.insert(carrier.id.clone(), carrier);
            }
            Change::Account(account) => {
                self.accounts.insert(account.sid, account);
            }
            Change::Trunk(trunk) => {
                self.trunks.insert(trunk.id.clone(), trunk);
            }
            Change::Number(number) => {
                self.numbers
                    .entry(number.carrier.clone())
                    .or_default()
                    .insert(number.number.clone(), number);
            }
            Change::Plugin(plugin, _) => {
                self.plugins
                    .entry(plugin.owner.clone())
                    .or_default()
                    .insert(plugin.name.clone(), plugin);
            }
            Change::Application(application) => {
                self.applications.insert(application.sid, application);
            }
            Change::CallerId(caller_id) => {
                self.caller_ids.insert(caller_id.sid, caller_id);
            }
            Change::Mark(key, mark) => {
                self.marks.insert(key, mark);
            }
            Change::Gone(gone) => self.let_go(&gone),
        }
    }

    fn let_go(&mut self, gone: &Gone) {
        match gone {
            Gone::Carrier(id) => drop(self.carriers.remove(id)),
            Gone::Account(sid) => drop(self.accounts.remove(sid)),
            Gone::Trunk(id) => drop(self.trunks.remove(id)),
            Gone::Number(carrier, number) => {
                if let Some(numbers) = self.numbers.get_mut(carrier) {
                    numbers.remove(number);
                }
            }
            Gone::Application(sid) => drop(self.applications.remove(sid)),
            Gone::CallerId(sid) => drop(self.caller_ids.remove(sid)),
            Gone::Plugin(owner, name) => {
                if let Some(plugins) = self.plugins.get_mut(owner) {
                    plugins.remove(name);
                }
            }
        }
    }

    /// The directory with its indexes made anew.
    pub(crate) fn indexed(mut self) -> Self {
        self.index_accounts();
        self.index_numbers();
        self.sources = SourceIndex::new(self.trunks.values());
        let mut logins: BTreeMap<String, BTreeMap<String, Arc<Trunk>>> = BTreeMap::new();
        for (realm, login, trunk) in self.logins() {
            let of_realm = logins.entry(realm.to_owned()).or_default();
            of_realm.insert(login.username.clone(), Arc::clone(trunk));
        }
        self.logins = logins;
        let prefixes = self.operators.values().flat_map(|operator| {
            let prefixes = operator.prefixes.iter();
            prefixes.map(|prefix| (prefix.clone(), Arc::clone(operator)))
        });
        self.operator_prefixes = prefixes.collect();
        self
    }
}
