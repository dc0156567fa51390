//! An account's row on the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use call::{AccountSid, Grants, KeySid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::seal::{DataKey, OperatorKey, Purpose};
use crate::{
    Account, AccountStatus, ApiKey, CarrierId, Egress, Flow, Outbound, Secret, StoreError,
};

/// An account as it is stored: what is secret, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountRow {
    sid: AccountSid,
    carrier: CarrierId,
    name: String,
    parent: Option<AccountSid>,
    status: AccountStatus,
    is_queue_stopped: bool,
    created_unix_ms: u64,
    updated_unix_ms: u64,
    sealed_key: Vec<u8>,
    sealed_auth_token: Vec<u8>,
    sealed_secondary_token: Option<Vec<u8>>,
    keys: BTreeMap<KeySid, ApiKey>,
    egress: Egress,
    outbound: Outbound,
    fallback: Option<Flow>,
    media_dir: Option<PathBuf>,
    voice: Option<String>,
    has_open_recordings: bool,
    settings: BTreeMap<String, String>,
    /// By name.
    sealed_secrets: BTreeMap<String, Vec<u8>>,
    grants: Grants,
}

impl AccountRow {
    pub(super) fn seal(account: &Account, operator: &OperatorKey) -> Self {
        let owner = account.sid.as_bytes();
        let seal = |purpose, bound: &[u8; 16], secret: &Secret| {
            account.key.seal(purpose, bound, secret.expose().as_bytes())
        };
        let sealed_secrets = account.secrets.iter().map(|(name, secret)| {
            let bound = bound_to(account.sid, name);
            (name.clone(), seal(Purpose::AccountSecret, &bound, secret))
        });
        Self {
            sid: account.sid,
            carrier: account.carrier.clone(),
            name: account.name.clone(),
            parent: account.parent,
            status: account.status,
            is_queue_stopped: account.is_queue_stopped,
            created_unix_ms: account.created_unix_ms,
            updated_unix_ms: account.updated_unix_ms,
            sealed_key: operator.seal_key(owner, &account.key),
            sealed_auth_token: seal(Purpose::AuthToken, owner, &account.auth_token),
            sealed_secondary_token: account
                .secondary_token
                .as_ref()
                .map(|token| seal(Purpose::SecondaryToken, owner, token)),
            keys: account.keys.clone(),
            egress: account.egress.clone(),
            outbound: account.outbound.clone(),
            fallback: account.fallback.clone(),
            media_dir: account.media_dir.clone(),
            voice: account.voice.clone(),
            has_open_recordings: account.has_open_recordings,
            settings: account.settings.clone(),
            sealed_secrets: sealed_secrets.collect(),
            grants: account.grants.clone(),
        }
    }

    pub(super) fn open(self, operator: &OperatorKey) -> Result<Account, StoreError> {
        let owner = self.sid.as_bytes();
        let damaged = |what: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!(
                "account {}: {what}; is this the key file the database was made with?",
                self.sid
            ))
        };
        let open = |key: &DataKey, purpose, bound: &[u8; 16], sealed: &[u8]| {
            let secret = key
                .open(purpose, bound, sealed)
                .map_err(|error| damaged(&error))?;
            let secret = String::from_utf8(secret).map_err(|error| damaged(&error))?;
            Ok::<_, StoreError>(Secret::new(secret))
        };
        let key = operator
            .open_key(owner, &self.sealed_key)
            .map_err(|error| damaged(&error))?;
        let auth_token = open(&key, Purpose::AuthToken, owner, &self.sealed_auth_token)?;
        let secondary_token = self
            .sealed_secondary_token
            .as_ref()
            .map(|sealed| open(&key, Purpose::SecondaryToken, owner, sealed))
            .transpose()?;
        let mut secrets = BTreeMap::new();
        for (name, sealed) in &self.sealed_secrets {
            let bound = bound_to(self.sid, name);
            let secret = open(&key, Purpose::AccountSecret, &bound, sealed)?;
            secrets.insert(name.clone(), secret);
        }
        Ok(Account {
            sid: self.sid,
            carrier: self.carrier,
            name: self.name,
            parent: self.parent,
            status: self.status,
            is_queue_stopped: self.is_queue_stopped,
            created_unix_ms: self.created_unix_ms,
            updated_unix_ms: self.updated_unix_ms,
            auth_token,
            secondary_token,
            keys: self.keys,
            key,
            egress: self.egress,
            outbound: self.outbound,
            fallback: self.fallback,
            media_dir: self.media_dir,
            voice: self.voice,
            has_open_recordings: self.has_open_recordings,
            settings: self.settings,
            secrets,
            grants: self.grants,
        })
    }
}

/// A secret is bound to its account and its name, so that none opens in another's place.
fn bound_to(account: AccountSid, name: &str) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(account.as_bytes())
        .chain_update(name)
        .finalize();
    *digest
        .first_chunk()
        .expect("a digest of 32 bytes has a first half")
}

#[cfg(test)]
mod tests {
    use super::super::tables::{decode, encode};
    use super::*;
    use crate::{QueueDefaults, Sha256Digest};

    fn account() -> Account {
        Account {
            sid: AccountSid::from_bytes([1; 16]),
            carrier: CarrierId("east".to_owned()),
            name: "hotline".to_owned(),
            parent: Some(AccountSid::from_bytes([2; 16])),
            status: AccountStatus::Suspended,
            is_queue_stopped: true,
            created_unix_ms: 7,
            updated_unix_ms: 8,
            auth_token: Secret::new("token".to_owned()),
            secondary_token: Some(Secret::new("next token".to_owned())),
            keys: BTreeMap::from([(
                KeySid::from_bytes([3; 16]),
                ApiKey {
                    name: "till".to_owned(),
                    secret: Sha256Digest::of(b"secret"),
                    created_unix_ms: 9,
                    updated_unix_ms: 10,
                },
            )]),
            key: DataKey::random(),
            egress: Egress {
                allow: vec!["127.0.0.0/8".to_owned()],
            },
            outbound: Outbound {
                allow: vec!["+855".to_owned()],
                max_channels: 3,
                calls_per_second: 2.5,
                max_waiting: 5,
                queue: QueueDefaults::default(),
            },
            fallback: Some(Flow::Component("menu".to_owned())),
            media_dir: Some("/var/audio".into()),
            voice: Some("km".to_owned()),
            has_open_recordings: true,
            settings: BTreeMap::from([("language".to_owned(), "km".to_owned())]),
            secrets: BTreeMap::from([("pin".to_owned(), Secret::new("0420-1968".to_owned()))]),
            grants: Grants {
                hosts: vec!["api.example".to_owned()],
                people: true,
                media: true,
                ..Grants::default()
            },
        }
    }

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let operator = OperatorKey::random();
        let account = account();
        let stored = encode(&AccountRow::seal(&account, &operator));
        let row: AccountRow = decode("account", &stored).unwrap();
        assert_eq!(row.open(&operator).unwrap(), account);
    }

    #[test]
    fn nothing_secret_lies_open_and_another_key_opens_none_of_it() {
        let operator = OperatorKey::random();
        let stored = encode(&AccountRow::seal(&account(), &operator));
        for secret in ["token", "next token", "0420-1968"] {
            let found = stored
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret}");
        }
        let row: AccountRow = decode("account", &stored).unwrap();
        let error = row.open(&OperatorKey::random()).unwrap_err().to_string();
        assert!(error.contains("key file"), "{error}");
    }
}
