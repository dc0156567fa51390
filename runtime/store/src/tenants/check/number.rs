//! `[[number]]`

use std::collections::BTreeMap;

use call::StatusCallback;
use toml::Spanned;

use super::super::TenantsError;
use super::super::file::{FlowTable, NumberTable};
use super::{Check, line_at};
use crate::{CarrierId, Number, PhoneNumber, WebhookMethod};

impl Check<'_> {
    pub(super) fn number(
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
            status_callback,
            status_callback_method,
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
            flow: self.flow(flow, account)?,
            settings: table.settings,
            status_callback: self.status_callback(status_callback, status_callback_method)?,
            ..Number::taken(number, carrier, account)
        })
    }

    /// Who is told how the number's calls end.
    fn status_callback(
        &self,
        url: Option<Spanned<String>>,
        method: Option<Spanned<String>>,
    ) -> Result<Option<StatusCallback>, TenantsError> {
        match (url, method) {
            (None, None) => Ok(None),
            (None, Some(method)) => Err(self.error(
                &method,
                "`status_callback_method` belongs to a `status_callback`, and there is none: remove it",
            )),
            (Some(url), method) => {
                let url = self.web_url("status_callback", &url)?;
                let method = method.map_or(Ok(WebhookMethod::default()), |method| {
                    self.webhook_method("status_callback_method", &method)
                })?;
                Ok(Some(StatusCallback {
                    url,
                    method: method.into(),
                }))
            }
        }
    }
}
