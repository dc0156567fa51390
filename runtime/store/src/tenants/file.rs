//! The shape of the file: its tables and keys, before anything is checked.

mod trunk;

use std::collections::BTreeMap;

use call::Grants;
use serde::Deserialize;
use toml::Spanned;

pub(super) use trunk::{
    CredentialsTable, HealthTable, LoginTable, NatTable, NumbersTable, RegistrationTable,
    TrunkTable,
};

use super::TenantsError;
use super::check::line_at;
use crate::{Outbound, Secret};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) carrier: Vec<CarrierTable>,
    #[serde(default)]
    pub(super) account: Vec<AccountTable>,
    #[serde(default)]
    pub(super) trunk: Vec<TrunkTable>,
    #[serde(default)]
    pub(super) component: Vec<ComponentTable>,
    #[serde(default)]
    pub(super) number: Vec<NumberTable>,
    #[serde(default)]
    pub(super) operator: Vec<OperatorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierTable {
    pub(super) id: Spanned<String>,
    pub(super) name: Option<String>,
    pub(super) domain: Option<String>,
    #[serde(default)]
    pub(super) number_pool: Vec<Spanned<String>>,
    pub(super) calls_per_second: Option<Spanned<f32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountTable {
    pub(super) carrier: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) sid: Option<Spanned<String>>,
    pub(super) auth_token: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) egress: EgressTable,
    #[serde(default)]
    pub(super) outbound: OutboundTable,
    pub(super) fallback: Option<Spanned<FlowTable>>,
    pub(super) media_dir: Option<String>,
    pub(super) voice: Option<String>,
    #[serde(default)]
    pub(super) open_recordings: bool,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) grants: Option<Spanned<Grants>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct EgressTable {
    #[serde(default)]
    pub(super) allow: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OutboundTable {
    pub(super) allow: Vec<Spanned<String>>,
    pub(super) max_channels: Spanned<u32>,
    pub(super) calls_per_second: Spanned<f32>,
    pub(super) max_waiting: Spanned<u32>,
    pub(super) priority: Option<Spanned<String>>,
    pub(super) highest_priority: Option<Spanned<String>>,
    pub(super) expires_after_s: Option<Spanned<u32>>,
    pub(super) window: Option<Spanned<String>>,
}

impl Default for OutboundTable {
    fn default() -> Self {
        let Outbound {
            max_channels,
            calls_per_second,
            max_waiting,
            ..
        } = Outbound::default();
        Self {
            allow: Vec::new(),
            max_channels: Spanned::new(0..0, max_channels),
            calls_per_second: Spanned::new(0..0, calls_per_second),
            max_waiting: Spanned::new(0..0, max_waiting),
            priority: None,
            highest_priority: None,
            expires_after_s: None,
            window: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorTable {
    pub(super) country: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) prefixes: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentTable {
    pub(super) account: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) file: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberTable {
    pub(super) number: Spanned<String>,
    pub(super) account: Spanned<String>,
    pub(super) flow: Option<Spanned<String>>,
    pub(super) voice_url: Option<Spanned<String>>,
    pub(super) voice_method: Option<Spanned<String>>,
    pub(super) twiml: Option<Spanned<String>>,
    pub(super) status_callback: Option<Spanned<String>>,
    pub(super) status_callback_method: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
}

/// What a call does: the same keys as in a number's table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowTable {
    pub(super) flow: Option<Spanned<String>>,
    pub(super) voice_url: Option<Spanned<String>>,
    pub(super) voice_method: Option<Spanned<String>>,
    pub(super) twiml: Option<Spanned<String>>,
}

/// Reads the tables. The error names the known keys where one is unknown.
pub(super) fn parse(text: &str) -> Result<File, TenantsError> {
    toml::from_str(text).map_err(|error| TenantsError {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })
}

/// The text of each table, by kind, in the order of the file; without comments and spelled in one way.
pub(super) fn tables(text: &str) -> Result<BTreeMap<&'static str, Vec<Secret>>, TenantsError> {
    let whole: toml::Table = toml::from_str(text).map_err(|error| TenantsError {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let kinds = ["carrier", "account", "trunk", "number", "operator"];
    let texts = |kind| {
        let tables = whole.get(kind).and_then(toml::Value::as_array);
        let tables = tables.map(Vec::as_slice).unwrap_or_default();
        let texts = tables.iter().map(|table| Secret::new(table.to_string()));
        (kind, texts.collect())
    };
    Ok(kinds.into_iter().map(texts).collect())
}
