//! `[[operator]]`

use std::collections::{BTreeMap, BTreeSet};

use super::super::TenantsError;
use super::super::file::OperatorTable;
use super::{Check, each};
use crate::{Operator, OperatorId};

impl Check<'_> {
    pub(super) fn operators(
        &self,
        tables: Vec<OperatorTable>,
    ) -> Result<Vec<Operator>, TenantsError> {
        let mut ids = BTreeSet::new();
        let mut owners = BTreeMap::new();
        each(tables, |table| {
            let id = OperatorId {
                country: self.parsed(&table.country)?,
                name: self.name(&table.name, "an operator's name")?,
            };
            if !ids.insert(id.clone()) {
                return Err(self.error(
                    &table.name,
                    format_args!("operator `{id}` is named twice: keep one"),
                ));
            }
            for prefix in &table.prefixes {
                self.number_prefix(prefix, prefix.get_ref())?;
                if let Some(other) = owners.insert(prefix.get_ref().clone(), id.clone()) {
                    return Err(self.error(
                        prefix,
                        format_args!(
                            "`{}` is a prefix of {other} too: keep one",
                            prefix.get_ref()
                        ),
                    ));
                }
            }
            let prefixes = table.prefixes.into_iter().map(toml::Spanned::into_inner);
            Ok(Operator {
                id,
                prefixes: prefixes.collect(),
            })
        })
    }
}
