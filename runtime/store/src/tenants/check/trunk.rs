//! `[[trunk]]` and the tables in it.

mod login;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use call::AccountSid;
use toml::Spanned;

use super::super::TenantsError;
use super::super::file::{HealthTable, NatTable, RegistrationTable, TrunkTable};
use super::{Check, each};
use crate::{
    CarrierId, Credentials, Encryption, Health, IpPrefix, MAX_RANK, Nat, Registration, SipHost,
    Target, TargetUri, Trunk, TrunkId,
};

/// What `targets` calls the place where the peer registered.
const REGISTERED: &str = "registered";

/// Of a trunk that takes no outbound calls.
const NO_RATE: f32 = 1.0;

/// What the trunks seen so far have taken.
#[derive(Default)]
struct Taken {
    ids: BTreeSet<TrunkId>,
    sources: BTreeMap<(CarrierId, IpPrefix), TrunkId>,
    /// By realm and user name.
    logins: BTreeMap<(String, String), TrunkId>,
}

impl Check<'_> {
    pub(super) fn trunks(&self, tables: Vec<TrunkTable>) -> Result<Vec<Trunk>, TenantsError> {
        let mut taken = Taken::default();
        each(tables, |table| {
            let trunk = self.trunk(&table)?;
            self.take_trunk(&mut taken, &table, &trunk)?;
            Ok(trunk)
        })
    }

    /// A trunk that takes nothing from those before it.
    fn take_trunk(
        &self,
        taken: &mut Taken,
        table: &TrunkTable,
        trunk: &Trunk,
    ) -> Result<(), TenantsError> {
        if !taken.ids.insert(trunk.id.clone()) {
            return Err(self.error(
                &table.id,
                format_args!("trunk `{}` is named twice: give one another id", trunk.id),
            ));
        }
        for (source, at) in trunk.sources.iter().zip(&table.sources) {
            let key = (trunk.carrier.clone(), *source);
            if let Some(other) = taken.sources.insert(key, trunk.id.clone()) {
                return Err(self.error(
                    at,
                    format_args!("`{source}` is a source of trunk `{other}` too: keep one"),
                ));
            }
        }
        self.take_login(taken, table, trunk)
    }

    fn trunk(&self, table: &TrunkTable) -> Result<Trunk, TenantsError> {
        let carrier = self.known_carrier(&table.carrier)?;
        let account = table.account.as_ref();
        let account = account.map(|account| self.trunk_account(&carrier, account));
        let rank = table.rank.as_ref();
        let rank = rank.map(|rank| self.within(rank, 0..=MAX_RANK, "rank"));
        let login = table.login.as_ref().map(|login| self.login(login));
        let credentials = table.credentials.as_ref();
        let credentials = credentials.map(|credentials| self.credentials(credentials));
        let credentials = credentials.transpose()?;
        let registration = table.registration.as_ref();
        let registration =
            registration.map(|registration| self.registration(registration, credentials.as_ref()));
        let trunk = Trunk {
            id: TrunkId(self.slug(&table.id)?),
            carrier,
            account: account.transpose()?,
            sources: table
                .sources
                .iter()
                .map(|source| self.parsed(source))
                .collect::<Result<_, _>>()?,
            login: login.transpose()?,
            targets: self.targets(table)?,
            sip_hosts: self.sip_hosts(table)?,
            prefixes: self.prefixes(table)?,
            rank: rank.transpose()?.unwrap_or_default(),
            credentials,
            registration: registration.transpose()?,
            health: self.health(table)?,
            max_channels: self.max_channels(&table.max_channels)?,
            calls_per_second: self.trunk_rate(table)?,
            channels_by_prefix: self.channels_by_prefix(table)?,
            reserved: self.reserved(table)?,
            numbers: self.number_rules(&table.numbers)?,
            caller_id: self.caller_id_rules(table)?,
            nat: self.nat(&table.nat)?,
            outcomes: self.outcomes(&table.outcomes)?,
            codecs: self.codecs(table)?,
            dtmf: self.dtmf(table)?,
            encryption: table.encryption,
        };
        let is_inbound = !trunk.sources.is_empty() || trunk.login.is_some();
        if !is_inbound && trunk.targets.is_empty() && trunk.sip_hosts.is_empty() {
            return Err(self.error(
                &table.id,
                "a trunk needs `sources` or a `login` for inbound calls, `targets` for outbound ones, or `sip_hosts` for those to SIP URIs",
            ));
        }
        Ok(trunk)
    }

    fn sip_hosts(&self, table: &TrunkTable) -> Result<Vec<SipHost>, TenantsError> {
        let mut hosts = Vec::new();
        for host in &table.sip_hosts {
            let known = self.parsed(host)?;
            if hosts.contains(&known) {
                return Err(self.error(
                    host,
                    format_args!("`{known}` is among `sip_hosts` twice: keep one"),
                ));
            }
            hosts.push(known);
        }
        Ok(hosts)
    }

    /// The one account that has the trunk.
    fn trunk_account(
        &self,
        carrier: &CarrierId,
        name: &Spanned<String>,
    ) -> Result<AccountSid, TenantsError> {
        match self.known_account(name)? {
            (of, account) if of == *carrier => Ok(account),
            (of, _) => Err(self.error(
                name,
                format_args!(
                    "account `{}` is one of carrier `{of}`, and the trunk is one of `{carrier}`: a trunk is given to an account of its own carrier",
                    name.get_ref()
                ),
            )),
        }
    }

    fn prefixes(&self, table: &TrunkTable) -> Result<Vec<String>, TenantsError> {
        let is_prefix = |text: &str| {
            let digits = text.strip_prefix('+').unwrap_or(text);
            (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let mut prefixes = Vec::new();
        for prefix in &table.prefixes {
            let text = prefix.get_ref();
            if !is_prefix(text) || prefixes.contains(text) {
                return Err(self.error(
                    prefix,
                    "`prefixes` has beginnings of numbers such as \"+85510\", or of short codes such as \"12\", each once",
                ));
            }
            prefixes.push(text.clone());
        }
        Ok(prefixes)
    }

    fn targets(&self, table: &TrunkTable) -> Result<Vec<Target>, TenantsError> {
        if let (Some(target), false) = (&table.target, table.targets.is_empty()) {
            return Err(self.error(
                target,
                "give `target`, or several `targets` that are tried in turn, not both",
            ));
        }
        let all = table.target.iter().chain(&table.targets);
        all.map(|target| self.target(target, table)).collect()
    }

    fn target(&self, target: &Spanned<String>, table: &TrunkTable) -> Result<Target, TenantsError> {
        if target.get_ref() != REGISTERED {
            let uri = self.target_uri(target)?;
            if table.encryption == Encryption::Required && uri.is_in_the_clear() {
                return Err(self.error(
                    target,
                    format_args!(
                        "`{uri}` is not reached over TLS, and `encryption = \"required\"` sends no keys in the clear: write \"sips:\", or add \";transport=tls\""
                    ),
                ));
            }
            return Ok(Target::Uri(uri));
        }
        if table.login.as_ref().is_some_and(|login| login.registers) {
            return Ok(Target::Registered);
        }
        Err(self.error(
            target,
            "the target `registered` is where the peer has registered: give the trunk a `login` with `registers = true`",
        ))
    }

    fn target_uri(&self, uri: &Spanned<String>) -> Result<TargetUri, TenantsError> {
        self.parsed(uri)
    }

    fn registration(
        &self,
        table: &RegistrationTable,
        credentials: Option<&Credentials>,
    ) -> Result<Registration, TenantsError> {
        let user = match (&table.user, credentials) {
            (Some(user), _) => self.user_name(user, "user")?,
            (None, Some(credentials)) => credentials.username.clone(),
            (None, None) => {
                return Err(self.error(
                    &table.registrar,
                    "a registration needs `credentials`, or a `user` where the provider asks for no password",
                ));
            }
        };
        let contact_user = match &table.contact_user {
            Some(contact_user) => self.user_name(contact_user, "contact_user")?,
            None => user.clone(),
        };
        let expires_s = table.expires_s.as_ref();
        let expires_s = expires_s.map(|seconds| self.within(seconds, 60..=86_400, "expires_s"));
        Ok(Registration {
            registrar: self.target_uri(&table.registrar)?,
            user,
            contact_user,
            expires_s: expires_s.transpose()?.unwrap_or(600),
        })
    }

    fn health(&self, table: &TrunkTable) -> Result<Option<Health>, TenantsError> {
        let Some(health) = &table.health else {
            return Ok(None);
        };
        if table.target.is_none() && table.targets.is_empty() {
            return Err(self.error(
                health,
                "`health` probes targets, and the trunk has none: remove it, or give `targets`",
            ));
        }
        let HealthTable {
            every_s,
            down_after,
            up_after,
        } = health.get_ref();
        let within = |number: &Option<Spanned<u32>>, bounds, key, default| {
            number
                .as_ref()
                .map_or(Ok(default), |number| self.within(number, bounds, key))
        };
        let default = Health::default();
        Ok(Some(Health {
            every_s: within(every_s, 5..=3_600, "every_s", default.every_s)?,
            down_after: within(down_after, 1..=100, "down_after", default.down_after)?,
            up_after: within(up_after, 1..=100, "up_after", default.up_after)?,
        }))
    }

    /// Only outbound calls are begun by us.
    fn trunk_rate(&self, table: &TrunkTable) -> Result<f32, TenantsError> {
        let targets = table
            .target
            .iter()
            .chain(&table.targets)
            .chain(&table.sip_hosts);
        match (&table.calls_per_second, targets.into_iter().next()) {
            (Some(rate), _) => self.calls_per_second(rate),
            (None, None) => Ok(NO_RATE),
            (None, Some(target)) => Err(self.error(
                target,
                "a trunk with a target, or with `sip_hosts`, needs `calls_per_second`: how many outbound calls may be begun in a second",
            )),
        }
    }

    fn nat(&self, table: &NatTable) -> Result<Nat, TenantsError> {
        let sip = table.advertised_sip.as_ref().map(|address| {
            self.address(
                address,
                "advertised_sip",
                "an IP address and a port, such as \"203.0.113.1:5060\"",
            )
        });
        let media = table.advertised_media.as_ref().map(|address| {
            self.address(
                address,
                "advertised_media",
                "an IP address, such as \"203.0.113.1\"",
            )
        });
        Ok(Nat {
            force_rport: table.force_rport,
            to_source: table.to_source,
            symmetric_rtp: table.symmetric_rtp,
            advertised_sip: sip.transpose()?,
            advertised_media: media.transpose()?,
        })
    }

    fn address<T: std::str::FromStr>(
        &self,
        address: &Spanned<String>,
        key: &str,
        what: &str,
    ) -> Result<T, TenantsError> {
        let parsed = address.get_ref().parse();
        parsed.map_err(|_| self.error(address, format_args!("`{key}` is {what}")))
    }
}
