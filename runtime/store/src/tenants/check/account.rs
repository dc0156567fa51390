//! `[[account]]`

use std::collections::BTreeMap;

use call::Grants;
use toml::Spanned;

use super::super::file::{AccountTable, OutboundTable};
use super::super::{NewAccount, TenantsError, derived_sid};
use super::{Check, each};
use crate::{
    Egress, IpPrefix, MOST_WAITING, Outbound, PhoneNumber, Priority, QueueDefaults, Secret, SipHost,
};

/// Seconds that the calls of an account may be told to wait at most: a year.
const EXPIRES_AFTER_S: std::ops::RangeInclusive<u32> = 1..=31_536_000;

impl Check<'_> {
    /// Everything of an account but its fallback, which may name a component that comes later.
    pub(super) fn account(&mut self, table: AccountTable) -> Result<NewAccount, TenantsError> {
        let carrier = self.known_carrier(&table.carrier)?;
        let name = self.name(&table.name, "an account's name")?;
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
        let grants = self.grants_of(table.grants)?;
        self.grants.insert(sid, grants.clone());
        Ok(NewAccount {
            sid,
            auth_token: table
                .auth_token
                .map(|token| self.token(&token))
                .transpose()?,
            egress: Egress {
                allow: each(table.egress.allow, |entry| self.egress_entry(&entry))?,
            },
            outbound: self.outbound(table.outbound)?,
            fallback: None,
            media_dir: table
                .media_dir
                .map(|folder| self.surroundings.folder.join(folder)),
            voice: table.voice,
            has_open_recordings: table.open_recordings,
            settings: table.settings,
            secrets: self.secrets(table.secrets)?,
            grants,
            carrier,
            name,
        })
    }

    fn outbound(&self, table: OutboundTable) -> Result<Outbound, TenantsError> {
        let priority = table.priority.as_ref();
        let highest = table.highest_priority.as_ref();
        let read = |text: Option<&Spanned<String>>| match text {
            Some(text) => self.parsed(text),
            None => Ok(Priority::default()),
        };
        let queue = QueueDefaults {
            priority: read(priority)?,
            highest_priority: read(highest)?,
            expires_after_s: match &table.expires_after_s {
                Some(seconds) if !EXPIRES_AFTER_S.contains(seconds.get_ref()) => {
                    return Err(self.error(
                        seconds,
                        "`expires_after_s` is a number of seconds from 1 to 31536000, which is a year",
                    ));
                }
                seconds => seconds.as_ref().map(|seconds| *seconds.get_ref()),
            },
            window: (table.window.as_ref())
                .map(|hours| self.parsed(hours))
                .transpose()?,
        };
        if queue.priority < queue.highest_priority
            && let Some(at) = priority.or(highest)
        {
            return Err(self.error(
                at,
                format_args!(
                    "`priority` is \"{}\", and `highest_priority` is \"{}\": calls may not be more urgent than that",
                    queue.priority, queue.highest_priority
                ),
            ));
        }
        Ok(Outbound {
            allow: each(table.allow, |entry| self.outbound_entry(&entry))?,
            max_channels: self.max_channels(&table.max_channels)?,
            calls_per_second: self.calls_per_second(&table.calls_per_second)?,
            max_waiting: match table.max_waiting.get_ref() {
                1..=MOST_WAITING => *table.max_waiting.get_ref(),
                _ => {
                    return Err(self.error(
                        &table.max_waiting,
                        "`max_waiting` is a number of calls from 1 to 1000000",
                    ));
                }
            },
            queue,
        })
    }

    fn secrets(
        &self,
        table: BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<BTreeMap<String, Secret>, TenantsError> {
        let mut secrets = BTreeMap::new();
        for (name, value) in table {
            let name = self.slug(&name)?;
            let text = value.get_ref();
            let is_field = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
            if !(8..=1_024).contains(&text.len()) || !text.bytes().all(is_field) {
                return Err(self.error(
                    &value,
                    format_args!(
                        "the secret `{name}` has to be 8 to 1,024 visible ASCII characters"
                    ),
                ));
            }
            secrets.insert(name, Secret::new(value.into_inner()));
        }
        Ok(secrets)
    }

    fn grants_of(&self, grants: Option<Spanned<Grants>>) -> Result<Grants, TenantsError> {
        let Some(grants) = grants else {
            return Ok(Grants::default());
        };
        let checked = grants.get_ref().check_entries();
        checked.map_err(|why| self.error(&grants, why))?;
        Ok(grants.into_inner())
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
            || text
                .strip_prefix("sip:")
                .is_some_and(|host| host.is_empty() || host.parse::<SipHost>().is_ok())
            || text.strip_prefix("client:").is_some_and(is_user_name)
            || text
                .parse::<PhoneNumber>()
                .is_ok_and(|number| number.is_short_code())
        {
            return Ok(text.clone());
        }
        Err(self.error(
            entry,
            "`outbound.allow` has beginnings of numbers such as \"+855\" (\"+\" for all), short codes such as \"1294\", \"sip:\" for SIP URIs (\"sip:*.example.net\" or \"sip:192.0.2.7\" for those of one host), and devices such as \"client:alice\" (\"client:\" for all)",
        ))
    }
}

/// The user name of a device, or none.
fn is_user_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte))
}
