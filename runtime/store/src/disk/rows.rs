//! The rows of one redb transaction.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use call::{AccountSid, CallSid};
use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::components::ComponentFolder;
use super::tables::{self, SidKey, decode, encode, failed};
use crate::apply::Change;
use crate::rows::Rows;
use crate::seal::{OperatorKey, Purpose};
use crate::{
    Account, CallEvent, CallRow, CarrierId, Directory, Egress, Flow, Outbound, Secret,
    Sha256Digest, StoreError,
};

/// The rows as an open write transaction sees them.
pub(super) struct DiskRows<'t> {
    transaction: &'t WriteTransaction,
    calls: Table<'t, SidKey, &'static [u8]>,
    calls_by_account: Table<'t, (SidKey, u64, SidKey), ()>,
    queue: Table<'t, (u64, SidKey), ()>,
    live: Table<'t, SidKey, ()>,
    events: Table<'t, (SidKey, u32), &'static [u8]>,
    journals: Table<'t, SidKey, &'static [u8]>,
    directory: Arc<Directory>,
    components: &'t ComponentFolder,
    key: &'t OperatorKey,
}

impl<'t> DiskRows<'t> {
    pub(super) fn open(
        transaction: &'t WriteTransaction,
        directory: Arc<Directory>,
        components: &'t ComponentFolder,
        key: &'t OperatorKey,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            transaction,
            calls: transaction.open_table(tables::CALLS).map_err(failed)?,
            calls_by_account: transaction
                .open_table(tables::CALLS_BY_ACCOUNT)
                .map_err(failed)?,
            queue: transaction.open_table(tables::QUEUE).map_err(failed)?,
            live: transaction.open_table(tables::LIVE).map_err(failed)?,
            events: transaction.open_table(tables::EVENTS).map_err(failed)?,
            journals: transaction.open_table(tables::JOURNALS).map_err(failed)?,
            directory,
            components,
            key,
        })
    }

    fn put_change(&self, change: &Change) -> Result<(), redb::Error> {
        let transaction = self.transaction;
        match change {
            Change::Carrier(row) => {
                transaction
                    .open_table(tables::CARRIERS)?
                    .insert(row.id.0.as_str(), &*encode(&**row))?;
            }
            Change::Account(row) => {
                let sealed = AccountRow::seal(row, self.key);
                transaction
                    .open_table(tables::ACCOUNTS)?
                    .insert(row.sid.as_bytes(), &*encode(&sealed))?;
            }
            Change::Trunk(row) => {
                transaction
                    .open_table(tables::TRUNKS)?
                    .insert(row.id.0.as_str(), &*encode(&**row))?;
            }
            Change::Component(row) => {
                let key = (row.account.as_bytes(), row.name.as_str());
                transaction
                    .open_table(tables::COMPONENTS)?
                    .insert(key, &*encode(&**row))?;
            }
            Change::Number(row) => {
                let key = (row.carrier.0.as_str(), row.number.as_str());
                transaction
                    .open_table(tables::NUMBERS)?
                    .insert(key, &*encode(&**row))?;
            }
        }
        Ok(())
    }
}

impl Rows for DiskRows<'_> {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    fn set_directory(
        &mut self,
        directory: Directory,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        changes
            .iter()
            .try_for_each(|change| self.put_change(change))
            .map_err(failed)?;
        self.directory = Arc::new(directory);
        Ok(())
    }

    fn keep_component(&mut self, sha256: Sha256Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.components.keep(sha256, bytes)
    }

    fn call(&self, sid: CallSid) -> Result<Option<CallRow>, StoreError> {
        tables::read_call(&self.calls, sid)
    }

    fn put_call(&mut self, before: Option<&CallRow>, after: &CallRow) -> Result<(), StoreError> {
        let sid = after.sid.as_bytes();
        self.calls.insert(sid, &*encode(after)).map_err(failed)?;
        if before.is_none() {
            let place = (after.account.as_bytes(), after.created_unix_ms, sid);
            self.calls_by_account.insert(place, ()).map_err(failed)?;
        }
        let due_before = before.and_then(|before| before.due_unix_ms);
        if due_before != after.due_unix_ms {
            if let Some(due) = due_before {
                self.queue.remove((due, sid)).map_err(failed)?;
            }
            if let Some(due) = after.due_unix_ms {
                self.queue.insert((due, sid), ()).map_err(failed)?;
            }
        }
        match (before.is_some_and(CallRow::is_live), after.is_live()) {
            (false, true) => drop(self.live.insert(sid, ()).map_err(failed)?),
            (true, false) => drop(self.live.remove(sid).map_err(failed)?),
            _ => {}
        }
        Ok(())
    }

    fn add_event(&mut self, sid: CallSid, event: &CallEvent) -> Result<(), StoreError> {
        self.events
            .insert((sid.as_bytes(), event.sequence), &*encode(event))
            .map(drop)
            .map_err(failed)
    }

    fn put_journal(&mut self, sid: CallSid, sealed: &[u8]) -> Result<(), StoreError> {
        self.journals
            .insert(sid.as_bytes(), sealed)
            .map(drop)
            .map_err(failed)
    }
}

/// An account as it is stored: what is secret, sealed.
#[derive(Serialize, Deserialize)]
struct AccountRow {
    sid: AccountSid,
    carrier: CarrierId,
    name: String,
    sealed_key: Vec<u8>,
    sealed_auth_token: Vec<u8>,
    egress: Egress,
    outbound: Outbound,
    fallback: Option<Flow>,
    media_dir: Option<PathBuf>,
    voice: Option<String>,
    settings: BTreeMap<String, String>,
}

impl AccountRow {
    fn seal(account: &Account, operator: &OperatorKey) -> Self {
        let owner = account.sid.as_bytes();
        Self {
            sid: account.sid,
            carrier: account.carrier.clone(),
            name: account.name.clone(),
            sealed_key: operator.seal_key(owner, &account.key),
            sealed_auth_token: account.key.seal(
                Purpose::AuthToken,
                owner,
                account.auth_token.expose().as_bytes(),
            ),
            egress: account.egress.clone(),
            outbound: account.outbound.clone(),
            fallback: account.fallback.clone(),
            media_dir: account.media_dir.clone(),
            voice: account.voice.clone(),
            settings: account.settings.clone(),
        }
    }

    fn open(self, operator: &OperatorKey) -> Result<Account, StoreError> {
        let damaged = |what: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!(
                "account {}: {what}; is this the key file the database was made with?",
                self.sid
            ))
        };
        let owner = self.sid.as_bytes();
        let key = operator
            .open_key(owner, &self.sealed_key)
            .map_err(|error| damaged(&error))?;
        let token = key
            .open(Purpose::AuthToken, owner, &self.sealed_auth_token)
            .map_err(|error| damaged(&error))?;
        let token = String::from_utf8(token).map_err(|error| damaged(&error))?;
        Ok(Account {
            sid: self.sid,
            carrier: self.carrier,
            name: self.name,
            auth_token: Secret::new(token),
            key,
            egress: self.egress,
            outbound: self.outbound,
            fallback: self.fallback,
            media_dir: self.media_dir,
            voice: self.voice,
            settings: self.settings,
        })
    }
}

/// Reads everything that tenants files have loaded.
pub(super) fn load_directory(
    database: &Database,
    key: &OperatorKey,
) -> Result<Directory, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let mut directory = Directory::default();
    for row in transaction
        .open_table(tables::CARRIERS)
        .map_err(failed)?
        .iter()
        .map_err(failed)?
    {
        let (_, stored) = row.map_err(failed)?;
        directory.take(Change::Carrier(
            decode("carrier", stored.value()).map(Arc::new)?,
        ));
    }
    for row in transaction
        .open_table(tables::ACCOUNTS)
        .map_err(failed)?
        .iter()
        .map_err(failed)?
    {
        let (_, stored) = row.map_err(failed)?;
        let account = decode::<AccountRow>("account", stored.value())?.open(key)?;
        directory.take(Change::Account(Arc::new(account)));
    }
    for row in transaction
        .open_table(tables::TRUNKS)
        .map_err(failed)?
        .iter()
        .map_err(failed)?
    {
        let (_, stored) = row.map_err(failed)?;
        directory.take(Change::Trunk(
            decode("trunk", stored.value()).map(Arc::new)?,
        ));
    }
    for row in transaction
        .open_table(tables::COMPONENTS)
        .map_err(failed)?
        .iter()
        .map_err(failed)?
    {
        let (_, stored) = row.map_err(failed)?;
        directory.take(Change::Component(
            decode("component", stored.value()).map(Arc::new)?,
        ));
    }
    for row in transaction
        .open_table(tables::NUMBERS)
        .map_err(failed)?
        .iter()
        .map_err(failed)?
    {
        let (_, stored) = row.map_err(failed)?;
        directory.take(Change::Number(
            decode("number", stored.value()).map(Arc::new)?,
        ));
    }
    Ok(directory)
}
