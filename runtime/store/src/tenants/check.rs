//! What the keys may hold, and how the tables refer to each other.

mod account;
mod carrier;
mod component;
mod flow;
mod number;
mod operator;
mod trunk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use call::{AccountSid, Grants};
use toml::Spanned;

use super::{Surroundings, Tenants, TenantsError, file};
use crate::carrier::is_slug;
use crate::{Author, CarrierId, Secret};

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
    said: BTreeMap<&'static str, Vec<Secret>>,
    surroundings: &Surroundings<'_>,
) -> Result<Tenants, TenantsError> {
    let mut check = Check {
        text,
        surroundings,
        carriers: BTreeMap::new(),
        accounts: Vec::new(),
        grants: BTreeMap::new(),
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
    let operators = check.operators(file.operator)?;
    Ok(Tenants {
        operators,
        carriers,
        accounts,
        trunks,
        components,
        numbers,
        said,
        is_edit: false,
        overwrites: false,
        author: Author::operator(0),
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
    /// Each with the realm of its trunks' logins.
    carriers: BTreeMap<CarrierId, String>,
    accounts: Vec<(CarrierId, String, AccountSid)>,
    /// Of each account.
    grants: BTreeMap<AccountSid, Grants>,
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

    /// A text that says itself what is wrong with it.
    fn parsed<T: FromStr<Err: Display>>(&self, text: &Spanned<String>) -> Result<T, TenantsError> {
        text.get_ref()
            .parse()
            .map_err(|error| self.error(text, error))
    }

    /// A name for people; `what` is whose.
    fn name(&self, name: &Spanned<String>, what: &str) -> Result<String, TenantsError> {
        let text = name.get_ref();
        if (1..=64).contains(&text.len()) && !text.contains('/') && !text.contains(char::is_control)
        {
            Ok(text.clone())
        } else {
            Err(self.error(name, format_args!("{what} has 1 to 64 bytes and no `/`")))
        }
    }

    /// The beginning of E.164 numbers, which stands at `at`.
    fn number_prefix<T>(&self, at: &Spanned<T>, prefix: &str) -> Result<(), TenantsError> {
        let digits = prefix.strip_prefix('+').unwrap_or_default();
        let is_prefix = (1..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if is_prefix {
            return Ok(());
        }
        Err(self.error(
            at,
            format_args!("`{prefix}` is no beginning of numbers: write one such as \"+85510\""),
        ))
    }

    /// A number within bounds; `key` is its name.
    fn within(
        &self,
        number: &Spanned<u32>,
        bounds: RangeInclusive<u32>,
        key: &str,
    ) -> Result<u32, TenantsError> {
        if bounds.contains(number.get_ref()) {
            return Ok(*number.get_ref());
        }
        let (least, most) = bounds.into_inner();
        Err(self.error(
            number,
            format_args!("`{key}` is a number from {least} to {most}"),
        ))
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
        if self.carriers.contains_key(&id) {
            return Ok(id);
        }
        let known: Vec<&str> = self
            .carriers
            .keys()
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
