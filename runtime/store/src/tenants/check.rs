//! What the keys may hold, and how the tables refer to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;

use call::AccountSid;
use toml::Spanned;

use super::file::{
    self, AccountTable, CarrierTable, ComponentTable, FlowTable, NumberTable, TrunkTable,
};
use super::{
    MAX_COMPONENT_BYTES, NewAccount, NewComponent, Surroundings, Tenants, TenantsError, derived_sid,
};
use crate::carrier::is_slug;
use crate::{
    Carrier, CarrierId, Component, Egress, Flow, IpPrefix, Number, Outbound, PhoneNumber, Secret,
    Sha256Digest, Trunk, TrunkId, WebhookMethod,
};

/// Which line of `text` holds the byte at `offset`. Counts from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

pub(super) fn check(
    text: &str,
    file: file::File,
    surroundings: &Surroundings<'_>,
) -> Result<Tenants, TenantsError> {
    let mut check = Check {
        text,
        surroundings,
        carriers: BTreeSet::new(),
        accounts: Vec::new(),
        components: BTreeSet::new(),
    };
    let carriers = each(file.carrier, |table| check.carrier(table))?;
    let mut fallbacks = Vec::new();
    let mut accounts = each(file.account, |mut table| {
        fallbacks.push(table.fallback.take());
        check.account(table)
    })?;
    let trunks = check.trunks(file.trunk)?;
    let components = each(file.component, |table| check.component(&table))?;
    for (account, fallback) in accounts.iter_mut().zip(fallbacks) {
        account.fallback = fallback
            .map(|flow| check.flow(flow, account.sid))
            .transpose()?;
    }
    let mut lines = BTreeMap::new();
    let numbers = each(file.number, |table| check.number(table, &mut lines))?;
    Ok(Tenants {
        carriers,
        accounts,
        trunks,
        components,
        numbers,
    })
}

fn each<T, U>(
    tables: Vec<T>,
    take: impl FnMut(T) -> Result<U, TenantsError>,
) -> Result<Vec<U>, TenantsError> {
    tables.into_iter().map(take).collect()
}

/// What the tables seen so far have named.
struct Check<'a> {
    text: &'a str,
    surroundings: &'a Surroundings<'a>,
    carriers: BTreeSet<CarrierId>,
    accounts: Vec<(CarrierId, String, AccountSid)>,
    components: BTreeSet<(AccountSid, String)>,
}

impl Check<'_> {
    /// An error at the place of a value.
    fn error<T>(&self, at: &Spanned<T>, message: impl Display) -> TenantsError {
        TenantsError {
            line: line_at(self.text, at.span().start),
            message: message.to_string(),
        }
    }

    fn carrier(&mut self, table: CarrierTable) -> Result<Carrier, TenantsError> {
        let id = CarrierId(self.slug(&table.id)?);
        if !self.carriers.insert(id.clone()) {
            return Err(self.error(
                &table.id,
                format_args!("carrier `{id}` is named twice: keep one"),
            ));
        }
        Ok(Carrier {
            name: table.name.unwrap_or_else(|| id.0.clone()),
            id,
            domain: table.domain,
        })
    }

    /// Everything of an account but its fallback, which may name a component that comes later.
    fn account(&mut self, table: AccountTable) -> Result<NewAccount, TenantsError> {
        let carrier = self.known_carrier(&table.carrier)?;
        let name = table.name.get_ref().clone();
        if name.is_empty()
            || name.len() > 64
            || name.contains('/')
            || name.chars().any(char::is_control)
        {
            return Err(self.error(
                &table.name,
                "an account's name has 1 to 64 bytes and no `/`",
            ));
        }
        if self
            .accounts
            .iter()
            .any(|(owner, other, _)| *owner == carrier && *other == name)
        {
            return Err(self.error(
                &table.name,
                format_args!("carrier `{carrier}` has two accounts `{name}`: rename one"),
            ));
        }
        let sid = match &table.sid {
            Some(sid) => sid
                .get_ref()
                .parse()
                .map_err(|error| self.error(sid, error))?,
            None => derived_sid(&carrier, &name),
        };
        if self.accounts.iter().any(|(_, _, other)| *other == sid) {
            return Err(self.error(
                &table.name,
                format_args!("two accounts have the SID {sid}: change one `sid`, or leave it out"),
            ));
        }
        self.accounts.push((carrier.clone(), name.clone(), sid));
        Ok(NewAccount {
            sid,
            auth_token: table
                .auth_token
                .map(|token| self.token(&token))
                .transpose()?,
            egress: Egress {
                allow: each(table.egress.allow, |entry| self.egress_entry(&entry))?,
            },
            outbound: Outbound {
                allow: each(table.outbound.allow, |entry| self.outbound_entry(&entry))?,
                max_channels: self.max_channels(&table.outbound.max_channels)?,
                calls_per_second: self.calls_per_second(&table.outbound.calls_per_second)?,
            },
            fallback: None,
            media_dir: table
                .media_dir
                .map(|folder| self.surroundings.folder.join(folder)),
            voice: table.voice,
            settings: table.settings,
            carrier,
            name,
        })
    }

    fn trunks(&self, tables: Vec<TrunkTable>) -> Result<Vec<Trunk>, TenantsError> {
        let mut ids = BTreeSet::new();
        let mut sources = BTreeMap::new();
        each(tables, |table| {
            let trunk = self.trunk(&table)?;
            if !ids.insert(trunk.id.clone()) {
                return Err(self.error(
                    &table.id,
                    format_args!("trunk `{}` is named twice: give one another id", trunk.id),
                ));
            }
            for (source, at) in trunk.sources.iter().zip(&table.sources) {
                if let Some(other) =
                    sources.insert((trunk.carrier.clone(), *source), trunk.id.clone())
                {
                    return Err(self.error(
                        at,
                        format_args!("`{source}` is a source of trunk `{other}` too: keep one"),
                    ));
                }
            }
            Ok(trunk)
        })
    }

    fn trunk(&self, table: &TrunkTable) -> Result<Trunk, TenantsError> {
        if table.sources.is_empty() && table.target.is_none() {
            return Err(self.error(
                &table.id,
                "a trunk needs `sources` for inbound calls, a `target` for outbound ones, or both",
            ));
        }
        let target = table.target.as_ref().map(|target| {
            target.get_ref().parse().map_err(|_| {
                self.error(
                    target,
                    "`target` is an IP address and a port, such as \"203.0.113.7:5060\"",
                )
            })
        });
        let source = |source: &Spanned<String>| -> Result<IpPrefix, TenantsError> {
            source
                .get_ref()
                .parse()
                .map_err(|error| self.error(source, error))
        };
        Ok(Trunk {
            id: TrunkId(self.slug(&table.id)?),
            carrier: self.known_carrier(&table.carrier)?,
            sources: table.sources.iter().map(source).collect::<Result<_, _>>()?,
            target: target.transpose()?,
            max_channels: self.max_channels(&table.max_channels)?,
            calls_per_second: self.calls_per_second(&table.calls_per_second)?,
        })
    }

    fn component(&mut self, table: &ComponentTable) -> Result<NewComponent, TenantsError> {
        let (_, account) = self.known_account(&table.account)?;
        let name = self.slug(&table.name)?;
        if !self.components.insert((account, name.clone())) {
            return Err(self.error(
                &table.name,
                format_args!("the account has two components `{name}`: rename one"),
            ));
        }
        let bytes = self.component_file(&table.file)?;
        let row = Component {
            account,
            name,
            sha256: Sha256Digest::of(&bytes),
            size_bytes: bytes.len() as u64,
        };
        Ok(NewComponent { row, bytes })
    }

    fn component_file(&self, file: &Spanned<String>) -> Result<Vec<u8>, TenantsError> {
        let path = self.surroundings.folder.join(file.get_ref());
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|opened| opened.take(MAX_COMPONENT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| {
                self.error(
                    file,
                    format_args!("cannot read {}: {error}", path.display()),
                )
            })?;
        if bytes.len() as u64 > MAX_COMPONENT_BYTES {
            return Err(self.error(
                file,
                format_args!("{} has more than 8 MiB: strip it", path.display()),
            ));
        }
        (self.surroundings.check_component)(&bytes).map_err(|problem| {
            self.error(
                file,
                format_args!("{} cannot run here: {problem}", path.display()),
            )
        })?;
        Ok(bytes)
    }

    fn number(
        &self,
        table: NumberTable,
        lines: &mut BTreeMap<(CarrierId, PhoneNumber), usize>,
    ) -> Result<Number, TenantsError> {
        let number: PhoneNumber = table
            .number
            .get_ref()
            .parse()
            .map_err(|error| self.error(&table.number, error))?;
        let (carrier, account) = self.known_account(&table.account)?;
        let line = line_at(self.text, table.number.span().start);
        if let Some(first) = lines.insert((carrier.clone(), number.clone()), line) {
            return Err(self.error(
                &table.number,
                format_args!(
                    "number `{number}` is given out twice, first in line {first}: keep one"
                ),
            ));
        }
        let NumberTable {
            flow,
            voice_url,
            voice_method,
            twiml,
            ..
        } = table;
        let flow = Spanned::new(
            table.number.span(),
            FlowTable {
                flow,
                voice_url,
                voice_method,
                twiml,
            },
        );
        Ok(Number {
            number,
            carrier,
            account,
            flow: self.flow(flow, account)?,
            settings: table.settings,
        })
    }

    fn flow(&self, flow: Spanned<FlowTable>, account: AccountSid) -> Result<Flow, TenantsError> {
        let place = Spanned::new(flow.span(), ());
        let FlowTable {
            flow,
            voice_url,
            voice_method,
            twiml,
        } = flow.into_inner();
        if let (None, Some(method)) = (&voice_url, &voice_method) {
            return Err(self.error(
                method,
                "`voice_method` belongs to a `voice_url`, and there is none: remove it",
            ));
        }
        match (flow, voice_url, twiml) {
            (Some(name), None, None) => self.component_flow(&name, account),
            (None, Some(url), None) => Ok(Flow::VoiceUrl {
                url: self.voice_url(&url)?,
                method: voice_method.map_or(Ok(WebhookMethod::default()), |method| {
                    self.voice_method(&method)
                })?,
            }),
            (None, None, Some(twiml)) => Ok(Flow::Twiml(twiml.into_inner())),
            _ => Err(self.error(
                &place,
                "give exactly one of `flow`, `voice_url` and `twiml`: it says what a call does",
            )),
        }
    }

    fn component_flow(
        &self,
        name: &Spanned<String>,
        account: AccountSid,
    ) -> Result<Flow, TenantsError> {
        let bundled = self.surroundings.bundled;
        let key = (account, name.get_ref().clone());
        if bundled.contains(&key.1.as_str()) || self.components.contains(&key) {
            return Ok(Flow::Component(key.1));
        }
        Err(self.error(
            name,
            format_args!(
                "no flow `{}`: add a [[component]] of that name, or use a bundled one ({})",
                key.1,
                bundled.join(", ")
            ),
        ))
    }

    fn voice_url(&self, url: &Spanned<String>) -> Result<String, TenantsError> {
        let text = url.get_ref();
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"));
        let plausible = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && !text
                .chars()
                .any(|char| char.is_whitespace() || char.is_control());
        if plausible {
            Ok(text.clone())
        } else {
            Err(self.error(url, "`voice_url` is an http:// or https:// URL"))
        }
    }

    fn voice_method(&self, method: &Spanned<String>) -> Result<WebhookMethod, TenantsError> {
        match method.get_ref().as_str() {
            "GET" => Ok(WebhookMethod::Get),
            "POST" => Ok(WebhookMethod::Post),
            _ => Err(self.error(method, "`voice_method` is \"GET\" or \"POST\"")),
        }
    }

    fn slug(&self, text: &Spanned<String>) -> Result<String, TenantsError> {
        if is_slug(text.get_ref()) {
            Ok(text.get_ref().clone())
        } else {
            Err(self.error(
                text,
                format_args!(
                    "`{}` is not an id: write 1 to 63 of a-z, 0-9 and -",
                    text.get_ref()
                ),
            ))
        }
    }

    fn known_carrier(&self, name: &Spanned<String>) -> Result<CarrierId, TenantsError> {
        let id = CarrierId(name.get_ref().clone());
        if self.carriers.contains(&id) {
            return Ok(id);
        }
        let known: Vec<&str> = self
            .carriers
            .iter()
            .map(|carrier| carrier.0.as_str())
            .collect();
        Err(self.error(
            name,
            format_args!(
                "no carrier `{id}` in this file: add a [[carrier]], or use one of: {}",
                known.join(", ")
            ),
        ))
    }

    /// An account by its name, or by `carrier/name`.
    fn known_account(
        &self,
        name: &Spanned<String>,
    ) -> Result<(CarrierId, AccountSid), TenantsError> {
        let wanted = name.get_ref();
        let fits = |carrier: &CarrierId, account: &str| match wanted.split_once('/') {
            Some((owner, wanted)) => carrier.0 == owner && account == wanted,
            None => account == wanted,
        };
        let mut found = self
            .accounts
            .iter()
            .filter(|(carrier, account, _)| fits(carrier, account));
        match (found.next(), found.next()) {
            (Some((carrier, _, sid)), None) => Ok((carrier.clone(), *sid)),
            (Some((carrier, ..)), Some(_)) => {
                Err(self.error(name, format_args!("two carriers have an account `{wanted}`: write `{carrier}/{wanted}` or the other")))
            }
            (None, _) => {
                let known: Vec<&str> = self.accounts.iter().map(|(_, name, _)| name.as_str()).collect();
                Err(self.error(name, format_args!("no account `{wanted}` in this file: add an [[account]], or use one of: {}", known.join(", "))))
            }
        }
    }

    fn token(&self, token: &Spanned<String>) -> Result<Secret, TenantsError> {
        let text = token.get_ref();
        if (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Secret::new(text.clone()));
        }
        Err(self.error(
            token,
            "`auth_token` has 16 to 128 visible ASCII characters: leave it out and one is made",
        ))
    }

    fn egress_entry(&self, entry: &Spanned<String>) -> Result<String, TenantsError> {
        let text = entry.get_ref();
        let is_host = text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if is_host {
            return Ok(text.clone());
        }
        text.parse::<IpPrefix>()
            .map(|_| text.clone())
            .map_err(|error| {
                self.error(
                    entry,
                    format_args!("{error}, or a host name such as `app.example.org`"),
                )
            })
    }

    fn outbound_entry(&self, entry: &Spanned<String>) -> Result<String, TenantsError> {
        let text = entry.get_ref();
        let is_prefix = text
            .strip_prefix('+')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if is_prefix
            || text == "sip:"
            || text
                .parse::<PhoneNumber>()
                .is_ok_and(|number| number.is_short_code())
        {
            return Ok(text.clone());
        }
        Err(self.error(
            entry,
            "`outbound.allow` has beginnings of numbers such as \"+855\" (\"+\" for all), short codes such as \"1294\", and \"sip:\"",
        ))
    }

    fn max_channels(&self, channels: &Spanned<u32>) -> Result<u32, TenantsError> {
        match channels.get_ref() {
            0 => Err(self.error(channels, "`max_channels` is at least 1")),
            channels => Ok(*channels),
        }
    }

    fn calls_per_second(&self, rate: &Spanned<f32>) -> Result<f32, TenantsError> {
        if (0.001..=10_000.0).contains(rate.get_ref()) {
            Ok(*rate.get_ref())
        } else {
            Err(self.error(rate, "`calls_per_second` is a number from 0.001 to 10000"))
        }
    }
}
