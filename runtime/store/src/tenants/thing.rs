//! One thing of a tenants file by itself: as the operator's API shows and changes it.

use call::PhoneNumberSid;
use serde::Serialize;
use toml::{Table, Value};

use super::show::{self, Secrets};
use super::{Surroundings, Tenants};
use crate::{Account, CarrierId, Directory, TrunkId};

/// What the operator's API has one by one, in the tables of a tenants file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `[[carrier]]`, by its id.
    Carrier,
    /// `[[account]]`, by its SID.
    Account,
    /// `[[trunk]]`, by its id.
    Trunk,
    /// `[[number]]`, by its SID.
    Number,
}

impl Kind {
    /// How a file names its tables.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Account => "account",
            Self::Trunk => "trunk",
            Self::Number => "number",
        }
    }
}

impl Directory {
    /// The ids of a kind, in their order.
    #[must_use]
    pub fn ids(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::Carrier => self.carriers().map(|one| one.id.to_string()).collect(),
            Kind::Account => self.accounts().map(|one| one.sid.to_string()).collect(),
            Kind::Trunk => self.trunks().map(|one| one.id.to_string()).collect(),
            Kind::Number => self.number_sids().map(|sid| sid.to_string()).collect(),
        }
    }

    /// A thing as a file would have it; passwords and secrets are left out.
    #[must_use]
    pub fn table(&self, kind: Kind, id: &str) -> Option<Table> {
        self.table_with(kind, id, Secrets::Left)
    }

    fn table_with(&self, kind: Kind, id: &str, secrets: Secrets) -> Option<Table> {
        match kind {
            Kind::Carrier => {
                let carrier = self.carrier(&CarrierId(id.to_owned()))?;
                Some(show::carrier(carrier))
            }
            Kind::Account => {
                let account = self.account(id.parse().ok()?)?;
                Some(show::account(account, secrets))
            }
            Kind::Trunk => {
                let trunk = self.trunk(&TrunkId(id.to_owned()))?;
                let account = trunk.account.map(|sid| show::account_name(self, sid));
                Some(show::trunk(trunk, account.as_deref(), secrets))
            }
            Kind::Number => {
                let sid: PhoneNumberSid = id.parse().ok()?;
                let number = self.number_of_any(sid)?;
                Some(show::number(
                    number,
                    &show::account_name(self, number.account),
                ))
            }
        }
    }
}

impl Tenants {
    /// A thing that is new, or that is there under `id` and becomes other: what `set` names, and without what `unset` names (each the keys
    /// down to it). The rest stays. [`crate::Store::apply`] takes it as a change over the API.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_thing(
        directory: &Directory,
        kind: Kind,
        id: Option<&str>,
        set: &impl Serialize,
        unset: &[Vec<String>],
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let before = match id {
            Some(id) => directory.table_with(kind, id, Secrets::Shown),
            None => Some(Table::new()),
        };
        let mut table = before.ok_or("there is no such thing")?;
        let set = Table::try_from(set).map_err(|error| error.to_string())?;
        merge(&mut table, set);
        for keys in unset {
            remove(&mut table, keys);
        }
        let mut file = Table::new();
        for (kind, table) in around(directory, kind, &mut table)? {
            put(&mut file, kind, table);
        }
        put(&mut file, kind, table);
        let text = toml::to_string(&file).map_err(|error| error.to_string())?;
        let mut parsed = Self::parse(&text, surroundings).map_err(|error| error.message)?;
        parsed.keep_only(kind);
        parsed.is_edit = true;
        Ok(parsed)
    }

    /// What it names, by the ids of the operator's API.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let carriers = self.carriers.iter().map(|one| one.id.to_string());
        let accounts = self.accounts.iter().map(|one| one.sid.to_string());
        let trunks = self.trunks.iter().map(|one| one.id.to_string());
        let numbers = self.numbers.iter().map(|one| one.sid().to_string());
        carriers
            .chain(accounts)
            .chain(trunks)
            .chain(numbers)
            .collect()
    }

    /// Without what stands in the file for the sake of this kind.
    fn keep_only(&mut self, kind: Kind) {
        if kind != Kind::Carrier {
            self.carriers.clear();
        }
        if kind != Kind::Account {
            self.accounts.clear();
        }
    }
}

fn put(file: &mut Table, kind: Kind, table: Table) {
    let one = Value::Array(vec![Value::Table(table)]);
    file.insert(kind.table().to_owned(), one);
}

/// Tables in both become one; every other value of `set` takes the place of what was there.
fn merge(table: &mut Table, set: Table) {
    for (key, value) in set {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(before)), Value::Table(now)) => merge(before, now),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

fn remove(table: &mut Table, keys: &[String]) {
    match keys {
        [] => {}
        [key] => drop(table.remove(key)),
        [key, rest @ ..] => {
            if let Some(Value::Table(inner)) = table.get_mut(key) {
                remove(inner, rest);
            }
        }
    }
}

/// What the table refers to, and the account of a number or a trunk by the name that the file then has.
fn around(
    directory: &Directory,
    kind: Kind,
    table: &mut Table,
) -> Result<Vec<(Kind, Table)>, String> {
    let text = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let named = text(table, "account").filter(|_| matches!(kind, Kind::Number | Kind::Trunk));
    let account = match &named {
        Some(named) => {
            let account = account_of(directory, named);
            Some(account.ok_or_else(|| format!("no account `{named}`: give its SID"))?)
        }
        None if kind == Kind::Number => return Err("`account` is required: its SID".to_owned()),
        None => None,
    };
    let carrier = match kind {
        Kind::Carrier => None,
        Kind::Account | Kind::Trunk => text(table, "carrier"),
        Kind::Number => account.map(|account| account.carrier.to_string()),
    };
    let mut found = Vec::new();
    if let Some(account) = account {
        let name = format!("{}/{}", account.carrier, account.name);
        table.insert("account".to_owned(), name.into());
        if carrier
            .as_ref()
            .is_some_and(|carrier| *carrier != account.carrier.0)
        {
            return Err(format!(
                "account `{}` is one of carrier `{}`: a trunk is given to an account of its own carrier",
                account.name, account.carrier
            ));
        }
        found.push((Kind::Account, show::account(account, Secrets::Left)));
    }
    let carrier = carrier.and_then(|id| directory.table(Kind::Carrier, &id));
    found.extend(carrier.map(|carrier| (Kind::Carrier, carrier)));
    Ok(found)
}

/// By its SID, or as `carrier/name`.
fn account_of<'d>(directory: &'d Directory, named: &str) -> Option<&'d Account> {
    let account = match named.split_once('/') {
        Some((carrier, name)) => directory.account_by_name(&CarrierId(carrier.to_owned()), name),
        None => directory.account(named.parse().ok()?),
    };
    account.map(|account| &**account)
}
