//! A trunk's row on the disk.

use std::fmt::Display;

use call::{AccountSid, Outcomes};
use numbers::{CallerIdRules, NumberRules};
use rtp::dtmf::DigitPolicy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::seal::{OperatorKey, Purpose};
use crate::{
    CarrierId, ChannelsByPrefix, Credentials, Encryption, Health, IpPrefix, Login, Nat,
    Registration, Reserved, Secret, SipHost, StoreError, Target, Trunk, TrunkId,
};

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
    /// By their encoding names.
    codecs: Vec<String>,
    /// By its name in the tenants file.
    dtmf: String,
    encryption: Encryption,
    reserved: Reserved,
    prefixes: Vec<String>,
    sip_hosts: Vec<SipHost>,
    account: Option<AccountSid>,
    rank: u32,
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

impl TrunkRow {
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
            codecs: trunk
                .codecs
                .iter()
                .map(|codec| codec.name().to_owned())
                .collect(),
            dtmf: trunk.dtmf.name().to_owned(),
            encryption: trunk.encryption,
            reserved: trunk.reserved.clone(),
            prefixes: trunk.prefixes.clone(),
            sip_hosts: trunk.sip_hosts.clone(),
            account: trunk.account,
            rank: trunk.rank,
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
        let dtmf = DigitPolicy::named(&self.dtmf)
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
            sip_hosts: self.sip_hosts,
            account: self.account,
            rank: self.rank,
            numbers: self.numbers,
            caller_id: self.caller_id,
            nat: self.nat,
            outcomes: self.outcomes,
            dtmf,
            codecs: self
                .codecs
                .iter()
                .filter_map(|name| sdp::Codec::from_name(name))
                .filter(|codec| call::media_codec(*codec).is_built_in()) // another build wrote it
                .collect(),
            encryption: self.encryption,
        })
    }
}

/// What a trunk's sealed values are bound to. Its id never changes.
fn owner(id: &TrunkId) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(format!("jackfield trunk\0{id}")).into();
    let mut owner = [0; 16];
    owner.copy_from_slice(&digest[..16]);
    owner
}
