//! An account's row on the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use call::{AccountSid, Grants, KeySid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::seal::{OperatorKey, Purpose};
use crate::{
    Account, AccountStatus, ApiKey, CarrierId, Egress, Flow, Outbound, QueueDefaults, Secret,
    StoreError,
};

/// The version of the rows that are written; the second one has grants and secrets, the third what tenants do with their accounts, the
/// fourth how their calls wait, the fifth whether they grant their people, the sixth whether their
/// queues are stopped, the seventh whether files of recordings are open, the eighth whether they grant their audio, the ninth how many of
/// their calls may wait.
const VERSION: u8 = 9;

/// An account as it is stored: what is secret, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountRow {
    third: Version3,
    queue: QueueDefaults,
    grants_people: bool,
    is_queue_stopped: bool,
    has_open_recordings: bool,
    grants_media: bool,
    max_waiting: u32,
}

/// As version 8 wrote it: before more or fewer calls could wait.
#[derive(Deserialize)]
struct Version8 {
    third: Version3,
    queue: QueueDefaults,
    grants_people: bool,
    is_queue_stopped: bool,
    has_open_recordings: bool,
    grants_media: bool,
}

/// As version 7 wrote it: before audio could be granted.
#[derive(Deserialize)]
struct Version7 {
    third: Version3,
    queue: QueueDefaults,
    grants_people: bool,
    is_queue_stopped: bool,
    has_open_recordings: bool,
}

/// As version 6 wrote it: before files of recordings could be open.
#[derive(Deserialize)]
struct Version6 {
    third: Version3,
    queue: QueueDefaults,
    grants_people: bool,
    is_queue_stopped: bool,
}

/// As version 5 wrote it: before queues could be stopped.
#[derive(Deserialize)]
struct Version5 {
    third: Version3,
    queue: QueueDefaults,
    grants_people: bool,
}

/// As version 4 wrote it: before people could be granted.
#[derive(Serialize, Deserialize)]
struct Version4 {
    third: Version3,
    queue: QueueDefaults,
}

/// What an account grants: all of it up to version 4.
#[derive(Default, Serialize, Deserialize)]
struct FirstGrants {
    hosts: Vec<String>,
    dial: Vec<String>,
    settings: Vec<String>,
    secrets: Vec<String>,
    key_value: bool,
}

/// Whom an account may call, and how fast: all of it up to version 3.
#[derive(Serialize, Deserialize)]
struct FirstOutbound {
    allow: Vec<String>,
    max_channels: u32,
    calls_per_second: f32,
}

/// As version 3 wrote it: before calls had classes and hours.
#[derive(Serialize, Deserialize)]
struct Version3 {
    sid: AccountSid,
    carrier: CarrierId,
    name: String,
    sealed_key: Vec<u8>,
    sealed_auth_token: Vec<u8>,
    egress: Egress,
    outbound: FirstOutbound,
    fallback: Option<Flow>,
    media_dir: Option<PathBuf>,
    voice: Option<String>,
    settings: BTreeMap<String, String>,
    grants: FirstGrants,
    /// By name.
    sealed_secrets: BTreeMap<String, Vec<u8>>,
    parent: Option<AccountSid>,
    status: AccountStatus,
    created_unix_ms: u64,
    updated_unix_ms: u64,
    sealed_secondary_token: Option<Vec<u8>>,
    keys: BTreeMap<KeySid, ApiKey>,
}

impl FirstGrants {
    fn of(grants: &Grants) -> Self {
        Self {
            hosts: grants.hosts.clone(),
            dial: grants.dial.clone(),
            settings: grants.settings.clone(),
            secrets: grants.secrets.clone(),
            key_value: grants.key_value,
        }
    }

    fn and(self, people: bool, media: bool) -> Grants {
        Grants {
            hosts: self.hosts,
            dial: self.dial,
            settings: self.settings,
            secrets: self.secrets,
            key_value: self.key_value,
            people,
            media,
        }
    }
}

/// As version 2 wrote it: before accounts had parents and keys.
#[derive(Deserialize)]
struct Version2 {
    sid: AccountSid,
    carrier: CarrierId,
    name: String,
    sealed_key: Vec<u8>,
    sealed_auth_token: Vec<u8>,
    egress: Egress,
    outbound: FirstOutbound,
    fallback: Option<Flow>,
    media_dir: Option<PathBuf>,
    voice: Option<String>,
    settings: BTreeMap<String, String>,
    grants: FirstGrants,
    sealed_secrets: BTreeMap<String, Vec<u8>>,
}

/// As version 1 wrote it: before there were grants.
#[derive(Deserialize)]
struct Version1 {
    sid: AccountSid,
    carrier: CarrierId,
    name: String,
    sealed_key: Vec<u8>,
    sealed_auth_token: Vec<u8>,
    egress: Egress,
    outbound: FirstOutbound,
    fallback: Option<Flow>,
    media_dir: Option<PathBuf>,
    voice: Option<String>,
    settings: BTreeMap<String, String>,
}

impl From<Version2> for Version3 {
    fn from(row: Version2) -> Self {
        Self {
            sid: row.sid,
            carrier: row.carrier,
            name: row.name,
            sealed_key: row.sealed_key,
            sealed_auth_token: row.sealed_auth_token,
            egress: row.egress,
            outbound: row.outbound,
            fallback: row.fallback,
            media_dir: row.media_dir,
            voice: row.voice,
            settings: row.settings,
            grants: row.grants,
            sealed_secrets: row.sealed_secrets,
            parent: None,
            status: AccountStatus::Active,
            created_unix_ms: 0,
            updated_unix_ms: 0,
            sealed_secondary_token: None,
            keys: BTreeMap::new(),
        }
    }
}

impl From<Version1> for Version2 {
    fn from(row: Version1) -> Self {
        Self {
            sid: row.sid,
            carrier: row.carrier,
            name: row.name,
            sealed_key: row.sealed_key,
            sealed_auth_token: row.sealed_auth_token,
            egress: row.egress,
            outbound: row.outbound,
            fallback: row.fallback,
            media_dir: row.media_dir,
            voice: row.voice,
            settings: row.settings,
            grants: FirstGrants::default(),
            sealed_secrets: BTreeMap::new(),
        }
    }
}

impl From<Version3> for Version4 {
    fn from(third: Version3) -> Self {
        Self {
            third,
            queue: QueueDefaults::default(),
        }
    }
}

impl From<Version4> for AccountRow {
    fn from(fourth: Version4) -> Self {
        Self::from(Version5 {
            third: fourth.third,
            queue: fourth.queue,
            grants_people: false,
        })
    }
}

impl From<Version5> for AccountRow {
    fn from(fifth: Version5) -> Self {
        Self::from(Version6 {
            third: fifth.third,
            queue: fifth.queue,
            grants_people: fifth.grants_people,
            is_queue_stopped: false,
        })
    }
}

impl From<Version6> for AccountRow {
    fn from(sixth: Version6) -> Self {
        Self::from(Version7 {
            third: sixth.third,
            queue: sixth.queue,
            grants_people: sixth.grants_people,
            is_queue_stopped: sixth.is_queue_stopped,
            has_open_recordings: false,
        })
    }
}

impl From<Version7> for AccountRow {
    fn from(seventh: Version7) -> Self {
        Self::from(Version8 {
            third: seventh.third,
            queue: seventh.queue,
            grants_people: seventh.grants_people,
            is_queue_stopped: seventh.is_queue_stopped,
            has_open_recordings: seventh.has_open_recordings,
            grants_media: false,
        })
    }
}

impl From<Version8> for AccountRow {
    fn from(eighth: Version8) -> Self {
        Self {
            third: eighth.third,
            queue: eighth.queue,
            grants_people: eighth.grants_people,
            is_queue_stopped: eighth.is_queue_stopped,
            has_open_recordings: eighth.has_open_recordings,
            grants_media: eighth.grants_media,
            max_waiting: Outbound::default().max_waiting,
        }
    }
}

impl AccountRow {
    pub(super) fn read(stored: &[u8]) -> Result<Self, StoreError> {
        match version("account", stored)? {
            (1, row) => {
                let row = decode_row::<Version1>("account", row)?;
                Ok(Version4::from(Version3::from(Version2::from(row))).into())
            }
            (2, row) => {
                let row = decode_row::<Version2>("account", row)?;
                Ok(Version4::from(Version3::from(row)).into())
            }
            (3, row) => {
                let row = decode_row::<Version3>("account", row)?;
                Ok(Version4::from(row).into())
            }
            (4, row) => decode_row::<Version4>("account", row).map(Self::from),
            (5, row) => decode_row::<Version5>("account", row).map(Self::from),
            (6, row) => decode_row::<Version6>("account", row).map(Self::from),
            (7, row) => decode_row::<Version7>("account", row).map(Self::from),
            (8, row) => decode_row::<Version8>("account", row).map(Self::from),
            (VERSION, row) => decode_row("account", row),
            (other, _) => Err(unknown_version("account", other)),
        }
    }

    pub(super) fn stored(&self) -> Vec<u8> {
        encode_as(VERSION, self)
    }

    pub(super) fn seal(account: &Account, operator: &OperatorKey) -> Self {
        let owner = account.sid.as_bytes();
        let third = Version3 {
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
            outbound: FirstOutbound {
                allow: account.outbound.allow.clone(),
                max_channels: account.outbound.max_channels,
                calls_per_second: account.outbound.calls_per_second,
            },
            fallback: account.fallback.clone(),
            media_dir: account.media_dir.clone(),
            voice: account.voice.clone(),
            settings: account.settings.clone(),
            grants: FirstGrants::of(&account.grants),
            sealed_secrets: account
                .secrets
                .iter()
                .map(|(name, secret)| {
                    let bound = bound_to(account.sid, name);
                    let secret = secret.expose().as_bytes();
                    let sealed = account.key.seal(Purpose::AccountSecret, &bound, secret);
                    (name.clone(), sealed)
                })
                .collect(),
            parent: account.parent,
            status: account.status,
            created_unix_ms: account.created_unix_ms,
            updated_unix_ms: account.updated_unix_ms,
            sealed_secondary_token: account.secondary_token.as_ref().map(|token| {
                let token = token.expose().as_bytes();
                account.key.seal(Purpose::SecondaryToken, owner, token)
            }),
            keys: account.keys.clone(),
        };
        Self {
            third,
            queue: account.outbound.queue.clone(),
            grants_people: account.grants.people,
            is_queue_stopped: account.is_queue_stopped,
            has_open_recordings: account.has_open_recordings,
            grants_media: account.grants.media,
            max_waiting: account.outbound.max_waiting,
        }
    }

    pub(super) fn open(self, operator: &OperatorKey) -> Result<Account, StoreError> {
        let Self {
            third: row,
            queue,
            grants_people,
            is_queue_stopped,
            has_open_recordings,
            grants_media,
            max_waiting,
        } = self;
        let damaged = |what: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!(
                "account {}: {what}; is this the key file the database was made with?",
                row.sid
            ))
        };
        let owner = row.sid.as_bytes();
        let key = operator
            .open_key(owner, &row.sealed_key)
            .map_err(|error| damaged(&error))?;
        let token = key
            .open(Purpose::AuthToken, owner, &row.sealed_auth_token)
            .map_err(|error| damaged(&error))?;
        let token = String::from_utf8(token).map_err(|error| damaged(&error))?;
        let secondary_token = match &row.sealed_secondary_token {
            None => None,
            Some(sealed) => {
                let token = key
                    .open(Purpose::SecondaryToken, owner, sealed)
                    .map_err(|error| damaged(&error))?;
                let token = String::from_utf8(token).map_err(|error| damaged(&error))?;
                Some(Secret::new(token))
            }
        };
        let mut secrets = BTreeMap::new();
        for (name, sealed) in &row.sealed_secrets {
            let bound = bound_to(row.sid, name);
            let secret = key
                .open(Purpose::AccountSecret, &bound, sealed)
                .map_err(|error| damaged(&error))?;
            let secret = String::from_utf8(secret).map_err(|error| damaged(&error))?;
            secrets.insert(name.clone(), Secret::new(secret));
        }
        Ok(Account {
            sid: row.sid,
            carrier: row.carrier,
            name: row.name,
            parent: row.parent,
            status: row.status,
            is_queue_stopped,
            has_open_recordings,
            created_unix_ms: row.created_unix_ms,
            updated_unix_ms: row.updated_unix_ms,
            auth_token: Secret::new(token),
            secondary_token,
            keys: row.keys,
            key,
            egress: row.egress,
            outbound: Outbound {
                allow: row.outbound.allow,
                max_channels: row.outbound.max_channels,
                calls_per_second: row.outbound.calls_per_second,
                max_waiting,
                queue,
            },
            fallback: row.fallback,
            media_dir: row.media_dir,
            voice: row.voice,
            settings: row.settings,
            grants: row.grants.and(grants_people, grants_media),
            secrets,
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
    use super::*;

    #[test]
    fn a_row_from_before_people_could_be_granted_is_read_and_grants_none() {
        let grants = Grants {
            hosts: vec!["api.example".to_owned()],
            key_value: true,
            ..Grants::default()
        };
        let third = Version3 {
            sid: AccountSid::from_bytes([1; 16]),
            carrier: CarrierId("demo".to_owned()),
            name: "hotline".to_owned(),
            sealed_key: vec![1],
            sealed_auth_token: vec![2],
            egress: Egress::default(),
            outbound: FirstOutbound {
                allow: Vec::new(),
                max_channels: 1,
                calls_per_second: 1.0,
            },
            fallback: None,
            media_dir: None,
            voice: None,
            settings: BTreeMap::new(),
            grants: FirstGrants::of(&grants),
            sealed_secrets: BTreeMap::new(),
            parent: None,
            status: AccountStatus::Active,
            created_unix_ms: 7,
            updated_unix_ms: 8,
            sealed_secondary_token: None,
            keys: BTreeMap::new(),
        };
        let third_row = encode_as(3, &third);
        let fourth_row = encode_as(4, &Version4::from(third));
        for row in [third_row, fourth_row] {
            let mut read = AccountRow::read(&row).expect("a row of that version");
            assert!(!read.grants_people);
            read.grants_people = true;
            read.is_queue_stopped = true;
            read.has_open_recordings = true;
            read.grants_media = true;
            assert_eq!(read.max_waiting, 100_000);
            read.max_waiting = 5;
            let mut before = read.stored();
            assert_eq!(before.pop(), Some(5), "calls that may wait");
            before[0] = 8;
            let eighth = AccountRow::read(&before).expect("a row of version 8");
            assert!(eighth.grants_media && eighth.max_waiting == 100_000);
            assert_eq!(before.pop(), Some(1), "granted audio");
            before[0] = 7;
            let seventh = AccountRow::read(&before).expect("a row of version 7");
            assert!(seventh.has_open_recordings && !seventh.grants_media);
            assert_eq!(before.pop(), Some(1), "open recordings");
            before[0] = 6;
            let sixth = AccountRow::read(&before).expect("a row of version 6");
            assert!(sixth.is_queue_stopped && !sixth.has_open_recordings);
            assert_eq!(before.pop(), Some(1), "a stopped queue");
            before[0] = 5;
            let fifth = AccountRow::read(&before).expect("a row of version 5");
            assert!(fifth.grants_people && !fifth.is_queue_stopped && !fifth.has_open_recordings);
            let now = AccountRow::read(&read.stored()).expect("a row of today");
            assert!(now.is_queue_stopped && now.has_open_recordings && now.max_waiting == 5);
            let read = now.third.grants.and(now.grants_people, now.grants_media);
            let expected = Grants {
                people: true,
                media: true,
                ..grants.clone()
            };
            assert_eq!(read, expected);
        }
    }
}
