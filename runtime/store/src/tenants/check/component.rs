//! `[[component]]`

use std::fs::File;
use std::io::Read;

use call::AccountSid;
use toml::Spanned;

use super::super::file::ComponentTable;
use super::super::{MAX_COMPONENT_BYTES, NewComponent, TenantsError};
use super::Check;
use crate::Sha256Digest;
use crate::component::Component;

impl Check<'_> {
    pub(super) fn component(
        &mut self,
        table: &ComponentTable,
    ) -> Result<NewComponent, TenantsError> {
        let (_, account) = self.known_account(&table.account)?;
        let name = self.slug(&table.name)?;
        if !self.components.insert((account, name.clone())) {
            return Err(self.error(
                &table.name,
                format_args!("the account has two components `{name}`: rename one"),
            ));
        }
        let bytes = self.component_file(&table.file, account)?;
        let row = Component {
            account,
            name,
            sha256: Sha256Digest::of(&bytes),
            size_bytes: bytes.len() as u64,
        };
        Ok(NewComponent { row, bytes })
    }

    fn component_file(
        &self,
        file: &Spanned<String>,
        account: AccountSid,
    ) -> Result<Vec<u8>, TenantsError> {
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
                format_args!("{} has more than 32 MiB: strip it", path.display()),
            ));
        }
        let grants = self.grants.get(&account).cloned().unwrap_or_default();
        (self.surroundings.check_component)(&bytes, &grants).map_err(|problem| {
            self.error(
                file,
                format_args!("{} cannot run here: {problem}", path.display()),
            )
        })?;
        Ok(bytes)
    }
}
