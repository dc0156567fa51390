//! How a trunk writes numbers, what it carries of them, and what its answers mean.

use std::collections::BTreeMap;

use call::{CallStatus, Outcomes};
use numbers::{CallerIdRules, Country, Form, NumberRules};
use rtp::dtmf::DigitPolicy;
use sdp::Codec;
use toml::Spanned;

use crate::tenants::TenantsError;
use crate::tenants::check::Check;
use crate::tenants::file::{NumbersTable, TrunkTable};
use crate::{ChannelsByPrefix, Reserved};

impl Check<'_> {
    pub(super) fn number_rules(&self, table: &NumbersTable) -> Result<NumberRules, TenantsError> {
        let country: Option<Country> = match &table.country {
            Some(country) => Some(self.parsed(country)?),
            None => None,
        };
        let prefix = match &table.prefix {
            Some(prefix) => self.dial_prefix(prefix)?,
            None => String::new(),
        };
        Ok(NumberRules {
            country,
            dial_as: self.form(table.dial_as.as_ref(), country.is_some())?,
            prefix,
        })
    }

    fn dial_prefix(&self, prefix: &Spanned<String>) -> Result<String, TenantsError> {
        let text = prefix.get_ref();
        let dialled = |byte: u8| byte.is_ascii_digit() || b"+*#".contains(&byte);
        if text.len() <= 16 && text.bytes().all(dialled) {
            return Ok(text.clone());
        }
        Err(self.error(prefix, "`prefix` has up to 16 digits, `*`, `#` or `+`"))
    }

    pub(super) fn caller_id_rules(
        &self,
        table: &TrunkTable,
    ) -> Result<CallerIdRules, TenantsError> {
        let rules = &table.caller_id;
        let default = CallerIdRules::default();
        Ok(CallerIdRules {
            dial_as: self.form(rules.dial_as.as_ref(), table.numbers.country.is_some())?,
            headers: rules.headers.clone().unwrap_or(default.headers),
            user_phone: rules.user_phone,
            trusted: rules.trusted,
        })
    }

    fn form(&self, form: Option<&Spanned<Form>>, has_country: bool) -> Result<Form, TenantsError> {
        match form {
            Some(form) if *form.get_ref() == Form::National && !has_country => Err(self.error(
                form,
                "national numbers are those of a country: give `numbers.country`, such as \"KH\"",
            )),
            Some(form) => Ok(*form.get_ref()),
            None => Ok(Form::default()),
        }
    }

    pub(super) fn channels_by_prefix(
        &self,
        table: &TrunkTable,
    ) -> Result<ChannelsByPrefix, TenantsError> {
        let most = *table.max_channels.get_ref();
        let limits = table.channels_by_prefix.iter();
        limits
            .map(|(prefix, channels)| {
                self.number_prefix(channels, prefix)?;
                if !(1..=most).contains(channels.get_ref()) {
                    return Err(self.error(
                        channels,
                        format_args!("a limit of `{prefix}` is a number from 1 to the trunk's `max_channels`, {most}"),
                    ));
                }
                Ok((prefix.clone(), *channels.get_ref()))
            })
            .collect()
    }

    /// What is left free for calls that come in: never all of anything.
    pub(super) fn reserved(&self, table: &TrunkTable) -> Result<Reserved, TenantsError> {
        let most = *table.max_channels.get_ref();
        let channels = table.reserved_for_inbound.as_ref();
        if let Some(channels) = channels.filter(|channels| *channels.get_ref() >= most) {
            return Err(self.error(
                channels,
                format_args!("`reserved_for_inbound` is less than the trunk's `max_channels`, {most}, or no call goes out"),
            ));
        }
        let by_prefix = table.reserved_by_prefix.iter().map(|(prefix, channels)| {
            let limit = table.channels_by_prefix.get(prefix);
            let limit = limit.map(|limit| *limit.get_ref()).ok_or_else(|| {
                self.error(
                    channels,
                    format_args!("`{prefix}` has no limit in `channels_by_prefix`: write one"),
                )
            })?;
            if *channels.get_ref() >= limit {
                return Err(self.error(
                    channels,
                    format_args!("what is reserved of `{prefix}` is less than its `channels_by_prefix`, {limit}, or no call goes out"),
                ));
            }
            Ok((prefix.clone(), *channels.get_ref()))
        });
        Ok(Reserved {
            channels: channels.map_or(0, |channels| *channels.get_ref()),
            by_prefix: by_prefix.collect::<Result<_, _>>()?,
        })
    }

    /// The codecs of a trunk, each once.
    pub(super) fn codecs(&self, table: &TrunkTable) -> Result<Vec<Codec>, TenantsError> {
        let Some(names) = &table.codecs else {
            return Ok(Codec::NARROWBAND.to_vec());
        };
        let mut codecs = Vec::new();
        for name in names.get_ref() {
            let is_built_in = |codec: &Codec| call::media_codec(*codec).is_built_in();
            let spoken = Codec::from_name(name.get_ref()).filter(is_built_in);
            let codec = spoken.ok_or_else(|| {
                self.error(
                    name,
                    format_args!(
                        "`{}` is no codec of a trunk: write \"opus\", \"G722\", \"PCMU\" or \"PCMA\"",
                        name.get_ref()
                    ),
                )
            })?;
            if codecs.contains(&codec) {
                return Err(self.error(name, format_args!("`{}` is named twice", codec.name())));
            }
            codecs.push(codec);
        }
        if codecs.is_empty() {
            return Err(self.error(names, "`codecs` is empty: name one, or leave it out"));
        }
        Ok(codecs)
    }

    /// Who is believed about keys.
    pub(super) fn dtmf(&self, table: &TrunkTable) -> Result<DigitPolicy, TenantsError> {
        let Some(name) = &table.dtmf else {
            return Ok(DigitPolicy::Auto);
        };
        DigitPolicy::named(name.get_ref()).ok_or_else(|| {
            self.error(
                name,
                format_args!(
                    "`{}` is no way to tell of keys: write \"auto\", \"rfc4733\", \"info\" or \"in-band\"",
                    name.get_ref()
                ),
            )
        })
    }

    pub(super) fn outcomes(
        &self,
        table: &BTreeMap<String, Spanned<String>>,
    ) -> Result<Outcomes, TenantsError> {
        table
            .iter()
            .map(|(code, status)| {
                let number = code.parse().ok().filter(|code| (300..=699).contains(code));
                let number = number.ok_or_else(|| {
                    self.error(
                        status,
                        format_args!("`{code}` is no final SIP status of an unanswered call: write one from 300 to 699"),
                    )
                })?;
                Ok((number, self.outcome(status)?))
            })
            .collect()
    }

    fn outcome(&self, status: &Spanned<String>) -> Result<CallStatus, TenantsError> {
        let meant = [
            CallStatus::Busy,
            CallStatus::NoAnswer,
            CallStatus::Canceled,
            CallStatus::Failed,
        ];
        let found = meant
            .into_iter()
            .find(|meant| meant.to_string() == *status.get_ref());
        found.ok_or_else(|| {
            self.error(
                status,
                format_args!(
                    "`{}` is no outcome: write \"busy\", \"no-answer\", \"canceled\" or \"failed\"",
                    status.get_ref()
                ),
            )
        })
    }
}
