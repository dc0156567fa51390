//! `[[carrier]]`

use super::super::TenantsError;
use super::super::file::CarrierTable;
use super::{Check, each};
use crate::{Carrier, CarrierId};

impl Check<'_> {
    pub(super) fn carrier(&mut self, table: CarrierTable) -> Result<Carrier, TenantsError> {
        let id = CarrierId(self.slug(&table.id)?);
        let carrier = Carrier {
            name: table.name.unwrap_or_else(|| id.0.clone()),
            id: id.clone(),
            domain: table.domain,
            number_pool: each(table.number_pool, |number| self.parsed(&number))?
                .into_iter()
                .collect(),
            calls_per_second: (table.calls_per_second)
                .map(|rate| self.calls_per_second(&rate))
                .transpose()?,
        };
        let realm = carrier.realm().to_owned();
        match self.carriers.insert(id, realm) {
            None => Ok(carrier),
            Some(_) => Err(self.error(
                &table.id,
                format_args!("carrier `{}` is named twice: keep one", carrier.id),
            )),
        }
    }
}
