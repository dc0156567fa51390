//! The tables of a trunk.

use std::collections::BTreeMap;

use numbers::{Form, IdentityHeader};
use serde::Deserialize;
use toml::Spanned;

use crate::Encryption;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct TrunkTable {
    pub(in crate::tenants) id: Spanned<String>,
    pub(in crate::tenants) carrier: Spanned<String>,
    pub(in crate::tenants) account: Option<Spanned<String>>,
    #[serde(default)]
    pub(in crate::tenants) sources: Vec<Spanned<String>>,
    pub(in crate::tenants) target: Option<Spanned<String>>,
    #[serde(default)]
    pub(in crate::tenants) targets: Vec<Spanned<String>>,
    #[serde(default)]
    pub(in crate::tenants) sip_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(in crate::tenants) prefixes: Vec<Spanned<String>>,
    pub(in crate::tenants) rank: Option<Spanned<u32>>,
    pub(in crate::tenants) max_channels: Spanned<u32>,
    pub(in crate::tenants) calls_per_second: Option<Spanned<f32>>,
    #[serde(default)]
    pub(in crate::tenants) channels_by_prefix: BTreeMap<String, Spanned<u32>>,
    pub(in crate::tenants) reserved_for_inbound: Option<Spanned<u32>>,
    #[serde(default)]
    pub(in crate::tenants) reserved_by_prefix: BTreeMap<String, Spanned<u32>>,
    pub(in crate::tenants) login: Option<LoginTable>,
    pub(in crate::tenants) credentials: Option<CredentialsTable>,
    pub(in crate::tenants) registration: Option<RegistrationTable>,
    pub(in crate::tenants) health: Option<Spanned<HealthTable>>,
    #[serde(default)]
    pub(in crate::tenants) numbers: NumbersTable,
    #[serde(default)]
    pub(in crate::tenants) caller_id: CallerIdTable,
    #[serde(default)]
    pub(in crate::tenants) nat: NatTable,
    #[serde(default)]
    pub(in crate::tenants) outcomes: BTreeMap<String, Spanned<String>>,
    pub(in crate::tenants) codecs: Option<Spanned<Vec<Spanned<String>>>>,
    pub(in crate::tenants) dtmf: Option<Spanned<String>>,
    #[serde(default)]
    pub(in crate::tenants) encryption: Encryption,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct LoginTable {
    pub(in crate::tenants) username: Spanned<String>,
    pub(in crate::tenants) password: Spanned<String>,
    #[serde(default)]
    pub(in crate::tenants) registers: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct CredentialsTable {
    pub(in crate::tenants) username: Spanned<String>,
    pub(in crate::tenants) password: Spanned<String>,
    pub(in crate::tenants) realm: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct RegistrationTable {
    pub(in crate::tenants) registrar: Spanned<String>,
    pub(in crate::tenants) user: Option<Spanned<String>>,
    pub(in crate::tenants) contact_user: Option<Spanned<String>>,
    pub(in crate::tenants) expires_s: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct HealthTable {
    pub(in crate::tenants) every_s: Option<Spanned<u32>>,
    pub(in crate::tenants) down_after: Option<Spanned<u32>>,
    pub(in crate::tenants) up_after: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct NumbersTable {
    pub(in crate::tenants) country: Option<Spanned<String>>,
    pub(in crate::tenants) dial_as: Option<Spanned<Form>>,
    pub(in crate::tenants) prefix: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::tenants) struct CallerIdTable {
    pub(in crate::tenants) dial_as: Option<Spanned<Form>>,
    pub(in crate::tenants) headers: Option<Vec<IdentityHeader>>,
    #[serde(default)]
    pub(in crate::tenants) user_phone: bool,
    #[serde(default)]
    pub(in crate::tenants) trusted: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(in crate::tenants) struct NatTable {
    pub(in crate::tenants) force_rport: bool,
    pub(in crate::tenants) to_source: bool,
    pub(in crate::tenants) symmetric_rtp: bool,
    pub(in crate::tenants) advertised_sip: Option<Spanned<String>>,
    pub(in crate::tenants) advertised_media: Option<Spanned<String>>,
}
