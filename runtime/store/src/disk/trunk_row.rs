//! A trunk's row on the disk.

use std::fmt::Display;
use std::net::SocketAddr;

use call::Outcomes;
use numbers::{CallerIdRules, NumberRules};
use rtp::dtmf::DigitPolicy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::seal::{OperatorKey, Purpose};
use crate::{
    CarrierId, ChannelsByPrefix, Credentials, Encryption, Health, IpPrefix, Login, Nat,
    Registration, Reserved, Secret, StoreError, Target, Trunk, TrunkId,
};

/// The version of the rows written today.
const VERSION: u8 = 5;

/// What a trunk had before it could have prefixes.
const NO_PREFIXES: Vec<String> = Vec::new();

/// A trunk as it is stored: what is secret, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct TrunkRow {
    id: TrunkId,
    carrier: CarrierId,
    sources: Vec<IpPrefix>,
    login: Option<LoginRow>,
    targets: Vec<Target>,
    credentials: Option<CredentialsRow>,
    registration: Option<Registration>,
    health: Option<Health>,
    max_channels: u32,
    calls_per_second: f32,
    channels_by_prefix: ChannelsByPrefix,
    numbers: NumberRules,
    caller_id: CallerIdRules,
    nat: Nat,
    outcomes: Outcomes,
    /// Version 2 ends before it.
    media: MediaRow,
    /// Version 3 ends before it.
    reserved: Reserved,
    /// Version 4 ends before it.
    prefixes: Vec<String>,
}

/// How calls sound.
#[derive(Serialize, Deserialize)]
struct MediaRow {
    /// By their encoding names.
    codecs: Vec<String>,
    /// By its name in the tenants file.
    dtmf: String,
    encryption: Encryption,
}

#[derive(Serialize, Deserialize)]
struct LoginRow {
    username: String,
    sealed_password: Vec<u8>,
    registers: bool,
}

#[derive(Serialize, Deserialize)]
struct CredentialsRow {
    username: String,
    sealed_password: Vec<u8>,
    realm: Option<String>,
}

/// Version 1: a peer at fixed addresses.
#[derive(Deserialize)]
struct FirstRow {
    id: TrunkId,
    carrier: CarrierId,
    sources: Vec<IpPrefix>,
    target: Option<SocketAddr>,
    max_channels: u32,
    calls_per_second: f32,
}

impl TrunkRow {
    pub(super) fn read(stored: &[u8]) -> Result<Self, StoreError> {
        match version("trunk", stored)? {
            (VERSION, row) => decode_row("trunk", row),
            (4, row) => decode_row("trunk", &[row, &appended(&NO_PREFIXES)].concat()),
            (3, row) => {
                let later = (Reserved::default(), NO_PREFIXES);
                decode_row("trunk", &[row, &appended(&later)].concat())
            }
            (2, row) => {
                let later = (MediaRow::default(), Reserved::default(), NO_PREFIXES);
                decode_row("trunk", &[row, &appended(&later)].concat())
            }
            (1, row) => decode_row::<FirstRow>("trunk", row).map(Self::from),
            (version, _) => Err(unknown_version("trunk", version)),
        }
    }

    pub(super) fn stored(&self) -> Vec<u8> {
        encode_as(VERSION, self)
    }

    pub(super) fn seal(trunk: &Trunk, operator: &OperatorKey) -> Self {
        let owner = owner(&trunk.id);
        let seal =
            |purpose, secret: &Secret| operator.seal(purpose, &owner, secret.expose().as_bytes());
        Self {
            id: trunk.id.clone(),
            carrier: trunk.carrier.clone(),
            sources: trunk.sources.clone(),
            login: trunk.login.as_ref().map(|login| LoginRow {
                username: login.username.clone(),
                sealed_password: seal(Purpose::LoginPassword, &login.password),
                registers: login.registers,
            }),
            targets: trunk.targets.clone(),
            credentials: trunk
                .credentials
                .as_ref()
                .map(|credentials| CredentialsRow {
                    username: credentials.username.clone(),
                    sealed_password: seal(Purpose::CredentialsPassword, &credentials.password),
                    realm: credentials.realm.clone(),
                }),
            registration: trunk.registration.clone(),
            health: trunk.health,
            max_channels: trunk.max_channels,
            calls_per_second: trunk.calls_per_second,
            channels_by_prefix: trunk.channels_by_prefix.clone(),
            numbers: trunk.numbers.clone(),
            caller_id: trunk.caller_id.clone(),
            nat: trunk.nat.clone(),
            outcomes: trunk.outcomes.clone(),
            media: MediaRow {
                codecs: names(&trunk.codecs),
                dtmf: trunk.dtmf.name().to_owned(),
                encryption: trunk.encryption,
            },
            reserved: trunk.reserved.clone(),
            prefixes: trunk.prefixes.clone(),
        }
    }

    pub(super) fn open(self, operator: &OperatorKey) -> Result<Trunk, StoreError> {
        let owner = owner(&self.id);
        let damaged = |what: &dyn Display| {
            StoreError::Corrupt(format!(
                "trunk {}: {what}; is this the key file the database was made with?",
                self.id
            ))
        };
        let open = |purpose, sealed: &[u8]| {
            let password = operator
                .open(purpose, &owner, sealed)
                .map_err(|error| damaged(&error))?;
            let password = String::from_utf8(password).map_err(|error| damaged(&error))?;
            Ok::<_, StoreError>(Secret::new(password))
        };
        let login = self.login.map(|row| {
            open(Purpose::LoginPassword, &row.sealed_password).map(|password| Login {
                username: row.username,
                password,
                registers: row.registers,
            })
        });
        let credentials = self.credentials.map(|row| {
            open(Purpose::CredentialsPassword, &row.sealed_password).map(|password| Credentials {
                username: row.username,
                password,
                realm: row.realm,
            })
        });
        let dtmf = DigitPolicy::named(&self.media.dtmf)
            .ok_or_else(|| damaged(&"its way to tell of keys is unknown"))?;
        Ok(Trunk {
            login: login.transpose()?,
            credentials: credentials.transpose()?,
            id: self.id,
            carrier: self.carrier,
            sources: self.sources,
            targets: self.targets,
            registration: self.registration,
            health: self.health,
            max_channels: self.max_channels,
            calls_per_second: self.calls_per_second,
            channels_by_prefix: self.channels_by_prefix,
            reserved: self.reserved,
            prefixes: self.prefixes,
            numbers: self.numbers,
            caller_id: self.caller_id,
            nat: self.nat,
            outcomes: self.outcomes,
            dtmf,
            codecs: self
                .media
                .codecs
                .iter()
                .filter_map(|name| sdp::Codec::from_name(name))
                .filter(|codec| call::media_codec(*codec).is_built_in()) // another build wrote it
                .collect(),
            encryption: self.media.encryption,
        })
    }
}

/// The bytes of what a row ends with.
fn appended(end: &impl Serialize) -> Vec<u8> {
    encode_as(VERSION, end).split_off(1)
}

impl Default for MediaRow {
    fn default() -> Self {
        Self {
            codecs: names(&sdp::Codec::NARROWBAND),
            dtmf: DigitPolicy::default().name().to_owned(),
            encryption: Encryption::default(),
        }
    }
}

fn names(codecs: &[sdp::Codec]) -> Vec<String> {
    codecs.iter().map(|codec| codec.name().to_owned()).collect()
}

impl From<FirstRow> for TrunkRow {
    fn from(row: FirstRow) -> Self {
        Self {
            id: row.id,
            carrier: row.carrier,
            sources: row.sources,
            login: None,
            targets: row.target.into_iter().map(Target::from).collect(),
            credentials: None,
            registration: None,
            health: None,
            max_channels: row.max_channels,
            calls_per_second: row.calls_per_second,
            channels_by_prefix: ChannelsByPrefix::default(),
            numbers: NumberRules::default(),
            caller_id: CallerIdRules::default(),
            nat: Nat::default(),
            outcomes: Outcomes::default(),
            media: MediaRow::default(),
            reserved: Reserved::default(),
            prefixes: NO_PREFIXES,
        }
    }
}

/// What a trunk's sealed values are bound to. Its id never changes.
fn owner(id: &TrunkId) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(format!("jackfield trunk\0{id}")).into();
    let mut owner = [0; 16];
    owner.copy_from_slice(&digest[..16]);
    owner
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    /// A row as version 1 wrote it, `target` a socket address.
    #[derive(Serialize)]
    struct Written<'a> {
        id: &'a str,
        carrier: &'a str,
        sources: Vec<&'a str>,
        target: Option<SocketAddr>,
        max_channels: u32,
        calls_per_second: f32,
    }

    fn written(target: Option<&str>) -> Written<'static> {
        Written {
            id: "gateway",
            carrier: "east",
            sources: vec!["203.0.113.0/24"],
            target: target.map(|target| target.parse().unwrap()),
            max_channels: 30,
            calls_per_second: 2.5,
        }
    }

    #[test]
    fn a_row_of_the_first_version_is_read() {
        let key = OperatorKey::random();
        for target in [None, Some("203.0.113.7:5080")] {
            let trunk = TrunkRow::read(&encode_as(1, &written(target)))
                .unwrap()
                .open(&key)
                .unwrap();
            let targets: Vec<_> = target
                .map(|target| Target::Uri(target.parse().unwrap()))
                .into_iter()
                .collect();
            assert_eq!(trunk.targets, targets);
            assert_eq!(trunk.sources, ["203.0.113.0/24".parse().unwrap()]);
            assert_eq!((trunk.max_channels, trunk.calls_per_second), (30, 2.5));
            let again = TrunkRow::read(&TrunkRow::seal(&trunk, &key).stored()).unwrap();
            assert_eq!(again.open(&key).unwrap(), trunk);
        }
    }

    #[test]
    fn a_row_of_an_earlier_version_means_what_it_did() {
        let key = OperatorKey::random();
        let trunk = TrunkRow::read(&encode_as(1, &written(None)))
            .unwrap()
            .open(&key)
            .unwrap();
        let today = TrunkRow::seal(&trunk, &key).stored();
        let later = [
            (
                2,
                appended(&(MediaRow::default(), Reserved::default(), NO_PREFIXES)),
            ),
            (3, appended(&(Reserved::default(), NO_PREFIXES))),
            (4, appended(&NO_PREFIXES)),
        ];
        for (version, end) in later {
            let mut earlier = today.strip_suffix(&end[..]).unwrap().to_vec();
            earlier[0] = version;
            let read = TrunkRow::read(&earlier).unwrap().open(&key).unwrap();
            assert_eq!(read, trunk);
            assert_eq!(read.codecs, sdp::Codec::NARROWBAND);
            assert_eq!(read.reserved, Reserved::default());
        }
    }

    #[test]
    fn a_later_version_is_not_guessed_at() {
        for version in [0, 6, 255] {
            let error = TrunkRow::read(&[version, 1, 2]).err().unwrap();
            assert!(
                error.to_string().contains(&format!("version {version}")),
                "{error}"
            );
        }
    }
}
