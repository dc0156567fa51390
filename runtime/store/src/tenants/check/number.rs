//! `[[number]]`

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::TenantsError;
use super::super::file::{FlowTable, NumberTable};
use super::{Check, line_at};
use crate::{CarrierId, Number, PhoneNumber};

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
}
