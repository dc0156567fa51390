//! What the call path knows of carriers, accounts, trunks and numbers: one immutable snapshot.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use call::AccountSid;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::apply::Change;
use crate::{Account, Carrier, CarrierId, Component, Number, PhoneNumber, Scope, Trunk, TrunkId};

/// Everything that tenants files have loaded. A new one is made at each apply; whoever holds an old one keeps it.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    carriers: BTreeMap<CarrierId, Arc<Carrier>>,
    accounts: BTreeMap<AccountSid, Arc<Account>>,
    trunks: BTreeMap<TrunkId, Arc<Trunk>>,
    numbers: BTreeMap<CarrierId, BTreeMap<PhoneNumber, Arc<Number>>>,
    components: BTreeMap<(AccountSid, String), Arc<Component>>,
}

/// Why an inbound call is turned away before any account is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefusal {
    /// No trunk has that source address (SIP 403).
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

    /// The carrier's account of that name.
    #[must_use]
    pub fn account_by_name(&self, carrier: &CarrierId, name: &str) -> Option<&Arc<Account>> {
        self.accounts
            .values()
            .find(|account| account.carrier == *carrier && account.name == name)
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
        let longest = |trunk: &Trunk| {
            trunk
                .sources
                .iter()
                .filter(|prefix| prefix.contains(source))
                .map(|prefix| prefix.length())
                .max()
        };
        let mut found: Vec<_> = self
            .trunks
            .values()
            .filter_map(|trunk| Some((longest(trunk)?, trunk)))
            .collect();
        found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        found.into_iter().map(|(_, trunk)| trunk).collect()
    }

    /// The trunk and the number of a call from `source` to `called`, the user part of its request URI.
    pub fn route_inbound(
        &self,
        source: IpAddr,
        called: &str,
    ) -> Result<(&Arc<Trunk>, &Arc<Number>), InboundRefusal> {
        let trunks = self.trunks_by_source(source);
        if trunks.is_empty() {
            return Err(InboundRefusal::UnknownTrunk);
        }
        trunks
            .into_iter()
            .find_map(|trunk| Some((trunk, self.number(&trunk.carrier, called)?)))
            .ok_or(InboundRefusal::UnknownNumber)
    }

    /// The carrier's number written as `called`, or as `called` with a plus before it, which many peers leave out.
    #[must_use]
    pub fn number(&self, carrier: &CarrierId, called: &str) -> Option<&Arc<Number>> {
        let numbers = self.numbers.get(carrier)?;
        numbers
            .get(called)
            .or_else(|| numbers.get(format!("+{called}").as_str()))
    }

    /// All numbers of an account.
    pub fn numbers(&self, account: AccountSid) -> impl Iterator<Item = &Arc<Number>> {
        self.numbers
            .values()
            .flat_map(BTreeMap::values)
            .filter(move |number| number.account == account)
    }

    /// The account's component of that name.
    #[must_use]
    pub fn component(&self, account: AccountSid, name: &str) -> Option<&Arc<Component>> {
        self.components.get(&(account, name.to_owned()))
    }

    /// All uploaded components.
    pub fn components(&self) -> impl Iterator<Item = &Arc<Component>> {
        self.components.values()
    }

    /// The account that `sid` and `token` prove to be asking (Basic authentication of the API).
    ///
    /// The work is the same for a wrong token, an unknown SID and a text that is no SID: one hash of the token, one
    /// comparison in constant time.
    #[must_use]
    pub fn authenticate(&self, sid: &str, token: &str) -> Option<Scope> {
        let account = sid.parse().ok().and_then(|sid| self.accounts.get(&sid));
        let expected = account.map_or("", |account| account.auth_token.expose());
        let equal = Sha256::digest(token).ct_eq(&Sha256::digest(expected));
        account
            .filter(|_| bool::from(equal))
            .map(|account| Scope::of_host(account.sid))
    }

    /// Takes one row in, in place of the old one of the same key.
    pub(crate) fn take(&mut self, change: Change) {
        match change {
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
            Change::Component(component) => {
                self.components
                    .insert((component.account, component.name.clone()), component);
            }
        }
    }
}
